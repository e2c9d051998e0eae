"""Plain pictures of a door for the door room's own tests: a wall with a rectangle in it that can open.

Small and exact where `door_scenes` is rich: every gray level is named by the test.
"""

from collections.abc import Callable, Sequence

import numpy as np
from factories import PictureFrame, stamp

from appliance.door import DoorWatch
from appliance.settings import DoorSettings
from appliance.values import DoorState

WALL, DOOR, ROOM = 190, 120, 40
LEFT, RIGHT = 70, 130
"""The door's columns in a picture 200 pixels wide."""

Change = Callable[[np.ndarray], np.ndarray]


def door(**changes: object) -> DoorSettings:
    """The door fills the middle of a region that shows a third as much wall."""
    given = {
        "id": "front",
        "camera": "c",
        "region": (0.3, 0.0, 0.7, 0.4),
        "seed": (0.5, 0.2),
        "shut_fraction": 0.75,
    }
    return DoorSettings.model_validate(given | changes)


def picture(
    at_s: float,
    *,
    opened: float = 0.0,
    room: int = ROOM,
    wall: int = WALL,
    leaf: int = DOOR,
    change: Change = lambda pixels: pixels,
    noise: float = 1.0,
) -> PictureFrame:
    """One picture: `opened` is the share of the door's width, from the right, that shows the room."""
    pixels = np.full((200, 200, 3), wall, np.float32)
    pixels[:, LEFT - 2 : RIGHT + 2] = 60
    pixels[:, LEFT:RIGHT] = leaf
    gap = round((RIGHT - LEFT) * opened)
    if gap:
        pixels[:, RIGHT - gap : RIGHT] = room
    pixels = change(pixels)
    if noise:
        pixels = pixels + np.random.default_rng(round(at_s * 1000)).normal(0, noise, (200, 200, 1))
    return PictureFrame(np.clip(pixels, 0, 255).astype(np.uint8), stamp(round(at_s * 10), at_s))


def seconds(start: float, end: float, **look: object) -> list[PictureFrame]:
    """Ten pictures a second of the same look."""
    return [picture(start + i / 10, **look) for i in range(round((end - start) * 10))]  # type: ignore[arg-type]


def opening(start: float, *, shut_again: bool = False, **look: object) -> list[PictureFrame]:
    """Half a second in which the door opens, or shuts."""
    shares = [0.1, 0.3, 0.5, 0.75, 1.0]
    shares = [1 - each for each in shares] if shut_again else shares
    return [
        picture(start + i / 10, opened=share, **look)  # type: ignore[arg-type]
        for i, share in enumerate(shares)
    ]


def said(watch: DoorWatch, pictures: Sequence[PictureFrame]) -> list[DoorState]:
    """Open and shut in the order they came to be believed; unsure left out, repetitions too."""
    found: list[DoorState] = []
    for each in pictures:
        state = watch.observe(each).state
        if state is not DoorState.UNSURE and (not found or found[-1] is not state):
            found.append(state)
    return found
