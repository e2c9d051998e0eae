"""From the wish to the first fragment at a server of Kinesis Video Streams, which says that it received it.

A 1080p H.264 camera of 25 frames a second at 10 Mbit/s, with five seconds before the wish in its ring. The
whole of the process that records is at work: the wish over its socket, the ring's follower, cutting, the clip
sealed on the disk, the spool sealed on the disk, asking where to send to, TLS, the signed request, the upload
and its answers. The server is `appliance kvs serve-local` in a process of its own, on this machine: a line to
AWS adds its own round trips, some five of them, and the time that the fragment takes on it. The slowest of
some cameras, one after the other, each over a connection of its own; time on the clock, told to some
milliseconds.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench_matroska import FPS, GOP, minute
from bench_remux import camera
from bench_rows import Row, limit, main

from appliance import logs
from appliance.app.packet_feed import PacketFeeds
from appliance.app.video_process import run_video
from appliance.camera import PacketRing, RingPacket
from appliance.clock import SystemClock
from appliance.errors import WireError
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire import Client, Server
from appliance.wire.messages import AskVideo, Record, RecordTaken, StreamTold, VideoTold

CAMERAS = 5
GOAL_MS = 2_000.0 + GOP * 1000 / FPS
PREPARED_S = 5.0
LOOK_S = 0.002
PATIENCE_S = 120.0


@contextlib.contextmanager
def service(folder: Path) -> Iterator[dict[str, Any]]:
    """A local service that listens; what it says of itself."""
    command = [sys.executable, "-m", "appliance", "--state", str(folder), "kvs", "serve-local"]
    running = subprocess.Popen(
        [*command, "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield json.loads(running.stdout.readline() if running.stdout is not None else "")
    finally:
        running.terminate()
        running.wait(PATIENCE_S)


def settings(told: dict[str, Any]) -> Settings:
    """Of a box whose cameras' video goes there."""
    kvs = {
        "enabled": True,
        "endpoint": told["control"],
        "region": told["region"],
        "ca_file": told["certificate"],
        "credentials_file": told["credentials"],
    }
    cameras = [{"id": f"c{number}", "source": "scene:door", "when": "always"} for number in range(CAMERAS)]
    return Settings.model_validate({"cameras": cameras, "video": {"kvs": kvs}})


def arrived_now(packets: Sequence[RingPacket]) -> PacketRing:
    """The packets in a ring, as if the newest had just come."""
    clock = SystemClock()
    later_s = clock.monotonic() - packets[-1].monotonic_s
    ring = PacketRing(60.0, 256 << 20)
    wall = clock.wall()
    for each in packets:
        back_s = packets[-1].monotonic_s - each.monotonic_s
        came = wall - timedelta(seconds=back_s)
        ring.append(replace(each, monotonic_s=each.monotonic_s + later_s, wall=came))
    return ring


def received_ms(video: Client, camera_id: str, feeds: PacketFeeds, packets: Sequence[RingPacket]) -> float:
    """Milliseconds from the wish until the service said that it received a fragment of this camera's."""
    feeds.camera(camera_id, arrived_now(packets))
    began = time.monotonic()
    video.call(Record(camera=camera_id, seconds=30), RecordTaken)
    while time.monotonic() - began < PATIENCE_S:
        if stream_of(video, camera_id).acks.get("RECEIVED"):
            return (time.monotonic() - began) * 1000
        time.sleep(LOOK_S)
    raise RuntimeError(f"nothing has arrived: {stream_of(video, camera_id)}")


def stream_of(video: Client, camera_id: str) -> StreamTold:
    """How sending a camera's video is."""
    told = video.call(AskVideo(), VideoTold).message.streams
    return next(each for each in told if each.camera == camera_id)


@contextlib.contextmanager
def box(state: Path, known: Settings) -> Iterator[tuple[Client, PacketFeeds]]:
    """A process that records, in this one: what answers for it, and what gives it packets."""
    layout, over = Layout(state), threading.Event()
    feeds = PacketFeeds(SystemClock())
    with open_services(known, layout, create=True) as services:
        thread = threading.Thread(target=run_video, args=(known, services, over))
        with Server(layout.socket("loop"), feeds.handlers()):
            thread.start()
            video = Client(layout.socket("video"))
            try:
                while thread.is_alive():
                    with contextlib.suppress(WireError):
                        video.call(AskVideo(), VideoTold)
                        break
                    time.sleep(0.1)
                time.sleep(PREPARED_S)  # for the streams to be made, as they are long before anything happens
                yield video, feeds
            finally:
                over.set()
                feeds.close()
                thread.join(PATIENCE_S)


def measure() -> Sequence[Row]:
    """The slowest of the cameras."""
    logs.configure("bench", level="error")
    packets = camera(minute())
    with tempfile.TemporaryDirectory() as folder, service(Path(folder, "service")) as told:
        known = settings(told)
        with box(Path(folder, "box"), known) as (video, feeds):
            took = [received_ms(video, each.id, feeds, packets) for each in known.cameras]
    each = ", ".join(f"{one:.0f}" for one in took)
    size_mb = sum(len(packet.data) for packet in packets[:GOP]) / 1e6
    about = (
        f"RECEIVED over TLS from a local server, {size_mb:.1f} MB a fragment; {CAMERAS} cameras: {each} ms"
    )
    return [limit("kvs_first", max(took), "ms", goal=GOAL_MS, against=about)]


if __name__ == "__main__":
    main(measure, __doc__)
