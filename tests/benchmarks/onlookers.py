"""People who look on while the loop works: viewers of its frames, and screens that follow its events.

Each is a process of its own, started from a clean one, and does what the command does that there is today:
a viewer what `appliance view` does, again and again (asks the loop for the camera's shared memory, copies
each new frame with what was seen in it); a screen what `appliance events follow --json` does (asks the
database for newer events every 0.3 s and makes JSON of them).
"""

import contextlib
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from appliance.cli.rows import event_json
from appliance.frames import FrameReader
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import FramesShared, WatchFrames

FOLLOW_S = 0.3
"""As in `appliance events follow`."""
PATIENCE_S = 20.0
"""Given to each to end."""
ASK_AGAIN_S = 4.0
"""Well within the lease that the loop gives a viewer."""


@contextlib.contextmanager
def looking_on(state: Path, camera: str, viewers: int, screens: int) -> Iterator[dict[str, Any]]:
    """So many of each to the end of the block; gives counters of what the viewers and the screens got."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    frames, events = context.Value("q", 0), context.Value("q", 0)
    stop = context.Event()
    jobs = [context.Process(target=_view, args=(state, camera, frames, stop)) for _ in range(viewers)]
    jobs += [context.Process(target=_follow, args=(state, events, stop)) for _ in range(screens)]
    for job in jobs:
        job.start()
    try:
        yield {"frames": frames, "events": events}
    finally:
        stop.set()
        for job in jobs:
            job.join(PATIENCE_S)
            if job.is_alive():
                job.kill()
                job.join()
    # One that was slow to go has looked on all the same; one that failed has not.
    if failed := [job.exitcode for job in jobs if job.exitcode and job.exitcode > 0]:
        raise RuntimeError(f"{len(failed)} of {len(jobs)} onlookers ended with {failed[0]}")


def _view(state: Path, camera: str, counter: "Synchronized[int]", stop: Any) -> None:
    client = Client(Layout(state).socket("loop"))
    while not stop.is_set():
        reply = client.call(WatchFrames(camera=camera), FramesShared)
        until = time.monotonic() + ASK_AGAIN_S
        with FrameReader(reply.fds[0]) as reader:
            newest = -1
            while time.monotonic() < until and not stop.is_set():
                frame = reader.wait_newer(newest, 0.5)
                if frame is not None:
                    json.loads(frame.note)
                    newest = frame.stamp.sequence
                    with counter.get_lock():
                        counter.value += 1
        for fd in reply.fds:
            os.close(fd)


def _follow(state: Path, counter: "Synchronized[int]", stop: Any) -> None:
    with open_services(Settings(), Layout(state)) as services:
        newest = services.store.events(limit=1, newest_first=True)
        after = newest[0].position if newest else 0
        while not stop.is_set():
            for stored in services.store.events(after=after, limit=500):
                event_json(stored)
                after = stored.position
                with counter.get_lock():
                    counter.value += 1
            time.sleep(FOLLOW_S)
