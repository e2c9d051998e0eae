"""What a look finds, and what becomes of a look that fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from appliance.errors import ApplianceError

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


def found(subject: str, look: Iterator[Finding]) -> Iterator[Finding]:
    """What a look finds; if it fails, be it that a file cannot be read, that is its last finding."""
    try:
        yield from look
    except ApplianceError as error:
        yield Finding(subject, "problem", error.message, error.hint)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        yield Finding(
            subject,
            "problem",
            f"it cannot be looked at: {where}{error.strerror or type(error).__name__}",
            "run this as the user who runs the appliance",
        )
