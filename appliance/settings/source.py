"""Reading the settings file, and saying where it is wrong.

Only reads: the file is written by people. `tomllib` parses and pydantic checks; this
module adds what neither gives, the line of each key and the nearest key that exists.
"""

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from appliance.errors import SettingsError
from appliance.settings.model import Settings
from appliance.settings.relations import KeyPath, relations

_MAX_BYTES = 1 << 20
"""A settings file is a few kilobytes; a megabyte is a mistake."""

_TOML_WORDS = (
    (r"a valid tuple", "a list, [ … ]"),
    (r"a valid dictionary or (an )?instance of \w+", "a table"),
    (r"a valid boolean", "true or false"),
)
"""pydantic speaks of Python's types; whoever writes the file has TOML's."""

_TABLE = re.compile(r"^\s*\[(?!\[)([^\]]+)\]\s*(#.*)?$")
_ARRAY_TABLE = re.compile(r"^\s*\[\[([^\]]+)\]\]\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def load(path: Path) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: The file is not there, not TOML, or a setting is wrong; the message
            has one line per fault with file, line, key and, for a misspelt key, the nearest valid one.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SettingsError(f"{path}: larger than {_MAX_BYTES} bytes; is this the settings file?")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path}: there is no settings file", hint="name one with --settings FILE, or try: appliance demo"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(text, origin=str(path))


def parse(text: str, *, origin: str = "settings") -> Settings:
    """Check settings given as TOML text; `origin` stands in front of each fault.

    Raises:
        SettingsError: See `load`.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{origin}:{line[1] if line else len(text.splitlines())}"
        raise SettingsError(
            f"{where}: not valid TOML: {error}", hint="strings need quotes; tables look like [[cameras]]"
        ) from error
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        lines = key_lines(text)
        # The input is left out of every message: a source may carry a password. What does not go together
        # pydantic tells only once all else is right, and without a place; so it is looked for again.
        found = [item for item in error.errors(include_input=False) if item["loc"]]
        faults = sorted(
            {_fault(origin, item["loc"], item["type"], item["msg"], lines) for item in found}
            | {_fault(origin, place, "value_error", words, lines) for place, words in relations(raw)}
        )
        raise SettingsError(
            "\n".join(message for _, message in faults),
            hint="appliance check prints every setting with its meaning (--describe)",
        ) from None


def _fault(origin: str, loc: KeyPath, kind: str, message: str, lines: dict[KeyPath, int]) -> tuple[int, str]:
    """Line number (for sorting) and one line of text for a pydantic error."""
    place = loc
    while place and place not in lines:
        place = place[:-1]
    line = lines.get(place, 0)
    where = f"{origin}:{line}" if line else origin
    key = _written(loc) or "settings"
    if kind == "extra_forbidden":
        valid = _fields_at(loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), valid, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]!r}?" if near else f"valid here: {', '.join(sorted(valid))}"
        return line, f"{where}: {key}: unknown key; {advice}"
    if kind == "missing":
        return line, f"{where}: {key}: required, but not there"
    text = message.removeprefix("Value error, ")
    for python, toml in _TOML_WORDS:
        text = re.sub(python, toml, text)
    return line, f"{where}: {key}: {text[:1].lower()}{text[1:]}"


def _written(loc: Sequence[str | int]) -> str:
    """A location as people write it: `cameras[0].source`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _fields_at(loc: KeyPath) -> list[str]:
    """The keys that are valid inside the table at `loc`; empty when that is no table."""
    model: type[BaseModel] = Settings
    for part in loc:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = nested_model(field.annotation) if field is not None else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def nested_model(annotation: Any) -> type[BaseModel] | None:
    """The settings model inside an annotation such as `tuple[CameraSettings, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := nested_model(part)) is not None), None)


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line number (from 1) of every table and key in valid TOML text.

    Keys inside inline tables and arrays are not listed; their parent's line is near enough.
    """
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    prefix: KeyPath = ()
    rows = text.splitlines()
    at = 0
    while at < len(rows):
        row = rows[at]
        if header := _ARRAY_TABLE.match(row):
            name = (*_resolve(_parts(header[1])[:-1], counts), _parts(header[1])[-1])
            counts[name] = counts.get(name, -1) + 1
            prefix = (*name, counts[name])
            found.setdefault(name, at + 1)
            found[prefix] = at + 1
        elif header := _TABLE.match(row):
            prefix = _resolve(_parts(header[1]), counts)
            found[prefix] = at + 1
        elif key := _KEY.match(row):
            found[prefix + _parts(key[1])] = at + 1
            at = _value_end(rows, at, row[key.end() :])
        at += 1
    return found


def _value_end(rows: list[str], at: int, value: str) -> int:
    """Index of the row on which the value that begins on row `at` ends."""
    end = at
    while True:
        try:
            tomllib.loads(f"x ={value}")
        except tomllib.TOMLDecodeError:
            if end + 1 >= len(rows):
                return at
            end += 1
            value += "\n" + rows[end]
        else:
            return end


def _parts(dotted: str) -> KeyPath:
    """`a."b c".d` as a tuple."""
    return tuple(part.strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+", dotted))


def _resolve(parts: KeyPath, counts: dict[KeyPath, int]) -> KeyPath:
    """A table's path with the index of the newest element where it passes through an array."""
    path: KeyPath = ()
    for part in parts:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    return path
