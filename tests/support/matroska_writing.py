"""Writes Matroska of every kind, right and wrong: each part of a stream with the one thing changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from video_pieces import BEGIN_MS, UID, plain_track

from appliance.video import ebml
from appliance.video import matroska_elements as mkv
from appliance.video.h264 import join_lengths
from appliance.video.matroska import END_OF_FRAGMENT

IDR = join_lengths([b"\x65\x88"])
OTHER = join_lengths([b"\x41\x9a"])
END = ((END_OF_FRAGMENT, ""),)


@dataclass(frozen=True, slots=True)
class Track:
    """A TrackEntry to write."""

    number: int = 1
    kind: int = mkv.VIDEO_TRACK
    codec: str = mkv.H264_CODEC
    codec_private: bytes = field(default_factory=lambda: plain_track().codec_private)
    size: tuple[int | None, int | None] | None = (96, 64)

    def written(self) -> bytes:
        """As an element."""
        video = b""
        if self.size is not None:
            video = ebml.master(
                mkv.VIDEO,
                *(
                    ebml.unsigned(side, pixels)
                    for side, pixels in zip((mkv.PIXEL_WIDTH, mkv.PIXEL_HEIGHT), self.size, strict=True)
                    if pixels is not None
                ),
            )
        return ebml.master(
            mkv.TRACK_ENTRY,
            ebml.unsigned(mkv.TRACK_NUMBER, self.number),
            ebml.unsigned(mkv.TRACK_UID, self.number),
            ebml.unsigned(mkv.TRACK_TYPE, self.kind),
            ebml.text(mkv.CODEC_ID, self.codec),
            ebml.element(mkv.CODEC_PRIVATE, self.codec_private),
            video,
        )


SOUND = Track(2, mkv.AUDIO_TRACK, "A_AAC", b"\x12\x10", None)


def ebml_header(doc_type: str = "matroska", *, read_version: int = 2, ebml_version: int = 1) -> bytes:
    """What a document begins with."""
    return ebml.master(
        mkv.EBML,
        ebml.unsigned(mkv.EBML_READ_VERSION, ebml_version),
        ebml.text(mkv.DOC_TYPE, doc_type),
        ebml.unsigned(mkv.DOC_TYPE_VERSION, read_version),
        ebml.unsigned(mkv.DOC_TYPE_READ_VERSION, read_version),
    )


def info(*, scale_ns: int = 1_000_000, uid: bytes | None = UID) -> bytes:
    """Info."""
    return ebml.master(
        mkv.INFO,
        b"" if uid is None else ebml.element(mkv.SEGMENT_UID, uid),
        ebml.unsigned(mkv.TIMESTAMP_SCALE, scale_ns),
    )


def tracks(*entries: Track) -> bytes:
    """Tracks; a camera's alone if none is given."""
    return ebml.master(mkv.TRACKS, *(entry.written() for entry in entries or (Track(),)))


SEGMENT = ebml.encode_id(mkv.SEGMENT) + ebml.UNKNOWN_SIZE


def header(*entries: Track) -> bytes:
    """Everything before the first cluster."""
    return ebml_header() + SEGMENT + info() + tracks(*entries)


def block(offset_ms: int = 0, data: bytes = IDR, *, track: int = 1, flags: int = 0x80) -> bytes:
    """A SimpleBlock."""
    head = bytes((0x80 | track,)) + offset_ms.to_bytes(2, "big", signed=True) + bytes((flags,))
    return ebml.element(mkv.SIMPLE_BLOCK, head + data)


def timestamp(at_ms: int) -> bytes:
    """A cluster's time, in 8 bytes."""
    return ebml.unsigned(mkv.TIMESTAMP, at_ms, 8)


def blocks(offsets_ms: Sequence[int] = (0, 500, 999)) -> bytes:
    """A camera's frames, the first one a key frame."""
    return b"".join(
        block(offset) if index == 0 else block(offset, OTHER, flags=0)
        for index, offset in enumerate(offsets_ms)
    )


def cluster(at_ms: int = BEGIN_MS, *children: bytes, known: bool = True) -> bytes:
    """A cluster with its time, of a second's frames if none are given."""
    content = timestamp(at_ms) + b"".join(children or (blocks(),))
    if known:
        return ebml.element(mkv.CLUSTER, content)
    return ebml.encode_id(mkv.CLUSTER) + b"\x01" + b"\xff" * 7 + content
