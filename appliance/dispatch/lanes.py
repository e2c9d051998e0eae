"""One action's rows, one after the other: what waits, what runs, what has to come back first.

A lane has two sides. The dispatcher's thread puts rows in, asks for the next to begin and
takes results; the lane's own thread (or threads, see `Plan.together`) performs, and touches nothing but its
action. They meet in two queues. A row that waits for its next attempt holds up those behind it, so that
an action sees its events in their order.
"""

import heapq
import queue
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.clock import Clock
from appliance.deliveries import Delivery
from appliance.dispatch.actions import Action
from appliance.dispatch.outbox import OutboxRow, Outcome
from appliance.errors import ActionError

_AT_MOST_ONCE = "at_most_once"
_CLOCK_SLACK = timedelta(seconds=5)
"""How far in the future an event may lie before the wall clock counts as set back."""
_HELD = 64
"""Rows that are claimed and not begun, at most; the rest of a backlog stays in the database."""
_AHEAD = 1
"""As many of those that are promised at most once, beyond what can begin: a crash makes them unknown."""
_POISON = 3
"""Times the allowed attempts after which a row is not begun any more: perhaps it is what kills us."""


MISSING = "no action of this name is in the settings"


@dataclass(frozen=True, slots=True)
class Plan:
    """An action and how often it is tried.

    Attributes:
        attempts: Tries of an at-least-once row before it is dead, >= 1.
        together: Rows performed at once, >= 1, each in a thread of its own. More than one keeps no order,
            and is for actions that queue by themselves, at most once.
    """

    action: Action
    attempts: int = 5
    together: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row.

    Attributes:
        again: It failed and wants another try, if there are any left. Pending without it: we gave it up.
        pause_s: Seconds before that, at least.
    """

    row: OutboxRow
    outcome: Outcome
    error: str | None = None
    again: bool = False
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Retry:
    """A row that was put back for another attempt, when that was, and when it is claimed again."""

    row: int
    put_back: datetime
    not_before: datetime

    def due(self, now: datetime) -> bool:
        """Whether the outbox may give it; a clock that was set back makes nothing wait."""
        return self.not_before <= now or now < self.put_back


class Lane:
    """The rows of one action.

    Args:
        action: Its name in the outbox.
        plan: Who does it; None: nobody here, and its rows are dead letters.
        clock: For deadlines.
        results: Where each row comes back.
        wake: Set when one did.
        missing: What the dead letters say.

    Attributes:
        running: Rows that run now.
    """

    def __init__(
        self,
        action: str,
        plan: Plan | None,
        clock: Clock,
        results: "queue.SimpleQueue[Result]",
        wake: threading.Event,
        *,
        missing: str = MISSING,
    ) -> None:
        self.running = 0
        self._action = action
        self._missing = missing
        self._plan = plan
        self._clock = clock
        self._results = results
        self._wake = wake
        self._waiting: list[tuple[int, OutboxRow]] = []
        self._retry: _Retry | None = None
        self._rows: queue.SimpleQueue[OutboxRow | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._together = 1 if plan is None else plan.together
        self._threads: list[threading.Thread] = []

    # ------------------------------------------------------------- the dispatcher's side

    @property
    def busy(self) -> bool:
        """Whether a row runs."""
        return self.running > 0

    def room(self, now: datetime) -> int:
        """How many rows may be claimed now, >= 0; never so few that what all wait for is not among them."""
        if self._retry is not None and not self._came(self._retry):
            # Nothing begins before that row, and it is older than all that wait.
            return 1 if self._retry.due(now) else 0
        held = len(self._waiting)
        if any(row.delivery == _AT_MOST_ONCE for _, row in self._waiting):
            return max(0, self._together - self.running + _AHEAD - held)
        return _HELD - held if held < _HELD // 2 else 0

    def put(self, row: OutboxRow) -> None:
        """Keep a claimed row until it is its turn."""
        heapq.heappush(self._waiting, (row.id, row))

    def begin(self) -> None:
        """Begin the oldest rows, unless enough run or an older one waits for its next attempt."""
        while self._waiting and self.running < self._together:
            oldest = self._waiting[0][0]
            if self._retry is not None:
                if oldest > self._retry.row:
                    return
                self._retry = None
            self.running += 1
            if self.running > len(self._threads):
                name = f"action-{self._action}"
                self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._threads[-1].start()
            self._rows.put(heapq.heappop(self._waiting)[1])

    def came_back(self) -> None:
        """A row that ran was taken out of the results."""
        self.running -= 1

    def retry(self, row: OutboxRow, now: datetime, not_before: datetime) -> None:
        """A row goes back to the outbox and has to be claimed again before any younger one begins."""
        self._retry = _Retry(row.id, now, not_before)

    def miss(self, claimed_at: datetime) -> None:
        """All that was due has been claimed; a retry that did not come is not waited for any longer.

        The outbox may have expired it, or an admin may have dealt with it.
        """
        if self._retry is not None and self._retry.due(claimed_at) and not self._came(self._retry):
            self._retry = None

    def end(self) -> list[OutboxRow]:
        """Begin nothing any more; those that waited come back, in their order."""
        self._ending.set()
        for _ in self._threads:
            self._rows.put(None)
        return [heapq.heappop(self._waiting)[1] for _ in range(len(self._waiting))]

    def _came(self, retry: "_Retry") -> bool:
        return any(number == retry.row for number, _ in self._waiting)

    # ------------------------------------------------------------- the lane's own threads

    def _work(self) -> None:
        while (row := self._rows.get()) is not None:
            self._results.put(self._perform(row))
            self._wake.set()

    def _perform(self, row: OutboxRow) -> Result:
        refusal = self._refusal(row)
        plan, event = self._plan, row.event.event
        if refusal is not None:
            return refusal
        if plan is None:
            return Result(row, Outcome.DEAD, self._missing)
        if event is None:
            return Result(row, Outcome.DEAD, "the event is not there any more, or of another version")
        delivery = Delivery(
            row.action,
            row.event.id,
            event,
            row.event.at,
            row.attempts,
            row.idempotency_key,
            row.parameters,
            row.deadline if row.delivery == _AT_MOST_ONCE else None,
            row.rule,
        )
        try:
            plan.action.perform(delivery)
        except ActionError as error:
            return self._failed(row, error)
        except Exception as error:  # noqa: BLE001 - a fault in one action must not stop the others
            # Its text may hold what the event held; the class says enough to find it.
            return self._failed(row, ActionError(f"unexpected {type(error).__name__}"))
        return Result(row, Outcome.DELIVERED)

    def _refusal(self, row: OutboxRow) -> Result | None:
        """Why a row is not even begun, if so."""
        if row.delivery == _AT_MOST_ONCE:
            now = self._clock.wall()
            if now >= row.deadline:
                late = (now - row.deadline).total_seconds()
                return Result(row, Outcome.EXPIRED, f"{late:.1f} s after the deadline")
            if now < row.event.at - _CLOCK_SLACK:
                # Nobody can tell how old it is: an unlock from before must not happen now.
                return Result(row, Outcome.EXPIRED, "the clock was set back since the event")
        elif self._plan is not None and row.attempts > _POISON * self._plan.attempts:
            return Result(row, Outcome.DEAD, f"begun {row.attempts - 1} times and interrupted")
        return None

    def _failed(self, row: OutboxRow, error: ActionError) -> Result:
        ending, why = self._ending.is_set(), error.message
        if error.unknown:
            return Result(row, Outcome.UNKNOWN, why)
        if row.delivery == _AT_MOST_ONCE:
            # What we interrupted ourselves may have happened; what failed by itself did not.
            return Result(row, Outcome.UNKNOWN if ending else Outcome.DEAD, why)
        if error.permanent:
            return Result(row, Outcome.DEAD, why)
        return Result(row, Outcome.PENDING, why, again=not ending, pause_s=error.retry_after_s or 0.0)
