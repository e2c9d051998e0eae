"""The desk process: introduces the operations of every subject to each other, and answers at the socket.

Whoever builds a subject's operations adds them in `operations` below, and nowhere else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from appliance.app.desk.accounts import Accounts
from appliance.app.desk.admitting import Admitting
from appliance.app.desk.applying import Applying, Source, source_of
from appliance.app.desk.cameras import Cameras
from appliance.app.desk.captures import Captures
from appliance.app.desk.copies import Copies
from appliance.app.desk.corrections import Corrections
from appliance.app.desk.devices import Devices
from appliance.app.desk.door_showing import Showing
from appliance.app.desk.doors import Doors
from appliance.app.desk.eyes import Eyes
from appliance.app.desk.feed import Feed, feed_operations
from appliance.app.desk.guarding import Guard
from appliance.app.desk.live import Live
from appliance.app.desk.log import Log
from appliance.app.desk.operations import Desk, Operation
from appliance.app.desk.passwords import Passwords
from appliance.app.desk.recipients import Recipients
from appliance.app.desk.screen import Screens
from appliance.app.desk.settings import SettingsPages
from appliance.app.desk.system import System, doctor
from appliance.services import Services
from appliance.settings import Settings
from appliance.wire import Server
from enroll.desk.subjects import enrolment_operations

MOST_CONNECTIONS: Final = 128
"""40 pages that wait for news, what they ask beside it, and the supervisor."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What operations of several subjects share.

    Attributes:
        settings: As they were at the start of the process.
        services: Database and keys.
        feed: Tells that something is new in the log.
        passwords: Hashes and compares.
        guard: Slows down who guesses.
        source: Where the settings come from, to read them as they are now.
        applying: Puts changed settings in force.
        eyes: How the cameras are, and what they see.
    """

    settings: Settings
    services: Services
    feed: Feed
    passwords: Passwords
    guard: Guard
    source: Source
    applying: Applying
    eyes: Eyes


def operations(parts: Parts) -> list[Operation[Any]]:
    """Everything that may be asked of the desk; each subject's module in a line of its own."""
    showing = Showing(parts.eyes)
    return [
        *Accounts(parts.services, parts.passwords, parts.guard).operations(),
        *Admitting(parts.services).operations(),
        *Devices(parts.services, parts.guard).operations(),
        *feed_operations(parts.services, parts.feed),
        *Screens(parts.services, parts.settings, parts.feed).operations(),
        *Live(parts.services, parts.source, parts.eyes).operations(),
        *Cameras(parts.source, parts.applying, parts.eyes, parts.services.layout).operations(),
        *showing.operations(),
        *Doors(parts.source, parts.applying, parts.eyes, showing, parts.services.layout).operations(),
        *Log(parts.services, [door.id for door in parts.settings.doors]).operations(),
        *Corrections(parts.services).operations(),
        *Captures(parts.services, parts.settings).operations(),
        *Copies(parts.services, parts.source).operations(),
        *Recipients(parts.source, parts.applying).operations(),
        *SettingsPages(parts.source, parts.applying).operations(),
        *System(parts.services, partial(doctor, parts.source.files, parts.services.layout)).operations(),
        *enrolment_operations(parts.services, parts.settings),
    ]


@contextmanager
def open_desk(
    settings: Settings,
    services: Services,
    *,
    passwords: Passwords | None = None,
    source: Source | None = None,
) -> Iterator[Desk]:
    """The desk with all its operations, until the end of the block; for the process, and for tests."""
    store = services.store
    source = source or source_of(services)
    with Feed(store.position) as feed:
        passwords = passwords or Passwords()
        passwords.prepare()
        parts = Parts(
            settings,
            services,
            feed,
            passwords,
            Guard(store, services.clock),
            source,
            Applying(services, source),
            Eyes(services.layout),
        )
        yield Desk(store.recognise, operations(parts), store.acting)


def run_desk(
    settings: Settings, services: Services, stop: threading.Event, source: Source | None = None
) -> None:
    """Answer at the desk's socket until `stop` is set.

    Raises:
        WireError: Another desk answers at the socket.
    """
    with open_desk(settings, services, source=source) as desk:
        path = services.layout.socket("desk")
        Server(path, desk.handlers(), max_connections=MOST_CONNECTIONS).serve(stop)
