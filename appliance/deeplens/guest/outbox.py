"""What a function says, on its way to the host: never in the function's way.

Knows the kinds of messages that may give way, and not what they mean.
"""

import contextlib
import threading
import time
from collections import deque
from typing import Final

from appliance.deeplens.guest.channel import ChannelFullError, ChannelGoneError, GuestChannel
from appliance.deeplens.guest.messages import (
    Dropped,
    FrameWanted,
    GuestSaid,
    Inferred,
    Publish,
    Taken,
    encode,
)

_FORKED_WAIT_S: Final = 0.2
"""How long a message of a forked child waits for room; then it is lost."""


class Outbox:
    """Sends what a function says, from a thread of its own: whoever says something never waits.

    What is published goes at once where nothing goes before it and there is room: the function may end
    without a word. Holds a bounded number of messages; when there is no more room, the oldest that was
    published gives way, and is counted. Of a kind that only counts up, just the newest is kept.
    """

    def __init__(self, channel: GuestChannel, *, room: int = 256, room_bytes: int = 8 * 1024 * 1024) -> None:
        """Note the channel; `start` begins to send.

        Args:
            channel: Where it goes.
            room: Most messages held.
            room_bytes: Most bytes of published payloads held; at least a largest payload.
        """
        self._channel = channel
        self._room = room
        self._room_bytes = room_bytes
        self._forked = False
        self._changed = threading.Condition()
        self._waiting: deque[GuestSaid] = deque()
        self._counts: dict[tuple[str, str], GuestSaid] = {}
        self._bytes = 0
        self._dropped = 0
        self._busy = False
        self._closing = False
        self._thread = threading.Thread(target=self._drain, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def forked(self) -> None:
        """In a child of this process, which has none of its threads and ends without a word: send at once."""
        self._forked = True

    def put(self, message: GuestSaid) -> None:
        """Have a message without descriptors sent, when that can be; returns at once.

        Raises:
            MessageError: A field does not fit.
        """
        encode(message)  # whoever says it hears what is wrong with it
        if self._forked:
            with contextlib.suppress(ChannelFullError, ChannelGoneError):
                self._channel.send(message, wait_s=_FORKED_WAIT_S)
            return
        with self._changed:
            if isinstance(message, Taken | Inferred | FrameWanted):
                self._counts[message.kind, message.model if isinstance(message, Inferred) else ""] = message
            elif not (isinstance(message, Publish) and self._sent(message)):
                self._waiting.append(message)
                self._bytes += len(message.payload) if isinstance(message, Publish) else 0
                while len(self._waiting) > self._room or self._bytes > self._room_bytes:
                    self._drop()
            self._changed.notify_all()

    def close(self, wait_s: float) -> None:
        """Send what is left, as far as it goes in so many seconds. Later messages are dropped."""
        deadline = time.monotonic() + wait_s
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            while self._waiting or self._counts or self._busy:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self._thread.is_alive():
                    return
                self._changed.wait(left_s)

    def _sent(self, message: Publish) -> bool:
        """Send a message without waiting, if it is its turn; whether it was."""
        if self._busy or self._waiting or self._closing or not self._thread.is_alive():
            return False
        try:
            self._channel.send(message, wait_s=0)
        except (ChannelFullError, ChannelGoneError):
            return False
        return True

    def _drop(self) -> None:
        """Let the oldest message go: of those published; if there is none, of all."""
        at = next((i for i, each in enumerate(self._waiting) if isinstance(each, Publish)), 0)
        gone = self._waiting[at]
        del self._waiting[at]
        self._bytes -= len(gone.payload) if isinstance(gone, Publish) else 0
        self._dropped += 1
        self._counts[Dropped.kind, ""] = Dropped(self._dropped)

    def _drain(self) -> None:
        """Send one message after the other until the other side is gone."""
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while not self._waiting and not self._counts:
                    if self._closing:
                        return
                    self._changed.wait()
                self._busy = True
                batch: list[GuestSaid] = list(self._counts.values())
                self._counts.clear()
                if self._waiting:
                    message = self._waiting.popleft()
                    self._bytes -= len(message.payload) if isinstance(message, Publish) else 0
                    batch.append(message)
            try:
                for each in batch:
                    self._channel.send(each)
            except ChannelGoneError:
                with self._changed:
                    self._busy = False
                    self._closing = True
                    self._waiting.clear()
                    self._counts.clear()
                    self._changed.notify_all()
                return
