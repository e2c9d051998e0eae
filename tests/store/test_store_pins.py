"""PINs and keypads in the store: counted before they are looked at, sealed, gone with their owner."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from stores import AGREED, NOON, face, sql, store

from appliance.clock import ManualClock
from appliance.errors import NotSignedInError, StoreError, UnknownAccountError, UnknownSubjectError
from appliance.permissions import Permission, Role
from appliance.store import NewReference, Store, sqlite_url
from appliance.store.pins import MOST_WRONG
from appliance.values import SubjectId

HASH = "$argon2id$of-ann"


@pytest.fixture
def clock() -> ManualClock:
    """Stands still."""
    return ManualClock(NOON)


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Of a database of its own."""
    return sqlite_url(tmp_path / "appliance.db")


@pytest.fixture
def log(address: str, clock: ManualClock) -> Iterator[Store]:
    """An open store."""
    with store(address, clock=clock) as opened:
        yield opened


def enrol(log: Store, name: str) -> SubjectId:
    """Somebody."""
    reference = NewReference(face(), quality=80.0, details={"source": "a photo"})
    return log.add_subject(name, consent=AGREED, references=[reference]).id


def tried(log: Store, subject: str, times: int = 1) -> list[str | None]:
    """So many tries; what each is held against, `paused` where it is refused."""
    found = [log.begin_pin_try(subject, attempts=3, pause_s=900.0) for _ in range(times)]
    return ["paused" if each.paused else each.hash for each in found]


def test_a_pin_rests_sealed_under_its_owners_key(log: Store, address: str) -> None:
    """Of four digits a hash alone would hide nothing from whoever has the file."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    rows = sql(address, "SELECT sealed_hash FROM pins")

    assert HASH.encode() not in bytes(rows[0][0])
    assert [HASH] == tried(log, ann)


def test_whoever_has_none_has_nothing_to_be_held_against(log: Store) -> None:
    """Nobody's PIN fits somebody who has none, or who is not there."""
    ann = enrol(log, "Ann")

    assert [None] == tried(log, ann)
    assert [None] == tried(log, "nobody")


def test_tries_are_counted_before_they_are_looked_at(log: Store) -> None:
    """Three in a row are looked at; from the third on it is refused for its time."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)

    assert [HASH, HASH, HASH, "paused", "paused"] == tried(log, ann, 5)


def test_after_its_time_there_is_one_try_more(log: Store, clock: ManualClock) -> None:
    """Each further wrong one costs the whole time again."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    tried(log, ann, 3)
    clock.advance(900.0)

    assert [HASH, "paused"] == tried(log, ann, 2)


def test_the_right_one_forgets_the_wrong_ones(log: Store) -> None:
    """Who mistypes now and then is never refused."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    for _ in range(5):
        tried(log, ann, 2)
        log.pin_fitted(ann)

    assert [HASH] == tried(log, ann)


def test_a_restart_forgets_no_failure(log: Store, address: str, clock: ManualClock) -> None:
    """Whoever cuts the power gets no further tries."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    tried(log, ann, 3)
    log.close()
    with store(address, clock=clock, seed=2) as again:
        assert ["paused"] == tried(again, ann)


def test_a_clock_that_is_set_back_forgives_nothing(log: Store, clock: ManualClock) -> None:
    """A refusal lasts longer then, not shorter."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    tried(log, ann, 3)
    clock.set(wall=NOON - timedelta(days=30), monotonic=0.0)

    assert ["paused"] == tried(log, ann)


def test_a_clock_that_is_set_forward_wins_a_few_tries_and_no_more(
    log: Store, address: str, clock: ManualClock
) -> None:
    """Whoever can move the clock ends each pause, and is refused for good all the same, restart or not."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    looked_at = 0
    for day in range(40):
        clock.set(wall=NOON + timedelta(days=day), monotonic=0.0)
        looked_at += tried(log, ann, 4).count(HASH)
    (kept,) = log.pins()
    log.close()
    with store(address, clock=clock, seed=2) as again:
        refused = tried(again, ann)
        again.set_pin(ann, "$argon2id$another")

        assert MOST_WRONG == looked_at
        assert kept.spent
        assert ["paused"] == refused
        assert ["$argon2id$another"] == tried(again, ann)


