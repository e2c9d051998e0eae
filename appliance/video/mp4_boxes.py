"""Boxes of MP4 files as bytes (ISO/IEC 14496-12 and -15): the ones that one H.264 track needs.

Written here because a segment has to carry the right absolute decode time and pictures that are shown in
another order than decoded, whichever segment it is and whatever came before it; `mp4` says what goes in.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from appliance.errors import UnusableVideoError
from appliance.video.fragment import Track
from appliance.video.h264 import sequence_of

TIMESCALE = 1_000
"""Units of time a second: milliseconds."""

TRACK_ID = 1

_SYNC_FLAGS = 0x02000000  # depends on no other sample
_OTHER_FLAGS = 0x01010000  # depends on others, no place to begin at
_DEFAULT_BASE_IS_MOOF = 0x020000
_TRUN_FLAGS = 0x000F01  # data offset; of each sample duration, size, flags and composition offset
_DATA_OFFSET_AT = 16  # in a trun: behind its header, version, flags and sample count
_UNITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_RESOLUTION_72_DPI = 0x480000
_UNDETERMINED_LANGUAGE = 0x55C4
_ENABLED_IN_MOVIE = 3
_SELF_CONTAINED = 1
_MAC_EPOCH_S = 2_082_844_800  # seconds from 1904 to 1970
_LARGE = 1 << 32
_MOST_WIDTH = 1 << 16


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame as a track holds it, in the order of decoding; times in units of the timescale.

    Attributes:
        duration: Until the next one is decoded.
        size: Bytes.
        sync: Decoding can begin here.
        offset: From when it is decoded to when it is shown; may be negative.
    """

    duration: int
    size: int
    sync: bool
    offset: int


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of that kind with its content."""
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def file_type() -> bytes:
    """What the file is, at its begin."""
    return box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6mp41avc1")


def movie(track: Track, table: bytes, *, duration: int, began_ms: int | None, fragmented: bool) -> bytes:
    """The movie box: one video track.

    Args:
        track: What it is.
        table: The boxes that say where its samples are (`sample_table` or `empty_table`).
        duration: Of all samples in it, in units of the timescale.
        began_ms: When it was recorded, milliseconds since the epoch; None does not say.
        fragmented: Samples come in fragments behind it.
    """
    created = 0 if began_ms is None else began_ms // 1000 + _MAC_EPOCH_S
    header = full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQ", created, created, TIMESCALE, duration),
        struct.pack(">IHH8x", 0x10000, 0x100, 0),
        _UNITY_MATRIX,
        bytes(24),
        struct.pack(">I", TRACK_ID + 1),
    )
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", TRACK_ID, 1, 0, 0, 0)))
    return box(b"moov", header, _track(track, table, duration, created), extends if fragmented else b"")


def _track(track: Track, table: bytes, duration: int, created: int) -> bytes:
    header = full_box(
        b"tkhd",
        1,
        _ENABLED_IN_MOVIE,
        struct.pack(">QQI4xQ8xHHHH", created, created, TRACK_ID, duration, 0, 0, 0, 0),
        _UNITY_MATRIX,
        struct.pack(">II", round(track.width * _pixel_aspect(track) * 0x10000), track.height << 16),
    )
    media = full_box(
        b"mdhd",
        1,
        0,
        struct.pack(">QQIQHH", created, created, TIMESCALE, duration, _UNDETERMINED_LANGUAGE, 0),
    )
    handler = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide"), b"Video\x00")
    reference = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, _SELF_CONTAINED))
    content = box(
        b"minf",
        full_box(b"vmhd", 0, 1, bytes(8)),
        box(b"dinf", reference),
        box(b"stbl", _entry(track), table),
    )
    return box(b"trak", header, box(b"mdia", media, handler, content))


def _entry(track: Track) -> bytes:
    """The sample description: H.264 with its parameters outside of the samples."""
    visual = struct.pack(
        ">6xH16xHHII4xH32sHh",
        1,
        track.width,
        track.height,
        _RESOLUTION_72_DPI,
        _RESOLUTION_72_DPI,
        1,
        b"",
        24,
        -1,
    )
    shape = struct.pack(">II", *_pixel_aspect(track).as_integer_ratio())
    coded = box(b"avc1", visual, box(b"avcC", track.codec_private), box(b"pasp", shape))
    return full_box(b"stsd", 0, 0, struct.pack(">I", 1), coded)


def _pixel_aspect(track: Track) -> Fraction:
    """A pixel's width by its height; a square if that cannot be read or would make no picture."""
    try:
        aspect = sequence_of(track).pixel_aspect
    except UnusableVideoError:
        return Fraction(1)
    return aspect if track.width * aspect < _MOST_WIDTH else Fraction(1)


