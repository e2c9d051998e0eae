"""Open-set identification from a matrix of scores: who is searched among whom, and what comes out.

Photos stand for probes and references. A split says which people are enrolled, which are strangers
and which of their photos do what; a search compares the probes of one person with the references
of everybody enrolled, and the score of a pair of people is the mean over all probe and reference
pairs, as at the door. Pure: no pictures, no threshold of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.rates import REPLICATES, Flags, Indices, Rate, plain_rate, repeated_rate
from appliance.values import FloatArray

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Split:
    """One random division of people and of their photos.

    Attributes:
        enrolled: People in the gallery, (n,).
        strangers: People who are not, (m,); m may be 0.
        references: Photos of the enrolled, (n, references).
        mated: Photos of the enrolled they are searched by, none of them a reference, (n, probes).
        nonmated: Photos of the strangers they are searched by, (m, probes).
    """

    enrolled: Indices
    strangers: Indices
    references: Indices
    mated: Indices
    nonmated: Indices


@dataclass(frozen=True, slots=True)
class Searches:
    """What all searches of all splits gave.

    Attributes:
        nonmated: Highest score of each search by a stranger, float64, (s,).
        nonmated_person: The stranger, (s,).
        nonmated_nearest: Who got that score, (s,).
        mated: Score of the person's own references in each search by somebody enrolled, (t,).
        mated_person: Who searched, (t,).
        first: Whether nobody else scored as high; equal scores are no identification, (t,).
        rounds: How many splits.
        enrolled: Gallery size N, the same in every split.
    """

    nonmated: Scores
    nonmated_person: Indices
    nonmated_nearest: Indices
    mated: Scores
    mated_person: Indices
    first: Flags
    rounds: int
    enrolled: int

    def false_positives(self, threshold: float) -> Flags:
        """Strangers' searches that return somebody at a threshold, (s,)."""
        return self.nonmated >= threshold

    def false_negatives(self, threshold: float) -> Flags:
        """Searches by the enrolled that do not return them first: missed, or not rank one, (t,)."""
        return ~((self.mated >= threshold) & self.first)

    def fpir(self, threshold: float, *, seed: int, replicates: int = REPLICATES) -> Rate:
        """False-positive identification rate at a threshold, with its interval."""
        failed = self.false_positives(threshold)
        if self.rounds == 1:
            return plain_rate(int(failed.sum()), len(failed))
        return repeated_rate(
            failed, self.nonmated_person, self.nonmated_nearest, seed=seed, replicates=replicates
        )

    def fnir(self, threshold: float, *, seed: int, replicates: int = REPLICATES) -> Rate:
        """False-negative identification rate at a threshold and rank one, with its interval."""
        failed = self.false_negatives(threshold)
        if self.rounds == 1:
            return plain_rate(int(failed.sum()), len(failed))
        return repeated_rate(failed, self.mated_person, seed=seed, replicates=replicates)

    def threshold_at(self, fpir: float) -> float | None:
        """The lowest threshold at which at most this share of the strangers' searches returns somebody.

        None where so few searches were made that not one may return somebody: the rate cannot be
        measured with them.
        """
        allowed = int(fpir * len(self.nonmated) + 1e-9)
        if allowed < 1:
            return None
        if allowed >= len(self.nonmated):
            return float(self.nonmated.min())
        highest = np.sort(self.nonmated)[::-1]
        # Just above the first score that may not pass; with ties, all of them stay out.
        return float(np.nextafter(highest[allowed], np.inf))


def splits(
    photos: Sequence[Indices],
    *,
    enrolled: int,
    strangers: int,
    references: int,
    probes: int,
    rounds: int,
    seed: int,
) -> Iterator[Split]:
    """Random splits, the same for the same numbers.

    A person's photos are shuffled once in a round: references come from the front, probes from
    the back, whatever their number, so that rounds with more of them differ in nothing else.

    Args:
        photos: Photo numbers of each person; people with too few are passed over.
        enrolled: Gallery size N, >= 1.
        strangers: M, >= 0.
        references: Of each person enrolled, >= 1.
        probes: Of each search, >= 1.
        rounds: How many splits.
        seed: Of the shuffling.

    Raises:
        ValueError: Too few people have enough photos; `enough` says so beforehand.
    """
    if not enough(photos, enrolled=enrolled, strangers=strangers, references=references, probes=probes):
        raise ValueError(f"too few people have {references + probes} photos")
    for number in range(rounds):
        rng = np.random.default_rng((seed, number))
        order = [int(person) for person in rng.permutation(len(photos))]
        shuffled = [rng.permutation(of) for of in photos]
        inside = [person for person in order if len(photos[person]) >= references + probes][:enrolled]
        taken = set(inside)
        outside = [person for person in order if person not in taken and len(photos[person]) >= probes]
        outside = outside[:strangers]
        yield Split(
            np.array(inside, np.int64),
            np.array(outside, np.int64),
            np.array([shuffled[person][:references] for person in inside], np.int64),
            np.array([shuffled[person][-probes:] for person in inside], np.int64),
            np.array([shuffled[person][-probes:] for person in outside], np.int64).reshape(-1, probes),
        )


def enough(photos: Sequence[Indices], *, enrolled: int, strangers: int, references: int, probes: int) -> bool:
    """Whether so many people can be enrolled and so many others be strangers."""
    inside = sum(len(of) >= references + probes for of in photos)
    able = sum(len(of) >= probes for of in photos)
    return 1 <= enrolled <= inside and able - enrolled >= strangers >= 0


def search(scores: FloatArray, divided: Sequence[Split]) -> Searches:
    """Make every search of every split.

    Args:
        scores: Photo by photo, higher is more alike, (p, p).
        divided: At least one split, all of the same size.

    Raises:
        ValueError: No split.
    """
    if not divided:
        raise ValueError("no split, no search")
    nonmated: list[Scores] = []
    nearest: list[Indices] = []
    mated: list[Scores] = []
    first: list[Flags] = []
    for split in divided:
        strange = _means(scores, split.nonmated, split.references)
        best = strange.argmax(axis=1)
        nonmated.append(strange[np.arange(len(strange)), best])
        nearest.append(split.enrolled[best])
        known = _means(scores, split.mated, split.references)
        own = known.diagonal().copy()
        np.fill_diagonal(known, -np.inf)
        mated.append(own)
        first.append(own > known.max(axis=1))
    return Searches(
        np.concatenate(nonmated),
        np.concatenate([split.strangers for split in divided]),
        np.concatenate(nearest),
        np.concatenate(mated),
        np.concatenate([split.enrolled for split in divided]),
        np.concatenate(first),
        len(divided),
        len(divided[0].enrolled),
    )


def _means(scores: FloatArray, probes: Indices, references: Indices) -> Scores:
    """Mean over all probe and reference pairs of each two people, float64, (searches, n)."""
    # Summed pair by pair: one gather of (searches, probes, n, references) would not fit for many people.
    total = np.zeros((len(probes), len(references)))
    for probe in probes.T:
        for reference in references.T:
            total += scores[np.ix_(probe, reference)]
    means: Scores = total / (probes.shape[1] * references.shape[1])
    return means
