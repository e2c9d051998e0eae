"""Streams as hosted functions have them: recorded for them, and shown at a place of the box."""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipe_readers import eventually, filmed

from appliance.app.function_surroundings import FunctionSurroundings, surroundings_in
from appliance.app.newest_project import NewestProject
from appliance.deeplens.function_beside import FunctionBeside
from appliance.deeplens.guest.messages import Stream
from appliance.deeplens.project import Project
from appliance.deeplens.project_stream import NAME
from appliance.deeplens.starting import Shown

PROJECT = Project(name="dog", thing="deeplens_1", deployed_at=datetime(2026, 3, 1, tzinfo=UTC))
FIRST, SECOND = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\1\0\0\0\xff\xda\0\2", b"\xff\xd9"


def picture(number: int) -> bytes:
    """What walks like a JPEG, another for each number."""
    return FIRST + b"%d" % number + SECOND


class Filmed:
    """Notes what was to be recorded; see `recorded_streams.Filming`."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []

    def begin(self, camera: str, stream: str, retention_hours: float) -> None:
        """Note it."""
        self.said.append((f"begin {retention_hours:g} h", camera, stream))

    def end(self, camera: str, stream: str) -> None:
        """Note it."""
        self.said.append(("end", camera, stream))


@contextlib.contextmanager
def surrounded(path: Path) -> Iterator[tuple[FunctionSurroundings, Filmed]]:
    """What functions before a camera are given."""
    filming = Filmed()
    with filmed() as camera, surroundings_in(
        Shown, lambda _camera: camera.source(), path / "out", filming
    ) as surroundings:  # fmt: skip
        yield surroundings, filming


def test_a_recording_ends_with_the_functions_run(tmp_path: Path) -> None:
    """Of the function's own camera, for the stream it named; whether it stops it itself or dies."""
    with surrounded(tmp_path) as (surroundings, filming):
        assert surroundings.out(PROJECT) == tmp_path / "out" / "dog"
        beside = surroundings.beside(PROJECT)
        beside.stream(Stream("create", "dog", 2.0))
        beside.stream(Stream("start", "dog", 2.0))
        beside.close()

    assert [("begin 2 h", "", "deeplens-dog"), ("end", "", "deeplens-dog")] == filming.said


def test_nothing_of_a_removed_function_is_left_beside_the_streams(tmp_path: Path) -> None:
    """Its pipes go with the folder they lay in; deployed anew it has them again."""
    with surrounded(tmp_path) as (surroundings, _):
        folder = surroundings.out(PROJECT)
        assert folder is not None
        surroundings.forget("dog")
        left = folder.exists()
        surroundings.out(PROJECT)

        assert not left
        assert 2 == len(list(folder.iterdir()))
    assert not folder.exists()


class _Writing:
    """A function with a project stream."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        os.mkfifo(folder / NAME)
        self.beside = FunctionBeside()
        self.beside.hello(os.open(folder, os.O_RDONLY))
        self.beside.working()
        self._pipe = os.open(folder / NAME, os.O_RDWR)

    def write(self, number: int) -> None:
        """A picture, once it was read."""
        before = self.beside.pictures
        os.write(self._pipe, picture(number))
        assert eventually(lambda: self.beside.pictures > before)

    def close(self) -> None:
        """The function has ended."""
        self.beside.close()
        os.close(self._pipe)


def test_the_box_shows_the_function_that_wrote_last(tmp_path: Path) -> None:
    """Numbers go on rising when another function is shown; one that has ended is shown no more."""
    one, other = _Writing(tmp_path / "one"), _Writing(tmp_path / "other")
    newest = NewestProject(lambda: {"one": one.beside, "other": other.beside})
    shown = [newest.latest(0, 0)]
    one.write(1)
    shown.append(newest.latest(0, 0))
    shown.append(newest.latest(1, 0))
    other.write(2)
    shown.append(newest.latest(1, 0))
    one.write(3)
    shown.append(newest.latest(1, 0))
    one.close()
    shown.append(newest.latest(2, 0))
    other.close()

    assert [
        None,
        (1, picture(1)),
        None,
        None,
        (2, picture(3)),
        (3, picture(2)),
    ] == shown
