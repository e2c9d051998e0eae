"""What survives: kill -9, a full disk, a lock that is not let go, a damaged file."""

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from stores import AGREED, NOON, OPENED, SHUT, face, on, store
from structlog.testing import capture_logs

import appliance
from appliance.errors import StoreError, StoreFullError
from appliance.store import SEGMENT, NewEvent, sqlite_url

SUPPORT = Path(__file__).parents[1] / "support"
PATH = os.pathsep.join([str(Path(appliance.__file__).parents[1]), str(SUPPORT)])
KILLS = 20


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(address: str) -> None:
    """Killed twenty times at random moments: every acknowledged event is there, once, in its place."""
    store(address).open().close()
    chance = random.Random(20)
    promised: dict[int, str] = {}
    for run in range(KILLS):
        with subprocess.Popen(
            [sys.executable, SUPPORT / "appender.py", address, "box", f"boot{run}", "100000"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": PATH},
        ) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline()]  # it has begun: from here on, any moment will do
            time.sleep(chance.uniform(0, 0.06))
            child.kill()
            lines += child.stdout.readlines()
        whole = [line.split() for line in lines if line.endswith("\n")]
        promised |= {int(position): digest for position, digest in whole}

    with store(address) as log:
        kept = {event.position: event.hash for event in log.events(limit=1_000_000)}
        assert len(kept) == log.verify().last
        assert promised == {position: kept.get(position) for position in promised}
        assert len(promised) >= KILLS
        assert len(kept) == len(log.outbox(limit=1_000_000))
        assert len(kept) + 1 == log.append(SHUT).position


