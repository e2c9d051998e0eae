"""What every process of the box shares that needs them: the vault, the database.

No camera, no network, no door. A process is handed what it needs of these and nothing more.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance import private_files
from appliance.clock import Clock, SystemClock
from appliance.errors import StoreError
from appliance.events import event_types
from appliance.ids import IdFactory, random_ids
from appliance.layout import (
    BUCKET_VARIABLES,
    CAMERA_VARIABLE,
    CREDENTIALS_VARIABLE,
    PASSPHRASE_VARIABLE,
    Layout,
    without_secrets,
)
from appliance.rules import RuleEngine
from appliance.settings import Settings
from appliance.sinks.mqtt_topics import published
from appliance.store import Counter, Delivery, Store, Subscription, sqlite_url
from appliance.vault import KeySource, Vault, held, key_source

__all__ = [
    "BUCKET_VARIABLES",
    "CAMERA_VARIABLE",
    "CREDENTIALS_VARIABLE",
    "MQTT_EVENTS",
    "PASSPHRASE_VARIABLE",
    "Layout",
    "Services",
    "device_id",
    "open_services",
    "present_source",
    "without_secrets",
]

MQTT_EVENTS = "mqtt:events"
"""Name in the outbox of the events that are published to the broker without a rule."""
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Services:
    """Opened database and vault of this box.

    Attributes:
        layout: Where things lie.
        device: The box's own id.
        store: The database.
        vault: The keys.
        clock: The clocks.
        ids: Makes ids.
    """

    layout: Layout
    device: str
    store: Store
    vault: Vault
    clock: Clock
    ids: IdFactory


@contextmanager
def open_services(
    settings: Settings,
    layout: Layout,
    *,
    create: bool = False,
    clock: Clock | None = None,
    ids: IdFactory | None = None,
    boot: str | None = None,
    source: KeySource | None = None,
    alone: bool = False,
) -> Iterator[Services]:
    """Unlock the vault and open the database.

    The device key is held until the end of the block (`vault.held`): meanwhile nobody changes it.

    Args:
        settings: The store's and the vault's are read, the actions, and what is counted.
        layout: Where things lie.
        create: Make directory, keys and database where there are none. Without it a missing
            database is an error with a hint.
        clock: The clocks; those of this machine by default.
        ids: Makes ids; random by default.
        boot: Names this run of the process in the log; a new id by default.
        source: Where the device key rests; where the settings say by default.
        alone: Only if no other process holds the device key, and so that none does meanwhile.

    Raises:
        StoreError: No database, damaged, or of another version.
        VaultError: A key is missing, or does not fit; or it is held, or changed, by somebody else.
    """
    clock = clock or SystemClock()
    ids = ids or random_ids
    address = settings.store.url.get_secret_value() if settings.store.url else sqlite_url(layout.database)
    if settings.store.url is None and not layout.database.exists() and not create:
        raise StoreError(
            f"there is no database in {layout.state}",
            hint="start the appliance once, or name the right state directory",
            command="appliance run, or --state DIRECTORY",
        )
    if create:
        try:
            layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the state directory {layout.state} cannot be made: {error.strerror}",
                hint="name another one with --state",
            ) from error
    source = source or present_source(settings, layout)
    # Nor a new id beside an old database: it would begin a second chain in it.
    first = settings.store.url is not None or not layout.database.exists()
    device = device_id(layout, ids, clock, create=create and first)
    store = Store(
        address,
        device=device,
        boot=boot or ids(clock.wall()),
        seal=(vault := Vault(source, layout.state)),
        clock=clock,
        ids=ids,
        subscriptions=[*(Subscription.of(action) for action in settings.actions), *_to_broker(settings)],
        counters=Counter.of(settings.screen),
        rules=RuleEngine(),
        head_file=layout.log_head,
    )
    with held(layout.state, alone=alone), vault, store:
        # New keys only beside an empty database: beside an old one they would open nothing in it.
        vault.unlock(create=create and store.is_empty(), create_signing=create and not store.has_chain())
        yield Services(layout, device, store, vault, clock, ids)


def present_source(settings: Settings, layout: Layout) -> KeySource:
    """Where the device key rests by the settings, with what the environment hands over.

    Raises:
        VaultError: A passphrase or credential is asked for, and none was handed over.
    """
    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    credentials = os.environ.get(CREDENTIALS_VARIABLE)
    return key_source(
        settings.vault,
        layout.state,
        passphrase=passphrase.encode() if passphrase is not None else None,
        credentials=Path(credentials) if credentials else None,
    )


def _to_broker(settings: Settings) -> list[Subscription]:
    """What the broker is told of, if there is one."""
    if not settings.mqtt.host or not settings.mqtt.publish_events:
        return []
    # No deadline: a broker that was away for a day still gets everything.
    return [
        Subscription(
            action=MQTT_EVENTS,
            on=published(settings.mqtt, event_types()),
            grade=None,
            delivery=Delivery.AT_LEAST_ONCE,
            deadline_s=_DAY_S,
        )
    ]


def device_id(layout: Layout, ids: IdFactory, clock: Clock, *, create: bool) -> str:
    """The box's own id, made at the first boot.

    Raises:
        StoreError: There is none, the file is damaged, or it cannot be written.
    """
    path = layout.identity
    if create and not path.exists():
        try:
            private_files.write_once(path, (json.dumps({"device": ids(clock.wall())}) + "\n").encode())
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["device"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is missing or damaged", hint="restore it from the same backup as the database"
        ) from error
