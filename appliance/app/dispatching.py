"""The dispatch process: from the outbox to actions. It decides nothing."""

import sys
import threading
from collections.abc import Callable

from appliance.dispatch import DEFAULT_BACKOFF, Action, CommandAction, Dispatcher, LineAction, Plan
from appliance.errors import ApplianceError
from appliance.services import Services
from appliance.settings import ActionSettings, Settings
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import Done, WakeDispatch


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
    with Server(services.layout.socket("dispatch"), {WakeDispatch: woken}):
        dispatcher.run(stop)


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
