"""The traps of Kinesis Video Streams that lie in a camera's packets, a test named after each."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from coded_video import (
    MONOTONIC_S,
    WALL_MS,
    arriving,
    came_at,
    coded,
    decoded_numbers,
    in_ring,
    jpegs,
    made,
    retimed,
    stream_of,
)

from appliance.camera import PacketRing
from appliance.errors import UnusableVideoError
from appliance.video import matroska
from appliance.video.cutting import Cutter
from appliance.video.encoding import Encoder
from appliance.video.faults import Fault
from appliance.video.fragment import MIN_FRAGMENT_MS, Fragment
from appliance.video.h264 import has_idr, layout_of, read_avcc, split_lengths
from appliance.video.matroska_events import Fault as RuleBroken
from appliance.video.matroska_events import FragmentEnded, Remark
from appliance.video.packets import Packet
from appliance.video.strict_matroska import StrictChecker
from appliance.video.timeline import Timeline


def lasts(fragments: Sequence[Fragment]) -> list[tuple[int, int]]:
    """Begin, from the first packet's arrival on, and duration of each, milliseconds."""
    return [(each.timecode_ms - WALL_MS, each.duration_ms) for each in fragments]


def refused(packets: Sequence[Packet]) -> UnusableVideoError:
    """Why packets cannot be cut."""
    with pytest.raises(UnusableVideoError) as told:
        made(Cutter(Timeline()), packets)
    return told.value


