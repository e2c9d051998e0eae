"""Where streams outside of the box keep what they need on the disk: a folder for each, by its name.

In it lie a key that seals what waits, that, a note of whose stream it is, and how sending was last. Names and
notes are read here, and what waits is looked for and deleted while nobody sends; sending is
`video_streams`'.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance import private_files
from appliance.settings.kvs import STREAM_NAME
from appliance.video.kvs.spool import discard

KEY: Final = "key"
NOTE: Final = "stream.json"
STATE: Final = "state.json"
SPOOL: Final = "spool"
_NAME: Final = re.compile(STREAM_NAME)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NOTE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class OutsideStream:
    """A stream that is sent to.

    Attributes:
        name: At the service.
        camera: Whose; None: of functions.
        retention_hours: For which it is made.
    """

    name: str
    camera: str | None
    retention_hours: int


def folder_of(streams: Path, name: str) -> Path:
    """A stream's own folder.

    >>> folder_of(Path("kvs"), "office-hall").name, folder_of(Path("kvs"), "..").name[:9]
    ('office-hall', '=48c30e5c')
    """
    plain = _PLAIN.fullmatch(name)
    return streams / (name if plain else "=" + hashlib.sha256(name.encode()).hexdigest())


def spool_subject(folder: Path) -> str:
    """What a stream's key is called where it is wrapped."""
    return f"kvs:{folder.name}"


def is_stream_name(name: str) -> bool:
    """Whether the service would take this as a stream's name."""
    return _NAME.fullmatch(name) is not None


def note(streams: Path, stream: OutsideStream) -> Path:
    """Have a folder for a stream, with a note of whose it is; that folder.

    Raises:
        OSError: It cannot be written.
    """
    folder = folder_of(streams, stream.name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {"stream": stream.name, "camera": stream.camera, "hours": stream.retention_hours}
    private_files.replace(folder / NOTE, json.dumps(kept).encode())
    return folder


def noted(streams: Path) -> Iterator[OutsideStream]:
    """Streams that were sent to before, in no order; a note that cannot be read is passed over."""
    for folder in _folders(streams):
        try:
            kept = json.loads((folder / NOTE).read_bytes()[:_NOTE_BYTES])
            name, camera, hours = str(kept["stream"]), kept["camera"], int(kept["hours"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if is_stream_name(name) and (camera is None or isinstance(camera, str)):
            yield OutsideStream(name, camera, max(1, hours))


def something_waits(streams: Path, name: str) -> bool:
    """Whether something waits on the disk for a stream; a folder that cannot be read may hold it."""
    spool = folder_of(streams, name) / SPOOL
    try:
        return any(path.suffix == ".sealed" for clip in spool.iterdir() for path in clip.iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return True


def drop_at_rest(streams: Path, clip: str, *, but: Collection[Path] = ()) -> int:
    """Delete what waits of a clip in every spool that nobody has open; how many fragments that was.

    Args:
        streams: Where all streams' folders are.
        clip: The clip's id.
        but: Folders of streams that are sent to.

    Raises:
        StreamError: Something cannot be deleted.
    """
    return sum(discard(folder / SPOOL, clip) for folder in _folders(streams) if folder not in but)


def _folders(streams: Path) -> list[Path]:
    try:
        return [each for each in streams.iterdir() if each.is_dir()]
    except OSError:
        return []
