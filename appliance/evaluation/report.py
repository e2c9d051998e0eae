"""What an evaluation found, as values and as JSON with stable names; `page` puts it into words.

Measures nothing and reads nothing. Holds counts and rates only: neither a file's name nor a
person's gets in here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from appliance.evaluation.rates import CONFIDENCE, Rate

Agreement = Literal["inside", "below", "above", "not measured"]


@dataclass(frozen=True, slots=True)
class Row:
    """One composition with one number of references and of probes.

    Attributes:
        composition: How scores are put together.
        references: Of each person enrolled.
        probes: Of each search.
        table: References and probes of the error table that gave the threshold; fewer than asked
            for where none was measured, which makes the threshold stricter than it had to be.
        threshold: What the appliance sets for the wanted FPIR at this gallery size.
        extrapolated: The tables do not reach so far.
        fpir: Measured at that threshold.
        fnir: Measured at that threshold and rank one.
        predicted_fnir: What the tables say of a mated comparison; None beyond them.
        measured_threshold: The lowest at which the wanted FPIR is kept in these searches; None
            where they are too few to tell.
        measured_fnir: There; None likewise.
    """

    composition: str
    references: int
    probes: int
    table: tuple[int, int]
    threshold: float
    extrapolated: bool
    fpir: Rate
    fnir: Rate
    predicted_fnir: float | None
    measured_threshold: float | None
    measured_fnir: Rate | None

    def agreement(self, wanted: float) -> Agreement:
        """Where the measured FPIR's interval lies, seen from the wanted rate."""
        if self.fpir.value is None:
            return "not measured"
        if self.fpir.upper < wanted:
            return "below"
        return "above" if self.fpir.lower > wanted else "inside"

    @property
    def fewer(self) -> bool:
        """The threshold comes from a table of fewer photos."""
        return self.table != (self.references, self.probes)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the whole rule says, margin and stranger band included, each as a share of searches.

    Attributes:
        composition: How scores are put together.
        references: Of each person enrolled.
        probes: Of each search.
        named: Of the enrolled: by their own name.
        undecided: Of the enrolled.
        stranger: Of the enrolled, taken for strangers.
        wrong: Of the enrolled, by another's name.
        strangers_named: Of the strangers: taken for somebody.
        strangers_undecided: Of the strangers.
        strangers_stranger: Of the strangers.
    """

    composition: str
    references: int
    probes: int
    named: Rate
    undecided: Rate
    stranger: Rate
    wrong: Rate
    strangers_named: Rate
    strangers_undecided: Rate
    strangers_stranger: Rate


@dataclass(frozen=True, slots=True)
class Impossible:
    """A row that the photos do not allow.

    Attributes:
        references: Of each person enrolled.
        probes: Of each search.
        photos_needed: Of each person enrolled.
        people_with_enough: How many have them.
    """

    references: int
    probes: int
    photos_needed: int
    people_with_enough: int


@dataclass(frozen=True, slots=True)
class Material:
    """What was measured with.

    Attributes:
        people: Folders.
        people_used: With at least one usable photo.
        files: Pictures found in them.
        used: Of these, compared.
        several_faces: Of the used, those that show more than one face; the largest was taken.
        unusable: Reason code → number of pictures left out: failures to enrol and to acquire.
        every_face: Faces that enrolment refuses were used all the same.
        unreadable_folders: People whose folder cannot be read; nothing of theirs is among the files.
    """

    people: int
    people_used: int
    files: int
    used: int
    several_faces: int
    unusable: Mapping[str, int]
    every_face: bool
    unreadable_folders: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation.

    Attributes:
        date: Day it was made, ISO 8601.
        models: Model id → sha256 of the weights.
        material: What was measured with.
        unusable: Share of the pictures that could not be used.
        enrolled: N.
        strangers: M.
        rounds: Random splits.
        verdict_rounds: Of these, those that the whole rule was tried on.
        seed: Of splits and intervals.
        replicates: Of the bootstrap.
        fpir: Wanted.
        margin: The rule's, for the verdicts.
        stranger_band: The rule's, for the verdicts.
        rows: Measured.
        verdicts: By the whole rule.
        impossible: What more photos would allow.
    """

    date: str
    models: Mapping[str, str]
    material: Material
    unusable: Rate
    enrolled: int
    strangers: int
    rounds: int
    verdict_rounds: int
    seed: int
    replicates: int
    fpir: float
    margin: float
    stranger_band: float
    rows: tuple[Row, ...]
    verdicts: tuple[Verdicts, ...]
    impossible: tuple[Impossible, ...]


def as_json(report: Report) -> dict[str, Any]:
    """With stable names; rates are shares, 0 to 1."""
    return {
        "date": report.date,
        "models": dict(report.models),
        "photos": {
            "people": report.material.people,
            "people_used": report.material.people_used,
            "files": report.material.files,
            "used": report.material.used,
            "several_faces": report.material.several_faces,
            "unreadable_folders": report.material.unreadable_folders,
            "unusable": dict(report.material.unusable),
            "unusable_rate": rate_json(report.unusable),
            "every_face": report.material.every_face,
        },
        "enrolled": report.enrolled,
        "strangers": report.strangers,
        "rounds": report.rounds,
        "verdict_rounds": report.verdict_rounds,
        "seed": report.seed,
        "replicates": report.replicates,
        "confidence": CONFIDENCE,
        "wanted_fpir": report.fpir,
        "margin": report.margin,
        "stranger_band": report.stranger_band,
        "rows": [
            {
                "composition": row.composition,
                "references": row.references,
                "probes": row.probes,
                "table": list(row.table),
                "threshold": round(row.threshold, 6),
                "extrapolated": row.extrapolated,
                "fpir": rate_json(row.fpir),
                "fnir": rate_json(row.fnir),
                "predicted_fnir": None if row.predicted_fnir is None else round(row.predicted_fnir, 6),
                "wanted_fpir_is": row.agreement(report.fpir),
                "measured": None
                if row.measured_threshold is None or row.measured_fnir is None
                else {"threshold": round(row.measured_threshold, 6), "fnir": rate_json(row.measured_fnir)},
            }
            for row in report.rows
        ],
        "verdicts": [
            {
                "composition": each.composition,
                "references": each.references,
                "probes": each.probes,
                "enrolled": {
                    "named": rate_json(each.named),
                    "undecided": rate_json(each.undecided),
                    "stranger": rate_json(each.stranger),
                    "wrong": rate_json(each.wrong),
                },
                "strangers": {
                    "named": rate_json(each.strangers_named),
                    "undecided": rate_json(each.strangers_undecided),
                    "stranger": rate_json(each.strangers_stranger),
                },
            }
            for each in report.verdicts
        ],
        "not_possible": [
            {
                "references": each.references,
                "probes": each.probes,
                "photos_needed": each.photos_needed,
                "people_with_enough": each.people_with_enough,
            }
            for each in report.impossible
        ],
    }


def rate_json(rate: Rate) -> dict[str, Any]:
    """A rate with its interval; shares, 0 to 1."""
    return {
        "rate": None if rate.value is None else round(rate.value, 6),
        "lower": round(rate.lower, 6),
        "upper": round(rate.upper, 6),
        "count": rate.count,
        "searches": rate.trials,
        "people": rate.people,
        "interval": rate.method,
    }
