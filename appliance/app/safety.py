"""The safety report of what is enrolled: the store's gallery and the measured error rates, introduced.

Reads; changes nothing. What is said of it, and to whom, is the commands' business.
"""

from collections.abc import Callable

import numpy as np

from appliance.app.enrolled_faces import scores_between
from appliance.app.error_tables import read_tables
from appliance.decision import ErrorTables
from appliance.decision.rule import WEIGHTS
from appliance.evaluation.leave_one_out import Enrolled, Operating, Rule
from appliance.evaluation.safety import SafetyReport, assess
from appliance.settings import RecognitionSettings
from appliance.store import Store, SubjectState
from appliance.values import EMBEDDING_SIZE, FloatArray, ModelId, ReferenceId, SubjectId


def gallery_safety(
    store: Store,
    recognition: RecognitionSettings,
    *,
    fpir: float | None = None,
    progress: Callable[[int], object] | None = None,
) -> SafetyReport:
    """What the gallery as it is enrolled now risks under these settings.

    Args:
        store: Opened, with a key.
        recognition: Composition, margin, band, and the wanted FPIR.
        fpir: Another wanted FPIR.
        progress: Called with the number of references done since the last call.

    Raises:
        ModelError: The measured error rates are missing or damaged.
        StoreError: The database cannot be read.
    """
    return enrolled_safety(
        read_enrolled(store, recognition.composition),
        recognition,
        read_tables(),
        fpir=fpir,
        progress=progress,
    )


def enrolled_safety(
    enrolled: Enrolled,
    recognition: RecognitionSettings,
    tables: ErrorTables,
    *,
    fpir: float | None = None,
    progress: Callable[[int], object] | None = None,
) -> SafetyReport:
    """The same of a gallery that was read already; see `gallery_safety`."""
    wanted = Rule(recognition.fpir if fpir is None else fpir, recognition.margin, recognition.stranger_band)
    return assess(enrolled, operating(tables, recognition.composition), wanted, progress=progress)


def read_enrolled(store: Store, composition: str) -> Enrolled:
    """The active subjects with their references, as the evaluation takes them.

    Raises:
        StoreError: The database cannot be read.
    """
    weights = WEIGHTS[composition]
    found = store.gallery(tuple(weights))
    faces: dict[tuple[SubjectId, ReferenceId], dict[ModelId, FloatArray]] = {}
    for row in found.rows:
        faces.setdefault((row.subject, row.reference), {})[row.model] = row.embedding
    keys = sorted(key for key, of in faces.items() if len(of) == len(weights))
    subjects = sorted({subject for subject, _ in keys})
    places = {subject: place for place, subject in enumerate(subjects)}
    quality = store.qualities()
    active = [each.id for each in store.subjects() if each.state is SubjectState.ACTIVE]
    rows = {
        model: np.stack([faces[key][model] for key in keys])
        if keys
        else np.empty((0, EMBEDDING_SIZE), np.float32)
        for model in weights
    }

    def scores(block: slice) -> FloatArray:
        return scores_between(weights, {model: of[block] for model, of in rows.items()}, rows)

    return Enrolled(
        subjects=subjects,
        owners=np.array([places[subject] for subject, _ in keys], np.int64),
        references=[reference for _, reference in keys],
        quality=np.array([quality.get(reference, 0.0) for _, reference in keys], np.float64),
        strictness=np.array([found.strictness.get(subject, 1.0) for subject in subjects], np.float64),
        scores=scores,
        without=[subject for subject in active if subject not in places],
    )


def operating(tables: ErrorTables, composition: str) -> Operating:
    """The measured error rates of one composition, as the evaluation asks for them."""

    def at(
        references: int, probes: int, gallery_size: int, fpir: float, *, strictness: float = 1.0
    ) -> tuple[float, float | None]:
        point = tables.operating_point(
            composition,
            references=references,
            probes=probes,
            gallery_size=gallery_size,
            fpir=fpir,
            strictness=strictness,
        )
        return point.threshold, point.fnmr

    return at
