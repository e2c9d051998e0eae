"""What dispatch needs of an outbox, on every outbox there is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outboxes import Bench

from appliance.dispatch import Outcome
from appliance.errors import ActionError, StoreError

Wait = Callable[[Callable[[], object]], None]


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def test_claimed_rows_are_due_oldest_first_and_running(bench: Bench) -> None:
    """Nothing is handed out twice, and each has begun once."""
    numbers = [bench.put("hook"), bench.put("song"), bench.put("hook")]

    first = bench.outbox.claim(now(), 2)
    second = bench.outbox.claim(now(), 2)

    assert numbers == [row.id for row in (*first, *second)]
    assert [] == list(bench.outbox.claim(now(), 2))
    assert {"running"} == set(bench.states().values())
    assert [(1, "at_least_once"), (1, "at_most_once")] == [(row.attempts, row.delivery) for row in first]


def test_a_row_says_what_to_do(bench: Bench) -> None:
    """Action, event, time, deadline and a key that stays the same at every attempt."""
    at = now()
    number = bench.put("hook", at=at)
    (row,) = bench.outbox.claim(at, 1)
    bench.outbox.finish(number, Outcome.PENDING, error="busy", not_before=at)
    (again,) = bench.outbox.claim(at, 1)

    assert ("hook", "door_opened", at, at + timedelta(hours=1)) == (
        row.action,
        row.event.type,
        row.event.at,
        row.deadline,
    )
    assert row.event.event == again.event.event
    assert row.event.event is not None
    assert (row.idempotency_key, 2) == (again.idempotency_key, again.attempts)


def test_what_is_put_back_comes_when_it_is_due(bench: Bench) -> None:
    """Not before."""
    number, at = bench.put("hook"), now()
    bench.outbox.claim(at, 1)
    bench.outbox.finish(number, Outcome.PENDING, error="busy", not_before=at + timedelta(seconds=9))

    assert [] == list(bench.outbox.claim(at + timedelta(seconds=8), 1))
    assert [number] == [row.id for row in bench.outbox.claim(at + timedelta(seconds=9), 1)]


@pytest.mark.parametrize("action", ["hook", "song"])
def test_a_clock_set_back_makes_nothing_wait(bench: Bench, action: str) -> None:
    """What happened "in the future" is done now; so is what was to be tried again then."""
    at = now()
    number, earlier = bench.put(action, at=at), at - timedelta(days=1)
    assert [number] == [row.id for row in bench.outbox.claim(earlier, 1)]
    bench.outbox.finish(number, Outcome.DELIVERED)
    number = bench.put("hook", at=at)
    bench.outbox.claim(at, 1)
    bench.outbox.finish(number, Outcome.PENDING, error="busy", not_before=at + timedelta(seconds=9))

    assert [number] == [row.id for row in bench.outbox.claim(earlier, 1)]


@pytest.mark.parametrize("outcome", [Outcome.DELIVERED, Outcome.DEAD, Outcome.EXPIRED, Outcome.UNKNOWN])
def test_an_end_is_an_end(bench: Bench, outcome: Outcome) -> None:
    """A finished row neither comes back nor can be finished again."""
    number = bench.put("song")
    bench.outbox.claim(now(), 1)
    bench.outbox.finish(number, outcome, error="so it is")

    assert outcome.value == bench.states()[number]
    assert [] == list(bench.outbox.claim(now() + timedelta(seconds=1), 9))
    with pytest.raises(StoreError):
        bench.outbox.finish(number, Outcome.DELIVERED)


def test_an_action_without_room_keeps_nothing_from_the_others(bench: Bench) -> None:
    """However much of it is due and however few are asked for: the others get theirs, in their order."""
    hooks = [bench.put("hook") for _ in range(5)]
    bells = [bench.put("bell") for _ in range(3)]

    assert bells[:2] == [row.id for row in bench.outbox.claim(now(), 2, room={"hook": 0})]
    assert [*hooks[:2], bells[2]] == [row.id for row in bench.outbox.claim(now(), 9, room={"hook": 2})]
    assert [] == list(bench.outbox.claim(now(), 9, room={"hook": 0, "bell": 7}))
    assert hooks[2:] == [row.id for row in bench.outbox.claim(now(), 9, room={"bell": 0})]


def test_little_that_is_promised_at_most_once_is_taken_ahead(bench: Bench) -> None:
    """Where that is asked for, one at a time: what a crash finds claimed is unknown, begun or not."""
    songs, hooks = [bench.put("song") for _ in range(3)], [bench.put("hook"), bench.put("hook")]

    assert [songs[0], *hooks] == [row.id for row in bench.outbox.claim(now(), 9, sparing=True)]
    assert [songs[1]] == [row.id for row in bench.outbox.claim(now(), 9, room={"song": 5}, sparing=True)]
    assert [] == list(bench.outbox.claim(now(), 9, room={"song": 0}, sparing=True))
    assert [songs[2]] == [row.id for row in bench.outbox.claim(now(), 9)]


def test_what_was_not_begun_is_put_back_as_it_was(bench: Bench) -> None:
    """The hook with the attempts it had; the song never again; what has ended is left alone."""
    done, hook, tried = (bench.put("hook") for _ in range(3))
    song, at = bench.put("song"), now()
    bench.outbox.claim(at, 9)
    bench.outbox.finish(done, Outcome.DELIVERED)
    bench.outbox.finish(tried, Outcome.PENDING, error="busy", not_before=at)
    bench.outbox.claim(at, 9)

    bench.outbox.release([song, tried, hook, done], "not begun")
    bench.outbox.release([], "not begun")

    assert {done: "delivered", hook: "pending", tried: "pending", song: "expired"} == bench.states()
    assert {hook: 1, tried: 2} == {row.id: row.attempts for row in bench.outbox.claim(at, 9)}


def test_recovery_keeps_each_promise(bench: Bench) -> None:
    """After a crash: at least once is pending with its attempts, at most once unknown for ever."""
    hook, song = bench.put("hook"), bench.put("song")
    bench.outbox.claim(now(), 9)

    bench.outbox.recover(now())

    assert {hook: "pending", song: "unknown"} == bench.states()
    assert [(hook, 2)] == [(row.id, row.attempts) for row in bench.outbox.claim(now(), 9)]


def test_a_crash_counts_against_what_was_begun_only(bench: Bench) -> None:
    """However often it crashes, what waited behind is not given up for it: an action does one at a time."""
    hooks, bell = [bench.put("hook") for _ in range(3)], bench.put("bell")
    for _ in range(4):
        bench.outbox.claim(now(), 9)
        bench.outbox.recover(now())

    assert {hooks[0]: 5, hooks[1]: 1, hooks[2]: 1, bell: 5} == {
        row.id: row.attempts for row in bench.outbox.claim(now(), 9)
    }


def test_a_dispatcher_delivers_everything_in_order(
    bench: Bench, run: Callable[..., Any], recorder: Callable[..., Any], wait_for: Wait
) -> None:
    """Whatever fails in between: every action sees its events in their order, retries included."""
    hook = recorder(ActionError("busy"), None, KeyError("a fault"), ActionError("busy"), None)
    actions = {"hook": hook, "bell": recorder(), "song": recorder(ActionError("no speaker"))}
    expected = {
        number: action
        for action in ("hook", "song", "bell", "hook", "song", "hook", "bell")
        for number in [bench.put(action)]
    }
    run(bench.outbox, actions)
    wait_for(lambda: not {"pending", "running"} & set(bench.states().values()))

    ends = bench.states()
    assert ["dead", "delivered"] == [ends[n] for n, action in expected.items() if action == "song"]
    assert {"delivered"} == {ends[n] for n, action in expected.items() if action != "song"}
    assert [6, 2, 2] == [len(actions[name].seen) for name in ("hook", "bell", "song")]
    for action in actions.values():
        assert list(dict.fromkeys(action.seen)) == sorted(set(action.seen), key=action.seen.index)
        assert [d.at for d in action.deliveries] == sorted(d.at for d in action.deliveries)


def test_what_may_have_happened_is_unknown_and_not_repeated(
    bench: Bench, run: Callable[..., Any], recorder: Callable[..., Any], wait_for: Wait
) -> None:
    """Even where the outbox would repeat it: the action knows better."""
    hook, number = recorder(ActionError("interrupted", unknown=True)), bench.put("hook")
    run(bench.outbox, {"hook": hook})
    wait_for(lambda: bench.states()[number] not in {"pending", "running"})

    assert ("unknown", 1) == (bench.states()[number], len(hook.seen))


def test_what_is_interrupted_is_recovered_by_the_next_dispatcher(
    bench: Bench, run: Callable[..., Any], recorder: Callable[..., Any], wait_for: Wait
) -> None:
    """Left running by a crash: the hook is done again, the song is not."""
    hook, song = bench.put("hook"), bench.put("song")
    bench.outbox.claim(now(), 9)
    actions = {"hook": recorder(), "song": recorder()}

    run(bench.outbox, actions)
    wait_for(lambda: bench.states()[hook] == "delivered")

    assert "unknown" == bench.states()[song]
    assert ([2], []) == ([d.attempt for d in actions["hook"].deliveries], actions["song"].seen)
