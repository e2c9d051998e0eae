"""What a strict reader of a Matroska stream tells: header, fragments, blocks, tags, remarks and one fault.

Values, and the rules that are held to; `strict_matroska` makes and applies them.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from appliance.video.fragment import MAX_TAG_NAME_BYTES, MAX_TAG_VALUE_BYTES

NS_PER_MS = 1_000_000


class ErrorId(IntEnum):
    """What Kinesis Video Streams answers a fragment with that it refuses for what is in it.

    4003 and 4008 are about connections and streams, and 4005 (more than one track) is no longer given.
    """

    MAX_FRAGMENT_SIZE_REACHED = 4001
    MAX_FRAGMENT_DURATION_REACHED = 4002
    FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS = 4004
    INVALID_MKV_DATA = 4006
    INVALID_PRODUCER_TIMESTAMP = 4007
    FRAGMENT_METADATA_LIMIT_REACHED = 4009
    TRACK_NUMBER_MISMATCH = 4010
    FRAMES_MISSING_FOR_TRACK = 4011
    MORE_THAN_ALLOWED_TRACKS_FOUND = 4012


class RuleBrokenError(Exception):
    """A rule of the service is broken.

    Attributes:
        error_id: What it says to that.
    """

    def __init__(self, error_id: ErrorId, message: str) -> None:
        super().__init__(message)
        self.error_id = error_id


def invalid(message: str) -> RuleBrokenError:
    """What the service has no better word for than that the data is invalid."""
    return RuleBrokenError(ErrorId.INVALID_MKV_DATA, message)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is refused. The defaults are the service's quotas; `READING` is for what it gives back.

    Attributes:
        max_fragment_bytes: Of a cluster with its tags.
        max_fragment_ms: From a fragment's first frame to its last.
        max_header_bytes: Before the first cluster.
        max_tracks: In a header.
        max_tags: A fragment may have, the one that ends it among them.
        max_tag_name_bytes: Of a tag's name.
        max_tag_value_bytes: Of a tag's value.
        producing: It is sent to the service: one document, times that grow from fragment to fragment, no tags
            of the service but those that a producer may write.
    """

    max_fragment_bytes: int = 50_000_000
    max_fragment_ms: int = 20_000
    max_header_bytes: int = 1_000_000
    max_tracks: int = 3
    max_tags: int = 10
    max_tag_name_bytes: int = MAX_TAG_NAME_BYTES
    max_tag_value_bytes: int = MAX_TAG_VALUE_BYTES
    producing: bool = True


SERVICE = Rules()
READING = Rules(max_tags=64, max_tag_value_bytes=1_024, producing=False)
"""For documents, one behind the other, as stored or as the service gives them."""


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """A track as a header declares it.

    Attributes:
        number: By which blocks name it.
        kind: 1 video, 2 audio; others as Matroska numbers them.
        codec_id: E.g. `V_MPEG4/ISO/AVC`.
        codec_private: The decoder's configuration as it was sent; may be empty or wrong, nobody looked.
        width: Pixels; 0 for what is no video.
        height: Pixels; 0 for what is no video.
        name: Empty if it has none.
    """

    number: int
    kind: int
    codec_id: str
    codec_private: bytes
    width: int
    height: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class HeaderRead:
    """The header is complete: the first cluster begins.

    Attributes:
        tracks: What is declared, in its order.
        timestamp_scale_ns: Nanoseconds of one unit of time.
        duration_ms: What the header says that the document lasts; None if it does not say.
        tags: Those before the first cluster.
    """

    tracks: tuple[TrackEntry, ...]
    timestamp_scale_ns: int
    duration_ms: float | None
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FragmentBegun:
    """A cluster's time is read.

    Attributes:
        timecode_ms: As sent: since the epoch, or since the session's begin if times are relative.
    """

    timecode_ms: int


@dataclass(frozen=True, slots=True)
class BlockRead:
    """One frame.

    Attributes:
        track: Number of its track.
        timecode_ms: When it is shown, like the fragment's.
        key: Whether it is flagged as a key frame.
        data: The frame.
    """

    track: int
    timecode_ms: int
    key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class TagsRead:
    """Tags of the fragment before them.

    Attributes:
        tags: (name, value) pairs of one Tags element.
    """

    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FragmentBytes:
    """A fragment as it was sent.

    Attributes:
        header: Everything before the first cluster: EBML, the Segment's begin, Info, Tracks, tags.
        cluster: The cluster, with its size even if it was sent without.
        tags: The Tags elements behind it.
    """

    header: bytes
    cluster: bytes
    tags: bytes


@dataclass(frozen=True, slots=True)
class FragmentEnded:
    """A fragment is complete: its end was tagged, the next began, or there are no more bytes.

    Attributes:
        timecode_ms: Of its cluster.
        header: What came before it, once for the whole stream.
        blocks: Its frames, in their order.
        tags: Its tags, without the one that ends it.
        size_bytes: Of its cluster and tags as they were sent.
        closed: It was ended by the tag for that.
        sent: Its bytes; None if the checker was not asked to keep them.
    """

    timecode_ms: int
    header: HeaderRead
    blocks: tuple[BlockRead, ...]
    tags: tuple[tuple[str, str], ...]
    size_bytes: int
    closed: bool
    sent: FragmentBytes | None = None

    @property
    def begin_ms(self) -> int:
        """When its first frame is shown."""
        return min(block.timecode_ms for block in self.blocks)

    @property
    def last_ms(self) -> int:
        """When its last frame begins to be shown."""
        return max(block.timecode_ms for block in self.blocks)


RemarkKind = Literal[
    "stray_tags",
    "segment_size",
    "segment_uid",
    "codec_private",
    "annex_b",
    "unreadable_picture",
    "no_picture",
    "short",
]
"""What is taken, and is not as it should be."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is taken, and that readers of the stream will stumble over later, or that is unusual.

    Attributes:
        kind: Stable code.
        message: What it is, in words.
        timecode_ms: Of the fragment, if it is about one.
    """

    kind: RemarkKind
    message: str
    timecode_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule is broken; nothing is read any more.

    Attributes:
        error_id: What the service says to it.
        message: What is wrong, in words, and where.
        timecode_ms: Of the fragment in which it is; None if it is in none whose time is known.
        position: Where in the stream, bytes.
    """

    error_id: ErrorId
    message: str
    timecode_ms: int | None
    position: int


Event = HeaderRead | FragmentBegun | BlockRead | TagsRead | FragmentEnded | Remark | Fault
