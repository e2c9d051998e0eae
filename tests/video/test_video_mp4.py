"""MP4: pieces that any player takes in any order, a clip as one file, and every frame at its time."""

import io
import json
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest
from h264_writing import Sps
from hypothesis import given, settings
from video_pieces import BEGIN_MS, FPS, HEIGHT, WIDTH, any_fragments, coded, cut, fragments, plain_track

from appliance.errors import UnusableVideoError
from appliance.video import mp4
from appliance.video.fragment import Fragment
from appliance.video.h264 import ParameterSets, track_of


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The boxes that follow each other in `data`: kind and content."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind.decode("ascii"), data[at + 8 : at + size]
        at += size


def inner(data: bytes, *path: str) -> bytes:
    """The content of the first box along a path."""
    for kind in path:
        data = dict(reversed(list(boxes(data))))[kind]
    return data


def played(data: bytes) -> list[tuple[int, int]]:
    """What libav shows: each picture's time after the first, milliseconds, and the level of its corner."""
    with av.open(io.BytesIO(data)) as opened:
        pictures = [
            (round(each.pts * each.time_base * 1000), int(each.to_ndarray(format="gray")[0, WIDTH - 1]))
            for each in opened.decode(video=0)
        ]
    return [(at - pictures[0][0], level) for at, level in pictures]


def pieces(made: list[Fragment]) -> bytes:
    """Fragments as a player gets them, one behind the other."""
    begin = made[0].timecode_ms
    return mp4.init_segment(made[0].track) + b"".join(
        mp4.media_segment(each, origin_ms=begin, sequence=index) for index, each in enumerate(made)
    )


