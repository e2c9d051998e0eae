"""What every view is handed: the desk, the clock, where our processes' sockets lie, and when to stop.

Made once with the application and never changed.
"""

import threading
from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from appliance.clock import Clock
from web.desk import DeskCalls
from web.feed import Feed
from web.guesses import Guesses
from web.seats import Seats
from web.shown_once import ShownOnce
from web.views import Views

EXTENSION = "appliance"
"""Where the application keeps it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whatever lies around the pages.

    Attributes:
        desk: Carries out operations.
        feed: What happens, as it happens.
        seats: Who looks at streams.
        views: What is looked at.
        shown_once: What is shown to who made it, and never again.
        guesses: Who presents tokens that are none.
        run: The folder of our processes' sockets; None where there are none (some tests).
        clock: The clocks.
        host: What is listened at.
        names: Under which it is reached, besides the machine's own.
        proxied: A proxy stands before it.
        strict: Browsers are told never to come without TLS again.
        stopping: Set when the server stops; every stream looks at it and ends.
    """

    desk: DeskCalls
    feed: Feed
    seats: Seats
    run: Path | None
    clock: Clock
    stopping: threading.Event
    views: Views
    shown_once: ShownOnce
    guesses: Guesses
    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()
    proxied: bool = False
    strict: bool = False


def surroundings() -> Surroundings:
    """Those of the application that answers this request."""
    found: Surroundings = current_app.extensions[EXTENSION]
    return found
