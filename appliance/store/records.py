"""What the store hands out and takes: frozen values, no rows and no connections."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any, NamedTuple, Self

from appliance.events import ActionOutcome, Event, Personal, SubjectIdentified
from appliance.settings import ActionSettings, ScreenSettings
from appliance.values import EventId, FloatArray, Grade, ModelId, ReferenceId, SubjectId, Templates

IDENTIFY = "identify"
"""The purpose without which no reference is kept: being recognised at the door."""


LEADERBOARD = "leaderboard"
"""The purpose without which nobody is counted."""
GREETINGS = "greetings"
"""Name of the counter of greetings at the door."""
COFFEES = "coffees"
"""Name of the counter of coffees."""


class SubjectState(StrEnum):
    """Whether a subject is recognised."""

    ACTIVE = "active"
    PAUSED = "paused"
    REMOVED = "removed"


class Delivery(StrEnum):
    """What is promised about an action across a crash."""

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"


class OutboxState(StrEnum):
    """How far an action is; the last four are ends."""

    PENDING = "pending"
    RUNNING = "running"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    """Interrupted, at most once: it may have happened, and is not repeated."""
    EXPIRED = "expired"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append.

    Attributes:
        event: What happened.
        personal: What is personal about it, sealed under its subject's key.
        at: When; None means now, by the store's clock.
    """

    event: Event
    personal: Personal | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in the log.

    Attributes:
        device: In whose chain.
        position: Where in it, from 1, without gaps.
        id: UUIDv7.
        type: As in `appliance.events`; kept when the body was dropped.
        version: Of the type.
        at: When it happened, aware, UTC.
        boot: Which run of the device wrote it.
        event: The event, or None when retention dropped the body or this program cannot read it.
        sealed_for: Whose key seals what is personal about it, if anything is.
        previous: Hash of the event before, 64 hex digits.
        hash: Hash of this one.
        unreadable: The body is there, but this program does not know its type, version or fields.
    """

    device: str
    position: int
    id: EventId
    type: str
    version: int
    at: datetime
    boot: str
    event: Event | None
    sealed_for: SubjectId | None
    previous: str
    hash: str
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Erased:
    """What was personal is gone: the subject was removed and the key destroyed."""

    subject: SubjectId


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which events an action is done on.

    Attributes:
        action: Its id in the outbox.
        on: Event types.
        grade: For decisions, the only grade wanted; None: every one. Other events have no grade.
        delivery: At least or at most once.
        deadline_s: Seconds after the event when it is too late, > 0; for at most once only.
    """

    action: str
    on: frozenset[str]
    grade: str | None
    delivery: Delivery
    deadline_s: float

    @classmethod
    def of(cls, settings: ActionSettings) -> Self:
        """As the settings say."""
        return cls(
            action=settings.id,
            on=frozenset(settings.on),
            grade=settings.grade,
            delivery=Delivery(settings.delivery),
            deadline_s=settings.deadline_s,
        )

    def wants(self, event: Event) -> bool:
        """Whether the event triggers the action.

        A person seen again soon triggers nothing, and no action is triggered by its own
        failure, which would go round for ever.
        """
        if str(getattr(event, "type", "")) not in self.on:
            return False
        if isinstance(event, SubjectIdentified) and event.repeated:
            return False
        if isinstance(event, ActionOutcome) and event.action == self.action:
            return False
        if self.grade is None or not event.graded:
            return True
        return str(getattr(event, "grade", "")) == self.grade


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that is counted where settings say so. Coffees are not: those always are, by `coffees`.

    Attributes:
        name: Of the counter.
        on: The event type that counts; it has a `subject`.
        zone: In whose days; None: those of this machine's clock, which are the office's. (A day of UTC
            would end in the middle of a working day in half of the world.)
    """

    name: str
    on: str
    zone: tzinfo | None = None

    @classmethod
    def of(cls, settings: ScreenSettings) -> tuple[Self, ...]:
        """Those that the settings switch on."""
        if settings.leaderboard == "off":
            return ()
        return (cls(GREETINGS, "subject_identified"),)

    def day(self, at: datetime) -> date:
        """The day that a moment belongs to."""
        return at.astimezone(self.zone).date()

    def wants(self, event: Event) -> bool:
        """Whether an event may count: of a decision the greeting alone, and not that of a repetition."""
        if str(getattr(event, "type", "")) != self.on:
            return False
        return not isinstance(event, SubjectIdentified) or (
            event.grade is Grade.GREETING and not event.repeated
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """How far somebody's counter is.

    Attributes:
        subject: Whose.
        count: At least 1.
    """

    subject: SubjectId
    count: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An action to be done, or done.

    Attributes:
        id: Number for people to name it by.
        event: What triggered it.
        action: Id of the action.
        attempts: How often it was begun, this time included.
        not_before: Not to be tried before.
        deadline: Too late afterwards, if it is promised at most once.
        last_error: Why the last attempt failed; nothing personal.
        idempotency_key: The same for every attempt: for receivers that drop repetitions.
        rule: Whose action it is; None: one of the settings'.
        parameters: What the rule asks for.
    """

    id: int
    event: StoredEvent
    action: str
    delivery: Delivery
    state: OutboxState
    attempts: int
    not_before: datetime
    deadline: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_error: str | None
    idempotency_key: str
    rule: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule as it is kept.

    Attributes:
        id: Opaque.
        place: In which order rules are shown, from 0.
        enabled: Whether it does anything.
        version: Counts its changes, from 1.
        body: Canonical JSON; the room `rules` reads it.
    """

    id: str
    place: int
    enabled: bool
    version: int
    body: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Song:
    """A song of the library, without its audio.

    Attributes:
        licence: Under which it may be played, or whence it is; may be empty.
        seconds: How long it lasts.
        media_type: Of the audio.
        sha256: Of the audio.
    """

    id: str
    title: str
    licence: str
    seconds: float
    media_type: str
    sha256: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RuleActivity:
    """What a rule did lately.

    Attributes:
        fired: On how many events, at least 1.
        last: When the newest of them happened, aware.
    """

    fired: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """Several people under one label.

    Attributes:
        members: Ids of those who are in it, in order.
    """

    id: str
    label: str
    members: tuple[SubjectId, ...]


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody's yes.

    Attributes:
        purposes: To what: `identify`, and whatever the app names besides; at least one.
        text_version: Which wording they saw.
        given_by: Who recorded it, or how it was given; sealed, since it may be a name.
        given_at: When; None means now.
    """

    purposes: tuple[str, ...]
    text_version: str
    given_by: str
    given_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptConsent:
    """A consent in the database; `given_by` is None where it cannot be opened or was erased."""

    id: str
    subject: SubjectId
    purposes: tuple[str, ...]
    text_version: str
    given_by: str | None
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subject:
    """An enrolled person.

    Attributes:
        id: Opaque.
        state: Active, paused or removed.
        name: None when removed, when this process holds no key, or when it is damaged.
        initials: What a small screen shows; None likewise.
        created_at: When they were enrolled.
        changed_at: When something about them last changed.
        purposes: What they agreed to and did not take back, sorted.
        references: How many references are kept.
        strictness: By what a stranger's wanted false-match rate with this person is divided, 1 to 1,000;
            1 is the ordinary threshold.
        alias: What the office screen calls them instead of initials; None: nothing else.
    """

    id: SubjectId
    state: SubjectState
    name: str | None
    initials: str | None
    created_at: datetime
    changed_at: datetime
    purposes: tuple[str, ...]
    references: int
    strictness: float = 1.0
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Something a subject is recognised by.

    Attributes:
        models: The models it has a template of, sorted.
        quality: 0 to 100.
        details: Where it came from, as given at enrolment; None when this process holds no key.
    """

    id: ReferenceId
    subject: SubjectId
    created_at: datetime
    quality: float
    models: tuple[ModelId, ...]
    details: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class NewReference:
    """A reference to keep.

    Attributes:
        face: One template per model, at least one.
        quality: Of the face sample, 0 to 100.
        details: Where it came from (a photo's sha256, the camera); sealed.
    """

    face: Templates
    quality: float
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge moved.

    Attributes:
        subject: Who was kept, as they are now.
        references: References taken over.
        consents: Consents taken over, those withdrawn included.
        erased: Whether nothing of the other's key is left in the write-ahead log either.
    """

    subject: Subject
    references: int
    consents: int
    erased: bool


class TemplateRow(NamedTuple):
    """One row of the gallery; `embedding` is float32, shape (128,), read-only."""

    subject: SubjectId
    reference: ReferenceId
    model: ModelId
    embedding: FloatArray


@dataclass(frozen=True, slots=True)
class StoredGallery:
    """Everybody who can be recognised, at one moment.

    Attributes:
        version: Of the gallery these rows are.
        rows: Sorted by subject, reference, model.
        damaged: References left out, because a template of theirs does not open; sorted.
        strictness: Of the active subjects whose strictness is not 1, with or without references.
    """

    version: int
    rows: tuple[TemplateRow, ...]
    damaged: tuple[ReferenceId, ...] = ()
    strictness: Mapping[SubjectId, float] = field(default_factory=dict)
