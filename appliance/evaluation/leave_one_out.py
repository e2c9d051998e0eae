"""Each reference of a gallery held against the rest of it: who would be named, and who is like whom.

Pure, and by whole blocks of references at a time. It follows the decision's rule (threshold, band,
stricter person, margin) for one look; a test holds the two together.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.values import FloatArray, ReferenceId, SubjectId

AT_ONCE = 4_000_000
"""Scores held at a time; 16 MB, and twice that while they are summed up."""


class Operating(Protocol):
    """Whoever knows measured error rates."""

    def __call__(
        self, references: int, probes: int, gallery_size: int, fpir: float, *, strictness: float = 1.0
    ) -> tuple[float, float | None]:
        """The threshold for a wanted FPIR, and the share of mated comparisons below it.

        The share is None where the threshold lies beyond what was measured.
        """


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Everybody who is recognised, as plain arrays.

    Attributes:
        subjects: Who, length s; those without references are in `without`.
        owners: Index into `subjects` of each reference, int64 (r,), ascending; each occurs.
        references: Which, length r.
        quality: Of each reference, 0 to 100, float64 (r,).
        strictness: Of each subject, float64 (s,), at least 1.
        scores: Rows of the comparison of all references with all, by slice: float32 (k, r).
        without: Active subjects that have no reference.
    """

    subjects: Sequence[SubjectId]
    owners: NDArray[np.int64]
    references: Sequence[ReferenceId]
    quality: NDArray[np.float64]
    strictness: NDArray[np.float64]
    scores: Callable[[slice], FloatArray]
    without: Sequence[SubjectId] = ()


class Rule(NamedTuple):
    """The settings of the decision: wanted FPIR, lead over the second, band below the threshold."""

    fpir: float
    margin: float
    band: float


class Outcome(StrEnum):
    """What the rule says of a reference held against the rest of the gallery."""

    IDENTIFIED = "identified"
    UNDECIDED = "undecided"
    NOT_RECOGNISED = "not_recognised"
    MISTAKEN = "mistaken"


