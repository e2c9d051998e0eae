"""One device's way into the database: made closed, opened by `open` or `with`.

Knows the engine, the version of the tables and who is asking; nothing of what is kept.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, select

from appliance.clock import Clock
from appliance.errors import StoreError
from appliance.ids import IdFactory, random_ids
from appliance.store import schema
from appliance.store.database import DEFAULT_PATIENCE_S, make_engine, reading
from appliance.store.firing import Judging
from appliance.store.records import Counter, Subscription
from appliance.store.sealing import Seal
from appliance.store.tables import devices, subjects


class Opened:
    """A database, and in whose name it is used.

    Args:
        address: `sqlite:////path` (see `sqlite_url`) or `postgresql+psycopg://…`.
        device: Id of this device, whose chain is written.
        boot: Id of this run of the process, on every event it appends: each process and each command
            has its own.
        clock: Tells the time of events that come without one.
        seal: The vault, in a process that holds the device key.
        ids: Makes ids; seeded ones make a replay repeatable.
        subscriptions: The actions; the same in every process that appends.
        counters: What is counted; likewise.
        rules: Judges events by the kept rules; likewise. None: no rule does anything.
        patience_s: Seconds to wait for another process's lock.
        head_file: Where the newest signed head is kept outside the database; None: nowhere.
    """

    def __init__(
        self,
        address: str,
        *,
        device: str,
        boot: str,
        clock: Clock,
        seal: Seal | None = None,
        ids: IdFactory = random_ids,
        subscriptions: Sequence[Subscription] = (),
        counters: Sequence[Counter] = (),
        rules: Judging | None = None,
        patience_s: float = DEFAULT_PATIENCE_S,
        head_file: Path | None = None,
    ) -> None:
        self._address = address
        self._device = device
        self._boot = boot
        self._clock = clock
        self._seal = seal
        self._ids = ids
        self._subscriptions = tuple(subscriptions)
        self._counters = tuple(counters)
        self._rules = rules
        self._patience_s = patience_s
        self._head_file = head_file
        self._opened: Engine | None = None

    def open(self) -> Self:
        """Open the database, made or brought up to date if need be (SQLite is copied before).

        Raises:
            StoreVersionError: A newer appliance wrote it.
            StoreError: It cannot be opened.
        """
        if self._opened is None:
            engine = make_engine(self._address, patience_s=self._patience_s)
            try:
                schema.bring_up_to_date(engine)
            except BaseException:
                engine.dispose()
                raise
            self._opened = engine
        return self

    def close(self) -> None:
        """Let go of the database; may be called twice."""
        if self._opened is not None:
            self._opened.dispose()
            self._opened = None

    def __enter__(self) -> Self:
        """Open."""
        return self.open()

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def device(self) -> str:
        """Whose chain this process writes."""
        return self._device

    def is_empty(self) -> bool:
        """Whether nothing was ever written: a first boot, at which keys may be made."""
        with reading(self._engine) as connection:
            return not any(
                connection.execute(select(table.c.id).limit(1)).first() for table in (devices, subjects)
            )

    def has_chain(self) -> bool:
        """Whether this device ever wrote here; another one may have, on a shared database."""
        with reading(self._engine) as connection:
            return connection.execute(select(devices.c.id).filter_by(id=self._device)).first() is not None

    def has_others(self) -> bool:
        """Whether another device ever wrote here, as on a shared database."""
        with reading(self._engine) as connection:
            others = select(devices.c.id).where(devices.c.id != self._device).limit(1)
            return connection.execute(others).first() is not None

    def _wrapped_key(self, connection: Connection, subject: str) -> bytes | None:
        """A subject's key as it rests, or None: nobody, or removed."""
        key: bytes | None = connection.execute(
            select(subjects.c.wrapped_key).where(subjects.c.id == subject)
        ).scalar()
        return key

    @property
    def _engine(self) -> Engine:
        if self._opened is None:
            raise StoreError("the store is not open")
        return self._opened
