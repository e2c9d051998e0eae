"""Writes fragments as Matroska, the way Kinesis Video Streams takes them and every player reads them.

A stream is a header and then fragments, without an end; a document is a header and one fragment, complete in
itself. Each fragment is one cluster with absolute times (milliseconds since the epoch), frames as
SimpleBlocks without lacing, and its tags behind it, a Tags element each as the official producer writes them.
The tag that ends a fragment comes last: nothing may follow it but the next cluster. libavformat's writer puts
tags nowhere but into the header. Reading is `matroska_reader`'s and `strict_matroska`'s subject.
"""

from collections.abc import Iterable

from appliance.video import matroska_elements as mkv
from appliance.video.ebml import element, encode_id, encode_size, float64, master, text, unsigned
from appliance.video.fragment import Fragment, Frame, Track

TIMESTAMP_SCALE_NS = 1_000_000
"""A millisecond."""

TRACK_NUMBER = 1
SEGMENT_UID_BYTES = 16

END_OF_FRAGMENT = "AWS_KINESISVIDEO_END_OF_FRAGMENT"
"""The tag that ends a fragment at once, so that it is acknowledged without waiting for the next one."""

APP_NAME = "Office door appliance"
"""Stands as MuxingApp and WritingApp."""

_SEGMENT_OF_UNKNOWN_SIZE = encode_id(mkv.SEGMENT) + b"\xff"
_TRACK_AND_LACING_BYTES = 4
_BLOCK_TRACK = bytes((0x80 | TRACK_NUMBER,))
_KEY, _NOT_KEY = bytes((mkv.KEY_FLAG,)), b"\x00"
_TIMESTAMP_BYTES = 8
_SIMPLE_BLOCK_ID = encode_id(mkv.SIMPLE_BLOCK)
_END_TAG = ((END_OF_FRAGMENT, ""),)


def stream_header(track: Track, *, segment_uid: bytes) -> bytes:
    """What stands before the first fragment of a stream: EBML, a Segment of unknown size, Info and Tracks.

    Args:
        track: What the frames to come belong to.
        segment_uid: 16 random bytes, not all zero.

    Raises:
        ValueError: The identifier has another length.
    """
    return _EBML_HEADER + _SEGMENT_OF_UNKNOWN_SIZE + _info(segment_uid, None) + _tracks(track)


def stream_fragment(fragment: Fragment, *, close: bool = True) -> bytes:
    """A fragment as it follows a stream's header or another fragment: its cluster and its tags.

    Args:
        fragment: What to write.
        close: End it with the tag that tells the service that it is complete.
    """
    return b"".join([*_cluster(fragment), tags(fragment.tags), tags(_END_TAG) if close else b""])


def document(fragment: Fragment, *, segment_uid: bytes) -> bytes:
    """A fragment with a header of its own: a file that any player opens, and that `matroska_reader` reads.

    Args:
        fragment: What to write; that it is the last of its clip is not in the bytes.
        segment_uid: 16 random bytes, not all zero.

    Raises:
        ValueError: The identifier has another length.
    """
    parts = [
        _info(segment_uid, fragment.duration_ms),
        _tracks(fragment.track),
        *_cluster(fragment),
        tags(fragment.tags),
    ]
    size = sum(map(len, parts))
    return b"".join([_EBML_HEADER, encode_id(mkv.SEGMENT), encode_size(size), *parts])


def tags(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Names and values as Tags elements, one a pair."""
    return b"".join(
        master(
            mkv.TAGS,
            master(
                mkv.TAG,
                element(mkv.TARGETS, b""),
                master(mkv.SIMPLE_TAG, text(mkv.TAG_NAME, name), text(mkv.TAG_STRING, value)),
            ),
        )
        for name, value in pairs
    )


_EBML_HEADER = master(
    mkv.EBML,
    unsigned(mkv.EBML_VERSION, 1),
    unsigned(mkv.EBML_READ_VERSION, 1),
    unsigned(mkv.EBML_MAX_ID_LENGTH, 4),
    unsigned(mkv.EBML_MAX_SIZE_LENGTH, 8),
    text(mkv.DOC_TYPE, "matroska"),
    unsigned(mkv.DOC_TYPE_VERSION, 2),
    unsigned(mkv.DOC_TYPE_READ_VERSION, 2),
)


def _info(segment_uid: bytes, duration_ms: int | None) -> bytes:
    if len(segment_uid) != SEGMENT_UID_BYTES:
        raise ValueError("the identifier of a segment has 16 bytes")
    return master(
        mkv.INFO,
        element(mkv.SEGMENT_UID, segment_uid),
        unsigned(mkv.TIMESTAMP_SCALE, TIMESTAMP_SCALE_NS),
        b"" if duration_ms is None else float64(mkv.DURATION, float(duration_ms)),
        text(mkv.MUXING_APP, APP_NAME),
        text(mkv.WRITING_APP, APP_NAME),
    )


def _tracks(track: Track) -> bytes:
    return master(
        mkv.TRACKS,
        master(
            mkv.TRACK_ENTRY,
            unsigned(mkv.TRACK_NUMBER, TRACK_NUMBER),
            unsigned(mkv.TRACK_UID, TRACK_NUMBER),
            unsigned(mkv.TRACK_TYPE, mkv.VIDEO_TRACK),
            unsigned(mkv.FLAG_LACING, 0),
            text(mkv.CODEC_ID, mkv.H264_CODEC),
            element(mkv.CODEC_PRIVATE, track.codec_private),
            master(
                mkv.VIDEO,
                unsigned(mkv.PIXEL_WIDTH, track.width),
                unsigned(mkv.PIXEL_HEIGHT, track.height),
            ),
        ),
    )


def _cluster(fragment: Fragment) -> list[bytes]:
    """The cluster in pieces: frames are not copied before everything is joined."""
    begin = fragment.timecode_ms
    timestamp = unsigned(mkv.TIMESTAMP, begin, _TIMESTAMP_BYTES)
    pieces = [timestamp]
    for frame in fragment.frames:
        pieces += _simple_block(frame, begin)
    return [encode_id(mkv.CLUSTER), encode_size(sum(map(len, pieces))), *pieces]


def _simple_block(frame: Frame, begin_ms: int) -> tuple[bytes, bytes]:
    """A frame's head and its data."""
    head = b"".join(
        (
            _SIMPLE_BLOCK_ID,
            encode_size(_TRACK_AND_LACING_BYTES + len(frame.data)),
            _BLOCK_TRACK,
            (frame.timecode_ms - begin_ms).to_bytes(2, "big", signed=True),
            _KEY if frame.key else _NOT_KEY,
        )
    )
    return head, frame.data
