"""The dispatcher: promises, order, lanes, deadlines, stopping; and a database that fails."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outboxes import EVENTS, MemoryBench, MemoryOutbox

from appliance.backoff import BackOff
from appliance.clock import ManualClock, SystemClock
from appliance.dispatch import Delivery, Dispatcher, Plan
from appliance.errors import ActionError, StoreVersionError

Make = Callable[..., Any]
Wait = Callable[[Callable[[], object]], None]


class Scripted:
    """An action that fails as often as each event's script says."""

    def __init__(self, failures: dict[str, int], permanent: set[str]) -> None:
        self.performed: list[str] = []
        self._failures = dict(failures)
        self._permanent = permanent

    def perform(self, delivery: Delivery) -> None:
        """Fail or succeed."""
        self.performed.append(delivery.event_id)
        if self._failures[delivery.event_id] > 0:
            self._failures[delivery.event_id] -= 1
            raise ActionError("as scripted", permanent=delivery.event_id in self._permanent)

    def close(self) -> None:
        """Nothing runs long."""


rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["at_least_once", "at_most_once"]),
        st.integers(0, 4),  # failures before it succeeds
        st.booleans(),  # whether its failure is permanent
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(rows, st.lists(st.integers(0, 40), max_size=4))
def test_nothing_is_lost_doubled_or_out_of_order_whatever_fails(
    script: list[tuple[str, str, int, bool]], failing: list[int]
) -> None:
    """Every row ends, is performed exactly as often as promised, and each action sees its rows in order."""
    attempts = 3
    outbox = MemoryOutbox(failing)
    numbers = [
        outbox.add(action, EVENTS["hook"], delivery, datetime.now(UTC)) for action, delivery, _, _ in script
    ]
    failures = {f"e{n}": row[2] for n, row in zip(numbers, script, strict=True)}
    permanent = {f"e{n}" for n, row in zip(numbers, script, strict=True) if row[3]}
    actions = {name: Scripted(failures, permanent) for name in ("a", "b")}
    stop, wake = threading.Event(), threading.Event()
    dispatcher = Dispatcher(
        outbox,
        {name: Plan(action, attempts) for name, action in actions.items()},
        SystemClock(),
        BackOff(first_s=0, cap_s=0),
        wake,
        poll_s=0.05,
    )
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    until = time.monotonic() + 20
    while time.monotonic() < until and {"pending", "running"} & {r.state for r in outbox.rows.values()}:
        time.sleep(0.002)
    stop.set()
    thread.join(20)

    tries = {
        number: 1 if delivery == "at_most_once" or last else min(fails + 1, attempts)
        for number, (_, delivery, fails, last) in zip(numbers, script, strict=True)
    }
    for number, (_, _, fails, _) in zip(numbers, script, strict=True):
        assert ("delivered" if fails < tries[number] else "dead") == outbox.rows[number].state
    for name, action in actions.items():
        mine = [n for n in numbers if outbox.rows[n].action == name]
        assert [f"e{n}" for n in mine for _ in range(tries[n])] == action.performed