@pytest.mark.parametrize("b_frames", [0, 2])
def test_pieces_show_every_picture_at_its_time(b_frames: int) -> None:
    """Played one behind the other they are the clip, also where pictures are decoded out of order."""
    made = fragments(b_frames=b_frames)
    shown = played(pieces(made))

    assert [index * 1000 // FPS for index in range(4 * FPS)] == [at for at, _ in shown]
    levels = [level for _, level in shown]
    assert levels == sorted(levels, reverse=True)


def test_a_piece_is_the_same_whatever_came_before() -> None:
    """Any one plays alone behind the init segment, from its own time in the clip on."""
    made = fragments()
    begin = made[0].timecode_ms
    alone = mp4.media_segment(made[2], origin_ms=begin, sequence=2)

    assert 2000 == struct.unpack(">Q", inner(alone, "moof", "traf", "tfdt")[4:])[0]
    assert 3 == struct.unpack(">I", inner(alone, "moof", "mfhd")[4:])[0]
    assert FPS == len(played(mp4.init_segment(made[0].track) + alone))


@settings(max_examples=50)
@given(any_fragments(most=1))
def test_times_and_frames_of_a_piece(made: list[Fragment]) -> None:
    """Decode times, durations, offsets, sizes and flags of any fragment add up to its frames again."""
    piece = made[0]
    data = mp4.media_segment(piece, origin_ms=0, sequence=0)
    run = inner(data, "moof", "traf", "trun")
    count, offset = struct.unpack_from(">Ii", run, 4)
    rows = [struct.unpack_from(">IIIi", run, 12 + 16 * index) for index in range(count)]
    decoded = [piece.timecode_ms]
    for duration, *_ in rows:
        decoded.append(decoded[-1] + duration)

    assert piece.timecode_ms == struct.unpack(">Q", inner(data, "moof", "traf", "tfdt")[4:])[0]
    assert [frame.timecode_ms for frame in piece.frames] == [
        at + row[3] for at, row in zip(decoded, rows, strict=False)
    ]
    assert piece.end_ms == decoded[-1]
    assert [frame.key for frame in piece.frames] == [row[2] == 0x02000000 for row in rows]
    start = data.index(b"moof") - 4 + offset
    for frame, (_, size, *_) in zip(piece.frames, rows, strict=True):
        assert frame.data == data[start : start + size]
        start += size
    assert len(data) == start


def test_the_last_frame_is_shown_until_the_next_piece_begins() -> None:
    """So that no gap of a few milliseconds stops a player."""
    piece = fragments()[0]
    data = mp4.media_segment(piece, origin_ms=BEGIN_MS, sequence=0, end_ms=piece.end_ms + 7)
    last = struct.unpack(">IIIi", inner(data, "moof", "traf", "trun")[-16:])

    assert 1000 // FPS + 7 == last[0]


def test_a_piece_from_before_its_clip_is_refused() -> None:
    """Time in a clip counts from its begin."""
    with pytest.raises(ValueError, match="before its clip"):
        mp4.media_segment(fragments()[0], origin_ms=BEGIN_MS + 1, sequence=0)


def test_the_init_segment_says_what_is_shown() -> None:
    """Size and configuration; and no sample, which all come in pieces."""
    init = mp4.init_segment(plain_track())
    tables = inner(init, "moov", "trak", "mdia", "minf", "stbl")
    entry = inner(tables, "stsd")[8 + 8 :]

    assert ["ftyp", "moov"] == [kind for kind, _ in boxes(init)]
    assert (WIDTH, HEIGHT) == struct.unpack_from(">HH", entry, 24)
    assert plain_track().codec_private == inner(entry[78:], "avcC")
    assert bytes(8) == inner(tables, "stts")
    assert "mvex" in dict(boxes(inner(init, "moov")))


def test_pixels_that_are_no_squares_are_told() -> None:
    """A camera of 704 by 576 whose picture is meant to be wide is not shown narrow."""
    wide = Sps(704, 576, aspect=4)
    track = track_of(ParameterSets((wide.unit(),), (b"\x68\xee\x3c\xb0",)))
    init = mp4.init_segment(track)
    entry = inner(inner(init, "moov", "trak", "mdia", "minf", "stbl"), "stsd")[8 + 8 :]

    assert (16, 11) == struct.unpack(">II", inner(entry[78:], "pasp"))
    assert (1024, 576) == tuple(
        each >> 16 for each in struct.unpack(">II", inner(init, "moov", "trak", "tkhd")[-8:])
    )


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_whole_clip_shows_every_picture_at_its_time(b_frames: int) -> None:
    """As one file, which says when it was recorded and how long it is."""
    data = mp4.whole_clip(fragments(b_frames=b_frames))
    with av.open(io.BytesIO(data)) as opened:
        recorded = opened.metadata["creation_time"]
        duration = opened.duration

    assert [index * 1000 // FPS for index in range(4 * FPS)] == [at for at, _ in played(data)]
    assert "2026-02-25T06:13:20.000000Z" == recorded
    assert 4_000_000 == duration


def test_a_clip_can_be_sought_in() -> None:
    """Its index comes before the pictures, with each IDR and where it stands in the file."""
    data = mp4.whole_clip(fragments())
    with av.open(io.BytesIO(data)) as opened:
        opened.seek(2_500_000, backward=True)
        packet = next(opened.demux(video=0))

    assert ["ftyp", "moov", "mdat"] == [kind for kind, _ in boxes(data)]
    assert (True, 2000) == (packet.is_keyframe, packet.pts * packet.time_base * 1000)


def test_a_hole_in_a_clip_stays_as_long_as_it_was() -> None:
    """The picture before it stands still: what comes after keeps its distance from the begin."""
    first, _, *rest = fragments()
    shown = [at for at, _ in played(mp4.whole_clip([first, *rest]))]

    assert [*range(0, 1000, 100), *range(2000, 4000, 100)] == shown
    assert 1100 == max(after - before for before, after in pairwise(shown))


def test_a_clip_is_read_twice_and_never_held() -> None:
    """Once for its index, once for its pictures: of a long clip, one fragment and the next are in memory."""
    made = fragments()
    reads: list[int] = []

    def read() -> Iterator[Fragment]:
        for index, each in enumerate(made):
            reads.append(index)
            yield each

    given_out = list(mp4.clip_pieces(read))

    assert [*range(4), *range(4)] == reads
    assert mp4.whole_clip(made) == b"".join(given_out)
    assert [each.size_bytes for each in made] == [len(each) for each in given_out[-4:]]


def broken(fault: str) -> list[Fragment]:
    """Fragments that are no clip."""
    made = fragments()
    if fault == "size_changed":
        return [made[0], *cut(*coded(size=(64, 48)))[1:]]
    return [] if fault == "empty" else [made[1], made[0]]


@pytest.mark.parametrize("fault", ["empty", "size_changed", "damaged"])
def test_what_is_no_clip_is_refused(fault: str) -> None:
    """No fragment, another size within, or times that go back."""
    with pytest.raises(UnusableVideoError) as raised:
        mp4.whole_clip(broken(fault))

    assert fault == raised.value.fault


@pytest.mark.debian(reason="ffmpeg")
@pytest.mark.parametrize("form", ["whole", "pieces"])
def test_ffprobe_reads_both_forms(form: str, tmp_path: Path) -> None:
    """The program, of another build: all frames, the length, and nothing to complain about."""
    made = [replace(each, tags=()) for each in fragments()]
    path = tmp_path / "clip.mp4"
    path.write_bytes(mp4.whole_clip(made) if form == "whole" else pieces(made))
    asked = [
        "ffprobe",
        "-v",
        "warning",
        "-count_frames",
        "-of",
        "json",
        "-show_format",
        "-show_streams",
        path,
    ]
    said = subprocess.run(asked, capture_output=True, check=True)
    told = json.loads(said.stdout)

    assert b"" == said.stderr
    assert ("avc1", str(4 * FPS)) == (
        told["streams"][0]["codec_tag_string"],
        told["streams"][0]["nb_read_frames"],
    )
    assert 4.0 == float(told["format"]["duration"])
