"""A line on the screens: asked for in the log, once, with whom it is about."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from stores import OPENED, identified

from appliance.actions.screen import ScreenAction
from appliance.errors import ActionError, StoreFullError
from appliance.events import Event, ScreenAsked


class Log:
    """Keeps what is appended, or is full."""

    def __init__(self, *, full: bool = False) -> None:
        self.events: list[Event] = []
        self._full = full

    def append(self, event: Event) -> object:
        """Keep it."""
        if self._full:
            raise StoreFullError("the disk is full")
        self.events.append(event)
        return event


@dataclass(frozen=True)
class Handed:
    """A delivery as dispatch hands it over."""

    event: Event
    parameters: dict[str, Any] = field(default_factory=lambda: {"version": 3, "number": 1, "seconds": 8.0})
    event_id: str = "e1"
    rule: str | None = "r1"
    deadline: datetime | None = None


def test_a_line_is_asked_for_in_the_log() -> None:
    """Where in the rule it stands, whom it is about by id, and which event brought it about."""
    log = Log()
    ScreenAction(log).perform(Handed(identified("ann")))
    ScreenAction(log).perform(Handed(OPENED))

    about = {"rule": "r1", "rule_version": 3, "number": 1, "seconds": 8.0, "cause": "e1"}
    assert [
        ScreenAsked(**about, subject="ann"),
        ScreenAsked(**about, door=OPENED.door, camera=OPENED.camera),
    ] == log.events


def test_a_line_is_not_in_the_log() -> None:
    """What an admin writes may name people, and the chain forgets nothing; not even if it is handed over."""
    log = Log()
    ScreenAction(log).perform(
        Handed(OPENED, {"version": 3, "number": 1, "seconds": 8.0, "text": "hello Ann Archer"})
    )

    assert "Archer" not in log.events[0].model_dump_json()


PLACE = {"version": 3, "number": 1}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"text": "x", "seconds": 8},
        PLACE,
        {**PLACE, "seconds": "soon"},
        {**PLACE, "number": -1, "seconds": 8},
    ],
)
def test_what_is_no_line_is_a_fault_for_good(parameters: dict[str, Any]) -> None:
    """Trying again cannot help."""
    with pytest.raises(ActionError) as caught:
        ScreenAction(Log()).perform(Handed(OPENED, parameters))

    assert caught.value.permanent


def test_a_log_that_takes_nothing_is_said() -> None:
    """With the store's own words."""
    with pytest.raises(ActionError, match="the disk is full"):
        ScreenAction(Log(full=True)).perform(Handed(OPENED))
