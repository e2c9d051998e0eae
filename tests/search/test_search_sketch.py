"""What comes or goes is seen before any ground; neither light nor a hand that shakes is."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from appliance.search import HeldStill, seen, sketch
from appliance.search.sketch import SAME, likeness
from appliance.values import FloatArray, ImageArray

SIZE = (480, 640)
THINGS = {
    "coffee": data.coffee()[:, 60:460, ::-1],
    "cat": data.chelsea()[:, 60:360, ::-1],
    "rocket": data.rocket()[:400, 120:520, ::-1],
}


def plain(level: int) -> ImageArray:
    """A wall."""
    return np.full((*SIZE, 3), level, np.uint8)


def desk() -> ImageArray:
    """A bright window, and a dark desk below."""
    ground = plain(60)
    ground[:200, :400] = 240
    ground[300:] = 25
    return ground


def halves() -> ImageArray:
    """White beside black."""
    ground = plain(0)
    ground[:, :320] = 255
    return ground


def shelf() -> ImageArray:
    """Full of things of all colours."""
    random = np.random.default_rng(5)
    return np.kron(random.integers(0, 255, (12, 16, 3)), np.ones((40, 40, 1))).astype(np.uint8)


GROUNDS = {"wall": plain(128), "dark": plain(20), "desk": desk(), "halves": halves(), "shelf": shelf()}


def held(ground: ImageArray, thing: ImageArray, side: int, left: int = 0, top: int = 0) -> ImageArray:
    """A thing in the middle of a frame, moved by some pixels."""
    frame = ground.copy()
    small = cv2.resize(np.ascontiguousarray(thing), (side, side), interpolation=cv2.INTER_AREA)
    y, x = (SIZE[0] - side) // 2 + top, (SIZE[1] - side) // 2 + left
    frame[y : y + side, x : x + side] = small
    return frame


def sketched(frame: ImageArray, random: np.random.Generator | None = None) -> FloatArray:
    """As the camera's watch makes it; with the noise of a cheap camera, if there is chance."""
    small = np.ascontiguousarray(seen(frame, "centre")[::4, ::4])
    if random is not None:
        small = (small + random.normal(0, 5, small.shape)).clip(0, 255).astype(np.uint8)
    return sketch(small)


@pytest.mark.parametrize("side", [100, 180, 260])
@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_a_thing_that_is_shown_is_looked_up_once_whatever_is_behind_it(
    ground: str, thing: str, side: int
) -> None:
    """The ground rests first; then the thing, in a hand that is never quite still, and the ground again."""
    random = np.random.default_rng(7)
    still, at_s, looks = HeldStill.of_sketches(still_s=0.4), 0.0, []
    empty = GROUNDS[ground]
    for shown in [False] * 10 + [True] * 20 + [False] * 10:
        shaken = random.integers(-2, 3, 2)
        frame = held(empty, THINGS[thing], side, *shaken) if shown else empty
        looks.append(still.look(sketched(frame, random), at_s))
        at_s += 0.1

    assert [1, 1, 1] == [sum(looks[:10]), sum(looks[10:30]), sum(looks[30:])]


@pytest.mark.parametrize("ground", GROUNDS)
def test_one_of_another_colour_in_its_place_is_looked_up(ground: str) -> None:
    """A blue book for a red one: nothing else changes."""
    still, at_s, looks = HeldStill.of_sketches(still_s=0.4), 0.0, []
    for colour in [(40, 40, 200)] * 10 + [(200, 60, 40)] * 10:
        book = np.full((10, 10, 3), colour, np.uint8)
        looks.append(still.look(sketched(held(GROUNDS[ground], book, 180)), at_s))
        at_s += 0.1

    assert [1, 1] == [sum(looks[:10]), sum(looks[10:])]


@given(st.sampled_from(sorted(GROUNDS)), st.sampled_from(sorted(THINGS)), st.floats(0.5, 1.0))
def test_how_bright_it_is_changes_nothing(ground: str, thing: str, light: float) -> None:
    """Evening comes, or a cloud."""
    frame = held(GROUNDS[ground], THINGS[thing], 200)
    darker = (frame * light).astype(np.uint8)

    assert likeness(sketched(frame), sketched(darker)) > SAME


def test_a_covered_lens_is_one_view() -> None:
    """Its noise is not made large."""
    random = np.random.default_rng(3)
    dark = [sketch(random.integers(0, 3, (*SIZE, 3)).astype(np.uint8)) for _ in range(2)]

    assert likeness(*dark) > 0.99


def test_a_mirrored_view_is_another() -> None:
    """Though it has the same colours."""
    frame = shelf()

    assert likeness(sketch(frame), sketch(np.ascontiguousarray(frame[:, ::-1]))) < 0.5
