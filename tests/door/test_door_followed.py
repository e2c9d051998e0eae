"""The followed rule: light, people, propped doors, nudges, beginnings; and the plain rule beside it."""

import numpy as np
import pytest
from door_pictures import DOOR, LEFT, RIGHT, door, opening, picture, said, seconds
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.door import DoorWatch
from appliance.values import DoorState

SHUT, OPEN, UNSURE = DoorState.SHUT, DoorState.OPEN, DoorState.UNSURE


def after_shut(**look: object) -> DoorWatch:
    """A watch that has seen the door shut for two seconds."""
    watch = DoorWatch(door())
    assert [SHUT] == said(watch, seconds(0, 2, **look))
    return watch


def test_an_opening_is_believed_within_two_frames() -> None:
    """The leaf's edge leaves the frame: the second picture in which it has is called open."""
    watch = after_shut()
    states = [watch.observe(each).state for each in opening(2.0)]

    assert OPEN in states[:3]


@pytest.mark.parametrize("wall", [DOOR - 70, DOOR - 8, DOOR, DOOR + 8, DOOR + 70])
def test_door_and_wall_may_be_alike(wall: int) -> None:
    """Whatever the wall's gray, its own included: shut, open, shut, once each."""
    watch = after_shut(wall=wall)
    pictures = opening(2, wall=wall) + seconds(2.5, 4, opened=1.0, wall=wall)
    pictures += opening(4, shut_again=True, wall=wall) + seconds(4.5, 6, wall=wall)

    assert [OPEN, SHUT] == said(watch, pictures)[-2:]


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.3])
def test_a_lamp_does_not_open_the_door(factor: float) -> None:
    """Everything brighter or darker by one factor from one picture to the next: never open."""
    watch = after_shut()
    lit = seconds(2, 6, change=lambda pixels: pixels * factor)

    assert [SHUT] == said(watch, lit)


def test_a_lamp_on_one_side_does_not_open_the_door() -> None:
    """Light that falls off across the picture is a smooth gain."""
    watch = after_shut()
    slope = np.linspace(0.7, 1.2, 200)[None, :, None]

    assert [SHUT] == said(watch, seconds(2, 5, change=lambda pixels: pixels * slope))


def test_bands_of_a_flickering_lamp_do_not_open_the_door() -> None:
    """Rows brighter and darker by a tenth, moving."""
    watch = after_shut()
    rows = np.arange(200)[:, None, None]
    pictures = [
        picture(2 + i / 10, change=lambda p, i=i: p * (1 + 0.08 * np.sin(rows / 9 + i))) for i in range(30)
    ]

    assert [SHUT] == said(watch, pictures)


def test_somebody_before_the_shut_door_is_unsure_and_never_open() -> None:
    """They come from the left, cover door and wall, stand for three seconds and go."""
    watch = after_shut()
    places = [20, 35, 50, 60, *[60] * 30, 80, 100, 120, 140, 160]

    def stands(at: int) -> object:
        def change(pixels: np.ndarray) -> np.ndarray:
            pixels[:, at : at + 50] = 75
            return pixels

        return change

    readings = [
        watch.observe(picture(2 + i / 10, change=stands(at))).state  # type: ignore[arg-type]
        for i, at in enumerate(places)
    ]

    assert OPEN not in readings
    assert UNSURE is readings[25]
    assert [SHUT] == said(watch, seconds(7, 9))[-1:]


def test_a_propped_door_is_not_learnt_though_the_light_drifts() -> None:
    """Four minutes before an evenly lit room while daylight goes: open all the time, then shut."""
    watch = after_shut()
    said(watch, opening(2, room=150))
    drifting = [
        picture(3 + t, opened=1.0, room=150, change=lambda p, t=t: p * (1 - t / 600)) for t in range(240)
    ]

    assert [OPEN] == said(watch, drifting)
    dim = {"change": lambda pixels: pixels * 0.6}
    assert [SHUT] == said(watch, seconds(244, 246, **dim))[-1:]


