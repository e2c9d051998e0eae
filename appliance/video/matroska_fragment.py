"""A fragment of a Matroska stream while it is read: its time, frames and tags, each judged as it comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.errors import UnusableVideoError
from appliance.video import matroska_elements as mkv
from appliance.video.fragment import RESERVED_TAG_PREFIX
from appliance.video.h264 import UnitType, has_picture, layout_of, split_annex_b, unit_type, unit_types
from appliance.video.matroska import END_OF_FRAGMENT
from appliance.video.matroska_events import (
    NS_PER_MS,
    BlockRead,
    ErrorId,
    Remark,
    RemarkKind,
    RuleBrokenError,
    Rules,
    TrackEntry,
    invalid,
)

PRODUCER_TAGS = frozenset(
    {
        END_OF_FRAGMENT,
        "AWS_KINESISVIDEO_IMAGE_GENERATION",
        "AWS_KINESISVIDEO_IMAGE_PREFIX",
        "AWS_KINESISVIDEO_NOTIFICATION",
    }
)
"""The reserved names that a producer may write."""

_MAX_NS = (1 << 63) - 1
_MIN_BLOCK_BYTES = 3  # time and flags, behind the track's number
_LENGTH_BYTES = 4


@dataclass(slots=True)
class FragmentParts:
    """What is known of it so far.

    Attributes:
        rules: What is refused.
        tracks: By number.
        scale_ns: Nanoseconds of one unit of time.
        position: Where its cluster begins in the stream, bytes.
        after: The latest time in the fragment before, in units; None if there is none.
        ticks: When it begins, in units; None until that is read.
        blocks: Its frames.
        tags: Its tags, without the one that ends it.
    """

    rules: Rules
    tracks: Mapping[int, TrackEntry]
    scale_ns: int
    position: int
    after: int | None
    ticks: int | None = None
    blocks: list[BlockRead] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)
    _earliest: int = _MAX_NS
    _latest: int = -_MAX_NS
    _tag_count: int = 0
    _video_seen: bool = False
    _remarked: set[str] = field(default_factory=set)

    @property
    def timecode_ms(self) -> int | None:
        """When it begins; None until that is read."""
        return None if self.ticks is None else self._ms(self.ticks)

    @property
    def latest(self) -> int:
        """When its last frame is shown, in units."""
        return self._latest

    @property
    def lasts_ms(self) -> int:
        """How long it lasts if its last frame lasts as long as the others on average."""
        between = self._latest - self._earliest
        gaps = max(1, len(self.blocks) // len(self.tracks) - 1)
        return round((between + between / gaps) * self.scale_ns / NS_PER_MS)

    def begin(self, ticks: int) -> int:
        """Its cluster's Timestamp is read; returns it in milliseconds.

        Raises:
            RuleBrokenError: There was one, or it cannot be.
        """
        if self.ticks is not None:
            raise invalid("a cluster has a second Timestamp")
        if ticks * self.scale_ns > _MAX_NS:
            raise RuleBrokenError(ErrorId.INVALID_PRODUCER_TIMESTAMP, "a cluster's time cannot be")
        self.ticks = ticks
        return self._ms(ticks)

    def block(self, value: bytes) -> tuple[BlockRead, Remark | None]:
        """A SimpleBlock is read.

        Raises:
            RuleBrokenError: It cannot be read, or stand here.
        """
        if self.ticks is None:
            raise invalid("a frame comes before its cluster's Timestamp")
        number, head = _track_number(value)
        if len(value) < head + _MIN_BLOCK_BYTES or value[head + 2] & mkv.LACING_FLAGS:
            raise invalid("a SimpleBlock is cut short, or its frames are laced")
        if number not in self.tracks:
            raise RuleBrokenError(ErrorId.TRACK_NUMBER_MISMATCH, "a frame belongs to no track")
        ticks = self.ticks + int.from_bytes(value[head : head + 2], "big", signed=True)
        self._check_time(ticks)
        key = bool(value[head + 2] & mkv.KEY_FLAG)
        block = BlockRead(number, self._ms(ticks), key, value[head + _MIN_BLOCK_BYTES :])
        remark = None
        if self.tracks[number].kind == mkv.VIDEO_TRACK:
            remark = self._picture(self.tracks[number], block)
            self._video_seen = True
        self.blocks.append(block)
        return block, remark

    def take_tags(self, pairs: list[tuple[str, str]]) -> bool:
        """Tags behind its cluster are read; returns whether they end it.

        Raises:
            RuleBrokenError: They are too many.
        """
        self._tag_count += len(pairs)
        if self._tag_count > self.rules.max_tags:
            raise RuleBrokenError(ErrorId.FRAGMENT_METADATA_LIMIT_REACHED, "a fragment has too many tags")
        self.tags += [pair for pair in pairs if pair[0] != END_OF_FRAGMENT]
        return any(name == END_OF_FRAGMENT for name, _ in pairs)

    def complete(self) -> int:
        """It ends here; returns when it began, milliseconds.

        Raises:
            RuleBrokenError: There is a track that it has no frame of.
        """
        if self.ticks is None or self.tracks.keys() - {block.track for block in self.blocks}:
            raise RuleBrokenError(ErrorId.FRAMES_MISSING_FOR_TRACK, "a fragment has no frame of a track")
        return self._ms(self.ticks)

    def _check_time(self, ticks: int) -> None:
        self._earliest = min(self._earliest, ticks)
        self._latest = max(self._latest, ticks)
        if not 0 <= ticks * self.scale_ns <= _MAX_NS:
            raise RuleBrokenError(ErrorId.INVALID_PRODUCER_TIMESTAMP, "a frame's time cannot be")
        if self.after is not None and ticks <= self.after:
            raise RuleBrokenError(
                ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS,
                "a frame is not later than all frames of the fragment before",
            )
        if (self._latest - self._earliest) * self.scale_ns > self.rules.max_fragment_ms * NS_PER_MS:
            raise RuleBrokenError(ErrorId.MAX_FRAGMENT_DURATION_REACHED, "a fragment lasts too long")

    def _picture(self, track: TrackEntry, block: BlockRead) -> Remark | None:
        """A fragment's first picture must need no other, and each should be one that can be read."""
        if not block.key and not self._video_seen:
            raise invalid("a fragment does not begin with a key frame")
        if track.codec_id != mkv.H264_CODEC:
            return None
        kinds = unit_types(block.data, _length_bytes(track.codec_private))
        remark = None
        if kinds is None:
            kinds = [unit_type(unit) for unit in split_annex_b(block.data)]
            remark = self._remark(
                "annex_b" if kinds else "unreadable_picture",
                "a picture is not made of units behind their lengths: nobody can play this later",
            )
        elif not has_picture(kinds):
            remark = self._remark("no_picture", "a frame holds no picture: a frame is a whole access unit")
        if kinds and not self._video_seen and UnitType.IDR not in kinds:
            raise invalid("a fragment does not begin with an IDR picture")
        return remark

    def _remark(self, kind: RemarkKind, message: str) -> Remark | None:
        """Once for each fragment."""
        if kind in self._remarked:
            return None
        self._remarked.add(kind)
        return Remark(kind, message, self.timecode_ms)

    def _ms(self, ticks: int) -> int:
        return ticks * self.scale_ns // NS_PER_MS


