"""The event log, the same promises on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from stores import AGREED, NOON, OPENED, SHUT, identified, on, sql, store
from structlog.testing import capture_logs

import appliance
from appliance.clock import ManualClock
from appliance.errors import ChainBrokenError, StoreError, UnknownSubjectError
from appliance.events import Personal
from appliance.store import GENESIS, Erased, NewEvent, OutboxState, Store
from appliance.values import Grade

MakeStore = Callable[..., Store]
APPENDER = Path(__file__).parents[1] / "support" / "appender.py"


def test_an_event_comes_back_as_it_was(make_store: MakeStore) -> None:
    """Event, time to the microsecond, device, boot and place in the chain."""
    log = make_store()
    at = datetime(2026, 1, 5, 9, 30, 0, 123456, tzinfo=UTC)
    stored = log.append(identified("s", score=1 / 3), at=at)
    found = log.events()

    assert [stored] == found
    assert identified("s", score=1 / 3) == found[0].event
    assert ("box", 1, at, "first", GENESIS) == (
        found[0].device,
        found[0].position,
        found[0].at,
        found[0].boot,
        found[0].previous,
    )


def test_a_time_is_kept_in_utc(make_store: MakeStore) -> None:
    """Another zone is the same moment; a naive time is refused before anything is written."""
    log = make_store()
    tokyo = datetime(2026, 1, 5, 21, 0, tzinfo=timezone(timedelta(hours=9)))

    assert NOON == log.append(OPENED, at=tokyo).at
    assert (NOON, UTC) == (log.events()[0].at, log.events()[0].at.tzinfo)
    with pytest.raises(ValueError, match="without a zone"):
        log.append(OPENED, at=datetime(2026, 1, 5))  # noqa: DTZ001 - the fault under test
    assert 1 == len(log.events())


def test_without_a_time_the_clock_tells_it(make_store: MakeStore, clock: ManualClock) -> None:
    """The store's clock is the injected one."""
    clock.advance(90)

    assert NOON + timedelta(seconds=90) == make_store().append(OPENED).at


def test_events_follow_each_other(make_store: MakeStore) -> None:
    """Positions have no gaps, and each event names the hash of the one before."""
    log = make_store()
    first = log.append(OPENED)
    second, third = log.append_all([NewEvent(SHUT), NewEvent(OPENED)])

    assert [1, 2, 3] == [first.position, second.position, third.position]
    assert [first.hash, second.hash] == [second.previous, third.previous]
    assert 3 == len({first.id, second.id, third.id})


def test_several_events_are_one(make_store: MakeStore) -> None:
    """If one of them cannot be written, none is, nor anything of the outbox."""
    log = make_store(subscriptions=[on("door_opened")])
    nobody = Personal(subject="nobody", payload={"note": "x"})
    with pytest.raises(UnknownSubjectError):
        log.append_all([NewEvent(OPENED), NewEvent(SHUT, nobody)])

    assert ([], []) == (log.events(), log.outbox())
    assert 1 == log.append(SHUT).position


def test_nothing_appended_is_nothing(make_store: MakeStore) -> None:
    """An empty list is no transaction."""
    log = make_store()

    assert [] == log.append_all([])
    assert log.is_empty()


def test_the_newest_position_is_told_by_itself(make_store: MakeStore) -> None:
    """Of this device, whoever appended; 0 before the first event."""
    log, same, other = make_store(), make_store(seed=2), make_store(device="other", seed=3)
    before = log.position()
    log.append(OPENED)
    same.append(SHUT)
    other.append(OPENED)

    assert (0, 2, 2, 1) == (before, log.position(), same.position(), other.position())


def test_a_first_boot_can_be_told(make_store: MakeStore) -> None:
    """Empty until somebody writes; another device on the same database has no chain yet."""
    log, other = make_store(), make_store(device="other")

    assert (True, False) == (log.is_empty(), log.has_chain())
    log.append(OPENED)
    assert (False, True) == (log.is_empty(), log.has_chain())
    assert (False, False) == (other.is_empty(), other.has_chain())


