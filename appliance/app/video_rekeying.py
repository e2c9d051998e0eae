"""Keys of clips, and of what waits to be sent, wrapped anew when the device key is changed.

Nobody records meanwhile: whoever changes the key holds it alone. A key that opens neither under the old
device key nor under the new one was lost before, and stands in nobody's way.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog

from appliance import private_files
from appliance.app.stream_folders import KEY, spool_subject
from appliance.errors import VaultError, VideoError
from appliance.services import Layout
from appliance.vault import Vault
from appliance.video.clip_folder import ClipFolder, clip_ids

_log = structlog.get_logger()

Rewrap = Callable[[str, bytes], bytes | None]
"""Whose key, and the key as it is wrapped → the same under the new device key; None: it is already."""


def rewrap_video(layout: Layout, vault: Vault, rewrap: Rewrap) -> int:
    """Wrap every key that lies beside video anew; how many were.

    Args:
        layout: Where clips and streams lie.
        vault: Of this box.
        rewrap: Wraps one.

    Raises:
        VideoError: A key cannot be read or written.
    """
    folders = [ClipFolder(layout.clips, clip, vault) for clip in clip_ids(layout.clips)]
    try:
        clips = [_tried(folder.id, partial(folder.rewrap, rewrap)) for folder in folders]
        streams = [
            _tried(path.parent.name, partial(_stream, path, rewrap)) for path in layout.kvs.glob(f"*/{KEY}")
        ]
    except OSError as error:
        raise VideoError(
            f"the key of a clip cannot be written: {error.strerror}",
            hint="make room on the disk of the state directory; then the same command goes on",
        ) from error
    return sum(clips) + sum(streams)


def _stream(path: Path, rewrap: Rewrap) -> bool:
    new = rewrap(spool_subject(path.parent), path.read_bytes())
    if new is not None:
        private_files.replace(path, new)
    return new is not None


def _tried(name: str, wrap: Callable[[], bool]) -> bool:
    try:
        return wrap()
    except VaultError as error:
        _log.warning("key_of_video_lost", name=name, reason=error.message)
        return False
