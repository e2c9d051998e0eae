"""What a rule says: on which events, under which conditions, which actions. Values only; nothing is decided.

A rule's body is kept as canonical JSON and may have been written by an older or newer program: what does
not fit the model is a `FormError` that says where, and that rule alone does nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Annotated, Any, ClassVar, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from appliance.errors import FormError
from appliance.settings.wording import in_words
from appliance.weekly import WeeklySpan
from appliance.writing import writable

Trigger = Literal[
    "subject_identified",
    "stranger_seen",
    "door_opened",
    "door_shut",
    "door_held_open",
    "object_seen",
    "coffee_taken",
]
TRIGGERS: Final[tuple[str, ...]] = get_args(Trigger)
"""Event types that rules are about; new ones go to the end."""

MOST_ACTIONS: Final = 8
MOST_LISTED: Final = 500
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
"""Of a person, a group, a song, a camera: never text that a person typed."""

Target = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""Of something in the settings; with the kind before it the outbox takes no more characters than these."""


class _Part(BaseModel):
    """Frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Hours(_Part):
    """A time of some days of the week, by the box's own clock; one that ends before it begins ends tomorrow.

    Attributes:
        days: 0 is Monday; each begins a span.
        start: `HH:MM`, included.
        end: `HH:MM`, not included; the same as `start`: a whole day.
    """

    days: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(min_length=1, max_length=7)]
    start: str = "00:00"
    end: str = "00:00"

    @field_validator("start", "end")
    @classmethod
    def _clock(cls, text: str) -> str:
        if not _CLOCK.match(text):
            raise ValueError("a time is written HH:MM, from 00:00 to 23:59")
        return text

    @property
    def span(self) -> WeeklySpan:
        """As a value."""
        days = frozenset(self.days)
        return WeeklySpan(days, time.fromisoformat(self.start), time.fromisoformat(self.end))


class Conditions(_Part):
    """What has to be so besides the event; what is empty asks nothing, and all that is there has to hold.

    Attributes:
        grade: Of decisions: which; None: the confirmed one.
        people: Any of these.
        groups: Anybody in one of these.
        doors: At any of these.
        cameras: By any of these.
        labels: Any of these things.
        least_score: Of a thing, 0 to 1.
        hours: Within any of these.
        first_of_day: Only the first time on a day that the rule would fire about the same person, thing or
            door.
        cool_down_s: Seconds after it fired in which it does not fire again about the same.
        repetitions: Also when somebody is seen again soon after they were here, who is not greeted again.
    """

    grade: Literal["greeting", "confirmed", "final"] | None = None
    people: Annotated[tuple[Id, ...], Field(max_length=MOST_LISTED)] = ()
    groups: Annotated[tuple[Id, ...], Field(max_length=MOST_LISTED)] = ()
    doors: Annotated[tuple[Id, ...], Field(max_length=MOST_LISTED)] = ()
    cameras: Annotated[tuple[Id, ...], Field(max_length=MOST_LISTED)] = ()
    labels: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=100)
    ] = ()
    least_score: Annotated[float, Field(ge=0, le=1)] = 0.0
    hours: Annotated[tuple[Hours, ...], Field(max_length=14)] = ()
    first_of_day: bool = False
    cool_down_s: Annotated[float, Field(ge=0, le=7 * 86400)] = 0.0
    repetitions: bool = False


class _Action(_Part):
    """What all actions have.

    Attributes:
        delivery: What is promised of it across a crash.
        target: Which setting it needs, if it needs one.
    """

    delivery: ClassVar[Literal["at_least_once", "at_most_once"]] = "at_least_once"
    deadline_s: ClassVar[float] = 30.0

    @property
    def lane(self) -> str:
        """Its name in the outbox: what has the same name is done one after the other."""
        return str(getattr(self, "kind"))  # noqa: B009 - each kind has its own type

    def parameters(self) -> dict[str, Any]:
        """What whoever does it is told."""
        return self.model_dump(mode="json", exclude={"kind"})


class PlaySong(_Action):
    """Play a song: the person's own, or a certain one.

    Attributes:
        song: `theme` or the id of a song.
        output: `box`, `screen`, `mqtt`, `webhook:ID` or `home_assistant:ENTITY`.
    """

    delivery: ClassVar[Literal["at_least_once", "at_most_once"]] = "at_most_once"
    deadline_s: ClassVar[float] = 10.0
    kind: Literal["song"] = "song"
    song: Id = "theme"
    output: Id = "box"


class ShowOnScreen(_Action):
    """Show a line on the office screens.

    Attributes:
        text: `{alias}` stands for what the person is called there.
    """

    delivery: ClassVar[Literal["at_least_once", "at_most_once"]] = "at_most_once"
    kind: Literal["screen"] = "screen"
    text: str = Field(min_length=1, max_length=120)
    seconds: Annotated[float, Field(ge=2, le=60)] = 8.0

    def parameters(self) -> dict[str, Any]:
        """Without the text, which stays in the rule: what is asked for goes into the log, for good."""
        return self.model_dump(mode="json", exclude={"kind", "text"})

    @field_validator("text")
    @classmethod
    def _legible(cls, text: str) -> str:
        if not text.strip() or not writable(text):
            raise ValueError("a line of text is needed, without line breaks")
        if _PLACEHOLDER.search(text.replace("{alias}", "")):
            raise ValueError("a line takes {alias}, for what the person is called, and no other {…}")
        return text.strip()


class CallWebhook(_Action):
    """Post the event to one of the settings' webhooks."""

    kind: Literal["webhook"] = "webhook"
    webhook: Target

    @property
    def lane(self) -> str:
        """Each webhook its own."""
        return f"webhook:{self.webhook}"


