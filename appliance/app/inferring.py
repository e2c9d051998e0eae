"""Handing what was seen in frames to the dispatch process, which publishes it, without ever waiting.

What cannot be sent in time is dropped, the oldest first: whoever reads it wants to know what is there now. It
is no event and not in the log; what must not be lost is a trigger's event.
"""

import threading
from collections import deque
from typing import Protocol

from appliance.errors import WireError
from appliance.objects import inference
from appliance.settings import ObjectsSettings
from appliance.values import FrameStamp, ObjectsReading
from appliance.wire import Message, Reply
from appliance.wire.messages import Done, PublishInference

_KEPT = 32
"""Messages that may wait: six seconds of one camera."""
_TIMEOUT_S = 1.0
_PAUSE_S = 0.5
"""How often it looks whether it is to end."""


class Calling(Protocol):
    """A client of our own sockets, as far as it is needed here."""

    def call(
        self, message: Message, answer: type[Done], *, blob: bytes = ..., timeout_s: float
    ) -> Reply[Done]:
        """Ask and wait.

        Raises:
            WireError: No answer came.
        """


class Inferences:
    """The messages that wait to be published, of all cameras.

    Args:
        client: Reaches dispatch.
    """

    def __init__(self, client: Calling) -> None:
        self._client = client
        self._waiting: deque[PublishInference] = deque(maxlen=_KEPT)
        self._due = threading.Event()

    def publish(self, watch: ObjectsSettings, reading: ObjectsReading, stamp: FrameStamp) -> None:
        """Take what was seen in a frame, if the settings want it published; returns at once."""
        if watch.publish == "nothing" or (watch.publish == "things" and not reading.things):
            return
        payload = inference(reading.things, stamp.wall).decode()
        self._waiting.append(PublishInference(camera=watch.camera, payload=payload))
        self._due.set()

    def run(self, stop: threading.Event) -> None:
        """Send what waits until `stop` is set."""
        while not stop.is_set():
            if not self._due.wait(_PAUSE_S):
                continue
            self._due.clear()
            while self._waiting and not stop.is_set():
                message = self._waiting.popleft()
                try:
                    self._client.call(message, Done, timeout_s=_TIMEOUT_S)
                except WireError:
                    break  # dispatch is away: the next frame's message tries again
