"""A box whose deciding and dispatching are processes to be killed, forked from one that has loaded it all.

    python killed_box.py SETTINGS STATE KEPT

Reads lines: `decide SEED` begins to append decisions and coffees, and notes in KEPT the id of each event
that `append` returned; `dispatch` is the dispatch process as it is. Each prints the number of its process,
and goes on until it is killed.
"""

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

from decided import LOW, SURE, event_of, stay

from appliance import logs
from appliance.app.desk.waking import Waking
from appliance.app.dispatching import run_dispatch
from appliance.events import CoffeeTaken
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings, load

CAMERA, DOOR = "entrance", "main"


class Kept:
    """Ids of events that are durable, one a line.

    Args:
        path: The file; written behind whatever others wrote.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, event: str) -> None:
        """Whole or not at all."""
        os.write(self._file, f"{event}\n".encode())


def decide(services: Services, kept: Kept, chance: random.Random) -> None:
    """Somebody comes, is greeted, then recognised with certainty, and takes a coffee or not; for ever."""
    people = [str(each.id) for each in services.store.subjects()]
    wake = Waking(services.layout.socket("dispatch")).wake
    for number in range(1_000_000):
        who = chance.choice(people)
        scores = {each: SURE if each == who else LOW for each in people}
        now_s, encounter = time.monotonic(), f"e-{os.getpid()}-{number}"
        frames = [(now_s - 0.1 * before, scores) for before in (5, 4, 3)]
        for decision in stay(frames):
            event = event_of(decision, encounter).model_copy(update={"camera": CAMERA, "door": DOOR})
            kept.note(services.store.append(event).id)
        if chance.random() < 0.5:
            kept.note(services.store.append(CoffeeTaken(encounter=encounter, subject=who, camera=CAMERA)).id)
        wake()
        time.sleep(chance.uniform(0.05, 0.25))


def child(order: list[str], settings: Settings, layout: Layout, kept: Path) -> None:
    """What one of the processes does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    logs.configure(order[0], level="error")
    with open_services(settings, layout) as services:
        if order[0] == "decide":
            decide(services, Kept(kept), random.Random(order[1]))
        else:
            run_dispatch(settings, services, threading.Event())


def main(settings_file: Path, state: Path, kept: Path) -> None:
    """Fork what is asked for."""
    settings = load(settings_file)
    # Nobody waits for the children: whoever kills one looks whether its number is gone.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            try:
                child(line.split(), settings, Layout(state), kept)
            finally:
                os._exit(1)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*(Path(each) for each in sys.argv[1:]))
