"""Unlocking for tests: what holds when a lock may open, each thing made wrong, and locks that take note."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance.actions.locks import Opening
from appliance.actions.unlock_policy import Decided, Now, Person, PinWord, Reason, Strictly, Terms
from appliance.errors import ActionError

MORNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ANN = "01900000-0000-7000-8000-00000000000a"
BEN = "01900000-0000-7000-8000-00000000000b"


@dataclass(frozen=True)
class Case:
    """Everything a lock's policy is asked with.

    Attributes:
        strictly: None: cannot be recomputed.
        person: None: not known.
        pin: What the PIN says.
    """

    terms: Terms
    decided: Decided
    strictly: Strictly | None
    person: Person | None
    now: Now
    pin: PinWord

    def but(self, part: str, **changes: Any) -> "Case":
        """The same with something of a part otherwise."""
        return replace(self, **{part: replace(getattr(self, part), **changes)})


def fine(policy: Any = "face_and_pin", age_s: float = 0.5) -> Case:
    """Ann, recognised half a second ago, with her PIN: a lock that opens."""
    return Case(
        Terms(policy, "box", "front", "entrance", sees_in_time=True, decision_s=3.0, open_at=lambda _: True),
        Decided(ANN, "confirmed", "box", "entrance", "front", MORNING, 100.0),
        Strictly(identified=True, subject=ANN, score=0.6, threshold=0.4, margin=0.3, margin_wanted=0.1),
        Person(active=True, agreed=True, undisputed=True),
        Now(MORNING + timedelta(seconds=age_s), 100.0 + age_s),
        PinWord.FITS,
    )


WRONG: dict[str, tuple[Callable[[Case], Case], Reason]] = {
    "policy off": (lambda c: c.but("terms", policy="off"), Reason.OFF),
    "policy unknown": (lambda c: c.but("terms", policy="anything"), Reason.OFF),
    "nobody recognised": (lambda c: c.but("decided", subject=None), Reason.NO_DECISION),
    "another box's": (lambda c: c.but("decided", device="other"), Reason.OTHER_DEVICE),
    "another camera": (lambda c: c.but("decided", camera="yard"), Reason.OTHER_CAMERA),
    "no camera": (lambda c: c.but("decided", camera=None), Reason.OTHER_CAMERA),
    "another door": (lambda c: c.but("decided", door="back"), Reason.OTHER_DOOR),
    "camera looks too late": (lambda c: c.but("terms", sees_in_time=False), Reason.SEES_TOO_LATE),
    "a greeting": (lambda c: c.but("decided", grade="greeting"), Reason.NOT_CONFIRMED),
    "a final word": (lambda c: c.but("decided", grade="final"), Reason.NOT_CONFIRMED),
    "no grade": (lambda c: c.but("decided", grade=None), Reason.NOT_CONFIRMED),
    "too old by the wall": (
        lambda c: c.but("now", wall=c.decided.at + timedelta(seconds=3.01)),
        Reason.TOO_OLD,
    ),
    "too old by the machine": (lambda c: c.but("now", monotonic_s=103.01), Reason.TOO_OLD),
    "wall clock set back": (
        lambda c: c.but("now", wall=c.decided.at - timedelta(seconds=1)),
        Reason.CLOCK,
    ),
    "machine started anew": (lambda c: c.but("now", monotonic_s=5.0), Reason.CLOCK),
    "no frame": (lambda c: c.but("decided", frame_s=None), Reason.CLOCK),
    "not recomputed": (lambda c: replace(c, strictly=None), Reason.NOT_RECOMPUTED),
    "somebody else leads": (lambda c: c.but("strictly", subject=BEN), Reason.OTHER_PERSON),
    "below the stricter threshold": (lambda c: c.but("strictly", score=0.399), Reason.LOW_SCORE),
    "score is no number": (lambda c: c.but("strictly", score=float("nan")), Reason.LOW_SCORE),
    "margin too small": (lambda c: c.but("strictly", margin=0.09), Reason.SMALL_MARGIN),
    "contradicted within": (lambda c: c.but("strictly", identified=False), Reason.OTHER_PERSON),
    "person not known": (lambda c: replace(c, person=None), Reason.NOT_KNOWN),
    "disputed since": (lambda c: c.but("person", undisputed=False), Reason.CONTRADICTED),
    "paused": (lambda c: c.but("person", active=False), Reason.NOT_ACTIVE),
    "did not agree": (lambda c: c.but("person", agreed=False), Reason.NO_CONSENT),
    "outside hours": (lambda c: c.but("terms", open_at=lambda _: False), Reason.OUTSIDE_HOURS),
}
"""Every single condition, made wrong by itself, with the reason that is then said; the PIN's stand below."""

WRONG_PINS = {
    PinWord.NONE: Reason.NO_PIN,
    PinWord.WRONG: Reason.PIN_WRONG,
    PinWord.NOT_SET: Reason.PIN_NOT_SET,
    PinWord.PAUSED: Reason.PIN_PAUSED,
}


@dataclass
class NotingLock:
    """A lock that notes what it was told, and fails if it shall: implements `LockDriver`."""

    fails: bool = False
    told: list[Opening] = field(default_factory=list)
    closed: bool = False

    def open(self, opening: Opening) -> None:
        """Note it."""
        if self.fails or self.closed or opening.left_s <= 0:
            raise ActionError("the lock does not answer", permanent=True)
        self.told.append(opening)

    def close(self) -> None:
        """Open nothing any more."""
        self.closed = True
