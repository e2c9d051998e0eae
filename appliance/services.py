"""What every process of the box shares: where things lie, the vault, the database.

No camera, no network, no door. A process is handed what it needs of these and nothing more.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance import private_files
from appliance.clock import Clock, SystemClock
from appliance.errors import StoreError
from appliance.events import event_types
from appliance.ids import IdFactory, random_ids
from appliance.rules import RuleEngine
from appliance.settings import Settings
from appliance.sinks.mqtt_topics import published
from appliance.store import Counter, Delivery, Store, Subscription, sqlite_url
from appliance.vault import KeySource, Vault, held, key_source

CAMERA_VARIABLE = "APPLIANCE_CAMERA"
"""Environment variable with a source that stands in for the configured cameras; may hold a password."""
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
"""The folder of credentials that systemd hands over."""
PASSPHRASE_VARIABLE = "APPLIANCE_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Environment variable that hands over the passphrase, to the processes that hold keys and no others."""

BUCKET_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Environment variables with credentials for a bucket, as AWS's own library reads them."""

MQTT_EVENTS = "mqtt:events"
"""Name in the outbox of the events that are published to the broker without a rule."""
_DAY_S = 86_400.0

_SECRETS = (CAMERA_VARIABLE, CREDENTIALS_VARIABLE, PASSPHRASE_VARIABLE, *BUCKET_VARIABLES)


def without_secrets(environment: Mapping[str, str], *, but: Sequence[str] = ()) -> dict[str, str]:
    """An environment without what opens the vault, a camera or a bucket, but for the variables in `but`."""
    return {name: value for name, value in environment.items() if name not in _SECRETS or name in but}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in the state directory.

    Attributes:
        state: The directory.
    """

    state: Path

    @property
    def settings_file(self) -> Path:
        """The settings, where they are kept beside the state."""
        return self.state / "appliance.toml"

    @property
    def overlay_file(self) -> Path:
        """What was changed of the settings in the UI, which alone writes it."""
        return self.state / "overlay.toml"

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.state / "appliance.db"

    @property
    def identity(self) -> Path:
        """The device's id."""
        return self.state / "device.json"

    @property
    def log_head(self) -> Path:
        """The newest signed head of the log, kept outside the database."""
        return self.state / "log.head"

    @property
    def heads(self) -> Path:
        """Signed heads of the log, one after the other."""
        return self.state / "heads"

    @property
    def spool(self) -> Path:
        """Sealed captures."""
        return self.state / "spool"

    @property
    def sync_file(self) -> Path:
        """What is told by whoever copies captures to a bucket."""
        return self.state / "run" / "sync.json"

    @property
    def sync_lock(self) -> Path:
        """Held by whoever copies captures to a bucket."""
        return self.state / "run" / "sync.lock"

    @property
    def functions(self) -> Path:
        """The deployed functions, a folder each."""
        return self.state / "deeplens" / "functions"

    @property
    def clips(self) -> Path:
        """Clips of video, sealed, a folder each."""
        return self.state / "video" / "clips"

    @property
    def kvs(self) -> Path:
        """What waits to be sent to Kinesis Video Streams, a folder for each stream."""
        return self.state / "video" / "kvs"

    def shut_picture(self, door: str) -> Path:
        """The picture of a door, shut, that an admin vouched for; `door` is an id of the settings."""
        return self.state / "doors" / f"{door}.json"

    @property
    def web_file(self) -> Path:
        """Where the web process tells at which address it is reached; gone while it does not listen."""
        return self.state / "run" / "web.json"

    @property
    def certificate(self) -> Path:
        """The certificate of the admin pages, where it is made on this box."""
        return self.state / "web.certificate.pem"

    @property
    def certificate_key(self) -> Path:
        """The private key of that certificate."""
        return self.state / "web.key.pem"

    def socket(self, process: str) -> Path:
        """The Unix socket of one of our processes."""
        return self.state / "run" / f"{process}.sock"


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
