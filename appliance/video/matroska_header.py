"""What stands before a Matroska stream's first cluster: collected as it is read, judged when complete."""

from dataclasses import dataclass, field

from appliance.errors import UnusableVideoError
from appliance.video import matroska_elements as mkv
from appliance.video.ebml import Leaf, decode_float, decode_text, decode_unsigned
from appliance.video.h264 import LENGTH_BYTES, read_avcc
from appliance.video.matroska_events import (
    NS_PER_MS,
    ErrorId,
    HeaderRead,
    Remark,
    RuleBrokenError,
    Rules,
    TrackEntry,
    invalid,
)

_MIN_SCALE_NS, _MAX_SCALE_NS = 100, 1_000_000_000
_SEGMENT_UID_BYTES = 16
_READ_VERSION = 1
_DOC_READ_VERSION = 4
_LONGEST_ID, _LONGEST_SIZE = 4, 8
_VIDEO_NUMBER = 1
_MAX_DURATION = 1e15


@dataclass(slots=True)
class _Entry:
    """A TrackEntry while it is read."""

    number: int = 0
    kind: int = 0
    codec_id: str = ""
    codec_private: bytes = b""
    width: int = 0
    height: int = 0
    name: str = ""


@dataclass(slots=True)
class HeaderParts:
    """A header while it is read: give it what opens and what has a value, then `complete` it."""

    rules: Rules
    doc_type: str = ""
    info_seen: bool = False
    tracks_seen: bool = False
    segment_uid: bytes = b""
    scale_ns: int = NS_PER_MS
    duration: float | None = None
    entries: list[_Entry] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)

    def opened(self, identifier: int) -> None:
        """A master begins.

        Raises:
            RuleBrokenError: It was there already, or is one track too many.
        """
        if identifier == mkv.INFO:
            if self.info_seen:
                raise invalid("there is a second Info")
            self.info_seen = True
        elif identifier == mkv.TRACKS:
            if self.tracks_seen:
                raise invalid("there is a second Tracks")
            self.tracks_seen = True
        elif identifier == mkv.TRACK_ENTRY:
            if len(self.entries) == self.rules.max_tracks:
                raise RuleBrokenError(
                    ErrorId.MORE_THAN_ALLOWED_TRACKS_FOUND, f"more than {self.rules.max_tracks} tracks"
                )
            self.entries.append(_Entry())

    def leaf(self, part: Leaf) -> None:
        """A value is read.

        Raises:
            RuleBrokenError: It is not one that the service takes.
            ValueError: It cannot be decoded.
        """
        if part.id in _TRACK_NUMBERS:
            setattr(self.entries[-1], _TRACK_NUMBERS[part.id], decode_unsigned(part.value))
        elif part.id in _TRACK_TEXTS:
            setattr(self.entries[-1], _TRACK_TEXTS[part.id], decode_text(part.value))
        elif part.id == mkv.CODEC_PRIVATE:
            self.entries[-1].codec_private = part.value
        elif part.id == mkv.TIMESTAMP_SCALE:
            self.scale_ns = decode_unsigned(part.value)
            if not _MIN_SCALE_NS <= self.scale_ns <= _MAX_SCALE_NS:
                raise invalid("TimestampScale is not between 100 ns and 1 s")
        elif part.id == mkv.SEGMENT_UID:
            self.segment_uid = part.value
            if len(part.value) != _SEGMENT_UID_BYTES:
                raise invalid("SegmentUUID has not 16 bytes")
        elif part.id == mkv.DURATION:
            self.duration = decode_float(part.value)
            if not 0 <= self.duration < _MAX_DURATION:
                raise invalid("the Duration cannot be")
        else:
            self._document(part)

    def _document(self, part: Leaf) -> None:
        """What the EBML header says."""
        if part.id == mkv.DOC_TYPE:
            self.doc_type = decode_text(part.value)
        elif part.id in _HIGHEST and decode_unsigned(part.value) > _HIGHEST[part.id]:
            raise invalid("the document asks for a newer reader")

    def end_of_ebml(self) -> None:
        """The EBML header is complete.

        Raises:
            RuleBrokenError: The document is of another type.
        """
        if self.doc_type != "matroska":
            raise invalid("the DocType is not matroska")

    def complete(self) -> tuple[HeaderRead, list[Remark]]:
        """The header as a whole: the first cluster begins.

        Raises:
            RuleBrokenError: Something is missing or contradicts itself.
        """
        if not self.info_seen or not self.entries:
            raise invalid("Info or Tracks are missing before the first cluster")
        for entry in self.entries:
            _check(entry)
        numbers = [entry.number for entry in self.entries]
        if 0 in numbers or len(set(numbers)) != len(numbers):
            raise invalid("tracks have no number, or the same one")
        remarks = [] if self.segment_uid else [Remark("segment_uid", "the header has no SegmentUUID")]
        remarks += [
            Remark(
                "codec_private",
                "CodecPrivate is no avcC with SPS, PPS and 4-byte lengths: nobody can play this later",
            )
            for entry in self.entries
            if entry.codec_id == mkv.H264_CODEC and not _is_avcc(entry.codec_private)
        ]
        tracks = tuple(
            TrackEntry(
                entry.number,
                entry.kind,
                entry.codec_id,
                entry.codec_private,
                entry.width,
                entry.height,
                entry.name,
            )
            for entry in self.entries
        )
        duration = None if self.duration is None else self.duration * self.scale_ns / NS_PER_MS
        return HeaderRead(tracks, self.scale_ns, duration, tuple(self.tags)), remarks


_TRACK_NUMBERS = {
    mkv.TRACK_NUMBER: "number",
    mkv.TRACK_TYPE: "kind",
    mkv.PIXEL_WIDTH: "width",
    mkv.PIXEL_HEIGHT: "height",
}
_TRACK_TEXTS = {mkv.CODEC_ID: "codec_id", mkv.TRACK_NAME: "name"}
_HIGHEST = {
    mkv.EBML_READ_VERSION: _READ_VERSION,
    mkv.DOC_TYPE_READ_VERSION: _DOC_READ_VERSION,
    mkv.EBML_MAX_ID_LENGTH: _LONGEST_ID,
    mkv.EBML_MAX_SIZE_LENGTH: _LONGEST_SIZE,
}


def _check(entry: _Entry) -> None:
    if entry.codec_id not in mkv.CODECS:
        raise invalid("a track's codec is not one that the service takes")
    if entry.kind == mkv.VIDEO_TRACK:
        if not entry.width or not entry.height:
            raise invalid("a video track has no size")
        if entry.number != _VIDEO_NUMBER:
            raise RuleBrokenError(ErrorId.TRACK_NUMBER_MISMATCH, "the video track is not number 1")


def _is_avcc(record: bytes) -> bool:
    try:
        layout = read_avcc(record)
    except UnusableVideoError:
        return False
    return layout.length_bytes == LENGTH_BYTES and layout.parameters.complete
