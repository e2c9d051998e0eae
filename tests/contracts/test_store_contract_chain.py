"""The chain of the log: what tampering it finds, the same promises on SQLite and on PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

import pytest
from seals import ToySeal
from stores import AGREED, OPENED, SHUT, sql, store
from structlog.testing import capture_logs

from appliance.errors import ChainBrokenError, StoreError
from appliance.events import Personal
from appliance.store import GENESIS, SEGMENT, NewEvent, SignedHead, Store
from appliance.store.chain import link_hash, sha256
from appliance.store.tables import parse_time

MakeStore = Callable[..., Store]


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


def test_the_oldest_segment_is_not_cut_as_retention_would_drop_it(
    make_store: MakeStore, address: str
) -> None:
    """The checkpoint at its end vouches for what is gone, but nothing says that retention let it go."""
    log = make_store()
    log.append_all([NewEvent(OPENED)] * (SEGMENT + 4))
    exported = log.head()
    sql(address, "DELETE FROM events WHERE position <= :p", p=SEGMENT)
    for against in (None, exported):
        with pytest.raises(ChainBrokenError, match="retention does not say") as caught:
            log.verify(against=against)
        assert 1 == caught.value.position
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
