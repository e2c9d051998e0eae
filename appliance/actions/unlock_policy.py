"""Whether a lock is told to open. Pure: what is known comes in, one word goes out; nothing is opened here.

Everything has to hold, and what is not known does not hold. The order is that in which a reason helps most:
first what makes the question void, then who it is, then the PIN, which is looked at last so that nothing is
learned of it by whom the door would not open for anyway.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

LATE_FRAME_S = 0.25
"""A decision may be so much younger than no time at all: clocks are read one after the other."""


class Reason(StrEnum):
    """Why a lock was not told to open: the first condition that failed; `granted`: none did."""

    GRANTED = "granted"
    OFF = "off"
    NO_DECISION = "no_decision"
    OTHER_DEVICE = "other_device"
    OTHER_CAMERA = "other_camera"
    OTHER_DOOR = "other_door"
    SEES_TOO_LATE = "sees_too_late"
    NOT_CONFIRMED = "not_confirmed"
    CLOCK = "clock"
    TOO_OLD = "too_old"
    NOT_RECOMPUTED = "not_recomputed"
    OTHER_PERSON = "other_person"
    LOW_SCORE = "low_score"
    SMALL_MARGIN = "small_margin"
    CONTRADICTED = "contradicted"
    NOT_ACTIVE = "not_active"
    NO_CONSENT = "no_consent"
    OUTSIDE_HOURS = "outside_hours"
    NO_PIN = "no_pin"
    PIN_NOT_SET = "pin_not_set"
    PIN_WRONG = "pin_wrong"
    PIN_PAUSED = "pin_paused"
    NOT_KNOWN = "not_known"


class PinWord(StrEnum):
    """What came of the PIN at the paired keypad, as far as this decision's person is concerned."""

    NONE = "none"
    FITS = "fits"
    WRONG = "wrong"
    NOT_SET = "not_set"
    PAUSED = "paused"


_PIN_REASONS = {
    PinWord.NONE: Reason.NO_PIN,
    PinWord.WRONG: Reason.PIN_WRONG,
    PinWord.NOT_SET: Reason.PIN_NOT_SET,
    PinWord.PAUSED: Reason.PIN_PAUSED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lock asks for; from its settings.

    Attributes:
        policy: Chosen by an admin.
        device: This box.
        door: Which the lock is of.
        camera: Which sees who stands before it.
        sees_in_time: Faces are read on that camera while the door is shut.
        decision_s: How old a decision may be, seconds.
        open_at: Whether a moment is within the lock's hours.
    """

    policy: Literal["off", "face_and_pin", "face_alone"]
    device: str
    door: str
    camera: str
    sees_in_time: bool
    decision_s: float
    open_at: Callable[[datetime], bool]


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision that is to open the lock, as the log has it.

    Attributes:
        subject: Who was recognised; None: nobody.
        grade: Of the decision.
        device: In whose log it stands.
        camera: By which.
        door: At which; None: at none in particular.
        at: When, aware.
        frame_s: When its last frame was taken, seconds of the machine's monotonic clock; None: unknown.
    """

    subject: str | None
    grade: str | None
    device: str
    camera: str | None
    door: str | None
    at: datetime
    frame_s: float | None


@dataclass(frozen=True, slots=True)
class Strictly:
    """The same frames judged again, for the share of strangers that the lock accepts.

    Attributes:
        identified: Whether anybody is recognised at all, judged so.
        subject: Who leads.
        score: Theirs.
        threshold: The stricter one.
        margin: Lead over the second person; None: there is none.
        margin_wanted: What the lock asks for.
    """

    identified: bool
    subject: str
    score: float
    threshold: float
    margin: float | None
    margin_wanted: float


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of whom it is about, at this moment.

    Attributes:
        active: Enrolled, not paused.
        agreed: To doors being unlocked for them.
        undisputed: Nothing said of the same stay since then says otherwise.
    """

    active: bool
    agreed: bool
    undisputed: bool


@dataclass(frozen=True, slots=True)
class Now:
    """This moment.

    Attributes:
        wall: Aware.
        monotonic_s: Of the same clock that frames are stamped with.
    """

    wall: datetime
    monotonic_s: float


def judge(
    terms: Terms,
    decided: Decided,
    strictly: Strictly | None,
    person: Person | None,
    now: Now,
) -> Reason:
    """What keeps the lock shut, the PIN left aside.

    Args:
        terms: The lock's.
        decided: What it rests on.
        strictly: Recomputed; None: that cannot be done.
        person: Whom it names; None: not known.
        now: This moment.
    """
    if terms.policy not in ("face_and_pin", "face_alone"):
        return Reason.OFF
    for found in (_of_the_place(terms, decided), age(terms, decided, now), _of_the_face(decided, strictly)):
        if found is not Reason.GRANTED:
            return found
    if person is None:
        return Reason.NOT_KNOWN
    asked = (
        (not person.undisputed, Reason.CONTRADICTED),
        (not person.active, Reason.NOT_ACTIVE),
        (not person.agreed, Reason.NO_CONSENT),
        (not terms.open_at(now.wall), Reason.OUTSIDE_HOURS),
    )
    return next((reason for fails, reason in asked if fails), Reason.GRANTED)


def judge_pin(terms: Terms, word: PinWord) -> Reason:
    """What the PIN says, where one is asked for."""
    if terms.policy == "face_alone":
        return Reason.GRANTED
    if terms.policy == "face_and_pin" and word is PinWord.FITS:
        return Reason.GRANTED
    return _PIN_REASONS.get(word, Reason.NO_PIN)


def age(terms: Terms, decided: Decided, now: Now) -> Reason:
    """Whether the decision is young enough, by both clocks; asked again just before the lock is told.

    A wall clock that was set back would make an old decision young: the machine's own clock does not go back,
    and one that began anew with the machine says that the frame is of the future.
    """
    wall_s = (now.wall - decided.at).total_seconds()
    if decided.frame_s is None:
        return Reason.CLOCK
    frame_s = now.monotonic_s - decided.frame_s
    if wall_s < -LATE_FRAME_S or frame_s < -LATE_FRAME_S:
        return Reason.CLOCK
    return Reason.GRANTED if max(wall_s, frame_s) <= terms.decision_s else Reason.TOO_OLD


def _of_the_place(terms: Terms, decided: Decided) -> Reason:
    """What the event itself says."""
    asked = (
        (decided.subject is None, Reason.NO_DECISION),
        (decided.device != terms.device, Reason.OTHER_DEVICE),
        (decided.camera != terms.camera, Reason.OTHER_CAMERA),
        # A camera that sees several doors says which one; before a door that is shut it may say none.
        (decided.door not in (None, terms.door), Reason.OTHER_DOOR),
        (not terms.sees_in_time, Reason.SEES_TOO_LATE),
        (decided.grade != "confirmed", Reason.NOT_CONFIRMED),
    )
    return next((reason for fails, reason in asked if fails), Reason.GRANTED)


def _of_the_face(decided: Decided, strictly: Strictly | None) -> Reason:
    """What the recomputed decision says."""
    if strictly is None:
        return Reason.NOT_RECOMPUTED
    if strictly.subject != decided.subject:
        return Reason.OTHER_PERSON
    # Written so that what is not a number is no more than the threshold.
    if not strictly.score >= strictly.threshold:
        return Reason.LOW_SCORE
    if strictly.margin is not None and not strictly.margin >= strictly.margin_wanted:
        return Reason.SMALL_MARGIN
    return Reason.GRANTED if strictly.identified else Reason.OTHER_PERSON
