"""What is said of an event, by its type: each subject's words are a module beside this, and register here."""

from collections.abc import Callable
from functools import singledispatch

from appliance.events import Event

SHORT = 6
"""Digits of an id that are shown: UUIDv7s made together differ in their ends only."""

Call = Callable[[str], str]
"""Somebody's id → what to call them."""


@singledispatch
def said(event: Event, _call: Call) -> str:
    """A type without words of its own: its name has to do."""
    return str(getattr(event, "type", "event")).replace("_", " ")


def place(event: Event) -> str:
    """At which door, or by which camera; empty where neither is known."""
    if event.door:
        return f" at {event.door}"
    return f" by camera {event.camera}" if event.camera else ""


def count(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
