"""Office screens: paired once by a code, known by a secret from then on, until that is revoked.

A screen is a device and nobody's; its label is not personal and rests in the clear.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from appliance.errors import UnknownAccountError
from appliance.events import ScreenChanged
from appliance.store.account_records import Screen
from appliance.store.changing import Changing
from appliance.store.credentials import SCREEN_PREFIX, digest, new_secret
from appliance.store.database import reading
from appliance.store.records import NewEvent
from appliance.store.tables import screens


class Screens(Changing):
    """The paired screens."""

    def screens(self) -> list[Screen]:
        """Every screen that was ever paired, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(screens).order_by(screens.c.created_at, screens.c.id))
            return [_screen(row) for row in rows.mappings()]

    def screen(self, screen: str) -> Screen:
        """One of them by id.

        Raises:
            UnknownAccountError: There is none.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(screens).where(screens.c.id == screen)).mappings().first()
        if row is None:
            raise UnknownAccountError("there is no such screen")
        return _screen(row)

    def revoke_screen(self, screen: str) -> None:
        """Let a screen's link be good no more; twice is once.

        Raises:
            UnknownAccountError: There is none.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            there = connection.execute(select(screens.c.id).where(screens.c.id == screen)).first()
            if there is None:
                raise UnknownAccountError("there is no such screen")
            moved = connection.execute(
                update(screens)
                .where(screens.c.id == screen, screens.c.revoked_at.is_(None))
                .values(revoked_at=self._clock.wall())
            )
            if moved.rowcount:
                self._append(connection, [NewEvent(ScreenChanged(type="screen_revoked", screen=screen))])

    def _add_screen(self, connection: Connection, label: str, made_by: str | None) -> tuple[str, str]:
        """Pair a screen in the caller's transaction; what it is to present, and its id."""
        now = self._clock.wall()
        secret, screen = new_secret(SCREEN_PREFIX), self._ids(now)
        values = {"id": screen, "secret_sha256": digest(secret), "label": label, "created_at": now}
        connection.execute(insert(screens).values(values))
        paired = ScreenChanged(type="screen_paired", screen=screen, by=made_by)
        self._append(connection, [NewEvent(paired)])
        return secret, screen


def _screen(row: Mapping[Any, Any]) -> Screen:
    return Screen(row["id"], row["label"], row["created_at"], row["used_at"], row["revoked_at"])
