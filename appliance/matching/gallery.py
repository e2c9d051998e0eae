"""The enrolled references, one contiguous matrix per model, searched exactly.

A matrix-vector product runs at memory bandwidth (10,000 rows in 0.2 ms), so there is no
index to build, to tune or to drift apart from the rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from appliance.values import (
    DLIB,
    DLIB_MIRROR,
    EMBEDDING_SIZE,
    FloatArray,
    ModelId,
    ReferenceId,
    SubjectId,
    SubjectScores,
    Templates,
)

EUCLIDEAN = frozenset({DLIB, DLIB_MIRROR})
"""Models compared by Euclidean distance (vectors of varying length); the others by dot product."""


class Reference(NamedTuple):
    """One template of one reference, as the store hands it out."""

    subject: SubjectId
    reference: ReferenceId
    model: ModelId
    embedding: FloatArray


@dataclass(frozen=True, slots=True)
class _Matrix:
    """The references of one model: float32 (n, 128) and half the squared length of each row, (n,)."""

    rows: FloatArray
    half_squares: FloatArray


class Gallery:
    """An immutable set of references; enrolling makes a new one.

    Only references that have a template of every model asked for are searched, so that the
    rows of all matrices stand for the same references.

    Args:
        models: The models that are compared, at least one.
        references: In any order; they are sorted by subject and reference.
        version: The store's gallery version they were read at.
        strictness: By what the wanted false-match rate is divided for these subjects, finite and at
            least 1; for everybody else it is 1. It changes no score: it is handed on to the decision.

    Raises:
        ValueError: No model, an embedding that is not float32 (128,), or a strictness below 1.
    """

    def __init__(
        self,
        models: Sequence[ModelId],
        references: Iterable[Reference],
        *,
        version: int = 0,
        strictness: Mapping[SubjectId, float] | None = None,
    ) -> None:
        if not models:
            raise ValueError("a gallery needs at least one model")
        self.models = tuple(models)
        self.version = version
        by_key: dict[tuple[SubjectId, ReferenceId], dict[ModelId, FloatArray]] = {}
        for row in references:
            if row.model in self.models:
                by_key.setdefault((row.subject, row.reference), {})[row.model] = row.embedding
        keys = sorted(key for key, found in by_key.items() if len(found) == len(self.models))
        self._matrices = {model: _matrix([by_key[key][model] for key in keys]) for model in self.models}
        owners = [subject for subject, _ in keys]
        self._starts = np.flatnonzero([i == 0 or owners[i] != owners[i - 1] for i in range(len(owners))])
        self.subjects: tuple[SubjectId, ...] = tuple(owners[i] for i in self._starts)
        self.references: NDArray[np.int64] = np.diff(np.append(self._starts, len(owners))).astype(np.int64)
        self.strictness = _strictness(self.subjects, strictness or {})

    @classmethod
    def of_matrix(cls, model: ModelId, rows: FloatArray) -> "Gallery":
        """A gallery of one model with a row per subject, named by number, without copying.

        For benchmarks and evaluations of many subjects.
        """
        gallery = cls((model,), ())
        gallery._matrices = {model: _Matrix(rows, _half_squares(rows))}
        gallery._starts = np.arange(len(rows))
        gallery.subjects = tuple(SubjectId(str(i)) for i in range(len(rows)))
        gallery.references = np.ones(len(rows), np.int64)
        gallery.strictness = np.ones(len(rows), np.float64)
        return gallery

    def __len__(self) -> int:
        """Number of subjects."""
        return len(self.subjects)

    @property
    def reference_count(self) -> int:
        """Number of references searched."""
        return len(self._matrices[self.models[0]].rows)

    def compare(self, probe: Templates) -> SubjectScores:
        """Compare a probe with every reference; means over each subject's references.

        Raises:
            ValueError: The probe lacks a template of one of the gallery's models.
        """
        missing = [model for model in self.models if model not in probe]
        if missing:
            raise ValueError(f"the probe has no template of {', '.join(missing)}")
        return SubjectScores(
            self.subjects,
            self.references,
            {model: self._means(self._scores(model, probe[model].embedding)) for model in self.models},
            self.version,
            self.strictness,
        )

    def nearest(self, model: ModelId, embedding: FloatArray) -> tuple[SubjectId, float] | None:
        """The subject with the highest mean score under one model, or None in an empty gallery."""
        if not self.subjects:
            return None
        scores = self._means(self._scores(model, embedding))
        # argmax takes the first of equals, and subjects are sorted: ties are broken by id.
        best = int(scores.argmax())
        return self.subjects[best], float(scores[best])

    def _scores(self, model: ModelId, embedding: FloatArray) -> FloatArray:
        """Comparison score of each reference, float32 (rows,); higher is more alike."""
        matrix = self._matrices[model]
        dots = matrix.rows @ embedding
        if model not in EUCLIDEAN:
            return dots
        # |e - q|^2 = 2 (|e|^2/2 - e.q) + |q|^2, in place: at a million rows each pass counts.
        np.subtract(matrix.half_squares, dots, out=dots)
        dots *= np.float32(2)
        dots += np.float32(embedding @ embedding)
        np.maximum(dots, np.float32(0), out=dots)
        np.sqrt(dots, out=dots)
        np.negative(dots, out=dots)
        return dots

    def _means(self, scores: FloatArray) -> FloatArray:
        """Mean per subject, float32 (subjects,)."""
        if len(self.subjects) == len(scores):
            return scores
        sums = np.add.reduceat(scores, self._starts) if len(scores) else scores
        return (sums / self.references).astype(np.float32)


def _matrix(rows: list[FloatArray]) -> _Matrix:
    matrix = np.stack(rows) if rows else np.empty((0, EMBEDDING_SIZE), np.float32)
    if matrix.dtype != np.float32 or matrix.shape[1:] != (EMBEDDING_SIZE,):
        raise ValueError(f"expected float32 (n, {EMBEDDING_SIZE}), got {matrix.dtype} {matrix.shape}")
    return _Matrix(matrix, _half_squares(matrix))


def _strictness(subjects: Sequence[SubjectId], of_subject: Mapping[SubjectId, float]) -> NDArray[np.float64]:
    """Of each subject, float64 (subjects,)."""
    found = np.array([of_subject.get(subject, 1.0) for subject in subjects], np.float64)
    if not (np.isfinite(found).all() and (found >= 1).all()):
        raise ValueError("a strictness is a finite number, at least 1")
    return found


def _half_squares(rows: FloatArray) -> FloatArray:
    squares: FloatArray = np.einsum("ij,ij->i", rows, rows)
    return squares / np.float32(2)
