"""The event log and its chain, the same promises on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from seals import ToySeal
from stores import AGREED, NOON, OPENED, SHUT, identified, on, sql, store
from structlog.testing import capture_logs

import appliance
from appliance.clock import ManualClock
from appliance.errors import ChainBrokenError, StoreError, UnknownSubjectError
from appliance.events import Personal
from appliance.store import GENESIS, SEGMENT, Erased, NewEvent, OutboxState, SignedHead, Store
from appliance.store.chain import link_hash, sha256
from appliance.store.tables import parse_time
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


# ---------------------------------------------------------------- the chain


def test_a_fresh_chain_verifies(make_store: MakeStore) -> None:
    """No events is a chain, too, and its head can be exported."""
    log = make_store()
    report = log.verify(against=log.head())

    assert (0, 0, GENESIS, 0) == (report.first, report.last, report.head, report.checked_against)


def test_a_chain_verifies_against_its_exported_head(make_store: MakeStore) -> None:
    """The head survives being written out and read back, and later events do not hurt."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * 3)
    exported = SignedHead.parse(log.head().model_dump_json())
    last = log.append(SHUT)
    report = log.verify(against=exported)

    assert (1, 4, last.hash, 3) == (report.first, report.last, report.head, report.checked_against)


@pytest.mark.parametrize(
    ("what", "statement", "position"),
    [
        ("a body", "UPDATE events SET body = replace(body, '0.25', '0.75') WHERE position = 3", 3),
        ("a body and its hash", "UPDATE events SET body = '{}', body_sha256 = :sha WHERE position = 3", 3),
        ("a time", "UPDATE events SET at = '2026-01-05T13:00:00.000000Z' WHERE position = 3", 3),
        ("a boot", "UPDATE events SET boot = 'other' WHERE position = 3", 3),
        ("a type", "UPDATE events SET type = 'door_shut' WHERE position = 3", 3),
        ("who it is about", "UPDATE events SET subject = 's' WHERE position = 3", 3),
        ("an id", "UPDATE events SET id = 'x' WHERE position = 3", 3),
        ("a dropped row", "DELETE FROM events WHERE position = 3", 3),
        ("the first row", "DELETE FROM events WHERE position = 1", 1),
        ("a cut tail", "DELETE FROM events WHERE position > 3", 4),
        ("no events at all", "DELETE FROM events", 5),
        ("a body dropped unmarked", "UPDATE events SET body = NULL WHERE position = 3", 3),
        ("a moved row", "UPDATE events SET position = 9 WHERE position = 3", 3),
        ("the head", "UPDATE devices SET hash = :sha", 5),
        ("a head too short", "UPDATE devices SET position = 4", 5),
    ],
)
def test_tampering_is_found_at_its_place(
    make_store: MakeStore, address: str, what: str, statement: str, position: int
) -> None:
    """Whoever edits the tables without the program is found out, with the position."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * 5)
    sql(address, statement, **({"sha": "0" * 64} if ":sha" in statement else {}))
    with pytest.raises(ChainBrokenError) as caught:
        log.verify()

    assert position == caught.value.position


def test_swapped_rows_are_found(make_store: MakeStore, address: str) -> None:
    """Two rows in each other's place do not follow the ones before."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * 5)
    for old, new in ((2, 99), (3, 2), (99, 3)):
        sql(address, "UPDATE events SET position = :new WHERE position = :old", old=old, new=new)
    with pytest.raises(ChainBrokenError) as caught:
        log.verify()

    assert 2 == caught.value.position


def test_a_changed_sealed_part_is_found(make_store: MakeStore, address: str) -> None:
    """What is sealed beside an event is covered by the chain, too, and so is its being there."""
    log = make_store()
    ann = log.add_subject("Ann", consent=AGREED)
    stored = log.append(OPENED, personal=Personal(subject=ann.id, payload={"note": "x"}))
    sql(address, "UPDATE events SET sealed_personal = :b WHERE position = :p", b=b"other", p=stored.position)
    with pytest.raises(ChainBrokenError, match="sealed part was changed"):
        log.verify()
    sql(address, "UPDATE events SET sealed_personal = NULL WHERE position = :p", p=stored.position)
    with pytest.raises(ChainBrokenError, match="sealed part is missing"):
        log.verify()


def test_a_tail_cut_with_its_head_is_found_by_the_exported_one(make_store: MakeStore, address: str) -> None:
    """Without an exported head a tidy cut cannot be told; with one it can."""
    log = make_store()
    third = log.append_all([NewEvent(OPENED)] * 3)[-1]
    log.append_all([NewEvent(OPENED)] * 2)
    exported = log.head()
    sql(address, "DELETE FROM events WHERE position > 3")
    sql(address, "UPDATE devices SET position = 3, hash = :hash", hash=third.hash)

    assert 3 == log.verify().last
    with pytest.raises(ChainBrokenError) as caught:
        log.verify(against=exported)
    assert 4 == caught.value.position


