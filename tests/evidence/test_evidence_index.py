"""The index beside the captures: what it says is what is there, after every change and every crash."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from captures import NOW, like_sealed, make_shot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.evidence import Spool
from appliance.evidence.index import (
    HEADER,
    INDEX_NAME,
    CaptureIndex,
    IndexRow,
    came,
    parse_index,
    went,
    whole_index,
)
from appliance.evidence.spool_folder import SpoolFolder

MakeSpool = Callable[..., Spool]


def capture_id(number: int) -> str:
    """The id of the numbered capture."""
    return f"019b8d9e-5d80-7000-8000-{number:012x}"


def row(number: int) -> IndexRow:
    """What an index says of the numbered capture."""
    content = like_sealed(number)
    return IndexRow(capture_id(number), len(content), hashlib.sha256(content).hexdigest())


def put(folder: Path, number: int) -> str:
    """Write the numbered capture into a spool."""
    SpoolFolder(folder).write(capture_id(number), like_sealed(number), NOW)
    return capture_id(number)


def listed(folder: Path) -> dict[str, IndexRow]:
    """What the index of a folder says now."""
    return parse_index((folder / INDEX_NAME).read_bytes()).rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spool's folder, empty."""
    SpoolFolder(tmp_path / "spool").make()
    return tmp_path / "spool"


def test_the_index_says_what_the_spool_says(make_spool: MakeSpool, tmp_path: Path) -> None:
    """Size and hash of every capture, as the event has them; what was removed is not in it."""
    spool = make_spool()
    kept, gone = (spool.store([make_shot(n)], {}, NOW) for n in range(2))
    spool.remove(gone.id)

    assert {kept.id: IndexRow(kept.id, kept.size_bytes, kept.sha256)} == listed(tmp_path / "spool")


def test_what_expires_leaves_the_index(make_spool: MakeSpool, tmp_path: Path) -> None:
    """A sweep's deletions are in it at once."""
    spool = make_spool(expire_days=1)
    spool.store([make_shot(0)], {}, NOW - timedelta(days=3))
    kept = spool.store([make_shot(1)], {}, NOW)
    spool.expire(NOW)

    assert [kept.id] == list(listed(tmp_path / "spool"))


def test_the_index_says_nothing_about_anybody(make_spool: MakeSpool, tmp_path: Path) -> None:
    """Header, ids, sizes, hashes and checks: nothing of the metadata."""
    make_spool().store([make_shot(0)], {"door": "entrance", "camera": "lobby"}, NOW)
    words = (tmp_path / "spool" / INDEX_NAME).read_text("ascii").split()

    assert HEADER.split() == words[:2]
    assert [1, 36, 64, 8] == [len(words[2]), len(words[3]), len(words[5]), len(words[6])]
    assert 7 == len(words)


def test_an_index_that_was_lost_is_made_again(make_spool: MakeSpool, tmp_path: Path) -> None:
    """At the next start, from the files."""
    stored = [make_spool().store([make_shot(n)], {}, NOW + timedelta(seconds=n)) for n in range(3)]
    (tmp_path / "spool" / INDEX_NAME).unlink()
    make_spool().orphans(())

    assert {one.id: one.sha256 for one in stored} == {
        k: v.sha256 for k, v in listed(tmp_path / "spool").items()
    }


@pytest.mark.parametrize("cut", [1, 9, 60, 114])
def test_a_line_that_a_crash_cut_short_is_not_there_yet(folder: Path, cut: int) -> None:
    """A reader leaves it out, and what is written next is readable."""
    put(folder, 1)
    path = folder / INDEX_NAME
    path.write_bytes(path.read_bytes() + came(row(2))[:cut])
    before = parse_index(path.read_bytes())
    put(folder, 3)

    assert ([capture_id(1)], 0) == (list(before.rows), before.bad_lines)
    assert [capture_id(1), capture_id(3)] == list(listed(folder))


