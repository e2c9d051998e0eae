"""From which score on a match is one, and below which the answer is "nothing like it".

Calibrated on the catalogue itself: variations of items' pictures, as a camera would show them, are looked up
as if the item were not in it, and what is then found is what a thing gets that is not in the catalogue; and
they are compared with their own item, which is what a thing gets that is in it. The threshold is the score
with the fewest errors of both kinds, a false match weighing more the fewer of them are wanted. It never
refuses more than a fifth of what is in the catalogue: where its things are hardly to be told apart, a search
that finds too much is of use, one that finds nothing is not. Pictures are not looked up as they are, but
where an item has several: a shop's pictures are like each other, on one ground and in one light, and a
threshold by them would refuse everything that a camera shows.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from appliance.search.index import ItemIndex
from appliance.values import FloatArray

DEFAULT: Final = 0.50
"""With too few items to calibrate on; measured with EfficientNet-Lite0 (README.md of this room)."""
RATE: Final = 0.05
"""Wanted where nothing is said: a false match then weighs as much as four refusals."""
MOST_REFUSED: Final = 0.2
"""Share of the variations that are refused at most. Errors count as shares of the most that is wanted."""
SAMPLE: Final = 500
"""Items that variations are made of: with four each, half a minute's work at 100,000 pictures."""
LEAST_ITEMS: Final = 20
LOWEST: Final = 0.2
HIGHEST: Final = 0.95
"""Things with nothing in common, or hardly to be told apart, do not make a threshold outside."""
TWIN: Final = 0.97
"""Items whose pictures are more alike than this are one thing twice."""
MOST_PICTURES: Final = 8
"""Of one item, at most so many pictures are compared."""
_SAME: Final = 1e-9
"""Sums of shares that differ by less are equal."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, and the numbers it rests on.

    Attributes:
        score: A match with at least this score counts.
        basis: `catalogue`: calibrated; `default`: too few items for it.
        wanted_rate: Share of things not in the catalogue that may find something all the same; a weight, not
            a promise: `false_matches` tells what it came to.
        items: Items that were looked up as if they were not in the catalogue.
        typical: The middle of the scores they got; None without any.
        false_matches: Share of them that would have found something; None without any.
        same: Scores of items against themselves that were at hand.
        false_refusals: Share of those that would have been refused; None without any.
        twins: Items that look like another one, so that they may be one thing twice; not looked up.
        lowered: Whether fewer errors in all would have refused more than may be, so that it is lower.
    """

    score: float
    basis: Literal["catalogue", "default"]
    wanted_rate: float
    items: int
    typical: float | None = None
    false_matches: float | None = None
    same: int = 0
    false_refusals: float | None = None
    twins: int = 0
    lowered: bool = False

    def counts(self, score: float) -> bool:
        """Whether a match with this score is one."""
        return score >= self.score

    def explained(self) -> str:
        """Why it is what it is, in words."""
        if self.basis == "default":
            return (
                f"{self.score:.2f}, as measured with other things: {self.items} items are too few to "
                f"calibrate on, {max(LEAST_ITEMS, _needed(self.wanted_rate))} are needed"
            )
        told = (
            f"{self.score:.2f}: of {self.items} items looked up as if they were not in the catalogue, "
            f"{self.false_matches or 0:.1%} would still have found one (wanted: {self.wanted_rate:.1%}), and "
            f"half of them scored above {self.typical or 0:.2f}"
        )
        if self.false_refusals is not None:
            told += (
                f"; of {self.same} other pictures and variations of the catalogue's items "
                f"{self.false_refusals:.1%} would have been refused"
            )
        if self.lowered:
            told += (
                f"; it is lower than by errors alone, to refuse at most {MOST_REFUSED:.0%} of them: some "
                "things are so alike that strange ones may be taken for them"
            )
        if self.twins:
            told += f"; {self.twins} items look like another one, which was not counted against it"
        return told


