"""Which addresses of cameras are taken over the network, and what of one is shown there.

Whoever may change settings may point the loop at what this machine sees. So the address names a camera, a
bundled scene or a recording in one folder, and no other file of the machine: neither is one opened for
whoever looks, nor does an error say whether it is there. What stands in the settings file already was
written on the machine itself, and stays.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal

from appliance.logs import redact
from appliance.services import Layout
from appliance.settings import CameraSettings, Settings

Kind = Literal["device", "network", "file", "scene"]

RECORDINGS: Final = "recordings"
"""The folder of the state directory whose files and folders may be named."""

_DEVICE: Final = re.compile(r"/dev/(video\d{1,3}|v4l/by-(id|path)/(?!\.)[\w.:-]+)")
_NETWORK: Final = re.compile(r"(rtsps?|https?)://\S+", re.IGNORECASE)
_FOREIGN: Final = (
    "over the network a camera is /dev/video…, rtsp://, http:// or scene:door, or a recording in the folder "
    f"{RECORDINGS!r} of the state directory; another file is named in the settings file"
)


def kind_of(address: str) -> Kind:
    """What an address is of."""
    if address.startswith("/dev/") and not address.startswith("/dev/shm/"):  # noqa: S108 - memory, with files
        return "device"
    if address.startswith("scene:"):
        return "scene"
    return "network" if "://" in address else "file"


def shown(camera: CameraSettings) -> str:
    """What of a camera's address is fit to be shown: no path, no user, no password, of a file its name."""
    address = camera.source.get_secret_value()
    if kind_of(address) == "file":
        return f"…/{Path(address).name}"
    return redact(address)


def foreign_sources(settings: Settings, known: Collection[str], layout: Layout) -> dict[str, str]:
    """The cameras whose addresses are not taken over the network.

    Args:
        settings: As they would be.
        known: Addresses that were written on the machine itself, or hold already.
        layout: Where the folder of recordings is.

    Returns:
        Key of the setting → why not, which says nothing of what is there.
    """
    return {
        f"cameras.{camera.id}.source": _FOREIGN
        for camera in settings.cameras
        if camera.source.get_secret_value() not in known
        and not _taken(camera.source.get_secret_value().strip(), layout.state / RECORDINGS)
    }


def _taken(address: str, recordings: Path) -> bool:
    scheme = address.partition(":")[0].lower()
    if _DEVICE.fullmatch(address) or _NETWORK.fullmatch(address) or scheme == "scene":
        return True
    path = Path(address)
    # Links are followed, so that one in the folder leads nowhere else; nothing is said of what is found.
    return path.is_absolute() and path.resolve().is_relative_to(recordings.resolve())
