"""Named pipes: whole units or none, nobody waited for, nothing else opened."""

import contextlib
import os
import socket
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import ManualClock
from appliance.deeplens.fifos import FifoOutlet, make_fifo, open_fifo, remove_fifo
from appliance.deeplens.stream_units import Unit
from appliance.errors import InputError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAME = "ch1_out.h264"


def unit(number: int, size: int, *, key: bool) -> Unit:
    """A unit that tells where it begins and which it is."""
    head = b"K" if key else b"p"
    return Unit((head + b"%06d" % number).ljust(max(size, 8), b"."), key, NOW)


@contextlib.contextmanager
def piped(path: Path, monotonic: Callable[[], float] | None = None) -> Iterator[tuple[int, FifoOutlet]]:
    """The descriptor of a folder with a pipe, and who writes to it, looking for a reader at every call."""
    directory = os.open(path, os.O_RDONLY)
    looks = iter(range(10**9))
    outlet = FifoOutlet(directory, NAME, monotonic=monotonic or (lambda: float(next(looks)) * 0.25))
    make_fifo(directory, NAME, 0o640)
    try:
        yield directory, outlet
    finally:
        outlet.close()
        os.close(directory)


def everything(fd: int, limit: int = 1 << 30) -> bytes:
    """What the pipe has, at most so much."""
    parts = []
    with contextlib.suppress(BlockingIOError):
        while limit > 0 and (data := os.read(fd, min(limit, 1 << 16))):
            parts.append(data)
            limit -= len(data)
    return b"".join(parts)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(8, 400_000), st.booleans()),
        st.tuples(st.just("read"), st.integers(1, 600_000), st.just(value=False)),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_slow_reader_gets_whole_units_each_after_the_one_it_builds_on(
    steps: Sequence[tuple[str, int, bool]],
) -> None:
    """However it reads: no unit is cut, none is there without the one before it, the first is a key."""
    with TemporaryDirectory() as folder, piped(Path(folder)) as (_, outlet):
        reader = os.open(Path(folder) / NAME, os.O_RDONLY | os.O_NONBLOCK)
        assert outlet.is_read()
        units, taken, got = [], [], b""
        for what, size, key in steps:
            if what == "offer":
                units.append(unit(len(units), size, key=key))
                if outlet.offer(units[-1]):
                    taken.append(units[-1])
            else:
                got += everything(reader, size)
        while outlet.flush():
            got += everything(reader)
        got += everything(reader)
        os.close(reader)
    numbers = [units.index(each) for each in taken]

    assert b"".join(each.data for each in taken) == got
    assert all(each.key or units[at - 1] in taken for at, each in zip(numbers, taken, strict=True))
    assert outlet.dropped == len(units) - len(taken)


def test_without_a_reader_nothing_is_written_and_nobody_waits(tmp_path: Path) -> None:
    """A pipe that nobody reads costs a look now and then."""
    with piped(tmp_path) as (_, outlet):
        assert not outlet.is_read()
        assert not outlet.offer(unit(0, 10, key=True))


def test_the_next_reader_begins_with_a_key(tmp_path: Path) -> None:
    """What the one before left in the pipe is not his, and a unit that builds on another is no beginning."""
    with piped(tmp_path) as (_, outlet):
        first = os.open(tmp_path / NAME, os.O_RDONLY | os.O_NONBLOCK)
        assert outlet.is_read()
        outlet.offer(unit(0, 900_000, key=True))
        outlet.offer(unit(1, 900_000, key=False))
        os.close(first)
        assert not outlet.is_read()

        second = os.open(tmp_path / NAME, os.O_RDONLY | os.O_NONBLOCK)
        assert outlet.is_read()
        offered = [outlet.offer(unit(2, 20, key=False)), outlet.offer(unit(3, 20, key=True))]
        got = everything(second)
        os.close(second)

    assert [False, True] == offered
    assert unit(3, 20, key=True).data == got


def test_a_reader_that_goes_in_the_middle_of_a_unit_is_no_error(tmp_path: Path) -> None:
    """The rest of the unit is forgotten."""
    with piped(tmp_path) as (_, outlet):
        reader = os.open(tmp_path / NAME, os.O_RDONLY | os.O_NONBLOCK)
        assert outlet.is_read()
        assert outlet.offer(unit(0, 3_000_000, key=True))
        assert outlet.flush()
        os.close(reader)

        assert not outlet.flush()
        assert not outlet.is_read()


def test_nothing_is_made_for_a_reader_that_stands_still_until_it_reads_again(tmp_path: Path) -> None:
    """A pipe held open costs nobody an encoder: not read for two seconds, it is not read."""
    clock = ManualClock(NOW)
    with piped(tmp_path, clock.monotonic) as (_, outlet):
        reader = os.open(tmp_path / NAME, os.O_RDONLY | os.O_NONBLOCK)
        reads = [outlet.is_read()]
        outlet.offer(unit(0, 1_500_000, key=True))
        for seconds in (1.5, 1.0):
            clock.advance(seconds)
            reads.append(outlet.is_read())
        everything(reader)
        reads.append(outlet.is_read())
        taken = [outlet.offer(unit(8, 20, key=key)) for key in (False, True)]
        os.close(reader)

    assert [True, True, False, True] == reads
    assert [False, True] == taken


def _link(path: Path) -> None:
    os.mkfifo(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, _link, _socket])
def test_what_is_no_pipe_is_neither_opened_nor_made_over_nor_removed(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A file, a folder, a link or a socket of that name stays as it is, and is said to be there."""
    make(tmp_path / NAME)
    before = (tmp_path / NAME).lstat()
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(InputError, match="not a pipe"):
            make_fifo(directory, NAME, 0o640)
        with pytest.raises(InputError, match="not a pipe"):
            open_fifo(directory, NAME, os.O_WRONLY)
        remove_fifo(directory, NAME)
    finally:
        os.close(directory)
    after = (tmp_path / NAME).lstat()

    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a pipe to another account")
def test_a_pipe_of_another_account_is_not_ours(tmp_path: Path) -> None:
    """Somebody who made it first would read along: it is refused, and stays."""
    os.mkfifo(tmp_path / NAME)
    os.chown(tmp_path / NAME, 12345, -1)
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(InputError, match="another account"):
            make_fifo(directory, NAME, 0o640)
        remove_fifo(directory, NAME)
    finally:
        os.close(directory)

    assert (tmp_path / NAME).is_fifo()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_pipe_has_the_permissions_that_were_asked_for(tmp_path: Path, umask: int) -> None:
    """Whatever the umask, also one that we left there before with others; it goes when we do."""
    before = os.umask(umask)
    try:
        with piped(tmp_path) as (directory, _):
            (tmp_path / NAME).chmod(0o666)
            make_fifo(directory, NAME, 0o640)
            mode = stat.S_IMODE((tmp_path / NAME).stat().st_mode)
            remove_fifo(directory, NAME)
    finally:
        os.umask(before)

    assert 0o640 == mode
    assert not (tmp_path / NAME).exists()
