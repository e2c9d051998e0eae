"""Boxes of MP4, byte by byte as ISO/IEC 14496-12 and -15 lay them out."""

import struct

from appliance.video import mp4, mp4_boxes
from appliance.video.fragment import Fragment, Frame
from appliance.video.h264 import ParameterSets, track_of

SPS = bytes.fromhex("6742c00ada0c1a6f80b501a1084280")
PPS = bytes.fromhex("68ce3c80")
TRACK = track_of(ParameterSets((SPS,), (PPS,)))
BEGIN_MS = 1_772_000_000_000
TWO = Fragment(
    BEGIN_MS,
    (
        Frame(BEGIN_MS, 40, key=True, data=bytes.fromhex("000000026588")),
        Frame(BEGIN_MS + 40, 40, key=False, data=bytes.fromhex("00000002419a")),
    ),
    TRACK,
)

MATRIX = "00010000 00000000 00000000 00000000 00010000 00000000 00000000 00000000 40000000"
FTYP = "0000001c 66747970 69736f36 00000001 69736f36 6d703431 61766331"
MVHD = (
    "00000078 6d766864 01000000 0000000000000000 0000000000000000 000003e8 0000000000000000"
    f"00010000 0100 0000 0000000000000000 {MATRIX} {'00' * 24} 00000002"
)
TKHD = (
    "00000068 746b6864 01000003 0000000000000000 0000000000000000 00000001 00000000 0000000000000000"
    f"0000000000000000 0000 0000 0000 0000 {MATRIX} 00bc0000 01a00000"
)
MDHD = "0000002c 6d646864 01000000 0000000000000000 0000000000000000 000003e8 0000000000000000 55c4 0000"
HDLR = "00000026 68646c72 00000000 00000000 76696465 000000000000000000000000 566964656f00"
VMHD = "00000014 766d6864 00000001 0000000000000000"
DINF = "00000024 64696e66 0000001c 64726566 00000000 00000001 0000000c 75726c20 00000001"
AVC1 = (
    "0000008c 61766331 000000000000 0001 00000000000000000000000000000000 00bc 01a0 00480000 00480000"
    f"00000000 0001 {'00' * 32} 0018 ffff"
    f"00000026 61766343 0142c00affe1000f {SPS.hex()} 010004 {PPS.hex()}"
    "00000010 70617370 00000001 00000001"
)
STSD = f"0000009c 73747364 00000000 00000001 {AVC1}"
EMPTY = (
    "00000010 73747473 00000000 00000000 00000010 73747363 00000000 00000000"
    "00000014 7374737a 00000000 00000000 00000000 00000010 7374636f 00000000 00000000"
)
MVEX = "00000028 6d766578 00000020 74726578 00000000 00000001 00000001 00000000 00000000 00000000"


def test_the_init_segment() -> None:
    """Golden bytes: a movie in milliseconds, one video track with its avcC, and nothing in its tables."""
    minf = f"00000128 6d696e66 {VMHD} {DINF} 000000e8 7374626c {STSD} {EMPTY}"
    trak = f"000001f2 7472616b {TKHD} 00000182 6d646961 {MDHD} {HDLR} {minf}"

    expected = bytes.fromhex(f"{FTYP} 0000029a 6d6f6f76 {MVHD} {trak} {MVEX}")
    assert expected == mp4.init_segment(TRACK)


def test_a_media_segment() -> None:
    """Golden bytes: decode time since the clip's begin; of each frame duration, size, flags and offset."""
    time = "00000014 74666474 01000000 00000000000007d0"
    run = (
        "00000034 7472756e 01000f01 00000002 00000080"
        "00000028 00000006 02000000 00000000 00000028 00000006 01010000 00000000"
    )
    traf = f"00000060 74726166 00000010 74666864 00020000 00000001 {time} {run}"
    expected = (
        "00000018 73747970 6d736468 00000000 6d736468 69736f36"
        f"00000078 6d6f6f66 00000010 6d666864 00000000 00000002 {traf}"
        "00000014 6d646174 000000026588 00000002419a"
    )
    assert bytes.fromhex(expected) == mp4.media_segment(TWO, origin_ms=BEGIN_MS - 2000, sequence=1)


def test_the_tables_of_a_whole_clip() -> None:
    """Golden bytes: runs of equal times and offsets, IDRs by number, where each fragment's frames begin."""
    samples = [
        mp4_boxes.Sample(40, 100, sync=True, offset=0),
        mp4_boxes.Sample(40, 50, sync=False, offset=80),
        mp4_boxes.Sample(20, 60, sync=False, offset=-40),
        mp4_boxes.Sample(40, 70, sync=True, offset=0),
    ]
    tables = (
        "00000028 73747473 00000000 00000003 00000002 00000028 00000001 00000014 00000001 00000028"
        "00000030 63747473 01000000 00000004"
        "00000001 00000000 00000001 00000050 00000001 ffffffd8 00000001 00000000"
        "00000018 73747373 00000000 00000002 00000001 00000004"
        "00000028 73747363 00000000 00000002 00000001 00000003 00000001 00000002 00000001 00000001"
        "00000024 7374737a 00000000 00000000 00000004 00000064 00000032 0000003c 00000046"
        "00000020 636f3634 00000000 00000002 00000000000003e8 0000000100000000"
    )
    assert bytes.fromhex(tables) == mp4_boxes.sample_table(samples, [(1000, 3), (1 << 32, 1)])


def test_fragments_of_as_many_frames_share_a_row() -> None:
    """Where neighbours have as many, their count is said once (8.7.4)."""
    samples = [mp4_boxes.Sample(40, 1, sync=True, offset=0)] * 5
    table = mp4_boxes.sample_table(samples, [(0, 2), (2, 2), (4, 1)])
    rows = struct.unpack_from(">I6I", table, table.index(b"stsc") + 8)

    assert (2, 1, 2, 1, 3, 1, 1) == rows


def test_a_clip_says_when_it_was_recorded_and_how_long_it_is() -> None:
    """In seconds since 1904, and in milliseconds, wherever a player may look."""
    movie = mp4_boxes.movie(TRACK, b"", duration=4000, began_ms=BEGIN_MS, fragmented=False)
    created = struct.pack(">QQ", 3_854_844_800, 3_854_844_800)

    assert 3 == movie.count(created)
    for kind, behind in ((b"mvhd", 28), (b"tkhd", 32), (b"mdhd", 28)):
        assert 4000 == struct.unpack_from(">Q", movie, movie.index(kind) + behind)[0]
    assert b"mvex" not in movie


def test_media_data_of_more_than_four_gigabytes() -> None:
    """Its size is then said in 64 bits."""
    assert (1, b"mdat", (1 << 33) + 16) == struct.unpack(">I4sQ", mp4_boxes.media_data_head(1 << 33))
    assert ((1 << 32) - 1, b"mdat") == struct.unpack(">I4s", mp4_boxes.media_data_head((1 << 32) - 9))
    assert 16 == len(mp4_boxes.media_data_head((1 << 32) - 8))
