"""Pictures that cannot be copied, encoded: JPEGs, other codecs, H.264 with groups that are too long."""

from dataclasses import replace

import av
import pytest
from camera_clips import numbered_picture
from coded_video import (
    MONOTONIC_S,
    SIZE,
    WALL_MS,
    arriving,
    came_at,
    coded,
    decoded_numbers,
    jpegs,
    made,
    retimed,
    stream_of,
)

from appliance.errors import UnusableVideoError
from appliance.video.encoding import GROUP_MS, MAX_SIDE, Encoder
from appliance.video.faults import Fault
from appliance.video.fragment import Fragment
from appliance.video.h264 import has_idr
from appliance.video.timeline import Timeline


def lasts(fragments: list[Fragment]) -> list[tuple[int, int]]:
    """Begin, from the first packet's arrival on, and duration of each, milliseconds."""
    return [(each.timecode_ms - WALL_MS, each.duration_ms) for each in fragments]


def test_jpegs_become_fragments_of_two_seconds() -> None:
    """Each begins with an IDR and is decodable by itself; no picture is lost, none is moved in time."""
    fragments, faults = made(Encoder(Timeline()), jpegs(50, stream_of(codec="mjpeg")))

    assert [(0, GROUP_MS), (2000, GROUP_MS), (4000, 1000)] == lasts(fragments)
    assert [n % 16 for n in range(50)] == decoded_numbers(fragments)
    assert all(has_idr(each.frames[0].data) for each in fragments)
    assert [False, False, True] == [each.last for each in fragments]
    assert [] == faults


def test_raw_pictures_are_encoded_too() -> None:
    """A webcam without MJPEG: packed YUYV, as the ring has it."""
    stream = replace(stream_of(codec="rawvideo"), extradata=b"YUY2")
    packed = [
        av.VideoFrame.from_ndarray(numbered_picture(index, *SIZE), format="bgr24").reformat(format="yuyv422")
        for index in range(20)
    ]
    raw = [
        replace(each, data=frame.to_ndarray().tobytes(), stream=stream)
        for each, frame in zip(jpegs(20, stream), packed, strict=True)
    ]
    fragments, _ = made(Encoder(Timeline()), raw)

    assert [(0, GROUP_MS)] == lasts(fragments)
    assert 20 == len(fragments[0].frames)
    assert sorted(decoded_numbers(fragments)[:16]) == decoded_numbers(fragments)[:16]


def test_raw_pictures_packed_in_an_unknown_way_are_refused() -> None:
    """Nobody could tell what they show."""
    with pytest.raises(UnusableVideoError) as told:
        made(Encoder(Timeline()), jpegs(2, stream_of(codec="rawvideo")))

    assert Fault.OTHER_CODEC == told.value.fault


def test_more_pictures_than_wanted_are_left_out_evenly() -> None:
    """A camera of 10 pictures a second, recorded with five at most."""
    fragments, _ = made(Encoder(Timeline(), max_fps=5.0), jpegs(40, stream_of(codec="mjpeg")))

    assert [10, 10] == [len(each.frames) for each in fragments]
    assert {200} == {frame.duration_ms for each in fragments for frame in each.frames}


def test_pictures_kept_small_before_the_trigger_become_as_large_as_the_others() -> None:
    """A clip has one size: what was kept at half of it in case something happens is enlarged."""
    stream = stream_of(codec="mjpeg", size=(320, 192))
    small = jpegs(20, stream, size=(160, 96))
    large = jpegs(20, stream, from_s=MONOTONIC_S + 2, size=(320, 192))
    fragments, faults = made(Encoder(Timeline()), [*small, *large])

    assert {(320, 192)} == {(each.track.width, each.track.height) for each in fragments}
    assert 40 == sum(len(each.frames) for each in fragments)
    assert [] == faults


def test_a_picture_of_another_shape_begins_another_track() -> None:
    """The recorder ends the clip there; it is told why."""
    stream = stream_of(codec="mjpeg", size=(0, 0))
    packets = [*jpegs(20, stream), *jpegs(20, stream, from_s=MONOTONIC_S + 2, size=(96, 160))]
    fragments, faults = made(Encoder(Timeline()), packets)

    assert [SIZE, (96, 160)] == [(each.track.width, each.track.height) for each in fragments]
    assert [Fault.SIZE_CHANGED] == faults


def test_very_large_pictures_are_made_smaller() -> None:
    """And odd sides even, which H.264 asks for."""
    fragments, _ = made(Encoder(Timeline()), jpegs(2, stream_of(codec="mjpeg", size=(0, 0)), size=(2401, 99)))

    assert MAX_SIDE == fragments[0].track.width
    assert 80 == fragments[0].track.height


def test_h264_with_a_long_group_is_encoded_from_its_keyframe_on() -> None:
    """Reordered pictures come out in the order in which they are shown, at the camera's own times."""
    fragments, _ = made(Encoder(Timeline()), arriving(coded(60, group=150, b_frames=2)[1], stream_of()))

    assert [n % 16 for n in range(60)] == decoded_numbers(fragments)
    assert [GROUP_MS, GROUP_MS] == [each.duration_ms for each in fragments[:2]]


def test_pictures_from_before_what_is_wanted_are_decoded_and_left_out() -> None:
    """A group begins where it begins; the clip begins where it was asked to."""
    packets = arriving(coded(60, group=150)[1], stream_of())
    fragments, _ = made(Encoder(Timeline(), after_s=MONOTONIC_S + 2.95), packets)

    assert 3000 == fragments[0].timecode_ms - WALL_MS
    assert [n % 16 for n in range(30, 60)] == decoded_numbers(fragments)


def test_damaged_pictures_are_left_out() -> None:
    """A JPEG cut short, or no JPEG at all, costs a picture and not the clip."""
    packets = jpegs(20, stream_of(codec="mjpeg"))
    packets[5] = replace(packets[5], data=b"\xff\xd8 no picture")
    packets[6] = replace(packets[6], data=b"")
    fragments, _ = made(Encoder(Timeline()), packets)

    assert 18 == len(fragments[0].frames)


def test_timestamps_that_go_back_are_told_and_taken_up_anew() -> None:
    """The pictures keep the time at which they came."""
    packets = retimed(arriving(coded(40, group=150)[1], stream_of()), 20, -90_000 * 3600)
    fragments, faults = made(Encoder(Timeline()), packets)

    assert [(0, 2000), (2000, 2000)] == lasts(fragments)
    assert [Fault.TIMES_BACK] == faults


def test_a_pause_leaves_a_hole_and_not_a_still() -> None:
    """The last picture before it is shown for a second at most."""
    packets = jpegs(20, stream_of(codec="mjpeg"))
    later = [came_at(each, each.monotonic_s + 60) for each in packets]
    fragments, _ = made(Encoder(Timeline()), [*packets, *later])

    assert [(0, 2000), (60_000, 2000)] == lasts(fragments)


def test_a_codec_that_nothing_decodes_is_refused() -> None:
    """In words, with what to choose in the camera instead."""
    with pytest.raises(UnusableVideoError) as told:
        made(Encoder(Timeline()), arriving(coded(20)[1], stream_of(codec="no_such_codec")))

    assert Fault.OTHER_CODEC == told.value.fault
    assert "H.264" in told.value.hint
