"""Whether a rule fires on an event, and if not, why not. Pure: no clock, no database, nothing is done.

The same function judges an event as it is written, a week of the past in a dry run, and "try on me"; so what
those show is what would have happened. First come the conditions that need nothing but the event, then who
is in which group, then what the rule did before.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol

from appliance.events import Event
from appliance.rules.rule import Rule
from appliance.weekly import within


class Reason(StrEnum):
    """Why a rule did not fire, in the order in which it is asked; the first that holds is said."""

    FIRES = "fires"
    OTHER_EVENT = "other_event"
    OTHER_GRADE = "other_grade"
    REPETITION = "repetition"
    OTHER_PERSON = "other_person"
    NOT_IN_GROUP = "not_in_group"
    OTHER_DOOR = "other_door"
    OTHER_CAMERA = "other_camera"
    OTHER_THING = "other_thing"
    LOW_SCORE = "low_score"
    OUTSIDE_HOURS = "outside_hours"
    NOT_FIRST_TODAY = "not_first_today"
    COOLING_DOWN = "cooling_down"


class Past(Protocol):
    """What is asked about besides the event."""

    def groups(self, subject: str) -> Collection[str]:
        """Ids of the groups that somebody is in."""

    def fired(self, about: str) -> datetime | None:
        """When this rule last fired about the same on this device; None: never."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What rules look at of an event.

    Attributes:
        type: Of the event.
        grade: Of a decision; None otherwise.
        repeated: Somebody was seen again soon after they were here.
        subject: Whom it is about.
        door: At which.
        camera: By which.
        label: What thing.
        score: How certain that is.
    """

    type: str
    grade: str | None = None
    repeated: bool = False
    subject: str | None = None
    door: str | None = None
    camera: str | None = None
    label: str | None = None
    score: float = 1.0

    @property
    def about(self) -> str:
        """Whom or what a cool-down is about: the person, the thing at its camera, the door, or nothing."""
        if self.subject is not None:
            return self.subject
        if self.label is not None:
            return f"{self.camera or ''}:{self.label}"[:64]
        return (self.door or self.camera or "")[:64]


def fact(event: Event) -> Fact:
    """What rules look at of an event."""
    grade = getattr(event, "grade", None)
    return Fact(
        type=str(getattr(event, "type", "")),
        grade=None if grade is None else str(grade),
        repeated=bool(getattr(event, "repeated", False)),
        subject=getattr(event, "subject", None),
        door=event.door,
        camera=event.camera,
        label=getattr(event, "label", None),
        score=float(getattr(event, "score", 1.0)),
    )


def judge(rule: Rule, what: Fact, at: datetime, past: Past, zone: tzinfo | None = None) -> Reason:
    """Whether a rule fires.

    Args:
        rule: It.
        what: Of the event.
        at: When it happened, aware.
        past: Groups, and what the rule did before.
        zone: In whose hours and days; None: those of this machine's clock.
    """
    outside = _of_the_event(rule, what)
    if outside is not None:
        return outside
    when = rule.when
    if (when.people or when.groups) and not _named(rule, what, past):
        return Reason.NOT_IN_GROUP if when.groups else Reason.OTHER_PERSON
    if when.hours and not within([each.span for each in when.hours], at, zone):
        return Reason.OUTSIDE_HOURS
    return _of_the_past(rule, what, at, past, zone)


def _of_the_past(rule: Rule, what: Fact, at: datetime, past: Past, zone: tzinfo | None) -> Reason:
    """What the rule did before holds it up, or it fires."""
    when = rule.when
    last = past.fired(what.about) if when.first_of_day or when.cool_down_s > 0 else None
    if last is None:
        return Reason.FIRES
    # One that fired on a later day, or later than now, did so before the clock was set back: that holds
    # nothing up.
    if when.first_of_day and last.astimezone(zone).date() == at.astimezone(zone).date():
        return Reason.NOT_FIRST_TODAY
    if timedelta(0) <= at - last < timedelta(seconds=when.cool_down_s):
        return Reason.COOLING_DOWN
    return Reason.FIRES


def _of_the_event(rule: Rule, what: Fact) -> Reason | None:
    """The first condition that the event alone fails; None: none."""
    when = rule.when
    asked = (
        (what.type != rule.on, Reason.OTHER_EVENT),
        (what.grade is not None and what.grade != rule.grade, Reason.OTHER_GRADE),
        (what.repeated and not rule.repeats, Reason.REPETITION),
        (bool(when.doors) and what.door not in when.doors, Reason.OTHER_DOOR),
        (bool(when.cameras) and what.camera not in when.cameras, Reason.OTHER_CAMERA),
        (bool(when.labels) and what.label not in when.labels, Reason.OTHER_THING),
        (what.score < when.least_score, Reason.LOW_SCORE),
    )
    return next((reason for fails, reason in asked if fails), None)


def _named(rule: Rule, what: Fact, past: Past) -> bool:
    """Whether the person is one of the rule's, by name or by group."""
    if what.subject is None:
        return False
    if what.subject in rule.when.people:
        return True
    return bool(rule.when.groups) and not set(rule.when.groups).isdisjoint(past.groups(what.subject))


@dataclass(frozen=True, slots=True)
class MemoryPast:
    """A past that is told, for dry runs; remembers what `fire` says.

    Attributes:
        members: Subject → groups.
        firings: About whom or what → when last.
    """

    members: Mapping[str, Collection[str]]
    firings: dict[str, datetime]

    def groups(self, subject: str) -> Collection[str]:
        """Of one person."""
        return self.members.get(subject, ())

    def fired(self, about: str) -> datetime | None:
        """When last."""
        return self.firings.get(about)

    def fire(self, about: str, at: datetime) -> None:
        """It fires now."""
        self.firings[about] = at
