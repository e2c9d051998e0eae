"""What is remembered of how the door came to look otherwise than shut."""

from dataclasses import replace

import numpy as np
import pytest

from appliance.door.episode import Episode
from appliance.door.evidence import Signs
from appliance.door.line_evidence import DoorLines
from appliance.door.outline import Outline
from appliance.values import DoorState

SHUT, OPEN = DoorState.SHUT, DoorState.OPEN
HEIGHT, LEFT, RIGHT, WIDTH = 36, 24, 72, 96
OUTLINE = Outline(
    np.ones((HEIGHT, WIDTH), bool), LEFT, RIGHT, 0, np.arange(0, 6), np.arange(90, 96), certain=True
)
OPENING = Signs(0.6, 1.0, 1.0, opened=0.4, across=0.4, at_left=True, at_right=False, high=0.4, low=0.4)
"""From the left edge, beside walls that are as they were."""


def shut_door() -> np.ndarray:
    """A leaf with mouldings, and lines on the wall on both sides of it."""
    pixels = np.full((HEIGHT, WIDTH), 180.0, np.float32)
    pixels[:, LEFT:RIGHT] = 120
    pixels[:, [8, 14, 80, 86]] = 120
    pixels[:, LEFT + 4 : RIGHT : 8] = 70
    return pixels


def lines(*, somebody: bool) -> DoorLines:
    """Of the shut door; with somebody before the wall on the left and a part of the leaf, or not."""
    small = shut_door()
    if somebody:
        small[:, :48] = 150
    return DoorLines(shut_door(), small, OUTLINE)


def episode() -> Episode:
    """One that has just begun."""
    return Episode(1.0, lamp=False, sudden=False, changed_s=1.0)


def test_an_opening_comes_from_nowhere() -> None:
    """Nobody came over the wall or from below."""
    found = episode()

    assert not found.note_people(OPENING, lines(somebody=False), SHUT, lately=False)
    assert (False, False, False) == (found.from_outside, found.crossed, found.from_below)


@pytest.mark.parametrize("right", [0.7, 0.2], ids=["a little hidden", "hidden"])
def test_who_a_light_was_fitted_to_came_over_the_wall(right: float) -> None:
    """The opening seems to begin beside a bare wall, and the wall's lines say that somebody stands there."""
    found = episode()
    hides = found.note_people(replace(OPENING, right=right), lines(somebody=True), SHUT, lately=False)

    assert found.from_outside
    assert found.crossed
    assert hides == (right < 0.5)


def test_a_leaf_that_hides_the_wall_did_not_come_over_it() -> None:
    """The opening begins beside a bare wall, and its lines are there."""
    found = episode()
    found.note_people(replace(OPENING, right=0.2), lines(somebody=False), SHUT, lately=False)

    assert not found.from_outside


def test_who_was_there_lately_may_be_there_still() -> None:
    """Though neither wall shows anybody now."""
    found = episode()
    found.note_people(OPENING, lines(somebody=False), SHUT, lately=True)

    assert found.from_outside
    assert not found.crossed


def test_nobody_hides_an_open_door() -> None:
    """What came over the wall before it was believed open is forgotten."""
    found = episode()
    found.note_people(replace(OPENING, right=0.2), lines(somebody=True), SHUT, lately=True)

    assert not found.note_people(replace(OPENING, right=0.2), lines(somebody=True), OPEN, lately=True)
    assert (False, False) == (found.from_outside, found.crossed)
    assert (False, False) == (found.behind_light, found.from_below)


def test_who_comes_from_below_is_remembered() -> None:
    """They cover much of the door's lower quarter and little of its upper one."""
    found = episode()
    found.note_people(replace(OPENING, low=0.5, high=0.1), lines(somebody=False), SHUT, lately=False)
    found.note_people(OPENING, lines(somebody=False), SHUT, lately=False)

    assert found.from_below


def test_while_the_door_is_not_open_only_what_widens_has_changed() -> None:
    """What gets narrower is no opening; once the door is open, both are movement. A little is neither."""
    found = episode()
    for at, opened in [(2.0, 0.4), (3.0, 0.41), (4.0, 0.3)]:
        found.note_width(replace(OPENING, opened=opened), 1.0, at, SHUT)
    before = found.changed_s
    found.note_width(replace(OPENING, opened=0.2), 1.0, 5.0, OPEN)

    assert 2.0 == before
    assert 5.0 == found.changed_s


def test_a_lamp_does_all_it_does_at_once() -> None:
    """What moves on after the first frame was none; a light unlike the one before says it may be one."""
    lamp = Episode(1.0, lamp=True, sudden=False, changed_s=1.0)
    lamp.note_width(OPENING, 1.2, 1.0, SHUT)
    at_once = lamp.lamp
    lamp.note_width(replace(OPENING, opened=0.8), 1.0, 1.1, SHUT)

    assert at_once
    assert not lamp.lamp
    assert not lamp.relit


def test_stillness_begins_with_the_first_still_frame() -> None:
    """And ends with the next that moves."""
    found = episode()
    found.note_stillness(2.0, still=True)
    found.note_stillness(3.0, still=True)
    since = found.still_since_s
    found.note_stillness(4.0, still=False)

    assert 2.0 == since
    assert found.still_since_s is None
