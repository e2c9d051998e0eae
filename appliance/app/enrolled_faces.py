"""Everybody enrolled, to hold new pictures against: copies, look-alikes, pictures of somebody else.

Introduces the store's gallery and the measured error rates to enrolment. Compares as the loop does, reference
by reference; opens no picture, and asks nobody anything.
"""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from appliance.app.embedding import ENROLLED_MODELS
from appliance.decision import ErrorTables
from appliance.decision.rule import WEIGHTS
from appliance.matching.gallery import EUCLIDEAN
from appliance.settings import RecognitionSettings
from appliance.store import Store
from appliance.values import EMBEDDING_SIZE, FloatArray, Likeness, ModelId, SubjectId, Templates

COPY_LIMIT = 0.80
"""Fused score from which on two files are taken for one picture. On 100 people of LFW none of 600 pairs of
different photos of one person reaches it (the highest is 0.788), and of 1,400 copies, re-encoded down to JPEG
quality 20, halved, cropped, brightened, gray or turned, 95 % do (`tests/benchmarks/measure_near_copies.py`).
Pictures taken in one burst may reach it, too; the second of those teaches nothing new."""

VERIFY_FMR = 0.001
"""Share of somebody else's pictures that would pass as this person's. By the tables, 1.2 % of a person's own
then fall below with one reference, and fewer with more; those are asked about, not lost."""


