"""PINs and keypads: the same on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from stores import AGREED

from appliance.clock import ManualClock
from appliance.store import Store

MakeStore = Callable[..., Store]
HASH = "$argon2id$of-ann"


def test_a_pin_is_refused_after_wrong_ones_in_a_row(make_store: MakeStore, clock: ManualClock) -> None:
    """Counted, paused, one try more after the pause, forgotten when it fits, gone with its owner."""
    store = make_store()
    ann = store.add_subject("Ann", consent=AGREED).id
    store.set_pin(ann, HASH)
    first = [store.begin_pin_try(ann, attempts=2, pause_s=60.0).hash for _ in range(3)]
    clock.advance(60.0)
    later = [store.begin_pin_try(ann, attempts=2, pause_s=60.0).hash for _ in range(2)]
    clock.advance(60.0)
    store.begin_pin_try(ann, attempts=2, pause_s=60.0)
    store.pin_fitted(ann)

    assert [HASH, HASH, None] == first
    assert [HASH, None] == later
    assert [(0, None)] == [(each.wrong, each.paused_until) for each in store.pins()]
    store.remove_subject(ann)
    assert [] == store.pins()


def test_tries_at_once_are_all_counted(make_store: MakeStore) -> None:
    """From several processes together: no more are let through than from one."""
    stores = [make_store(seed=seed) for seed in range(4)]
    ann = stores[0].add_subject("Ann", consent=AGREED).id
    stores[0].set_pin(ann, HASH)
    together = threading.Barrier(4)

    def guess(number: int) -> int:
        together.wait()
        tries = [stores[number].begin_pin_try(ann, attempts=3, pause_s=600.0) for _ in range(3)]
        return sum(each.hash is not None for each in tries)

    with ThreadPoolExecutor(4) as pool:
        let_through = sum(pool.map(guess, range(4)))

    assert 3 == let_through


def test_a_keypad_is_paired_and_revoked(make_store: MakeStore) -> None:
    """Known by its secret until then; never among the screens."""
    store = make_store()
    secret, keypad = store.pair_keypad(store.keypad_code("Front", "front"))
    known = store.recognise(secret)
    store.revoke_keypad(keypad.id)

    assert known is not None
    assert ("front", "Front") == (keypad.lock, keypad.label)
    assert [] == store.screens()
    assert store.recognise(secret) is None
