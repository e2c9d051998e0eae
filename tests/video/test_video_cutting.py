"""Packets cut into fragments: nothing lost, nothing twice, times that only grow, whatever the camera says."""

import contextlib
from dataclasses import replace
from itertools import pairwise

import pytest
from coded_video import (
    FPS,
    MONOTONIC_S,
    TIME_BASE,
    WALL_MS,
    Coded,
    arriving,
    came_at,
    coded,
    decoded_numbers,
    made,
    retimed,
    stream_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import UnusableVideoError
from appliance.video.cutting import Cutter
from appliance.video.faults import Fault
from appliance.video.fragment import MAX_FRAGMENT_MS, MIN_FRAGMENT_MS, Fragment
from appliance.video.h264 import access_unit, layout_of, make_avcc
from appliance.video.packets import Packet
from appliance.video.timeline import Timeline

SECOND = int(1 / TIME_BASE)


def lasts(fragments: list[Fragment]) -> list[tuple[int, int]]:
    """Begin, from the first packet's arrival on, and duration of each, milliseconds."""
    return [(each.timecode_ms - WALL_MS, each.duration_ms) for each in fragments]


def filed(frames: int) -> tuple[bytes, list[Coded]]:
    """Pictures as a file has them: an avcC record, and units behind lengths."""
    extradata, pictures = coded(frames, headers=False)
    cut = [replace(each, data=access_unit(each.data, layout_of(b"")).data) for each in pictures]
    return make_avcc(layout_of(extradata).parameters), cut


def test_a_fragment_for_each_group_of_pictures() -> None:
    """Copied bit by bit, at the wall clock's time of the first packet and the camera's steps from there."""
    extradata, pictures = coded(60)
    fragments, faults = made(Cutter(Timeline()), arriving(pictures, stream_of(extradata)))

    assert [(0, 2000), (2000, 2000), (4000, 2000)] == lasts(fragments)
    assert [False, False, True] == [each.last for each in fragments]
    assert [n % 16 for n in range(60)] == decoded_numbers(fragments)
    assert [] == faults


def test_a_fragment_comes_out_as_soon_as_the_next_begins() -> None:
    """Not later: what is recorded is a group of pictures behind, and no more."""
    _, pictures = coded(41)
    cutter, came = Cutter(Timeline()), []
    for index, packet in enumerate(arriving(pictures, stream_of())):
        came += [index for _ in cutter.take(packet)]

    assert [20, 40] == came


def test_short_groups_are_put_together_to_a_second() -> None:
    """A keyframe every half second, or in every picture, makes no fragments that are too short."""
    halves, _ = made(Cutter(Timeline()), arriving(coded(40, group=5)[1], stream_of()))
    singles, _ = made(Cutter(Timeline()), arriving(coded(30, group=1)[1], stream_of()))

    assert [(0, 1000), (1000, 1000), (2000, 1000), (3000, 1000)] == lasts(halves)
    assert [(0, 1000), (1000, 1000), (2000, 1000)] == lasts(singles)
    assert [2, 10] == [sum(frame.key for frame in of[0].frames) for of in (halves, singles)]


def test_reordered_pictures_stay_in_their_fragment() -> None:
    """With B-frames each fragment is shown whole before the next begins."""
    fragments, faults = made(Cutter(Timeline()), arriving(coded(60, b_frames=2)[1], stream_of()))
    latest = [max(frame.timecode_ms for frame in each.frames) for each in fragments]

    assert [2000, 2000, 2000] == [each.duration_ms for each in fragments]
    assert all(end < each.timecode_ms for end, each in zip(latest, fragments[1:], strict=False))
    assert [n % 16 for n in range(60)] == decoded_numbers(fragments)
    assert [] == faults


def test_without_timestamps_pictures_are_shown_when_they_came() -> None:
    """As raw H.264 over HTTP has it."""
    fragments, _ = made(Cutter(Timeline()), arriving(coded(40)[1], stream_of(), pts=False))

    assert [(0, 2000), (2000, 2000)] == lasts(fragments)


def test_without_timestamps_reordered_pictures_cannot_be_cut() -> None:
    """When they were decoded is not when they are shown; it is said what to switch off."""
    with pytest.raises(UnusableVideoError) as told:
        made(Cutter(Timeline()), arriving(coded(60, b_frames=2)[1], stream_of(), pts=False))

    assert Fault.NO_TIMES == told.value.fault
    assert "B-frames" in told.value.hint


def test_units_behind_lengths_are_kept_as_they_are() -> None:
    """A file's packets, with an avcC record, give the same fragments as a camera's behind start codes."""
    record, avcc = filed(40)
    from_file, _ = made(Cutter(Timeline()), arriving(avcc, stream_of(record)))
    from_camera, _ = made(Cutter(Timeline()), arriving(coded(40)[1], stream_of()))

    assert from_camera == from_file


def test_a_torn_packet_costs_one_picture() -> None:
    """Units cut short are left out; what comes afterwards is recorded as ever."""
    record, avcc = filed(40)
    avcc[25] = replace(avcc[25], data=avcc[25].data[:-3])
    fragments, _ = made(Cutter(Timeline()), arriving(avcc, stream_of(record)))

    assert [20, 19] == [len(each.frames) for each in fragments]


def test_what_was_given_before_is_not_given_again() -> None:
    """The next clip begins with the first group of pictures that began after the clip before it."""
    packets = arriving(coded(80)[1], stream_of())
    first = Cutter(Timeline())
    before = [cut for packet in packets[:50] for cut in first.take(packet)]
    after, _ = made(Cutter(Timeline(), after_s=first.covered_s), packets)

    assert [(0, 2000), (2000, 2000)] == lasts([cut for cut in before if isinstance(cut, Fragment)])
    assert [(4000, 2000), (6000, 2000)] == lasts(after)


def test_a_gap_ends_the_fragment_and_the_next_begins_after_it() -> None:
    """Pictures that a slow reader missed leave a hole in time, and nothing undecodable."""
    packets = arriving(coded(80)[1], stream_of())
    cutter = Cutter(Timeline())
    cuts = [cut for packet in packets[:25] for cut in cutter.take(packet)]
    cuts += cutter.gap()
    rest, _ = made(cutter, packets[60:])
    fragments = [cut for cut in cuts if isinstance(cut, Fragment)] + rest

    assert [(0, 2000), (2000, 1000), (6000, 2000)] == lasts(fragments)


def test_a_stream_opened_anew_goes_on_in_the_same_clip() -> None:
    """A recording that is played again and again, or a camera that is back, with timestamps from 0 again."""
    pictures = coded(40)[1]
    packets = arriving(pictures, stream_of())
    packets += arriving(pictures, stream_of(), from_s=MONOTONIC_S + 4)
    fragments, faults = made(Cutter(Timeline()), packets)

    assert [(0, 2000), (2000, 2000), (4000, 2000), (6000, 2000)] == lasts(fragments)
    assert 1 == len({each.track for each in fragments})
    assert [] == faults


def test_a_stream_that_ends_within_a_second_goes_on_in_the_same_fragment() -> None:
    """A looped recording whose last group is short makes no fragment that is too short for the service."""
    packets = arriving(coded(23)[1], stream_of())
    packets += arriving(coded(23)[1], stream_of(), from_s=MONOTONIC_S + 2.3)
    fragments, faults = made(Cutter(Timeline()), packets)

    assert [(0, 2000), (2000, 2300), (4300, 1000)] == lasts(fragments)
    assert [] == faults


def test_a_recording_that_begins_again_a_little_early_is_no_fault() -> None:
    """A file that is played again and again loses some of its last picture's time each time."""
    pictures, packets = coded(30)[1], []
    for turn in range(6):
        packets += arriving(pictures, stream_of(), from_s=MONOTONIC_S + turn * 2.8)
    fragments, faults = made(Cutter(Timeline()), packets)

    assert [] == faults
    assert 180 == sum(len(each.frames) for each in fragments)
    assert all(one.end_ms <= other.timecode_ms for one, other in pairwise(fragments))


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**7), 10**7) | st.integers(-SECOND, SECOND),
            st.floats(0, 3) | st.just(0.1),
            st.integers(0, 9),
        ),
        min_size=30,
        max_size=30,
    ),
    st.sampled_from([1, 3, 10]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_times_only_grow_whatever_the_camera_says(
    wild: list[tuple[int, float, int]],
    group: int,
    reordered: bool,  # noqa: FBT001
) -> None:
    """Timestamps that jump anywhere, or are missing, and packets that come whenever: fragments stay sound."""
    pictures = coded(30, group=group, b_frames=2 if reordered and group > 3 else 0)[1]
    packets: list[Packet] = []
    pts, at_s = 0, MONOTONIC_S
    for packet, (jump, wait_s, odd) in zip(arriving(pictures, stream_of()), wild, strict=True):
        pts += jump if odd == 0 else 0
        at_s += wait_s
        assert packet.pts is not None
        packets.append(came_at(replace(packet, pts=None if odd == 1 else packet.pts + pts), at_s))
    fragments: list[Fragment] = []
    with contextlib.suppress(UnusableVideoError):  # a group that long, or times that cannot be made up
        fragments, _ = made(Cutter(Timeline()), packets)
        assert len(packets) == sum(len(each.frames) for each in fragments)
    frames = [frame for each in fragments for frame in each.frames]

    assert len({frame.timecode_ms for frame in frames}) == len(frames)
    assert all(one.end_ms <= other.timecode_ms for one, other in pairwise(fragments))
    assert all(MIN_FRAGMENT_MS <= each.duration_ms <= MAX_FRAGMENT_MS for each in fragments[:-1])


def test_a_network_that_holds_packets_up_moves_no_picture() -> None:
    """Three seconds of nothing and then all at once: the camera's timestamps are right, and are kept."""
    packets = arriving(coded(80)[1], stream_of())
    held = [
        came_at(each, max(each.monotonic_s, MONOTONIC_S + 5)) if 20 <= index < 50 else each
        for index, each in enumerate(packets)
    ]
    fragments, faults = made(Cutter(Timeline()), held)

    assert [(0, 2000), (2000, 2000), (4000, 2000), (6000, 2000)] == lasts(fragments)
    assert [] == faults


def test_timestamps_that_jump_ahead_are_not_believed() -> None:
    """An hour ahead in the middle of a clip: the pictures keep the time at which they came; it is told."""
    packets = retimed(arriving(coded(80)[1], stream_of()), 40, 3600 * SECOND)
    fragments, faults = made(Cutter(Timeline()), packets)

    assert [(0, 2000), (2000, 2000), (4000, 2000), (6000, 2000)] == lasts(fragments)
    assert [Fault.TIMES_BACK] == faults


def test_the_frame_rate_is_that_of_the_stream() -> None:
    """Each picture lasts until the next is shown."""
    fragments, _ = made(Cutter(Timeline()), arriving(coded(20)[1], stream_of()))

    assert {1000 // FPS} == {frame.duration_ms for frame in fragments[0].frames}
