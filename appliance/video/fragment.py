"""What one piece of video is: a track, its frames, and the fragment they make.

A fragment begins with a picture that needs no other (an IDR), holds every frame up to the next fragment, and
lasts one to ten seconds where it is ours. It is what a clip is stored in, what is sent, and what is played,
so a fragment is all that a power cut can cost. Times are milliseconds since the Unix epoch. Cutting packets
into fragments, writing and reading them is done by others.
"""

from dataclasses import dataclass
from typing import Literal

MIN_FRAGMENT_MS = 1_000
"""Shorter ones are for the end of a clip only: the service takes at least 1 s."""

MAX_FRAGMENT_MS = 10_000
"""Ours are cut so; the service takes 20 s today, and took 10 s for years. Others' may last longer."""

MAX_OFFSET_MS = 32_767
"""A frame's time is stored as a signed 16-bit offset to its fragment's."""

MAX_TAGS = 9
"""The service takes 10 a fragment, of which the one that ends the fragment is one."""

MAX_TAG_NAME_BYTES = 128
MAX_TAG_VALUE_BYTES = 256

RESERVED_TAG_PREFIX = "AWS"
"""Names that begin so belong to the service."""

MAX_SIDE_PX = 16_384
"""The largest picture that H.264 has (level 6.2) is not as wide."""

VideoCodec = Literal["h264"]

_AVCC_MIN_BYTES = 7
_LENGTH_SIZE_BITS = 0b11  # the low bits of its fifth byte: bytes of a unit's length, less one
_TIMECODE_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True)
class Track:
    """The stream that frames belong to.

    Attributes:
        codec: `h264`, the only one.
        width: Pixels shown, 1 to 16,384.
        height: Pixels shown, likewise.
        codec_private: The decoder's configuration (avcC of ISO/IEC 14496-15, with SPS and PPS), saying that
            units have lengths of 4 bytes.
    """

    codec: VideoCodec
    width: int
    height: int
    codec_private: bytes

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: There is no size, or the configuration is not an avcC with 4-byte lengths.
        """
        if not (0 < self.width <= MAX_SIDE_PX and 0 < self.height <= MAX_SIDE_PX):
            raise ValueError("a track has a size")
        record = self.codec_private
        if (
            len(record) < _AVCC_MIN_BYTES
            or record[0] != 1
            or record[4] & _LENGTH_SIZE_BITS != _LENGTH_SIZE_BITS
        ):
            raise ValueError("the codec's configuration is not an avcC with 4-byte lengths")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, coded.

    Attributes:
        timecode_ms: When it is shown, milliseconds since the epoch, >= 0.
        duration_ms: For how long, >= 0.
        key: Decoding can begin here: it is an IDR.
        data: Its access unit: units with 4-byte lengths before them (AVCC, not Annex B).
    """

    timecode_ms: int
    duration_ms: int
    key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """Frames from one IDR up to the next fragment, in the order in which they are decoded.

    Attributes:
        timecode_ms: When it begins: the first frame's time, and no frame is shown earlier.
        frames: At least one; the first is a key frame.
        track: What they belong to.
        tags: (name, value) pairs that go with it, at most 9.
        last: No other fragment follows in this clip.
        clock_set: The clock of the box was set since the fragment before it: its times are by the new one.
    """

    timecode_ms: int
    frames: tuple[Frame, ...]
    track: Track
    tags: tuple[tuple[str, str], ...] = ()
    last: bool = False
    clock_set: bool = False

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: It does not begin with a key frame at its own time, a frame lies before its begin or
                too far behind it, or its tags are too many, too long or reserved.
        """
        if not self.frames or not self.frames[0].key:
            raise ValueError("a fragment begins with a key frame")
        begin = self.timecode_ms
        if not 0 <= begin < _TIMECODE_LIMIT or self.frames[0].timecode_ms != begin:
            raise ValueError("a fragment begins at its first frame's time")
        for frame in self.frames:
            if not 0 <= frame.timecode_ms - begin <= MAX_OFFSET_MS or frame.duration_ms < 0:
                raise ValueError("a frame lies outside its fragment")
        check_tags(self.tags)

    @property
    def end_ms(self) -> int:
        """When the last of its frames is no longer shown, milliseconds since the epoch."""
        return max(frame.timecode_ms + frame.duration_ms for frame in self.frames)

    @property
    def duration_ms(self) -> int:
        """How long it lasts, milliseconds."""
        return self.end_ms - self.timecode_ms

    @property
    def size_bytes(self) -> int:
        """Bytes of its frames, without what a container adds."""
        return sum(len(frame.data) for frame in self.frames)


def check_tags(tags: tuple[tuple[str, str], ...]) -> None:
    """Hold tags to the service's limits.

    Raises:
        ValueError: They are too many, a name is empty, too long or reserved, or a value is too long.
    """
    if len(tags) > MAX_TAGS:
        raise ValueError(f"a fragment has {MAX_TAGS} tags at most")
    for name, value in tags:
        if not name or len(name.encode()) > MAX_TAG_NAME_BYTES or name.startswith(RESERVED_TAG_PREFIX):
            raise ValueError("the name of a tag is empty, too long or reserved")
        if len(value.encode()) > MAX_TAG_VALUE_BYTES:
            raise ValueError("the value of a tag is too long")
