"""From the settings' address to a source, by an allow-list of schemes.

Nothing is opened here; only whether a path is a file or a folder is looked up.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from appliance.camera.container import ContainerAddress, ContainerSource
from appliance.camera.folder import FolderSource
from appliance.camera.scene import Scene
from appliance.camera.scene_coffee import CoffeeScene
from appliance.camera.scene_set import DOOR_COLOURS
from appliance.camera.scene_source import SceneSource
from appliance.camera.scene_things import ThingsScene
from appliance.camera.source import Source
from appliance.clock import Clock
from appliance.errors import CameraRefusedError
from appliance.settings import CameraSettings

SCENE_FPS = 10.0
THINGS_FPS = 5.0
"""What lies still needs no more, and the door's frames are not kept waiting."""

_HINT = (
    "a source is scene:door, scene:coffee, scene:things, /dev/videoN, rtsp://…, http://…, a video file, or "
    "a folder of pictures"
)
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):")
_DEVICE = re.compile(r"^/dev/(video\d{1,3}|v4l/[\w./:-]+)$")

_PROMPT = {"analyzeduration": "1500000", "probesize": "2000000", "fpsprobesize": "1"}
"""Start within a second or so instead of libav's five, at the price of a guessed frame rate."""

_RTSP = {**_PROMPT, "rtsp_transport": "tcp", "protocol_whitelist": "rtsp,rtp,tcp,tls,udp"}
"""TCP, for lost datagrams are torn pictures. A camera cannot make libav open files."""
_HTTP = {**_PROMPT, "protocol_whitelist": "http,https,tcp,tls", "user_agent": "office-door-appliance"}
_FILE = {"protocol_whitelist": "file"}
"""A playlist among the recordings cannot send us to the network."""


def open_source(settings: CameraSettings, clock: Clock) -> Source:
    """The source that `settings.source` names, not opened yet.

    Raises:
        CameraRefusedError: No such kind of source, no such scene, file or folder.
    """
    address = settings.source.get_secret_value().strip()
    if _DEVICE.match(address):
        return _device(address, settings, clock)
    scheme = _SCHEME.match(address)
    if scheme is None:
        return _path(Path(address).expanduser(), settings, clock)
    match scheme.group(1).lower():
        case "scene":
            return _scene(address.partition(":")[2], settings)
        case "rtsp" | "rtsps":
            hint = "check address, user and password, and that the camera allows another viewer"
            where = ContainerAddress(address, live=True, options=(_RTSP,), hint=hint)
            return ContainerSource(where, clock, timeout_s=settings.stall_s)
        case "http" | "https":
            hint = "check address, user and password; it must answer with video, e.g. MJPEG"
            where = ContainerAddress(address, live=True, options=(_HTTP,), hint=hint)
            return ContainerSource(where, clock, timeout_s=settings.stall_s)
        case other:
            raise CameraRefusedError(f"camera {settings.id}: no source of kind {other!r}", hint=_HINT)


def _device(address: str, settings: CameraSettings, clock: Clock) -> Source:
    """A V4L2 device: MJPEG if it has it, else whatever it gives. Not run on hardware."""
    size = {"video_size": f"{settings.width_px}x{settings.height_px}"}
    choices: tuple[Mapping[str, str], ...] = ({**size, "input_format": "mjpeg"}, size, {})
    hint = "check that it is plugged in, and that the account is in the group `video`"
    where = ContainerAddress(address, live=True, format="v4l2", options=choices, hint=hint)
    return ContainerSource(where, clock, timeout_s=settings.stall_s)


def _path(path: Path, settings: CameraSettings, clock: Clock) -> Source:
    """A recording: a file or a folder."""
    if path.is_dir():
        return FolderSource(path, fps=settings.fps)
    if path.is_file():
        where = ContainerAddress(str(path.absolute()), live=False, options=(_FILE,))
        return ContainerSource(where, clock, timeout_s=None)
    raise CameraRefusedError(f"camera {settings.id}: there is no file or folder {path}", hint=_HINT)


def _scene(name: str, settings: CameraSettings) -> Source:
    """A bundled scene: `door`, `door-COLOUR`, `coffee` or `things`."""
    kind, _, colour = name.partition("-")
    width, height = settings.width_px, settings.height_px
    if name == "coffee":
        return SceneSource(CoffeeScene(width=width, height=height, fps=SCENE_FPS), name=name)
    if name == "things":
        return SceneSource(ThingsScene(width=width, height=height, fps=THINGS_FPS), name=name)
    if kind != "door" or (colour and colour not in DOOR_COLOURS):
        doors = ["scene:door", *(f"scene:door-{c}" for c in DOOR_COLOURS)]
        choices = ", ".join([*doors, "scene:coffee", "scene:things"])
        raise CameraRefusedError(f"camera {settings.id}: no scene {name!r}", hint=f"there are {choices}")
    scene = Scene(width=width, height=height, fps=SCENE_FPS, door_colour=colour or "blue")
    return SceneSource(scene, name=name)
