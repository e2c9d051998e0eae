"""`kill -9` at fifty random moments of sealing: no capture lost, none twice, spool and log agree."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import appliance
from appliance.app.adoption import adopt_captures, known_captures
from appliance.camera import encode_jpeg
from appliance.clock import SystemClock
from appliance.events import StrangerCaptured
from appliance.evidence import Spool, load_identities, make_identity, open_capture
from appliance.services import Layout, open_services
from appliance.settings import EvidenceSettings, Settings

SUPPORT = Path(__file__).parents[1] / "support"
KILLS, SEED = 50, 20260105


@pytest.mark.slow
def test_killed_while_sealing_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """What was acknowledged is in spool and log, once, and opens; what was not is whole or not at all."""
    layout = Layout(tmp_path / "state")
    recipient = make_identity(tmp_path / "identity.txt")
    with open_services(Settings(), layout, create=True):
        pass
    path = os.pathsep.join([str(Path(appliance.__file__).parents[1]), str(SUPPORT)])
    done = subprocess.run(
        [sys.executable, SUPPORT / "sealer.py", layout.state, recipient, str(KILLS), str(SEED)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    acknowledged = done.stdout.split()
    identities = load_identities(tmp_path / "identity.txt", lambda _: "")
    with open_services(Settings(), layout) as services:
        spool = Spool(layout.spool, EvidenceSettings(recipients=(recipient,)), SystemClock(), encode_jpeg)
        adopted = adopt_captures(services.store, spool.open())
        known, report = known_captures(services.store), services.store.verify()
        logged = [
            (stored.event.capture, stored.event.adopted)
            for stored in services.store.events(types=("stranger_captured",), limit=1_000_000)
            if isinstance(stored.event, StrangerCaptured)
        ]
    kept = {entry.id for entry in spool.list()}
    of_crashes = sum(found for _, found in logged)
    print(f"{len(acknowledged)} acknowledged, {of_crashes} adopted, {adopted} of them last")

    assert len(acknowledged) > KILLS
    assert set(acknowledged) <= known
    assert known == kept
    assert {1} == set(Counter(capture for capture, _ in logged).values())
    assert len(kept) - len(acknowledged) <= KILLS
    assert report.last >= len(logged)
    assert [] == list(layout.spool.glob("*.partial"))
    assert [] == [each for each in kept if "metadata.json" not in open_capture(spool.read(each), identities)]
