"""What a gallery risks: the thresholds it needs, how many will be recognised, and who is like whom.

Pure: it is handed comparison scores and measured error rates, and knows neither models nor database nor
names. What it says of the gallery's own pictures (leave-one-out) flatters, for these are often of one day;
the expected rates come from measurements of other people's photographs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.leave_one_out import AT_ONCE, Enrolled, Held, Operating, Outcome, Pair, Rule, Trial
from appliance.values import SubjectId

__all__ = ["Enrolled", "Operating", "Outcome", "Pair", "Rule", "SafetyReport", "Trial", "assess"]

LOW_QUALITY = 50.0
"""People whose best reference is below this are named. Below 30, where mated scores begin to fall
(`appliance.faces.quality`), pictures are refused; between the two a better one is worth asking for."""

PROBES = (1, 3)
"""Looks for which expected rates are told: the first, and three good ones."""

_LAXEST = 0.999
"""A wanted FPIR that every gallery's tables reach."""
_HALVINGS = 30


class Expected(NamedTuple):
    """Share of looks at which somebody enrolled is not recognised, by the tables.

    Attributes:
        fnir: None: the threshold lies beyond what was measured.
        at_least: A lower bound then; else the same as `fnir`.
    """

    fnir: float | None
    at_least: float


@dataclass(frozen=True, slots=True)
class Level:
    """People with so many references.

    Attributes:
        references: How many each has.
        people: How many people.
        thresholds: By number of probes (`PROBES`), for the ordinary strictness.
        expected: Likewise.
    """

    references: int
    people: int
    thresholds: tuple[float, ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """What a gallery risks.

    Attributes:
        people: Subjects with references: N.
        references: Of all.
        rule: What was asked.
        levels: By number of references, fewest first.
        expected: By number of probes (`PROBES`), mean over everybody with their own strictness.
        outcomes: How many references ended how, of people with two or more.
        trials: Those that were not identified; the worst first.
        pairs: Who is like whom, the most alike first.
        single: People with one reference only.
        poor: People whose best reference is below `LOW_QUALITY`.
        without: Active people without a reference.
        stricter: People with a stricter threshold, and by which factor.
    """

    people: int
    references: int
    rule: Rule
    levels: tuple[Level, ...] = ()
    expected: tuple[Expected, ...] = ()
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()
    pairs: tuple[Pair, ...] = ()
    single: tuple[SubjectId, ...] = ()
    poor: tuple[tuple[SubjectId, float], ...] = ()
    without: tuple[SubjectId, ...] = ()
    stricter: tuple[tuple[SubjectId, float], ...] = ()


def assess(
    enrolled: Enrolled,
    operating: Operating,
    rule: Rule,
    *,
    progress: Callable[[int], object] | None = None,
    at_once: int = AT_ONCE,
) -> SafetyReport:
    """Say what a gallery risks.

    Args:
        enrolled: Everybody who is recognised.
        operating: Thresholds from measured error rates, of the composition that `enrolled.scores` are of.
        rule: The decision's settings.
        progress: Called with the number of references done since the last call.
        at_once: Comparison scores held at a time, about.
    """
    size = len(enrolled.subjects)
    if not size:
        return SafetyReport(0, 0, rule, without=tuple(enrolled.without))
    gallery = Held(enrolled, operating, rule, at_once=at_once)
    counts = gallery.counts
    trials: list[Trial] = []
    pairs: dict[tuple[int, int], Pair] = {}
    for block in gallery.blocks():
        means = gallery.means(block)
        trials += gallery.trials(block, means)
        for key, pair in gallery.alike(block, means):
            if key not in pairs or pair.score - pair.threshold > pairs[key].score - pairs[key].threshold:
                pairs[key] = pair
        if progress is not None:
            progress(block.stop - block.start)
    best_quality = np.maximum.reduceat(enrolled.quality, gallery.starts)
    worst = {outcome: place for place, outcome in enumerate(reversed(Outcome))}
    return SafetyReport(
        people=size,
        references=len(enrolled.owners),
        rule=rule,
        levels=tuple(
            _level(int(count), int((counts == count).sum()), size, operating, rule)
            for count in np.unique(counts)
        ),
        expected=tuple(_overall(counts, enrolled.strictness, probes, operating, rule) for probes in PROBES),
        outcomes={outcome: sum(trial.outcome is outcome for trial in trials) for outcome in Outcome},
        trials=tuple(
            sorted(
                (trial for trial in trials if trial.outcome is not Outcome.IDENTIFIED),
                key=lambda trial: (worst[trial.outcome], trial.subject, trial.reference),
            )
        ),
        pairs=tuple(
            sorted(pairs.values(), key=lambda pair: (pair.threshold - pair.score, pair.one, pair.other))
        ),
        single=tuple(enrolled.subjects[int(place)] for place in np.flatnonzero(counts == 1)),
        poor=tuple(
            (enrolled.subjects[int(place)], float(best_quality[place]))
            for place in np.flatnonzero(best_quality < LOW_QUALITY)
        ),
        without=tuple(enrolled.without),
        stricter=tuple(
            (enrolled.subjects[int(place)], float(enrolled.strictness[place]))
            for place in np.flatnonzero(enrolled.strictness > 1)
        ),
    )


def _level(references: int, people: int, size: int, operating: Operating, rule: Rule) -> Level:
    return Level(
        references,
        people,
        tuple(operating(references, probes, size, rule.fpir)[0] for probes in PROBES),
        tuple(_expected(_measured(operating, references, probes, size, 1.0), rule.fpir) for probes in PROBES),
    )


def _overall(
    counts: NDArray[np.int64],
    strictness: NDArray[np.float64],
    probes: int,
    operating: Operating,
    rule: Rule,
) -> Expected:
    """Mean over everybody."""
    kinds, people = np.unique(np.stack([counts, strictness], axis=1), axis=0, return_counts=True)
    each = [
        _expected(_measured(operating, int(count), probes, len(counts), float(factor)), rule.fpir)
        for count, factor in kinds
    ]
    at_least = float(np.average([one.at_least for one in each], weights=people))
    return Expected(None if any(one.fnir is None for one in each) else at_least, at_least)


def _measured(
    operating: Operating, references: int, probes: int, size: int, strictness: float
) -> Callable[[float], float | None]:
    """FNMR at a wanted FPIR."""
    return lambda fpir: operating(references, probes, size, fpir, strictness=strictness)[1]


def _expected(at: Callable[[float], float | None], fpir: float) -> Expected:
    """By the tables; beyond them, at least the rate of the strictest threshold that was measured."""
    fnmr = at(fpir)
    if fnmr is not None:
        return Expected(fnmr, fnmr)
    # The strictest measured lies between this rate, beyond the tables, and the laxest, within them.
    beyond, within = math.log(fpir), math.log(_LAXEST)
    for _ in range(_HALVINGS):
        middle = (beyond + within) / 2
        if at(math.exp(middle)) is None:
            beyond = middle
        else:
            within = middle
    return Expected(None, at(math.exp(within)) or 0.0)
