"""Whether the people at hand are as unlike each other as those whom the error tables were measured on.

Pure: scores of pairs of pictures of different people go in, and for each false-match rate that so
many pairs can show, the share that reaches its threshold comes out. Says nothing about how alike a
person is to themselves.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.rates import Flags, Indices, Rate, repeated_rate
from appliance.values import FloatArray

LEVELS = (0.01, 0.003, 0.001, 0.0003, 0.0001)
"""False-match rates of one comparison that are looked at, as in the tables."""
MOST_PEOPLE = 200
"""Of more, so many are drawn: their pairs show a rate of one in ten thousand already."""
REPLICATES = 1000

_SEEN = 3
"""Matches to be expected at least; with fewer, seeing none would say nothing (rule of three)."""
_BLOCK = 512

Agreement = Literal["as measured", "more alike", "less alike"]


@dataclass(frozen=True, slots=True)
class Check:
    """One false-match rate.

    Attributes:
        fmr: By the tables, of one comparison.
        threshold: Where the tables have it.
        measured: Among the pairs at hand.
    """

    fmr: float
    threshold: float
    measured: Rate

    @property
    def agreement(self) -> Agreement:
        """What the interval says of the tables' rate; more alike is the dangerous side."""
        if self.measured.lower > self.fmr:
            return "more alike"
        return "less alike" if self.measured.upper < self.fmr else "as measured"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Comparisons of pictures of different people, each pair of pictures once.

    Attributes:
        scores: float64, (n,).
        one: Whose the first picture is, (n,).
        other: Whose the second is, (n,).
        people: How many there are.
    """

    scores: NDArray[np.float64]
    one: Indices
    other: Indices
    people: int


def nonmated_pairs(owners: Indices, scores: Callable[[slice], FloatArray], *, seed: int) -> Pairs:
    """Every pair of pictures of different people; of more than `MOST_PEOPLE` people, so many at random.

    Args:
        owners: Whose each picture is, int64 (p,).
        scores: Rows of the comparison of all pictures with all, by slice: (k, p).
        seed: Of the drawing.
    """
    people = np.unique(owners)
    if len(people) > MOST_PEOPLE:
        people = np.sort(np.random.default_rng(seed).choice(people, MOST_PEOPLE, replace=False))
    chosen = np.flatnonzero(np.isin(owners, people))
    found: list[tuple[NDArray[np.float64], Indices, Indices]] = []
    for start in range(0, len(owners), _BLOCK):
        rows = chosen[(chosen >= start) & (chosen < start + _BLOCK)]
        if not len(rows):
            continue
        block = scores(slice(start, min(start + _BLOCK, len(owners))))[rows - start][:, chosen]
        # Above the diagonal: each pair of pictures once, and none with itself.
        wanted: Flags = (rows[:, None] < chosen[None, :]) & (owners[rows][:, None] != owners[chosen][None, :])
        row, column = np.nonzero(wanted)
        one, other = owners[rows[row]], owners[chosen[column]]
        # Either may come first, so that everybody is found on both sides.
        swap = (row + column) % 2 == 1
        found.append(
            (
                block[row, column].astype(np.float64),
                np.where(swap, other, one),
                np.where(swap, one, other),
            )
        )
    if not found:
        nobody = np.empty(0, np.int64)
        return Pairs(np.empty(0), nobody, nobody, len(people))
    values, firsts, seconds = (np.concatenate(part) for part in zip(*found, strict=True))
    return Pairs(values, firsts, seconds, len(people))


def check(pairs: Pairs, threshold_at: Callable[[float], float], *, seed: int) -> tuple[Check, ...]:
    """Every rate that so many pairs can show.

    Args:
        pairs: Of different people.
        threshold_at: The tables' threshold for a false-match rate, one reference and one probe.
        seed: Of the intervals.
    """
    return tuple(_checked(pairs, threshold_at, seed))


def _checked(pairs: Pairs, threshold_at: Callable[[float], float], seed: int) -> Iterator[Check]:
    for fmr in LEVELS:
        if fmr * len(pairs.scores) < _SEEN:
            return
        threshold = threshold_at(fmr)
        rate = repeated_rate(
            pairs.scores >= threshold, pairs.one, pairs.other, seed=seed, replicates=REPLICATES
        )
        yield Check(fmr, threshold, rate)


def words(checks: Sequence[Check], pairs: Pairs, whose: str) -> list[str]:
    """For people: a line for each rate, or why there is none."""
    if not checks:
        compared = f"{len(pairs.scores):,} pair(s) of pictures of different people"
        return [f"{whose}: {compared} are too few to say; {_SEEN / LEVELS[0]:.0f} are needed"]
    said = {
        "as measured": "which agrees",
        "more alike": "which is MORE alike",
        "less alike": "which is less alike, the safe side",
    }
    lines = [f"{whose}: {len(pairs.scores):,} pairs of pictures of {pairs.people} different people"]
    lines += [
        f"  score {each.threshold:.3f}, reached by {100 * each.fmr:g} % in the tables: "
        f"here {each.measured.words}, {said[each.agreement]}"
        for each in checks
    ]
    if any(each.agreement == "more alike" for each in checks):
        lines.append("  These people look more alike than the tables' do: ask for a smaller FPIR.")
    return lines


def as_json(checks: Sequence[Check], pairs: Pairs) -> dict[str, Any]:
    """With stable names; rates are shares, 0 to 1."""
    return {
        "pairs": len(pairs.scores),
        "people": pairs.people,
        "levels": [
            {
                "fmr": each.fmr,
                "threshold": round(each.threshold, 6),
                "measured": each.measured.value,
                "lower": each.measured.lower,
                "upper": each.measured.upper,
                "count": each.measured.count,
                "agreement": each.agreement,
            }
            for each in checks
        ],
    }
