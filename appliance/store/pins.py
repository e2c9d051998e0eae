"""PINs for keypads: whose there are, and how often in a row they were not it.

Only a hash is kept, sealed under its owner's key: of four digits a hash alone hides nothing from whoever has
the database. How one is made and compared is not known here, and a PIN itself never comes here. A try is
counted before anybody looks whether it is right, so that none is free that a crash, or many at once, might
hide; a restart forgets nothing. A refusal's time is told by the wall clock, which somebody may set forward:
so the tries in a row are bounded as well, whatever the clock says. A PIN goes with its owner, and with
whoever is merged into somebody else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select, update

from appliance.events import PinChanged
from appliance.store.changing import Changing
from appliance.store.database import reading
from appliance.store.records import NewEvent
from appliance.store.sealing import need, pin_row
from appliance.store.tables import pins

MOST_WRONG: Final = 25
"""Tries in a row that were not it, after which a PIN is refused until its owner is given another one."""


@dataclass(frozen=True, slots=True)
class KeptPin:
    """That somebody has a PIN.

    Attributes:
        subject: Who.
        changed_at: When it was set.
        wrong: Tries in a row that were not it.
        paused_until: It is refused until then; None: it is not.
    """

    subject: str
    changed_at: datetime
    wrong: int
    paused_until: datetime | None

    @property
    def spent(self) -> bool:
        """Whether it is refused until they are given another one."""
        return self.wrong >= MOST_WRONG


@dataclass(frozen=True, slots=True)
class PinTry:
    """What a try is held against.

    Attributes:
        hash: None: there is none to hold it against now.
        paused: There is a PIN, and it is refused for a while, or until its owner is given another one.
    """

    hash: str | None
    paused: bool = False


class Pins(Changing):
    """The PINs of the people of a database."""

    def pins(self) -> list[KeptPin]:
        """Who has one."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(pins).order_by(pins.c.changed_at, pins.c.subject)).mappings()
            return [
                KeptPin(row["subject"], row["changed_at"], row["wrong"], row["paused_until"]) for row in rows
            ]

    def set_pin(self, subject: str, pin_hash: str) -> None:
        """Give somebody a PIN, or another one; failures with the old one are forgotten.

        Args:
            subject: Who.
            pin_hash: argon2id in its own notation.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            StoreError: This process holds no key.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            sealed = need(self._seal).seal(key, subject, pin_hash.encode(), row=pin_row(subject))
            connection.execute(delete(pins).where(pins.c.subject == subject))
            connection.execute(
                insert(pins).values(subject=subject, sealed_hash=sealed, changed_at=now, wrong=0)
            )
            said = PinChanged(type="pin_set", subject=subject)
            self._append(connection, [NewEvent(said, at=now)])

    def remove_pin(self, subject: str) -> bool:
        """Let somebody have no PIN any more; whether there was one."""
        with self._writing() as connection:
            self._lock_head(connection)
            gone = connection.execute(delete(pins).where(pins.c.subject == subject)).rowcount > 0
            if gone:
                said = PinChanged(type="pin_removed", subject=subject)
                self._append(connection, [NewEvent(said)])
        return gone

    def begin_pin_try(self, subject: str, *, attempts: int, pause_s: float) -> PinTry:
        """Count a try as wrong, and say what to hold it against; `pin_fitted` takes it back.

        Args:
            subject: Whose PIN it should be.
            attempts: Wrong ones in a row from which on it is refused for a while.
            pause_s: For how long, seconds.

        Raises:
            StoreError: The database cannot; nothing was counted, and nothing is to be compared.
            VaultError: The hash does not open.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            # Locked, so that of several tries at once each sees those before it; SQLite locks all anyway.
            wanted = select(pins).where(pins.c.subject == subject).with_for_update()
            row = connection.execute(wanted).mappings().first()
            key = self._wrapped_key(connection, subject)
            if row is None or key is None:
                return PinTry(None)
            # A clock that was set back makes this longer; set forward it wins some tries, and no more.
            paused = row["paused_until"] is not None and now < row["paused_until"]
            if paused or row["wrong"] >= MOST_WRONG:
                return PinTry(None, paused=True)
            wrong = row["wrong"] + 1
            until = now + timedelta(seconds=pause_s) if wrong >= attempts else None
            counted = update(pins).where(pins.c.subject == subject)
            connection.execute(counted.values(wrong=wrong, paused_until=until))
        sealed = need(self._seal).open(key, subject, row["sealed_hash"], row=pin_row(subject))
        return PinTry(sealed.decode())

    def take_back_pin_try(self, subject: str) -> None:
        """A try turned out to be meant for somebody else: it counts no more, nor what it brought about."""
        with self._writing() as connection:
            mine = pins.c.subject == subject
            wrong = connection.execute(select(pins.c.wrong).where(mine).with_for_update()).scalar()
            if wrong:
                left = update(pins).where(mine).values(wrong=wrong - 1, paused_until=None)
                connection.execute(left)

    def pin_fitted(self, subject: str) -> None:
        """It was the right one: failures before it are forgotten."""
        with self._writing() as connection:
            connection.execute(
                update(pins).where(pins.c.subject == subject).values(wrong=0, paused_until=None)
            )
