"""What a hosted function pays for a frame: a copy out of shared memory, against a pipe.

A function takes 2688 x 1520 pixels, 12 MB, as often as it can. The peer is what hosts of such functions do
that have no shared memory: the bytes go through a pipe from a process that has the frame, into an array.
"""

import multiprocessing
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from bench_rows import Row, interleaved, limit, main

from appliance.deeplens.guest.last_frame import LastFrame
from appliance.deeplens.guest.messages import GuestSaid
from appliance.frames import FrameWriter
from appliance.values import CameraId, FrameStamp

HEIGHT, WIDTH = 1520, 2688
SIZE = HEIGHT * WIDTH * 3
ROUNDS = 40
GOAL_MS = 5.0


class _Silent:
    """Says nothing on."""

    def put(self, message: GuestSaid) -> None:
        """Forget it."""


def measure() -> Sequence[Row]:
    """One `getLastFrame` at full size, and the same by a pipe, with a plain copy as the floor."""
    frame = np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    asks, answers = multiprocessing.Pipe()
    feeder = multiprocessing.get_context("fork").Process(target=_feed, args=(answers, frame), daemon=True)
    feeder.start()
    with FrameWriter(WIDTH, HEIGHT, 3) as writer:
        last = LastFrame(_Silent())
        last.share(os.dup(writer.fd))
        writer.write(FrameStamp(CameraId("bench"), 0, time.monotonic() + 3600, datetime.now(UTC)), frame)
        took = interleaved({"ours": last.take, "copy": frame.copy}, rounds=ROUNDS)
    waited = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        asks.send(None)
        np.frombuffer(asks.recv_bytes(SIZE), np.uint8).reshape(HEIGHT, WIDTH, 3).copy()
        waited.append((time.perf_counter() - start) * 1000)
    feeder.terminate()
    feeder.join()
    piped = float(np.median(waited))
    against = f"a pipe's {piped:.1f} ms on the clock; numpy's own copy takes {took['copy']:.2f} ms"
    return [limit("last_frame", took["ours"], "ms", goal=GOAL_MS, peer=piped, against=against)]


def _feed(answers: "multiprocessing.connection.Connection", frame: np.ndarray) -> None:  # type: ignore[type-arg]
    """Answer each asking with the frame's bytes."""
    while True:
        answers.recv()
        answers.send_bytes(frame.data.cast("B"))


if __name__ == "__main__":
    main(measure, __doc__)
