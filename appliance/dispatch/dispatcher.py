"""The outbox emptied: claim, perform, finish; one lane per action.

A row is committed as running before its action begins, so a crash leaves a trace. What can
be promised: at least once is tried until it is delivered or dead; at most once is begun
once, before its deadline, and if it was interrupted it is unknown and never repeated. The
rows of one action are done in their order; a slow action holds up its own lane only.

The outbox is touched by the thread in `run` alone, so an outbox need not be safe to share.
"""

import queue
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.dispatch.lanes import MISSING, Lane, Plan, Result
from appliance.dispatch.outbox import Outbox, Outcome
from appliance.errors import StoreError, StoreVersionError

_log = structlog.get_logger()

_CLAIM = 32
"""Rows claimed in one transaction."""
_SAVE_TRIES = 20
"""Times that an outcome is offered to a database that works but does not want it."""
_STOP_POLL_S = 0.25
_GIVE_UP_S = 1.5
"""How long an action may take to end once it was given up."""
_WALL_SLACK_S = 0.005
"""The wall clock may run a little behind the monotonic one that a retry is waited for with."""

DEFAULT_BACKOFF = BackOff(first_s=1.0, cap_s=60.0)


class Dispatcher:
    """Empties an outbox until it is stopped.

    Args:
        outbox: Where the rows are; used from the thread in `run` only.
        actions: What each action id in the outbox means.
        clock: For due times and deadlines (wall) and pauses (monotonic).
        backoff: Pause before an at-least-once row is tried again, by attempts so far.
        wake: Set by whoever has put something into the outbox.
        poll_s: Seconds after which the outbox is looked at without being woken.
        grace_s: Seconds that running actions get when it stops, before they are given up.
        missing: Name in the outbox that no action has → what its dead letters say.
    """

    def __init__(
        self,
        outbox: Outbox,
        actions: Mapping[str, Plan],
        clock: Clock,
        backoff: BackOff,
        wake: threading.Event,
        *,
        poll_s: float = 2.0,
        grace_s: float = 3.0,
        missing: Callable[[str], str] = lambda _: MISSING,
    ) -> None:
        self._outbox = outbox
        self._actions = dict(actions)
        self._clock = clock
        self._backoff = backoff
        self._wake = wake
        self._poll_s = poll_s
        self._grace_s = grace_s
        self._missing = missing
        self._lanes: dict[str, Lane] = {}
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._unsaved: list[tuple[int, Result]] = []
        self._store_failures = 0
        self._next_try: list[float] = []

    def run(self, stop: threading.Event) -> None:
        """Recover what a crash left, then work until `stop` is set.

        A database that cannot (locked, full) is waited for; nothing is performed meanwhile
        that is not committed as running.

        Raises:
            StoreVersionError: The database is not this program's.
        """
        recovered = False
        try:
            while not stop.is_set():
                self._wake.clear()
                try:
                    if not recovered:
                        self._outbox.recover(self._clock.wall())
                        recovered = True
                    self._turn()
                    self._store_failures = 0
                except StoreVersionError:
                    raise
                except StoreError as error:
                    self._store_failures += 1
                    _log.warning("outbox_unavailable", reason=error.message, failures=self._store_failures)
                self._pause(stop)
        finally:
            self._stop()

    def _turn(self) -> None:
        """Save what came back, claim what is due, begin what can begin."""
        self._take_results()
        refused = self._save()
        now = self._clock.monotonic()
        self._next_try = [due for due in self._next_try if due > now]
        self._claim()
        # The database works, so an outcome that it refused again and again is not for it: somebody has
        # dealt with that row, or the next recovery will.
        self._unsaved = [(tries + 1, result) for tries, result in refused if tries < _SAVE_TRIES]

    def _claim(self) -> None:
        began = self._clock.wall()
        # Each lane has room of its own, so one that waits for its receiver takes none of the others'.
        while rows := self._outbox.claim(began, _CLAIM, room=self._room(began), sparing=True):
            for row in rows:
                self._lane(row.action).put(row)
        for lane in self._lanes.values():
            lane.miss(began)
        unsaved = {result.row.action for _, result in self._unsaved}
        for action, lane in self._lanes.items():
            if action not in unsaved:
                lane.begin()

    def _room(self, now: datetime) -> dict[str, int]:
        return {action: lane.room(now) for action, lane in self._lanes.items()}

    def _take_results(self) -> bool:
        """Whether there were any."""
        came = False
        while not self._results.empty():
            result = self._results.get()
            self._lanes[result.row.action].came_back()
            self._unsaved.append((0, result))
            came = True
        return came

    def _save(self) -> list[tuple[int, Result]]:
        """Finish every row that came back; those that the database refuses are kept, and returned.

        They are not performed again: in the database they are still running.
        """
        refused = []
        for tries, result in self._unsaved:
            try:
                self._finish(result)
            except StoreError as error:
                _log.warning("outcome_not_saved", row=result.row.id, reason=error.message, tries=tries)
                refused.append((tries, result))
        self._unsaved = refused
        return refused

    def _finish(self, result: Result) -> None:
        row, outcome, not_before = result.row, result.outcome, None
        if outcome is Outcome.PENDING:
            plan = self._actions.get(row.action)
            if result.again and (plan is None or row.attempts >= plan.attempts):
                outcome = Outcome.DEAD
            else:
                pause = max(self._backoff.delay(row.attempts), result.pause_s) if result.again else 0.0
                now = self._clock.wall()
                not_before = now + timedelta(seconds=pause)
                self._next_try.append(self._clock.monotonic() + pause + _WALL_SLACK_S)
                self._lane(row.action).retry(row, now, not_before)
        self._outbox.finish(row.id, outcome, error=result.error, not_before=not_before)
        if outcome is Outcome.DELIVERED:
            _log.debug("action_delivered", action=row.action, row=row.id, attempt=row.attempts)
        else:
            _log.warning(
                "action_not_delivered",
                action=row.action,
                row=row.id,
                attempt=row.attempts,
                outcome=outcome.value,
                reason=result.error,
            )

    def _lane(self, action: str) -> Lane:
        if action not in self._lanes:
            plan = self._actions.get(action)
            self._lanes[action] = Lane(
                action, plan, self._clock, self._results, self._wake, missing=self._missing(action)
            )
        return self._lanes[action]

    def _pause(self, stop: threading.Event) -> None:
        if self._store_failures:
            # Results that come in meanwhile do not bring the database back sooner.
            stop.wait(max(0.05, min(self._poll_s, self._backoff.delay(self._store_failures))))
            return
        until = min([self._clock.monotonic() + self._poll_s, *self._next_try])
        while not stop.is_set() and (left := until - self._clock.monotonic()) > 0:
            if self._wake.wait(min(left, _STOP_POLL_S)):
                return

    def _stop(self) -> None:
        """Let what runs come to its end for a while, give the rest up, and save what became of it."""
        unbegun = [row.id for lane in self._lanes.values() for row in lane.end()]
        # Whoever stops us has little patience. What was done cannot be had again, so it is saved first;
        # what was not begun is sorted out by the next start, if need be.
        self._take_results()
        self._save()
        unbegun = self._put_back(unbegun)
        self._collect(self._grace_s)
        for plan in self._actions.values():
            plan.action.close()
        self._collect(_GIVE_UP_S)
        running = sum(lane.running for lane in self._lanes.values())
        left = running + len(self._save()) + len(self._put_back(unbegun))
        if left:
            _log.warning("left_running", rows=left)

    def _put_back(self, unbegun: list[int]) -> list[int]:
        """Release them; those that the database refuses come back."""
        if unbegun:
            try:
                self._outbox.release(unbegun, "not begun: dispatch stopped")
            except StoreError as error:
                _log.warning("unbegun_not_put_back", rows=len(unbegun), reason=error.message)
                return unbegun
        return []

    def _collect(self, seconds: float) -> None:
        """Wait for what runs, that long at most, and save what comes back when it does."""
        until = self._clock.monotonic() + seconds
        while True:
            self._wake.clear()
            if self._take_results():
                self._save()
            left = until - self._clock.monotonic()
            if left <= 0 or not any(lane.busy for lane in self._lanes.values()):
                return
            self._wake.wait(min(left, _STOP_POLL_S))
