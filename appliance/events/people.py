"""Who is enrolled, and what they agreed to."""

from typing import Literal

from appliance.events.event import Event


class SubjectChanged(Event):
    """Somebody was enrolled, renamed, paused, resumed or removed."""

    type: Literal[
        "subject_enrolled", "subject_renamed", "subject_paused", "subject_resumed", "subject_removed"
    ]
    subject: str


class SubjectMerged(Event):
    """Two enrolments were of one person: `subject` took over what `merged` had, who is removed."""

    type: Literal["subject_merged"] = "subject_merged"
    subject: str
    merged: str


class StrictnessChanged(Event):
    """How many times rarer than usual a stranger may be taken for this person."""

    type: Literal["subject_strictness_changed"] = "subject_strictness_changed"
    subject: str
    strictness: float
    """1 is the ordinary threshold; 10 asks for a tenth of the false matches."""


class ReferenceChanged(Event):
    """A reference was added to a subject or removed."""

    type: Literal["reference_added", "reference_removed"]
    subject: str
    reference: str
    models: tuple[str, ...] = ()


class ConsentChanged(Event):
    """A consent was given or withdrawn."""

    type: Literal["consent_given", "consent_withdrawn"]
    subject: str
    purposes: tuple[str, ...]
    text_version: str
