"""The desk process: introduces the operations of every subject to each other, and answers at the socket.

Whoever builds a subject's operations adds them in `operations` below, and nowhere else.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from appliance.app.desk.accounts import Accounts
from appliance.app.desk.admitting import Admitting
from appliance.app.desk.applying import Applying, Source, source_of
from appliance.app.desk.cameras import Cameras
from appliance.app.desk.captures import Captures
from appliance.app.desk.catalogue import Catalogue
from appliance.app.desk.catalogue_imports import CatalogueImports
from appliance.app.desk.clip_playing import ClipPlaying
from appliance.app.desk.clips import Clips
from appliance.app.desk.coffee import CoffeePages
from appliance.app.desk.coffee_line import CoffeeLine, asking
from appliance.app.desk.copies import Copies
from appliance.app.desk.corrections import Corrections
from appliance.app.desk.devices import Devices
from appliance.app.desk.door_showing import Showing
from appliance.app.desk.doors import Doors
from appliance.app.desk.eyes import Eyes
from appliance.app.desk.feed import Feed, feed_operations
from appliance.app.desk.functions import Functions
from appliance.app.desk.groups import Groups
from appliance.app.desk.guarding import Guard
from appliance.app.desk.keypads import Keypads
from appliance.app.desk.live import Live
from appliance.app.desk.locks import Locks
from appliance.app.desk.log import Log
from appliance.app.desk.moments import Moments
from appliance.app.desk.operations import Desk, Operation
from appliance.app.desk.outbox import OutboxPages
from appliance.app.desk.passwords import Passwords
from appliance.app.desk.recipients import Recipients
from appliance.app.desk.rules import Rules
from appliance.app.desk.screen import Screens
from appliance.app.desk.search import Search
from appliance.app.desk.settings import SettingsPages
from appliance.app.desk.songs import Songs
from appliance.app.desk.system import System, doctor
from appliance.app.desk.targets import Targets
from appliance.app.desk.trials import Trials
from appliance.app.desk.waking import Waking
from appliance.app.playing import FreshSettings
from appliance.services import Services
from appliance.settings import Settings
from appliance.wire import Client, Server
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
        corners: What coffee corners show; None: there is none.
    """

    settings: Settings
    services: Services
    feed: Feed
    passwords: Passwords
    guard: Guard
    source: Source
    applying: Applying
    eyes: Eyes
    corners: CoffeeLine | None


def operations(parts: Parts) -> list[Operation[Any]]:
    """Everything that may be asked of the desk; each subject's module in a line of its own."""
    showing = Showing(parts.eyes)
    wake = Waking(parts.services.layout.socket("dispatch")).wake
    return [
        *Accounts(parts.services, parts.passwords, parts.guard).operations(),
        *Admitting(parts.services).operations(),
        *Devices(parts.services, parts.guard).operations(),
        *Keypads(parts.services, parts.source, parts.feed, parts.passwords, parts.guard).operations(),
        *Locks(parts.services, parts.source, parts.applying, parts.passwords).operations(),
        *feed_operations(parts.services, parts.feed),
        *Screens(
            parts.services,
            parts.settings,
            parts.feed,
            corners=parts.corners,
            audio=FreshSettings(parts.settings.audio, parts.source.files),
        ).operations(),
        *Songs(parts.services, parts.source, parts.applying).operations(),
        *CoffeePages(parts.services, parts.settings).operations(),
        *Live(parts.services, parts.source, parts.eyes).operations(),
        *Cameras(parts.source, parts.applying, parts.eyes, parts.services.layout).operations(),
        *showing.operations(),
        *Doors(parts.source, parts.applying, parts.eyes, showing, parts.services.layout).operations(),
        *Log(parts.services, [door.id for door in parts.settings.doors]).operations(),
        *Corrections(parts.services).operations(),
        *Moments(
            parts.services,
            [door.id for door in parts.settings.doors],
            [camera.id for camera in parts.settings.cameras],
        ).operations(),
        *Captures(parts.services, parts.settings).operations(),
        *Copies(parts.services, parts.source).operations(),
        *Clips(parts.services, parts.source).operations(),
        *ClipPlaying(parts.services).operations(),
        *Recipients(parts.source, parts.applying).operations(),
        *SettingsPages(parts.source, parts.applying).operations(),
        *Targets(parts.services, parts.source).operations(),
        *System(parts.services, partial(doctor, parts.source.files, parts.services.layout)).operations(),
        *Functions(parts.services).operations(),
        *Search(parts.services).operations(),
        *Catalogue(parts.services, parts.source, parts.eyes).operations(),
        *CatalogueImports(parts.services, parts.source).operations(),
        *Rules(parts.services, parts.source.running).operations(),
        *Trials(parts.services, parts.source.running, wake).operations(),
        *Groups(parts.services, parts.source.running).operations(),
        *OutboxPages(parts.services, parts.source.running, wake).operations(),
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
    with ExitStack() as stack:
        feed = stack.enter_context(Feed(store.position))
        corners = None
        if settings.coffee.cameras:
            loop = Client(services.layout.socket("loop"))
            corners = stack.enter_context(CoffeeLine(asking(loop), feed.wake))
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
            corners,
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
