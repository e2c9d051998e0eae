"""What is wrong with a value that somebody wrote, in plain words: what would do in its place.

pydantic speaks of Python to programmers. `appliance check`, the settings page and every form behind the desk
say it from here, so the same fault is the same sentence everywhere. What was written is never repeated: it
may be a secret.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_BOUNDS: Final = ("ge", "gt", "le", "lt")
_OUT_OF_RANGE: Final = {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}
_ID_FORM: Final = "^[a-z0-9]"
"""How the pattern of an id begins."""
_ID: Final = "lower-case letters and digits are needed, and - or _ between them; at most 32"
_FORM: Final = "it has not the form that is needed"

_PLAIN: Final[tuple[tuple[str, str], ...]] = (
    (r"bool_", "true or false is needed"),
    (r"(tuple|list|set|frozen_set)_type", "a list is needed, [ … ]"),
    (r"dict_type|model_.*type|mapping_type", "a table is needed"),
    (r"string_(type|sub_type|unicode)", "text is needed"),
    (r"path_type", "a path is needed"),
    (r"ip_", "an address or a network is needed, such as 10.0.0.5 or 10.0.0.0/8"),
    (r"(date_and_)?datetime_|timezone_", "a date and a time are needed, with their time zone"),
    (r"date_", "a date is needed"),
    (r"uuid_", "this is no id"),
    (r"missing|too_short_missing", "this is needed"),
    (r"extra_forbidden", "there is no such field"),
)
"""By how pydantic's name of a fault begins: what it is in words."""


def in_words(fault: Mapping[str, Any], model: type[BaseModel]) -> str:
    """What would do in the place of a value, as a sentence without capital and full stop.

    Args:
        fault: One of `ValidationError.errors()`.
        model: What was checked.
    """
    kind, context, place = str(fault["type"]), fault.get("ctx") or {}, tuple(fault["loc"])
    words = next((words for begins, words in _PLAIN if re.match(begins, kind)), "this cannot be taken")
    if kind in {"value_error", "assertion_error"}:
        words = re.sub(r"^(Value|Assertion) error, ", "", str(fault["msg"]))
    elif kind.startswith(("int_", "float_", "finite_number", "decimal_")) or kind in _OUT_OF_RANGE:
        words = _number(kind, context, place, model)
    elif kind in {"literal_error", "enum"}:
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        words = f"one of these is needed: {', '.join(choices)}"
    elif kind == "string_pattern_mismatch":
        words = _ID if str(context.get("pattern", "")).startswith(_ID_FORM) else _FORM
    elif kind in {"string_too_long", "too_long", "bytes_too_long"}:
        words = f"at most {_count(kind, context, 'max_length')}"
    elif kind in {"string_too_short", "too_short", "bytes_too_short"} and context.get("min_length") == 1:
        words = "this is needed" if kind.startswith("string") else "one of them at least is needed"
    elif kind in {"string_too_short", "too_short", "bytes_too_short"}:
        words = f"at least {_count(kind, context, 'min_length')}"
    elif kind == "missing" and place and isinstance(place[-1], int):
        words = f"{len(get_args(getattr(_field(place, model), 'annotation', None)))} numbers are needed"
    return words


def _count(kind: str, context: Mapping[str, Any], limit: str) -> str:
    # A secret is measured when it is one already: pydantic then says neither text nor list of it.
    text = kind.startswith("string") or context.get("field_type") == "Value"
    return f"{context.get(limit):,} {'characters' if text else 'of them'}"


def _number(kind: str, context: Mapping[str, Any], place: Sequence[Any], model: type[BaseModel]) -> str:
    """A number within its limits, whole or not."""
    field = _field(place, model)
    annotation = getattr(field, "annotation", None)
    limits = _limits(getattr(field, "metadata", ()))
    if place and isinstance(place[-1], int) and (inner := get_args(annotation)):
        annotation = inner[min(place[-1], len(inner) - 1)]
        annotation, *metadata = get_args(annotation) or (annotation,)
        limits = _limits(metadata)
    limits = {**{name: context[name] for name in _BOUNDS if name in context}, **limits}
    whole = kind.startswith("int_") or annotation is int or int in get_args(annotation)
    return f"a {'whole ' if whole else ''}number{_within(limits)} is needed"


def _limits(metadata: Sequence[Any]) -> dict[str, Any]:
    """The bounds of a number, however deep its annotation hides them."""
    found: dict[str, Any] = {}
    for each in metadata:
        found.update(_limits(each.metadata) if isinstance(each, FieldInfo) else {})
        found.update({name: bound for name in _BOUNDS if (bound := getattr(each, name, None)) is not None})
    return found


def _within(limits: Mapping[str, Any]) -> str:
    if "ge" in limits and "le" in limits:
        return f" from {_plain(limits['ge'])} to {_plain(limits['le'])}"
    named = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    said = [f"{words} {_plain(limits[name])}" for name, words in named.items() if name in limits]
    return f" of {' and '.join(said)}" if said else ""


def _plain(number: float) -> str:
    """A number as people write it: 0.00001 and not 1e-05."""
    return f"{number:.10f}".rstrip("0").rstrip(".")


def _field(place: Sequence[Any], model: type[BaseModel]) -> FieldInfo | None:
    """The field a place is in; None where that is not known."""
    found: FieldInfo | None = None
    for part in place:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        if field is None:
            return found
        found = field
        model = _model(field.annotation) or model
    return found


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part)) is not None), None)
