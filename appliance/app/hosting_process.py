"""The process that hosts functions: it waits, small, until there is one, and then hosts them all.

What hosting takes (pictures, networks' names, the log's keys) is loaded with the first function. It performs
nothing and decides nothing about people; functions are never handed anything of the log.
"""

import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from appliance.layout import Layout
from appliance.settings import Settings
from appliance.wire import Handler, Message, Reply, Request, Server
from appliance.wire.messages import (
    AskFunctionLog,
    AskFunctionMessages,
    AskPorting,
    AskProjectPicture,
    DeployFunction,
    HandToFunctions,
    ListFunctions,
    RemoveFunction,
    StartFunction,
    StopFunction,
)

if TYPE_CHECKING:
    from appliance.app.hosting import Hosting
    from appliance.services import Services

_ASKED: tuple[type[Message], ...] = (
    *(DeployFunction, StartFunction, StopFunction, RemoveFunction, ListFunctions, AskFunctionMessages),
    *(AskFunctionLog, AskProjectPicture, AskPorting, HandToFunctions),
)
_MOST_CALLERS = 64
_MESSAGE_S = 30.0


def run_functions(
    settings: Settings,
    layout: Layout,
    services: "Callable[[], AbstractContextManager[Services]]",
    stop: threading.Event,
) -> None:
    """Host the deployed functions until `stop` is set.

    Args:
        settings: As they are at the start.
        layout: Where things lie.
        services: Opens log and keys.
        stop: Set at the end.

    Raises:
        SettingsError: The credentials for functions cannot be read.
        FunctionError: The functions' folder cannot be written.
        WireError: Another such process answers at the socket.
    """
    with contextlib.ExitStack() as stack:
        waking = _Waking(settings, layout, services, stack)
        if any(waking.folders()):
            waking.answers()
        with Server(
            layout.socket("functions"),
            waking.handlers(),
            max_connections=_MOST_CALLERS,
            message_s=_MESSAGE_S,
        ):
            stop.wait()


class _Waking:
    """The answers, made when somebody first asks or there is a function."""

    def __init__(
        self,
        settings: Settings,
        layout: Layout,
        services: "Callable[[], AbstractContextManager[Services]]",
        stack: contextlib.ExitStack,
    ) -> None:
        self._settings = settings
        self._layout = layout
        self._services = services
        self._stack = stack
        self._lock = threading.Lock()
        self._answers: dict[type[Message], Handler] | None = None

    def folders(self) -> list[str]:
        """Names of what lies where functions are deployed."""
        try:
            found = [each.name for each in self._layout.functions.iterdir()]
        except OSError:
            return []
        return [each for each in found if each != ".lock"]

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return dict.fromkeys(_ASKED, self._answer)

    def _answer(self, request: Request[Any]) -> Reply[Any]:
        return self.answers()[type(request.message)](request)

    def answers(self) -> dict[type[Message], Handler]:
        """What answers, with the functions begun.

        Raises:
            ApplianceError: They cannot be.
        """
        with self._lock:
            if self._answers is None:
                from appliance.app.function_wishes import cameras_of, check_wishes  # noqa: PLC0415
                from appliance.app.hosting_answers import HostingAnswers  # noqa: PLC0415 - see above
                from appliance.app.hosting_parts import hosting_of  # noqa: PLC0415

                hosting: Hosting = self._stack.enter_context(
                    hosting_of(self._settings, self._layout, self._services)
                )
                cameras = cameras_of(self._settings, self._layout)
                self._answers = HostingAnswers(
                    lambda: hosting, lambda asked: check_wishes(asked, self._settings.mqtt, cameras())
                ).handlers()
            return self._answers
