"""What coffee corners show at this moment, asked of the loop for as long as somebody looks.

One conversation with the loop for all screens, and none while none looks. It knows people by opaque ids; what
they are called on a screen is for who shows it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import structlog

from appliance.errors import ApplianceError
from appliance.wire import Client
from appliance.wire.messages import CoffeePerson, CoffeeTold, WatchCoffee

_log = structlog.get_logger()

_WAIT_S: Final = 1.0
"""For how long the loop is asked to wait: so long it may take to stop."""
_PAUSE_S: Final = 1.0
"""Seconds before the loop is asked again after it was away."""
_LOOKED_S: Final = 60.0
"""For how long the loop is asked after somebody looked."""

Ask = Callable[[WatchCoffee], CoffeeTold]


@dataclass(frozen=True, slots=True)
class Heard:
    """What corners show, and when that was heard.

    Attributes:
        number: Counts what was heard.
        people: Of whom.
        at_s: When, monotonic seconds.
    """

    number: int = 0
    people: tuple[CoffeePerson, ...] = ()
    at_s: float = 0.0


def asking(loop: Client) -> Ask:
    """Asks the loop at its socket; raises ApplianceError where it cannot."""
    return lambda question: loop.call(question, CoffeeTold, timeout_s=question.wait_s + 5.0).message


class CoffeeLine:
    """The conversation.

    Args:
        ask: Asks the loop.
        told: Called whenever something else is shown; returns at once.
        seconds: A monotonic clock.
    """

    def __init__(
        self, ask: Ask, told: Callable[[], None], *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._told = told
        self._seconds = seconds
        self._changed = threading.Condition()
        self._until_s = float("-inf")
        self._closed = False
        self._heard = Heard()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start the thread that asks."""
        self._thread = threading.Thread(target=self._run, name="coffee-line", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; a question that is under way is not waited for."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def now(self) -> Heard:
        """What is shown; asking goes on for a minute from now."""
        with self._changed:
            self._until_s = self._seconds() + _LOOKED_S
            self._changed.notify_all()
            return self._heard

    def _run(self) -> None:
        state = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._seconds() < self._until_s)
                if self._closed:
                    return
            try:
                told = self._ask(WatchCoffee(after=state, wait_s=_WAIT_S))
            except ApplianceError as error:
                if state:
                    _log.info("coffee_line_pauses", error=type(error).__name__)
                state = 0
                self._hear(())
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, _PAUSE_S)
                continue
            state = told.state
            self._hear(told.people)

    def _hear(self, people: tuple[CoffeePerson, ...]) -> None:
        before = self._heard
        if _what(people) == _what(before.people):
            return
        with self._changed:
            self._heard = Heard(before.number + 1, people, self._seconds())
        self._told()


def _what(people: tuple[CoffeePerson, ...]) -> list[tuple[str, str]]:
    return [(each.key, each.phase) for each in people]
