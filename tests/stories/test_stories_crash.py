"""`kill -9` of any process of the whole box at random moments: what was committed is there, and agrees.

The camera plays the demo's scene cut down to its people, so that decisions and sealed captures
are under way most of the time. Each kill costs the start of a process; a hundred of them between
decision and delivery, where it costs a fork, stand in `test_stories_rules_killed.py`, and those while
a capture is sealed in `tests/evidence`.
"""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyrage
import pytest
from captures import make_shot

from appliance.app.adoption import known_captures
from appliance.camera import Scene, encode_jpeg
from appliance.clock import SystemClock
from appliance.errors import ApplianceError
from appliance.evidence import Spool
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings, load
from appliance.store import Consent, OutboxRow, OutboxState, Store
from appliance.values import DLIB, DLIB_MIRROR, EMBEDDING_SIZE, SFACE, FaceTemplate, Templates
from appliance.wire import Client
from appliance.wire.messages import Status, StatusRequest, SupervisorStatus, SupervisorStatusRequest

KILLS = 40
SEED = 20260105
OFTEN = {"supervisor": 1, "loop": 3, "dispatch": 2, "models": 2}
"""Which process is killed, so often beside the others; all of them have to start again with the first."""
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

[deeplens]
enabled = false

[video]
enabled = false

[web]
port = 0

[evidence]
recipients = ["{recipient}"]

[[actions]]
id = "once"
kind = "command"
argv = ["sh", "-c", "echo $APPLIANCE_IDEMPOTENCY_KEY >> {done}/once"]
on = ["stranger_seen"]
delivery = "at_most_once"

[[actions]]
id = "surely"
kind = "command"
argv = ["sh", "-c", "echo $APPLIANCE_IDEMPOTENCY_KEY >> {done}/surely"]
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
    (tmp_path / "done").mkdir()
    text = SETTINGS.format(pictures=pictures, recipient=key.to_public(), done=tmp_path / "done")
    settings.write_text(text, encoding="utf-8")
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

    def await_frames(self) -> None:
        """Wait until the loop looks at frames: whatever it does at start-up is then done."""
        client = Client(self._layout.socket("loop"), timeout_s=1.0)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(ApplianceError):
                cameras = client.call(StatusRequest(), Status).message.details["cameras"]
                if any(camera["frames"] for camera in cameras.values()):
                    return
            time.sleep(0.1)
        raise AssertionError("the loop looks at no frames")

    def revive(self) -> None:
        """Start it again if it is gone."""
        if self.process.poll() is not None:
            self.process = self._start()

    def stop(self) -> None:
        """In good order."""
        self.process.terminate()
        self.process.wait(30)


def test_kills_at_random_moments_lose_nothing_that_was_committed(
    box: tuple[Path, Layout, pyrage.x25519.Identity],
) -> None:
    """Database, chain and spool verify; every event, subject and reference seen is still there.

    What a crash leaves between spool and log is mended by the next start alone; what is promised at
    most once happened at most once, and what is promised at least once and delivered did happen.
    """
    settings_file, layout, key = box
    settings = load(settings_file)
    chance = random.Random(SEED)
    order = chance.choices(list(OFTEN), list(OFTEN.values()), k=KILLS)
    killed: dict[str, int] = {}
    seen: dict[int, str] = {}
    enrolled: dict[str, str] = {}
    with open_services(settings, layout, create=True):
        pass
    appliance = Appliance(settings_file, layout)
    try:
        for turn, name in enumerate(order):
            time.sleep(chance.uniform(0.2, 2.5))
            with open_services(settings, layout) as services:
                seen |= {
                    stored.position: stored.hash
                    for stored in services.store.events(after=max(seen, default=0))
                }
                if turn % 4 == 0:
                    subject = services.store.add_subject(f"p{turn}", consent=Consent(("identify",), "t", "t"))
                    enrolled[str(subject.id)] = str(
                        services.store.add_reference(subject.id, somebody(turn), quality=80.0, details={})
                    )
            running = appliance.pids_with(name)
            found = name if name in running else "supervisor"
            with contextlib.suppress(ProcessLookupError):
                os.kill(running[found], signal.SIGKILL)
                killed[found] = killed.get(found, 0) + 1
            appliance.revive()
        await_capture(settings, layout)
    finally:
        appliance.stop()
    orphan, missing = leave_what_a_crash_leaves(settings, layout)
    appliance.revive()
    try:
        appliance.await_frames()
    finally:
        appliance.stop()
    print(f"seed {SEED}: killed {killed}; {len(seen)} events seen committed")

    assert KILLS == sum(killed.values())
    assert {"supervisor", "loop", "dispatch", "models"} == set(killed)
    assert [("ok",)] == sqlite3.connect(layout.database).execute("PRAGMA integrity_check").fetchall()
    with open_services(settings, layout) as services:
        check(settings, services, seen, enrolled, key)
        check_actions(services.store, settings_file.parent / "done")
        known = known_captures(services.store)
    assert orphan in known
    assert missing not in known


