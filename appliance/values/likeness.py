"""How much somebody looks like whom, and what that came to. A score is a similarity: higher is more alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from appliance.values.frames import FloatArray
from appliance.values.ids import ModelId, SubjectId


class Likeness(NamedTuple):
    """Somebody enrolled whom a face looks like, the score, and the threshold that it reaches."""

    subject: SubjectId
    score: float
    threshold: float


@dataclass(frozen=True, slots=True)
class SubjectScores:
    """One probe against every subject of a gallery.

    Attributes:
        subjects: Who, in the gallery's order, length n.
        references: How many references each has, int64, shape (n,).
        by_model: Mean comparison score over each subject's references, per model, float32, shape (n,).
        gallery_version: Which gallery was searched.
        strictness: By what the wanted false-match rate is divided for each, at least 1, float64, shape (n,).
    """

    subjects: tuple[SubjectId, ...]
    references: NDArray[np.int64]
    by_model: Mapping[ModelId, FloatArray]
    gallery_version: int
    strictness: NDArray[np.float64]


class Verdict(StrEnum):
    """What a decision says of a person."""

    IDENTIFIED = "identified"
    STRANGER = "stranger"
    UNDECIDED = "undecided"


class Grade(StrEnum):
    """How much was seen before deciding; each is its own event, and an action names the one it needs."""

    GREETING = "greeting"
    CONFIRMED = "confirmed"
    FINAL = "final"