@given(flipped=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_damage_is_taken_for_another_capture(flipped: int, bit: int) -> None:
    """Whatever bit is turned: what is read is what was written, less the damaged lines."""
    rows = [row(n) for n in range(20)]
    content = bytearray(whole_index(rows))
    content[flipped % len(content)] ^= 1 << bit
    read = parse_index(bytes(content))

    assert set(read.rows.values()) <= set(rows)
    assert read.bad_lines or not read.is_whole
    assert len(read.rows) >= len(rows) - 2


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5))))
def test_reading_is_replaying(changes: list[tuple[bool, int]]) -> None:
    """Whatever came and went, in whatever order: what is there at the end is what came last."""
    there: set[str] = set()
    lines = HEADER.encode() + b"\n"
    for is_new, number in changes:
        lines += came(row(number)) if is_new else went(capture_id(number))
        there = there | {capture_id(number)} if is_new else there - {capture_id(number)}
    read = parse_index(lines)

    assert (there, 0, True) == (set(read.rows), read.bad_lines, read.is_whole)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_was_left_behind_is_mended(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any files, any lines, any rubbish between: after tending, index and folder agree."""
    folder = tmp_path_factory.mktemp("mend")
    files = data.draw(st.sets(st.integers(0, 6)))
    lines = data.draw(st.lists(st.sampled_from([*map(came, map(row, range(7))), b"rubbish\n", b"+ cut"])))
    for number in files:
        put(folder, number)
    (folder / INDEX_NAME).write_bytes(b"".join([HEADER.encode(), b"\n", *lines]))
    SpoolFolder(folder).tend()
    read = parse_index((folder / INDEX_NAME).read_bytes())

    assert {capture_id(n): row(n) for n in files} == read.rows
    assert (0, True) == (read.bad_lines, read.is_whole)


def test_what_is_past_does_not_pile_up(folder: Path) -> None:
    """Thousands of captures that came and went leave no more than a thousand lines behind."""
    spool, path = SpoolFolder(folder), folder / INDEX_NAME
    put(folder, 1)
    path.write_bytes(path.read_bytes() + b"".join(came(row(2)) + went(capture_id(2)) for _ in range(2000)))
    spool.tend()

    assert whole_index([row(1)]) == path.read_bytes()


def test_a_spool_from_before_there_was_an_index_is_read_in_parts(folder: Path) -> None:
    """One call hashes a bounded number of captures; the next ones go on."""
    spool = SpoolFolder(folder)
    for number in range(5):
        put(folder, number)
    (folder / INDEX_NAME).unlink()
    index = CaptureIndex(folder)
    there = [entry.id for entry in spool.list()]
    read = {capture_id(n): row(n) for n in range(5)}
    added = [index.tend(there, read.get, most=2) for _ in range(4)]

    assert [2, 2, 1, 0] == added
    assert read == listed(folder)


def test_what_is_damaged_is_not_listed_and_keeps_no_other(folder: Path) -> None:
    """Emptied by a disk, or never sealed: no line says it is there, though it comes before all others."""
    for number in range(5):
        put(folder, number)
    (folder / INDEX_NAME).unlink()
    for number, content in ((0, b""), (1, b"rubbish")):
        (folder / f"{capture_id(number)}.age").write_bytes(content)
    spool, index = SpoolFolder(folder), CaptureIndex(folder)
    good = {capture_id(n): row(n) for n in (2, 3, 4)}
    there = [entry.id for entry in spool.list()]
    sealed = [capture for capture in there if spool.is_sealed(capture)]
    added = [index.tend(there, good.get, most=2) for _ in range(3)]
    (folder / INDEX_NAME).unlink()
    spool.tend()

    assert sorted(good) == sorted(sealed)
    assert [2, 1, 0] == added
    assert good == listed(folder)


def test_what_went_while_it_was_read_does_not_come_back(folder: Path) -> None:
    """Another process removes a capture between our hashing it and our writing it down."""
    put(folder, 1)
    (folder / INDEX_NAME).unlink()

    def read(capture: str) -> IndexRow:
        SpoolFolder(folder).remove(capture)
        return row(1)

    CaptureIndex(folder).tend([capture_id(1)], read, most=10)
    CaptureIndex(folder).add(row(1))

    assert {} == listed(folder)


def test_writers_and_a_tender_at_once_lose_nothing(folder: Path) -> None:
    """Threads that store and remove while another rewrites the file again and again."""
    ended = threading.Event()

    def tend() -> None:
        while not ended.is_set():
            # A damaged line makes every call rewrite the file.
            with (folder / INDEX_NAME).open("ab") as file:
                file.write(b"rubbish\n")
            SpoolFolder(folder).tend()

    def store(first: int) -> None:
        for number in range(first, first + 40):
            put(folder, number)
            if number % 2:
                SpoolFolder(folder).remove(capture_id(number))

    tender = threading.Thread(target=tend)
    writers = [threading.Thread(target=store, args=(1000 * n,)) for n in range(3)]
    for thread in (tender, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    tender.join()
    SpoolFolder(folder)._index.tend([], lambda _: None, most=0)

    wanted = {capture_id(1000 * n + k) for n in range(3) for k in range(0, 40, 2)}
    assert wanted == set(listed(folder)) == {entry.id for entry in SpoolFolder(folder).list()}


def test_a_capture_is_stored_though_the_index_cannot_be(folder: Path) -> None:
    """A folder stands where the index should: the capture is safe, and listed once that is mended."""
    (folder / INDEX_NAME).mkdir()
    put(folder, 1)
    kept = [entry.id for entry in SpoolFolder(folder).list()]
    (folder / INDEX_NAME).rmdir()
    SpoolFolder(folder).tend()

    assert [capture_id(1)] == kept == list(listed(folder))


WRITING = """
import sys
from pathlib import Path
from appliance.evidence.spool_folder import SpoolFolder
from captures import NOW, like_sealed
spool, number = SpoolFolder(Path(sys.argv[1])), 0
while True:
    number += 1
    spool.write(f"019b8d9e-5d80-7000-8000-{number:012x}", like_sealed(number), NOW)
    if number % 3 == 0:
        spool.remove(f"019b8d9e-5d80-7000-8000-{number - 1:012x}")
    if number % 10 == 0:
        spool.tend()
    print(number, flush=True)
"""


@pytest.fixture
def writer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that stores, removes and tends until it is killed."""
    support = Path(__file__).parents[1] / "support"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITING, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(support), str(support.parents[1])])},
    )
    with process:
        yield process
        process.kill()


def test_after_kill_9_index_and_folder_agree(folder: Path, writer: subprocess.Popen[str]) -> None:
    """Killed in the middle; the next start mends what was left between file and line."""
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < 25:
        pass
    writer.kill()
    writer.wait()
    SpoolFolder(folder).drop_partials()
    SpoolFolder(folder).tend()
    there = {entry.id for entry in SpoolFolder(folder).list()}

    assert len(there) > 10
    assert there == set(listed(folder))
    assert all(
        hashlib.sha256((folder / f"{one.id}.age").read_bytes()).hexdigest() == one.sha256
        for one in listed(folder).values()
    )


def test_files_are_private(folder: Path) -> None:
    """Captures and index are the owner's alone, and the folder is closed."""
    put(folder, 1)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())]

    assert [0o700, 0o600, 0o600] == modes


def test_a_group_that_root_let_in_may_read_and_nobody_else(folder: Path) -> None:
    """`chmod 2750` by root is kept at a start; what comes later that group may read, others never."""
    folder.chmod(0o2755)
    SpoolFolder(folder).make()
    put(folder, 1)
    (folder / INDEX_NAME).write_bytes(b"rubbish\n")
    SpoolFolder(folder).tend()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())]

    assert [0o2750, 0o640, 0o640] == modes
