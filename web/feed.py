"""What happens, as it happens: one conversation with the desk for all who listen, none while nobody does.

A channel is an operation that waits (`feed.wait`) and answers `{position, events}`; each listener gets every
event once, in order, from where they left off. Who may hear it, the desk says: the credential of a
listener is presented, and one that is no good any more ends that listener alone.
"""

import queue
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from appliance.errors import AccessError, ApplianceError
from web.desk import DeskCalls

_log = structlog.get_logger()

_WAIT_S: Final = 20.0
"""Seconds for which the desk is asked to wait."""
_QUEUE: Final = 200
"""Answers that may wait for a listener; one that falls behind so far is let go, and comes back by itself."""
_LOOK_S: Final = 0.5
"""How soon a listener sees that all is over."""
_PAUSE_S: Final = 1.0
"""Seconds before the desk is asked again after it was away."""

Batch = tuple[int, tuple[dict[str, Any], ...]]
"""The position behind some events, and the events."""
_Told = tuple[Batch, bool]
"""What a listener is told, and whether the desk began anew: its position went back."""


@dataclass(eq=False)
class Listener:
    """Somebody who listens.

    Attributes:
        credential: Theirs.
        ended: They were let go.
    """

    credential: str
    waiting: "queue.Queue[_Told]" = field(default_factory=lambda: queue.Queue(_QUEUE))
    ended: threading.Event = field(default_factory=threading.Event)


class Feed:
    """Lets many listen to what one thread hears.

    Args:
        desk: Is asked.
        stopping: Set when everything ends.
        wait_s: Seconds for which the desk is asked to wait.
    """

    def __init__(self, desk: DeskCalls, stopping: threading.Event, *, wait_s: float = _WAIT_S) -> None:
        self._desk = desk
        self._stopping = stopping
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}

    def listen(
        self,
        credential: str,
        *,
        operation: str = "feed.wait",
        after: int | None = None,
        every_s: float = 10.0,
    ) -> Generator[Batch | None]:
        """What happens from now on, or from a position on; None each time nothing did for a while.

        Args:
            credential: What the listener presents.
            operation: Of the channel.
            after: The position they have heard everything up to; None: now.
            every_s: Seconds after which None is yielded.

        Raises:
            AccessError: They may not listen.
            PeerGoneError: The desk is away.
        """
        channel = self._channel(operation)
        now = channel.ask(credential, None, 0)[0]
        return self._listen(channel, credential, now if after is None or after > now else after, every_s)

    def _listen(
        self, channel: "_Channel", credential: str, heard: int, every_s: float
    ) -> Generator[Batch | None]:
        listener = Listener(credential)
        channel.join(listener)
        try:
            # What happened before the channel's conversation began, or while this one joined it.
            begun = channel.begun(listener)
            while heard < begun:
                reached, missed = channel.ask(credential, heard, 0)
                if reached <= heard:
                    break
                heard = reached
                yield heard, missed
            while (told := self._next(listener, every_s)) is not None or self._on(listener):
                if told is None:
                    yield None
                    continue
                # Who asked for what they missed may be ahead of the channel: nothing is said to them twice.
                (position, events), anew = told
                fresh = tuple(event for event in events if anew or event.get("position", position) > heard)
                if anew or fresh:
                    heard = position
                    yield position, fresh
        finally:
            channel.leave(listener)

    def _next(self, listener: Listener, every_s: float) -> _Told | None:
        """What comes next; None when nothing did for a while, or all is over."""
        until = time.monotonic() + every_s
        while self._on(listener) and (left := until - time.monotonic()) > 0:
            try:
                return listener.waiting.get(timeout=min(left, _LOOK_S))
            except queue.Empty:
                continue
        return None

    def _on(self, listener: Listener) -> bool:
        return not self._stopping.is_set() and not listener.ended.is_set()

    @property
    def listeners(self) -> int:
        """How many listen, to whatever."""
        with self._lock:
            return sum(len(channel.listeners) for channel in self._channels.values())

    def _channel(self, operation: str) -> "_Channel":
        with self._lock:
            if operation not in self._channels:
                self._channels[operation] = _Channel(self._desk, operation, self._stopping, self._wait_s)
            return self._channels[operation]


class _Channel:
    """One operation that waits, its listeners, and the thread that asks while there are any."""

    def __init__(self, desk: DeskCalls, operation: str, stopping: threading.Event, wait_s: float) -> None:
        self._desk = desk
        self._operation = operation
        self._stopping = stopping
        self._wait_s = wait_s
        self._lock = threading.Condition()
        self._running = False
        self._position: int | None = None
        self.listeners: list[Listener] = []

    def join(self, listener: Listener) -> None:
        """Somebody listens; with the first, the asking begins."""
        with self._lock:
            self.listeners.append(listener)
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name=f"feed-{self._operation}", daemon=True).start()

    def begun(self, listener: Listener) -> int:
        """The position from which on this listener is told; waits for the conversation to begin."""
        with self._lock:
            self._lock.wait_for(lambda: self._position is not None or listener.ended.is_set(), self._wait_s)
            return self._position or 0

    def leave(self, listener: Listener) -> None:
        """They listen no more."""
        listener.ended.set()
        with self._lock:
            if listener in self.listeners:
                self.listeners.remove(listener)
            self._lock.notify_all()

    def ask(self, credential: str, after: int | None, wait_s: float) -> Batch:
        """One question of the conversation.

        Raises:
            ApplianceError: The desk is away, or they may not.
        """
        given: dict[str, Any] = {"timeout_s": wait_s} | ({} if after is None else {"after": after})
        answer = self._desk.ask(self._operation, given, credential=credential, timeout_s=wait_s + 10).result
        return int(answer["position"]), tuple(answer["events"])

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                if not self.listeners:
                    self._running, self._position = False, None
                    return
                spokesman = self.listeners[0]
            try:
                batch = self.ask(spokesman.credential, self._position, self._wait_s)
            except AccessError:
                self.leave(spokesman)
                continue
            except ApplianceError as error:
                _log.info("feed_pauses", error=type(error).__name__)
                self._stopping.wait(_PAUSE_S)
                continue
            self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        # Position and listeners together: whoever joins either finds the batch waiting or asks for it.
        with self._lock:
            before, self._position = self._position, batch[0]
            listeners = [] if before in (None, batch[0]) else list(self.listeners)
            self._lock.notify_all()
        for each in listeners:
            try:
                each.waiting.put_nowait((batch, before is not None and batch[0] < before))
            except queue.Full:
                self.leave(each)
