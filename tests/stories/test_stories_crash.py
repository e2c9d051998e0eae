"""`kill -9` of any process at a hundred random moments: what was committed is there, and agrees.

The camera plays the demo's scene cut down to its people, so that decisions and sealed captures
are under way most of the time.
"""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from appliance.app.adoption import adopt_captures, known_captures
from appliance.camera import Scene, encode_jpeg
from appliance.clock import SystemClock
from appliance.errors import ApplianceError
from appliance.evidence import Spool
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings, load
from appliance.store import Consent
from appliance.wire import Client
from appliance.wire.messages import SupervisorStatus, SupervisorStatusRequest

KILLS = 100
SEED = 20260105
PEOPLE = (*range(30, 50), *range(236, 262))
"""Frames of the scene with Obama, then with the stranger, at the door."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SETTINGS = """
[[cameras]]
id = "entrance"
source = "{pictures}"
when = "always"

[encounters]
end_after_s = 1.0

[evidence]
recipients = ["{recipient}"]

[[actions]]
id = "once"
kind = "command"
argv = ["true"]
on = ["stranger_seen"]
delivery = "at_most_once"

[[actions]]
id = "surely"
kind = "command"
argv = ["true"]
on = ["stranger_seen", "stranger_captured"]

[log]
level = "error"
"""


@pytest.fixture
def box(tmp_path: Path) -> tuple[Path, Layout, pyrage.x25519.Identity]:
    """Settings file, state directory and the admin's key; nothing runs yet."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    scene = Scene()
    for number in PEOPLE:
        (pictures / f"{number:04}.jpg").write_bytes(encode_jpeg(scene.render(number), 90))
    key = pyrage.x25519.Identity.generate()
    settings = tmp_path / "appliance.toml"
    settings.write_text(SETTINGS.format(pictures=pictures, recipient=key.to_public()), encoding="utf-8")
    return settings, Layout(tmp_path / "state"), key


class Appliance:
    """The appliance as systemd would keep it: started again whenever it is gone."""

    def __init__(self, settings: Path, layout: Layout) -> None:
        self._command = [
            *(sys.executable, "-m", "appliance"),
            *("--settings", str(settings), "--state", str(layout.state), "run"),
        ]
        self._layout = layout
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def pids(self) -> dict[str, int]:
        """Whatever of it runs now, by name."""
        found = {"supervisor": self.process.pid}
        with contextlib.suppress(ApplianceError):
            client = Client(self._layout.socket("supervisor"), timeout_s=1.0)
            status = client.call(SupervisorStatusRequest(), SupervisorStatus).message
            found |= {child.name: child.pid for child in status.children if child.pid is not None}
        return found

    def pids_with(self, name: str) -> dict[str, int]:
        """The same, waited for a while until a process of this name is among them."""
        deadline = time.monotonic() + 4
        while name not in (found := self.pids()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def revive(self) -> None:
        """Start it again if it is gone."""
        if self.process.poll() is not None:
            self.process = self._start()

    def stop(self) -> None:
        """In good order."""
        self.process.terminate()
        self.process.wait(30)


def test_a_hundred_kills_lose_nothing_that_was_committed(
    box: tuple[Path, Layout, pyrage.x25519.Identity],
) -> None:
    """Database, chain and spool verify; orphans are adopted; every event and subject seen is still there."""
    settings_file, layout, key = box
    settings = load(settings_file)
    chance = random.Random(SEED)
    killed: dict[str, int] = {}
    seen: dict[int, str] = {}
    enrolled: set[str] = set()
    with open_services(settings, layout, create=True):
        pass
    appliance = Appliance(settings_file, layout)
    try:
        for turn in range(KILLS):
            time.sleep(chance.uniform(0.2, 2.5))
            with open_services(settings, layout) as services:
                seen |= {
                    stored.position: stored.hash
                    for stored in services.store.events(after=max(seen, default=0))
                }
                if turn % 10 == 0:
                    enrolled.add(
                        services.store.add_subject(f"p{turn}", consent=Consent(("identify",), "t", "t")).id
                    )
            name = chance.choice(("supervisor", "loop", "loop", "dispatch", "models"))
            running = appliance.pids_with(name)
            name = name if name in running else "supervisor"
            with contextlib.suppress(ProcessLookupError):
                os.kill(running[name], signal.SIGKILL)
                killed[name] = killed.get(name, 0) + 1
            appliance.revive()
        time.sleep(5)
    finally:
        appliance.stop()
    print(f"killed {killed}; {len(seen)} events seen committed")

    assert KILLS == sum(killed.values())
    assert {"supervisor", "loop", "dispatch", "models"} == set(killed)
    assert [("ok",)] == sqlite3.connect(layout.database).execute("PRAGMA integrity_check").fetchall()
    with open_services(settings, layout) as services:
        check(settings, services, seen, enrolled, key)


def check(
    settings: Settings,
    services: Services,
    seen: dict[int, str],
    enrolled: set[str],
    key: pyrage.x25519.Identity,
) -> None:
    """What must hold after whatever happened."""
    store = services.store
    spool = Spool(services.layout.spool, settings.evidence, SystemClock(), encode_jpeg).open()
    adopt_captures(store, spool)
    report = store.verify()
    kept = {stored.position: stored.hash for stored in store.events(limit=1_000_000)}
    sealed = {entry.id: spool.read(entry.id) for entry in spool.list()}

    assert report.last >= max(seen)
    assert seen.items() <= kept.items()
    assert enrolled == {subject.id for subject in store.subjects()}
    assert known_captures(store) == set(sealed)
    assert sealed
    assert [] == [name for name, data in sealed.items() if not pyrage.decrypt(data, [key])]
    assert [] == list(services.layout.spool.glob("*.partial"))
    assert set(store_states(services)) <= {"delivered", "unknown", "expired", "pending"}


def store_states(services: Services) -> Iterator[str]:
    """States of everything that was ever in the outbox."""
    for row in services.store.outbox():
        yield str(row.state)
