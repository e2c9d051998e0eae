"""What a look finds."""

from dataclasses import dataclass
from typing import Literal

Health = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is.

    Attributes:
        subject: What was looked at.
        health: ok, note (works, worth knowing) or problem.
        words: What was found.
        hint: What to do, if anything.
    """

    subject: str
    health: Health
    words: str
    hint: str = ""
