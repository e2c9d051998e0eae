"""The dispatch process: from the outbox to actions, and captures to a bucket. It decides nothing."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

from appliance.app.copies import copying_of
from appliance.app.heads import HeadObjects, Heads
from appliance.app.syncing import Syncing
from appliance.dispatch import DEFAULT_BACKOFF, Action, CommandAction, Dispatcher, LineAction, Plan
from appliance.errors import ApplianceError
from appliance.services import Services
from appliance.settings import ActionSettings, S3Settings, Settings
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import Done, WakeDispatch

_LEAVE_S = 2.0
"""How long copying may take to end."""


def run_dispatch(settings: Settings, services: Services, stop: threading.Event) -> None:
    """Perform actions until `stop` is set.

    Raises:
        StoreVersionError: The database is another version's.
        WireError: Another dispatch process answers at the socket.
    """
    wake = threading.Event()

    def woken(request: Request[WakeDispatch]) -> Reply[Done]:
        del request
        wake.set()
        return Reply(Done())

    names = subject_names(services)
    actions = {each.id: Plan(_action(each, names), each.attempts) for each in settings.actions}
    dispatcher = Dispatcher(services.store, actions, services.clock, DEFAULT_BACKOFF, wake)
    with (
        Server(services.layout.socket("dispatch"), {WakeDispatch: woken}),
        syncing(settings.captures.s3, services, stop),
        copying_heads(settings, services, stop),
    ):
        dispatcher.run(stop)


@contextlib.contextmanager
def syncing(settings: S3Settings, services: Services, stop: threading.Event) -> Iterator[None]:
    """Copy captures to a bucket beside, in a thread of its own, if there is one to copy to.

    At the end the thread gets a moment; a request that hangs is left to the end of the process, which is
    what a crash would do to it, and nothing is lost by that.
    """
    if not settings.bucket:
        yield
        return
    sync = Syncing(copying_of(settings, services, stop), services.layout, services.clock)
    thread = threading.Thread(target=sync.run, args=(stop,), name="copies", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LEAVE_S)


@contextlib.contextmanager
def copying_heads(settings: Settings, services: Services, stop: threading.Event) -> Iterator[None]:
    """Put signed heads of the log into the bucket beside, if there is one; the last when it ends."""
    if not settings.captures.s3.bucket:
        yield
        return
    from appliance.sinks.bucket import Bucket  # noqa: PLC0415 - a box without a bucket loads no boto

    bucket = Bucket(settings.captures.s3, services.device, services.clock)
    heads = Heads(services.store, [HeadObjects(bucket)], settings.heads.every_s)

    def run() -> None:
        heads.run(stop)
        heads.export()

    thread = threading.Thread(target=run, name="heads", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LEAVE_S)


def subject_names(services: Services) -> Callable[[str], str | None]:
    """Looks a subject's name up; None when it was removed or cannot be opened."""

    def name(subject: str) -> str | None:
        try:
            return services.store.name_of(subject)
        except ApplianceError:
            return None

    return name


def _action(settings: ActionSettings, names: Callable[[str], str | None]) -> Action:
    if settings.kind == "command":
        return CommandAction(settings.argv, settings.timeout_s)
    return LineAction(sys.stdout, names if settings.names else None)
