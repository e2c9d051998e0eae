"""The door: fill, state, debounce, drift."""

import numpy as np
import pytest
from factories import PictureFrame, stamp
from hypothesis import given
from hypothesis import strategies as st

from appliance.door import DoorWatch, fill_fraction
from appliance.settings import DoorSettings
from appliance.values import DoorState

WALL, DOOR, CORRIDOR = 210, 120, 30


def settings(**changes: object) -> DoorSettings:
    """A door that fills the middle of the upper half of the picture, 60 % of the region."""
    given = {
        "id": "front",
        "camera": "c",
        "region": (0.25, 0.0, 0.75, 0.5),
        "seed": (0.5, 0.25),
        "shut_fraction": 0.6,
    }
    return DoorSettings.model_validate(given | changes)


def picture(at_s: float, *, door: int = DOOR, wall: int = WALL, noise: float = 0.0) -> PictureFrame:
    """A wall with a door in it."""
    pixels = np.full((200, 200, 3), wall, np.float32)
    pixels[:, 70:130] = door
    if noise:
        pixels += np.random.default_rng(int(at_s * 1000)).normal(0, noise, pixels.shape)
    return PictureFrame(np.clip(pixels, 0, 255).astype(np.uint8), stamp(int(at_s * 10), at_s))


def states(watch: DoorWatch, pictures: list[PictureFrame]) -> list[DoorState]:
    """The changes of state that a list of frames brings."""
    readings = [watch.observe(each) for each in pictures]
    return [reading.state for reading in readings if reading.changed]


def seconds(start: float, end: float, **look: float) -> list[PictureFrame]:
    """Ten frames a second of the same look."""
    return [picture(start + i / 10, **look) for i in range(round((end - start) * 10))]


def test_the_fill_measures_the_door() -> None:
    """A door 60 pixels wide in a region 100 wide fills about 0.6 of it."""
    gray = picture(0).bgr()[0:100, 50:150, 0]

    assert fill_fraction(gray, (0.5, 0.5), 12) == pytest.approx(0.6, abs=0.05)


def test_shut_open_shut() -> None:
    """A door that opens on a dark corridor and shuts again is seen doing so, once each."""
    watch = DoorWatch(settings())

    assert [DoorState.SHUT, DoorState.OPEN, DoorState.SHUT] == states(
        watch, seconds(0, 2) + seconds(2, 4, door=CORRIDOR) + seconds(4, 6)
    )


def test_a_flash_is_not_believed() -> None:
    """One frame in which the door is black changes nothing; it takes a second one that says the same."""
    watch = DoorWatch(settings())
    states(watch, seconds(0, 2))

    assert [] == states(watch, [picture(2.0, door=CORRIDOR), *seconds(2.1, 4)])


def test_an_evenly_lit_room_behind_is_not_a_shut_door() -> None:
    """What stands there fills as much as the door, but is of another brightness."""
    watch = DoorWatch(settings())
    states(watch, seconds(0, 2))

    assert [DoorState.OPEN] == states(watch, seconds(2, 4, door=70))


def test_slow_daylight_is_followed() -> None:
    """Sixty gray levels in four minutes: the door stays shut."""
    watch = DoorWatch(settings())
    dusk = [picture(t, door=DOOR - round(t / 4), wall=WALL - round(t / 4)) for t in range(240)]

    assert [DoorState.SHUT] == states(watch, dusk)


def test_a_switched_lamp_is_survived() -> None:
    """After a jump of the light the shut door is known again within half a minute."""
    watch = DoorWatch(settings())
    states(watch, seconds(0, 2))

    assert DoorState.SHUT == states(watch, seconds(2, 30, door=DOOR + 60, wall=WALL + 40))[-1]


def test_a_propped_door_stays_open() -> None:
    """Five minutes before an evenly lit wall behind it: open all the time, and shut when it is shut."""
    watch = DoorWatch(settings())
    states(watch, seconds(0, 2))
    propped = [picture(2 + t, door=70) for t in range(300)]

    assert [DoorState.OPEN] == states(watch, propped)
    assert [DoorState.SHUT] == states(watch, seconds(302, 304))


def test_noise_does_not_open_the_door() -> None:
    """Sensor noise of four gray levels is blurred away."""
    assert [DoorState.SHUT] == states(DoorWatch(settings()), seconds(0, 3, noise=4.0))


def test_nothing_is_said_before_anything_was_seen() -> None:
    """The first state is unsure."""
    assert DoorState.UNSURE is DoorWatch(settings()).state


def test_a_colour_picture_is_refused() -> None:
    """An integer tolerance on three channels fills by blue only; it is not offered."""
    with pytest.raises(ValueError, match="expected uint8"):
        fill_fraction(np.zeros((4, 4, 3), np.uint8), (0.5, 0.5), 5)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.floats(0, 1), st.integers(1, 100))
def test_a_fill_is_a_share(height: int, width: int, x: float, y: float, tolerance: int) -> None:
    """Whatever the picture and the seed, the answer is above 0 and at most 1."""
    gray = np.random.default_rng(height * 41 + width).integers(0, 256, (height, width), np.uint8)

    assert 0 < fill_fraction(gray, (x, y), tolerance) <= 1
