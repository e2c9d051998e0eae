"""What functions publish, on its way: to the broker by the dispatch process, and to functions that subscribe.

Only a function's infer topic leaves the box, and topics that were granted to it by name when it was deployed.
Nobody waits: what cannot go in time is dropped, the oldest first. Also tells dispatch what functions want to
hear of the broker.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from appliance.app.inferring import Calling
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.project import Project
from appliance.errors import ApplianceError
from appliance.settings import MqttSettings
from appliance.wire.messages import Done, HearForFunctions, PublishMessage

_KEPT: Final = 128
"""Messages that may wait: some seconds of a few functions."""
_TIMEOUT_S: Final = 1.0
_PAUSE_S: Final = 0.5
_AGAIN_S: Final = 10.0
"""Dispatch is told again so often: it may have been started anew."""


class Subscribing(Protocol):
    """The functions, as far as they listen; see `hosting.Hosting`."""

    def subscriptions(self) -> frozenset[str]:
        """Topics that functions subscribe to, with `+` and `#`."""

    def hand(self, topic: str, payload: bytes, *, but: str) -> int:
        """Hand a message to the functions that subscribe to its topic, but for one; how many took it."""


class FunctionPublishing:
    """The messages of functions that wait to go on.

    Args:
        settings: The broker's: without one nothing is sent to dispatch.
        client: Reaches dispatch.
        functions: Those that may want to hear it.
    """

    def __init__(
        self, settings: MqttSettings, client: Calling, functions: Callable[[], Subscribing | None]
    ) -> None:
        self._settings = settings
        self._client = client
        self._functions = functions
        self._waiting: deque[tuple[str, str, bytes]] = deque(maxlen=_KEPT)
        self._due = threading.Event()
        self._stop = threading.Event()
        self._told: frozenset[str] = frozenset()
        self._told_s = 0.0
        self._thread = threading.Thread(target=self._run, name="function-publishing", daemon=True)

    def publish(self, project: Project, message: FunctionMessage) -> None:
        """Take a message; returns at once."""
        functions = self._functions()
        outside = self._settings.host and self._outside(project, message.topic)
        if outside or (functions is not None and functions.subscriptions()):
            self._waiting.append((project.name, message.topic, message.payload))
            if outside:
                self._waiting.append(("", outside, message.payload))
            self._due.set()

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """What waits is lost: it was for who listens now."""
        self._stop.set()
        self._due.set()
        self._thread.join(_TIMEOUT_S)

    def _outside(self, project: Project, topic: str) -> str:
        """Where a message goes at the broker; empty: nowhere."""
        if topic == project.infer_topic:
            return self._settings.infer_topic or topic
        return topic if topic in project.publishes else ""

    def _run(self) -> None:
        while not self._stop.is_set():
            self._due.wait(_PAUSE_S)
            self._due.clear()
            functions = self._functions()
            if self._settings.host and functions is not None:
                self._tell(functions.subscriptions())
            while self._waiting and not self._stop.is_set():
                if not self._go(functions, *self._waiting.popleft()):
                    break  # dispatch is away: the next message tries again

    def _go(self, functions: Subscribing | None, name: str, topic: str, payload: bytes) -> bool:
        if name:
            if functions is not None:
                functions.hand(topic, payload, but=name)
            return True
        try:
            self._client.call(PublishMessage(topic=topic), Done, blob=payload, timeout_s=_TIMEOUT_S)
        except ApplianceError:
            return False
        return True

    def _tell(self, topics: frozenset[str]) -> None:
        """Tell dispatch what is to be heard, if it has to be told."""
        now = time.monotonic()
        if topics == self._told and (not topics or now - self._told_s < _AGAIN_S):
            return
        try:
            message = HearForFunctions(topics=tuple(sorted(topics)))
            self._client.call(message, Done, timeout_s=_TIMEOUT_S)
        except ApplianceError:
            return
        self._told, self._told_s = topics, now
