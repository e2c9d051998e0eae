"""The same inputs make the same log: ids, times, hashes, and nothing that is sealed in between."""

from datetime import timedelta
from pathlib import Path

from seals import ToySeal
from stores import AGREED, NOON, OPENED, SHUT, face, identified, on, store

from appliance.clock import ManualClock
from appliance.events import Personal
from appliance.store import NewEvent, Store, Subscription, sqlite_url
from appliance.vault import KeyFile, Vault


def replayed(folder: Path, *, subscriptions: tuple[Subscription, ...] = ()) -> Store:
    """A small day, under a real vault with keys of its own."""
    folder.mkdir()
    clock = ManualClock(NOON)
    vault = Vault(KeyFile(folder / "device.key"), folder).unlock(create=True)
    address = sqlite_url(folder / "store.sqlite3")
    day = store(address, seal=vault, clock=clock, subscriptions=subscriptions).open()
    ann = day.add_subject("Ann", consent=AGREED)
    day.add_reference(ann.id, face(), quality=50)
    clock.advance(1.5)
    day.append_all([NewEvent(OPENED), NewEvent(identified(ann.id))])
    day.append(SHUT, at=NOON + timedelta(seconds=9))
    return day


def test_a_replay_writes_the_same_log(tmp_path: Path) -> None:
    """Byte for byte, though every key and every nonce of the vault is another."""
    first, second = replayed(tmp_path / "a"), replayed(tmp_path / "b")

    assert first.events() == second.events()
    assert first.verify().head == second.verify().head
    assert first.head().public_key != second.head().public_key
    first.close()
    second.close()


def test_actions_do_not_change_the_log(tmp_path: Path) -> None:
    """A replay with other actions writes the same events under the same ids."""
    first = replayed(tmp_path / "a")
    second = replayed(tmp_path / "b", subscriptions=(on("door_opened"), on("door_shut", action="b")))

    assert first.verify().head == second.verify().head
    first.close()
    second.close()


def test_with_the_same_seal_what_is_personal_is_the_same_too(tmp_path: Path) -> None:
    """The chain covers what is stored; a seal that repeats itself makes a log that does."""
    heads = []
    for name in ("a", "b"):
        with store(sqlite_url(tmp_path / name), seal=ToySeal()) as log:
            ann = log.add_subject("Ann", consent=AGREED).id
            log.append(OPENED, personal=Personal(subject=ann, payload={"note": "x"}))
            heads.append(log.head())

    assert heads[0] == heads[1]
