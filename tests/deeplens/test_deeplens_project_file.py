"""`open` of the project stream: JPEGs go through however the function opened it, and nothing else changes."""

import builtins
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.deeplens.guest.project_file import RESULTS, making, opening

JPEG = b"\xff\xd8\x00\x80\xfe\xff\xd9"


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A FIFO."""
    path = tmp_path / "results.mjpeg"
    os.mkfifo(path)
    return path


@pytest.fixture
def opened(fifo: Path) -> Callable[..., Any]:
    """An `open` whose project stream is that FIFO."""
    return opening(builtins.open, lambda _, flags: os.open(fifo, flags, 0o600))


def reading(fifo: Path) -> int:
    """A descriptor that reads from it without waiting for a writer."""
    return os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)


@pytest.mark.parametrize("mode", ["w", "wb", "a", "ab", "wt", "w+", "wb+"])
@pytest.mark.parametrize("data", [JPEG, bytearray(JPEG), memoryview(JPEG), JPEG.decode("latin-1")])
def test_bytes_and_text_are_written_as_the_bytes_they_are(
    fifo: Path, opened: Callable[..., Any], mode: str, data: Any
) -> None:
    """Text mode of Python 2 or binary: every byte arrives, at once and unchanged."""
    reader = reading(fifo)
    with opened(RESULTS, mode) as file:
        count = file.write(data)
        arrived = os.read(reader, 100)
    os.close(reader)

    assert (len(JPEG), JPEG) == (count, arrived)


@pytest.mark.parametrize(
    "path", [RESULTS, RESULTS.encode(), Path(RESULTS), "/tmp/./results.mjpeg", "//tmp/results.mjpeg"]
)
def test_the_path_is_recognised_however_it_is_written(
    fifo: Path, opened: Callable[..., Any], path: Any
) -> None:
    """As text, bytes or path object, with dots and doubled strokes."""
    reader = reading(fifo)
    with opened(path, "w") as file:
        file.writelines([JPEG, "more"])
        file.flush()
    arrived = os.read(reader, 100)
    os.close(reader)

    assert JPEG + b"more" == arrived


def test_a_picture_larger_than_a_pipe_is_written_whole(fifo: Path, opened: Callable[..., Any]) -> None:
    """A JPEG of a full frame is many times what a pipe holds."""
    picture = os.urandom(1_000_000)
    got = bytearray()

    def read() -> None:
        with fifo.open("rb") as file:
            while block := file.read(65536):
                got.extend(block)

    thread = threading.Thread(target=read)
    thread.start()
    with opened(RESULTS, "w") as file:
        file.write(picture)
    thread.join()

    assert picture == bytes(got)


def test_a_reader_that_left_is_an_error_that_templates_swallow(
    fifo: Path, opened: Callable[..., Any]
) -> None:
    """`except IOError: continue`, which takes no core; when somebody reads again, pictures come again."""
    reader = reading(fifo)
    file = opened(RESULTS, "w")
    os.close(reader)
    began = time.monotonic()
    with pytest.raises(IOError, match="Broken pipe"):
        file.write(JPEG)
    waited = time.monotonic() - began
    reader = reading(fifo)
    file.write(JPEG)
    arrived = os.read(reader, 100)
    file.close()
    os.close(reader)

    assert JPEG == arrived
    assert waited >= 0.04


def test_every_other_file_is_opened_as_ever(tmp_path: Path) -> None:
    """Text stays text, bytes bytes, descriptors descriptors, and text still refuses bytes."""
    opened = opening(builtins.open)
    path = tmp_path / "results.mjpeg"
    with opened(path, "w", encoding="utf-8") as file, pytest.raises(TypeError):
        file.write(JPEG)
    with opened(path, "wb") as file:
        file.write(JPEG)
    with opened(os.open(path, os.O_RDONLY), mode="rb") as file:
        content = file.read()

    assert JPEG == content


def test_a_fifo_that_another_thread_made_first_is_no_error(tmp_path: Path) -> None:
    """Two writers of one function both want to make it; for other files it stays an error."""

    def taken(path: Any) -> None:
        raise FileExistsError(path)

    makes = making(taken)
    makes(RESULTS)

    with pytest.raises(FileExistsError):
        makes(tmp_path / "other")
