"""Every wrapped key wrapped anew, when the device key is changed; see `appliance/vault/rekeying.py`.

Knows which rows hold one, and no cipher: who changes the key says what each becomes.
"""

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, func, select, update

from appliance.errors import VaultError
from appliance.store.changing import Changing
from appliance.store.database import reading, writing
from appliance.store.old_copies import delete_copies
from appliance.store.search_tables import search_pictures
from appliance.store.tables import devices, operators, subjects

Rewrap = Callable[[str, bytes], bytes | None]
"""(whose, wrapped key) → the same key wrapped anew; None: leave it."""

_KEYED: Final = (subjects, operators, search_pictures)

_BATCH = 200
"""Rows rewritten in one transaction: some milliseconds, in which nobody else writes."""


class Rewrapping(Changing):
    """All wrapped keys of the database."""

    def rewrap(self, anew: Rewrap) -> Iterator[tuple[int, int]]:
        """Hand every wrapped key to `anew` and keep what it gives, a batch of rows in each transaction.

        Broken off, it can begin again: what `anew` leaves is left.

        Yields:
            After each batch, how many were looked at, and of how many.

        Raises:
            VaultError: `anew` cannot; nothing of that batch was kept.
            StoreError: The database cannot.
        """
        with reading(self._engine) as connection:
            many = sum(
                connection.execute(select(func.count()).where(table.c.wrapped_key.is_not(None))).scalar_one()
                for table in _KEYED
            )
        done = 0
        for table in _KEYED:
            after = ""
            while True:
                with writing(self._engine) as connection:
                    rows = connection.execute(
                        select(table.c.id, table.c.wrapped_key)
                        .where(table.c.id > after, table.c.wrapped_key.is_not(None))
                        .order_by(table.c.id)
                        .limit(_BATCH)
                    ).all()
                    for whose, wrapped in rows:
                        try:
                            fresh = anew(whose, wrapped)
                        except VaultError as error:
                            if table is not search_pictures:
                                raise
                            raise _of_a_picture(connection, whose, error) from error
                        if fresh is not None:
                            connection.execute(
                                update(table).where(table.c.id == whose).values(wrapped_key=fresh)
                            )
                if not rows:
                    break
                after, done = rows[-1].id, done + len(rows)
                yield done, many

    def forget_overwritten(self) -> bool:
        """Leave nothing of what was overwritten in SQLite's write-ahead log; whether that was done.

        Copies that upgrades left go altogether: nothing opens their keys any more.
        """
        delete_copies(self._engine)
        return self._scrub()

    def shares(self) -> bool:
        """Whether other devices keep their log in this database, too."""
        with reading(self._engine) as connection:
            others = select(devices.c.id).where(devices.c.id != self._device).limit(1)
            return connection.execute(others).first() is not None


def _of_a_picture(connection: Connection, picture: str, error: VaultError) -> VaultError:
    """The same, with what to remove: nobody is enrolled under that id."""
    wanted = select(search_pictures.c.item).where(search_pictures.c.id == picture)
    item = connection.execute(wanted).scalar_one()
    return VaultError(
        error.message,
        hint=f"it is of a picture of the catalogue: restore the backup, or remove its item, {item!r}; then "
        "the same command goes on",
        command="appliance search remove ITEM",
    )
