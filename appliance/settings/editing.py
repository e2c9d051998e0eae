"""Changing what an overlay says, key by key. It checks that a setting exists, not what it may be.

Works on an overlay as TOML gives it, in place; reads and writes no file.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.errors import FormError
from appliance.settings.keys import ELEMENT, parts_of
from appliance.settings.merging import REMOVED
from appliance.settings.relations import LISTS


def set_key(over: dict[str, Any], base: Mapping[str, Any], key: str, value: Any) -> None:
    """Have the overlay say a key; None: not say it, and of a whole element that it is taken away.

    Raises:
        FormError: There is no such setting.
    """
    parts = parts_of(key)
    table = over
    if parts[0] in LISTS and len(parts) == ELEMENT:
        _set_element(over, base, parts, value)
        return
    if parts[0] in LISTS:
        table = _element(over, parts[0], parts[1])
        table.pop(REMOVED, None)
        parts = parts[ELEMENT:]
    for part in parts[:-1]:
        table = table.setdefault(part, {})
    if value is None:
        table.pop(parts[-1], None)
    elif isinstance(value, Mapping):
        table[parts[-1]] = _plain_table(key, value)
    else:
        table[parts[-1]] = value


def _set_element(over: dict[str, Any], base: Mapping[str, Any], parts: Sequence[str], value: Any) -> None:
    """An element as a whole: what it says, or that it is taken away, even if the file has it."""
    name, own = parts[0], parts[1]
    rows = [row for row in over.get(name, []) if not _is_called(row, own)]
    if value is not None:
        rows.append({"id": own, **_plain_table(".".join(parts), value)})
    elif any(_is_called(row, own) for row in base.get(name, [])):
        rows.append({"id": own, REMOVED: True})
    over[name] = rows


def _is_called(row: Any, own: str) -> bool:
    return isinstance(row, Mapping) and row.get("id") == own


def _plain_table(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise FormError(f"{key} is a table of settings", fields={key: "this is a table of settings"})
    return {name: each for name, each in value.items() if each is not None}


def _element(over: dict[str, Any], name: str, own: str) -> dict[str, Any]:
    rows = over.setdefault(name, [])
    for row in rows:
        if isinstance(row, dict) and _is_called(row, own):
            return row
    rows.append(fresh := {"id": own})
    return fresh


def reset_key(over: dict[str, Any], key: str) -> None:
    """Have the overlay say nothing of a key, an element or a table.

    Raises:
        FormError: There is no such setting.
    """
    parts = parts_of(key)
    table: Any = over
    if parts[0] in LISTS:
        rows = over.get(parts[0], [])
        found = [row for row in rows if _is_called(row, parts[1])]
        if len(parts) == ELEMENT:
            over[parts[0]] = [row for row in rows if row not in found]
            return
        table, parts = (found[0] if found else {}), parts[ELEMENT:]
    for part in parts[:-1]:
        table = table.get(part, {}) if isinstance(table, dict) else {}
    if isinstance(table, dict):
        table.pop(parts[-1], None)


def swept(over: dict[str, Any]) -> dict[str, Any]:
    """Without tables and elements that say nothing."""
    kept: dict[str, Any] = {}
    for name, value in over.items():
        left: Any = value
        if name in LISTS and isinstance(value, list):
            left = [row for row in value if not (isinstance(row, dict) and set(row) <= {"id"})]
        if not (isinstance(left, dict | list) and not left and (name in LISTS or isinstance(left, dict))):
            kept[name] = left
    return kept
