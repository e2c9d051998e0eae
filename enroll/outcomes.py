"""What became of everybody in an import: counted, as a table for people, and as JSON with stable names."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from appliance import private_files
from appliance.errors import InputError
from appliance.values import SubjectId
from enroll.photos import Verdict
from enroll.roster import FAULTS, Entry, Roster
from enroll.telling import Names, verdict_json, verdict_lines

Ended = Literal["enrolled", "extended", "unchanged", "refused"]


@dataclass(slots=True)
class Outcome:
    """What became of one person.

    Attributes:
        entry: Who.
        subject: Their id; None: they are not enrolled.
        fault: Why nothing of theirs was looked at, by code of `enroll.roster.FAULTS`, or in words.
        verdicts: Of their pictures.
        already: Pictures that were theirs before; no refusal.
    """

    entry: Entry
    subject: SubjectId | None = None
    fault: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    already: int = 0

    @property
    def accepted(self) -> int:
        """New references."""
        return sum(verdict.accepted for verdict in self.verdicts)

    @property
    def refused(self) -> list[Verdict]:
        """Pictures that did not become references, and were not theirs already."""
        return [
            verdict
            for verdict in self.verdicts
            if not verdict.accepted and not (verdict.same_as is not None and verdict.same_as == self.subject)
        ]

    @property
    def ended(self) -> Ended:
        """How."""
        if self.subject is None:
            return "refused"
        if not self.accepted:
            return "unchanged"
        return "extended" if self.already else "enrolled"


def outcomes_json(roster: Roster, outcomes: list[Outcome], names: Names) -> dict[str, Any]:
    """Everything, with stable names."""
    return {
        "people": [
            {
                "name": outcome.entry.name,
                "subject": outcome.subject,
                "ended": outcome.ended,
                "fault": outcome.fault,
                "accepted": outcome.accepted,
                "already": outcome.already,
                "refused": len(outcome.refused),
                "photos": [verdict_json(verdict, names) for verdict in outcome.verdicts],
            }
            for outcome in outcomes
        ],
        "enrolled": sum(outcome.ended == "enrolled" for outcome in outcomes),
        "accepted": sum(outcome.accepted for outcome in outcomes),
        "already": sum(outcome.already for outcome in outcomes),
        "refused": sum(len(outcome.refused) + bool(outcome.fault) for outcome in outcomes),
        "not_reached": len(roster.entries) - len(outcomes),
        "files_beside": roster.beside,
    }


def table(roster: Roster, outcomes: list[Outcome], names: Names) -> Iterator[str]:
    """A line per person, and below it what was refused and why."""
    width = max([len("person"), *(len(outcome.entry.name) for outcome in outcomes)])
    yield f"{'person':<{width}}  {'':<9}  accepted  already  refused"
    for outcome in outcomes:
        counts = f"{outcome.accepted:>8}  {outcome.already:>7}  {len(outcome.refused):>7}"
        yield f"{outcome.entry.name:<{width}}  {outcome.ended:<9}  {counts}"
        if outcome.fault:
            yield f"    {FAULTS.get(outcome.fault, outcome.fault)}"
        for verdict in outcome.refused:
            for line in verdict_lines(verdict, names):
                yield f"    {line}"
    total = outcomes_json(roster, outcomes, names)
    yield (
        f"{total['enrolled']} enrolled, {total['accepted']} reference(s) added, "
        f"{total['already']} there already, {total['refused']} refused"
    )
    if roster.beside:
        yield f"{roster.beside} file(s) beside the folders belong to nobody and were not looked at"
    if total["not_reached"]:
        yield f"stopped; {total['not_reached']} person(s) not reached: run it again to go on"


def write(path: Path, said: dict[str, Any]) -> None:
    """Write the report for its owner's eyes.

    Raises:
        InputError: It cannot be written; everybody is enrolled all the same.
    """
    try:
        private_files.replace(path, json.dumps(said, indent=1).encode())
    except OSError as error:
        raise InputError(
            f"the report could not be written: {error.strerror}", hint="what it says stands above"
        ) from error
