"""What the shut door's likeness makes of a nudged camera, and what all of a door's width is."""

import numpy as np
import pytest

from appliance.door.evidence import COVERED, OPEN, Signs, judge
from appliance.door.likeness import Likeness
from appliance.door.lines import compare_lines
from appliance.door.outline import Outline
from appliance.settings import DoorSettings

HEIGHT, WIDTH, LEFT, RIGHT = 64, 96, 16, 80
SEED = 0.5, 0.5


def shut_door() -> np.ndarray:
    """A wall, a dark frame and a leaf with mouldings, as a small picture."""
    pixels = np.full((HEIGHT, WIDTH), 190.0, np.float32)
    pixels[10:, LEFT - 3 : RIGHT + 3] = 60
    pixels[13:, LEFT:RIGHT] = 120
    pixels[20:60, [24, 44, 52, 72]] = 105
    return pixels


def stained(pixels: np.ndarray) -> np.ndarray:
    """Something on the leaf that no light explains, a thirtieth of it."""
    stained = pixels.copy()
    stained[30:36, 30:50] += 60
    return stained


def likeness() -> Likeness:
    """To the shut door."""
    settings = DoorSettings.model_validate({"id": "front", "camera": "c", "shut_fraction": 0.55})
    return Likeness(shut_door(), 1.0, settings, SEED, 0.0)


def kept(known: Likeness, small: np.ndarray) -> float:
    """Share of the lines of what is known that are where they are in a picture."""
    return compare_lines(known.reference.picture, small).kept


@pytest.mark.parametrize("shift", [(0, 4), (0, -4), (3, 3)], ids=str)
def test_a_nudge_is_told_by_the_lines_where_something_is_left_to_explain(shift: tuple[int, int]) -> None:
    """All that is known of the shut door moves along, though a stain on it is no light."""
    known, small = likeness(), stained(np.roll(shut_door(), shift, axis=(0, 1)))
    was = kept(known, np.roll(shut_door(), shift, axis=(0, 1)))
    known.best(small, free=True)

    assert was < 0.5
    assert kept(known, np.roll(shut_door(), shift, axis=(0, 1))) > 0.8


def test_a_shadow_is_no_nudge() -> None:
    """It leaves every line where it was, and so does what is known of the shut door."""
    known = likeness()
    shaded = stained(shut_door())
    shaded[:, :40] *= 0.7
    known.best(shaded, free=True)

    assert kept(known, shut_door()) == pytest.approx(1.0, abs=1e-3)


def outline() -> Outline:
    """A panel in the middle of a leaf, taken for all of it."""
    sides = np.arange(0, 6), np.arange(90, 96)
    return Outline(np.ones((HEIGHT, WIDTH), bool), 34, 62, 0, *sides, certain=True)


@pytest.mark.parametrize(("across", "said"), [(0.6, COVERED), (1.0, OPEN)], ids=["part of it", "all of it"])
def test_all_of_the_door_is_all_of_its_own_width(across: float, said: object) -> None:
    """Who stands beside what was taken for the door covers as many columns, but not all of the door's."""
    signs = Signs(0.3, 1.0, 1.0, opened=1.3, across=across, at_left=True, at_right=True, high=0.8, low=0.8)

    assert said == judge(signs, outline(), from_outside=True, from_below=False, idle=False, open_below=0.5)
