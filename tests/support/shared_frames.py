"""Real shared memory with frames in it, as a loop leaves it, and a door that somebody opens in it."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from door_pictures import picture
from factories import stamp

from appliance.frames import FrameWriter
from appliance.values import ImageArray
from appliance.wire import Peer, Reply, Request
from appliance.wire.messages import Message

M = TypeVar("M", bound=Message)
NOTE: Mapping[str, Any] = {
    "doors": {"front": {"state": "open", "fraction": 0.25}},
    "faces": [
        {
            "box": [40, 30, 90, 90],
            "subject": "s1",
            "stranger": False,
            "score": 0.42,
            "threshold": 0.3,
            "grade": "confirmed",
            "rule": "score_and_margin",
            "frames": 4,
        },
        {"box": [150, 30, 190, 80], "subject": None, "stranger": True, "score": 0.1},
        {"box": [10, 100, 40, 140], "subject": None, "stranger": False, "score": None},
    ],
}
"""What the loop says of a frame: somebody known, a stranger, somebody it does not know yet."""


def gray(width: int = 200, height: int = 200, level: int = 128) -> ImageArray:
    """An even picture."""
    return np.full((height, width, 3), level, np.uint8)


@contextmanager
def shared(pictures: Sequence[ImageArray], *, note: Mapping[str, Any] | bytes = NOTE) -> Iterator[int]:
    """The descriptor of memory into which some frames were written, the first with the number 0."""
    height, width = pictures[0].shape[:2]
    with FrameWriter(width, height) as writer:
        for sequence, each in enumerate(pictures):
            writer.write(
                stamp(sequence), each, note if isinstance(note, bytes) else json.dumps(note).encode()
            )
        yield writer.fd


@contextmanager
def filmed_door() -> Iterator[tuple[int, Callable[[float], None]]]:
    """A descriptor whose frames go on, twenty a second, and how to open the door in them (0 shut, 1 open)."""
    over, opened = threading.Event(), [0.0]

    def film() -> None:
        number = 0
        while not over.wait(0.02):
            at_s = number / 20
            writer.write(stamp(number, at_s), picture(at_s, opened=opened[0]).bgr(), b"{}")
            number += 1

    def turn(share: float) -> None:
        opened[0] = share

    with FrameWriter(200, 200) as writer:
        thread = threading.Thread(target=film)
        thread.start()
        try:
            yield writer.fd, turn
        finally:
            over.set()
            thread.join()


def asked(handler: Callable[[Request[Any]], Reply[M]], message: Message, *fds: int) -> Reply[M]:
    """What a handler answers to us."""
    return handler(Request(message, b"", fds, Peer(os.getpid(), os.geteuid())))
