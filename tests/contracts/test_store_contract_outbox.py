"""The outbox, the same promises on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import NOON, OPENED, SHUT, dead_letter, on

from appliance.clock import ManualClock
from appliance.errors import StoreError
from appliance.events import ActionOutcome
from appliance.store import Delivery, NewEvent, OutboxState, Store

MakeStore = Callable[..., Store]
SONG = on("door_opened", action="song", delivery=Delivery.AT_MOST_ONCE, deadline_s=5)
HOOK = on("door_opened", action="hook", deadline_s=60)


def outcomes(log: Store) -> list[tuple[str, str]]:
    """Types and actions of the ends that were logged."""
    ends = [event.event for event in log.events() if isinstance(event.event, ActionOutcome)]
    return [(end.type, end.action) for end in ends]


def test_what_is_claimed_is_running_and_claimed_once(make_store: MakeStore, clock: ManualClock) -> None:
    """It is committed before it is handed out; a second claim finds nothing."""
    log = make_store(subscriptions=[SONG, HOOK])
    stored = log.append(OPENED)
    rows = log.claim(clock.wall())

    assert [("song", 1), ("hook", 1)] == [(row.action, row.attempts) for row in rows]
    assert [(OutboxState.RUNNING, NOON, stored)] * 2 == [(r.state, r.started_at, r.event) for r in rows]
    assert [] == log.claim(clock.wall())
    assert rows == sorted(make_store().outbox(), key=lambda row: row.id)


def test_a_claim_takes_the_oldest_first(make_store: MakeStore, clock: ManualClock) -> None:
    """In the order of the events, no more than asked for."""
    log = make_store(subscriptions=[HOOK])
    log.append_all([NewEvent(OPENED)] * 5)

    assert [1, 2] == [row.event.position for row in log.claim(clock.wall(), limit=2)]
    assert [3, 4, 5] == [row.event.position for row in log.claim(clock.wall(), limit=16)]


def test_a_delivered_action_stays_delivered(make_store: MakeStore, clock: ManualClock) -> None:
    """It is kept with its time, logged nowhere else, and finished once only."""
    log = make_store(subscriptions=[HOOK])
    log.append(OPENED)
    (row,) = log.claim(clock.wall())
    clock.advance(1)
    log.finish(row, OutboxState.DELIVERED)
    (kept,) = log.outbox(states=[OutboxState.DELIVERED])

    assert (NOON + timedelta(seconds=1), None) == (kept.finished_at, kept.last_error)
    assert [] == outcomes(log)
    with pytest.raises(StoreError, match="not running"):
        log.finish(row, OutboxState.DELIVERED)


def test_a_failed_attempt_is_tried_again_when_it_is_time(make_store: MakeStore, clock: ManualClock) -> None:
    """Not before the time given, then with one attempt more and the same key."""
    log = make_store(subscriptions=[HOOK])
    log.append(OPENED)
    (row,) = log.claim(clock.wall())
    later = NOON + timedelta(seconds=10)
    log.finish(row, OutboxState.PENDING, error="connection refused", not_before=later)

    assert (later, []) == (log.next_due(), log.claim(later - timedelta(milliseconds=1)))
    (again,) = log.claim(later)
    assert (2, "connection refused", row.idempotency_key) == (
        again.attempts,
        again.last_error,
        again.idempotency_key,
    )


def test_at_most_once_is_never_put_back(make_store: MakeStore, clock: ManualClock) -> None:
    """A song is not repeated by anybody's mistake, nor is an end made of running."""
    log = make_store(subscriptions=[SONG])
    log.append(OPENED)
    (row,) = log.claim(clock.wall())
    with pytest.raises(ValueError, match="at most once"):
        log.finish(row, OutboxState.PENDING)
    with pytest.raises(ValueError, match="running"):
        log.finish(row, OutboxState.RUNNING)

    assert [OutboxState.RUNNING] == [kept.state for kept in log.outbox()]


