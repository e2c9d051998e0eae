"""The event log: appending in one transaction with the outbox rows.

Any process may append: the head of the device's chain is read under the database's lock. Deciding
what to log, and doing what the outbox asks for, is for others; `history` reads.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql

from appliance.errors import ApplianceError, UnknownSubjectError
from appliance.events import Event, Personal, parse_event
from appliance.store.acting import acting, stamped
from appliance.store.chain import GENESIS, PRUNED, SEGMENT, SignedHead, canonical, link_hash, sha256
from appliance.store.counters import tally
from appliance.store.database import reading, writing
from appliance.store.firing import fire, outbox_row
from appliance.store.kept_head import read_head, write_head
from appliance.store.opened import Opened
from appliance.store.records import NewEvent, StoredEvent
from appliance.store.sealing import need, personal_row
from appliance.store.tables import checkpoints, devices, events, outbox
from appliance.values import EventId, SubjectId

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Head:
    """The device's row, as read under its lock."""

    position: int
    hash: str
    checkpointed: int


class EventLog(Opened):
    """The end of one device's chain."""

    _moved = False
    """Whether this process appended since the head was last kept outside the database."""
    _signed_one = False
    """Whether one of these was a checkpoint."""

    def append(
        self, event: Event, *, personal: Personal | None = None, at: datetime | None = None
    ) -> StoredEvent:
        """Write one event and its outbox rows, all or nothing; durable when this returns.

        Args:
            event: What happened.
            personal: What is personal about it; sealed under that subject's key.
            at: When, aware; None means now.

        Raises:
            StoreFullError: No space; nothing was written.
            StoreError: Locked, lost or damaged; nothing was written.
            UnknownSubjectError: `personal` is about somebody who is not enrolled (any more).
        """
        return self.append_all([NewEvent(event, personal, at)])[0]

    def append_all(self, entries: Sequence[NewEvent]) -> list[StoredEvent]:
        """Write several events in one transaction, in this order; see `append`."""
        with self._writing() as connection:
            return self._append(connection, entries)

    def acting(self, by: str | None) -> AbstractContextManager[None]:
        """Let what this thread appends within the block say who did it: see `appliance.store.acting`."""
        return acting(by)

    def close(self) -> None:
        """Keep the newest head outside the database, if this process moved it; then let go."""
        if self._opened is not None and self._moved:
            self._keep_head()
        super().close()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction; when it signed a checkpoint, the head is kept outside the database after it."""
        with writing(self._engine) as connection:
            yield connection
        if self._signed_one:
            self._keep_head()

    def _append(
        self, connection: Connection, entries: Sequence[NewEvent], *, triggers: bool = True
    ) -> list[StoredEvent]:
        """Append within a transaction of the caller's, who may have changed other rows in it."""
        if not entries:
            return []
        head = self._lock_head(connection)
        position, previous = head.position, head.hash
        rows: list[dict[str, Any]] = []
        stored: list[StoredEvent] = []
        due: list[dict[str, Any]] = []
        happened: list[tuple[Event, dict[str, Any]]] = []
        for given in entries:
            position += 1
            entry = replace(given, event=stamped(given.event))
            row = self._row(connection, entry, position, previous)
            previous = row["hash"]
            rows.append(row)
            happened.append((entry.event, row))
            stored.append(_stored(row, entry.event))
            if triggers:
                due.extend(self._triggered(connection, entry.event, row))
        connection.execute(insert(events), rows)
        tally(connection, self._counters, happened)
        if due:
            connection.execute(insert(outbox), due)
        checkpointed = self._checkpoint(connection, rows) or head.checkpointed
        connection.execute(
            update(devices)
            .where(devices.c.id == self._device)
            .values(position=position, hash=previous, checkpointed=checkpointed)
        )
        self._moved = True
        return stored

    def _lock_head(self, connection: Connection) -> _Head:
        """Read the device's head under its lock, made if this is the device's first event."""
        wanted = (
            select(devices.c.position, devices.c.hash, devices.c.checkpointed)
            .where(devices.c.id == self._device)
            .with_for_update()  # SQLite has no such clause and needs none: the transaction has the lock
        )
        row = connection.execute(wanted).first()
        if row is None:
            fresh = {
                "id": self._device,
                "position": 0,
                "hash": GENESIS,
                "checkpointed": 0,
                "created_at": self._clock.wall(),
            }
            if connection.dialect.name == "postgresql":
                connection.execute(postgresql.insert(devices).values(fresh).on_conflict_do_nothing())
            else:
                connection.execute(insert(devices).values(fresh))
            row = connection.execute(wanted).one()
        return _Head(row.position, row.hash, row.checkpointed)

    def _row(self, connection: Connection, entry: NewEvent, position: int, previous: str) -> dict[str, Any]:
        at = entry.at or self._clock.wall()
        said = entry.event.model_dump(mode="json")
        body = canonical(said)
        event_id = self._ids(at)
        sealed = None if entry.personal is None else self._seal_personal(connection, entry.personal, event_id)
        row: dict[str, Any] = {
            "device": self._device,
            "position": position,
            "id": event_id,
            "type": said["type"],
            "version": said["version"],
            "at": at,
            "boot": self._boot,
            "subject": said.get("subject"),
            "body": body,
            "body_sha256": sha256(body),
            "sealed_for": None if entry.personal is None else entry.personal.subject,
            "sealed_personal": sealed,
            "sealed_sha256": None if sealed is None else sha256(sealed),
            "previous": previous,
            "encounter": said.get("encounter"),
            "visit": said.get("visit"),
            "door": said.get("door"),
        }
        row["hash"] = link_hash(
            device=self._device,
            position=position,
            event_id=event_id,
            event_type=row["type"],
            version=row["version"],
            at=at,
            boot=self._boot,
            body_sha256=row["body_sha256"],
            sealed_sha256=row["sealed_sha256"],
            previous=previous,
        )
        return row

    def _seal_personal(self, connection: Connection, personal: Personal, event_id: str) -> bytes:
        key = self._wrapped_key(connection, personal.subject)
        if key is None:
            raise UnknownSubjectError("what is personal about an event is of nobody who is enrolled")
        plain = canonical(dict(personal.payload)).encode()
        return need(self._seal).seal(key, personal.subject, plain, row=personal_row(event_id))

    def _triggered(
        self, connection: Connection, event: Event, row: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The outbox rows of an event: of the settings' actions, then of the rules that fire."""
        rows = [
            outbox_row(
                row,
                action=wanted.action,
                key=wanted.action,
                delivery=wanted.delivery.value,
                deadline_s=wanted.deadline_s,
            )
            for wanted in self._subscriptions
            if wanted.wants(event)
        ]
        if self._rules is not None:
            rows += fire(connection, self._rules, event, row)
        return rows

    def _checkpoint(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int | None:
        """Sign the ends of the segments that these rows fill, and what says that the log was pruned.

        Whoever writes the database without the key cannot say that. Returns the position of the last, if any.
        Only these: an older end without its checkpoint was tampered with, and must not be signed.

        Raises:
            StoreError: There is one to sign, and this process holds no key.
        """
        due = [row for row in rows if row["position"] % SEGMENT == 0 or row["type"] == PRUNED]
        if not due:
            return None
        signed = [self._signed(row["position"], row["hash"]) for row in due]
        connection.execute(insert(checkpoints), [dict(head) for head in signed])
        self._signed_one = True
        return signed[-1].position

    def _keep_head(self) -> None:
        """Put the newest head into its file; when that cannot be, the log goes on without, and says so.

        A head that is no longer in the chain is evidence, and is not replaced. (Of two processes at
        once the older head may stay: it holds as well, until the next.)
        """
        if self._head_file is None or self._seal is None:
            return
        try:
            kept = read_head(self._head_file)
            with reading(self._engine) as connection:
                now = connection.execute(
                    select(devices.c.position, devices.c.hash).where(devices.c.id == self._device)
                ).one()
                if kept is not None and not self._contains(connection, kept):
                    _log.error("log_was_set_back", position=kept.position, hint="appliance events verify")
                    return
            write_head(self._head_file, self._signed(now.position, now.hash))
            self._moved = self._signed_one = False
        except ApplianceError as error:
            _log.warning("log_head_not_kept", error=error.message, hint=error.advice)

    def _contains(self, connection: Connection, head: SignedHead) -> bool:
        if head.device != self._device:
            return False
        found = [
            connection.execute(
                select(table.c.hash).where(table.c.device == head.device, table.c.position == head.position)
            ).scalar()
            for table in (events, checkpoints)
        ]
        return head.position == 0 or head.hash in found

    def _signed(self, position: int, head_hash: str) -> SignedHead:
        seal, at = need(self._seal), self._clock.wall()
        data = SignedHead.signed_bytes(device=self._device, position=position, head_hash=head_hash, at=at)
        return SignedHead(
            device=self._device,
            position=position,
            hash=head_hash,
            at=at,
            public_key=seal.public_key.hex(),
            signature=seal.sign(data).hex(),
        )


def _stored(row: Mapping[Any, Any], event: Event | None) -> StoredEvent:
    return StoredEvent(
        device=row["device"],
        position=row["position"],
        id=EventId(row["id"]),
        type=row["type"],
        version=row["version"],
        at=row["at"],
        boot=row["boot"],
        event=event,
        sealed_for=None if row["sealed_for"] is None else SubjectId(row["sealed_for"]),
        previous=row["previous"],
        hash=row["hash"],
    )


def parsed(row: Mapping[Any, Any]) -> StoredEvent:
    """The event in a row of the table `events`, columns by name.

    One that this program cannot read, because a newer one wrote it or somebody changed it, is marked
    and does not stop the others; to complain is for verifying the chain.
    """
    if row["body"] is None:
        return _stored(row, None)
    try:
        return _stored(row, parse_event(json.loads(row["body"])))
    except (ValidationError, ValueError, RecursionError):
        _log.warning(
            "event_not_readable",
            position=row["position"],
            type=row["type"],
            hint="a newer appliance may have written it; otherwise: appliance events verify",
        )
        return replace(_stored(row, None), unreadable=True)
