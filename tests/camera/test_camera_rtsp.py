"""RTSP against a real server: GStreamer's, run by Debian's own Python."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice, pairwise
from pathlib import Path

import camera_rtsp
import pytest
from camera_clips import MIDDLE, number_of, write_clip
from camera_sources import settings_for

from appliance.camera import Camera, PacketRing, open_source
from appliance.clock import SystemClock
from appliance.errors import CameraRefusedError
from appliance.events import CameraChanged

pytestmark = [
    pytest.mark.debian,
    pytest.mark.skipif(
        not camera_rtsp.available(),
        reason="needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good and -bad",
    ),
]

Serve = Callable[..., tuple[str, subprocess.Popen[str]]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server; gives its address and process."""
    clip = write_clip(tmp_path / "clip.mp4", frames=40, options={"g": "5", "bf": "0"})
    with ExitStack() as stack:

        def start(password: str = "") -> tuple[str, subprocess.Popen[str]]:
            server = camera_rtsp.start(clip, password)
            stack.callback(server.wait)
            stack.callback(server.kill)
            return f"127.0.0.1:{camera_rtsp.port_of(server)}", server

        yield start


def test_h264_over_rtsp_gives_frames_and_packets(serve: Serve) -> None:
    """Pictures come in order, with the stream's own time, and the ring holds what a decoder can start on."""
    address, _ = serve()
    source = open_source(settings_for(f"rtsp://{address}/clip", stall_s=5), SystemClock())
    ring = PacketRing(30, 1 << 22)
    source.open(ring.append)
    shots = [shot for shot in (source.read() for _ in range(11)) if shot is not None]
    source.close()
    shots = shots[1:]  # this server may send a file's first picture twice
    numbers = [number_of(shot.picture.gray(MIDDLE)) for shot in shots]
    times = [shot.media_s or 0.0 for shot in shots]
    steps = [b - a for a, b in pairwise(times)]
    kept = ring.snapshot()

    assert [(numbers[0] + i) % 16 for i in range(10)] == numbers
    assert all(step == pytest.approx(0.1, abs=0.01) for step in steps)
    assert kept[0].keyframe
    assert "h264" == kept[0].parameters.codec


def test_motion_jpeg_over_rtsp_is_not_decoded_before_it_is_looked_at(serve: Serve) -> None:
    """A camera that sends JPEG by RTP gives JPEG pictures, which the ring keeps as they are."""
    address, _ = serve()
    source = open_source(settings_for(f"rtsp://{address}/jpeg", stall_s=5), SystemClock())
    ring = PacketRing(30, 1 << 22)
    source.open(ring.append)
    shots = [shot for shot in (source.read() for _ in range(5)) if shot is not None]
    source.close()

    assert "JpegPicture" == type(shots[0].picture).__name__
    assert all(shot.picture.bgr().min() > 180 for shot in shots)
    assert {"mjpeg"} == {packet.parameters.codec for packet in ring.snapshot()}


def test_the_right_password_opens_and_a_wrong_one_is_refused(serve: Serve) -> None:
    """A wrong password is said at once, without showing it; the right one gives pictures."""
    address, _ = serve("sesame")
    right = open_source(settings_for(f"rtsp://watcher:sesame@{address}/jpeg", stall_s=5), SystemClock())
    wrong = open_source(settings_for(f"rtsp://watcher:guesswork@{address}/jpeg", stall_s=5), SystemClock())
    right.open()
    shot = right.read()
    right.close()

    with pytest.raises(CameraRefusedError) as caught:
        wrong.open()

    assert shot is not None
    assert "guesswork" not in str(caught.value) + caught.value.hint


def test_a_killed_server_is_an_outage(serve: Serve) -> None:
    """The camera is lost when its server dies, and says so once."""
    address, server = serve()
    changes: list[CameraChanged] = []
    stop = threading.Event()
    settings = settings_for(f"rtsp://{address}/jpeg", stall_s=3, reconnect_max_s=1, fps=25)
    camera = Camera(settings, SystemClock(), on_change=changes.append)
    iterator = camera.frames(stop)
    before = len(list(islice(iterator, 5)))
    server.kill()
    threading.Timer(3, stop.set).start()
    list(iterator)

    assert 5 == before
    assert ["camera_lost"] == [change.type for change in changes]
    assert camera.statistics.reconnects == 0