def somebody(number: int) -> Templates:
    """Templates of nobody who is in the pictures, of every model that a reference has."""
    random_numbers = np.random.default_rng(number)
    templates = {}
    for model in (DLIB, DLIB_MIRROR, SFACE):
        vector = random_numbers.normal(size=EMBEDDING_SIZE)
        templates[model] = FaceTemplate(model, (vector / np.linalg.norm(vector)).astype(np.float32))
    return templates


def await_capture(settings: Settings, layout: Layout) -> None:
    """Wait until somebody was sealed, and told of: a slow machine may come to none between the kills."""
    deadline = time.monotonic() + 120
    with open_services(settings, layout) as services:
        while not services.store.events(types=("stranger_captured",)):
            assert time.monotonic() < deadline, "nobody is sealed"
            time.sleep(0.2)
        while {"once", "surely"} - {
            row.action for row in services.store.outbox(limit=10_000) if was_done(row)
        }:
            assert time.monotonic() < deadline, "no action is performed"
            time.sleep(0.2)


def leave_what_a_crash_leaves(settings: Settings, layout: Layout) -> tuple[str, str]:
    """A sealed file without its event, and an event whose file is gone; ids of both captures."""
    spool = Spool(layout.spool, settings.evidence, SystemClock(), encode_jpeg).open()
    missing = spool.list()[0].id
    spool.remove(missing)
    return spool.store([make_shot()], {}, datetime.now(UTC)).id, missing


def check(
    settings: Settings,
    services: Services,
    seen: dict[int, str],
    enrolled: dict[str, str],
    key: pyrage.x25519.Identity,
) -> None:
    """What must hold after whatever happened; nothing is mended here."""
    store = services.store
    spool = Spool(services.layout.spool, settings.evidence, SystemClock(), encode_jpeg)
    report = store.verify()
    kept = {stored.position: stored.hash for stored in store.events(limit=1_000_000)}
    sealed = {entry.id: spool.read(entry.id) for entry in spool.list()}

    assert report.last >= max(seen)
    assert seen.items() <= kept.items()
    assert enrolled == {
        str(subject.id): "".join(reference.id for reference in store.references(subject.id))
        for subject in store.subjects()
    }
    gallery = store.gallery((DLIB, DLIB_MIRROR, SFACE)).rows
    assert set(enrolled.values()) == {str(row.reference) for row in gallery}
    assert 3 * len(enrolled) == len(gallery)
    assert known_captures(store) == set(sealed)
    assert sealed
    assert [] == [name for name, data in sealed.items() if not pyrage.decrypt(data, [key])]
    assert [] == list(services.layout.spool.glob("*.partial"))


def check_actions(store: Store, done: Path) -> None:
    """What the commands wrote down is what the outbox says of them, and what was promised."""
    rows = store.outbox(limit=1_000_000)
    states = {row.idempotency_key: row.state.value for row in rows}
    once, surely = (Counter((done / name).read_text().split()) for name in ("once", "surely"))
    delivered = {
        action: {row.idempotency_key for row in rows if row.action == action and was_done(row)}
        for action in ("once", "surely")
    }

    print(f"actions: {Counter((row.action, row.state.value) for row in rows)}")
    assert set(states.values()) <= {"delivered", "unknown", "expired", "pending"}
    assert len(rows) == len(states)
    assert delivered["once"]
    assert delivered["surely"]
    # At most once: no key twice, none that the outbox calls too late, all that it calls delivered.
    assert {1} == set(once.values())
    assert delivered["once"] <= set(once)
    assert {states[key] for key in once} <= {"delivered", "unknown"}
    # At least once: all that it calls delivered; a repetition carries the same key.
    assert delivered["surely"] <= set(surely) <= set(states)


def was_done(row: OutboxRow) -> bool:
    """Whether the outbox says that it was done."""
    return row.state is OutboxState.DELIVERED
