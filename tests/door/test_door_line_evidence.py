"""What lines make of a look: only light, opened behind a shadow, or nothing that changes it."""

from dataclasses import replace

import numpy as np
import pytest

from appliance.door.evidence import COVERED, NEARLY_SHUT, OPEN, PERHAPS_OPEN, SHUT, Look, Signs
from appliance.door.line_evidence import DoorLines, weigh_lines
from appliance.door.outline import Outline
from appliance.values import DoorState

HEIGHT, LEFT, RIGHT, WIDTH = 36, 24, 72, 96
SIDES = np.arange(0, 6), np.arange(WIDTH - 6, WIDTH)
OUTLINE = Outline(np.ones((HEIGHT, WIDTH), bool), LEFT, RIGHT, 0, *SIDES, certain=True)
DIFFERS = Signs(0.1, 0.4, 0.7, opened=1.0, across=1.0, at_left=True, at_right=True, high=0.9, low=0.9)
"""All of the door differs, and some of the wall."""


def shut_door() -> np.ndarray:
    """A wall with a leaf that has mouldings."""
    pixels = np.full((HEIGHT, WIDTH), 180.0, np.float32)
    pixels[:, LEFT:RIGHT] = 120
    for column in range(LEFT + 4, RIGHT, 8):
        pixels[:, column] = 70
    return pixels


def shaded() -> np.ndarray:
    """In the half-shadow of somebody out of sight, over leaf and wall alike."""
    return shut_door() * np.linspace(0.5, 0.9, WIDTH, dtype=np.float32)[None, :]


def opened() -> np.ndarray:
    """A dim room where the leaf was, and a shadow on the wall."""
    pixels = shut_door()
    pixels[:, LEFT:RIGHT] = 100
    return pixels * np.linspace(0.6, 0.9, WIDTH, dtype=np.float32)[None, :]


def covered() -> np.ndarray:
    """Somebody before the leaf and before the wall on the left."""
    pixels = shut_door()
    pixels[:, 10:RIGHT] = 55
    return pixels


def weighed(
    look: Look,
    small: np.ndarray,
    *,
    shut: np.ndarray | None = None,
    signs: Signs = DIFFERS,
    believed: DoorState = DoorState.SHUT,
    hidden: bool = False,
) -> Look:
    """What lines make of a look at the shut door."""
    lines = DoorLines(shut_door() if shut is None else shut, small, OUTLINE)
    return weigh_lines(look, signs, lines, believed=believed, hidden=hidden)


@pytest.mark.parametrize("believed", [DoorState.SHUT, DoorState.OPEN])
def test_a_shadow_opens_nothing_and_hides_no_shut_door(believed: DoorState) -> None:
    """Every line is where it was: shut, and to be believed once it stays so."""
    assert NEARLY_SHUT == weighed(OPEN, shaded(), believed=believed)


def test_what_opened_behind_a_shadow_is_seen() -> None:
    """The leaf's lines are gone and the wall's are not: what came over the wall is light."""
    assert PERHAPS_OPEN == weighed(COVERED, opened())


def test_who_stands_before_door_and_wall_opens_nothing() -> None:
    """Their outline is on the wall."""
    assert COVERED == weighed(COVERED, covered())


def test_an_opening_stays_one() -> None:
    """Its lines are lost."""
    assert OPEN == weighed(OPEN, opened()) == weighed(OPEN, opened(), believed=DoorState.OPEN)


def test_a_room_of_nearly_the_leafs_gray_is_no_shut_door() -> None:
    """Its lines are gone and the wall's are there, so it opened, little as differs otherwise."""
    assert PERHAPS_OPEN == weighed(COVERED, opened(), signs=replace(DIFFERS, opened=0.0))
    assert COVERED == weighed(COVERED, opened(), signs=replace(DIFFERS, opened=0.0), hidden=True)


def test_what_looks_shut_is_not_asked() -> None:
    """Brightness that says shut says enough: a crack in another light has other lines."""
    assert SHUT == weighed(SHUT, opened())


