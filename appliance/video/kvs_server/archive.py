"""Where the server keeps what it was sent: what every archive can, and the one in memory.

An archive knows fragments by stream and number. It reads no Matroska and says nothing to a producer. What
is older than a stream's retention is forgotten when it is told to; beyond that each archive has a bound of
its own, which AWS has not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from appliance.errors import VideoError
from appliance.video.kvs_server.streams import StreamRow

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FragmentRow:
    """What is known of a fragment without reading it.

    Attributes:
        number: Decimal digits, as many for each of this server's; grows with the order in which they came.
        producer_ms: Its time as its producer told it, milliseconds since the epoch.
        server_ms: When the server had its first byte, milliseconds since the epoch.
        duration_ms: How long it lasts.
        size_bytes: Of its media.
        tracks: The same for fragments whose headers declare the same tracks.
    """

    number: str
    producer_ms: int
    server_ms: int
    duration_ms: int
    size_bytes: int
    tracks: str

    @property
    def producer_at(self) -> datetime:
        """Aware, UTC."""
        return datetime.fromtimestamp(self.producer_ms / 1000, UTC)

    @property
    def server_at(self) -> datetime:
        """Aware, UTC."""
        return datetime.fromtimestamp(self.server_ms / 1000, UTC)


@dataclass(frozen=True, slots=True)
class FragmentMedia:
    """The bytes of a fragment, as its producer sent them.

    Attributes:
        header: Of its session: EBML, Segment of unknown size, Info, Tracks, Tags before the first cluster.
        cluster: The cluster, whole, with its size known.
        tags: The Tags behind it.
    """

    header: bytes
    cluster: bytes
    tags: bytes

    @property
    def size_bytes(self) -> int:
        """Of cluster and tags."""
        return len(self.cluster) + len(self.tags)


class Archive(Protocol):
    """Keeps streams and their fragments.

    Every method may raise `VideoError`: what it lies on does not work.
    """

    def streams(self) -> Sequence[StreamRow]:
        """Every stream kept, in any order."""

    def keep_stream(self, row: StreamRow) -> None:
        """Keep a stream, or its new row."""

    def drop_stream(self, name: str) -> None:
        """Forget a stream with its fragments; fine where there is none."""

    def add(self, stream: str, row: FragmentRow, media: FragmentMedia) -> None:
        """Keep a fragment of a stream that is kept: when this returns, it is.

        Raises:
            VideoError: It cannot be kept; nothing of it is.
        """

    def fragments(self, stream: str) -> Sequence[FragmentRow]:
        """What there is of a stream, by number; empty where there is no such stream."""

    def media(self, stream: str, number: str) -> FragmentMedia | None:
        """The bytes of one; None where there is none."""

    def forget(self, stream: str, *, before_ms: int) -> None:
        """Delete what the server had before that moment, milliseconds since the epoch."""


class MemoryArchive:
    """Keeps everything in memory, up to a bound; then the oldest goes, whatever its stream's retention.

    Args:
        max_bytes: Of media, all streams together.
    """

    def __init__(self, *, max_bytes: int = 512 * _MIB) -> None:
        self._max_bytes = max_bytes
        self._streams: dict[str, StreamRow] = {}
        self._held: dict[tuple[str, str], tuple[FragmentRow, FragmentMedia]] = {}
        self._bytes = 0

    def streams(self) -> Sequence[StreamRow]:
        """Every stream kept."""
        return tuple(self._streams.values())

    def keep_stream(self, row: StreamRow) -> None:
        """Keep a stream, or its new row."""
        self._streams[row.name] = row

    def drop_stream(self, name: str) -> None:
        """Forget a stream with its fragments."""
        self._streams.pop(name, None)
        for key in [each for each in self._held if each[0] == name]:
            self._drop(key)

    def add(self, stream: str, row: FragmentRow, media: FragmentMedia) -> None:
        """Keep a fragment.

        Raises:
            VideoError: It is larger than everything may be together.
        """
        size = row.size_bytes
        if size > self._max_bytes:
            raise VideoError("a fragment is larger than the whole archive may be")
        while self._bytes + size > self._max_bytes:
            self._drop(next(iter(self._held)))
        self._held[stream, row.number] = (row, media)
        self._bytes += size

    def fragments(self, stream: str) -> Sequence[FragmentRow]:
        """What there is of a stream, by number."""
        return sorted(
            (row for (name, _), (row, _) in self._held.items() if name == stream),
            key=lambda row: int(row.number),
        )

    def media(self, stream: str, number: str) -> FragmentMedia | None:
        """The bytes of one; None where there is none."""
        found = self._held.get((stream, number))
        return found[1] if found is not None else None

    def forget(self, stream: str, *, before_ms: int) -> None:
        """Delete what the server had before that moment."""
        old = [key for key, (row, _) in self._held.items() if key[0] == stream and row.server_ms < before_ms]
        for key in old:
            self._drop(key)

    def _drop(self, key: tuple[str, str]) -> None:
        row, _ = self._held.pop(key)
        self._bytes -= row.size_bytes