def test_another_history_is_found_by_the_exported_head(make_store: MakeStore, address: str) -> None:
    """A log written anew, with every hash right, differs from what left the box."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * 3)
    exported = log.head()
    sql(address, "DELETE FROM events")
    sql(address, "DELETE FROM devices")
    log.append_all([NewEvent(SHUT)] * 4)

    assert 4 == log.verify().last
    with pytest.raises(ChainBrokenError, match="differs from the head that was exported") as caught:
        log.verify(against=exported)
    assert 3 == caught.value.position


def test_a_head_of_another_key_or_device_is_refused(make_store: MakeStore) -> None:
    """A forger's signature does not count, nor does an honest one of another box."""
    log = make_store()
    log.append(OPENED)
    head = log.head()
    forged = make_store(seal=ToySeal("forger"), seed=3).head()
    with pytest.raises(ChainBrokenError, match="another key"):
        log.verify(against=forged)
    with pytest.raises(ChainBrokenError, match="does not hold"):
        log.verify(against=head.model_copy(update={"position": 0}))
    with pytest.raises(StoreError, match="of device 'box', not 'other'"):
        make_store(device="other").verify(against=head)


def test_full_segments_are_signed(make_store: MakeStore, address: str) -> None:
    """One checkpoint per segment; a removed or re-signed one is found."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * (2 * SEGMENT + 3))
    report = log.verify()

    assert (2, 2 * SEGMENT) == (report.checkpoints, report.signed_up_to)
    sql(address, "DELETE FROM checkpoints WHERE position = :p", p=SEGMENT)
    with pytest.raises(ChainBrokenError, match="its checkpoint is missing"):
        log.verify()
    sql(address, "UPDATE checkpoints SET hash = :h", h="0" * 64)
    with pytest.raises(ChainBrokenError, match="signature of a head does not hold"):
        log.verify()


def test_a_tail_cut_behind_its_checkpoint_is_found(make_store: MakeStore, address: str) -> None:
    """A tidy cut is told, without any exported head, by the checkpoint that reaches beyond it."""
    log = make_store()
    kept = log.append_all([NewEvent(OPENED)] * SEGMENT)[99]
    sql(address, "DELETE FROM events WHERE position > 100")
    sql(address, "UPDATE devices SET position = 100, hash = :hash", hash=kept.hash)
    with pytest.raises(ChainBrokenError, match="a checkpoint was signed for are missing") as caught:
        log.verify()

    assert 101 == caught.value.position


def test_a_rewritten_segment_differs_from_its_checkpoint(make_store: MakeStore, address: str) -> None:
    """Whoever computes every hash anew still lacks the key for the checkpoint."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * SEGMENT)
    signed = sql(address, "SELECT device, position, hash, at, public_key, signature FROM checkpoints")[0]
    sql(address, "DELETE FROM checkpoints")
    sql(address, "DELETE FROM events")
    sql(address, "DELETE FROM devices")
    make_store(seal=ToySeal("forger"), seed=4).append_all([NewEvent(SHUT)] * SEGMENT)
    sql(address, "DELETE FROM checkpoints")
    sql(
        address,
        "INSERT INTO checkpoints (device, position, hash, at, public_key, signature) "
        "VALUES (:device, :position, :hash, :at, :public_key, :signature)",
        **signed._mapping,
    )
    with pytest.raises(ChainBrokenError, match="differs from what its checkpoint was signed for") as caught:
        log.verify()

    assert SEGMENT == caught.value.position


def forge_without_the_key(address: str) -> None:
    """With plain SQL: other bodies for some events, every later hash made anew, no checkpoints."""
    previous = GENESIS
    for row in sql(address, "SELECT * FROM events ORDER BY position"):
        body = row.body.replace("0.25", "0.75") if row.position < 9 else row.body
        link = link_hash(
            device=row.device,
            position=row.position,
            event_id=row.id,
            event_type=row.type,
            version=row.version,
            at=parse_time(row.at),
            boot=row.boot,
            body_sha256=sha256(body),
            sealed_sha256=row.sealed_sha256,
            previous=previous,
        )
        sql(
            address,
            "UPDATE events SET body = :body, body_sha256 = :sha, previous = :previous, hash = :hash "
            "WHERE position = :p",
            body=body,
            sha=sha256(body),
            previous=previous,
            hash=link,
            p=row.position,
        )
        previous = link
    sql(address, "DELETE FROM checkpoints")
    sql(address, "UPDATE devices SET hash = :hash, checkpointed = 0", hash=previous)


