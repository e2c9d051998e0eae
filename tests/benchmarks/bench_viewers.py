"""The loop with 20 viewers and 20 screens against the loop alone: work per frame, by the clock.

The same stream as for `greet` (somebody comes and goes), in turns with and without onlookers. What a frame
takes is the loop's own count: from when a camera's thread takes it until it is done with it, waiting for a
core or a lock included, waiting for the next frame not. Viewers and screens are connections to the real
web server, read on the same machine (`onlookers`): web, desk and models process work for them, too.
"""

import statistics
import time
from collections.abc import Sequence

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
from bench_greet import FPS, SETTINGS, WITH, WITHOUT, Visits
from bench_rows import Row, main, within
from onlookers import admitted, looking_on
from running import Box, bare

VIEWERS = 20
SCREENS = 20
TURNS = 4
PERIODS = 6
"""Comings and goings in each turn."""
SETTLE_S = 6.0
GOAL = 1.05
WEB = "\n[web]\nport = 0\n"


def measure() -> Sequence[Row]:
    """Medians over the turns."""
    visits = Visits()
    alone: list[float] = []
    watched: list[float] = []
    rates: list[float] = []
    with bare() as box, visits.server().serving() as address:
        box.enrol()
        box.configure(address, SETTINGS + WEB, when="always")
        with box.running(configured=True):
            box.wait_for_frames(2 * (WITH + WITHOUT))
            onlookers = admitted(box.layout, "entrance", VIEWERS, SCREENS)
            for _ in range(TURNS):
                alone.append(_per_frame_ms(box))
                with looking_on(box.layout, onlookers) as counters:
                    time.sleep(SETTLE_S)
                    before, began = counters["frames"].value, time.monotonic()
                    watched.append(_per_frame_ms(box))
                    got = counters["frames"].value - before
                    rates.append(got / (time.monotonic() - began) / VIEWERS)
                time.sleep(1)
    against = (
        f"the loop alone, {TURNS} turns each ({min(alone):.2f} to {max(alone):.2f} and {min(watched):.2f} to "
        f"{max(watched):.2f} ms); viewers read annotated JPEGs from the web server over TLS, "
        f"{statistics.mean(rates):.1f} a second each, screens its events"
    )
    return [
        within("viewers", statistics.median(watched), statistics.median(alone), goal=GOAL, against=against)
    ]


def _per_frame_ms(box: Box) -> float:
    """Work per frame over whole comings and goings, milliseconds by the clock."""
    before = box.camera_status()
    time.sleep(PERIODS * (WITH + WITHOUT) / FPS)
    after = box.camera_status()
    frames = int(after["frames"]) - int(before["frames"])
    return (float(after["busy_s"]) - float(before["busy_s"])) / frames * 1000


if __name__ == "__main__":
    main(measure, __doc__)
