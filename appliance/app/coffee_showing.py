"""What coffee corners show, from the loop to whoever shows it: told by every frame, asked for by others.

The loop never waits: it says what is to be shown and goes on. Who asks waits for something else to be shown.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from appliance.coffee import Shown
from appliance.pipeline.coffee import shown_person
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import CoffeePerson, CoffeeTold, WatchCoffee

_FIRST: Final = 1
"""The first version: who asks after none is told at once."""


class CoffeeShowing:
    """What all corners of the box show.

    Args:
        seconds: The clock of the cameras' frames, monotonic.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._changed = threading.Condition()
        self._shown: dict[str, tuple[Shown, ...]] = {}
        self._told_s: dict[str, float] = {}
        self._version = _FIRST

    def tell(self, camera: str, shown: Sequence[Shown]) -> None:
        """A camera's frame shows this; called from the camera's loop."""
        now = tuple(shown)
        before = self._shown.get(camera, ())
        if not now and not before:
            return
        with self._changed:
            self._shown[camera] = now
            self._told_s[camera] = self._seconds()
            if _what(now) != _what(before):
                self._version += 1
                self._changed.notify_all()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for the loop's server."""
        return {WatchCoffee: self._watch}

    def _watch(self, request: Request[WatchCoffee]) -> Reply[CoffeeTold]:
        asked = request.message
        with self._changed:
            self._changed.wait_for(lambda: self._version != asked.after, asked.wait_s)
            now_s = self._seconds()
            people = [
                CoffeePerson(
                    key=each.encounter,
                    phase=each.phase,
                    left_s=round(max(0.0, each.left_s - (now_s - self._told_s[camera])), 3),
                    over_s=round(each.until_s - now_s, 3),
                    **shown_person(each.who),
                )
                for camera, shown in sorted(self._shown.items())
                for each in shown
                if each.until_s > now_s
            ]
            return Reply(CoffeeTold(state=self._version, people=tuple(people)))


def _what(shown: Sequence[Shown]) -> list[tuple[str, str, str]]:
    """What there is to be told anew; seconds that run down are not."""
    return [(each.encounter, each.who, each.phase) for each in shown]
