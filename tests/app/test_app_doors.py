"""Trying a door out: a calibration keeps little, and waits for no camera for ever."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from door_pictures import LEFT, RIGHT, door, opening, picture, seconds
from factories import PictureFrame, stamp

from appliance.app import doors
from appliance.errors import CameraLostError, InputError
from appliance.settings import CameraSettings, DoorSettings


def front() -> DoorSettings:
    """A door of which nothing is known."""
    return DoorSettings(id="front", camera="c")


def test_a_long_clip_is_thinned() -> None:
    """A minute and a half at ten a second is as good as ten seconds, and is not kept whole."""
    clip: Iterator[PictureFrame] = iter([*seconds(0, 60), *opening(60), *seconds(60.5, 90, opened=1.0)])
    proposal = doors.calibrate(clip, front()).proposal

    assert LEFT < proposal.door.seed[0] * 200 < RIGHT
    assert proposal.usable
    assert 59 == pytest.approx(proposal.shut_s, abs=2)


def test_a_clip_of_many_minutes_is_refused() -> None:
    """It says what to cut out instead of reading on."""
    endless = (picture(float(i), noise=0) for i in range(10_000))

    with pytest.raises(InputError, match="longer than 180 s"):
        doors.calibrate(endless, front())


def test_pictures_of_two_sizes_are_refused() -> None:
    """A folder of anything is no clip."""
    small = PictureFrame(np.zeros((50, 60, 3), np.uint8), stamp(1, 0.1))

    with pytest.raises(InputError, match="not all of one size"):
        doors.calibrate(iter([picture(0.0), small]), front())


def test_a_region_of_hardly_a_pixel_is_watched_by_nobody() -> None:
    """Neither calibrated nor watched nor drawn: a typed error each time, not unsure for ever."""
    sliver = door(region=(0.5, 0.0, 0.504, 0.4), seed=(0.502, 0.2))

    with pytest.raises(InputError, match="pixels of 200 by 200"):
        doors.calibrate(iter(seconds(0, 6)), sliver, keep_region=True)
    with pytest.raises(InputError, match="pixels of 200 by 200"):
        list(doors.watched(iter(seconds(0, 1)), sliver))
    with pytest.raises(InputError, match="pixels of 200 by 200"):
        doors.drawn(picture(0.0), sliver)


def absent() -> CameraSettings:
    """A camera at an address where nobody listens."""
    return CameraSettings.model_validate({"id": "attic", "source": "rtsp://127.0.0.1:9/none"})


def test_a_camera_that_never_comes_is_given_up() -> None:
    """The person at the door is told, instead of leaving it shut for ever."""
    with pytest.raises(CameraLostError, match=r"camera attic gave no frame for 0\.5 s"):
        list(doors.live_frames(absent(), threading.Event(), 5.0, patience_s=0.5))


def test_whoever_wants_no_more_is_not_kept_waiting() -> None:
    """`stop` ends the waiting for a camera without an error."""
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()

    assert [] == list(doors.live_frames(absent(), stop, patience_s=60))
