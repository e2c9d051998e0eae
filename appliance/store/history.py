"""Reading the log: looking events up, opening what is personal, verifying the chain."""

import json
import re
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from sqlalchemy import select

from appliance.errors import UnknownEventError
from appliance.events import Personal
from appliance.store.chain import GENESIS, SignedHead
from appliance.store.chain_rows import checkpoints_of, events_of
from appliance.store.checking import ChainCheck, ChainReport
from appliance.store.database import reading
from appliance.store.kept_head import read_head
from appliance.store.log import EventLog, parsed
from appliance.store.records import Erased, StoredEvent
from appliance.store.sealing import need, personal_row
from appliance.store.tables import devices, events

_PREFIX = re.compile(r"[0-9a-f-]{4,36}")


class History(EventLog):
    """What the log says, and whether it still says what was written."""

    def events(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        types: Sequence[str] = (),
        subject: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1000,
        newest_first: bool = False,
        device: str | None = None,
    ) -> list[StoredEvent]:
        """Events of one device, in order of position.

        Args:
            after: Only those behind this position.
            before: Only those ahead of this position.
            types: Only these types; empty: all.
            subject: Only those about this subject's id.
            since: Only those at or after this time, aware.
            until: Only those before this time, aware.
            limit: At most so many.
            newest_first: The newest ones, the newest first.
            device: Another device's of a shared database; None: this one's.
        """
        wanted = select(events).where(events.c.device == (device or self._device), events.c.position > after)
        if before is not None:
            wanted = wanted.where(events.c.position < before)
        if types:
            wanted = wanted.where(events.c.type.in_(types))
        if subject is not None:
            wanted = wanted.where(events.c.subject == subject)
        if since is not None:
            wanted = wanted.where(events.c.at >= since)
        if until is not None:
            wanted = wanted.where(events.c.at < until)
        order = events.c.position.desc() if newest_first else events.c.position
        with reading(self._engine) as connection:
            return [parsed(row) for row in connection.execute(wanted.order_by(order).limit(limit)).mappings()]

    def position(self) -> int:
        """The position of this device's newest event; 0: there is none yet. Cheap to ask often."""
        with reading(self._engine) as connection:
            found = connection.execute(
                select(devices.c.position).where(devices.c.id == self._device)
            ).scalar()
        return int(found or 0)

    def event(self, key: str) -> StoredEvent:
        """One event, of any device, by its id or by a beginning of it that no other has.

        Raises:
            UnknownEventError: None or several have it.
        """
        key = key.strip().lower()
        if not _PREFIX.fullmatch(key):
            raise UnknownEventError("that is not an event's id", hint="the log leads to each event")
        with reading(self._engine) as connection:
            # Whatever the collation, digits sort before letters and f before g.
            found = connection.execute(
                select(events).where(events.c.id >= key, events.c.id < f"{key}g").limit(2)
            ).mappings()
            rows = [row for row in found if row["id"].startswith(key)]
        if len(rows) != 1:
            if rows:
                raise UnknownEventError(
                    f"several events with an id that begins with {key}", hint="give more of it"
                )
            raise UnknownEventError(f"there is no event {key}", hint="the log leads to each event")
        return parsed(rows[0])

    def personal(self, event: StoredEvent) -> Personal | Erased | None:
        """What is personal about an event: opened, erased with its subject, or None if nothing was.

        Raises:
            StoreError: This process holds no key.
            VaultError: It was damaged or moved.
        """
        if event.sealed_for is None:
            return None
        with reading(self._engine) as connection:
            key = self._wrapped_key(connection, event.sealed_for)
            sealed = connection.execute(
                select(events.c.sealed_personal).where(
                    events.c.device == event.device, events.c.position == event.position
                )
            ).scalar()
        if key is None or sealed is None:
            return Erased(event.sealed_for)
        plain = need(self._seal).open(key, event.sealed_for, sealed, row=personal_row(event.id))
        return Personal(subject=event.sealed_for, payload=json.loads(plain))

    def head(self) -> SignedHead:
        """The present head, signed, to be exported: `verify` later holds the log against it.

        Raises:
            StoreError: This process holds no key.
        """
        with reading(self._engine) as connection:
            row = connection.execute(
                select(devices.c.position, devices.c.hash).where(devices.c.id == self._device)
            ).first()
        return self._signed(row.position, row.hash) if row else self._signed(0, GENESIS)

    def verify(
        self,
        *,
        against: SignedHead | None = None,
        heads: Sequence[SignedHead] = (),
        trusted_key: str | None = None,
        device: str | None = None,
    ) -> ChainReport:
        """Check one device's whole chain: bodies, links, order, checkpoints, and heads from outside.

        This device's own is also held against the head kept in the file beside the database.

        Args:
            against: A head that left the box before; shows also a log that was cut or re-signed.
            heads: Several that did, one after the other; show also a log that was set back in between.
            trusted_key: Public key (hex) that heads must carry. None: the present signing key of
                this box if it holds one and the chain is its own, else that of `against`.
            device: Another device's chain of a shared database; None: this one's.

        Raises:
            ChainBrokenError: With the position at which it stops to verify.
            StoreError: `against` is of another device, nobody here can check signatures, or the
                kept head cannot be read.
        """
        whose = device or self._device
        if trusted_key is None and self._seal is not None and whose == self._device:
            trusted_key = self._seal.public_key.hex()
        # Read before the database is: the log may go on meanwhile, but not behind this.
        kept = read_head(self._head_file) if self._head_file and whose == self._device else None
        with reading(self._engine) as connection:
            named = select(devices.c.position, devices.c.hash).where(devices.c.id == whose)
            head = connection.execute(named).mappings().first()
            check = ChainCheck(
                device=whose,
                checkpoints=checkpoints_of(connection, whose),
                verify=self._seal.verify_signature if self._seal else None,
                trusted_key=trusted_key.lower() if trusted_key else None,
                against=against,
                kept=kept,
                heads=heads,
            )
            # Closed at once when the chain is broken: a cursor on the server would stay open.
            with closing(events_of(connection, whose)) as rows:
                return check.run(
                    rows,
                    head_position=head["position"] if head else 0,
                    head_hash=head["hash"] if head else GENESIS,
                )
