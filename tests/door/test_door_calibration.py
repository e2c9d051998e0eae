"""Calibration: where the door is and how to watch it, from pictures of it shut and then opened."""

import numpy as np
import pytest
from door_pictures import LEFT, RIGHT, door, opening, picture, said, seconds

from appliance.door import DoorWatch, Snapshot, calibrate
from appliance.errors import InputError
from appliance.settings import DoorSettings
from appliance.values import WHOLE_FRAME, DoorState


def snapshots(pictures: list) -> list[Snapshot]:
    """The pictures as calibration wants them."""
    return [Snapshot(each.stamp.monotonic_s, each.gray(WHOLE_FRAME)) for each in pictures]


def clip(**look: object) -> list:
    """Shut for three seconds, then open for three."""
    return seconds(0, 3, **look) + opening(3, **look) + seconds(3.5, 6.5, opened=1.0, **look)


def test_the_door_is_found_without_being_told_where() -> None:
    """The region holds the door's columns with wall on both sides, and the seed is on the door."""
    proposal = calibrate(snapshots(clip()), DoorSettings(id="front", camera="c"))
    left, _, right, _ = proposal.door.region

    assert left * 200 < LEFT < RIGHT < right * 200
    assert right - left < 2 * (RIGHT - LEFT) / 200
    assert LEFT < proposal.door.seed[0] * 200 < RIGHT
    assert proposal.usable
    assert proposal.separation > 0.8


def test_what_is_proposed_works() -> None:
    """The watch with the proposed settings sees the clip as it was."""
    proposal = calibrate(snapshots(clip()), DoorSettings(id="front", camera="c"))

    assert [DoorState.SHUT, DoorState.OPEN] == said(DoorWatch(proposal.door), clip())


def test_a_given_region_is_kept() -> None:
    """The admin knows better; all the rest is proposed."""
    given = door()
    proposal = calibrate(snapshots(clip()), given, keep_region=True)

    assert given.region == proposal.door.region
    assert proposal.door.shut_fraction == pytest.approx(0.75, abs=0.1)


def test_shut_again_at_the_end_changes_nothing() -> None:
    """A third phase in which the door is shut is not taken for open."""
    again = [*clip(), *opening(6.5, shut_again=True), *seconds(7, 9)]

    assert calibrate(snapshots(clip()), door()).door.region == calibrate(snapshots(again), door()).door.region


def test_a_clip_in_which_nothing_changes_is_refused() -> None:
    """There is no door to be found in it, and the error says so."""
    with pytest.raises(InputError, match="nothing changes"):
        calibrate(snapshots(seconds(0, 5)), door())


def test_a_clip_that_is_too_short_is_refused() -> None:
    """Half a second shows no two states."""
    with pytest.raises(InputError, match="too short"):
        calibrate(snapshots(seconds(0, 0.5)), door())


def test_no_frames_are_refused() -> None:
    """An empty clip is too short, too."""
    with pytest.raises(InputError, match="too short"):
        calibrate([], door())


def test_a_picture_that_changes_altogether_is_refused() -> None:
    """Another scene after a cut is no door."""
    rng = np.random.default_rng(0)
    other = rng.integers(0, 256, (200, 200, 1)).astype(np.float32)
    cut = seconds(0, 3) + seconds(3, 6, change=lambda pixels: 0 * pixels + other)

    with pytest.raises(InputError, match="all of the picture"):
        calibrate(snapshots(cut), door())


def test_what_moves_elsewhere_is_proposed_where_it_is() -> None:
    """Calibration knows nothing of doors: it proposes the place that changes, and the admin looks at it."""
    low = [
        picture(i / 10, change=lambda p, on=i > 30: p + (np.indices((200, 200, 1))[0] > 150) * 40.0 * on)
        for i in range(60)
    ]

    assert calibrate(snapshots(low), door()).door.region[1] > 0.5
