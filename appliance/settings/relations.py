"""What settings say of each other: equal ids, a door at a camera that there is not.

Looks at ids only, as they were written; types and ranges are `model`'s business. So these faults are
found beside those of single fields, of which there may be any number.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

KeyPath = tuple[str | int, ...]
"""Where in the settings something is written: `("cameras", 0, "id")`."""

_Tables = Sequence[tuple[int, Mapping[str, Any]]]
"""The tables of a list, each with its number."""

LISTS = ("cameras", "doors", "actions")
"""The lists of tables, whose elements are known by their ids."""


class Relation(NamedTuple):
    """A setting that does not go with another.

    Attributes:
        place: The key it is written at.
        words: What is wrong, and what to do.
    """

    place: KeyPath
    words: str


def relations(raw: Mapping[str, Any]) -> Iterator[Relation]:
    """What does not go together in settings as TOML gives them.

    What is no table or no id is passed over: that is a fault of its own. Where a camera has no id, it is not
    known which doors have theirs.
    """
    rows = {name: _tables(raw.get(name)) for name in LISTS}
    for name, tables in rows.items():
        yield from _equal_ids(name, tables)
    ids = [own for _, table in rows["cameras"] if isinstance(own := table.get("id"), str)]
    if len(ids) == len(rows["cameras"]):
        yield from _strays(rows["cameras"], rows["doors"], frozenset(ids))


def _equal_ids(name: str, tables: _Tables) -> Iterator[Relation]:
    seen: dict[str, int] = {}
    for number, table in tables:
        own = table.get("id")
        if isinstance(own, str):
            if own in seen:
                yield Relation((name, number, "id"), f"{name}[{seen[own]}] has the id {own[:64]!r} already")
            seen.setdefault(own, number)


def _strays(cameras: _Tables, doors: _Tables, ids: frozenset[str]) -> Iterator[Relation]:
    """Doors without their camera; or, if each has its own, cameras that wait for a door in vain."""
    named = [(number, camera) for number, door in doors if isinstance(camera := door.get("camera"), str)]
    watched = {camera for _, camera in named}
    for number, camera in named:
        if camera not in ids:
            there = ", ".join(sorted(ids)) or "none"
            yield Relation(
                ("doors", number, "camera"), f"there is no camera {camera[:64]!r}; there are: {there}"
            )
    for number, table in cameras if watched <= ids else ():
        if table.get("when", "door") == "door" and table["id"] not in watched:
            words = f"camera {table['id'][:64]!r} reads faces when = 'door', but no [[doors]] names it"
            yield Relation(("cameras", number, "when"), f"{words}; add one, or set when = 'always'")


def _tables(rows: Any) -> _Tables:
    """The tables of a list, with their numbers in it."""
    if not isinstance(rows, list | tuple):
        return ()
    return [(number, row) for number, row in enumerate(rows) if isinstance(row, Mapping)]