def test_events_are_found_by_type_subject_and_place(make_store: MakeStore) -> None:
    """Each filter alone and together, from either end, within a limit."""
    log = make_store()
    log.append_all([NewEvent(e) for e in (OPENED, identified("a"), identified("b"), SHUT, identified("a"))])

    def places(**wanted: object) -> list[int]:
        return [event.position for event in log.events(**wanted)]  # type: ignore[arg-type]

    assert [1, 2, 3, 4, 5] == places()
    assert [2, 3, 5] == places(types=("subject_identified",))
    assert [2, 5] == places(subject="a")
    assert [5] == places(subject="a", after=2)
    assert [5, 4] == places(newest_first=True, limit=2)
    assert [3, 2] == places(newest_first=True, limit=2, before=4)
    assert [] == places(device="other")
    assert [1, 4] == places(types=("door_opened", "door_shut"))


def test_events_are_found_by_time(make_store: MakeStore) -> None:
    """From a time on, and before another; whatever zone the question is asked in."""
    log = make_store()
    log.append_all([NewEvent(OPENED, at=NOON + timedelta(hours=hour)) for hour in range(4)])
    summer = timezone(timedelta(hours=2))

    assert [3, 4] == [e.position for e in log.events(since=NOON + timedelta(hours=2))]
    assert [1, 2] == [e.position for e in log.events(until=NOON + timedelta(hours=2))]
    assert [2] == [
        e.position
        for e in log.events(
            since=(NOON + timedelta(minutes=1)).astimezone(summer), until=NOON + timedelta(hours=2)
        )
    ]


def test_an_event_is_found_by_the_beginning_of_its_id(make_store: MakeStore) -> None:
    """As much of an id as no other event has; less is said to be too little."""
    log = make_store()
    first = log.append(OPENED, at=NOON)
    second = log.append(OPENED, at=NOON + timedelta(days=1))

    assert first == log.event(first.id)
    assert second == log.event(second.id[:8].upper())
    with pytest.raises(StoreError, match="several events"):
        log.event(first.id[:4])
    with pytest.raises(StoreError, match="no event"):
        log.event("ffffffff")
    with pytest.raises(StoreError, match="not an event's id"):
        log.event("' or 1=1 --")


def test_what_is_personal_opens_until_it_is_erased(make_store: MakeStore) -> None:
    """Sealed beside the event, not in its body; gone with its subject while the chain stands."""
    log = make_store()
    ann = log.add_subject("Ann", consent=AGREED)
    note = Personal(subject=ann.id, payload={"note": "late again"})
    stored = log.append(identified(ann.id), personal=note)

    assert ann.id == stored.sealed_for
    assert note == log.personal(stored)
    assert log.personal(log.append(OPENED)) is None
    assert "late again" not in str(log.events())
    log.remove_subject(ann.id)
    assert Erased(ann.id) == log.personal(stored)
    assert log.verify().last == log.head().position


def test_a_process_without_the_key_can_log_and_read(make_store: MakeStore) -> None:
    """It cannot seal, open or sign, and says so."""
    keyed, keyless = make_store(), make_store(sealed=False, seed=2)
    ann = keyed.add_subject("Ann", consent=AGREED)
    stored = keyed.append(OPENED, personal=Personal(subject=ann.id, payload={}))
    keyless.append(SHUT)

    assert "door_shut" == keyless.events()[-1].type
    assert keyless.verify().last == keyless.events()[-1].position
    for use in (
        lambda: keyless.append(OPENED, personal=Personal(subject=ann.id, payload={})),
        lambda: keyless.personal(stored),
        keyless.head,
        lambda: keyless.gallery([]),
        lambda: keyless.add_subject("Ben", consent=AGREED),
    ):
        with pytest.raises(StoreError, match="device key"):
            use()
    assert (None, None) == (keyless.subjects()[0].name, keyless.consents(ann.id)[0].given_by)


def test_a_closed_store_says_so(address: str) -> None:
    """Before opening and after closing; closing twice is harmless."""
    log = store(address)
    with pytest.raises(StoreError, match="not open"):
        log.events()
    log.open().close()
    log.close()
    with pytest.raises(StoreError, match="not open"):
        log.append(OPENED)


