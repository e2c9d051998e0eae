"""Calibration: where the door is and how to watch it, from pictures of it shut and then opened."""

import numpy as np
import pytest
from door_pictures import LEFT, RIGHT, door, opening, picture, said, seconds
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.door import DoorWatch, Proposal, Snapshot, calibrate, snapshot
from appliance.door.placing import Views, find_starts
from appliance.door.snapshot import light
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


def somebody(left: int, *, shade: int = 20) -> object:
    """A change: a dark figure, 50 pixels wide, from the left column on, nearly as tall as the picture."""

    def stands(pixels: np.ndarray) -> np.ndarray:
        pixels = pixels.copy()
        pixels[30:, max(0, left) : max(0, left + 50)] = shade
        return pixels

    return stands


def passing(start: float, **look: object) -> list:
    """Two seconds in which somebody crosses the picture from left to right."""
    return [picture(start + i / 10, change=somebody(-50 + 13 * i), **look) for i in range(20)]


def wide(proposal: Proposal) -> tuple[float, float, float]:
    """Wall on the left, the door and wall on the right, in pixels of these pictures."""
    left, _, right, _ = proposal.door.region
    return LEFT - left * 200, RIGHT - LEFT, right * 200 - RIGHT


@pytest.mark.parametrize("gain", [0.7, 0.85, 1.25])
def test_a_camera_that_turns_itself_up_or_down_is_no_change(gain: float) -> None:
    """The light is told by the whole picture: what the door's opening did to it stays the door's."""
    turning = [
        picture(3.5 + i / 10, opened=1.0, change=lambda pixels, step=i / 10: pixels * gain**step)
        for i in range(10)
    ]
    pictures = [*seconds(0, 3), *opening(3), *turning]
    pictures += seconds(4.5, 7, opened=1.0, change=lambda pixels: pixels * gain)
    proposal = calibrate(snapshots(pictures), DoorSettings(id="front", camera="c"))

    assert LEFT < proposal.door.seed[0] * 200 < RIGHT
    assert 0.5 < proposal.door.shut_fraction < 0.8
    assert 0.8 < proposal.separation <= 1.1
    assert proposal.usable


@settings(max_examples=50, deadline=None)
@given(
    gain=st.floats(0.5, 1.4),
    share=st.floats(0.0, 0.4),
    seed=st.integers(0, 2**32 - 1),
    shown=st.integers(0, 255),
)
def test_the_light_is_what_the_unchanged_part_says(gain: float, share: float, seed: int, shown: int) -> None:
    """Whatever two fifths of a picture turn into, the factor between two pictures is that of the rest."""
    before = np.random.default_rng(seed).uniform(40, 170, (60, 80)).astype(np.float32)
    after = before * np.float32(gain)
    after[:, : round(80 * share)] = shown

    assert gain == pytest.approx(light(after, before), rel=0.03)


def test_a_fifth_of_the_doors_width_of_wall_is_watched_on_both_sides() -> None:
    """The light is taken from the wall: more than a few columns of it are needed."""
    left, door_px, right = wide(calibrate(snapshots(clip()), DoorSettings(id="front", camera="c")))

    assert 0.18 * door_px < left < 0.35 * door_px
    assert 0.18 * door_px < right < 0.35 * door_px


def test_a_tolerance_that_swallows_the_opening_has_no_merit() -> None:
    """A room 24 gray levels darker than the door: a fill with 20 would not tell it in another light."""
    shut = np.full((60, 90), 190, np.uint8)
    shut[:, 15:75] = 120
    opened = np.where(shut == 120, 96, shut).astype(np.float32)
    merits = {each.tolerance: each.merit for each in find_starts(Views(shut, opened, opened != shut, [shut]))}

    assert 1.0 == pytest.approx(merits[12], abs=0.1)
    assert 0.1 > merits[20]
    assert [12, 10, 8, 16, 6, 4, 20] == list(merits)


def test_who_passes_by_is_not_the_door() -> None:
    """People who cross the picture before, and when the door stands open, change nothing of the region."""
    walked = [
        *seconds(0, 2),
        *passing(2),
        *seconds(4, 6),
        *opening(6),
        *passing(6.5, opened=1.0),
        *seconds(8.5, 11, opened=1.0),
    ]
    proposal = calibrate(snapshots(walked), DoorSettings(id="front", camera="c"))

    assert proposal.usable
    assert (
        calibrate(snapshots(clip()), DoorSettings(id="front", camera="c")).door.region == proposal.door.region
    )
    assert () == proposal.notes


