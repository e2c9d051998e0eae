"""Reading what a function writes to its `/tmp/results.mjpeg`, with real FIFOs."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import pytest
from pipe_readers import eventually

from appliance.deeplens.project_stream import NAME, ProjectStream


def jpeg(level: int, size: tuple[int, int] = (480, 640)) -> bytes:
    """An even picture as a function encodes it."""
    return bytes(cv2.imencode(".jpg", np.full((*size, 3), level, np.uint8))[1])


def noisy(seed: int, size: tuple[int, int] = (480, 858)) -> bytes:
    """A picture larger than a pipe."""
    return bytes(cv2.imencode(".jpg", np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8))[1])


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    """A descriptor of a function's `/tmp`."""
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


class Writer:
    """The loop at the end of an AWS sample: the same JPEG again and again, errors swallowed."""

    def __init__(self, path: Path, picture: bytes) -> None:
        self.picture = picture
        self.written = 0
        self.errors = 0
        self._path = path
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            while not self._ended.is_set():
                try:
                    left = self.picture
                    while left:
                        left = left[file.write(left) :]
                    self.written += 1
                except BrokenPipeError:
                    self.errors += 1
                    time.sleep(0.01)

    def __enter__(self) -> Self:
        """Begin to write; waits for a reader."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; needs a reader as long as it writes, so that one is given."""
        self._ended.set()
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
            while self._thread.is_alive():
                with contextlib.suppress(BlockingIOError):
                    os.read(fd, 1 << 20)
                self._thread.join(0.005)
            os.close(fd)


def test_the_newest_picture_is_read_at_a_limited_rate(tmp_path: Path, directory: int) -> None:
    """A writer without a pause gets on at the reader's pace; the same picture again is no other."""
    path = tmp_path / NAME
    os.mkfifo(path)
    with Writer(path, jpeg(10)) as writer, ProjectStream(directory, per_second=10) as stream:
        stream.working()
        first = stream.latest(0, 20)
        begun, before = time.monotonic(), writer.written
        time.sleep(1.0)
        rate = (writer.written - before) / (time.monotonic() - begun)
        same = stream.latest(1, 0.0)
        writer.picture = jpeg(200)
        second = stream.latest(1, 20)
        status = stream.status

    assert (1, jpeg(10)) == first
    assert same is None
    assert (2, jpeg(200)) == second
    assert rate < 10 * 64 * 1024 / len(jpeg(10))
    assert (True, "", 2, 0, 640, 480) == (
        status.attached, status.refused, status.pictures, status.broken, status.width, status.height
    )  # fmt: skip


def test_pictures_larger_than_a_pipe_come_whole(tmp_path: Path, directory: int) -> None:
    """A full-size picture takes many reads, and all of them in one round."""
    path = tmp_path / NAME
    os.mkfifo(path)
    large = noisy(1, (1520, 2688))
    with Writer(path, large), ProjectStream(directory) as stream:
        stream.working()

        assert (1, large) == stream.latest(0, 20)
        assert stream.status.broken == 0


def test_nobody_reads_before_the_function_has_a_picture(tmp_path: Path, directory: int) -> None:
    """Although its FIFO is there: a writer whose picture is still `None` would die of it."""
    path = tmp_path / NAME
    os.mkfifo(path)
    with ProjectStream(directory, late_s=1000) as stream:
        time.sleep(0.6)
        early = stream.status.attached
        stream.working()

        assert not early
        assert eventually(lambda: stream.status.attached)


def test_a_function_that_takes_no_frames_is_read_after_a_while(tmp_path: Path, directory: int) -> None:
    """Counted from when its FIFO is there, so that loading a large model does not count."""
    with ProjectStream(directory, late_s=0.3) as stream:
        time.sleep(0.5)
        os.mkfifo(tmp_path / NAME)
        with Writer(tmp_path / NAME, jpeg(10)):
            assert (1, jpeg(10)) == stream.latest(0, 20)