def test_a_restart_sorts_out_what_was_running(make_store: MakeStore, clock: ManualClock) -> None:
    """At most once becomes unknown, with an event; at least once is pending again."""
    log = make_store(subscriptions=[SONG, HOOK])
    log.append(OPENED)
    log.claim(clock.wall())
    clock.advance(2)
    rows = make_store(seed=2).recover(clock.wall())

    assert [("song", OutboxState.UNKNOWN), ("hook", OutboxState.PENDING)] == [
        (r.action, r.state) for r in rows
    ]
    assert [("action_unknown", "song")] == outcomes(log)
    assert [("hook", 2)] == [(row.action, row.attempts) for row in log.claim(clock.wall())]
    assert [] == [row.action for row in log.recover(clock.wall()) if row.action == "song"]


def test_what_is_too_late_expires(make_store: MakeStore, clock: ManualClock) -> None:
    """Past its deadline an action is not begun; the log says so, once."""
    log = make_store(subscriptions=[SONG, HOOK])
    log.append(OPENED)
    late = NOON + timedelta(seconds=5, microseconds=1)

    assert ["hook"] == [row.action for row in log.claim(late)]
    assert [] == log.claim(late)
    assert [("action_expired", "song")] == outcomes(log)
    (expired,) = log.outbox(states=[OutboxState.EXPIRED])
    assert (late, 0) == (expired.finished_at, expired.attempts)


def test_the_deadline_itself_is_in_time(make_store: MakeStore) -> None:
    """Exactly at the deadline it is still begun."""
    log = make_store(subscriptions=[SONG])
    log.append(OPENED)

    assert 1 == len(log.claim(NOON + timedelta(seconds=5)))


def test_at_least_once_has_no_deadline(make_store: MakeStore, clock: ManualClock) -> None:
    """A receiver that was away for a week still gets everything, retries included."""
    log = make_store(subscriptions=[HOOK])
    log.append(OPENED)
    (row,) = log.claim(NOON + timedelta(days=3))
    log.finish(row, OutboxState.PENDING, not_before=NOON + timedelta(days=7))

    assert [2] == [again.attempts for again in log.claim(NOON + timedelta(days=7))]
    assert [] == outcomes(log)


def test_an_end_may_be_said_in_text(make_store: MakeStore, clock: ManualClock) -> None:
    """Dispatch has a word of its own for each state; another word is refused before anything is done."""
    log = make_store(subscriptions=[HOOK])
    log.append(OPENED)
    (row,) = log.claim(clock.wall())
    log.finish(row.id, "pending")
    (row,) = log.claim(clock.wall())
    with pytest.raises(ValueError, match="lost"):
        log.finish(row.id, "lost")
    log.finish(row.id, "dead")

    assert ([OutboxState.DEAD], [("action_dead", "hook")]) == ([r.state for r in log.outbox()], outcomes(log))


def test_a_dead_letter_can_be_tried_again(make_store: MakeStore, clock: ManualClock) -> None:
    """It is logged, listed, and gets all its time anew when somebody asks."""
    log = make_store(subscriptions=[HOOK])
    log.append(OPENED)
    (row,) = log.claim(clock.wall())
    log.finish(row, OutboxState.DEAD, error="no such host " + "x" * 600)
    (dead,) = log.outbox(states=[OutboxState.DEAD])
    clock.advance(3600)
    again = log.retry_dead(dead.id)

    assert [("action_dead", "hook")] == outcomes(log)
    assert 500 == len(dead.last_error or "")
    assert (OutboxState.PENDING, 0, clock.wall() + timedelta(seconds=60)) == (
        again.state,
        again.attempts,
        again.deadline,
    )
    assert [1] == [claimed.attempts for claimed in log.claim(clock.wall())]


def test_only_dead_letters_that_may_repeat_are_retried(make_store: MakeStore, clock: ManualClock) -> None:
    """Not what is unknown to be dead, not another device's, not what is promised at most once."""
    log = make_store(subscriptions=[SONG, HOOK])
    log.append(OPENED)
    song, hook = log.claim(clock.wall())
    log.finish(song, OutboxState.DEAD, error="no sound device")
    for row, why in ((song.id, "never repeated"), (hook.id, "not a dead letter"), (999, "not a dead letter")):
        with pytest.raises(StoreError, match=why):
            log.retry_dead(row)
    log.finish(hook, OutboxState.DEAD)
    with pytest.raises(StoreError, match="not a dead letter"):
        make_store(device="other").retry_dead(hook.id)


