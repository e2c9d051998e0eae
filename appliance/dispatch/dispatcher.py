"""The outbox emptied: claim, perform, finish; one lane per action.

A row is committed as running before its action begins, so a crash leaves a trace. What can
be promised: at least once is tried until it is delivered or dead; at most once is begun
once, before its deadline, and if it was interrupted it is unknown and never repeated. The
rows of one action are done in their order; a slow action holds up its own lane only.

The outbox is touched by the thread in `run` alone, so an outbox need not be safe to share.
"""

import queue
import threading
from collections.abc import Mapping
from datetime import timedelta

import structlog

from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.dispatch.lanes import Lane, Plan, Result
from appliance.dispatch.outbox import Outbox, Outcome
from appliance.errors import StoreError, StoreVersionError

_log = structlog.get_logger()

_CLAIM = 32
"""Rows claimed in one transaction."""
_HELD = 4096
"""Rows claimed and not begun, at most; a backlog stays in the database."""
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
    ) -> None:
        self._outbox = outbox
        self._actions = dict(actions)
        self._clock = clock
        self._backoff = backoff
        self._wake = wake
        self._poll_s = poll_s
        self._grace_s = grace_s
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
        while sum(lane.held for lane in self._lanes.values()) < _HELD:
            rows = self._outbox.claim(began, _CLAIM)
            for row in rows:
                self._lane(row.action).put(row)
            if len(rows) < _CLAIM:
                for lane in self._lanes.values():
                    lane.miss(began)
                break
        unsaved = {result.row.action for _, result in self._unsaved}
        for action, lane in self._lanes.items():
            if action not in unsaved:
                lane.begin()

    def _take_results(self) -> None:
        while not self._results.empty():
            result = self._results.get()
            self._lanes[result.row.action].busy = False
            self._unsaved.append((0, result))

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
                pause = self._backoff.delay(row.attempts) if result.again else 0.0
                not_before = self._clock.wall() + timedelta(seconds=pause)
                self._next_try.append(self._clock.monotonic() + pause + _WALL_SLACK_S)
                self._lane(row.action).retry(row, not_before)
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
            self._lanes[action] = Lane(
                action, self._actions.get(action), self._clock, self._results, self._wake
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
        for lane in self._lanes.values():
            self._unsaved.extend((0, result) for result in lane.end())
        self._collect(self._grace_s)
        for plan in self._actions.values():
            plan.action.close()
        self._collect(_GIVE_UP_S)
        running = sum(lane.busy for lane in self._lanes.values())
        left = running + len(self._save())
        if left:
            _log.warning("left_running", rows=left)

    def _collect(self, seconds: float) -> None:
        """Wait for what runs, that long at most."""
        until = self._clock.monotonic() + seconds
        self._take_results()
        while any(lane.busy for lane in self._lanes.values()):
            left = until - self._clock.monotonic()
            if left <= 0:
                return
            self._wake.clear()
            self._take_results()
            if any(lane.busy for lane in self._lanes.values()):
                self._wake.wait(min(left, _STOP_POLL_S))
                self._take_results()
