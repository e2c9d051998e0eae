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