def test_trap_04_codec_private_and_units_are_never_annex_b() -> None:
    """From a camera that sends start codes comes an avcC, and pictures of which every unit has its length."""
    fragments, _ = made(Cutter(Timeline()), arriving(coded(40)[1], stream_of()))
    track = fragments[0].track
    kept = [frame.data for each in fragments for frame in each.frames]

    assert 4 == read_avcc(track.codec_private).length_bytes
    assert read_avcc(track.codec_private).parameters.complete
    assert all(split_lengths(data) for data in kept)
    assert not any(data.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01")) for data in kept)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_trap_05_what_is_cut_is_taken_by_the_strict_checker(b_frames: int) -> None:
    """Written by our own writer, with a gap, a reconnect and timestamps that go back: no rule, no remark."""
    pictures = coded(60, b_frames=b_frames)[1]
    packets = retimed(arriving(pictures, stream_of()), 20, -90_000 * 100)
    packets += arriving(pictures, stream_of(), from_s=MONOTONIC_S + 8)
    fragments, _ = made(Cutter(Timeline()), packets)
    checker = StrictChecker()
    body = matroska.stream_header(fragments[0].track, segment_uid=bytes(range(16)))
    events = [*checker.feed(body + b"".join(matroska.stream_fragment(each) for each in fragments))]
    events += checker.close()

    assert [] == [event for event in events if isinstance(event, RuleBroken | Remark)]
    assert len(fragments) == sum(isinstance(event, FragmentEnded) for event in events)


@pytest.mark.parametrize(("group", "each"), [(1, 10), (3, 12), (10, 10), (20, 20)])
def test_trap_05_a_fragment_is_a_group_of_pictures_and_not_a_third_of_a_second(group: int, each: int) -> None:
    """Short groups are put together until they last a second, one after the other, each as it was filmed."""
    fragments, _ = made(Cutter(Timeline()), arriving(coded(60, group=group)[1], stream_of()))

    assert [(begin * 100, each * 100) for begin in range(0, 60, each)] == lasts(fragments)
    assert all(has_idr(made.frames[0].data) for made in fragments)
    assert {each} == {len(made.frames) for made in fragments}
    assert all(made.duration_ms >= MIN_FRAGMENT_MS for made in fragments)


def test_trap_06_a_group_longer_than_ten_seconds_is_refused_with_what_to_set() -> None:
    """It cannot be mended by copying: the error names the setting in the camera, and the smart codecs."""
    error = refused(arriving(coded(120, group=150)[1], stream_of()))

    assert Fault.LONG_GROUP == error.fault
    assert "I-frame interval" in error.hint
    assert "H.264+" in error.hint


def test_trap_06_irregular_keyframes_are_found_too() -> None:
    """Smart codecs send a keyframe now and then: one long group after short ones is a long group."""
    short = coded(40)[1]
    long = [replace(each, pts=each.pts + 360_000) for each in coded(120, group=150)[1]]
    error = refused(arriving([*short, *long], stream_of()))

    assert Fault.LONG_GROUP == error.fault


def test_trap_06_what_was_not_cut_is_encoded_instead() -> None:
    """Nothing of the clip is lost: the pictures of the group that is too long are there for the encoder."""
    cutter = Cutter(Timeline())
    with pytest.raises(UnusableVideoError):
        made(cutter, arriving(coded(120, group=150)[1], stream_of()))
    fragments, _ = made(Encoder(Timeline()), cutter.unsent)

    assert [n % 16 for n in range(len(cutter.unsent))] == decoded_numbers(fragments)
    assert all(2000 == each.duration_ms for each in fragments[:-1])


@pytest.mark.parametrize("b_frames", [0, 2])
def test_trap_07_the_first_packet_of_rtsp_has_no_timestamp(b_frames: int) -> None:
    """It is the IDR: it gets the time a picture before the one that is shown next, and nothing else moves."""
    packets = arriving(coded(60, b_frames=b_frames)[1], stream_of())
    packets[0] = replace(packets[0], pts=None, dts=None)
    with_times, _ = made(Cutter(Timeline()), arriving(coded(60, b_frames=b_frames)[1], stream_of()))
    fragments, faults = made(Cutter(Timeline()), packets)

    assert with_times == fragments
    assert [] == faults


def test_trap_07_an_open_group_is_no_place_to_begin() -> None:
    """What a demuxer calls a keyframe is a recovery point here: no fragment begins with it; it is told."""
    packets = arriving(coded(120, b_frames=2, open_group=True)[1], stream_of())
    error = refused(packets)

    assert sum(packet.key for packet in packets) > 1
    assert Fault.OPEN_GROUP == error.fault
    assert "closed GOP" in error.hint


def test_trap_07_who_comes_in_between_recovery_points_is_told_the_same() -> None:
    """The ring's backlog may hold no IDR at all."""
    error = refused(arriving(coded(140, b_frames=2, open_group=True)[1][20:], stream_of()))

    assert Fault.OPEN_GROUP == error.fault


def test_trap_07_no_keyframe_ever_is_told_as_that() -> None:
    """Intra refresh: the first picture is long gone, and none like it comes."""
    packets = [replace(each, key=False) for each in arriving(coded(140, group=150)[1][10:], stream_of())]

    assert Fault.NO_KEYFRAME == refused(packets).fault


def test_trap_07_sps_and_pps_only_in_the_sdp() -> None:
    """They come as Annex B beside the packets, never in them: the track has them all the same."""
    extradata, pictures = coded(40, headers=False)
    fragments, _ = made(Cutter(Timeline()), arriving(pictures, stream_of(extradata)))
    sets = read_avcc(fragments[0].track.codec_private).parameters

    assert layout_of(extradata).parameters == sets
    assert [n % 16 for n in range(40)] == decoded_numbers(fragments)


def test_trap_07_no_sps_and_pps_anywhere() -> None:
    """It is said after ten seconds of waiting for them, with what to set; a camera may send them late."""
    _, pictures = coded(140, headers=False)
    error = refused(arriving(pictures, stream_of()))
    late = [*coded(40, headers=False)[1], *(replace(each, pts=each.pts + 360_000) for each in coded(20)[1])]
    fragments, _ = made(Cutter(Timeline()), arriving(late, stream_of()))

    assert Fault.NO_PARAMETERS == error.fault
    assert "SPS and PPS" in error.hint
    assert [(4000, 2000)] == lasts(fragments)


def test_trap_07_a_resolution_that_changes_begins_another_track() -> None:
    """In the middle of a stream: the fragment before is whole, the next one's track says the new size."""
    small = coded(30)[1]
    large = [replace(each, pts=each.pts + 270_000) for each in coded(20, size=(320, 192))[1]]
    fragments, faults = made(Cutter(Timeline()), arriving([*small, *large], stream_of()))
    sizes = [(each.track.width, each.track.height) for each in fragments]

    assert [(160, 96), (160, 96), (320, 192)] == sizes
    assert [(0, 2000), (2000, 1000), (3000, 2000)] == lasts(fragments)
    assert [Fault.SIZE_CHANGED] == faults


@pytest.mark.parametrize("before", [5, 25])
def test_trap_07_a_resolution_that_changes_within_a_second_mixes_no_pictures(before: int) -> None:
    """However short what was before it is: each fragment holds pictures of its own track's size alone."""
    small = coded(before)[1]
    large = [replace(each, pts=each.pts + before * 9_000) for each in coded(20, size=(320, 192))[1]]
    fragments, faults = made(Cutter(Timeline()), arriving([*small, *large], stream_of()))
    last = fragments[-1]

    assert (320, 192) == (last.track.width, last.track.height)
    assert {(160, 96)} == {(each.track.width, each.track.height) for each in fragments[:-1]}
    assert (before, 20) == (sum(len(each.frames) for each in fragments[:-1]), len(last.frames))
    assert all(one.end_ms <= other.timecode_ms for one, other in pairwise(fragments))
    assert 1 == faults.count(Fault.SIZE_CHANGED)


def test_trap_08_a_clip_begins_before_the_trigger_with_a_whole_group() -> None:
    """The trigger falls into the middle of a group: five seconds before it, the ring has where that began."""
    ring = PacketRing(10.0, 1 << 20)
    sent = arriving(coded(200)[1], stream_of())
    back: dict[float, Packet] = {each.monotonic_s: each for each in sent}
    for each in in_ring(sent[:131]):
        ring.append(each)
    trigger_s = sent[130].monotonic_s
    with ring.follow(trigger_s - 5.0) as follower:
        backlog = [back[each.monotonic_s] for each in follower.take(0).packets]
    fragments, _ = made(Cutter(Timeline()), [*backlog, *sent[131:]])

    assert [(8000, 2000), (10_000, 2000), (12_000, 2000)] == lasts(fragments[:3])
    assert [n % 16 for n in range(80, 200)] == decoded_numbers(fragments)


def test_trap_08_a_trigger_soon_after_a_clip_overlaps_nothing() -> None:
    """Its seconds from before begin where the clip before ended, and leave no group out."""
    sent = arriving(coded(200)[1], stream_of())
    first = Cutter(Timeline())
    before = [cut for packet in sent[:70] for cut in first.take(packet)]
    after, _ = made(Cutter(Timeline(), after_s=first.covered_s), sent[20:])

    assert isinstance(before[-1], Fragment)
    assert before[-1].end_ms == after[0].timecode_ms


def clock_set(packets: Sequence[Packet], from_index: int, by_s: int) -> list[Packet]:
    """The same packets, with a wall clock that was set before one of them came."""
    return [
        each if index < from_index else replace(each, wall=each.wall + timedelta(seconds=by_s))
        for index, each in enumerate(packets)
    ]


@pytest.mark.parametrize("at", [30, 39, 40])
@pytest.mark.parametrize("step_s", [-3600, -3, 3, 3600])
def test_trap_13_a_clock_that_is_set_moves_nothing_in_a_clip(step_s: int, at: int) -> None:
    """The wall clock is looked at once a clip: what it was set in stands, and another goes on by the new."""
    packets = clock_set(arriving(coded(80)[1], stream_of(), pts=step_s % 2 == 0), at, step_s)
    fragments, faults = made(Cutter(Timeline()), packets)
    new = 4000 + step_s * 1000

    assert [(0, 2000), (2000, 2000), (new, 2000), (new + 2000, 2000)] == lasts(fragments)
    assert [False, False, True, False] == [each.clock_set for each in fragments]
    assert [Fault.CLOCK_SET] == faults


@pytest.mark.parametrize("step_s", [-3600, -3, 3, 3600])
def test_trap_13_what_is_encoded_goes_on_by_the_new_time_at_once(step_s: int) -> None:
    """The picture after the step begins another fragment, whatever its codec, and none is lost."""
    fragments, faults = made(Encoder(Timeline()), clock_set(jpegs(80, stream_of(codec="mjpeg")), 30, step_s))
    new = 3000 + step_s * 1000

    assert [0, 2000, new, new + 2000, new + 4000] == [begin for begin, _ in lasts(fragments)]
    assert [False, False, True, False, False] == [each.clock_set for each in fragments]
    assert [Fault.CLOCK_SET] == faults
    assert [number % 16 for number in range(80)] == decoded_numbers(fragments)


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_trap_13_pictures_a_decoder_has_still_do_not_carry_the_old_time_on(step_s: int) -> None:
    """Of H.264 that is encoded anew, a few that were waiting are left out, and no time is wrong."""
    sent = arriving(coded(80, group=80, b_frames=2)[1], stream_of())
    fragments, _ = made(Encoder(Timeline()), clock_set(sent, 30, step_s))
    begins = [
        begin - (step_s * 1000 if number > 1 else 0) for number, (begin, _) in enumerate(lasts(fragments))
    ]

    assert [False, False, True] == [each.clock_set for each in fragments][:3]
    assert all(0 < later - begin <= 2_500 for begin, later in pairwise(begins))
    assert 74 <= len(decoded_numbers(fragments)) <= 80


def test_trap_13_a_camera_whose_time_goes_back_sends_no_time_that_does() -> None:
    """An NTP step in the camera, or its restart without a reconnect: 4004 never comes of it."""
    packets = retimed(arriving(coded(80)[1], stream_of()), 50, -90_000 * 7)
    fragments, faults = made(Cutter(Timeline()), packets)

    assert all(one.end_ms <= other.timecode_ms for one, other in pairwise(fragments))
    assert 8000 == fragments[-1].end_ms - WALL_MS
    assert Fault.TIMES_BACK in faults


def test_trap_13_a_camera_faster_than_the_box_is_held_to_the_boxs_time() -> None:
    """A hundredth fast, which none is: after ten minutes the times are off by a third of a second at most."""
    pictures = coded(20)[1]
    stream = stream_of()
    cutter = Cutter(Timeline())
    ends = []
    for group in range(300):
        begin_s = MONOTONIC_S + group * 2.0
        for packet in arriving(pictures, stream, from_s=begin_s):
            assert packet.pts is not None
            ends += [
                cut.end_ms
                for cut in cutter.take(replace(packet, pts=round((packet.pts + group * 180_000) * 1.01)))
                if isinstance(cut, Fragment)
            ]

    assert abs(ends[-1] - WALL_MS - 299 * 2000) <= 350


def test_trap_13_a_camera_whose_time_runs_wild_is_not_followed_into_the_future() -> None:
    """Twice as fast as time passes: the pictures are shown closer together, and stay near when they came."""
    packets = [
        replace(each, pts=each.pts * 2)
        for each in arriving(coded(600)[1], stream_of())
        if each.pts is not None
    ]
    fragments, _ = made(Cutter(Timeline()), packets)

    assert all(one.end_ms <= other.timecode_ms for one, other in pairwise(fragments))
    assert abs(fragments[-1].end_ms - WALL_MS - 60_000) < 10_000


def test_trap_13_packets_that_come_all_at_once_are_not_shown_all_at_once() -> None:
    """What a camera's server has kept when one connects is shown by its timestamps, not by its arrival."""
    packets = [
        came_at(each, max(each.monotonic_s, MONOTONIC_S + 3)) for each in arriving(coded(80)[1], stream_of())
    ]
    fragments, _ = made(Cutter(Timeline()), packets)

    assert [20, 20, 20, 20] == [len(each.frames) for each in fragments]
    assert all(1950 <= each.duration_ms <= 2000 for each in fragments)
