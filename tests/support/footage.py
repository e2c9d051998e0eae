"""Fragments for what keeps and counts them, without a camera: right in shape, with bytes for pictures."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from appliance.app.stream_folders import folder_of
from appliance.clock import ManualClock
from appliance.events import Event
from appliance.ids import seeded_ids
from appliance.vault import KeyFile, Vault
from appliance.video.clip_folder import ClipKeys
from appliance.video.clips import Clips
from appliance.video.fragment import Fragment, Frame, Track
from appliance.video.kvs.spool import Spool
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.recording import Recording
from appliance.video.retention import Limits
from appliance.video.wishes import Wish

BEGIN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BEGIN_MS = round(BEGIN.timestamp() * 1000)
TRACK = Track("h264", 640, 360, bytes((1, 66, 0, 30, 0xFF, 0xE1, 0, 0, 0)))
OTHER_TRACK = Track("h264", 1280, 720, TRACK.codec_private)
PLENTY = Limits(retention_hours=24.0, max_bytes=1 << 30, min_free_bytes=0)


def fragment(
    begin_ms: int, duration_ms: int = 2_000, *, track: Track = TRACK, picture: bytes = b"x"
) -> Fragment:
    """One of a single frame."""
    return Fragment(begin_ms, (Frame(begin_ms, duration_ms, key=True, data=picture),), track)


def fragments(begin_ms: int, count: int, each_ms: int = 2_000) -> list[Fragment]:
    """Several that follow each other."""
    return [fragment(begin_ms + number * each_ms, each_ms) for number in range(count)]


def document(piece: Fragment, clip: str) -> bytes:
    """Stands for a document: the times and the pictures."""
    return b"|".join([f"{clip} {piece.timecode_ms} {piece.end_ms}".encode(), *(f.data for f in piece.frames)])


def opened_vault(state: Path) -> Vault:
    """A real vault with keys of its own."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Vault(KeyFile(state / "device.key"), state).unlock(create=True)


@dataclass
class Kept:
    """Clips on a disk, with everything that was told of them.

    Attributes:
        disk: Bytes that the disk has for clips and what is to be left free; to be set.
    """

    folder: Path
    keys: ClipKeys
    clock: ManualClock = field(default_factory=lambda: ManualClock(BEGIN))
    limits: Limits = PLENTY
    disk: int = 1 << 40
    told: list[Event] = field(default_factory=list)
    sent: list[tuple[Fragment, frozenset[str]]] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    seed: int = 1

    def __post_init__(self) -> None:
        """Open them."""
        self.clips = self.again()

    def again(self) -> Clips:
        """The clips as another start of the program finds them."""
        self.seed += 1
        self.clips = Clips(
            self.folder,
            self.keys,
            self.limits,
            self.told.append,
            clock=self.clock,
            ids=seeded_ids(self.seed),
            free=lambda _: self.disk - self.clips.size_bytes,
        )
        self.clips.open()
        return self.clips

    def recording(self, *, longest_ms: int = 600_000) -> Recording:
        """A camera's."""
        return Recording(
            "hall",
            self.clips,
            document,
            self,
            longest_ms=longest_ms,
            clock=self.clock,
        )

    def take(self, camera: str, clip: str, fragment: Fragment, streams: frozenset[str]) -> None:
        """See `recording.Outlet`."""
        self.sent.append((fragment, streams))

    def end(self, clip: str) -> None:
        """See `recording.Outlet`."""
        self.over.append(clip)

    def types(self) -> list[str]:
        """Of what was told."""
        return [str(getattr(event, "type", "")) for event in self.told]


def wish(seconds: float = 10.0, at_ms: int = BEGIN_MS, *, back_ms: int = 0, cause: str | None = None) -> Wish:
    """Somebody wants video."""
    return Wish(seconds, at_ms, back_ms, cause)


class PlayedFeed:
    """A feed that gives what it is told, stretch by stretch; see `recorder.Feed`.

    Args:
        stretches: What comes each time the camera is followed; an exception in one is raised there.
        stays: The camera goes on after the last, without a picture.
        held: Nothing comes before `begin` is set.
    """

    def __init__(
        self, *stretches: Sequence[Fragment | Exception | None], stays: bool = False, held: bool = False
    ) -> None:
        self._stretches = list(stretches)
        self._stays = stays
        self.begin = threading.Event()
        if not held:
            self.begin.set()
        self.asked: list[tuple[str, float]] = []
        self.over = threading.Event()

    def __call__(self, camera: str, back_s: float, stop: threading.Event) -> Iterator[Fragment | None]:
        """The next stretch; when there is none left, nothing until it is to stop."""
        self.asked.append((camera, back_s))
        self.begin.wait(60)
        if not self._stretches:
            self.over.set()
            stop.wait(5)
            return
        for each in self._stretches.pop(0):
            if isinstance(each, Exception):
                raise each
            yield each
        if self._stays and not self._stretches:
            self.over.set()
            stop.wait(5)


def spooled(streams: Path, stream: str, clip: str) -> Path:
    """A fragment of a clip that waits for a stream; its file."""
    kept = Spool(
        folder_of(streams, stream) / "spool",
        lambda _, content: content,
        lambda _, content: content,
        max_bytes=1 << 20,
    )
    entry = kept.add(clip, SpooledFragment.of(clip, fragment(BEGIN_MS)))
    return folder_of(streams, stream) / "spool" / clip / entry.name