def calibrate(
    index: ItemIndex,
    shown: Iterable[tuple[str, FloatArray]],
    *,
    rate: float = RATE,
) -> Threshold:
    """Find the threshold of a catalogue.

    Args:
        index: The catalogue.
        shown: Items' ids with features, float32 (size,), of pictures like those a camera will give of them:
            variations of the items' pictures (`varied`), of some hundred items. An id that is not in the
            index is left out. Items with several pictures need not be among them, they are compared with
            themselves.
        rate: Share of things not in the catalogue that may find something all the same, above 0, below 1: how
            much a false match weighs against a refusal.

    Raises:
        ValueError: The rate is out of range, or features are not of the index's size or of length 1.
    """
    if not 0 < rate < 1:
        raise ValueError("a rate lies between 0 and 1")
    given = list(shown)
    own = _own_pictures(index, {*spread(index.items()), *(item for item, _ in given)})
    twins = {item for item, pictures in own.items() if _has_twin(index, item, pictures)}
    probes = [(item, each, own[item]) for item, each in given if item in own]
    for item, pictures in own.items():
        if len(pictures) > 1:
            probes += [(item, each, pictures[:at] + pictures[at + 1 :]) for at, each in enumerate(pictures)]
    others: list[float] = []
    same: list[float] = []
    items: set[str] = set()
    for item, features, against in probes:
        # Of a thing that is in the catalogue twice, the other one is no wrong answer.
        if item not in twins:
            others += [match.score for match in index.search(features, 1, without=item)]
            items.add(item)
        same.append(float(max(each @ features for each in against)))
    if len(items) < max(LEAST_ITEMS, _needed(rate)) or not others:
        refused = _share_below(same, DEFAULT)
        return Threshold(
            DEFAULT, "default", rate, len(items), same=len(same), false_refusals=refused, twins=len(twins)
        )
    score, lowered = _fewest_errors(rate, others, same)
    return Threshold(
        score,
        "catalogue",
        rate,
        len(items),
        typical=float(np.median(others)),
        false_matches=1 - (_share_below(others, score) or 0.0),
        same=len(same),
        false_refusals=_share_below(same, score),
        twins=len(twins),
        lowered=lowered,
    )


def spread(items: Sequence[str], count: int = SAMPLE) -> list[str]:
    """So many of some items, evenly from the whole list: those to make variations of. The same each time."""
    if len(items) <= count:
        return list(items)
    return [items[int(at)] for at in np.linspace(0, len(items) - 1, count)]


def _own_pictures(index: ItemIndex, items: Iterable[str]) -> dict[str, list[FloatArray]]:
    """Features of the pictures of some items, those that have any, sorted."""
    found = {item: list(index.features(item).values())[:MOST_PICTURES] for item in sorted(items)}
    return {item: pictures for item, pictures in found.items() if pictures}


def _has_twin(index: ItemIndex, item: str, pictures: Sequence[FloatArray]) -> bool:
    return any(match.score > TWIN for each in pictures[:1] for match in index.search(each, 1, without=item))


def _fewest_errors(rate: float, others: Sequence[float], same: Sequence[float]) -> tuple[float, bool]:
    """The score with the least weighted sum of errors, and whether it had to be lowered to refuse less.

    Of several that are as good it is the middle of the widest gap between two scores.
    """
    strange, known = np.sort(np.asarray(others, np.float64)), np.sort(np.asarray(same, np.float64))
    # Between two neighbours of all these scores the errors are the same everywhere.
    ends = np.unique(np.clip(np.concatenate([strange, known, [LOWEST, HIGHEST]]), LOWEST, HIGHEST))
    tried, wide = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    false_matches = 1 - np.searchsorted(strange, tried) / len(strange)
    refused = np.searchsorted(known, tried) / len(known)
    errors = false_matches / rate + refused / MOST_REFUSED
    within = refused <= MOST_REFUSED
    if not within.any():
        return LOWEST, True
    best = np.flatnonzero(within & (errors <= errors[within].min() + _SAME))
    score = float(tried[best[np.argmax(wide[best])]])
    return score, bool(errors[within].min() > errors.min() + _SAME)


def _needed(rate: float) -> int:
    """How many scores it takes for a rank of that rate."""
    return math.ceil(1 / rate) - 1


def _share_below(scores: Sequence[float], limit: float) -> float | None:
    return float(np.mean([score < limit for score in scores])) if scores else None
