"""A camera's video as the recorder gets it: over the socket, copied or encoded, until the camera is lost."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from coded_video import (
    MONOTONIC_S,
    WALL,
    WALL_MS,
    arriving,
    coded,
    decoded_numbers,
    in_ring,
    jpegs,
    stream_of,
)

from appliance.app.packet_feed import FedCamera, PacketFeeds
from appliance.camera import PacketRing
from appliance.clock import ManualClock
from appliance.errors import CameraLostError, UnusableVideoError
from appliance.video.faults import Fault, Trouble
from appliance.video.following import CameraVideo
from appliance.video.fragment import Fragment
from appliance.video.packets import Packet
from appliance.wire import Client, Server
from appliance.wire.messages import SourceChanged


@dataclass
class Hall:
    """A loop with one camera, and who follows it.

    Attributes:
        loop: Of its socket.
        told: What was wrong with it.
    """

    loop: Client
    clock: ManualClock
    ring: PacketRing
    fed: FedCamera
    video: CameraVideo
    told: list[Fault] = field(default_factory=list)

    def sends(self, packets: Sequence[Packet], *, ends: str = "") -> None:
        """The camera sends packets, and ends."""
        for packet in in_ring(packets):
            self.ring.append(packet)
        newest = packets[-1]
        self.clock.set(wall=newest.wall, monotonic=newest.monotonic_s)
        if ends:
            self.clock.advance(0.1)
            self.fed.change(SourceChanged(state="ended", reason=ends))

    def recorded(self, back_s: float = 60.0) -> list[Fragment]:
        """What comes of it until it has ended."""
        found: list[Fragment] = []
        with pytest.raises(CameraLostError) as told:
            found.extend(each for each in self.video.follow("hall", back_s, threading.Event()) if each)
        assert "recording is over" in told.value.message
        return found


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """Its camera has sent nothing yet."""
    with opened(tmp_path) as made:
        yield made


@contextmanager
def opened(folder: Path) -> Iterator[Hall]:
    """A loop, served."""
    clock = ManualClock(WALL, MONOTONIC_S)
    feeds, ring = PacketFeeds(clock, silence_s=0.05), PacketRing(60, 1 << 22)
    path = folder / "run" / "loop.sock"
    told: list[Fault] = []

    def hear(_: str, trouble: Trouble) -> None:
        told.append(trouble.fault)

    fed = feeds.camera("hall", ring)
    with Server(path, feeds.handlers()):
        loop = Client(path)
        yield Hall(loop, clock, ring, fed, CameraVideo(loop, clock, on_trouble=hear), told)
        feeds.close()


def test_h264_is_copied_from_some_seconds_before_now_on(hall: Hall) -> None:
    """Bit by bit: the pictures are those that the camera sent."""
    packets = arriving(coded(120)[1], stream_of())
    hall.sends(packets, ends="the recording is over")
    fragments = hall.recorded(back_s=5.0)

    assert [6000, 8000, 10_000] == [each.timecode_ms - WALL_MS for each in fragments]
    assert [n % 16 for n in range(60, 120)] == decoded_numbers(fragments)
    assert [] == hall.told


def test_pictures_are_encoded(hall: Hall) -> None:
    """MJPEG, and sources without packets, whose pictures are in the ring as JPEGs."""
    hall.sends(jpegs(80, stream_of(codec="mjpeg")), ends="the recording is over")
    fragments = hall.recorded(back_s=3.0)

    assert [n % 16 for n in range(51, 80)] == decoded_numbers(fragments)
    assert [2000, 1000] == [each.duration_ms for each in fragments]


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        ({"group": 150}, Fault.LONG_GROUP),
        ({"b_frames": 2, "open_group": True}, Fault.OPEN_GROUP),
    ],
)
def test_what_cannot_be_copied_is_encoded_and_told(hall: Hall, made: dict[str, int], fault: Fault) -> None:
    """The clip is whole all the same; what to set in the camera is said once; the next is encoded at once."""
    packets = arriving(coded(140, **made)[1], stream_of())  # type: ignore[arg-type]
    hall.sends(packets[:130])
    first = hall.video.follow("hall", 60.0, threading.Event())
    came = [fragment for _, fragment in zip(range(5), (each for each in first if each), strict=False)]
    first.close()
    hall.sends(packets[130:], ends="the recording is over")
    rest = hall.recorded(back_s=60.0)
    (trouble,) = hall.video.troubles("hall") or (None,)

    assert [n % 16 for n in range(100)] == decoded_numbers(came)
    assert [fault] == hall.told
    assert trouble is None
    assert came[-1].end_ms <= rest[0].timecode_ms


def test_two_clips_in_a_row_have_nothing_in_common_and_nothing_between_them(hall: Hall) -> None:
    """The seconds before the second one's trigger belong to the first already, as far as it went."""
    packets = arriving(coded(120)[1], stream_of())
    hall.sends(packets[:65])
    first = hall.video.follow("hall", 60.0, threading.Event())
    came = [fragment for _, fragment in zip(range(3), (each for each in first if each), strict=False)]
    first.close()
    hall.sends(packets[65:], ends="the recording is over")
    rest = hall.recorded(back_s=60.0)

    assert [0, 2000, 4000, 6000, 8000, 10_000] == [each.timecode_ms - WALL_MS for each in [*came, *rest]]