def test_a_full_database_keeps_what_it_had(address: str) -> None:
    """StoreFullError, nothing half-written; with space again it goes on."""
    log = store(address, subscriptions=[on("door_opened")]).open()
    log.append(OPENED)

    def full(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=1").close()  # SQLite makes of it the present size

    def spacious(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=100000").close()

    event.listen(log._engine, "checkout", full)
    with pytest.raises(StoreFullError, match="nothing was written") as caught:
        log.append_all([NewEvent(OPENED)] * 500)
    event.remove(log._engine, "checkout", full)
    event.listen(log._engine, "checkout", spacious)

    assert "free some space" in caught.value.hint
    assert (1, 1) == (log.verify().last, len(log.outbox()))
    assert 501 == log.append_all([NewEvent(OPENED)] * 500)[-1].position
    log.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk of two megabytes, which takes root")
def test_a_full_disk_keeps_what_it_had(tmp_path: Path) -> None:
    """The same on a real file system without a byte left."""
    program = (
        "from stores import *\n"
        "from appliance.errors import StoreFullError\n"
        f"log = store({sqlite_url(tmp_path / 'store.sqlite3')!r}).open()\n"
        "kept = 0\n"
        "try:\n"
        "    while True:\n"
        "        kept = log.append(OPENED).position\n"
        "except StoreFullError:\n"
        "    print(kept, log.verify().last, len(log.events()))\n"
    )
    script = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" -c "$3"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", tmp_path, sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": PATH},
    )
    kept, verified, listed = done.stdout.split() or pytest.skip(f"no mount here: {done.stderr}")

    assert int(kept) > 10
    assert [kept, kept] == [verified, listed]


def test_a_lock_that_is_not_let_go_is_an_error(address: str, tmp_path: Path) -> None:
    """After its patience the append gives up, says why, and works again once the lock is gone."""
    log = store(address, patience_s=0.1).open()
    with closing(sqlite3.connect(tmp_path / "store.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by somebody else"):
            log.append(OPENED)
        assert [] == log.events()  # reading goes on
        other.execute("ROLLBACK")

    assert 1 == log.append(OPENED).position
    log.close()


def test_a_file_that_is_no_database_is_said(address: str, tmp_path: Path) -> None:
    """One error of ours, with a way out; the file is left as it is."""
    path = tmp_path / "store.sqlite3"
    path.write_bytes(b"holiday pictures" * 100)
    with pytest.raises(StoreError, match="not a database") as caught:
        store(address).open()

    assert "backup" in caught.value.hint
    assert b"holiday pictures" * 100 == path.read_bytes()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The store makes no folders."""
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        store(sqlite_url(tmp_path / "nowhere" / "store.sqlite3")).open()

    assert "state directory" in caught.value.hint
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("mysql://admin:secret@host/db", "cannot use mysql"),
        ("admin:secret", "not the address"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://admin:secret@127.0.0.1:1/db", "cannot be reached"),
    ],
)
def test_an_address_that_cannot_be_is_said_without_its_password(wrong: str, why: str) -> None:
    """Another database, nonsense, memory, nobody there: ours, and no secret in it."""
    with pytest.raises(StoreError, match=why) as caught:
        store(wrong, patience_s=0.5).open()

    assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_the_files_are_private(address: str, tmp_path: Path) -> None:
    """The database and its write-ahead log are for the appliance's account only."""
    previous = os.umask(0)
    try:
        with store(address) as log:
            log.append(OPENED)
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(previous)

    assert {f"store.sqlite3{end}": 0o600 for end in ("", "-wal", "-shm")} == modes


def test_a_destroyed_key_is_on_no_page(address: str, tmp_path: Path) -> None:
    """After removing somebody, neither database nor write-ahead log holds what opened them."""
    people = store(address).open()
    ann = people.add_subject("Ann", consent=AGREED).id
    people.add_reference(ann, face(), quality=50)
    with people._engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT wrapped_key, sealed_profile, sealed_embedding FROM subjects, templates LIMIT 1"
        ).one()

    def on_disk(secret: bytes) -> bool:
        return any(secret in path.read_bytes() for path in tmp_path.iterdir())

    assert [True] * 3 == [on_disk(secret) for secret in row]
    people.remove_subject(ann)
    assert [False] * 3 == [on_disk(secret) for secret in row]
    people.close()


def test_what_was_erased_leaves_the_write_ahead_log_as_soon_as_it_can(address: str, tmp_path: Path) -> None:
    """Somebody who reads for a while is waited for; the destroyed key is in neither file."""
    with store(address) as people:
        ann = people.add_subject("Ann", consent=AGREED).id
        key = keys(address)[0]
        with reader(address) as let_go:
            late = threading.Timer(0.4, let_go)
            late.start()
            try:
                assert people.remove_subject(ann)
            finally:
                late.join()

        assert 0 == wal(address).stat().st_size
        assert key not in database(address).read_bytes()


def test_what_cannot_be_emptied_is_said_and_tried_again_on_closing(address: str) -> None:
    """A reader who stays: whoever erased is told that the key is still there, and closing tries again."""
    people = store(address, patience_s=0.2).open()
    ann = people.add_subject("Ann", consent=AGREED).id
    key = keys(address)[0]
    with reader(address) as let_go:
        with capture_logs() as said:
            assert not people.remove_subject(ann)
        assert ["erased_data_still_in_write_ahead_log"] == [line["event"] for line in said]
        assert key in wal(address).read_bytes()
        let_go()
        people.close()
        assert 0 == wal(address).stat().st_size


def database(address: str) -> Path:
    """The file of a SQLite database."""
    return Path(address.removeprefix("sqlite:///"))


def wal(address: str) -> Path:
    """Its write-ahead log."""
    return Path(f"{database(address)}-wal")


def keys(address: str) -> list[bytes]:
    """Everybody's key as it rests."""
    with closing(sqlite3.connect(database(address))) as connection:
        return [row[0] for row in connection.execute("SELECT wrapped_key FROM subjects")]


@contextmanager
def reader(address: str) -> Iterator[Callable[[], object]]:
    """Somebody in the middle of reading; calling it ends the reading, not the connection."""
    with closing(
        sqlite3.connect(database(address), isolation_level=None, check_same_thread=False)
    ) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM subjects").fetchone()
        yield connection.rollback


def prune_and_die(address: str, statement: int) -> None:
    """Prune, and be killed before the statement of that number; from 0."""
    many = 0
    with store(address) as log:

        def count(*_: Any) -> None:
            nonlocal many
            if many == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            many += 1

        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)
        log.prune_events(before=NOON + timedelta(days=1), max_bytes=None)


def test_killed_while_pruning_the_events_are_there_or_the_log_says_they_went(
    address: str, tmp_path: Path
) -> None:
    """Before any statement of it, and before its commit: the chain verifies, and the next one goes on."""
    with store(address) as log:
        log.append_all([NewEvent(OPENED)] * (SEGMENT + 1))
        log.prune_events(before=NOON + timedelta(days=1), max_bytes=None)
        log.append_all([NewEvent(OPENED)] * SEGMENT)
    killed, found = 0, set()
    while True:
        each = tmp_path / f"{killed}.db"
        shutil.copy(address.removeprefix("sqlite:///"), each)
        child = multiprocessing.get_context("fork").Process(
            target=prune_and_die, args=(sqlite_url(each), killed)
        )
        child.start()
        child.join(30)
        if child.exitcode == 0:
            break
        assert -signal.SIGKILL == child.exitcode
        killed += 1
        with store(sqlite_url(each)) as log:
            found.add(log.verify().first)
            log.prune_events(before=NOON + timedelta(days=1), max_bytes=None)
            assert 2 * SEGMENT + 1 == log.verify().first

    assert killed > 10
    assert {SEGMENT + 1} <= found <= {SEGMENT + 1, 2 * SEGMENT + 1}
