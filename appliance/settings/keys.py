"""Keys of settings as the UI writes them, with dots, elements by their ids: `doors.front.region`.

Says what is known of a key without looking at any settings; changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from appliance.errors import FormError
from appliance.settings.model import Settings
from appliance.settings.relations import LISTS, KeyPath
from appliance.settings.source import is_tables, nested_model

ELEMENT = 2
"""Parts of the key of a list's element: the list, and its id."""


def scope_of(key: str) -> str:
    """Which process a change of this key restarts; `all` for what is not known."""
    extra = getattr(field_of(key), "json_schema_extra", None)
    return str(extra.get("scope", "all")) if isinstance(extra, dict) else "all"


def key_of(place: KeyPath, raw: Mapping[str, Any]) -> str:
    """A place in the settings as a key with dots: `("cameras", 0, "source")` → `cameras.entrance.source`."""
    if len(place) < ELEMENT or place[0] not in LISTS:
        return ".".join(part for part in place if isinstance(part, str))
    rows, number = raw.get(str(place[0])), place[1]
    row = rows[number] if isinstance(rows, list | tuple) and isinstance(number, int) else None
    own = row.get("id") if isinstance(row, Mapping) else None
    inner = (part for part in place[ELEMENT:] if isinstance(part, str))
    return ".".join((str(place[0]), own if isinstance(own, str) else str(number), *inner))


def field_of(key: str) -> FieldInfo | None:
    """The setting behind a key; of an element its list's; None: there is no such setting."""
    model: type[BaseModel] = Settings
    found: FieldInfo | None = None
    parts = key.split(".")
    while parts:
        name = parts.pop(0)
        found = model.model_fields.get(name)
        if found is None:
            return None
        inner = nested_model(found.annotation)
        if name in LISTS:
            del parts[:1]
        if inner is None or not parts:
            return found
        if name not in LISTS and is_tables(found.annotation):
            return None
        model = inner
    return found


def default_of(key: str) -> Any:
    """What holds where nothing is said; None also for what must be said."""
    field = field_of(key)
    return None if field is None or field.is_required() else field.default


def parts_of(key: str) -> tuple[str, ...]:
    """A key in its parts.

    Raises:
        FormError: There is no such key.
    """
    parts = tuple(key.split("."))
    named = all(parts) and field_of(key) is not None
    # A list as a whole has no id to go by, and what has no parts takes none.
    whole_list = parts[0] in LISTS and len(parts) < ELEMENT
    deepest = field_of(key.rpartition(".")[0]) if len(parts) > 1 else None
    beyond = deepest is not None and nested_model(deepest.annotation) is None
    if not named or whole_list or beyond:
        raise FormError(f"there is no setting {key[:80]!r}", fields={key: "there is no such setting"})
    return parts