class PublishMqtt(_Action):
    """Publish the event on a topic of its own.

    Attributes:
        topic: What follows the box's own prefix and `rules/`.
    """

    kind: Literal["mqtt"] = "mqtt"
    topic: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}(/[A-Za-z0-9_-]{1,32}){0,3}$")


class Unlock(_Action):
    """Open a lock, if its own policy allows it, which says for itself how old a decision may be."""

    delivery: ClassVar[Literal["at_least_once", "at_most_once"]] = "at_most_once"
    deadline_s: ClassVar[float] = 5.0
    kind: Literal["unlock"] = "unlock"
    lock: Target

    @property
    def lane(self) -> str:
        """Each lock its own."""
        return f"unlock:{self.lock}"


class RunCommand(_Action):
    """Run a command that stands in the settings; none can be written here."""

    kind: Literal["command"] = "command"
    command: Target

    @property
    def lane(self) -> str:
        """Each command its own."""
        return f"command:{self.command}"


class RecordVideo(_Action):
    """Record a clip; while one of the camera is being recorded it is extended.

    Attributes:
        camera: Which; empty: the one that saw what happened.
        seconds: Of video after that; None: as the settings of video say.
    """

    delivery: ClassVar[Literal["at_least_once", "at_most_once"]] = "at_most_once"
    deadline_s: ClassVar[float] = 20.0
    kind: Literal["record"] = "record"
    camera: Target | Literal[""] = ""
    seconds: Annotated[float, Field(ge=5, le=600)] | None = None


Action = Annotated[
    PlaySong | ShowOnScreen | CallWebhook | PublishMqtt | Unlock | RunCommand | RecordVideo,
    Field(discriminator="kind"),
]


_KINDS: Final = ("song", "screen", "webhook", "mqtt", "unlock", "command", "record")


class Rule(_Part):
    """A rule.

    Attributes:
        name: What an admin calls it; shown on pages, never part of an event.
        on: The event type.
        when: Conditions.
        actions: Done in this order, each by itself.
    """

    name: str = Field(min_length=1, max_length=64)
    on: Trigger
    when: Conditions = Conditions()
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=MOST_ACTIONS)]

    @field_validator("name")
    @classmethod
    def _legible(cls, name: str) -> str:
        if not name.strip() or not writable(name):
            raise ValueError("a name of visible characters is needed")
        return name.strip()

    @model_validator(mode="after")
    def _check(self) -> Self:
        about_people = self.on in ("subject_identified", "coffee_taken")
        if (self.when.people or self.when.groups) and not about_people:
            raise ValueError("people and groups can be asked for where the event is about a person")
        if self.when.labels and self.on not in ("object_seen", "coffee_taken"):
            raise ValueError("labels can be asked for where the event is about a thing")
        if any(isinstance(action, Unlock) for action in self.actions):
            if self.on != "subject_identified":
                raise ValueError("a lock opens for somebody who was recognised, and on nothing else")
            if self.when.grade == "greeting":
                raise ValueError("a lock opens for a confirmed decision: a greeting rests on one picture")
            if self.when.grade == "final":
                raise ValueError("a lock opens for a confirmed decision: the final one comes too late")
        return self

    @property
    def repeats(self) -> bool:
        """Whether it is about somebody seen again soon after they were here, too.

        One that opens a lock and does nothing else is: whoever tries again is there again.
        """
        return self.when.repetitions or all(isinstance(action, Unlock) for action in self.actions)

    @property
    def grade(self) -> str:
        """The grade it is about, for decisions."""
        return self.when.grade or "confirmed"

    def body(self) -> str:
        """As it is kept: canonical JSON."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )


def parse_rule(body: str | bytes | Mapping[str, Any]) -> Rule:
    """Read a rule that somebody wrote, or that was kept.

    Raises:
        FormError: It is no rule; says where, and never what was written there.
    """
    try:
        if isinstance(body, str | bytes):
            return Rule.model_validate_json(body)
        return Rule.model_validate(body)
    except ValidationError as error:
        fields = _faults(error)
        first, words = next(iter(fields.items()))
        raise FormError(f"that is no rule: {first}: {words}", fields=fields) from None


def _faults(error: ValidationError) -> dict[str, str]:
    """Field → what is wrong with it; of a list only its elements, where the fault is theirs."""
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(_place(fault["loc"])) or "rule"
        if fault["type"].startswith("union_tag"):
            found.setdefault(f"{place}.kind", f"one of these is needed: {', '.join(_KINDS)}")
        elif fault["type"] == "json_invalid":
            found.setdefault(place, "it is not JSON")
        elif not (fault["type"] == "too_short" and any(each.startswith(f"{place}.") for each in found)):
            found.setdefault(place, in_words(fault, Rule))
    return found


def _place(steps: Sequence[int | str]) -> list[str]:
    """A field's path as a form calls it: without the kind of an action, which pydantic puts in between."""
    return [
        str(step)
        for before, step in zip((None, *steps), steps, strict=False)
        if not (isinstance(before, int) and steps[0] == "actions" and step in _KINDS)
    ]
