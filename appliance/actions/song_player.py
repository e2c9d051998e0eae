"""Plays songs at one place, one at a time, in a thread of its own: whoever wants one is told once it began.

What playing is comes with each song (`Play`): samples into an output, or the time while a screen plays.
Whether it may be played at all was settled before.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog

from appliance.actions.song_queue import QueuePolicy, SongQueue
from appliance.errors import ActionError, ApplianceError, NoAudioError

_log = structlog.get_logger()

Play = Callable[[Callable[[], bool], Callable[[], None]], None]
"""Plays until its end or until the first callback says that it is stopped; calls the second when it began."""

Outcome = Literal["started", "queue", "stopped", "no_device"]
"""What became of a song; but for the first it was not played, and why."""

_LEAVE_S: Final = 1.5


@dataclass(eq=False, slots=True)
class _Ticket:
    """A song on its way.

    Attributes:
        outcome: None: it waits.
        error: It came to grief with that.
        cut: It has to end.
        why: What became of it if it had not begun when it was cut.
    """

    name: str
    play: Play
    outcome: Outcome | None = None
    error: ActionError | None = None
    cut: threading.Event = field(default_factory=threading.Event)
    why: Outcome = "stopped"


@dataclass(frozen=True, slots=True)
class NowPlaying:
    """What a player does at this moment.

    Attributes:
        song: What plays; None: nothing.
        waiting: What waits, the next first.
        trouble: Why the last song was not heard; empty: it was.
    """

    song: str | None
    waiting: tuple[str, ...]
    trouble: str


class SongPlayer:
    """One place where songs are played.

    Args:
        seconds: A monotonic clock.
    """

    def __init__(self, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._changed = threading.Condition()
        self._queue: SongQueue[_Ticket] = SongQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._trouble = ""

    def play(self, name: str, play: Play, policy: QueuePolicy) -> Outcome:
        """Have a song played; returns when it began, or when it is settled that it will not be.

        Args:
            name: Of the song, for `now`.
            play: Plays it.
            policy: What to do if another one plays.

        Raises:
            ActionError: It cannot be played, or the player is closed.
        """
        ticket = _Ticket(name, play)
        with self._changed:
            if self._closed:
                raise _closing()
            offered = self._queue.offer(ticket, policy, self._seconds())
            self._settle(offered.dropped, "queue")
            if offered.cut is not None:
                offered.cut.why = "queue"
                offered.cut.cut.set()
            if not offered.taken:
                return "queue"
            self._started()
            self._changed.notify_all()
            while ticket.outcome is None and ticket.error is None:
                self._changed.wait(self._patience())
                self._settle(self._queue.late(self._seconds()), "queue")
        if ticket.error is not None:
            raise ticket.error
        assert ticket.outcome is not None  # noqa: S101 - the loop above
        return ticket.outcome

    def stop(self) -> tuple[str, ...]:
        """Let what plays and all that waits be over; what that was, what plays first."""
        with self._changed:
            playing, waited = self._queue.playing, self._queue.clear()
            self._settle(waited, "stopped")
            stopped = [] if playing is None or playing.cut.is_set() else [playing]
            for each in stopped:
                each.cut.set()
            self._changed.notify_all()
        return tuple(each.name for each in (*stopped, *waited))

    def now(self) -> NowPlaying:
        """What plays and waits."""
        with self._changed:
            playing = self._queue.playing
            waiting = tuple(each.name for each in self._queue.waiting)
            return NowPlaying(None if playing is None else playing.name, waiting, self._trouble)

    def close(self) -> None:
        """End what plays and refuse what waits; twice is once."""
        with self._changed:
            self._closed = True
            for each in self._queue.clear():
                each.error = _closing()
            if self._queue.playing is not None:
                self._queue.playing.cut.set()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_LEAVE_S)

    def _started(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="songs", daemon=True)
            self._thread.start()

    def _patience(self) -> float | None:
        late = self._queue.next_late()
        return None if late is None else max(0.0, late - self._seconds())

    def _settle(self, tickets: tuple[_Ticket, ...], outcome: Outcome) -> None:
        for each in tickets:
            each.outcome = outcome
        if tickets:
            self._changed.notify_all()

    def _run(self) -> None:
        while (ticket := self._next()) is not None:
            try:
                self._perform(ticket)
            finally:
                with self._changed:
                    self._queue.ended()
                    self._changed.notify_all()

    def _next(self) -> _Ticket | None:
        with self._changed:
            while not self._closed:
                ticket = self._queue.begin(self._seconds())
                if ticket is not None:
                    return ticket
                self._changed.wait()
            return None

    def _perform(self, ticket: _Ticket) -> None:
        def began() -> None:
            with self._changed:
                self._trouble = ""
                if ticket.outcome is None:
                    ticket.outcome = "started"
                self._changed.notify_all()

        missed = False
        error: ActionError | None = None
        try:
            ticket.play(ticket.cut.is_set, began)
        except NoAudioError as missing:
            missed = True
            self._told(missing)
        except ActionError as other:
            error = other
        except ApplianceError as other:
            error = ActionError(other.message, hint=other.hint)
        except Exception as other:  # noqa: BLE001 - a fault in one song must not end the music
            _log.exception("song_failed", error=type(other).__name__)
            error = ActionError(f"unexpected {type(other).__name__}")
        with self._changed:
            if ticket.outcome is None:
                # Ended before its first sample: cut by who stopped it, by a later song, or by our end.
                ticket.error = error or (_closing() if self._closed else None)
                ticket.outcome = "no_device" if missed else ticket.why
            self._changed.notify_all()

    def _told(self, missing: NoAudioError) -> None:
        """Say it once, not with every song."""
        with self._changed:
            known, self._trouble = self._trouble, missing.message
        if known != missing.message:
            _log.warning("no_audio", reason=missing.message, hint=missing.hint)


def _closing() -> ActionError:
    return ActionError("not begun: the dispatcher stops")
