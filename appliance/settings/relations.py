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

LISTS = ("cameras", "doors", "objects", "webhooks", "locks", "actions")
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
        yield from _missing("objects", rows["objects"], "camera", frozenset(ids))
        yield from _missing("locks", rows["locks"], "camera", frozenset(ids))
        yield from _corners(raw.get("coffee"), rows["cameras"], frozenset(ids))
        yield from _named_cameras("search", raw.get("search"), frozenset(ids))
        yield from _too_late(rows)
        yield from _shared_streams(raw.get("video"), rows["cameras"])
    doors = [own for _, table in rows["doors"] if isinstance(own := table.get("id"), str)]
    if len(doors) == len(rows["doors"]):
        yield from _missing("locks", rows["locks"], "door", frozenset(doors))


def _corners(coffee: Any, cameras: _Tables, ids: frozenset[str]) -> Iterator[Relation]:
    """Coffee corners before cameras that there are not, or that read no face while a door is shut."""
    named = coffee.get("cameras") if isinstance(coffee, Mapping) else None
    if not isinstance(named, list | tuple):
        return
    at_doors = {table["id"] for _, table in cameras if table.get("when", "door") == "door"}
    for number, camera in enumerate(named):
        if isinstance(camera, str) and camera not in ids:
            there = ", ".join(sorted(ids)) or "none"
            words = f"there is no camera {camera[:64]!r}; there are: {there}"
            yield Relation(("coffee", "cameras", number), words)
        elif camera in at_doors:
            words = f"camera {camera[:64]!r} reads faces when = 'door'; before a coffee corner set 'always'"
            yield Relation(("coffee", "cameras", number), words)


def _named_cameras(room: str, settings: Any, ids: frozenset[str]) -> Iterator[Relation]:
    """Cameras that a room names and that there are not."""
    named = settings.get("cameras") if isinstance(settings, Mapping) else None
    there = ", ".join(sorted(ids)) or "none"
    for number, camera in enumerate(named if isinstance(named, list | tuple) else ()):
        if isinstance(camera, str) and camera not in ids:
            words = f"there is no camera {camera[:64]!r}; there are: {there}"
            yield Relation((room, "cameras", number), words)


def _shared_streams(video: Any, cameras: _Tables) -> Iterator[Relation]:
    """Several cameras that send to one stream, which takes video of one alone."""
    kvs = video.get("kvs") if isinstance(video, Mapping) else None
    name = kvs.get("stream") if isinstance(kvs, Mapping) and kvs.get("enabled") is True else None
    if isinstance(name, str) and "{camera}" not in name and len(cameras) > 1:
        words = "a stream takes one camera's video, and there are several cameras; put {camera} into it"
        yield Relation(("video", "kvs", "stream"), words)


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
    yield from _missing("doors", doors, "camera", ids)
    for number, table in cameras if watched <= ids else ():
        if table.get("when", "door") == "door" and table["id"] not in watched:
            words = f"camera {table['id'][:64]!r} reads faces when = 'door', but no [[doors]] names it"
            yield Relation(("cameras", number, "when"), f"{words}; add one, or set when = 'always'")


def _too_late(rows: Mapping[str, _Tables]) -> Iterator[Relation]:
    """Locks that are to open, at cameras that look only once the door is open."""
    seen_by = {
        own: table.get("camera") for _, table in rows["doors"] if isinstance(own := table.get("id"), str)
    }
    whens = {table["id"]: table.get("when", "door") for _, table in rows["cameras"]}
    for number, table in rows["locks"]:
        door = table.get("door")
        camera = table.get("camera") or (seen_by.get(door) if isinstance(door, str) else None)
        if table.get("policy", "off") != "off" and isinstance(camera, str) and whens.get(camera) == "door":
            words = f"camera {camera[:64]!r} reads faces once the door is open, which is too late for a lock"
            yield Relation(("locks", number, "policy"), f"{words}; set its when = 'approach'")


def _missing(name: str, tables: _Tables, key: str, ids: frozenset[str]) -> Iterator[Relation]:
    """Those that name a camera or a door that there is not."""
    for number, table in tables:
        named = table.get(key)
        if isinstance(named, str) and named not in ids:
            there = ", ".join(sorted(ids)) or "none"
            yield Relation((name, number, key), f"there is no {key} {named[:64]!r}; there are: {there}")


def _tables(rows: Any) -> _Tables:
    """The tables of a list, with their numbers in it."""
    if not isinstance(rows, list | tuple):
        return ()
    return [(number, row) for number, row in enumerate(rows) if isinstance(row, Mapping)]