def test_a_segment_without_its_checkpoint_is_found(make_store: MakeStore, address: str) -> None:
    """Deleting every checkpoint and linking anew does not pass, and nobody signs it afterwards."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * (SEGMENT + 3))
    forge_without_the_key(address)

    for _ in range(2):
        with pytest.raises(ChainBrokenError, match="its checkpoint is missing") as caught:
            log.verify()
        assert SEGMENT == caught.value.position
        log.append_all([NewEvent(OPENED)] * SEGMENT)


def test_a_process_without_the_key_fills_no_segment(make_store: MakeStore) -> None:
    """An unsigned segment cannot be told from a forged one, so there never is one."""
    keyless, keyed = make_store(sealed=False, seed=5), make_store()
    keyless.append_all([NewEvent(OPENED)] * (SEGMENT - 1))
    with pytest.raises(StoreError, match="needs the device key"):
        keyless.append(OPENED)
    keyed.append(SHUT)
    keyless.append(OPENED)

    report = keyed.verify()
    assert (1, SEGMENT, SEGMENT + 1) == (report.checkpoints, report.signed_up_to, report.last)


def test_a_log_set_back_is_found_by_the_head_kept_beside_it(
    make_store: MakeStore, address: str, tmp_path: Path
) -> None:
    """A tidy cut in the database alone: the file beside it knows better, and is not written over."""
    head_file = tmp_path / "log.head"
    with store(address, head_file=head_file) as first:
        third = first.append_all([NewEvent(OPENED)] * 5)[2]
    log = make_store(head_file=head_file, seed=7)

    assert (0o600, 5) == (head_file.stat().st_mode & 0o777, log.verify().kept_head)
    sql(address, "DELETE FROM events WHERE position > 3")
    sql(address, "UPDATE devices SET position = 3, hash = :hash", hash=third.hash)
    with pytest.raises(
        ChainBrokenError, match="kept beside the database was signed for are missing"
    ) as caught:
        log.verify()
    assert 4 == caught.value.position
    assert "backup" in caught.value.hint
    log.append_all([NewEvent(SHUT)] * (SEGMENT + 1))
    log.close()
    with pytest.raises(ChainBrokenError, match="differs from the head kept beside the database"):
        log.open().verify()


def test_every_checkpoint_is_kept_beside_the_database(make_store: MakeStore, tmp_path: Path) -> None:
    """A process that is killed has left the newest checkpoint there, whatever it was appended by."""
    head_file = tmp_path / "log.head"
    log = make_store(head_file=head_file)
    log.append_all([NewEvent(OPENED)] * (SEGMENT - 1))

    assert not head_file.exists()
    log.add_subject("Ann", consent=AGREED)
    assert SEGMENT + 1 == SignedHead.parse(head_file.read_text()).position


def test_a_head_that_cannot_be_kept_stops_nothing(make_store: MakeStore, tmp_path: Path) -> None:
    """The log goes on without, and says so; a damaged one is an error of the verification only."""
    log = make_store(head_file=tmp_path / "missing" / "log.head")
    with capture_logs() as said:
        log.append_all([NewEvent(OPENED)] * SEGMENT)

    assert ["log_head_not_kept"] == [line["event"] for line in said]
    assert (SEGMENT, None) == (log.verify().last, log.verify().kept_head)
    (tmp_path / "log.head").write_text("{")
    with pytest.raises(StoreError, match="is damaged"):
        make_store(head_file=tmp_path / "log.head", seed=8).verify()


def test_the_oldest_segment_can_be_dropped(make_store: MakeStore, address: str) -> None:
    """The checkpoint at its end vouches for what is gone; elsewhere dropping is a fault."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * (SEGMENT + 4))
    exported = log.head()
    sql(address, "DELETE FROM events WHERE position <= :p", p=SEGMENT)
    report = log.verify(against=exported)

    assert (SEGMENT + 1, SEGMENT + 4, SEGMENT + 4) == (report.first, report.last, report.checked_against)
    sql(address, "DELETE FROM events WHERE position <= :p", p=SEGMENT + 2)
    with pytest.raises(ChainBrokenError, match="no checkpoint vouches") as caught:
        log.verify()
    assert SEGMENT + 2 == caught.value.position


def test_a_body_dropped_by_retention_is_counted(make_store: MakeStore, address: str) -> None:
    """Marked, the chain stands without it; the event still tells its type and time."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * 3)
    sql(address, "UPDATE events SET body = NULL, dropped_at = at WHERE position = 2")

    assert 1 == log.verify().dropped
    assert ("door_opened", None) == (log.events()[1].type, log.events()[1].event)


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
