"""`appliance calibrate`: what a wanted FPIR means for the gallery as enrolled, and whether to believe it.

Introduces the safety report (what the tables promise this gallery) to a check of the tables on the
gallery's own people, and on a folder's. Changes nothing: settings are written by people.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.app.embedded_folder import EmbeddedFolder
from appliance.app.enrolled_faces import scores_between
from appliance.app.error_tables import read_tables
from appliance.app.safety import enrolled_safety, read_enrolled
from appliance.decision import ErrorTables
from appliance.decision.rule import WEIGHTS
from appliance.errors import EnrolmentError
from appliance.evaluation.safety import SafetyReport
from appliance.evaluation.table_check import Check, Pairs, check, nonmated_pairs
from appliance.settings import RecognitionSettings
from appliance.store import Store
from appliance.values import FloatArray


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of the tables on some people.

    Attributes:
        pairs: What was compared.
        checks: One for each rate that so many pairs can show.
    """

    pairs: Pairs
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a wanted FPIR means.

    Attributes:
        composition: That is set.
        wanted: At the wanted FPIR.
        current: At the FPIR that is set.
        gallery: The check on the people enrolled.
        folder: The check on a folder's, if one was given.
    """

    composition: str
    wanted: SafetyReport
    current: SafetyReport
    gallery: Checked
    folder: Checked | None

    @property
    def changes(self) -> bool:
        """Whether the wanted FPIR is another than the one that is set."""
        return self.wanted.rule.fpir != self.current.rule.fpir

    @property
    def fmr(self) -> float:
        """False-match rate of one comparison that the wanted FPIR asks for: FPIR = 1 - (1 - FMR)^N."""
        return -math.expm1(math.log1p(-self.wanted.rule.fpir) / self.wanted.people)


def calibrate(
    store: Store,
    recognition: RecognitionSettings,
    *,
    fpir: float | None = None,
    folder: EmbeddedFolder | None = None,
    seed: int = 1,
) -> Calibration:
    """Look at the gallery, and at a folder's people.

    Args:
        store: Opened, with a key.
        recognition: As set.
        fpir: Wanted, above 0 and below 1; as set by default.
        folder: Embedded photos of other people.
        seed: Of the intervals.

    Raises:
        EnrolmentError: Nobody is enrolled who can be recognised.
        ModelError: The measured error rates are missing or damaged.
        StoreError: The database cannot be read.
    """
    tables = read_tables()
    enrolled = read_enrolled(store, recognition.composition)
    current = enrolled_safety(enrolled, recognition, tables)
    if not current.people:
        raise EnrolmentError(
            "nobody is enrolled, so there is no gallery to calibrate for",
            command='begin with: appliance enroll add "Name" photo.jpg --consent "…"',
        )
    wanted = (
        current
        if fpir in {None, recognition.fpir}
        else enrolled_safety(enrolled, recognition, tables, fpir=fpir)
    )
    composition = recognition.composition
    own = nonmated_pairs(enrolled.owners, enrolled.scores, seed=seed)
    others = None if folder is None else _folder_pairs(folder, composition, seed)
    return Calibration(
        composition,
        wanted,
        current,
        _checked(own, tables, composition, seed),
        None if others is None else _checked(others, tables, composition, seed),
    )


def meaning(calibration: Calibration) -> str:
    """The wanted FPIR in words: so many of so many strangers."""
    fpir, people = calibration.wanted.rule.fpir, calibration.wanted.people
    strangers = next(size for size in _CROWDS if fpir * size >= 1 or size == _CROWDS[-1])
    passing = fpir * strangers
    verb = "would" if passing != 1 else "one would"
    whom = "the one person enrolled" if people == 1 else f"one of the {people:,} people enrolled"
    count = "" if passing == 1 else f"{passing:g} "
    return f"Of {strangers:,} strangers whom the camera sees, {count}{verb} be taken for {whom}."


_CROWDS: Sequence[int] = (100, 1_000, 10_000, 100_000)


def _checked(pairs: Pairs, tables: ErrorTables, composition: str, seed: int) -> Checked:
    def threshold_at(fmr: float) -> float:
        point = tables.operating_point(composition, references=1, probes=1, gallery_size=1, fpir=fmr)
        return point.threshold

    return Checked(pairs, check(pairs, threshold_at, seed=seed))


def _folder_pairs(folder: EmbeddedFolder, composition: str, seed: int) -> Pairs:
    weights = WEIGHTS[composition]
    rows = {model: np.ascontiguousarray(folder.embeddings[model]) for model in weights}

    def scores(block: slice) -> FloatArray:
        return scores_between(weights, {model: of[block] for model, of in rows.items()}, rows)

    return nonmated_pairs(folder.owner, scores, seed=seed)
