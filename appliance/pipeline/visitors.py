"""Visitors: people who are not enrolled, known by a number for some hours, where an admin allowed that.

What they look like is in this process's memory alone: it is never written, never enrolled, and gone after the
hours, or when the process ends. Only whose coffee counted is kept. One thread asks at a time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from appliance.decision import Policy, Sighting
from appliance.matching import Gallery, Reference
from appliance.values import ReferenceId, SubjectId, Templates, Verdict

_MOST: Final = 200
"""Visitors kept, those of the latest coffees."""
_NUMBERED: Final = re.compile(r"^visitor:(\d+)$")


def visitor_number(who: str) -> int | None:
    """The number in the key of a visitor who has one; None: somebody enrolled, or one without it yet."""
    found = _NUMBERED.match(who)
    return int(found.group(1)) if found else None


def is_visitor(who: str) -> bool:
    """Whether a key is a visitor's."""
    return who.startswith("visitor:")


@dataclass(slots=True)
class _Visitor:
    looks: tuple[Templates, ...]
    seen_s: float


class Visitors:
    """The visitors of a box.

    Args:
        policy: The rule by which somebody is the same visitor as before.
        forgotten_after_s: Seconds after the last coffee.
        first: The number that the first one gets.
    """

    def __init__(self, policy: Policy, *, forgotten_after_s: float, first: int = 1) -> None:
        self._policy = policy
        self._forgotten_after_s = forgotten_after_s
        self._next = first
        self._kept: dict[int, _Visitor] = {}
        self._known: dict[str, int] = {}
        self._built: Gallery | None = None

    @property
    def gallery(self) -> Gallery:
        """What those who are kept look like; the same object until one more is kept, or one forgotten.

        Each stay of somebody unknown is compared with it at every look, while all cameras wait.
        """
        if self._built is None:
            self._built = self._build()
        return self._built

    def key(self, encounter: str, kept: Sequence[Sighting], now_s: float) -> str:
        """Whom a coffee of this stay counts for: `visitor:7`, or a key of the stay's own while there is none.

        Args:
            encounter: The stay.
            kept: Its good frames.
            now_s: Monotonic seconds.
        """
        self._forget(now_s)
        number = self._known.get(encounter)
        if number is None and kept and self._kept:
            number = self._recognised(kept)
            if number is not None:
                self._known[encounter] = number
        return f"visitor:{encounter}" if number is None else f"visitor:{number}"

    def took(self, encounter: str, kept: Sequence[Sighting], now_s: float) -> int:
        """The number of whoever took a coffee; with it, they are kept for the next."""
        number = self._known.get(encounter)
        if number is None:
            number, self._next = self._next, self._next + 1
            self._known[encounter] = number
        before = self._kept.pop(number, None)
        looks = tuple(templates for _, templates in kept) or (before.looks if before else ())
        self._kept[number] = _Visitor(looks, now_s)
        self._built = None
        while len(self._kept) > _MOST:
            self._drop(next(iter(self._kept)))
        return number

    def _recognised(self, kept: Sequence[Sighting]) -> int | None:
        frames = [replace(frame, scores=self.gallery.compare(templates)) for frame, templates in kept]
        concluded = self._policy.conclude(frames, seen=len(frames))
        return (
            int(concluded.subject) if concluded.verdict is Verdict.IDENTIFIED and concluded.subject else None
        )

    def _build(self) -> Gallery:
        rows = [
            Reference(SubjectId(str(number)), ReferenceId(f"{number}-{i}"), model, look[model].embedding)
            for number, visitor in self._kept.items()
            for i, look in enumerate(visitor.looks)
            for model in self._policy.models
        ]
        return Gallery(self._policy.models, rows)

    def _forget(self, now_s: float) -> None:
        for number in [n for n, each in self._kept.items() if now_s - each.seen_s >= self._forgotten_after_s]:
            self._drop(number)

    def _drop(self, number: int) -> None:
        del self._kept[number]
        self._built = None
        self._known = {key: known for key, known in self._known.items() if known != number}

    def remembered(self) -> Mapping[int, float]:
        """Who is kept, and since when they were last seen with a coffee."""
        return {number: each.seen_s for number, each in self._kept.items()}
