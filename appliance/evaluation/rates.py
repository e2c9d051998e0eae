"""Error rates with their intervals.

Knows nothing of faces, scores or thresholds: it is told which trials failed and who took part
in them. Wilson's interval is for trials that are independent of each other; the bootstrap over
people is for searches that the same people made again and again. A rate without an error still
has an upper bound, and says so.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
"""Of every interval that is not told otherwise."""
REPLICATES = 2000
"""Of a bootstrap; the percentiles of a 95 % interval then rest on 50 replicates each."""

FEWEST_PEOPLE = 5
"""People who differ from the rest; drawing again and again from fewer says little about those not seen."""

_NEARLY = 1e-6
"""Per cent; what is nearer to 0 or 100 is written so."""
_ROUNDED = 0.022
"""0.095 is written like 0.10, with two digits."""
_CHUNK_CELLS = 2_000_000
"""Numbers of 8 bytes in each of the two arrays held at once while resampling: 32 MB, and the draws."""

Method = Literal["wilson", "bootstrap", "wilson over people", "none"]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened, usually an error.

    Attributes:
        count: Trials that had the outcome, usually an error.
        trials: All of them.
        people: Different people who made them; trials of one person are not independent.
        value: count / trials, 0 to 1; None without a trial.
        lower: Of the interval, 0 to 1.
        upper: Of the interval, 0 to 1.
        method: How the interval was made; `none` without a trial, when it is 0 to 1.
    """

    count: int
    trials: int
    people: int
    value: float | None
    lower: float
    upper: float
    method: Method

    def holds(self, rate: float) -> bool:
        """Whether the interval contains a rate."""
        return self.lower <= rate <= self.upper

    @property
    def words(self) -> str:
        """In per cent with the interval; a rate of nothing or of everything is said by its bound."""
        if self.value is None:
            return "not measured"
        if self.count == 0:
            return f"0 of {self.trials}, at most {per_cent(self.upper)} %"
        if self.count == self.trials:
            return f"all of {self.trials}, at least {per_cent(self.lower)} %"
        bounds = f"{per_cent(self.lower)} to {per_cent(self.upper)}"
        return f"{per_cent(self.value)} % ({bounds})"


def per_cent(rate: float) -> str:
    """Enough digits to tell it from nothing and from everything: 0.00042, 0.81, 5.5, 99.97."""
    value = 100 * rate
    near = min(value, 100 - value)
    if near < _NEARLY:
        return "0" if value < 1 else "100"
    decimals = 1 if near >= 0.95 else 1 - math.floor(math.log10(near) + _ROUNDED)  # noqa: PLR2004 - for 1.0
    return f"{value:.{decimals}f}"


def wilson(count: float, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion, without continuity correction.

    E. B. Wilson 1927; method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872.

    Args:
        count: 0 to `trials`; need not be whole.
        trials: Independent of each other, >= 1.
        confidence: Above 0 and below 1.

    Returns:
        Lower and upper bound, 0 to 1; exactly 0 without an error, exactly 1 without anything else.

    Raises:
        ValueError: The numbers are no proportion.
    """
    if trials < 1 or not 0 <= count <= trials or not 0 < confidence < 1:
        raise ValueError(f"{count} of {trials} at {confidence} is no proportion with a confidence")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = count / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    lower = 0.0 if count == 0 else max(0.0, (middle - spread) / scale)
    upper = 1.0 if count == trials else min(1.0, (middle + spread) / scale)
    return lower, upper


def plain_rate(count: int, trials: int, *, confidence: float = CONFIDENCE) -> Rate:
    """A rate of trials that are each by somebody else.

    Raises:
        ValueError: More count than trials.
    """
    if trials == 0 and count == 0:
        return _UNMEASURED
    lower, upper = wilson(count, trials, confidence=confidence)
    return Rate(count, trials, trials, count / trials, lower, upper, "wilson")


def repeated_rate(
    failed: Flags,
    person: Indices,
    other: Indices | None = None,
    *,
    seed: int,
    replicates: int = REPLICATES,
    confidence: float = CONFIDENCE,
) -> Rate:
    """A rate of trials in which the same people took part several times.

    The interval is the percentile bootstrap over people: a replicate draws as many people as
    there are, with replacement, and each trial counts as often as its person was drawn. Where a
    second person has a part in each trial (whom the first was most alike to), it counts as often as
    the product of both: A. B. Owen's pigeonhole bootstrap (Annals of Applied Statistics 1 (2007)
    386-411), which is if anything too wide.

    Where fewer than `FEWEST_PEOPLE` had the outcome (or had anything else), replicates tell too
    little, and nothing at all without one. Then it is Wilson's interval with as many trials as there
    were people, as if all trials of a person came out alike: the worst that repeating can do.

    Args:
        failed: Per trial.
        person: Who made the trial, any numbers; parallel to `failed`.
        other: The second person of each trial, numbered alike, or None.
        seed: Of the resampling.
        replicates: How many, >= 1.
        confidence: Above 0 and below 1.

    Raises:
        ValueError: The arrays are not parallel.
    """
    parts = (person,) if other is None else (person, other)
    if any(part.shape != failed.shape for part in parts) or failed.ndim != 1:
        raise ValueError(
            f"trials {failed.shape} and their people {[p.shape for p in parts]} are not parallel"
        )
    if not len(failed):
        return _UNMEASURED
    count, trials = int(failed.sum()), len(failed)
    people = len(np.unique(person))
    if min(len(np.unique(person[failed])), len(np.unique(person[~failed]))) < FEWEST_PEOPLE:
        lower, upper = wilson(people * count / trials, people, confidence=confidence)
        return Rate(count, trials, people, count / trials, lower, upper, "wilson over people")
    rates = np.concatenate(list(_resampled(failed, parts, seed, replicates)))
    tail = (1 - confidence) / 2
    lower, upper = (float(bound) for bound in np.quantile(rates[np.isfinite(rates)], (tail, 1 - tail)))
    return Rate(count, trials, people, count / trials, lower, upper, "bootstrap")


def _resampled(
    failed: Flags, parts: tuple[Indices, ...], seed: int, replicates: int
) -> Iterator[NDArray[np.float64]]:
    """The rate in each replicate, in pieces; not a number where nobody drawn made a trial."""
    known, numbered = np.unique(np.concatenate(parts), return_inverse=True)
    size = len(known)
    owners = numbered.reshape(len(parts), len(failed))
    cells, cell = np.unique(owners, axis=1, return_inverse=True)
    trials = np.bincount(cell.ravel()).astype(np.float64)
    counts = np.bincount(cell.ravel(), weights=failed.astype(np.float64))
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK_CELLS // max(size, cells.shape[1]))
    for first in range(0, replicates, step):
        drawn = rng.multinomial(size, np.full(size, 1 / size), size=min(step, replicates - first))
        times = drawn.astype(np.float64)
        weights = times[:, cells[0]]
        for part in cells[1:]:
            weights *= times[:, part]
        with np.errstate(invalid="ignore"):
            yield (weights @ counts) / (weights @ trials)


_UNMEASURED = Rate(0, 0, 0, None, 0.0, 1.0, "none")
