"""From somebody's first usable frame to the greeting in the log, and to the confirmation three frames on.

`appliance run` as it comes, fused score, faces read while the door is not shut (`when = "door"`), in front of
a loopback HTTP camera (720p MJPEG, 10 frames a second) that shows a shut door, the door being opened, then
one enrolled person for some frames, then the shut door again, over and over, the person each time a little
shifted and lighter or darker. Time runs, by the clock on the wall, from when the frame is
handed to the camera's socket until another process reads the event from the database: on the way are the
network, decoding, detection, both embedders, the decision and a commit that has reached the disk.
"""

import itertools
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
import cv2
import numpy as np
from bench_rows import Row, limit, main
from running import DOOR, SEEN, Box, bare
from streaming import MJPEG_TYPE, StreamServer, mjpeg

from appliance.camera import Scene, Script, Swing, encode_jpeg
from appliance.events import SubjectIdentified
from appliance.services import open_services
from appliance.values import Grade, ImageArray

FPS = 10
ROUNDS = 40
WITH = 6
"""Frames of a round that show somebody."""
SHUT, OPENING = 8, 8
"""Frames of a round that show nobody: the door shut, and while it is opened."""
WITHOUT = SHUT + OPENING
"""Together longer than `end_after_s`, so that each round is an encounter of its own."""
SETTINGS = DOOR + "\n[encounters]\nend_after_s = 1.0\n"
QUALITY = 85
GREET_MS = 250
CONFIRM_MS = 600
LOOK_S = 0.002


class Visits:
    """The stream, and when somebody's first frame went out in each round."""

    def __init__(self) -> None:
        scene = Scene()
        swung = Scene(Script(5.0, (Swing(SHUT / FPS, to_open=True),)))
        self._empty = [encode_jpeg(swung.render(number), QUALITY) for number in range(WITHOUT)]
        random = np.random.default_rng(5)
        near = [scene.render(number) for number in SEEN]
        self._visits = [
            [encode_jpeg(_varied(near[(turn + step) % len(near)], random), QUALITY) for step in range(WITH)]
            for turn in range(8)
        ]
        self.began: list[float] = []
        self._lock = threading.Lock()

    def server(self) -> StreamServer:
        """A camera that shows them."""
        return StreamServer(MJPEG_TYPE, lambda: mjpeg(self._pictures()), fps=FPS, sent=self._sent)

    def first(self, turn: int) -> float:
        """When that round's first frame with somebody was sent, monotonic seconds."""
        with self._lock:
            return self.began[turn]

    def _pictures(self) -> Iterator[bytes]:
        for turn in itertools.count():
            yield from self._empty
            yield from self._visits[turn % len(self._visits)]

    def _sent(self, number: int, at: float) -> None:
        if number % (WITH + WITHOUT) == WITHOUT:
            with self._lock:
                self.began.append(at)


def _varied(picture: ImageArray, random: np.random.Generator) -> ImageArray:
    """Shifted by some pixels and lit a little differently."""
    x, y = random.integers(-12, 13, 2)
    shift = np.asarray([[1, 0, x], [0, 1, y]], np.float32)
    height, width = picture.shape[:2]
    moved = cv2.warpAffine(picture, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.convertScaleAbs(moved, alpha=random.uniform(0.9, 1.05)), np.uint8)


def measure() -> Sequence[Row]:
    """The 95th percentile of each, over all rounds."""
    visits = Visits()
    with bare() as box, visits.server().serving() as address:
        box.enrol()
        box.configure(address, SETTINGS)
        with box.running(configured=True):
            found = _watch(box, visits)
    rows = []
    for name, grade, goal in (
        ("greet", Grade.GREETING, GREET_MS),
        ("confirm", Grade.CONFIRMED, CONFIRM_MS),
    ):
        took = [at * 1000 for at in found[grade]]
        spread = f"median {np.median(took):.0f}, {min(took):.0f} to {max(took):.0f} ms"
        against = f"{len(took)} visits with when = door, {spread}"
        if grade is Grade.CONFIRMED:
            against += f"; {1000 * 2 / FPS:.0f} ms pass until the third frame is there"
        rows.append(limit(name, float(np.percentile(took, 95)), "ms, p95", goal=goal, against=against))
    return rows


def _watch(box: Box, visits: Visits) -> dict[Grade, list[float]]:
    """Seconds from each round's first frame to each grade's event, of rounds the loop saw whole.

    Raises:
        RuntimeError: Somebody was not recognised in time.
    """
    found: dict[Grade, list[float]] = {Grade.GREETING: [], Grade.CONFIRMED: []}
    first_round: int | None = None
    deadline = time.monotonic() + (ROUNDS + 6) * (WITH + WITHOUT) / FPS + 30
    with open_services(box.settings, box.layout) as services:
        looking = sqlite3.connect(box.layout.database)
        seen, after = None, 0
        while min(map(len, found.values())) < ROUNDS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"of {ROUNDS} visits only {min(map(len, found.values()))} were recognised")
            (changed,) = looking.execute("PRAGMA data_version").fetchone()
            if changed == seen:
                time.sleep(LOOK_S)
                continue
            seen = changed
            for stored in services.store.events(after=after, limit=500):
                after = stored.position
                event, now = stored.event, time.monotonic()
                if not isinstance(event, SubjectIdentified) or event.grade not in found:
                    continue
                turn = len(visits.began) - 1
                if first_round is None:
                    # The loop may have begun in the middle of a visit, and its first is its slowest.
                    first_round = turn + 1
                if turn >= first_round and len(found[event.grade]) < ROUNDS:
                    found[event.grade].append(now - visits.first(turn))
        looking.close()
    return found


if __name__ == "__main__":
    main(measure, __doc__)
