"""What is said of visual search: how alike something is, where it was looked up, what stands in the way.

Only words; the same for the page and for its script.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import url_for

_LIKENESS: Final = ((0.7, "As good as the same"), (0.4, "Very much alike"), (0.15, "Much alike"))
_LEAST: Final = "Somewhat alike"
BASES: Final = {
    "settings": "set by hand in the settings",
    "catalogue": "calibrated on the catalogue",
    "default": "the usual one: there are too few items to calibrate on",
}
"""Where a threshold comes from."""
WORK: Final = {
    "loading": "Reading the catalogue",
    "repairing": "Describing pictures anew that were not described",
    "refeaturizing": "Describing every picture by another network",
    "calibrating": "Finding from which likeness on something counts",
}
"""What the process that searches does beside searching."""
VIEWS: Final = {
    "all": "All of the picture counts.",
    "centre": "What is in the square counts.",
    "largest": "The largest thing counts, and never a person.",
}


def likeness(score: float, threshold: float) -> str:
    """How alike something is that counts as found, in words.

    Args:
        score: A cosine.
        threshold: From which one on something counts.
    """
    share = (score - threshold) / max(1.0 - threshold, 0.01)
    return next((words for least, words in _LIKENESS if share >= least), _LEAST)


def card(found: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a look-up, as the page's script shows it: `search.by_picture` with words and addresses."""
    threshold = found["threshold"]
    near = found["near"]
    return {
        "key": f"{found['at']} {found['source']} {found['name']} {found['number']}",
        "number": found["number"],
        "at": datetime.fromisoformat(found["at"]).astimezone().isoformat(timespec="seconds"),
        "source": found["source"],
        "name": found["name"],
        "known": found["known"],
        "searched": found["searched"],
        "matches": [_match(each, likeness(each["score"], threshold)) for each in found["matches"]],
        "near": None if near is None else _match(near, "Not alike enough"),
    }


def host(link: str) -> str:
    """Where a link leads, short; empty where it is no address that may be followed."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return (parts.hostname or "").removeprefix("www.") if parts.scheme in {"http", "https"} else ""


def safe(link: str) -> str:
    """A link as it may stand in a page: with http or https, or none at all."""
    return link if host(link) else ""


def _match(match: Mapping[str, Any], words: str) -> dict[str, Any]:
    return {
        "item": match["item"],
        "title": match["title"],
        "price": match["price"],
        "notes": match["notes"],
        "link": safe(match["link"]),
        "host": host(match["link"]),
        "likeness": words,
        "score": round(match["score"], 2),
        "picture": url_for("search.picture", picture=match["picture"]),
        "page": url_for("catalogue.show", item=match["item"]),
    }