def check_tag(name: str, value: str, rules: Rules) -> None:
    """Hold a tag to the limits.

    Raises:
        RuleBrokenError: It has no name, one that is not the producer's, or something is too long.
    """
    reserved = name.startswith(RESERVED_TAG_PREFIX) and rules.producing and name not in PRODUCER_TAGS
    long = len(name.encode()) > rules.max_tag_name_bytes or len(value.encode()) > rules.max_tag_value_bytes
    if not name or reserved or long:
        raise RuleBrokenError(
            ErrorId.FRAGMENT_METADATA_LIMIT_REACHED, "a tag has no name, a reserved one, or is too long"
        )


def _length_bytes(codec_private: bytes) -> int:
    """Bytes of a unit's length, as the track says; 4 if it does not."""
    try:
        return layout_of(codec_private).length_bytes or _LENGTH_BYTES
    except UnusableVideoError:
        return _LENGTH_BYTES


def _track_number(value: bytes) -> tuple[int, int]:
    """The track number at a block's begin, and its bytes (one or two: there are three tracks at most)."""
    if not value or not value[0] & 0xC0:
        raise invalid("a SimpleBlock has no track number")
    if value[0] & 0x80:
        return value[0] & 0x7F, 1
    return int.from_bytes(value[:2], "big") & 0x3FFF, 2