def test_who_covers_door_and_wall_evenly_opens_nothing() -> None:
    """One gray for everything can be taken for a light; the wall's lines say twice that it is none."""
    shut = shut_door()
    shut[:, [8, 14, 80, 86]] = 120

    assert COVERED == weighed(OPEN, np.full_like(shut, 55), shut=shut, hidden=True)
    assert OPEN == weighed(OPEN, np.full_like(shut, 55), shut=shut)


def lined_wall() -> np.ndarray:
    """The door, with lines on the wall on both sides of it."""
    pixels = shut_door()
    pixels[:, [8, 14, 80, 86]] = 120
    return pixels


def beside(*, left: bool) -> np.ndarray:
    """Somebody of one gray before the wall and the nearer half of the leaf."""
    pixels = lined_wall()
    pixels[:, slice(0, 48) if left else slice(48, WIDTH)] = 150
    return pixels


BELIED = replace(DIFFERS, left=1.0, right=0.2)
"""By brightness, the wall is as it was on the left alone."""


@pytest.mark.parametrize("left", [True, False], ids=["left", "right"])
def test_who_a_light_was_fitted_to_opens_nothing(*, left: bool) -> None:
    """The wall they hide seems bare and the bare wall does not; the walls' lines say it is the other way."""
    signs = BELIED if left else replace(BELIED, left=0.2, right=1.0)
    lines = DoorLines(lined_wall(), beside(left=left), OUTLINE)

    assert lines.belie(signs)
    assert COVERED == weighed(OPEN, beside(left=left), shut=lined_wall(), signs=signs, hidden=True)


@pytest.mark.parametrize(
    "signs",
    [replace(BELIED, left=0.2, right=1.0), replace(BELIED, right=1.0), replace(BELIED, right=None)],
    ids=["as the lines say", "both bare", "one side only"],
)
def test_lines_belie_nothing_that_agrees_with_them(signs: Signs) -> None:
    """What brightness says of the walls may be true: an opening stays one."""
    assert not DoorLines(lined_wall(), beside(left=True), OUTLINE).belie(signs)
    assert OPEN == weighed(OPEN, beside(left=True), shut=lined_wall(), signs=signs, hidden=True)


def test_lines_belie_nothing_beside_an_outline_that_is_assumed() -> None:
    """Nobody knows which columns are wall."""
    lines = DoorLines(lined_wall(), beside(left=True), replace(OUTLINE, certain=False))

    assert not lines.belie(BELIED)


def test_an_opening_shows_the_wall_beside_its_edge() -> None:
    """Who comes along a wall of nearly their gray hides its lines; an opening at no edge needs no wall."""
    lines = DoorLines(lined_wall(), beside(left=True), OUTLINE)
    at_left = replace(DIFFERS, left=0.8, right=0.8, at_right=False)
    at_right = replace(at_left, at_left=False, at_right=True)

    assert not lines.show_edge(at_left)
    assert lines.show_edge(replace(at_left, left=1.0))
    assert lines.show_edge(at_right)
    assert not lines.show_edge(replace(at_right, right=0.2))
    assert lines.show_edge(replace(at_left, at_left=False))


def test_a_leaf_that_slides_over_the_wall_still_opens() -> None:
    """It hides the wall's lines on one side alone."""
    shut = shut_door()
    shut[:, [8, 14, 80, 86]] = 120
    slid = shut.copy()
    slid[:, :LEFT], slid[:, LEFT:RIGHT] = 120, 60

    assert OPEN == weighed(OPEN, slid, shut=shut, hidden=True)


def test_an_even_door_has_nothing_to_say() -> None:
    """Without lines, brightness alone decides."""
    even = np.full((HEIGHT, WIDTH), 120.0, np.float32)

    assert OPEN == weighed(OPEN, even * np.float32(0.5), shut=even)
    assert not DoorLines(even, even, OUTLINE).are_home