def test_a_slow_action_holds_up_nobody_else(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """While a hook hangs, the bell rings, again and again."""
    release = threading.Event()

    class Slow(recorder):  # type: ignore[misc, valid-type]
        def perform(self, delivery: Delivery) -> None:
            release.wait(20)
            super().perform(delivery)

    slow, bell = Slow(), recorder()
    memory.put("hook")
    running = run(memory.outbox, {"hook": slow, "bell": bell})
    for _ in range(3):
        memory.put("bell")
        running.wake.set()
    wait_for(lambda: len(bell.seen) == 3)

    assert [] == slow.seen
    release.set()
    wait_for(lambda: set(memory.states().values()) == {"delivered"})


def test_waking_is_prompt(memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait) -> None:
    """A row written after the dispatcher went idle does not wait for the next look."""
    bell = recorder()
    running = run(memory.outbox, {"bell": bell}, poll_s=10)
    time.sleep(0.2)
    memory.put("bell")
    began = time.monotonic()
    running.wake.set()
    wait_for(lambda: bell.seen)

    assert time.monotonic() - began < 0.5


def test_without_being_woken_it_looks_by_itself(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """A lost wake-up costs one pause, not the row."""
    bell = recorder()
    run(memory.outbox, {"bell": bell}, poll_s=0.1)
    time.sleep(0.2)
    memory.put("bell")

    wait_for(lambda: bell.seen)


def test_retries_pause_longer_each_time_and_end_dead(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """With 0.1 s first, three attempts take at least 0.1 + 0.2 s; then it is a dead letter."""
    hook = recorder(*[ActionError("refused")] * 9)
    number = memory.put("hook")
    began = time.monotonic()
    run(memory.outbox, {"hook": hook}, backoff=BackOff(first_s=0.1, cap_s=1, jitter=0), poll_s=5)
    wait_for(lambda: memory.states()[number] == "dead")

    assert 0.3 <= time.monotonic() - began < 3
    assert 3 == len(hook.seen)
    assert "refused" == memory.outbox.rows[number].error


def test_at_most_once_is_not_tried_again(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """A song that failed is dead after one try."""
    song = recorder(ActionError("no speaker"))
    number = memory.put("song")
    run(memory.outbox, {"song": song})
    wait_for(lambda: memory.states()[number] == "dead")

    assert 1 == len(song.seen)


@pytest.mark.parametrize(
    "case",
    [(0, "delivered", 1), (29, "delivered", 1), (31, "expired", 0), (-6, "expired", 0), (-4, "delivered", 1)],
)
def test_at_most_once_happens_before_its_deadline_only(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait, case: tuple[float, str, int]
) -> None:
    """Too late is too late; and an event from the future means a clock set back: nobody knows how late."""
    age_s, state, performed = case
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    number = memory.put("song", at=noon - timedelta(seconds=age_s))
    memory.outbox.rows[number] = replace(memory.outbox.rows[number], not_before=noon)
    song = recorder()
    run(memory.outbox, {"song": song}, clock=ManualClock(noon))
    wait_for(lambda: memory.states()[number] not in {"pending", "running"})

    assert (state, performed) == (memory.states()[number], len(song.seen))


def test_at_least_once_has_no_deadline(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """After a long outage a webhook is late, not lost."""
    number = memory.put("hook", at=datetime.now(UTC) - timedelta(days=3))
    run(memory.outbox, {"hook": recorder()})

    wait_for(lambda: memory.states()[number] == "delivered")


def test_an_action_that_is_not_in_the_settings_is_a_dead_letter(
    memory: MemoryBench, run: Make, wait_for: Wait
) -> None:
    """Rows outlive settings; this one is shown, not kept for ever."""
    number = memory.put("hook")
    run(memory.outbox, {})
    wait_for(lambda: memory.states()[number] == "dead")

    assert "no action of this name is in the settings" == memory.outbox.rows[number].error


def test_a_dead_letter_says_what_is_missing(memory: MemoryBench, run: Make, wait_for: Wait) -> None:
    """In the words of whoever knows what the name means: a webhook that went from the settings, a lock."""
    number = memory.put("hook")
    run(memory.outbox, {}, missing=lambda action: f"there is no {action} any more")
    wait_for(lambda: memory.states()[number] == "dead")

    assert "there is no hook any more" == memory.outbox.rows[number].error


def test_an_event_without_its_body_is_a_dead_letter(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """Retention may drop a body before its action was done."""
    number = memory.outbox.add("hook", None, "at_least_once", datetime.now(UTC))
    hook = recorder()
    run(memory.outbox, {"hook": hook})
    wait_for(lambda: memory.states()[number] == "dead")

    assert [] == hook.seen


def test_what_kills_dispatch_each_time_is_given_up(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """A row begun three times as often as allowed, and never finished, is not begun again."""
    number = memory.put("hook")
    memory.outbox.rows[number] = replace(memory.outbox.rows[number], attempts=9)
    hook = recorder()
    run(memory.outbox, {"hook": hook}, attempts=3)
    wait_for(lambda: memory.states()[number] == "dead")

    assert [] == hook.seen


def test_a_fault_in_an_action_is_named_without_its_text(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """Its text may hold what the event held."""
    number = memory.put("hook")
    run(memory.outbox, {"hook": recorder(*[KeyError("Ann Example")] * 3)})
    wait_for(lambda: memory.states()[number] == "dead")

    assert "unexpected KeyError" == memory.outbox.rows[number].error


def test_a_retry_that_somebody_dealt_with_is_not_waited_for(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """An admin, or its deadline, ended a row between two attempts: those behind it go on."""
    hook = recorder(ActionError("busy"))
    first, second = memory.put("hook"), memory.put("hook")
    run(memory.outbox, {"hook": hook}, backoff=BackOff(first_s=0.3, cap_s=0.3), poll_s=0.05)
    wait_for(lambda: memory.states()[first] == "pending" and hook.seen)
    memory.outbox.rows[first] = replace(memory.outbox.rows[first], state="expired")

    wait_for(lambda: memory.states()[second] == "delivered")


# ------------------------------------------------------------- the database


def test_a_database_of_another_version_ends_it(run: Make, wait_for: Wait) -> None:
    """Waiting would not help."""

    class Other(MemoryOutbox):
        def recover(self, now: datetime) -> None:
            raise StoreVersionError("newer than this program")

    running = run(Other(), {})
    wait_for(lambda: not running.thread.is_alive())

    assert isinstance(running.error, StoreVersionError)


def test_a_refused_outcome_does_not_hold_up_the_others_for_ever(
    run: Make, recorder: Make, wait_for: Wait
) -> None:
    """Somebody else settled a row while it ran: it is offered, then let go, and its action goes on."""
    memory = MemoryBench()

    class Settling(recorder):  # type: ignore[misc, valid-type]
        def perform(self, delivery: Delivery) -> None:
            super().perform(delivery)
            if len(self.seen) == 1:
                memory.outbox.rows[1] = replace(memory.outbox.rows[1], state="unknown")

    hook = Settling()
    memory.put("hook")
    second = memory.put("hook")
    run(memory.outbox, {"hook": hook}, poll_s=0.02)

    wait_for(lambda: memory.states()[second] == "delivered")


# ------------------------------------------------------------- stopping


def test_stopping_lets_what_runs_end(memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait) -> None:
    """An action that ends within the grace is delivered; what was not begun is put back."""
    begun = threading.Event()

    class Slow(recorder):  # type: ignore[misc, valid-type]
        def perform(self, delivery: Delivery) -> None:
            begun.set()
            time.sleep(0.3)
            super().perform(delivery)

    first, second = memory.put("hook"), memory.put("hook")
    running = run(memory.outbox, {"hook": Slow()})
    begun.wait(5)
    running.stop()

    assert {first: "delivered", second: "pending"} == memory.states()


@pytest.mark.parametrize(("action", "state"), [("hook", "pending"), ("song", "unknown")])
def test_what_does_not_end_in_time_is_given_up(
    memory: MemoryBench, run: Make, recorder: Make, action: str, state: str
) -> None:
    """Interrupted by ourselves: the hook is tried again later, the song may have played."""
    begun = threading.Event()

    class Endless(recorder):  # type: ignore[misc, valid-type]
        def perform(self, delivery: Delivery) -> None:
            begun.set()
            self.closed.wait(20)
            raise ActionError("killed")

    number = memory.put(action)
    running = run(memory.outbox, {action: Endless()}, grace_s=0.2)
    begun.wait(5)
    began = time.monotonic()
    running.stop()

    assert time.monotonic() - began < 2
    assert state == memory.states()[number]


def test_what_cannot_even_be_given_up_is_left_running(memory: MemoryBench, run: Make, recorder: Make) -> None:
    """The next start's recovery sorts it out; stopping does not wait for ever."""
    begun, release = threading.Event(), threading.Event()

    class Deaf(recorder):  # type: ignore[misc, valid-type]
        def perform(self, delivery: Delivery) -> None:
            begun.set()
            release.wait(20)

    number = memory.put("hook")
    running = run(memory.outbox, {"hook": Deaf()}, grace_s=0.1)
    begun.wait(5)
    running.stop()

    assert "running" == memory.states()[number]
    release.set()


def test_a_song_that_was_not_begun_is_not_put_back(memory: MemoryBench, run: Make, recorder: Make) -> None:
    """At most once never becomes pending again, whatever it was."""
    begun = threading.Event()

    class Slow(recorder):  # type: ignore[misc, valid-type]
        def perform(self, delivery: Delivery) -> None:
            begun.set()
            time.sleep(0.2)

    first, second = memory.put("song"), memory.put("song")
    running = run(memory.outbox, {"song": Slow()})
    begun.wait(5)
    running.stop()

    assert {first: "delivered", second: "expired"} == memory.states()


def test_whoever_asks_to_be_left_alone_is(
    memory: MemoryBench, run: Make, recorder: Make, wait_for: Wait
) -> None:
    """A pause that a receiver asks for is kept, however short the dispatcher's own would be."""
    hook = recorder(ActionError("busy", retry_after_s=3600.0))
    number = memory.put("hook")
    run(memory.outbox, {"hook": hook})
    wait_for(lambda: memory.outbox.rows[number].error == "busy")

    row = memory.outbox.rows[number]
    assert "pending" == row.state
    assert row.not_before - datetime.now(UTC) > timedelta(minutes=59)
