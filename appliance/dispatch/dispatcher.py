"""The outbox emptied: claim, perform, finish; one lane per action.

A row is committed as running before its action begins, so a crash leaves a trace. What can
be promised: at least once is tried until it is delivered or dead; at most once is begun
once, before its deadline, and if it was interrupted it is unknown and never repeated. A slow
action holds up its own lane only.

The outbox is touched by the thread in `run` alone; a lane's thread touches its action alone.
They exchange rows and results through queues, so there is nothing to lock.
"""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.dispatch.actions import Action, Delivery
from appliance.dispatch.outbox import Outbox, OutboxRow, Outcome
from appliance.errors import ActionError, StoreError, StoreVersionError

_log = structlog.get_logger()

_AT_MOST_ONCE = "at_most_once"
_CLAIM = 32
"""Rows claimed at once; since an action has one at most, this is far more than there are actions."""
_STOP_POLL_S = 0.25
_CLOCK_SLACK = timedelta(seconds=5)
"""How far in the future an event may lie before the wall clock counts as set back."""
_GIVE_UP_S = 1.5
"""How long an action may take to end once it was given up."""

DEFAULT_BACKOFF = BackOff(first_s=1.0, cap_s=60.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """An action and how often it is tried.

    Attributes:
        attempts: Tries of an at-least-once row before it is dead, >= 1.
    """

    action: Action
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of a row.

    Attributes:
        again: It failed and wants another try, if there are any left. Pending without it: never begun.
    """

    row: OutboxRow
    outcome: Outcome
    error: str | None = None
    again: bool = False


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
        self._lanes: dict[str, _Lane] = {}
        self._results: queue.SimpleQueue[_Result] = queue.SimpleQueue()
        self._unsaved: list[_Result] = []
        self._busy = 0
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
        """Save what came back, then hand out what is due."""
        self._save()
        now = self._clock.monotonic()
        self._next_try = [due for due in self._next_try if due > now]
        while True:
            rows = self._outbox.claim(self._clock.wall(), _CLAIM)
            for row in rows:
                self._busy += 1
                self._lane(row.action).put(row)
            if len(rows) < _CLAIM:
                return

    def _save(self) -> None:
        """Finish every row that came back.

        One that the database does not take is kept and not performed again; it holds up its own
        action only, since in the database it is still running.
        """
        while not self._results.empty():
            self._unsaved.append(self._results.get())
            self._busy -= 1
        kept = []
        for result in self._unsaved:
            try:
                self._finish(result)
            except StoreError as error:
                _log.warning("outcome_not_saved", row=result.row.id, reason=error.message)
                kept.append(result)
        self._unsaved = kept

    def _finish(self, result: _Result) -> None:
        row, outcome, not_before = result.row, result.outcome, None
        if outcome is Outcome.PENDING:
            pause = self._backoff.delay(row.attempts) if result.again else 0.0
            plan = self._actions.get(row.action)
            if result.again and (plan is None or row.attempts >= plan.attempts):
                outcome = Outcome.DEAD
            else:
                not_before = self._clock.wall() + timedelta(seconds=pause)
                self._next_try.append(self._clock.monotonic() + pause)
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

    def _lane(self, action: str) -> "_Lane":
        if action not in self._lanes:
            self._lanes[action] = _Lane(
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
            lane.end()
        self._collect(self._grace_s)
        for plan in self._actions.values():
            plan.action.close()
        self._collect(_GIVE_UP_S)
        self._save()
        if self._busy or self._unsaved:
            _log.warning("left_running", rows=self._busy + len(self._unsaved))

    def _collect(self, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while self._busy and (left := until - self._clock.monotonic()) > 0:
            try:
                self._unsaved.append(self._results.get(timeout=min(left, _STOP_POLL_S)))
            except queue.Empty:
                continue
            self._busy -= 1


class _Lane:
    """One action's rows, one after the other, in a thread of its own that begins with the first."""

    def __init__(
        self,
        action: str,
        plan: Plan | None,
        clock: Clock,
        results: "queue.SimpleQueue[_Result]",
        wake: threading.Event,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._results = results
        self._wake = wake
        self._rows: queue.SimpleQueue[OutboxRow | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"action-{action}", daemon=True)

    def put(self, row: OutboxRow) -> None:
        """Do this one next."""
        if self._thread.ident is None:
            self._thread.start()
        self._rows.put(row)

    def end(self) -> None:
        """Begin no other row; those waiting come back as pending."""
        self._ending.set()
        self._rows.put(None)

    def _work(self) -> None:
        while (row := self._rows.get()) is not None:
            self._results.put(self._perform(row))
            self._wake.set()

    def _perform(self, row: OutboxRow) -> _Result:
        refusal = self._refusal(row)
        if refusal is not None:
            return refusal
        plan, event = self._plan, row.event.event
        if plan is None:
            return _Result(row, Outcome.DEAD, "no action of this name is in the settings")
        if event is None:
            return _Result(row, Outcome.DEAD, "the event itself is not there any more")
        delivery = Delivery(row.action, row.event.id, event, row.event.at, row.attempts, row.idempotency_key)
        try:
            plan.action.perform(delivery)
        except ActionError as error:
            return self._failed(row, error.message, permanent=error.permanent)
        except Exception as error:  # noqa: BLE001 - a fault in one action must not stop the others
            # Its text may hold what the event held; the class says enough to find it.
            return self._failed(row, f"unexpected {type(error).__name__}", permanent=False)
        return _Result(row, Outcome.DELIVERED)

    def _refusal(self, row: OutboxRow) -> _Result | None:
        """Why a row is not even begun, if so."""
        if self._ending.is_set():
            return _Result(row, Outcome.PENDING, "not begun: the dispatcher stopped")
        if row.delivery == _AT_MOST_ONCE:
            now = self._clock.wall()
            if now >= row.deadline:
                late = (now - row.deadline).total_seconds()
                return _Result(row, Outcome.EXPIRED, f"{late:.1f} s after the deadline")
            if now < row.event.at - _CLOCK_SLACK:
                # Nobody can tell how old it is: an unlock from before must not happen now.
                return _Result(row, Outcome.EXPIRED, "the clock was set back since the event")
        elif self._plan is not None and row.attempts > self._plan.attempts:
            # It was interrupted each time: perhaps it is what kills us.
            return _Result(row, Outcome.DEAD, f"interrupted or failed {self._plan.attempts} times")
        return None

    def _failed(self, row: OutboxRow, error: str, *, permanent: bool) -> _Result:
        if row.delivery == _AT_MOST_ONCE:
            return _Result(row, Outcome.UNKNOWN if self._ending.is_set() else Outcome.DEAD, error)
        if permanent:
            return _Result(row, Outcome.DEAD, error)
        if self._ending.is_set():
            return _Result(row, Outcome.PENDING, error)
        return _Result(row, Outcome.PENDING, error, again=True)
