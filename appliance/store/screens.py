"""Office screens and keypads: paired once by a code, known by a secret from then on, until that is revoked.

Either is a device and nobody's; its label is not personal and rests in the clear. A keypad is of one lock,
and what it presents is taken for no screen's, nor the other way round.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from appliance.errors import UnknownAccountError
from appliance.events import KeypadChanged, ScreenChanged
from appliance.store.account_records import Keypad, Screen
from appliance.store.changing import Changing
from appliance.store.credentials import KEYPAD_PREFIX, SCREEN_PREFIX, digest, new_secret
from appliance.store.database import reading
from appliance.store.records import NewEvent
from appliance.store.tables import screens

_SCREENS = select(screens).where(screens.c.lock.is_(None))
_KEYPADS = select(screens).where(screens.c.lock.is_not(None))


class Screens(Changing):
    """The paired screens and keypads."""

    def screens(self) -> list[Screen]:
        """Every screen that was ever paired, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(_SCREENS.order_by(screens.c.created_at, screens.c.id))
            return [_screen(row) for row in rows.mappings()]

    def screen(self, screen: str) -> Screen:
        """One of them by id.

        Raises:
            UnknownAccountError: There is none.
        """
        with reading(self._engine) as connection:
            row = connection.execute(_SCREENS.where(screens.c.id == screen)).mappings().first()
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
            there = connection.execute(_SCREENS.where(screens.c.id == screen)).first()
            if there is None:
                raise UnknownAccountError("there is no such screen")
            moved = connection.execute(
                update(screens)
                .where(screens.c.id == screen, screens.c.revoked_at.is_(None))
                .values(revoked_at=self._clock.wall())
            )
            if moved.rowcount:
                self._append(connection, [NewEvent(ScreenChanged(type="screen_revoked", screen=screen))])

    def keypads(self) -> list[Keypad]:
        """Every keypad that was ever paired, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(_KEYPADS.order_by(screens.c.created_at, screens.c.id))
            return [_keypad(row) for row in rows.mappings()]

    def keypad(self, keypad: str) -> Keypad:
        """One of them by id.

        Raises:
            UnknownAccountError: There is none.
        """
        with reading(self._engine) as connection:
            row = connection.execute(_KEYPADS.where(screens.c.id == keypad)).mappings().first()
        if row is None:
            raise UnknownAccountError("there is no such keypad")
        return _keypad(row)

    def revoke_keypad(self, keypad: str) -> None:
        """Let a keypad's link be good no more; twice is once.

        Raises:
            UnknownAccountError: There is none.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            row = connection.execute(_KEYPADS.where(screens.c.id == keypad)).mappings().first()
            if row is None:
                raise UnknownAccountError("there is no such keypad")
            if row["revoked_at"] is None:
                gone = update(screens).where(screens.c.id == keypad).values(revoked_at=self._clock.wall())
                connection.execute(gone)
                said = KeypadChanged(type="keypad_revoked", keypad=keypad, lock=row["lock"])
                self._append(connection, [NewEvent(said)])

    def _add_keypad(
        self, connection: Connection, label: str, lock: str, made_by: str | None
    ) -> tuple[str, str]:
        """Pair a keypad in the caller's transaction; what it is to present, and its id."""
        now = self._clock.wall()
        secret, keypad = new_secret(KEYPAD_PREFIX), self._ids(now)
        values = {
            "id": keypad,
            "secret_sha256": digest(secret),
            "label": label,
            "created_at": now,
            "lock": lock,
        }
        connection.execute(insert(screens).values(values))
        paired = KeypadChanged(type="keypad_paired", keypad=keypad, lock=lock, by=made_by)
        self._append(connection, [NewEvent(paired)])
        return secret, keypad

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


def _keypad(row: Mapping[Any, Any]) -> Keypad:
    return Keypad(row["id"], row["label"], row["lock"], row["created_at"], row["used_at"], row["revoked_at"])