def test_who_never_leaves_the_picture_is_told_of() -> None:
    """Nothing but moving pictures of the open door: the proposal says that nobody should be there."""
    crowd = [*seconds(0, 3), *opening(3)]
    crowd += [picture(3.5 + i / 10, opened=1.0, change=somebody(160 - 12 * (i % 13))) for i in range(30)]
    proposal = calibrate(snapshots(crowd), DoorSettings(id="front", camera="c"))

    assert any("nobody" in note for note in proposal.notes)
    assert "see the notes" in proposal.words or not proposal.usable


def test_a_screen_in_the_picture_does_not_hinder() -> None:
    """What changes all the time is not looked at."""
    rng = np.random.default_rng(3)

    def screen(pixels: np.ndarray) -> np.ndarray:
        pixels = pixels.copy()
        pixels[150:190, 5:45] = rng.integers(0, 255)
        return pixels

    proposal = calibrate(snapshots(clip(change=screen)), DoorSettings(id="front", camera="c"))

    assert LEFT < proposal.door.seed[0] * 200 < RIGHT
    assert proposal.usable


def second_door(pixels: np.ndarray) -> np.ndarray:
    """Another door, at the right edge, that stands open."""
    pixels = pixels.copy()
    pixels[:, 150:185] = 90
    return pixels


def test_two_doors_one_after_the_other_are_refused() -> None:
    """Which of them is meant has to be said."""
    both = [*clip(), *seconds(6.5, 8.5), *seconds(8.5, 11, change=second_door)]

    with pytest.raises(InputError, match="two places change"):
        calibrate(snapshots(both), DoorSettings(id="front", camera="c"))


def test_the_region_says_which_of_two_doors() -> None:
    """With it, what happens elsewhere is not looked at."""
    both = [*seconds(0, 3), *seconds(3, 8, change=second_door), *opening(8), *seconds(8.5, 11, opened=1.0)]
    proposal = calibrate(snapshots(both), door(region=(0.3, 0.0, 0.7, 0.4)), keep_region=True)

    assert LEFT < proposal.door.seed[0] * 200 < RIGHT
    assert proposal.usable


def test_a_clip_that_begins_with_the_open_door_is_doubted() -> None:
    """The later state is one even leaf, the first a room full of things: that is asked about."""
    things = np.random.default_rng(5).integers(0, 255, (10, 6, 1)).repeat(20, axis=0).repeat(10, axis=1)

    def room(pixels: np.ndarray) -> np.ndarray:
        pixels = pixels.copy()
        pixels[:, LEFT:RIGHT] = things
        return pixels

    backwards = [*seconds(0, 3, change=room), *seconds(3, 6)]
    forwards = [*seconds(0, 3), *seconds(3, 6, change=room)]
    asked, plain = (calibrate(snapshots(each), door(), keep_region=True) for each in (backwards, forwards))

    assert any("was the door shut at the beginning?" in note for note in asked.notes)
    assert () == plain.notes


def proposal_of(**given: object) -> Proposal:
    """A proposal with these figures."""
    figures = {"separation": 1.0, "shut": 0.7, "opened": 0.0, "shut_s": 4.0, "opened_s": 4.0, "agreed": 1.0}
    return Proposal(door=door(), **(figures | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figures", "usable"),
    [
        ({}, True),
        ({"separation": 0.3}, True),
        ({"separation": 0.29}, False),
        ({"separation": 1.1}, True),
        ({"separation": 6.83}, False),
        ({"agreed": 0.9}, True),
        ({"agreed": 0.89}, False),
    ],
)
def test_what_may_be_used(figures: dict[str, float], usable: bool) -> None:  # noqa: FBT001 - a table
    """States far enough apart, not farther than there is door, and a watch that is right about the clip."""
    proposal = proposal_of(**figures)

    assert usable == proposal.usable
    assert usable != proposal.words.startswith("do not use this")
    # A page shows no clip, and says the same words.
    assert not any(word in proposal.words for word in ("clip", "seed", "fill"))


def test_a_region_of_hardly_a_pixel_is_refused() -> None:
    """There is nothing in it to be told apart."""
    with pytest.raises(InputError, match="1 by 80 pixels of 200 by 200"):
        calibrate(snapshots(clip()), door(region=(0.5, 0.0, 0.504, 0.4), seed=(0.502, 0.2)), keep_region=True)


def test_what_is_kept_is_small_and_a_copy() -> None:
    """A frame of a large camera is kept 640 pixels wide, and not by reference."""
    gray = np.full((1080, 1920), 7, np.uint8)
    kept = snapshot(1.5, gray)
    own = snapshot(1.5, small := np.full((20, 30), 7, np.uint8))
    small[:] = 9

    assert (1.5, (360, 640)) == (kept.at_s, kept.gray.shape)
    assert 7 == own.gray[0, 0]
