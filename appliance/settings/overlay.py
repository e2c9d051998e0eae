"""What the UI changes of the settings: proposed, checked, shown as a difference, written as the overlay.

Settings are one TOML written by people. What is changed in the UI stands in a file of its own beside the
state (`overlay.toml`), which is laid over it (`merging`); the UI alone writes that, people may read or
delete it. Nothing here writes a file: whoever proposed a change does, once a person has seen it.

    files = SettingsFiles(file, layout.overlay_file)
    proposal = proposed(files, {"recognition.fpir": 0.0005, "cameras.entrance.source": "/dev/video2"})
    proposal = proposed(files, {"doors.front.seed": [0.4, 0.2], "cameras.back": None}, resets=["site"])
    proposal.settings      the whole, checked
    proposal.differences   key, before, after, restart scope; what is secret is never shown
    proposal.text          what overlay.toml is to hold

A key is written with dots, and the elements of a list by their ids: `doors.front.region`. A value is
a JSON value; `None` for a whole element (`cameras.back`) takes it away, even if the file has it. An element
that is not there yet is begun by naming its keys. A reset takes a key, an element or a table out of
the overlay, so that what the file says holds again.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel, SecretStr, ValidationError

from appliance.errors import FormError, SettingsError
from appliance.settings.editing import reset_key, set_key, swept
from appliance.settings.keys import default_of, key_of, scope_of
from appliance.settings.merging import REMOVED, merge
from appliance.settings.model import Settings
from appliance.settings.relations import LISTS
from appliance.settings.source import Whole, faults, is_tables, load_whole, read_text

HEADER = """\
# Written by the appliance's own pages, and only by them: what was changed there of the settings.
# It is laid over the settings file. Deleting a key here, or all of this file, brings the file's
# word back at the next start. Comments and order are not kept.
"""

_SECRET = "(kept secret)"  # noqa: S105 - what is shown in its place


@dataclass(frozen=True, slots=True)
class SettingsFiles:
    """Where the settings are.

    Attributes:
        file: Written by people; None: there is none, and defaults hold.
        overlay: Written by the UI; need not exist.
    """

    file: Path | None
    overlay: Path

    def read(self) -> Whole:
        """Both as one, checked.

        Raises:
            SettingsError: One of them is wrong; the message names file and line.
        """
        return load_whole(self.file, self.overlay)

    def revision(self) -> str:
        """Names what both files say now; another whenever one of them says something else.

        Raises:
            SettingsError: One cannot be read.
        """
        digest = hashlib.sha256()
        for path in (self.file, self.overlay):
            try:
                digest.update(path.read_bytes() if path is not None else b"")
            except FileNotFoundError:
                pass
            except OSError as error:
                raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
            digest.update(b"\0")
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that would change.

    Attributes:
        key: With dots, elements by id.
        before: As TOML would have it; None: it is not there.
        after: The same of what would hold.
        scope: Which process has to restart: `loop`, `models`, `web`, …, `all`, or `live` for none.
        secret: Neither value is shown.
    """

    key: str
    before: str | None
    after: str | None
    scope: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that can be made.

    Attributes:
        settings: The whole as it would be.
        differences: From what holds now; those of an element that is new or gone, key by key.
        text: What the overlay is to hold.
        revision: Of the files it was made from (`SettingsFiles.revision`).
    """

    settings: Settings
    differences: tuple[Difference, ...]
    text: str
    revision: str

    @property
    def scopes(self) -> frozenset[str]:
        """What has to restart."""
        return frozenset(each.scope for each in self.differences)


def read_overlay(path: Path) -> dict[str, Any]:
    """What the overlay says, as TOML gives it; nothing if there is none.

    Raises:
        SettingsError: It cannot be read, or is not TOML.
    """
    return dict(read_text(path).raw) if path.exists() else {}


def overlaid_keys(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys an overlay sets, with dots; an element that it takes away by its own key."""
    return tuple(sorted(_overlaid(raw)))


def rendered(raw: Mapping[str, Any]) -> str:
    """An overlay's text: header, then TOML; the same for the same settings."""
    return HEADER + (tomlkit.dumps(dict(_ordered(raw))) if raw else "")


