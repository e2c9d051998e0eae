"""From what the appliance told of made-up encounters to figures with intervals.

Counts and rates only; what was seen and told comes from `encounters`. One wrong name in any part of an
encounter and at any grade makes it a wrong name, whatever else was said. Intervals are by bootstrap over
people, who come several times each (`appliance.evaluation.rates`); Wilson's over encounters stand beside
them, as if each were of somebody else.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
from encounters import Seen, Shift, Told
from encounters_enrolment import Enrolled

from appliance.evaluation.rates import Rate, plain_rate, repeated_rate

GRADES = ("greeting", "confirmed", "final")


class Outcome(StrEnum):
    """What the appliance made of an encounter."""

    NAMED = "named"
    """By the right name."""
    WRONG = "wrong name"
    UNDECIDED = "undecided"
    STRANGER = "stranger"
    NOTHING = "nothing said"
    """At this grade."""
    UNSEEN = "no good frame"
    """Failure to acquire: no frame of them was good enough to be embedded."""
    JOINED = "in another's encounter"
    """Their frames went into the encounter of somebody else, decided or not."""


@dataclass(frozen=True)
class Judged:
    """An encounter with its outcome at each grade.

    Attributes:
        seen: What came of it before any decision.
        mated: They are enrolled.
        outcomes: By grade, and `ever` for all grades together.
        encounters: In how many of the appliance's encounters it was decided.
        told: What was said of them.
    """

    seen: Seen
    mated: bool
    outcomes: Mapping[str, Outcome]
    encounters: int
    told: tuple[Told, ...]


def judged(shifts: Iterable[Shift], enrolled: Enrolled) -> list[Judged]:
    """Every encounter with what was said of it, by number."""
    mated = set(enrolled.subjects.values())
    by_walk: dict[int, list[Told]] = defaultdict(list)
    seen: list[Seen] = []
    for shift in shifts:
        seen += shift.seen
        for told in shift.told:
            by_walk[told.walk].append(told)
    found = []
    for each in sorted(seen, key=lambda s: s.walk):
        told = by_walk.get(each.walk, [])
        outcomes = {grade: _outcome(each, [t for t in told if t.grade == grade], grade) for grade in GRADES}
        outcomes["ever"] = _outcome(each, told, "ever")
        found.append(
            Judged(each, each.person in mated, outcomes, len({t.encounter for t in told}), tuple(told))
        )
    return found


def _outcome(seen: Seen, told: Sequence[Told], grade: str) -> Outcome:
    named = {t.named for t in told if t.named is not None}
    if named - {seen.person}:
        return Outcome.WRONG
    if named:
        return Outcome.NAMED
    verdicts = {t.verdict for t in told}
    if "stranger" in verdicts:
        return Outcome.STRANGER
    if verdicts:
        return Outcome.UNDECIDED
    if grade in {"greeting", "confirmed"}:
        return Outcome.NOTHING
    # Near and never looked at: the loop took them for somebody whom it had confirmed.
    overlooked = seen.near > 0 and seen.sampled == 0
    return Outcome.JOINED if seen.good or overlooked else Outcome.UNSEEN


def summary(enrolled: Enrolled, shifts: Sequence[Shift], seed: int) -> dict[str, object]:
    """All figures of a run, ready for JSON."""
    all_judged = judged(shifts, enrolled)
    told = [t for shift in shifts for t in shift.told]
    groups = {
        "mated": [j for j in all_judged if j.mated],
        "impostor": [j for j in all_judged if not j.mated],
    }
    tracks = _tracks(shifts)
    return {
        "seed": seed,
        "encounters": len(all_judged),
        "people": {
            "enrolled": len(enrolled.subjects),
            "impostors": sum(not p.mated for p in enrolled.people),
        },
        "enrolment": {
            "references": sum(enrolled.references.values()),
            "photos_cropped": enrolled.cropped,
            "photos_refused": [{"person": who, "reasons": reasons} for who, reasons in enrolled.refused],
            "failures_to_enrol": enrolled.failed,
        },
        "frames": sum(shift.frames for shift in shifts),
        "faces_of_nobody": sum(shift.faces_of_nobody for shift in shifts),
        "counts": {
            kind: {
                grade: dict(Counter(j.outcomes[grade].value for j in group)) for grade in (*GRADES, "ever")
            }
            for kind, group in groups.items()
        },
        "rates": _rates(groups, seed),
        "tracking": {
            **tracks,
            "encounters_split": sum(j.encounters > 1 for j in all_judged),
            "decisions_mixed": sum(len(t.shows) > 1 for t in told),
            "mixed_named": sum(len(t.shows) > 1 and t.named is not None for t in told),
            "decisions_of_nobody": sum(t.walk < 0 for t in told),
            "nobody_named": sum(t.walk < 0 and t.named is not None for t in told),
        },
        "what_if": {
            "decisions": len(told),
            "reproduced": sum(shift.reproduced for shift in shifts),
            "differing": [each for shift in shifts for each in shift.differing],
        },
        "wrong": [_wrong(j) for j in all_judged if j.outcomes["ever"] is Outcome.WRONG],
    }


def _wrong(judged: Judged) -> dict[str, object]:
    """Evidence of a wrong name."""
    return {
        "person": judged.seen.person,
        "photo": judged.seen.photo,
        "walk": judged.seen.walk,
        "mated": judged.mated,
        "told": [asdict(t) for t in judged.told],
    }


def _tracks(shifts: Sequence[Shift]) -> dict[str, int]:
    """How faces were followed: people whose track broke, tracks that show several people."""
    broken = swapped = 0
    for shift in shifts:
        of_track: dict[int, int] = Counter()
        for seen in shift.seen:
            broken += len(seen.tracks) > 1
            of_track.update(seen.tracks.keys())
        swapped += sum(walks > 1 for walks in of_track.values())
    return {"walks_of_several_tracks": broken, "tracks_of_several_walks": swapped}


MEASURES: Mapping[str, tuple[str, Outcome]] = {
    "mated_named": ("mated", Outcome.NAMED),
    "mated_undecided": ("mated", Outcome.UNDECIDED),
    "mated_stranger": ("mated", Outcome.STRANGER),
    "mated_wrong": ("mated", Outcome.WRONG),
    "mated_unseen": ("mated", Outcome.UNSEEN),
    "mated_joined": ("mated", Outcome.JOINED),
    "impostor_stranger": ("impostor", Outcome.STRANGER),
    "impostor_undecided": ("impostor", Outcome.UNDECIDED),
    "impostor_wrong": ("impostor", Outcome.WRONG),
    "impostor_unseen": ("impostor", Outcome.UNSEEN),
    "impostor_joined": ("impostor", Outcome.JOINED),
}
"""Rates in the summary → of whom, and which outcome. Over all grades: a wrong greeting is a wrong name."""


def _rates(groups: Mapping[str, Sequence[Judged]], seed: int) -> dict[str, dict[str, object]]:
    found = {name: _rate(groups[kind], outcome, seed) for name, (kind, outcome) in MEASURES.items()}
    everybody = [*groups["mated"], *groups["impostor"]]
    found["wrong"] = _rate(everybody, Outcome.WRONG, seed)
    return found


def _rate(group: Sequence[Judged], outcome: Outcome, seed: int) -> dict[str, object]:
    """One rate with both intervals."""
    hits = np.array([j.outcomes["ever"] is outcome for j in group], np.bool_)
    people = np.array([j.seen.person for j in group], np.int64)
    alone, repeated = plain_rate(int(hits.sum()), len(hits)), repeated_rate(hits, people, seed=seed)
    return {"over_people": asdict(repeated), "over_encounters": asdict(alone), "words": words(repeated)}


def words(rate: Rate) -> str:
    """A rate for people."""
    return f"{rate.count} of {rate.trials}: {rate.words}"


def table(found: Mapping[str, object]) -> str:
    """The counts as a table for people, GitHub's Markdown."""
    counts = found["counts"]
    lines = [
        "| | named | undecided | stranger | nothing said | no good frame | in another's | **wrong name** |"
    ]
    lines.append("|---|" + "---:|" * 7)
    order = (
        Outcome.NAMED,
        Outcome.UNDECIDED,
        Outcome.STRANGER,
        Outcome.NOTHING,
        Outcome.UNSEEN,
        Outcome.JOINED,
        Outcome.WRONG,
    )
    for kind in ("mated", "impostor"):
        for grade in (*GRADES, "ever"):
            row = counts[kind][grade]  # type: ignore[index]
            cells = " | ".join(str(row.get(outcome.value, 0)) for outcome in order)
            lines.append(f"| {kind}, {grade} | {cells} |")
    return "\n".join(lines)
