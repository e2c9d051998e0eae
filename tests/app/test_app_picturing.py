"""Pictures to the broker: the loop's newest frame, made small by the models process, and nothing kept."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from factories import stamp

from appliance.app.picturing import WIDTH_PX, Pictures
from appliance.errors import CameraLostError, WireError
from appliance.frames import FrameReader, FrameWriter
from appliance.services import Layout
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import FramesShared, RenderView, ViewRendered, WatchFrames


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Where the processes listen."""
    return Layout(tmp_path)


@pytest.fixture
def processes(layout: Layout) -> Iterator[list[RenderView]]:
    """A loop with one camera, and a models process that tells what is in a frame's first pixel."""
    asked: list[RenderView] = []
    writer = FrameWriter(64, 48)
    writer.open()
    writer.write(stamp(1), np.full((48, 64, 3), 7, np.uint8), b"{}")

    def watch(request: Request[WatchFrames]) -> Reply[FramesShared]:
        if request.message.camera != "entrance":
            raise CameraLostError("there is no such camera")
        return Reply(FramesShared(camera="entrance", width=64, height=48), fds=(writer.fd,))

    def render(request: Request[RenderView]) -> Reply[ViewRendered]:
        asked.append(request.message)
        reader = FrameReader(request.fds[0])
        reader.open()
        frame = reader.newest()
        reader.close()
        assert frame is not None
        told = ViewRendered(sequence=1, at=datetime(2026, 1, 5, tzinfo=UTC), width=64, height=48)
        return Reply(told, blob=b"JPEG %d" % frame.bgr[0, 0, 0])

    with (
        Server(layout.socket("loop"), {WatchFrames: watch}),
        Server(layout.socket("models"), {RenderView: render}),
    ):
        yield asked
    writer.close()


def test_a_picture_is_small_and_untouched(layout: Layout, processes: list[RenderView]) -> None:
    """Nothing is drawn on it: boxes and names are for who signs in."""
    jpeg = Pictures(layout, {"entrance": "t"}, 1.0).taken("entrance")

    assert b"JPEG 7" == jpeg
    assert [("device", WIDTH_PX)] == [(each.kind, each.width_px) for each in processes]


def test_pictures_are_published_while_there_is_a_broker_and_a_camera(
    layout: Layout, processes: list[RenderView]
) -> None:
    """A camera that is away holds up no other; without a connection nobody is asked for a picture."""
    stop, came = threading.Event(), threading.Event()
    offered: list[tuple[str, bytes]] = []
    rounds = iter([False, False, True])

    def offer(topic: str, jpeg: bytes, _: float) -> bool:
        offered.append((topic, jpeg))
        came.set()
        stop.set()
        return True

    pictures = Pictures(layout, {"gone": "t/gone", "entrance": "t/entrance"}, 0.01)
    pictures.run(lambda: next(rounds), offer, stop)

    assert came.is_set()
    assert [("t/entrance", b"JPEG 7")] == offered
    assert 1 == len(processes)


def test_without_the_loop_it_is_said_that_it_is_away(layout: Layout) -> None:
    """An ordinary state: the next round tries again."""
    with pytest.raises(WireError):
        Pictures(layout, {"entrance": "t"}, 1.0).taken("entrance")