def test_an_end_can_be_an_action_s_trigger_but_not_for_ever(
    make_store: MakeStore, clock: ManualClock
) -> None:
    """A mail about a dead song is sent; a mail about the dead mail is not."""
    mail = on("action_dead", action="mail")
    log = make_store(subscriptions=[HOOK, mail])
    log.append(OPENED)
    log.append(dead_letter("mail"))
    (hook,) = log.claim(clock.wall())
    log.finish(hook, OutboxState.DEAD)
    (sent,) = log.claim(clock.wall())
    log.finish(sent, OutboxState.DEAD)

    assert "mail" == sent.action
    assert [] == log.claim(clock.wall())


def test_two_that_report_each_other_s_failure_stop(make_store: MakeStore, clock: ManualClock) -> None:
    """Mail and pager are both told of a dead hook, and neither of the other's death."""
    reports = [on("action_dead", action=action) for action in ("mail", "pager")]
    log = make_store(subscriptions=[HOOK, *reports])
    log.append(OPENED)
    ended = 0
    while rows := log.claim(clock.wall()):
        for row in rows:
            log.finish(row, OutboxState.DEAD)
        ended += len(rows)
        assert ended < 10

    assert 3 == ended


def test_devices_claim_their_own(make_store: MakeStore, clock: ManualClock) -> None:
    """The song of the north door is not played at the south door."""
    north, south = make_store(device="north", subscriptions=[SONG]), make_store(device="south", seed=2)
    north.append(OPENED)

    assert ([], []) == (south.claim(clock.wall()), south.recover(clock.wall()))
    assert 1 == len(north.claim(clock.wall()))


def test_the_list_can_be_narrowed(make_store: MakeStore, clock: ManualClock) -> None:
    """By state and by event, the newest first."""
    log = make_store(subscriptions=[HOOK])
    first, _, third = log.append_all([NewEvent(OPENED), NewEvent(SHUT), NewEvent(OPENED)])
    log.claim(clock.wall(), limit=1)

    assert [third.id, first.id] == [row.event.id for row in log.outbox()]
    assert [third.id] == [row.event.id for row in log.outbox(states=[OutboxState.PENDING])]
    assert [first.id] == [row.event.id for row in log.outbox(event=first.id)]
    assert [third.id] == [row.event.id for row in log.outbox(limit=1)]


@given(
    steps=st.lists(
        st.sampled_from(["append", "claim", "deliver", "retry", "die", "crash", "wait"]),
        min_size=1,
        max_size=25,
    )
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost_or_done_twice(make_store: MakeStore, clock: ManualClock, steps: list[str]) -> None:
    """Whatever happens in whatever order: every event has its rows, at most once begins once."""
    # The examples share a database: ids of its own for each that follows another.
    log = make_store(subscriptions=[SONG, HOOK], seed=1000 + make_store().head().position)
    begun: dict[str, int] = {}
    running = []
    before = len(log.outbox())
    appended = 0
    for step in steps:
        match step:
            case "append":
                log.append(OPENED)
                appended += 1
            case "claim":
                for row in log.claim(clock.wall(), limit=2):
                    begun[row.idempotency_key] = begun.get(row.idempotency_key, 0) + 1
                    running.append(row)
            case "deliver" if running:
                log.finish(running.pop(), OutboxState.DELIVERED)
            case "retry" if running and running[-1].delivery is Delivery.AT_LEAST_ONCE:
                log.finish(running.pop(), OutboxState.PENDING)
            case "die" if running:
                log.finish(running.pop(), OutboxState.DEAD)
            case "crash":
                log.recover(clock.wall())
                running.clear()
            case _:
                clock.advance(1)

    rows = log.outbox()
    assert before + 2 * appended == len(rows)
    assert len(rows) == len({row.idempotency_key for row in rows})
    assert all(begun.get(r.idempotency_key, 0) <= 1 for r in rows if r.delivery is Delivery.AT_MOST_ONCE)
    assert log.verify().last == len(log.events())
