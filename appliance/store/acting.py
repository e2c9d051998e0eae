"""Who acts at present, so that what is logged meanwhile says so. Per thread; nothing is checked here."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from appliance.events import Event

_WHO: ContextVar[str | None] = ContextVar("appliance_acting", default=None)


@contextmanager
def acting(by: str | None) -> Iterator[None]:
    """Let every event that this thread appends within the block say who did it.

    A thread that is started within it is another one, and says so itself.

    Args:
        by: Opaque id of an operator or of a token; None: nobody in particular.
    """
    before = _WHO.set(by)
    try:
        yield
    finally:
        _WHO.reset(before)


def stamped(event: Event) -> Event:
    """The event with who acts at present, unless it names somebody itself."""
    who = _WHO.get()
    return event if who is None or event.by is not None else event.model_copy(update={"by": who})
