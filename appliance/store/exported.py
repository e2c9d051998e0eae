"""The log as a file, and checking it where there is no box: with the public key, and heads that came before.

A file of lines, each one JSON object: first what it is, with a head that was signed for the export; then
every checkpoint; then every event, as `CHAIN.md` has it. What is sealed stays at home; its hash is there. So
are names: events carry opaque ids.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select

from appliance.errors import ApplianceError, ChainBrokenError, InputError
from appliance.store.chain import GENESIS, SignedHead, Verify, canonical
from appliance.store.chain_rows import checkpoints_of, events_of
from appliance.store.checking import LOOKED_UP_BY, ChainCheck, ChainReport
from appliance.store.database import reading
from appliance.store.log import EventLog
from appliance.store.tables import devices, parse_time, time_text

MAX_LINE_BYTES = 16 * 1024 * 1024
"""More than any event has; a longer line is not read to its end."""
MAX_HEAD_BYTES = 4096


class Exporting(EventLog):
    """This device's log, to be taken away."""

    def exported(self) -> Iterator[str]:
        """The lines of the export, without line feeds; one moment's, however long it takes.

        Raises:
            StoreError: The database cannot be read, or this process holds no key.
            ChainBrokenError: What stands in it is nothing that the appliance writes.
        """
        with reading(self._engine) as connection:
            row = connection.execute(
                select(devices.c.position, devices.c.hash).where(devices.c.id == self._device)
            ).first()
            head = self._signed(row.position, row.hash) if row else self._signed(0, GENESIS)
            yield canonical({"log": 1, "head": json.loads(head.model_dump_json())})
            for kept in checkpoints_of(connection, self._device).values():
                yield canonical({"checkpoint": json.loads(kept.model_dump_json())})
            with closing(events_of(connection, self._device, up_to=head.position)) as rows:
                for event in rows:
                    yield canonical({"event": _plain(event)})


def verify_export(
    lines: Iterable[bytes], *, heads: Sequence[SignedHead], key: str, verify: Verify
) -> ChainReport:
    """Check an exported log: every hash, every signature, order, both ends, and heads exported before.

    Args:
        lines: Of the file.
        heads: Kept elsewhere, in the order in which they were exported.
        key: The device's public key, 64 hex digits: only what it signed counts.
        verify: Checks a signature.

    Raises:
        ChainBrokenError: With the position at which it stops to verify.
        StoreError: A head is of another device.
        InputError: It is no export, or was cut.
    """
    reader = _Reader(iter(lines))
    check = ChainCheck(
        device=reader.head.device,
        checkpoints=reader.checkpoints,
        verify=verify,
        trusted_key=key,
        against=reader.head,
        heads=heads,
        without_sealed=True,
    )
    return check.run(reader.events(), head_position=reader.head.position, head_hash=reader.head.hash)


def parse_heads(content: bytes) -> tuple[list[SignedHead], int]:
    """The heads in a file of them, a line each; and how many lines are none.

    A power cut may have left part of a line; whoever damages one gains no more than by deleting it.
    """
    found: list[SignedHead] = []
    damaged = 0
    for line in content.splitlines():
        if not line.strip():
            continue
        try:
            found.append(SignedHead.parse(line[: MAX_HEAD_BYTES + 1]))
        except ApplianceError:
            damaged += 1
    return found, damaged


class _Event(BaseModel):
    """An event's line."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    device: str
    position: int = Field(ge=1)
    id: str
    type: str
    version: int
    at: str
    boot: str
    body: str | None
    body_sha256: str
    dropped_at: str | None
    sealed_sha256: str | None
    previous: str
    hash: str

    def row(self) -> dict[str, Any]:
        """As the table has it; what is looked up by, from the body."""
        said = json.loads(self.body) if self.body is not None else {}
        looked_up = {name: said.get(name) for name in LOOKED_UP_BY} if isinstance(said, dict) else {}
        plain = self.model_dump()
        return {**looked_up, **plain, "at": parse_time(self.at), "sealed_personal": None}


class _First(BaseModel):
    """The first line."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    log: Literal[1]
    head: SignedHead


class _Reader:
    """Takes the lines apart: what is before the events at once, those as they are asked for."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.checkpoints: dict[int, SignedHead] = {}
        try:
            self.head = _First.model_validate_json(next(lines, b"")).head
        except ValidationError as error:
            raise _no_export() from error
        self._next: dict[str, Any] | None = None
        for kind, value in self._parsed():
            if kind != "checkpoint":
                self._next = value
                break
            head = SignedHead.parse(json.dumps(value))
            if head.device != self.head.device:
                raise ChainBrokenError("a checkpoint is of another device", position=head.position)
            self.checkpoints[head.position] = head

    def events(self) -> Iterator[dict[str, Any]]:
        """Rows, in the order of the file."""
        value = self._next
        while value is not None:
            try:
                yield _Event.model_validate(value).row()
            except (ValidationError, ValueError, RecursionError) as error:
                raise _no_export() from error
            kind, value = next(self._parsed(), ("event", None))
            if kind != "event":
                raise _no_export()

    def _parsed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for line in self._lines:
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                ((kind, value),) = found.items()
            except (ValueError, AttributeError, RecursionError) as error:
                raise _no_export() from error
            if kind not in {"checkpoint", "event"} or not isinstance(value, dict):
                raise _no_export()
            yield kind, value


def _plain(row: Any) -> dict[str, Any]:
    found = {name: row[name] for name in _Event.model_fields}
    found["at"] = time_text(row["at"])
    found["dropped_at"] = None if row["dropped_at"] is None else time_text(row["dropped_at"])
    return found


def _no_export() -> InputError:
    return InputError(
        "this is not an exported log, or only part of one", hint="it is lines of JSON, as exported"
    )