# ---------------------------------------------------------------- the outbox rows of an event


def test_an_event_s_actions_are_written_with_it(make_store: MakeStore) -> None:
    """One row per action that wants it, with its deadline and a key made of event and action."""
    log = make_store(
        subscriptions=[on("door_opened", action="song", deadline_s=5), on("door_shut", action="x")]
    )
    stored = log.append(OPENED)
    (row,) = log.outbox()

    assert ("song", f"{stored.id}:song", stored) == (row.action, row.idempotency_key, row.event)
    assert (OutboxState.PENDING, 0, NOON, NOON + timedelta(seconds=5)) == (
        row.state,
        row.attempts,
        row.not_before,
        row.deadline,
    )


def test_grades_and_repetitions_filter_actions(make_store: MakeStore) -> None:
    """An action gets the grade it names, or every grade; somebody seen again triggers nothing."""
    log = make_store(
        subscriptions=[
            on("subject_identified", action="any"),
            on("subject_identified", action="sure", grade="confirmed"),
        ]
    )
    log.append(identified(grade=Grade.GREETING))
    log.append(identified(grade=Grade.CONFIRMED))
    log.append(identified(grade=Grade.FINAL, repeated=True))

    assert [(1, "any"), (2, "any"), (2, "sure")] == sorted(
        (row.event.position, row.action) for row in log.outbox()
    )


# ---------------------------------------------------------------- what others wrote


@pytest.mark.parametrize(
    "body",
    ['{"type":"of_tomorrow","version":1}', '{"type":"door_opened","version":9,"new":1}', "{", "[]", "7"],
)
def test_an_event_of_another_version_stops_nobody(make_store: MakeStore, address: str, body: str) -> None:
    """After a downgrade: it is listed as unreadable, with a warning, and everything else goes on."""
    log = make_store(subscriptions=[on("door_opened")])
    first, second = log.append_all([NewEvent(OPENED)] * 2)
    sql(address, "UPDATE events SET body = :body WHERE position = 1", body=body)
    with capture_logs() as said:
        found = log.events()

    assert [(first.id, None, True), (second.id, OPENED, False)] == [
        (each.id, each.event, each.unreadable) for each in found
    ]
    assert ["event_not_readable"] == [line["event"] for line in said]
    assert [None, OPENED] == [row.event.event for row in log.claim(NOON, 10)]
    assert 3 == log.append(SHUT).position
    with pytest.raises(ChainBrokenError) as caught:
        log.verify()
    assert 1 == caught.value.position


def test_devices_have_chains_of_their_own(make_store: MakeStore) -> None:
    """Several doors on one database do not meet in each other's chain."""
    north, south = make_store(device="north"), make_store(device="south", seed=6)
    north.append(OPENED)
    south.append_all([NewEvent(SHUT)] * 2)
    north.append(SHUT)

    assert [2, 2] == [north.verify().last, south.verify().last]
    assert ["door_shut"] * 2 == [event.type for event in north.events(device="south")]
    assert "south" == north.verify(device="south").device


def test_processes_append_one_after_the_other(address: str) -> None:
    """Four processes, two devices: no gap, no position twice, both chains hold."""
    store(address).open().close()
    path = os.pathsep.join([str(Path(appliance.__file__).parents[1]), str(APPENDER.parent)])
    running = [
        subprocess.Popen(
            [sys.executable, APPENDER, address, device, f"boot{boot}", "25"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        for device in ("north", "south")
        for boot in (1, 2)
    ]
    said = [process.communicate(timeout=60)[0].split() for process in running]

    assert [0] * 4 == [process.returncode for process in running]
    for device, lines in (("north", said[0] + said[1]), ("south", said[2] + said[3])):
        with store(address, device=device) as log:
            assert list(range(1, 51)) == sorted(int(position) for position in lines[::2])
            assert {event.hash for event in log.events()} == set(lines[1::2])
            assert 50 == log.verify().last
            assert 50 == len(log.outbox())
