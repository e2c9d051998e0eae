"""A backlog of one action: the others go on, order is kept, little is claimed ahead, stopping is quick."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from outboxes import Bench, MemoryBench, MemoryOutbox, MemoryRow

from appliance.backoff import BackOff
from appliance.dispatch import Delivery, Outcome
from appliance.errors import ActionError, StoreError

Make = Callable[..., Any]
Wait = Callable[[Callable[[], object]], None]
LONG = BackOff(first_s=3600, cap_s=3600)


class Held(MemoryOutbox):
    """Remembers how many rows were claimed at once, and in which order calls came.

    Attributes:
        most: Action → rows running at once, at most.
        calls: `finish <row>`, `release <rows>`.
        refusing: Whether outcomes are refused.
        refused: Set when one was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.most: dict[str, int] = {}
        self.calls: list[str] = []
        self.refusing = False
        self.refused = threading.Event()

    def claim(
        self, now: datetime, limit: int, *, room: Mapping[str, int] | None = None, sparing: bool = False
    ) -> list[MemoryRow]:
        """Count."""
        taken = super().claim(now, limit, room=room, sparing=sparing)
        running = [row.action for row in self.rows.values() if row.state == "running"]
        for action in running:
            self.most[action] = max(self.most.get(action, 0), running.count(action))
        return taken

    def finish(
        self,
        row_id: int,
        outcome: Outcome,
        /,
        *,
        error: str | None = None,
        not_before: datetime | None = None,
    ) -> None:
        """Refuse, or note it."""
        if self.refusing:
            self.refused.set()
            raise StoreError("the database is locked")
        super().finish(row_id, outcome, error=error, not_before=not_before)
        self.calls.append(f"finish {row_id}")

    def release(self, rows: Sequence[int], error: str) -> None:
        """Note it."""
        super().release(rows, error)
        self.calls.append(f"release {len(rows)}")


@pytest.fixture
def held() -> MemoryBench:
    """An outbox in memory that counts."""
    bench = MemoryBench()
    bench.outbox = Held()
    return bench


@pytest.mark.parametrize("crashed", [False, True], ids=["waiting", "recovered"])
def test_a_dead_receiver_holds_up_nobody_else(
    bench: Bench, run: Make, recorder: Make, wait_for: Wait, *, crashed: bool
) -> None:
    """Thousands of rows for it, fresh or left running by a crash: a song behind them is played."""
    bench.put_many("hook", 5000)
    if crashed:
        bench.outbox.claim(datetime.now(UTC), 5000)
    hook, song = recorder(*[ActionError("nobody there")] * 9), recorder()
    number = bench.put("song")
    run(bench.outbox, {"hook": hook, "song": song}, backoff=LONG)
    wait_for(lambda: song.seen and hook.seen and bench.states()[number] == "delivered")

    assert 1 == len(hook.seen)


def test_a_retry_is_claimed_again_however_full_its_lane_is(
    held: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """A backlog larger than what is claimed ahead, with failures in it: all delivered, each in its turn."""
    faults = [ActionError("busy") if n in {0, 1, 40, 90, 91} else None for n in range(300)]
    hook = recorder(*faults)
    held.put_many("hook", 200)
    run(held.outbox, {"hook": hook})
    wait_for(lambda: set(held.states().values()) == {"delivered"})

    assert [f"e{n}" for n in range(1, 201)] == list(dict.fromkeys(hook.seen))
    assert hook.seen == sorted(hook.seen, key=lambda each: int(each[1:]))
    assert isinstance(held.outbox, Held)
    assert held.outbox.most["hook"] <= 65


def test_few_songs_are_claimed_ahead(held: MemoryBench, run: Make, recorder: Make, wait_for: Wait) -> None:
    """One plays and one waits; a crash makes no more of them unknown."""
    song = recorder()
    held.put_many("song", 12)
    run(held.outbox, {"song": song}, poll_s=600)
    wait_for(lambda: set(held.states().values()) == {"delivered"})

    assert [f"e{n}" for n in range(1, 13)] == song.seen
    assert isinstance(held.outbox, Held)
    assert {"song": 2} == held.outbox.most


def test_at_the_end_what_was_done_is_saved_before_what_was_not_begun(
    held: MemoryBench, run: Make, recorder: Make
) -> None:
    """Whoever stops dispatch may kill it soon: results cannot be had again and go first, the rest in one."""

    class Endless(recorder):  # type: ignore[misc, valid-type]
        def perform(self, delivery: Delivery) -> None:
            super().perform(delivery)
            self.closed.wait(20)
            raise ActionError("given up")

    outbox = held.outbox
    assert isinstance(outbox, Held)
    held.put_many("hook", 40)
    bell = held.put("bell")
    outbox.refusing = True
    running = run(outbox, {"hook": Endless(), "bell": recorder()}, grace_s=0.1, poll_s=600)
    assert outbox.refused.wait(15)
    outbox.refusing = False
    # The lanes' own wake-ups are over, and the next look is far away: stopping is what comes next.
    running.stop()

    states = held.states()
    assert [f"finish {bell}", "release 39", "finish 1"] == outbox.calls
    assert "delivered" == states.pop(bell)
    assert {"pending"} == set(states.values())
    assert [1] + [0] * 39 == [row.attempts for row in outbox.rows.values() if row.action == "hook"]