def test_a_fifo_made_anew_is_read_and_its_old_writer_does_not_spin(tmp_path: Path, directory: int) -> None:
    """A function that removes its FIFO and makes another is followed; the old writer waits, unharmed."""
    path = tmp_path / NAME
    os.mkfifo(path)
    with Writer(path, jpeg(10)) as old, ProjectStream(directory) as stream:
        stream.working()
        assert stream.latest(0, 20) is not None
        aside = path.rename(tmp_path / "old")
        old._path = aside
        os.mkfifo(path)
        with Writer(path, jpeg(90)):
            assert (2, jpeg(90)) == stream.latest(1, 20)
            time.sleep(0.3)

            assert old.errors == 0


def test_a_writer_that_comes_back_is_read_again(tmp_path: Path, directory: int) -> None:
    """The reader stays when a writer goes."""
    path = tmp_path / NAME
    os.mkfifo(path)
    with ProjectStream(directory) as stream:
        stream.working()
        with Writer(path, jpeg(10)):
            assert stream.latest(0, 20) is not None
        with Writer(path, jpeg(90)):
            assert (2, jpeg(90)) == stream.latest(1, 20)


def test_two_writers_at_once_give_whole_pictures_of_both(tmp_path: Path, directory: int) -> None:
    """A function that re-armed itself has two threads at the FIFO, whose pictures get mixed up."""
    path = tmp_path / NAME
    os.mkfifo(path)
    one, other = noisy(1), noisy(2)
    seen: set[bytes] = set()
    with Writer(path, one), Writer(path, other), ProjectStream(directory, per_second=60) as stream:
        stream.working()
        after = 0

        def both() -> bool:
            nonlocal after
            newest = stream.latest(after, 1)
            if newest:
                after = newest[0]
                seen.add(newest[1])
            return {one, other} <= seen

        assert eventually(both)


def test_noise_gives_no_picture_and_does_not_end_the_reader(tmp_path: Path, directory: int) -> None:
    """What is not a picture is skipped, however much of it comes."""
    path = tmp_path / NAME
    os.mkfifo(path)
    noise = np.random.default_rng(1).bytes(1 << 20)
    with Writer(path, noise) as writer, ProjectStream(directory) as stream:
        stream.working()
        assert eventually(lambda: writer.written > 3)
        assert stream.latest() is None
        writer.picture = jpeg(10)

        assert (1, jpeg(10)) == stream.latest(0, 20)


def test_raw_pixels_between_pictures_do_not_keep_them_back(tmp_path: Path, directory: int) -> None:
    """A function that writes a frame as it is and one as a JPEG in turn is read as fast as it writes them."""
    path = tmp_path / NAME
    os.mkfifo(path)
    raw = bytes(3 << 20)
    with Writer(path, raw + jpeg(10)) as writer, ProjectStream(directory, per_second=2) as stream:
        stream.working()
        assert stream.latest(0, 20) == (1, jpeg(10))
        writer.picture = raw + jpeg(200)
        begun = time.monotonic()

        assert stream.latest(1, 20) == (2, jpeg(200))
        # A pipe of 64 KiB, twice a second, would take 24 s for each.
        assert time.monotonic() - begun < 20


def _file(path: Path) -> None:
    path.write_bytes(jpeg(1))


def _link(path: Path) -> None:
    target = path.with_name("secret")
    os.mkfifo(target)
    path.symlink_to(target)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [(_file, "a regular file"), (_link, "a symbolic link"), (_socket, "a socket"), (Path.mkdir, "a folder")],
)
def test_what_is_no_fifo_is_refused_and_said(
    tmp_path: Path, directory: int, make: Callable[[Path], None], words: str
) -> None:
    """Nothing but a FIFO is opened, and never through a link; one made in its place is read."""
    path = tmp_path / NAME
    make(path)
    with ProjectStream(directory) as stream:
        stream.working()
        assert eventually(lambda: stream.status.refused == f"results.mjpeg is {words}, not a pipe")
        assert not stream.status.attached
        path.rename(tmp_path / "aside")
        os.mkfifo(path)

        assert eventually(lambda: stream.status.attached and not stream.status.refused)


def test_waiting_for_a_picture_ends_when_the_stream_does(directory: int) -> None:
    """Whoever waits for a picture of a function that is stopped is let go."""
    stream = ProjectStream(directory)
    stream.open()
    got: list[object] = ["nothing yet"]
    waiting = threading.Thread(target=lambda: got.append(stream.latest(0, 60)))
    waiting.start()
    stream.close()
    waiting.join(20)

    assert ["nothing yet", None] == got
