"""The two streams at their places on the box, so that the lines of old play as typed."""

import contextlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pipe_readers import eventually, filmed, stopped

from appliance.deeplens.box_fifos import BoxStreams
from appliance.deeplens.device_stream import DeviceStream
from appliance.deeplens.jpeg_stream import JpegStream

VIDEO = "opt/awscam/out/ch1_out.h264"
PICTURES = "opt/awscam/out/ch2_out.mjpeg"
PROJECT = "tmp/results.mjpeg"
PICTURE = bytes(cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (480, 858, 3), np.uint8))[1])


def latest(after: int, _wait_s: float) -> tuple[int, bytes] | None:
    """A project stream that shows one picture."""
    return (1, PICTURE) if after < 1 else None


@contextlib.contextmanager
def boxed(root: Path) -> Iterator[BoxStreams]:
    """The pipes of a box with a camera, beneath a folder."""
    with filmed() as camera:
        device = DeviceStream(camera.source())
        device.open()
        box = BoxStreams(device, latest, root=root)
        box.open()
        try:
            yield box
        finally:
            box.close()
            device.close()


def test_the_pipes_are_there_for_whoever_may_see_the_camera_and_go_with_us(tmp_path: Path) -> None:
    """Not for every account, and nothing of ours stays; what was there before does."""
    (tmp_path / "tmp").mkdir(mode=0o777)
    with boxed(tmp_path) as box:
        found = [(tmp_path / name).stat() for name in (VIDEO, PICTURES, PROJECT)]
        troubles = box.troubles

    assert () == troubles
    assert [True] * 3 == [stat.S_ISFIFO(each.st_mode) for each in found]
    assert [0o640] * 3 == [stat.S_IMODE(each.st_mode) for each in found]
    assert [tmp_path / "tmp"] == list(tmp_path.rglob("*"))


def test_pipes_that_a_killed_box_left_are_taken_over(tmp_path: Path) -> None:
    """Nothing has to be cleaned up by hand."""
    with boxed(tmp_path), boxed(tmp_path) as again:
        assert () == again.troubles


def test_what_lies_at_a_place_stays_and_is_said(tmp_path: Path) -> None:
    """Somebody's file in /tmp, or a link in the way: the other pipes are made all the same."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / PROJECT).write_bytes(b"mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / "awscam").symlink_to(tmp_path / "elsewhere")
    with boxed(tmp_path) as box:
        troubles = box.troubles

    assert 3 == len(troubles)
    assert "results.mjpeg is a regular file, not a pipe" in troubles[2]
    assert b"mine" == (tmp_path / PROJECT).read_bytes()
    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_the_project_stream_shows_its_newest_picture_again_and_again(tmp_path: Path) -> None:
    """As the function's own loop did, so that a player that comes late has something to play."""
    seen = []
    with boxed(tmp_path):
        fd = os.open(tmp_path / PROJECT, os.O_RDONLY | os.O_NONBLOCK)
        found = JpegStream()

        def is_shown() -> bool:
            with contextlib.suppress(BlockingIOError):
                picture = found.feed(os.read(fd, 1 << 20))
                seen.extend([picture.data] if picture else [])
            return len(seen) >= 3

        assert eventually(is_shown)
        os.close(fd)

    assert {PICTURE} == set(seen)


@pytest.mark.debian(reason="mplayer")
@pytest.mark.parametrize(
    ("name", "options"), [(PROJECT, ["-lavfdopts", "format=mjpeg:probesize=32"]), (VIDEO, [])]
)
def test_the_lines_of_old_play(tmp_path: Path, name: str, options: list[str]) -> None:
    """As typed, but for where the pictures are shown: five of them, and the player ends content."""
    player = ["mplayer", "-nolirc", "-nosound", "-vo", "null", "-frames", "5", "-demuxer", "lavf", *options]
    with boxed(tmp_path), stopped(subprocess.Popen(
        [*player, str(tmp_path / name)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )) as playing:  # fmt: skip
        said = playing.communicate(timeout=60)[0].decode()

    assert 0 == playing.returncode
    assert "Starting playback" in said
    assert ("858x480" if name == PROJECT else "1920x1080") in said
