"""Reading the settings file, and saying where it is wrong.

Only reads: the file is written by people, the overlay by the UI (`overlay`). `tomllib` parses and
pydantic checks; this module adds what neither gives, the line of each key and the nearest key that exists.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from appliance.errors import SettingsError
from appliance.settings.merging import Merged, merge
from appliance.settings.model import Settings
from appliance.settings.relations import KeyPath, relations
from appliance.settings.wording import in_words

_MAX_BYTES = 1 << 20
"""A settings file is a few kilobytes; a megabyte is a mistake."""

_TABLE = re.compile(r"^\s*\[(?!\[)([^\]]+)\]\s*(#.*)?$")
_ARRAY_TABLE = re.compile(r"^\s*\[\[([^\]]+)\]\]\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)


@dataclass(frozen=True, slots=True)
class Text:
    """A file of settings, read.

    Attributes:
        origin: What it is called in messages: its path.
        raw: As TOML gives it.
        lines: Of its keys.
    """

    origin: str
    raw: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[KeyPath, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Whole:
    """Settings of a file and of the overlay beside it, and where each was written.

    Attributes:
        settings: Checked.
        base: The file.
        over: The overlay.
        merged: Both as one.
    """

    settings: Settings
    base: Text
    over: Text
    merged: Merged

    def where(self, place: KeyPath) -> str:
        """`file:line` of a key, or of what is nearest to it."""
        return _where(place, self.merged, self.base, self.over)[0]


def load(path: Path, overlay: Path | None = None) -> Settings:
    """Read and check a settings file, with the overlay over it if there is one.

    Raises:
        SettingsError: The file is not there, not TOML, or a setting is wrong; the message
            has one line per fault with file, line, key and, for a misspelt key, the nearest valid one.
    """
    return load_whole(path, overlay).settings


def load_whole(path: Path | None, overlay: Path | None = None) -> Whole:
    """The same, with where each setting was written; without a file the overlay alone holds.

    Raises:
        SettingsError: See `load`; a fault of the overlay names the overlay, and how to be rid of it.
    """
    base = read_text(path) if path is not None else Text("settings")
    if overlay is None or not overlay.exists():
        return whole(base, Text("overlay"))
    try:
        return whole(base, read_text(overlay))
    except SettingsError as error:
        if str(overlay) in error.message:
            hint = f"{overlay.name} is what was changed in the UI; without it the settings file alone holds"
            raise SettingsError(error.message, hint=hint) from None
        raise


def parse(text: str, *, origin: str = "settings") -> Settings:
    """Check settings given as TOML text; `origin` stands in front of each fault.

    Raises:
        SettingsError: See `load`.
    """
    return whole(parse_text(text, origin), Text("overlay")).settings


def read_text(path: Path) -> Text:
    """A file of settings, parsed but not checked.

    Raises:
        SettingsError: It is not there, cannot be read, or is not TOML.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SettingsError(f"{path}: larger than {_MAX_BYTES} bytes; is this the settings file?")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path}: there is no settings file",
            command="name one with --settings FILE, or try: appliance demo",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_text(text, str(path))


def parse_text(text: str, origin: str) -> Text:
    """TOML text, parsed but not checked.

    Raises:
        SettingsError: It is not TOML.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{origin}:{line[1] if line else len(text.splitlines())}"
        raise SettingsError(
            f"{where}: not valid TOML: {error}", hint="strings need quotes; tables look like [[cameras]]"
        ) from error
    return Text(origin, raw, key_lines(text))


def whole(base: Text, over: Text) -> Whole:
    """Two texts as one, checked.

    Raises:
        SettingsError: A setting is wrong.
    """
    merged = merge(base.raw, over.raw)
    try:
        return Whole(Settings.model_validate(merged.raw), base, over, merged)
    except ValidationError as error:
        told = set()
        for place, words in faults(merged.raw, error):
            where, line = _where(place, merged, base, over)
            told.add((where.startswith(f"{over.origin}:"), line, f"{where}: {words}"))
        raise SettingsError(
            "\n".join(message for _, _, message in sorted(told)),
            command="appliance check prints every setting with its meaning (--describe)",
        ) from None


def faults(raw: Mapping[str, Any], error: ValidationError) -> list[tuple[KeyPath, str]]:
    """What pydantic found, and what does not go together, each with its place; in words, with its key."""
    # The input is left out of every message: a source may carry a password. What does not go together
    # pydantic tells only once all else is right, and without a place; so it is looked for again.
    found = [item for item in error.errors(include_input=False) if item["loc"]]
    return [
        *((item["loc"], _words(item["loc"], item["type"], in_words(item, Settings))) for item in found),
        *((place, _words(place, "value_error", words)) for place, words in relations(raw)),
    ]


def _where(place: KeyPath, merged: Merged, base: Text, over: Text) -> tuple[str, int]:
    """File and line of a place or of what is nearest around it; the overlay's where both say something."""
    while place:
        for text, there in ((over, merged.in_over(place)), (base, merged.in_base(place))):
            if there is not None and there in text.lines:
                return f"{text.origin}:{text.lines[there]}", text.lines[there]
        place = place[:-1]
    return base.origin, 0


def _words(loc: KeyPath, kind: str, message: str) -> str:
    """One line of text for a fault: the key, and what is wrong with it."""
    key = _written(loc) or "settings"
    if kind == "extra_forbidden":
        valid = _fields_at(loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), valid, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]!r}?" if near else f"valid here: {', '.join(sorted(valid))}"
        return f"{key}: unknown key; {advice}"
    if kind == "missing" and not isinstance(loc[-1], int):
        return f"{key}: required, but not there"
    return f"{key}: {message[:1].lower()}{message[1:]}"


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


def is_tables(annotation: Any) -> bool:
    """Whether a setting is a list of tables.

    Those that the settings themselves have are known by their ids (`LISTS`). One inside a part or an element,
    such as the triggers of one camera, is one value as a whole.
    """
    return get_origin(annotation) is tuple and nested_model(annotation) is not None


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
