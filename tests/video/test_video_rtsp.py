"""A camera over RTSP, for real, cut into fragments as the service takes them."""

from collections.abc import Iterator
from pathlib import Path

import camera_rtsp
import pytest
from camera_clips import write_clip
from camera_sources import settings_for
from coded_video import decoded_numbers, from_ring, made

from appliance.camera import PacketRing, open_source
from appliance.clock import SystemClock
from appliance.video import matroska
from appliance.video.cutting import Cutter
from appliance.video.fragment import MIN_FRAGMENT_MS
from appliance.video.matroska_events import Fault, FragmentEnded, Remark
from appliance.video.strict_matroska import StrictChecker
from appliance.video.timeline import Timeline

pytestmark = [
    pytest.mark.debian,
    pytest.mark.skipif(
        not camera_rtsp.available(),
        reason="needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good and -bad",
    ),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a camera with a keyframe every half second, two B-frames in a row, ten pictures a second."""
    clip = write_clip(tmp_path / "clip.mp4", frames=40, options={"g": "5", "bf": "2"})
    server = camera_rtsp.start(clip, "")
    try:
        yield f"rtsp://127.0.0.1:{camera_rtsp.port_of(server)}/clip"
    finally:
        server.kill()
        server.wait()


def test_rtsp_becomes_fragments_that_the_service_takes(address: str) -> None:
    """Whatever libav makes of timestamps and headers: an IDR first, a second long, strictly checked."""
    source = open_source(settings_for(address, stall_s=5), SystemClock())
    ring = PacketRing(60, 1 << 22)
    source.open(ring.append)
    while len(ring) < 25:
        source.read()
    source.close()
    packets = list(from_ring(ring.snapshot()))
    fragments, faults = made(Cutter(Timeline()), packets)
    checker = StrictChecker()
    body = matroska.stream_header(fragments[0].track, segment_uid=bytes(range(16)))
    body += b"".join(matroska.stream_fragment(each) for each in fragments)
    events = [*checker.feed(body), *checker.close()]
    numbers = decoded_numbers(fragments)

    assert [] == faults
    assert len(packets) == sum(len(each.frames) for each in fragments) == len(numbers)
    assert [(numbers[1] + n) % 16 for n in range(len(numbers) - 1)] == numbers[1:]
    assert all(each.duration_ms >= MIN_FRAGMENT_MS for each in fragments)
    assert [] == [event for event in events if isinstance(event, Fault | Remark)]
    assert len(fragments) == sum(isinstance(event, FragmentEnded) for event in events)