def empty_table() -> bytes:
    """The table of a movie whose samples come in fragments."""
    none = struct.pack(">I", 0)
    return b"".join(
        (
            full_box(b"stts", 0, 0, none),
            full_box(b"stsc", 0, 0, none),
            full_box(b"stsz", 0, 0, none, none),
            full_box(b"stco", 0, 0, none),
        )
    )


def sample_table(samples: Sequence[Sample], chunks: Sequence[tuple[int, int]]) -> bytes:
    """The table of a movie whose samples stand in the same file.

    Args:
        samples: All of them.
        chunks: For each run of samples that stand together: where it begins in the file, and how many it has.
    """
    times = _runs(sample.duration for sample in samples)
    offsets = _runs(sample.offset for sample in samples)
    syncs = [index for index, sample in enumerate(samples, 1) if sample.sync]
    per_chunk = [
        (index, count)
        for index, (_, count) in enumerate(chunks, 1)
        if index == 1 or chunks[index - 2][1] != count
    ]
    return b"".join(
        (
            full_box(b"stts", 0, 0, _rows(">II", [(count, value) for value, count in times])),
            full_box(b"ctts", 1, 0, _rows(">Ii", [(count, value) for value, count in offsets])),
            full_box(b"stss", 0, 0, _rows(">I", [(each,) for each in syncs])),
            full_box(b"stsc", 0, 0, _rows(">III", [(first, count, 1) for first, count in per_chunk])),
            full_box(b"stsz", 0, 0, struct.pack(">I", 0), _rows(">I", [(each.size,) for each in samples])),
            full_box(b"co64", 0, 0, _rows(">Q", [(position,) for position, _ in chunks])),
        )
    )


def _rows(form: str, rows: Sequence[tuple[int, ...]]) -> bytes:
    return struct.pack(">I", len(rows)) + b"".join(struct.pack(form, *row) for row in rows)


def _runs(values: Iterable[int]) -> list[tuple[int, int]]:
    """Equal neighbours together: (value, how many)."""
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1] + 1)
        else:
            runs.append((value, 1))
    return runs


def movie_fragment(samples: Sequence[Sample], *, sequence: int, decode_time: int) -> bytes:
    """The box before a fragment's media data.

    Args:
        samples: In their order in the media data, which follows directly.
        sequence: Number of the fragment, >= 1, growing.
        decode_time: When its first sample is decoded, units of the timescale.
    """
    rows = b"".join(
        struct.pack(
            ">IIIi",
            sample.duration,
            sample.size,
            _SYNC_FLAGS if sample.sync else _OTHER_FLAGS,
            sample.offset,
        )
        for sample in samples
    )
    number = full_box(b"mfhd", 0, 0, struct.pack(">I", sequence))
    header = full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack(">I", TRACK_ID))
    time = full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time))

    def run(offset: int) -> bytes:
        return full_box(b"trun", 1, _TRUN_FLAGS, struct.pack(">Ii", len(samples), offset), rows)

    size = len(box(b"moof", number, box(b"traf", header, time, run(0))))
    # The first sample stands behind this box and the eight bytes that begin the media data.
    return box(b"moof", number, box(b"traf", header, time, run(size + len(media_data_head(0)))))


def media_data_head(size: int) -> bytes:
    """What stands before media data of that many bytes."""
    total = size + 8
    if total < _LARGE:
        return struct.pack(">I4s", total, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", size + 16)
