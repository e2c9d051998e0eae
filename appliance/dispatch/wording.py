"""Events in words for people: pure functions from an event to one line of text.

It shows a name only through a callback that it is given; without one, or when it answers
None, a person is called by the end of their id. It neither looks anything up nor writes
anything down. Whatever came from outside is stripped of control characters, so that no name
can move a terminal's cursor.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo

from appliance.dispatch import said_changed, said_clips, said_done, said_hosted, said_searched, said_seen
from appliance.dispatch.said import SHORT, said
from appliance.events import Event
from appliance.values import SubjectId
from appliance.writing import legible

Names = Callable[[SubjectId], str | None]
"""The name to show for a subject, or None for none."""

SUBJECTS = (said_changed, said_clips, said_done, said_hosted, said_searched, said_seen)
"""Whose words are registered."""


def line(event: Event, at: datetime, names: Names | None = None, zone: tzinfo | None = None) -> str:
    """One line without its end: local time as HH:MM:SS, then what happened.

    Args:
        event: What happened.
        at: When, aware.
        names: The name to show for a subject; None shows ids only.
        zone: Time zone of the clock shown; None is this machine's.
    """
    return f"{at.astimezone(zone):%H:%M:%S}  {describe(event, names)}"


def describe(event: Event, names: Names | None = None) -> str:
    """What happened, in words, on one line; see `line`."""
    doer = f" (by {event.by[-SHORT:]})" if event.by is not None else ""
    return plain(said(event, lambda subject: person(subject, names)) + doer)


def person(subject: str, names: Names | None = None) -> str:
    """A subject's name, or the end of the id: UUIDv7s made together differ in their ends only."""
    name = names(SubjectId(subject)) if names else None
    return name or f"person {subject[-SHORT:]}"


def plain(text: str) -> str:
    """Without control characters, so that it cannot move a terminal's cursor."""
    return legible(text)