@pytest.mark.parametrize(
    ("leaf", "room"), [(120, 100), (120, 140), (200, 168), (200, 238), (60, 50)], ids=str
)
def test_an_even_leaf_is_not_spoken_for_by_its_frame(leaf: int, room: int) -> None:
    """The frame's lines stay when it opens before a room of nearly its gray; the wall's light does, too."""
    shut = np.full((HEIGHT, WIDTH), 190.0, np.float32)
    shut[:, LEFT - 3 : RIGHT + 3] = 90
    shut[:, LEFT:RIGHT] = leaf
    opened = shut.copy()
    opened[:, LEFT:RIGHT] = room

    assert OPEN == weighed(OPEN, opened, shut=shut)


@pytest.mark.parametrize("believed", [DoorState.SHUT, DoorState.OPEN])
def test_a_leaf_with_lines_speaks_for_itself(believed: DoorState) -> None:
    """Light on the leaf alone is light where all of its own mouldings are there."""
    lit = shut_door()
    lit[:, LEFT:RIGHT] *= 1.08

    assert NEARLY_SHUT == weighed(OPEN, lit, believed=believed)


def test_a_leaf_is_not_home_in_light_of_its_own() -> None:
    """Brighter up to the very edge is a room, or a leaf on its way."""
    lit = shut_door()
    lit[:, LEFT:RIGHT] *= 1.2

    assert not DoorLines(shut_door(), lit, OUTLINE).are_home


def test_a_half_shadow_on_the_leaf_opens_nothing() -> None:
    """Somewhat darker on one side of an edge, with nearly all lines there; darker by more is no shadow."""
    shaded_leaf, dim = shut_door(), shut_door()
    shaded_leaf[:, LEFT:RIGHT] *= 0.88
    dim[:, LEFT:RIGHT] *= 0.5

    assert NEARLY_SHUT == weighed(OPEN, shaded_leaf)
    assert OPEN == weighed(OPEN, shaded_leaf, believed=DoorState.OPEN)
    assert OPEN == weighed(OPEN, dim)


def test_where_the_outline_is_assumed_lines_beside_it_say_nothing() -> None:
    """Nobody knows which columns are wall."""
    lines = DoorLines(shut_door(), opened(), replace(OUTLINE, certain=False))

    assert not lines.are_lit
    assert not lines.deny_shut


def test_a_leaf_is_home_when_its_lines_are() -> None:
    """In whatever light; a leaf one moulding's width further is not."""
    ajar = shut_door()
    ajar[:, LEFT:RIGHT] = np.roll(ajar[:, LEFT:RIGHT], 2, axis=1)

    assert DoorLines(shut_door(), shut_door() * np.float32(0.7), OUTLINE).are_home
    assert not DoorLines(shut_door(), ajar, OUTLINE).are_home


def test_blinds_do_not_keep_a_leaf_from_being_home() -> None:
    """Their shadows draw lines across, and a crack draws upright ones."""
    blinds = shut_door()
    blinds[8:14] *= 0.6
    blinds[22:28] *= 0.6

    assert DoorLines(shut_door(), blinds, OUTLINE).are_home


BEGUN = replace(DIFFERS, opened=0.2)
"""A fifth of the door's width differs."""


def opening() -> np.ndarray:
    """The leaf has gone from half of the frame."""
    pixels = opened()
    pixels[:, LEFT : LEFT + 24] = shut_door()[:, LEFT : LEFT + 24] * 0.7
    return pixels


def test_an_opening_behind_a_shadow_is_seen_while_it_still_opens() -> None:
    """Long before most of the door differs."""
    assert PERHAPS_OPEN == weighed(COVERED, opening(), signs=BEGUN)


@pytest.mark.parametrize("small", [covered(), shaded()], ids=["somebody", "light"])
def test_no_opening_is_seen_where_lines_say_none(small: np.ndarray) -> None:
    """Who stands before it hides the wall's lines as well; light hides none."""
    assert PERHAPS_OPEN != weighed(COVERED, small, signs=BEGUN)


def test_who_came_over_the_wall_may_hide_the_lines_of_a_shut_door() -> None:
    """Though nobody stands before the wall now."""
    assert COVERED == weighed(COVERED, opening(), signs=BEGUN, hidden=True)