def test_who_is_right_at_last_may_be_wrong_as_often_again(log: Store, clock: ManualClock) -> None:
    """Only tries in a row count: who mistypes over the years never runs out of them."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    for day in range(2 * MOST_WRONG):
        clock.set(wall=NOON + timedelta(days=day), monotonic=0.0)
        tried(log, ann, 2)
        if day % 10 == 9:
            log.pin_fitted(ann)

    assert [HASH] == tried(log, ann)


def test_another_pin_begins_anew(log: Store) -> None:
    """Who was refused and gets another PIN is not refused any more."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    tried(log, ann, 3)
    log.set_pin(ann, "$argon2id$another")

    assert ["$argon2id$another"] == tried(log, ann)


def test_each_change_is_in_the_log(log: Store) -> None:
    """Who has a PIN since when can be told from the log; the PIN is nowhere in it."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    removed = log.remove_pin(ann), log.remove_pin(ann)
    said = [each for each in log.events() if each.type.startswith("pin_")]

    assert (True, False) == removed
    assert [("pin_set", ann), ("pin_removed", ann)] == [(each.type, each.event.subject) for each in said]  # type: ignore[union-attr]
    assert [] == log.pins()


def test_a_pin_is_gone_with_its_owner(log: Store) -> None:
    """Erased: nothing is left to be held against."""
    ann = enrol(log, "Ann")
    log.set_pin(ann, HASH)
    log.remove_subject(ann)

    assert [] == log.pins()
    assert [None] == tried(log, ann)
    with pytest.raises(UnknownSubjectError):
        log.set_pin(ann, HASH)


def test_whoever_is_merged_away_leaves_no_pin(log: Store) -> None:
    """The one who is kept keeps their own; the other's opens nothing any more."""
    ann, other = enrol(log, "Ann"), enrol(log, "Anne")
    log.set_pin(other, HASH)
    log.merge(ann, other)

    assert [] == log.pins()


def test_a_process_without_keys_sets_none(address: str, log: Store) -> None:
    """A PIN is never kept unsealed."""
    ann = enrol(log, "Ann")
    with store(address, sealed=False, seed=3) as other, pytest.raises(StoreError):
        other.set_pin(ann, HASH)


def test_a_keypad_is_of_one_lock_and_no_screen(log: Store) -> None:
    """Paired by a code once, known by its secret, and allowed to do nothing else."""
    code = log.keypad_code("by the door", "front")
    secret, keypad = log.pair_keypad(code)
    caller = log.recognise(secret)

    assert caller is not None
    assert ("keypad", Role.KEYPAD, frozenset({Permission.KEYPAD})) == (
        caller.kind,
        caller.role,
        caller.permissions,
    )
    assert "front" == log.keypad(caller.id).lock
    assert [] == log.screens()
    assert [keypad.id] == [each.id for each in log.keypads()]
    with pytest.raises(NotSignedInError):
        log.pair_keypad(code)


def test_a_screens_code_pairs_no_keypad_nor_the_other_way_round(log: Store) -> None:
    """Whoever may hang up a screen gets no keypad by it."""
    with pytest.raises(NotSignedInError):
        log.pair_keypad(log.screen_code("kitchen"))
    with pytest.raises(NotSignedInError):
        log.pair_screen(log.keypad_code("by the door", "front"))


def test_a_screens_secret_is_no_keypads(log: Store) -> None:
    """What one presents with the other's prefix is nobody's."""
    secret, _ = log.pair_keypad(log.keypad_code("by the door", "front"))
    screen, _ = log.pair_screen(log.screen_code("kitchen"))

    assert log.recognise(secret.replace("odk_", "odp_")) is None
    assert log.recognise(screen.replace("odp_", "odk_")) is None


def test_a_revoked_keypad_is_nobody(log: Store) -> None:
    """From then on; that it was revoked stands in the log once."""
    secret, keypad = log.pair_keypad(log.keypad_code("by the door", "front"))
    log.revoke_keypad(keypad.id)
    log.revoke_keypad(keypad.id)

    assert log.recognise(secret) is None
    assert ["keypad_paired", "keypad_revoked"] == [
        each.type for each in log.events() if each.type.startswith("keypad_")
    ]
    with pytest.raises(UnknownAccountError):
        log.revoke_screen(keypad.id)
