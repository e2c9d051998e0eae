"""What pages say of people in plain words: codes and figures of the desk, for who reads them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from appliance.phrases import PURPOSES

STATES: Final[Mapping[str, tuple[str, str]]] = {
    "active": ("Recognised", "good"),
    "paused": ("Paused", "warn"),
}
"""Word and kind of badge by state."""

NEEDS: Final[Mapping[str, str]] = {
    "no_reference": "No picture yet",
    "one_reference": "One picture only",
    "low_quality": "Poor pictures",
}
"""What would help, by code."""

OUTCOMES: Final[Mapping[str, str]] = {
    "undecided": "would not be sure, held against the others",
    "not_recognised": "does not look like the others",
    "mistaken": "looks more like somebody else",
}
"""What became of a picture that was held against the rest, by code."""

ORIGINS: Final[Mapping[str, str]] = {"photo": "Photo", "webcam": "Webcam", "camera": "Door camera"}
"""Where a picture came from, by code."""

STRICTNESS: Final[Sequence[tuple[str, str]]] = (
    ("1", "As for everybody"),
    ("3", "3 times rarer"),
    ("10", "10 times rarer"),
    ("100", "100 times rarer"),
    ("1000", "1,000 times rarer"),
)
"""Factors that are offered, and what each makes of a stranger being taken for the person."""

_GOOD, _FAIR = 70, 50
_FEW = 0.01
"""A share missed below this is told as such: the figures are of some thousand comparisons."""


def purpose(key: str) -> tuple[str, str]:
    """Title and hint of a purpose; one that is not known stands for itself."""
    words = PURPOSES.get(key)
    return (key, "") if words is None else (words.title, words.hint)


def quality(value: float | None) -> tuple[str, str]:
    """A quality from 0 to 100 as a word and the kind of its badge."""
    if value is None:
        return "no picture", "warn"
    if value >= _GOOD:
        return "good", "good"
    return ("fair", "") if value >= _FAIR else ("poor", "warn")


def strictness_options(factor: float) -> list[tuple[str, str]]:
    """Those that are offered, and the one that somebody has."""
    own = f"{factor:g}"
    if own in {key for key, _ in STRICTNESS}:
        return list(STRICTNESS)
    return sorted([*STRICTNESS, (own, f"{own} times rarer")], key=lambda each: float(each[0]))


def recognised(share: float | None, at_least: float) -> str:
    """The share of looks at which somebody enrolled is recognised, from the share missed."""
    if share is None:
        return f"less than {100 * (1 - at_least):.3g} %"
    if share < _FEW:
        return "more than 99 %"
    return f"{100 * (1 - share):.3g} %"


def one_in(share: float) -> str:
    """A small share as one in so many."""
    return f"1 in {1 / share:,.0f}"


def offered(agreed: Sequence[str], known: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every purpose with its words, and whether somebody agreed to it."""
    return [
        {"key": key, "title": purpose(key)[0], "hint": purpose(key)[1], "agreed": key in agreed}
        for key in known
    ]
