"""Words that pages, the log's sentences and commands share, so that one thing is called one thing.

Pure. What is said of an event is its sentence's business; the text of a consent is `enroll.consent`'s.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

_COUNTED: Final = 120
"""Up to so many people count seconds, and minutes."""


class PurposeWords(NamedTuple):
    """A purpose that somebody may agree to, in words.

    Attributes:
        title: What a form asks.
        what: What somebody agreed to, in a sentence.
        hint: What comes of it.
    """

    title: str
    what: str
    hint: str


PURPOSES: Final[Mapping[str, PurposeWords]] = {
    "identify": PurposeWords(
        "Be recognised at the door",
        "being recognised at the door",
        "Needed: without it nobody is enrolled. Admins see it in the log.",
    ),
    "greet": PurposeWords(
        "Be greeted on the office screen",
        "being greeted on the office screen",
        "By alias or initials, when they come in.",
    ),
    "song": PurposeWords("Have a theme song played", "having a theme song played", "When they come in."),
    "leaderboard": PurposeWords(
        "Appear in the leaderboard",
        "being counted in the leaderboard",
        "Greetings at the door and coffees are counted per day; everybody who looks at the screen sees them.",
    ),
    "unlock": PurposeWords(
        "Have the door unlocked", "having the door unlocked", "Only where an admin has set that up."
    ),
    "last_seen": PurposeWords(
        "Show when they were recognised",
        "others seeing when they were recognised",
        "In the log and live, to viewers as well. Admins see it in any case. Off by default.",
    ),
}


CLIP_ENDS: Final[Mapping[str, str]] = {
    "complete": "its time was over",
    "longest": "a clip becomes no longer; another one goes on",
    "camera_lost": "the camera was lost",
    "camera_changed": "the camera's picture changed; another clip goes on",
    "clock_set": "the clock was set; another clip goes on by the new time",
    "disk_full": "the disk is full, or cannot be written",
    "stopped": "the appliance was stopped",
    "interrupted": "the power failed or the appliance broke off; everything up to then is kept",
    "failed": "it could not be recorded any further",
}
"""Why a clip ended, by the reason in the log."""

NO_CLIP: Final[Mapping[str, str]] = {
    "disk_full": "the disk is full, or cannot be written",
    "camera_lost": "the camera gave no picture",
    "unusable": "nothing can be made of what the camera sends",
    "stopped": "the appliance was stopped",
    "failed": "it could not be recorded",
}
"""Why no clip came of what was wanted, by the reason in the log."""

UNLOCKING: Final[Mapping[str, str]] = {
    "granted": "everything that the lock asks for was so",
    "off": "the lock is off: no admin has chosen what opens it",
    "no_decision": "nobody was recognised",
    "other_device": "another box recognised them",
    "other_camera": "another camera than the one before the lock recognised them",
    "other_door": "they were recognised at another door",
    "sees_too_late": "the camera reads faces once the door is open; it has to look at who approaches",
    "not_confirmed": "they were recognised by too few pictures, or had gone already",
    "clock": "the box's clock was set back, or it is not known how old the pictures are",
    "too_old": "they were recognised too long ago",
    "not_recomputed": "the pictures could not be judged again, as strictly as the lock asks",
    "other_person": "judged as strictly as the lock asks, it could be somebody else",
    "low_score": "not alike enough for this lock",
    "small_margin": "somebody else is nearly as alike",
    "contradicted": "somebody, or the box itself, has said since then that it was not them",
    "not_active": "they are paused or removed",
    "no_consent": "they did not agree to the door being unlocked for them",
    "outside_hours": "outside the lock's hours",
    "no_pin": "no PIN was typed at the keypad",
    "pin_not_set": "they have no PIN",
    "pin_wrong": "the PIN that was typed is not theirs",
    "pin_paused": "their PIN was wrong too often, and is refused for a while, or until they have another one",
    "not_known": "the database could not be asked about them",
}
"""Why a lock was told to open, or was not, by the reason in the log."""


def lasting(seconds: float) -> str:
    """How long something lasted, as people say it: `12 s`, `3 min`, `2.5 h`.

    Args:
        seconds: 0 or more.
    """
    if seconds < _COUNTED:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < _COUNTED else f"{minutes / 60:.1f} h"


def counted(number: int, noun: str) -> str:
    """So many of something: `1 camera`, `2 cameras`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
