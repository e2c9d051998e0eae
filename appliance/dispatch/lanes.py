"""One action's rows, one after the other: what waits, what runs, what has to come back first.

A lane has two sides. The dispatcher's thread puts rows in, asks for the next to begin and
takes results; the lane's own thread performs, and touches nothing but its action. They
meet in two queues. A row that waits for its next attempt holds up those behind it, so that
an action sees its events in their order.
"""

import heapq
import queue
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.clock import Clock
from appliance.dispatch.actions import Action, Delivery
from appliance.dispatch.outbox import OutboxRow, Outcome
from appliance.errors import ActionError

_AT_MOST_ONCE = "at_most_once"
_CLOCK_SLACK = timedelta(seconds=5)
"""How far in the future an event may lie before the wall clock counts as set back."""
_POISON = 3
"""Times the allowed attempts after which a row is not begun any more: perhaps it is what kills us."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An action and how often it is tried.

    Attributes:
        attempts: Tries of an at-least-once row before it is dead, >= 1.
    """

    action: Action
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row.

    Attributes:
        again: It failed and wants another try, if there are any left. Pending without it: never begun.
    """

    row: OutboxRow
    outcome: Outcome
    error: str | None = None
    again: bool = False


class Lane:
    """The rows of one action.

    Attributes:
        busy: A row runs.
    """

    def __init__(
        self,
        action: str,
        plan: Plan | None,
        clock: Clock,
        results: "queue.SimpleQueue[Result]",
        wake: threading.Event,
    ) -> None:
        self.busy = False
        self._plan = plan
        self._clock = clock
        self._results = results
        self._wake = wake
        self._waiting: list[tuple[int, OutboxRow]] = []
        self._retry: tuple[int, datetime] | None = None
        self._rows: queue.SimpleQueue[OutboxRow | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"action-{action}", daemon=True)

    # ------------------------------------------------------------- the dispatcher's side

    @property
    def held(self) -> int:
        """Rows that were claimed and are not begun."""
        return len(self._waiting)

    def put(self, row: OutboxRow) -> None:
        """Keep a claimed row until it is its turn."""
        heapq.heappush(self._waiting, (row.id, row))

    def begin(self) -> None:
        """Begin the oldest row, unless one runs or an older one waits for its next attempt."""
        if self.busy or not self._waiting:
            return
        oldest = self._waiting[0][0]
        if self._retry is not None:
            if oldest > self._retry[0]:
                return
            self._retry = None
        self.busy = True
        if self._thread.ident is None:
            self._thread.start()
        self._rows.put(heapq.heappop(self._waiting)[1])

    def retry(self, row: OutboxRow, not_before: datetime) -> None:
        """A row goes back to the outbox and has to be claimed again before any younger one begins."""
        self._retry = (row.id, not_before)

    def miss(self, claimed_at: datetime) -> None:
        """All that was due has been claimed; a retry that did not come is not waited for any longer.

        The outbox may have expired it, or an admin may have dealt with it.
        """
        if self._retry is not None and self._retry[1] <= claimed_at:
            came = any(number == self._retry[0] for number, _ in self._waiting)
            if not came:
                self._retry = None

    def end(self) -> list[Result]:
        """Begin nothing any more; those that waited come back."""
        self._ending.set()
        self._rows.put(None)
        why = "not begun: dispatch stopped"
        waited = [row for _, row in sorted(self._waiting)]
        self._waiting.clear()
        # At most once is never put back, not even unbegun: nobody should have to think about which it was.
        return [
            Result(row, Outcome.EXPIRED if row.delivery == _AT_MOST_ONCE else Outcome.PENDING, why)
            for row in waited
        ]

    # ------------------------------------------------------------- the lane's own thread

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
            return Result(row, Outcome.DEAD, "no action of this name is in the settings")
        if event is None:
            return Result(row, Outcome.DEAD, "the event is not there any more, or of another version")
        delivery = Delivery(row.action, row.event.id, event, row.event.at, row.attempts, row.idempotency_key)
        try:
            plan.action.perform(delivery)
        except ActionError as error:
            return self._failed(row, error.message, permanent=error.permanent)
        except Exception as error:  # noqa: BLE001 - a fault in one action must not stop the others
            # Its text may hold what the event held; the class says enough to find it.
            return self._failed(row, f"unexpected {type(error).__name__}", permanent=False)
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

    def _failed(self, row: OutboxRow, error: str, *, permanent: bool) -> Result:
        if row.delivery == _AT_MOST_ONCE:
            # What we interrupted ourselves may have happened; what failed by itself did not.
            return Result(row, Outcome.UNKNOWN if self._ending.is_set() else Outcome.DEAD, error)
        if permanent:
            return Result(row, Outcome.DEAD, error)
        return Result(row, Outcome.PENDING, error, again=not self._ending.is_set())