def test_what_an_earlier_run_has_recorded_is_not_given_again(hall: Hall) -> None:
    """After a restart: from the end of the last clip on, and not a second of what follows is missing."""
    hall.sends(arriving(coded(120)[1], stream_of()), ends="the recording is over")
    again = CameraVideo(hall.loop, hall.clock, recorded_ms=lambda _: WALL_MS + 6_000)
    hall.video = again

    assert [6000, 8000, 10_000] == [each.timecode_ms - WALL_MS for each in hall.recorded(back_s=60.0)]


def test_a_clock_that_is_set_while_a_camera_is_followed_is_said_by_the_fragment(hall: Hall) -> None:
    """The one that has the new time, so that another clip begins with it."""
    packets = arriving(coded(80)[1], stream_of())
    later = [replace(each, wall=each.wall + timedelta(hours=1)) for each in packets[30:]]
    hall.sends([*packets[:30], *later], ends="the recording is over")

    assert [(0, False), (2000, False), (3_604_000, True), (3_606_000, False)] == [
        (each.timecode_ms - WALL_MS, each.clock_set) for each in hall.recorded()
    ]


def test_a_camera_that_is_lost_gives_what_it_had(hall: Hall) -> None:
    """The pictures up to the loss, also those of a group that is not whole; then why."""
    hall.sends(arriving(coded(50)[1], stream_of()))
    following = hall.video.follow("hall", 60.0, threading.Event())
    came = [next(each for each in following if each)]
    hall.clock.advance(10)
    hall.fed.change(SourceChanged(state="lost", reason="no frame for 10 s"))
    with pytest.raises(CameraLostError) as told:
        came.extend(each for each in following if each)

    assert [n % 16 for n in range(50)] == decoded_numbers(came)
    assert "no frame for 10 s" in told.value.message


def test_a_camera_that_is_lost_already_is_waited_for(hall: Hall) -> None:
    """None is given meanwhile, so that whoever waits can give up; what comes when it is back is recorded."""
    hall.clock.advance(60)
    hall.fed.change(SourceChanged(state="lost", reason="no frame for 10 s"))
    following = hall.video.follow("hall", 5.0, threading.Event())
    nothing = next(following)
    hall.sends(arriving(coded(40)[1], stream_of(), from_s=MONOTONIC_S + 61), ends="the recording is over")
    came = next(each for each in following if each)

    assert nothing is None
    assert 61_000 == came.timecode_ms - WALL_MS


def test_a_camera_without_keyframes_is_told_after_ten_seconds_of_them(hall: Hall) -> None:
    """Not before: after a reconnect in the middle of a group some seconds pass without one."""
    stop, heard = threading.Event(), []
    following = hall.video.follow("hall", 60.0, stop)
    packets = arriving(coded(60, group=150)[1][1:], stream_of())
    next(following)
    for packet in in_ring(packets):
        hall.ring.append(packet)
    while Fault.NO_KEYFRAME not in hall.told:
        heard.append(next(following))

    assert [None] * len(heard) == heard
    assert len(heard) >= 9


def test_a_stop_gives_what_there_is(hall: Hall) -> None:
    """The appliance ends: the last group is kept as far as it came."""
    hall.sends(arriving(coded(50)[1], stream_of()))
    stop = threading.Event()
    following = hall.video.follow("hall", 60.0, stop)
    came = [next(each for each in following if each) for _ in range(2)]
    stop.set()
    came.extend(each for each in following if each)

    assert 5000 == came[-1].end_ms - WALL_MS
    assert came[-1].last


def test_what_nobody_decodes_is_an_error_with_a_hint(hall: Hall) -> None:
    """H.264 without SPS and PPS can be neither copied nor encoded."""
    hall.sends(arriving(coded(140, headers=False)[1], stream_of()), ends="the recording is over")
    with pytest.raises(UnusableVideoError) as told:
        list(hall.video.follow("hall", 60.0, threading.Event()))

    assert Fault.NO_PARAMETERS == told.value.fault
    assert [Fault.NO_PARAMETERS] == hall.told
    assert "SPS and PPS" in told.value.hint


def test_a_clock_that_was_set_between_two_clips_is_taken_as_it_is(hall: Hall) -> None:
    """An hour back: the second clip begins when the clock says, not an hour of waiting later."""
    hall.sends(arriving(coded(45)[1], stream_of()))
    first = hall.video.follow("hall", 60.0, threading.Event())
    came = [next(each for each in first if each) for _ in range(2)]
    first.close()
    later = arriving(coded(20)[1], stream_of(), from_s=MONOTONIC_S + 10, wall_after_s=-3600)
    hall.sends(later, ends="the recording is over")
    rest = hall.recorded(back_s=5.0)

    assert 4000 == came[-1].end_ms - WALL_MS
    assert 10_000 - 3_600_000 == rest[0].timecode_ms - WALL_MS
