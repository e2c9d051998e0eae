"""The demo's catalogue and its table: what is shown to the camera is found, and a strange thing is refused.

As commands and processes are: the import, an appliance that searches, its loop with the scene at the camera.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import call

from appliance.cli.demo_things import told
from appliance.errors import ApplianceError
from appliance.services import Layout
from appliance.wire import Client
from appliance.wire.messages import AskNewest, FoundTold, NewestTold

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ITEMS = Path(__file__).parents[2] / "data" / "things" / "items.csv"
SETTINGS = """\
[web]
enabled = false

[video]
enabled = false

[[cameras]]
id = "table"
source = "scene:things"
when = "approach"
fps = 5
width_px = 640
height_px = 360

[search]
enabled = true
cameras = ["table"]
"""
ALL = {"key-green", "lamp-yellow", "coffee-cup", "cat", "rocket", "mug-dots"}
PATIENCE_S = 240.0


def test_what_the_demo_shows_is_found_and_the_clock_is_refused(tmp_path: Path) -> None:
    """Round after round until everything was seen, as a busy machine may miss some of it."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "appliance.toml").write_text(SETTINGS, encoding="utf-8")
    imported = call("--state", state, "search", "import", ITEMS, "--no-calibrate")
    looks: dict[int, FoundTold] = {}
    with subprocess.Popen([sys.executable, "-m", "appliance", "--state", str(state), "run"]) as process:
        try:
            client = Client(Layout(state).socket("search"))
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline and not seen_all(looks) and process.poll() is None:
                try:
                    asked = AskNewest(limit=50, after=max(looks, default=0), wait_s=2)
                    newest = client.call(asked, NewestTold, timeout_s=60).message
                except ApplianceError:
                    time.sleep(0.2)
                    continue
                looks |= {each.number: each for each in (*newest.found, *newest.last.values())}
        finally:
            process.terminate()
            code = process.wait(60)
    found = {each.matches[0].item: each for each in looks.values() if each.known}
    refused = [each for each in looks.values() if not each.known]

    assert "8 added" in imported.out
    assert 0 == code
    assert found.keys() == ALL, [told(each) for each in looks.values()]
    assert refused
    assert all(each.near is not None and each.near.score < 0.5 for each in refused)
    assert min(each.matches[0].score for each in found.values()) > 0.5
    assert ("table", "camera", "default") == (found["cat"].name, found["cat"].source, found["cat"].basis)


def seen_all(looks: dict[int, FoundTold]) -> bool:
    """Each thing of the catalogue that is shown, and one that is not in it."""
    return {each.matches[0].item for each in looks.values() if each.known} >= ALL and any(
        not each.known for each in looks.values()
    )
