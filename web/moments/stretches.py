"""Moments that follow each other, put together: a dog that is seen for a minute is one line, not hundreds.

Pure functions of what the desk found. What is told of a moment in words is said here; where it leads is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.phrases import lasting

GAP_MS: Final = 10_000
"""What is not seen for longer comes anew."""
_SHOWN: Final = 3
VERDICTS: Final = {
    "identified": "Somebody it knows",
    "stranger": "A stranger",
    "undecided": "Somebody",
    "unknown": "Nobody can say who",
}
KINDS: Final = {
    "door_opened": "The door opened",
    "door_shut": "The door was shut",
    "door_unsure": "The door could not be told",
    "door_held_open": "The door stood open",
    "camera_lost": "The camera was lost",
    "camera_recovered": "The camera was back",
    "camera_moved": "The camera was moved",
    "camera_covered": "The camera was covered",
    "camera_dark": "It was dark",
    "camera_frozen": "The picture stood still",
    "camera_clear": "The camera saw again",
}


@dataclass(slots=True)
class Stretch:
    """A moment, or several that show the same, one soon after the other.

    Attributes:
        id: Of the first.
        at: When that was, ISO 8601.
        at_ms: The same, milliseconds since the epoch.
        end_ms: When the last one was.
        camera: Whose; None: none.
        door: At which.
        source: Name of the hosted function that saw it; None: the box itself.
        scores: Label to its best score.
        clip: Id of the clip that shows the first; None: none does.
        event: Id of an event of the log that says more; None: there is none.
    """

    id: str
    at: str
    at_ms: int
    end_ms: int
    camera: str | None
    door: str | None
    source: str | None
    said: str
    scores: dict[str, float] = field(default_factory=dict)
    clip: str | None = None
    event: str | None = None

    @property
    def words(self) -> str:
        """What it is, in a line."""
        if not self.scores:
            return self.said
        best = sorted(self.scores.items(), key=lambda each: (-each[1], each[0]))
        return ", ".join(f"{label} {score * 100:.0f} %" for label, score in best[:_SHOWN])

    @property
    def lasted(self) -> str:
        """How long it was seen, in words; empty: at one moment."""
        return lasting((self.end_ms - self.at_ms) / 1000) if self.end_ms - self.at_ms >= 1000 else ""  # noqa: PLR2004


def together(moments: Sequence[Mapping[str, Any]]) -> list[Stretch]:
    """Stretches, the newest first.

    Args:
        moments: As `moments.page` has them, the newest first.
    """
    found: list[Stretch] = []
    open_ones: dict[tuple[Any, ...], Stretch] = {}
    for each in moments:
        key = (each["camera"], each["source"], frozenset(each["labels"]))
        begun = open_ones.get(key) if each["kind"] == "seen" else None
        if begun is not None and begun.at_ms - each["at_ms"] <= GAP_MS:
            # Older than what is known of it: that is where it began.
            begun.id, begun.at, begun.at_ms = each["id"], each["at"], each["at_ms"]
            begun.clip = _clip(each) or begun.clip
            for label, score in each["labels"].items():
                begun.scores[label] = max(score, begun.scores[label])
            continue
        made = Stretch(
            each["id"],
            each["at"],
            each["at_ms"],
            each["at_ms"],
            each["camera"],
            each["door"],
            each["source"],
            _said(each),
            dict(each["labels"]),
            _clip(each),
            each["event"],
        )
        found.append(made)
        if each["kind"] == "seen":
            open_ones[key] = made
    return sorted(found, key=lambda stretch: -stretch.at_ms)


def _said(moment: Mapping[str, Any]) -> str:
    """What a moment without labels is."""
    if moment["kind"] == "encounter":
        person = moment["person"]
        return str(person["called"]) if person else VERDICTS.get(moment["verdict"], "Somebody")
    kind = str(moment["kind"])
    return KINDS.get(kind, kind.replace("_", " "))


def _clip(moment: Mapping[str, Any]) -> str | None:
    return None if moment["clip"] is None else str(moment["clip"]["id"])
