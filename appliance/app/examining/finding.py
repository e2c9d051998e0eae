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
        hint: What to do, if anything, for whoever reads it wherever; it names no command.
        command: What to type about it, in words, for a terminal.
        place: Where in the pages it is done: `cameras`, `camera:ID`, `doors`, `door:ID`, `people`, `safety`,
            `recipients`, `log`, or `setting:KEY`; empty for what is done on the machine.
    """

    subject: str
    health: Health
    words: str
    hint: str = ""
    command: str = ""
    place: str = ""

    @property
    def advice(self) -> str:
        """What to do, for a terminal: the hint and what to type."""
        return "; ".join(each for each in (self.hint, self.command) if each)


def _place(subject: str) -> str:
    """Where something is seen to that is of a camera or a door, by what was looked at."""
    kind, _, which = subject.removeprefix("picture of ").rpartition(" ")
    if subject.startswith("picture of ") or kind == "door":
        return f"door:{which}"
    return f"camera:{which}" if kind == "camera" else {"recipients": "recipients"}.get(subject, "")


def found(subject: str, look: Iterator[Finding]) -> Iterator[Finding]:
    """What a look finds; if it fails, be it that a file cannot be read, that is its last finding."""
    try:
        yield from look
    except ApplianceError as error:
        yield Finding(subject, "problem", error.message, error.hint, error.command, _place(subject))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        yield Finding(
            subject,
            "problem",
            f"it cannot be looked at: {where}{error.strerror or type(error).__name__}",
            "run this as the user who runs the appliance",
        )