def proposed(files: SettingsFiles, changes: Mapping[str, Any], *, resets: Iterable[str] = ()) -> Proposal:
    """What would be if these settings were changed.

    Args:
        files: As they are.
        changes: Key → value; see above.
        resets: Keys for which the file's word is to hold again; done before the changes.

    Raises:
        FormError: The result would be wrong; its fields are named by their keys.
        SettingsError: The files are wrong already.
    """
    revision = files.revision()
    now = files.read()
    over = _copied(now.over.raw)
    for key in resets:
        reset_key(over, key)
    for key, value in changes.items():
        set_key(over, now.base.raw, key, value)
    over = swept(over)
    merged = merge(now.base.raw, over).raw
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise _unfit(merged, error) from None
    return Proposal(settings, tuple(differences(now.settings, settings)), rendered(over), revision)


def differences(before: Settings, after: Settings) -> Iterator[Difference]:
    """Every setting that is not the same in two, in the order of the settings page.

    Of an element that is only in one of them, what is said of it: defaults are left out.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    for key in (*old, *(key for key in new if key not in old)):
        was, is_now = old.get(key), new.get(key)
        alone = (key in old) is not (key in new)
        if was == is_now or (alone and (was if key in old else is_now) == default_of(key)):
            continue
        secret = isinstance(was, SecretStr) or isinstance(is_now, SecretStr)
        yield Difference(
            key,
            shown(was) if key in old else None,
            shown(is_now) if key in new else None,
            scope_of(key),
            secret,
        )


def shown(value: Any) -> str:
    """A setting's value as TOML would have it, on one line; a secret's is not shown."""
    if isinstance(value, SecretStr):
        return _SECRET
    if value is None:
        return ""
    # JSON's strings, numbers, booleans and lists are TOML's.
    return json.dumps(value, ensure_ascii=False, default=_table_or_text)


def _table_or_text(value: Any) -> Any:
    """What JSON does not know: a table with what is said in it, and paths and the like as text."""
    return (
        value.model_dump(mode="json", exclude_defaults=True) if isinstance(value, BaseModel) else str(value)
    )


def _copied(raw: Mapping[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(dict(raw), default=str))
    return copied


def _unfit(merged: Mapping[str, Any], error: ValidationError) -> FormError:
    fields: dict[str, str] = {}
    for place, words in faults(merged, error):
        # Without the key in front: the field says it. Of numbers in a list, the list says it.
        fields.setdefault(key_of(place, merged), words.partition(": ")[2] or words)
    if len(fields) > 1:
        return FormError(f"{len(fields)} settings cannot be taken: {', '.join(fields)}", fields=fields)
    first = next(iter(fields.items()), ("settings", "these do not go together"))
    return FormError(f"{first[0]}: {first[1]}", fields=fields)


# ------------------------------------------------------------ showing


def _overlaid(raw: Mapping[str, Any]) -> Iterator[str]:
    for name, value in raw.items():
        if name in LISTS and isinstance(value, list):
            for number, row in enumerate(value):
                own = str(row.get("id", number)) if isinstance(row, dict) else str(number)
                inner = [key for key in row if key != "id"] if isinstance(row, dict) else []
                if REMOVED in inner:
                    yield f"{name}.{own}"
                else:
                    yield from (f"{name}.{own}.{key}" for key in inner)
        elif isinstance(value, Mapping):
            yield from (f"{name}.{key}" for key in value)
        else:
            yield name


def _flat(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting with its key, down to values; of the lists of tables by the elements' ids."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from _flat(value, f"{prefix}{name}.")
        elif is_tables(field.annotation) and not prefix:
            for row in value:
                yield from _flat(row, f"{prefix}{name}.{row.id}.")
        else:
            yield f"{prefix}{name}", value


def _ordered(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Plain values first, as TOML wants, then tables in the order of the settings."""
    order = [*Settings.model_fields, *raw]
    for plain in (True, False):
        for name in dict.fromkeys(order):
            if name in raw and _is_plain(raw[name]) is plain:
                yield name, raw[name]


def _is_plain(value: Any) -> bool:
    tables = isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)
    return not (tables or isinstance(value, Mapping))
