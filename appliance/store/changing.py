"""What every change to people shares: their keys, logging in the same transaction, erasing for good.

Knows neither names nor references; those are in the modules built on this one.
"""

from collections.abc import Sequence
from contextlib import suppress

import structlog
from sqlalchemy import Connection, update

from appliance.errors import StoreError, UnknownSubjectError, VaultError
from appliance.events import Event
from appliance.store.database import empty_write_ahead_log
from appliance.store.log import EventLog
from appliance.store.old_copies import follow_erasures
from appliance.store.records import NewEvent
from appliance.store.tables import gallery, subjects

_log = structlog.get_logger()


class Changing(EventLog):
    """Changes of people, on top of the log that every one of them goes to."""

    _scrub_due = False
    """Whether something destroyed is still in SQLite's write-ahead log."""

    def close(self) -> None:
        """Try once more what `_scrub` could not, then let go."""
        if self._opened is not None and self._scrub_due:
            with suppress(StoreError):
                self._scrub_due = not empty_write_ahead_log(self._engine, patience_s=0.0)
        super().close()

    def _scrub(self) -> bool:
        """Leave nothing of what was just destroyed in SQLite's write-ahead log; whether that was done.

        Nor in copies that upgrades left beside the database.
        """
        follow_erasures(self._engine)
        self._scrub_due = not empty_write_ahead_log(self._engine, patience_s=self._patience_s)
        if self._scrub_due:
            _log.warning(
                "erased_data_still_in_write_ahead_log",
                reason="another process was reading for too long",
                hint="it goes with the next erasure, or when the appliance is restarted",
            )
        return not self._scrub_due

    def _changed(
        self, connection: Connection, happened: Sequence[Event], *, subject: str | None = None
    ) -> None:
        """Log what happened and count the gallery up, in the caller's transaction."""
        if not happened:
            return
        self._append(connection, [NewEvent(event) for event in happened])
        connection.execute(update(gallery).values(version=gallery.c.version + 1))
        if subject is not None:
            connection.execute(
                update(subjects).where(subjects.c.id == subject).values(changed_at=self._clock.wall())
            )

    def _key_of(self, connection: Connection, subject: str) -> bytes:
        key = self._wrapped_key(connection, subject)
        if key is None:
            raise UnknownSubjectError("no subject with that id", hint="see the list of subjects")
        return key

    def _text_or_none(self, key: bytes | None, subject: str, sealed: bytes | None, row: str) -> str | None:
        """What is sealed there; None: nothing, or no key in this process, or damaged, which the log says."""
        if key is None or sealed is None or self._seal is None:
            return None
        try:
            return self._seal.open(key, subject, sealed, row=row).decode()
        except (VaultError, UnicodeDecodeError):
            told_damaged(row)
            return None


def told_damaged(row: str) -> None:
    """Tell the log where a value rests that is damaged; the rest goes on."""
    _log.error("sealed_value_damaged", row=row, hint="restore it from the backup")
