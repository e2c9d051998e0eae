"""Coffees: taken, and put right afterwards."""

from typing import Literal

from appliance.events.event import Event


class CoffeeTaken(Event):
    """Somebody who agreed to be counted, or a visitor where visitors are counted, took a coffee."""

    type: Literal["coffee_taken"] = "coffee_taken"
    encounter: str
    """Of who took it; one stay may have several."""
    subject: str | None = None
    visitor: int | None = None
    """Number of somebody who is not enrolled; nothing of them is kept but this number, for a while."""
    label: str = "cup"
    """What was seen: `cup`, `bottle`, …, as the model calls it."""
    score: float = 1.0
    """How certain that was, 0 to 1."""


class CoffeeCorrected(Event):
    """Somebody who knows says whose coffee it was; the newest one of a coffee holds."""

    type: Literal["coffee_corrected"] = "coffee_corrected"
    corrects: str
    """Id of the coffee's event."""
    was_subject: str | None = None
    subject: str | None = None
    """Whose it was; None: nobody's, there was none."""


class CoffeeAdded(Event):
    """An admin counted a coffee that the camera missed."""

    type: Literal["coffee_added"] = "coffee_added"
    subject: str