@pytest.mark.parametrize("shift", [(3, 0), (-4, 2), (0, -3)])
def test_a_nudged_camera_is_recovered_from(shift: tuple[int, int]) -> None:
    """A few pixels to any side: shut within two seconds, and an opening after it is still seen."""
    watch = after_shut()

    def nudge(pixels: np.ndarray) -> np.ndarray:
        return np.roll(pixels, shift, axis=(1, 0))

    assert SHUT is said(watch, seconds(2, 5, change=nudge))[-1]
    assert OPEN in said(watch, opening(5, change=nudge) + seconds(5.5, 7, opened=1.0, change=nudge))


def test_an_open_door_at_the_start_is_not_learnt() -> None:
    """A door that stands open and fills less than it should is not called shut before it is."""
    watch = DoorWatch(door())

    assert SHUT not in said(watch, seconds(0, 3, opened=0.6))
    assert SHUT is said(watch, opening(3, shut_again=True) + seconds(3.5, 6))[-1]


def test_another_resolution_begins_anew() -> None:
    """The camera was changed: nothing is compared with pictures of another size."""
    watch = after_shut()
    wide = picture(2.0)
    wide._bgr = np.ascontiguousarray(wide.bgr()[::2, ::2])

    assert watch.observe(wide).state in {SHUT, UNSURE}


def test_the_plain_rule_knows_no_unsure_and_no_light() -> None:
    """The baseline: a small fill from the seed is an open door, whatever stands there; all else is shut."""
    watch = DoorWatch(door(rule="plain"))

    def covered(pixels: np.ndarray) -> np.ndarray:
        pixels[20:60, LEFT + 15 : RIGHT - 15] = 20
        return pixels

    assert [SHUT] == said(watch, seconds(0, 2))
    assert [OPEN] == said(watch, seconds(2, 4, change=covered))[-1:]
    assert [SHUT] == said(watch, seconds(4, 5))[-1:]
    assert [SHUT] == said(watch, seconds(5, 7, opened=1.0, room=150))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=3, max_size=12), st.integers(0, 1000))
def test_any_pictures_give_fractions_and_the_same_answer_twice(levels: list[int], seed: int) -> None:
    """Whatever is shown, the fraction is a share and the watch is a function of its frames."""
    rng = np.random.default_rng(seed)
    pictures = [
        picture(i / 10, change=lambda p, level=level: rng.permutation(p) * (level / 255))
        for i, level in enumerate(levels)
    ]
    first, second = DoorWatch(door()), DoorWatch(door())
    one = [first.observe(each) for each in pictures]
    two = [second.observe(each) for each in pictures]

    assert one == two
    assert all(0 <= reading.fraction <= 1 for reading in one)


def test_the_wider_the_door_opens_the_less_is_filled() -> None:
    """The reported share falls with every step of the opening, and returns when it is shut."""
    watch = after_shut()
    shares = [0.0, 0.2, 0.35, 0.5, 1.0]
    fractions = [watch.observe(picture(2 + i / 10, opened=share)).fraction for i, share in enumerate(shares)]

    assert sorted(fractions, reverse=True) == fractions
    assert fractions[-1] < 0.1
    assert fractions[0] > 0.6
    assert fractions[0] == pytest.approx(watch.observe(picture(3.0)).fraction, abs=0.02)


def test_a_cover_is_not_learnt_as_the_shut_door() -> None:
    """A cloth before the camera hangs still for ten seconds: never shut, and shut at once after it."""
    watch = after_shut()
    covered = seconds(2, 12, change=lambda pixels: pixels * 0.02 + 40)

    assert SHUT not in [watch.observe(each).state for each in covered][10:]
    assert SHUT in [watch.observe(each).state for each in seconds(12, 13)]


def test_a_leaf_that_still_moves_is_not_shut_yet() -> None:
    """A closer that takes two seconds for the last tenth: shut is said when it has come to rest."""
    watch = after_shut()
    said(watch, opening(2))
    said(watch, seconds(2.5, 4, opened=1.0))
    slow = [picture(4 + i / 10, opened=0.1 * (1 - i / 20)) for i in range(20)]

    assert SHUT not in [watch.observe(each).state for each in slow[:15]]
    assert SHUT in [watch.observe(each).state for each in seconds(6, 7)]
