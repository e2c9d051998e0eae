"""Operations of the settings: what there is, what holds and why, what a change would do, making it.

What settings may be is `appliance.settings`' business, and putting a change in force `applying`'s. What
would give whoever gets into the pages more than the pages is not changed from here (`describing.CLOSED`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, Field, JsonValue, SecretStr

from appliance.app.desk.applying import WHOLE, Applying, Source, wanted
from appliance.app.desk.describing import closed, rooms
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.errors import FormError
from appliance.permissions import Permission
from appliance.settings.keys import default_of, scope_of
from appliance.settings.overlay import Proposal, overlaid_keys
from appliance.settings.relations import LISTS, KeyPath
from appliance.settings.source import Whole, is_tables

_MOST: Final = 200
_KEY: Final = 200


class Change(Arguments):
    """A change of settings.

    Attributes:
        changes: Key → value; null for a whole element takes it away.
        resets: Keys for which the settings file's word is to hold again.
        revision: Of the settings that whoever asks has seen; empty: whatever they are.
    """

    changes: dict[str, JsonValue] = Field(default={}, max_length=_MOST)
    resets: tuple[str, ...] = Field(default=(), max_length=_MOST)
    revision: str = Field(default="", max_length=64)


class SettingsPages:
    """Shows and changes settings.

    Args:
        source: Where they are.
        applying: Puts a change in force.
    """

    def __init__(self, source: Source, applying: Applying) -> None:
        self._source = source
        self._applying = applying

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        may = Permission.SETTINGS
        return [
            Operation("settings.describe", Nothing, may, self.describe),
            Operation("settings.read", Nothing, may, self.read),
            Operation("settings.propose", Change, may, self.propose),
            Operation("settings.save", Change, may, self.save),
        ]

    def describe(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002 - an operation is told what was asked
        """Every setting there is: words, unit, kind of value and its limits, what a change restarts."""
        return Answer({"rooms": rooms()})

    def read(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002
        """What holds, where each value comes from, and of a secret only whether there is one.

        Raises:
            SettingsError: The files are wrong; the message names file and line.
        """
        revision = self._source.files.revision()
        whole = self._source.files.read()
        return Answer(
            {
                "revision": revision,
                "file": str(self._source.files.file) if self._source.files.file is not None else None,
                "overlay": str(self._source.files.overlay),
                "values": {row.pop("key"): row for row in _values(whole)},
                "elements": {name: _ids(whole, name) for name in LISTS},
            }
        )

    def propose(self, asked: Asked[Change]) -> Answer:
        """What would change, key by key, and what would restart; nothing is written.

        Raises:
            FormError: It would be wrong, is not changed from here, or the settings are others meanwhile.
            DeniedError: It has a say in whom a lock opens for, and no person asks who is signed in.
        """
        given = asked.arguments
        _open(given)
        found = self._applying.propose(given.changes, resets=given.resets, who=asked.who)
        _open_all(each.key for each in found.differences)
        return Answer(_told(found))

    def save(self, asked: Asked[Change]) -> Answer:
        """Make it so.

        Raises:
            FormError: It would be wrong, is not changed from here, or the settings are others meanwhile.
            DeniedError: It has a say in whom a lock opens for, and no person asks who is signed in.
            SettingsError: It cannot be written.
        """
        given = asked.arguments
        _open(given)
        found = self._applying.propose(given.changes, resets=given.resets, who=asked.who)
        _open_all(each.key for each in found.differences)
        saved = self._applying.save(
            given.changes, resets=given.resets, revision=given.revision, who=asked.who
        )
        return Answer(saved.told())


def _open(given: Change) -> None:
    """See that everything named may be changed over the network.

    Raises:
        FormError: Something may not.
    """
    for key in (*given.changes, *given.resets):
        if len(key) > _KEY:
            raise FormError("there is no such setting", fields={key[:_KEY]: "there is no such setting"})
    _open_all((*given.changes, *given.resets))
    # A whole part given at once would hide keys in it that are closed.
    for key, value in given.changes.items():
        if isinstance(value, Mapping):
            _open_all(f"{key}.{inner}" for inner in value)


def _open_all(keys: Iterable[str]) -> None:
    found = {key: why for key in keys if (why := closed(key)) is not None}
    if found:
        raise FormError(next(iter(found.values())), fields=found)


def _told(found: Proposal) -> dict[str, Any]:
    return {
        "differences": [
            {
                "key": each.key,
                "before": each.before,
                "after": each.after,
                "scope": each.scope,
                "secret": each.secret,
            }
            for each in found.differences
        ],
        "restarts": list(wanted(found)),
        "whole": any(
            each.key == part or each.key.startswith(f"{part}.")
            for each in found.differences
            for part in WHOLE
        ),
        "revision": found.revision,
    }


def _values(whole: Whole) -> Iterator[dict[str, Any]]:
    overlaid = set(overlaid_keys(whole.over.raw))
    for key, place, value in _flat(whole.settings, "", ()):
        # A command line may carry a password, and is no business of the network's.
        secret = isinstance(value, SecretStr) or key.endswith(".argv")
        over = key in overlaid
        row: dict[str, Any] = {
            "key": key,
            "value": None if secret else value,
            "secret": secret,
            "set": value is not None and value != [],
            "default": _json(default_of(key)),
            "scope": scope_of(key),
            "source": "overlay" if over else "default",
            "where": "",
        }
        there = whole.merged.in_base(place)
        if there is not None and _said(whole.base.raw, there):
            row["in_file"] = True
            if not over:
                row["source"], row["where"] = "file", whole.where(place)
        yield row


def _flat(model: BaseModel, key: str, place: KeyPath) -> Iterator[tuple[str, KeyPath, Any]]:
    """Every value with its key and its place in the settings."""
    plain = model.model_dump(mode="json")
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        here, there = f"{key}{name}", (*place, name)
        if isinstance(value, BaseModel):
            yield from _flat(value, f"{here}.", there)
        elif is_tables(field.annotation) and not place:
            for number, row in enumerate(value):
                yield from _flat(row, f"{here}.{row.id}.", (*there, number))
        else:
            yield here, there, value if isinstance(value, SecretStr) else plain[name]


def _said(raw: Any, place: KeyPath) -> bool:
    """Whether the file says something there."""
    for part in place:
        if isinstance(raw, Mapping):
            if part not in raw:
                return False
            raw = raw[str(part)]
        elif isinstance(raw, Sequence) and not isinstance(raw, str) and isinstance(part, int):
            if part >= len(raw):
                return False
            raw = raw[part]
        else:
            return False
    return True


def _json(value: Any) -> Any:
    """A default as JSON has it."""
    if isinstance(value, tuple):
        return [_json(each) for each in value]
    if isinstance(value, Mapping):
        return dict(value)
    return str(value) if value is not None and not isinstance(value, str | int | float | bool) else value


def _ids(whole: Whole, name: str) -> list[str]:
    return [str(row.id) for row in getattr(whole.settings, name)]
