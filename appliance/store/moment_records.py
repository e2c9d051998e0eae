"""Moments as values: what is written, what is asked for, what is found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MOST_LABELS = 32
"""Labels that one document has at most: those of the best scores."""
LABEL_CHARS = 64

By = Literal["label", "camera", "door", "verdict", "kind"]
"""What bars are told apart by."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one frame showed, to be kept.

    Attributes:
        at: When it was taken, aware.
        camera: Whose; empty: not known.
        labels: Label → score, 0 to 1; at least one.
        source: Name of the hosted function that saw it; empty: the box itself.
    """

    at: datetime
    camera: str
    labels: Mapping[str, float]
    source: str = ""


@dataclass(frozen=True, slots=True)
class MomentClip:
    """A clip of video.

    Attributes:
        id: Opaque.
        camera: What it shows.
        begin: Its first picture, aware UTC.
        end: Its end; None: it is being recorded.
    """

    id: str
    camera: str
    begin: datetime
    end: datetime | None

    def shows(self, at: datetime) -> bool:
        """Whether that moment is in it."""
        return self.begin <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Moment:
    """A document.

    Attributes:
        number: Grows with every document that is written; one that changes is written anew.
        id: Stays when it is written anew: of an encounter or an event, else of device and number.
        at: When, aware UTC.
        device: Whose.
        camera: Which; empty: none.
        kind: `seen` (what a frame showed), `encounter` (somebody came by), or the type of an event.
        labels: Label → score, 0 to 1.
        source: Name of the hosted function that saw it; empty: the box itself.
        door: At which, if any.
        verdict: Of an encounter: `identified`, `stranger`, `undecided` or `unknown`.
        subject: Of an encounter: who, by opaque id.
        event: Id of the newest event that it is made of; None: none is in the log.
        clip: The clip that shows it, if one does.
    """

    number: int
    id: str
    at: datetime
    device: str
    camera: str
    kind: str
    labels: Mapping[str, float]
    source: str = ""
    door: str | None = None
    verdict: str | None = None
    subject: str | None = None
    event: str | None = None
    clip: MomentClip | None = None


@dataclass(frozen=True, slots=True)
class MomentsWanted:
    """Which moments of this device.

    Attributes:
        since: Those at or after this moment, aware; None: all.
        until: Those before it.
        labels: Those that have one of these; empty: any.
        min_percent: Those whose label (without labels: whose best) has this score at least, in hundredths.
        cameras: Those of these; empty: any.
        doors: Likewise.
        verdicts: Likewise, of encounters.
        kinds: Likewise; `seen` is none of them.
        subject: Encounters with this person.
    """

    since: datetime | None = None
    until: datetime | None = None
    labels: tuple[str, ...] = ()
    min_percent: int = 0
    cameras: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    subject: str | None = None

    @property
    def of_the_log(self) -> bool:
        """Whether only what came of the log can be meant."""
        return bool(self.doors or self.verdicts or self.kinds or self.subject is not None)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many moments there were.

    Attributes:
        start: Of which span of time, aware UTC.
        key: What they are told apart by; empty: nothing, or they have none.
        many: At least 1.
    """

    start: datetime
    key: str
    many: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far something is.

    Attributes:
        name: `log`, `kept`, or a sink's.
        position: Of what it follows.
        many: What it counts.
        trouble: What is in its way, in words; None: nothing.
        changed_at: When that was written, aware UTC.
    """

    name: str
    position: int
    many: int
    trouble: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How often a label was seen by a camera.

    Attributes:
        label: Which.
        camera: By which.
        many: At least 1.
        last: Beginning of the last quarter of an hour with one, aware UTC.
    """

    label: str
    camera: str
    many: int
    last: datetime
