"""What pages say of an event, by its type: each subject has its sentences in a module beside this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch

from appliance.events import Event
from appliance.phrases import lasting

Name = Callable[[str], str | None]
"""An id → what they are called; None: there is no name, or it is not told."""


def nameless(_: str) -> None:
    """Names nothing."""


@dataclass(frozen=True, slots=True)
class Names:
    """Who is who, as far as it may be told.

    Attributes:
        person: Of people who are enrolled.
        operator: Of who signs in.
        token: Labels of tokens.
        screen: Labels of office screens and keypads.
        thing: Names of rules, groups of people and songs, by their ids.
    """

    person: Name
    operator: Name
    token: Name
    screen: Name
    thing: Name = nameless

    def called(self, subject: str) -> str:
        """A person in a sentence."""
        return self.person(subject) or "somebody who is no longer enrolled"

    def who(self, operator: str | None) -> str:
        """An operator in a sentence."""
        return (self.operator(operator) if operator else None) or "somebody"


@singledispatch
def said(event: Event, _: Names) -> str:
    """A type without words of its own; a test sees to it that there is none."""
    return str(getattr(event, "type", "event")).replace("_", " ")


def door_of(event: Event) -> str:
    """The door in a sentence."""
    return f"door {event.door}" if event.door else "the door"


def camera_of(event: Event) -> str:
    """The camera in a sentence."""
    return f"camera {event.camera}" if event.camera else "the camera"


def after(seconds: float | None) -> str:
    """How long it took, where that is known."""
    return f" after {lasting(seconds)}" if seconds is not None else ""


def label(name: str | None) -> str:
    """A name in the middle of a sentence, where there is one."""
    return f", “{name}”," if name else ""


def quoted(name: str | None) -> str:
    """A name at the end of one."""
    return f" “{name}”" if name else ""


def listed(words: Sequence[str]) -> str:
    """Several with commas and an `and`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def count(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
