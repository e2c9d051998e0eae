"""`appliance view`: the newest frame of a running loop, as another process gets it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import frame
from PIL import Image

from appliance.app.viewing import Showcase
from appliance.services import Layout
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import Status, StatusRequest


@pytest.fixture
def running(box: Any) -> Iterator[Any]:
    """The box with a loop that shows a gray frame over and over, in which Ann and a stranger were seen."""
    showcase, over = Showcase(), threading.Event()
    shown = showcase.camera("entrance")
    seen = {
        "faces": [
            {"box": [10, 10, 60, 80], "score": 0.42, "subject": box.subject, "stranger": False},
            {"box": [200, 20, 60, 80], "score": None, "subject": None, "stranger": True},
            {"box": [100, 90, 60, 80], "score": None, "subject": None, "stranger": False},
        ],
        "doors": {"main": {"state": "open", "fraction": 0.25}},
    }

    def status(request: Request[StatusRequest]) -> Reply[Status]:
        del request
        return Reply(Status(process="loop", pid=1, uptime_s=1.0, details={"cameras": {"entrance": {}}}))

    def film() -> None:
        sequence = 0
        while not over.wait(0.01):
            shown.show(frame(sequence), lambda: seen)
            sequence += 1

    thread = threading.Thread(target=film)
    thread.start()
    with Server(Layout(box.state).socket("loop"), {StatusRequest: status, **showcase.handlers()}):
        yield box
    over.set()
    thread.join()


def test_the_newest_frame_becomes_a_jpeg(running: Any, tmp_path: Path) -> None:
    """Of the first camera unless another is named, raw, in the frame's own size."""
    done = running.call("view", "--out", tmp_path / "frame.jpg")
    named = running.call("view", "--out", tmp_path / "named.jpg", "--camera", "entrance")
    with Image.open(tmp_path / "frame.jpg") as picture:
        values = np.asarray(picture)

    assert (0, "", 0) == (done.code, done.err, named.code)
    assert "of entrance" in done.out
    assert ("JPEG", (320, 180)) == (picture.format, picture.size)
    assert (128, 128) == (values.min(), values.max())


def test_what_was_seen_is_drawn_on_a_copy_only_if_asked_for(running: Any, tmp_path: Path) -> None:
    """Boxes and words change the picture; no name is printed to the terminal."""
    done = running.call("view", "--out", tmp_path / "seen.jpg", "--annotated")
    with Image.open(tmp_path / "seen.jpg") as picture:
        values = np.asarray(picture)

    assert (0, "") == (done.code, done.err)
    assert values.max() - values.min() > 50
    assert "Ann" not in done.out


def test_a_place_that_cannot_be_written_is_one_sentence(running: Any, tmp_path: Path) -> None:
    """A folder that is not there; a name that is no JPEG's."""
    nowhere = running.call("view", "--out", tmp_path / "none" / "frame.jpg")
    other = running.call("view", "--out", tmp_path / "frame.png")

    assert (3, f"{tmp_path / 'frame.png'} is not named .jpg") == other.refusal
    assert 3 == nowhere.refusal[0]
    assert str(tmp_path / "none" / "frame.jpg") in nowhere.errors[0]


def test_a_camera_that_is_not_there(running: Any, tmp_path: Path) -> None:
    """Told with those that are."""
    done = running.call("view", "--out", tmp_path / "frame.jpg", "--camera", "yard")

    assert (4, "there is no camera 'yard'") == done.refusal
    assert ["there are: entrance"] == done.hints


def test_without_a_running_appliance(box: Any, tmp_path: Path) -> None:
    """What to do about it, and no file."""
    done = box.call("view", "--out", tmp_path / "frame.jpg")

    assert (9, "the appliance does not run") == done.refusal
    assert ["start it with: appliance run"] == done.hints
    assert not (tmp_path / "frame.jpg").exists()