@dataclass(frozen=True, slots=True)
class Trial:
    """One reference, left out and looked up.

    Attributes:
        subject: Whose.
        reference: Which.
        outcome: What the rule says.
        nearest: Who was nearest.
        score: Of the nearest.
        threshold: Of the nearest.
        margin: Lead over the second; None: there is none.
    """

    subject: SubjectId
    reference: ReferenceId
    outcome: Outcome
    nearest: SubjectId
    score: float
    threshold: float
    margin: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people whose references are alike.

    Attributes:
        one: Whose reference it is.
        other: Whom it looks like.
        score: Mean over the other's references.
        threshold: The other's, for one look.
    """

    one: SubjectId
    other: SubjectId
    score: float
    threshold: float

    @property
    def confusable(self) -> bool:
        """The score reaches the threshold; else it is within the margin of it."""
        return self.score >= self.threshold


class Held:
    """A gallery, each reference of which is held against all the others.

    Args:
        enrolled: The gallery; at least one subject.
        operating: Thresholds.
        rule: The decision's settings.
        at_once: Scores held at a time, if no one person has more.

    Attributes:
        counts: References of each subject, int64 (s,).
        starts: Where each subject's begin, int64 (s,).
    """

    def __init__(
        self, enrolled: Enrolled, operating: Operating, rule: Rule, *, at_once: int = AT_ONCE
    ) -> None:
        self._enrolled = enrolled
        counts = np.bincount(enrolled.owners, minlength=len(enrolled.subjects))
        self.counts: NDArray[np.int64] = counts
        self._rule = rule
        self._operating = operating
        self._at_once = at_once
        self.starts: NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._ordinary = self._thresholds(counts, np.ones_like(enrolled.strictness))
        self._strict = np.maximum(self._ordinary, self._thresholds(counts, enrolled.strictness))

    def blocks(self) -> Iterator[slice]:
        """Slices of references, each with everything of the people in it."""
        wanted = max(1, self._at_once // len(self._enrolled.owners))
        begin = 0
        ends = self.starts + self.counts
        for end, following in zip(ends, [*ends[1:], np.inf], strict=True):
            if following - begin > wanted:
                yield slice(begin, int(end))
                begin = int(end)

    def means(self, block: slice) -> NDArray[np.float64]:
        """Mean score of each reference with each subject, its own left out; -inf: there is no other."""
        scores = self._enrolled.scores(block).astype(np.float64)
        sums = np.add.reduceat(scores, self.starts, axis=1)
        rows = np.arange(len(scores))
        own = self._enrolled.owners[block]
        means: NDArray[np.float64] = sums / self.counts
        others = self.counts[own] - 1
        rest = (sums[rows, own] - scores[rows, np.arange(block.start, block.stop)]) / np.maximum(others, 1)
        means[rows, own] = np.where(others > 0, rest, -np.inf)
        return means

    def trials(self, block: slice, means: NDArray[np.float64]) -> Iterator[Trial]:
        """Each reference of whoever has another one, looked up without itself."""
        own = self._enrolled.owners[block]
        rows = np.flatnonzero(self.counts[own] > 1)
        if not len(rows):
            return
        own, means = own[rows], means[rows]
        places = np.arange(len(rows))
        ordinary = np.broadcast_to(self._ordinary, means.shape).copy()
        ordinary[places, own] = self._thresholds(self.counts[own] - 1, np.ones(len(own)))
        fewer = self._thresholds(self.counts[own] - 1, self._enrolled.strictness[own])
        best = means.argmax(axis=1)
        score = means[places, best]
        threshold = ordinary[places, best]
        strict = np.where(best == own, np.maximum(threshold, fewer), self._strict[best])
        second = np.partition(means, -2, axis=1)[:, -2] if means.shape[1] > 1 else np.full(len(rows), -np.inf)
        margin = score - second
        near: NDArray[np.bool_] = np.any(means >= ordinary - self._rule.band, axis=1)
        for place, row in enumerate(rows):
            lead = float(margin[place])
            if score[place] < threshold[place]:
                outcome = Outcome.UNDECIDED if near[place] else Outcome.NOT_RECOGNISED
            elif lead <= 0 or score[place] < strict[place] or lead < self._rule.margin:
                outcome = Outcome.UNDECIDED
            else:
                outcome = Outcome.IDENTIFIED if best[place] == own[place] else Outcome.MISTAKEN
            yield Trial(
                self._enrolled.subjects[own[place]],
                self._enrolled.references[block.start + int(row)],
                outcome,
                self._enrolled.subjects[int(best[place])],
                float(score[place]),
                float(threshold[place]),
                lead if np.isfinite(lead) else None,
            )

    def alike(self, block: slice, means: NDArray[np.float64]) -> Iterator[tuple[tuple[int, int], Pair]]:
        """Pairs of which one's reference is at the other's threshold, or within the margin of it."""
        own = self._enrolled.owners[block]
        others = means.copy()
        others[np.arange(len(own)), own] = -np.inf
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        highest = np.maximum.reduceat(others, starts, axis=0)
        for row, other in zip(*np.nonzero(highest >= self._strict - self._rule.margin), strict=True):
            one = int(own[starts[row]])
            yield (
                (min(one, int(other)), max(one, int(other))),
                Pair(
                    self._enrolled.subjects[one],
                    self._enrolled.subjects[int(other)],
                    float(highest[row, other]),
                    float(self._strict[other]),
                ),
            )

    def _thresholds(self, counts: NDArray[np.int64], strictness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each subject, for one look; asked once per kind."""
        size = len(self._enrolled.subjects)
        kinds, places = np.unique(np.stack([counts, strictness], axis=1), axis=0, return_inverse=True)
        found = [
            self._operating(int(count), 1, size, self._rule.fpir, strictness=float(factor))[0]
            for count, factor in kinds
        ]
        return np.array(found, np.float64)[places.reshape(-1)]