class EnrolledFaces:
    """The references of everybody enrolled, those paused included; grows while people are added.

    Args:
        recognition: Composition and wanted FPIR.
        tables: Measured error rates.
    """

    copy_limit = COPY_LIMIT

    def __init__(self, recognition: RecognitionSettings, tables: ErrorTables) -> None:
        self._recognition = recognition
        self._tables = tables
        self._subjects: list[SubjectId] = []
        self._places: dict[SubjectId, int] = {}
        self._owners: NDArray[np.int64] = np.empty(0, np.int64)
        self._rows: dict[ModelId, FloatArray] = {
            model: np.empty((0, EMBEDDING_SIZE), np.float32) for model in ENROLLED_MODELS
        }

    @classmethod
    def of(cls, store: Store, recognition: RecognitionSettings, tables: ErrorTables) -> Self:
        """Those of a store; a reference that lacks a model, or has a damaged template, is left out.

        Raises:
            StoreError: It cannot be read.
        """
        made = cls(recognition, tables)
        faces: dict[tuple[SubjectId, str], dict[ModelId, FloatArray]] = {}
        for row in store.gallery(ENROLLED_MODELS, paused=True).rows:
            faces.setdefault((row.subject, row.reference), {})[row.model] = row.embedding
        whole = {key: found for key, found in faces.items() if len(found) == len(ENROLLED_MODELS)}
        made._append([subject for subject, _ in whole], list(whole.values()))
        return made

    def __len__(self) -> int:
        """How many people have references."""
        return len(self._subjects)

    def add(self, subject: SubjectId, faces: Sequence[Templates]) -> None:
        """Somebody was given references."""
        found = [{model: face[model].embedding for model in ENROLLED_MODELS} for face in faces]
        self._append([subject] * len(found), found)

    def copy_of(self, face: Templates) -> SubjectId | None:
        """Whose reference was made from the same picture, or None."""
        scores = scores_between(WEIGHTS["fused"], _stacked([face]), self._rows)[0]
        best = int(scores.argmax()) if len(scores) else -1
        if best < 0 or scores[best] < COPY_LIMIT:
            return None
        return self._subjects[int(self._owners[best])]

    def alike(self, face: Templates, besides: SubjectId | None) -> tuple[Likeness, ...]:
        """Everybody, `besides` one, whose identification threshold the face reaches; most alike first."""
        means, counts = self._means(face)
        size = max(1, len(self._subjects))
        thresholds = np.array([self._threshold(int(count), size, self._recognition.fpir) for count in counts])
        found = [
            Likeness(self._subjects[place], float(means[place]), float(thresholds[place]))
            for place in np.flatnonzero(means >= thresholds)
            if self._subjects[place] != besides
        ]
        return tuple(sorted(found, key=lambda each: (-each.score, each.subject)))

    def own(self, subject: SubjectId, face: Templates) -> tuple[float, float] | None:
        """Score against one person's references, and the verification threshold; None: they have none."""
        place = self._places.get(subject)
        if place is None:
            return None
        means, counts = self._means(face)
        return float(means[place]), self._threshold(int(counts[place]), 1, VERIFY_FMR)

    def pairs(self, faces: Sequence[Templates]) -> tuple[FloatArray, FloatArray, float]:
        """How alike faces are, as pictures and as people, float32 (n, n) each; the verification threshold."""
        rows = _stacked(faces)
        as_pictures = scores_between(WEIGHTS["fused"], rows, rows)
        as_people = scores_between(WEIGHTS[self._recognition.composition], rows, rows)
        return as_pictures, as_people, self._threshold(1, 1, VERIFY_FMR)

    def between(self, one: SubjectId, other: SubjectId) -> tuple[float, float] | None:
        """Mean score of two people's references, and the verification threshold; None: one has none."""
        if one not in self._places or other not in self._places:
            return None
        mine, theirs = (np.flatnonzero(self._owners == self._places[who]) for who in (one, other))
        weights = WEIGHTS[self._recognition.composition]
        scores = scores_between(
            weights,
            {model: rows[mine] for model, rows in self._rows.items()},
            {model: rows[theirs] for model, rows in self._rows.items()},
        )
        return float(scores.mean()), self._threshold(len(theirs), 1, VERIFY_FMR, probes=len(mine))

    def _means(self, face: Templates) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Mean score per person, and how many references it is over."""
        weights = WEIGHTS[self._recognition.composition]
        scores = scores_between(weights, _stacked([face]), self._rows)[0]
        counts = np.bincount(self._owners, minlength=len(self._subjects))
        sums = np.bincount(self._owners, weights=scores, minlength=len(self._subjects))
        return sums / np.maximum(counts, 1), counts

    def _threshold(self, references: int, size: int, fpir: float, *, probes: int = 1) -> float:
        return self._tables.operating_point(
            self._recognition.composition,
            references=max(1, references),
            probes=probes,
            gallery_size=size,
            fpir=fpir,
        ).threshold

    def _append(self, owners: Sequence[SubjectId], faces: Sequence[Mapping[ModelId, FloatArray]]) -> None:
        if not faces:
            return
        for owner in owners:
            if owner not in self._places:
                self._places[owner] = len(self._subjects)
                self._subjects.append(owner)
        self._owners = np.append(self._owners, [self._places[owner] for owner in owners])
        for model, rows in self._rows.items():
            self._rows[model] = np.concatenate([rows, np.stack([face[model] for face in faces])])


def scores_between(
    weights: Mapping[ModelId, float], probes: Mapping[ModelId, FloatArray], rows: Mapping[ModelId, FloatArray]
) -> FloatArray:
    """A composition's score of every probe with every row, as the gallery compares them.

    Args:
        weights: Of the composition.
        probes: Per model float32 (k, 128).
        rows: Per model float32 (n, 128).

    Returns:
        float32 (k, n); higher is more alike.
    """
    total: FloatArray | None = None
    for model, weight in sorted(weights.items()):
        one, other = probes[model], rows[model]
        found: FloatArray = one @ other.T
        if model in EUCLIDEAN:
            squares = np.einsum("ij,ij->i", one, one)[:, None] + np.einsum("ij,ij->i", other, other)[None, :]
            found = -np.sqrt(np.maximum(squares - 2 * found, 0))
        found *= np.float32(weight)
        total = found if total is None else np.add(total, found, out=total)
    if total is None:
        raise ValueError("a composition needs at least one model")
    return total


def _stacked(faces: Sequence[Templates]) -> dict[ModelId, FloatArray]:
    """Per model float32 (n, 128)."""
    return {
        model: np.stack([face[model].embedding for face in faces])
        if faces
        else np.empty((0, EMBEDDING_SIZE), np.float32)
        for model in ENROLLED_MODELS
    }
