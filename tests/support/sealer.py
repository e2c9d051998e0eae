"""Seals strangers and logs them as the loop does, killed by -9 again and again; says what was acknowledged.

python sealer.py STATE RECIPIENT KILLS SEED prints the ids of captures whose event was acknowledged, one a
line. Each child begins as the loop does, by adopting what the one before left.
"""

import os
import random
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import stores
from captures import make_shot

from appliance import logs
from appliance.app.adoption import adopt_captures
from appliance.app.parts import LoggedEvents
from appliance.camera import encode_jpeg
from appliance.clock import SystemClock
from appliance.events import StrangerSeen
from appliance.evidence import Spool
from appliance.pipeline import Records
from appliance.services import Layout, open_services
from appliance.settings import EvidenceSettings, Settings
from appliance.store import StoredEvent
from appliance.values import Grade


class Told(LoggedEvents):
    """The log, which writes down each capture once its event is committed.

    Attributes:
        descriptor: Where to.
    """

    descriptor = 1

    def append_all(self, events: list, *, at: datetime) -> list[StoredEvent]:  # type: ignore[override,type-arg]
        """Append, then tell."""
        stored = super().append_all(events, at=at)
        for event in events:
            if event.type == "stranger_captured":
                os.write(self.descriptor, f"{event.capture}\n".encode())
        return stored


def work(state: Path, recipient: str, descriptor: int) -> None:
    """As the loop: agree with what was left, then seal and log without an end."""
    settings = EvidenceSettings(recipients=(recipient,), min_free_mib=0)
    with open_services(Settings(), Layout(state)) as services:
        spool = Spool(services.layout.spool, settings, SystemClock(), encode_jpeg).open()
        adopt_captures(services.store, spool)
        log = Told(services.store, lambda: None)
        log.descriptor = descriptor
        records = Records(log, spool)
        shots = [make_shot(number, size=(320, 240)) for number in range(3)]
        facts = stores.identified().facts
        for number in range(1_000_000):
            at, encounter = datetime.now(UTC), f"{os.getpid()}-{number}"
            seen = StrangerSeen(encounter=encounter, grade=Grade.CONFIRMED, facts=facts)
            records.stranger(seen, at)
            records.capture(seen, shots, at)
            records.forget(encounter)


def main(state: Path, recipient: str, kills: int, seed: int) -> None:
    """Kill so many, each at another moment of its life."""
    logs.configure("sealer", level="error")  # standard output is for what was acknowledged
    chance = random.Random(seed)
    reading, writing = os.pipe()
    told = b""
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            os.close(reading)
            work(state, recipient, writing)
            os._exit(0)
        time.sleep(chance.uniform(0.02, 0.35))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.set_blocking(reading, False)
        try:
            while piece := os.read(reading, 65536):
                told += piece
        except BlockingIOError:
            pass
    sys.stdout.write(told.decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
