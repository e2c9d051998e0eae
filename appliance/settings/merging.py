"""The settings file and the overlay as one: merged key by key, lists of tables by id.

Works on settings as TOML gives them, before they are checked, and remembers which place of the whole
came from where, so that a fault is told with the file and the line it was written on. Reads no file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.settings.relations import LISTS, KeyPath

REMOVED = "removed"
"""`removed = true` in an overlay's `[[cameras]]`, `[[doors]]` or `[[actions]]` takes the file's one away."""

Raw = Mapping[str, Any]
"""Settings as TOML gives them."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Settings made of two.

    Attributes:
        raw: The whole, as TOML would give it.
        base: For each element of a list of tables, by list and number, its number in the file; absent if
            it is not there.
        over: The same for the overlay.
    """

    raw: dict[str, Any]
    base: dict[tuple[str, int], int] = field(default_factory=dict)
    over: dict[tuple[str, int], int] = field(default_factory=dict)

    def in_base(self, place: KeyPath) -> KeyPath | None:
        """The same place in the file; None if what it belongs to is not in it."""
        return _translated(place, self.base)

    def in_over(self, place: KeyPath) -> KeyPath | None:
        """The same place in the overlay."""
        return _translated(place, self.over)


def merge(base: Raw, over: Raw) -> Merged:
    """An overlay laid over a file's settings.

    Tables are merged key by key. The elements of `cameras`, `doors` and `actions` are matched by their
    `id`: one that is in both is merged, one that is only in the overlay comes last, one that the overlay
    marks as removed is left out. Everything else the overlay replaces whole.
    """
    merged = Merged({})
    for name in (*base, *(name for name in over if name not in base)):
        if name in LISTS:
            merged.raw[name] = _lists(name, base.get(name, []), over.get(name, []), merged)
        else:
            merged.raw[name] = _joined(base, over, name)
    for name in LISTS:
        # An overlay that only takes away from a list that is not there leaves nothing behind.
        if name not in base and merged.raw.get(name) == []:
            del merged.raw[name]
    return merged


def _joined(base: Raw, over: Raw, name: str) -> Any:
    if name not in over:
        return base[name]
    if name not in base or not (isinstance(base[name], Mapping) and isinstance(over[name], Mapping)):
        return over[name]
    inner = (*base[name], *(key for key in over[name] if key not in base[name]))
    return {key: _joined(base[name], over[name], key) for key in inner}


def _lists(name: str, base: Any, over: Any, merged: Merged) -> Any:
    if not isinstance(over, Sequence) or isinstance(over, str) or not isinstance(base, Sequence):
        return over
    by_id = {own: number for number, row in reversed(list(enumerate(over))) if (own := _id(row)) is not None}
    rows: list[Any] = []
    taken: set[int] = set()
    for number, row in enumerate(base):
        own = _id(row)
        # Of several with one id, which is a fault, the first is meant.
        matched = by_id.get(own) if own is not None and by_id.get(own) not in taken else None
        if matched is not None:
            taken.add(matched)
            if over[matched].get(REMOVED) is True:
                continue
            merged.over[name, len(rows)] = matched
            row = {key: _joined(row, over[matched], key) for key in {**row, **over[matched]}}  # noqa: PLW2901
        merged.base[name, len(rows)] = number
        rows.append(row)
    for number, row in enumerate(over):
        if number in taken or (_id(row) is not None and row.get(REMOVED) is True):
            continue
        merged.over[name, len(rows)] = number
        rows.append(row)
    return rows


def _id(row: Any) -> str | None:
    own = row.get("id") if isinstance(row, Mapping) else None
    return own if isinstance(own, str) else None


def _translated(place: KeyPath, numbers: Mapping[tuple[str, int], int]) -> KeyPath | None:
    match place:
        case (str(name), int(number), *rest) if name in LISTS:
            there = numbers.get((name, number))
            return None if there is None else (name, there, *rest)
        case _:
            return place
