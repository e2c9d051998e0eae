"""Plain values of a coffee corner: faces, cups, and a corner that is shown them frame by frame."""

import math
from collections.abc import Sequence

from appliance.coffee import Corner, Drinker, Taken, Turns
from appliance.settings import CoffeeSettings
from appliance.values import Box, DetectedObject

FACE = 100.0
"""Width of a face, pixels; it is a quarter higher."""


def face(x: float = 500.0, y: float = 100.0, *, width: float = FACE) -> Box:
    """A face by its upper left corner."""
    return Box(x, y, width, 1.25 * width)


def cup(x: float = 560.0, y: float = 330.0, *, width: float = 60.0, score: float = 0.8) -> DetectedObject:
    """A cup by its middle; within reach of `face()`."""
    return DetectedObject("cup", 47, score, Box(x - width / 2, y - 0.4 * width, width, 0.8 * width))


class Counter:
    """A corner, five frames a second.

    Attributes:
        now_s: Of the next frame.
    """

    def __init__(self, *, turns: Turns | None = None, **settings: float) -> None:
        chosen = CoffeeSettings.model_validate(settings)
        self.turns = turns or Turns(chosen.participation_s)
        self.corner = Corner(chosen, self.turns)
        self.now_s = 1000.0

    def frame(self, people: Sequence[Drinker], cups: Sequence[DetectedObject]) -> list[Taken]:
        """Show it a frame."""
        found = self.corner.look(people, cups, self.now_s)
        self.now_s += 0.2
        return found

    def stand(
        self,
        seconds: float,
        who: str | None = "ann",
        *,
        encounter: str = "e",
        moving: bool = True,
        with_cup: bool = True,
    ) -> list[Taken]:
        """Somebody stands there, their cup going up and down."""
        taken: list[Taken] = []
        for i in range(round(seconds * 5)):
            y = 330.0 + (45.0 * math.sin(i / 2) if moving else 0.0)
            taken += self.frame([Drinker(encounter, face(), who)], [cup(y=y)] if with_cup else [])
        return taken

    def nobody(self, seconds: float) -> None:
        """Nobody is there."""
        for _ in range(round(seconds * 5)):
            self.frame([], [])

    def phases(self) -> list[str]:
        """What is told now."""
        return [each.phase for each in self.corner.shown(self.now_s)]
