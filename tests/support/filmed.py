"""A camera that sees nothing, then something, then nothing; and a running appliance that films what it sees.

The scene that holds nothing of interest is a cup on a table, with a camera's noise.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kvs_local import LocalKvs
from stored_outside import sending_to
from web_site import CHEAP, PASSWORD

from appliance.app.desk.passwords import Passwords
from appliance.rules import parse_rule
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.values import ImageArray
from web.desk import DeskClient

CAMERA = "kitchen"
PATIENCE_S = 150.0
THINGS = Path(__file__).parents[2] / "data" / "things"
BEFORE_S, AFTER_S, FPS = 8, 58, 15
_FITTED = "scale=640:360:force_original_aspect_ratio=decrease,pad=640:360:-1:-1:gray,setsar=1,fps=15"
_NOISE = "noise=alls=4:allf=t"
_FILM = (
    f"[0:v]{_FITTED},{_NOISE},format=yuv420p[before];[1:v]{_FITTED},{_NOISE},format=yuv420p[thing];"
    f"[2:v]{_FITTED},{_NOISE},format=yuv420p[after];[before][thing][after]concat=n=3[film]"
)
_SETTINGS = """
[deeplens]
enabled = false

[web]
port = 0

[[cameras]]
id = "{camera}"
source = "{film}"
when = "approach"
ring_s = 30

[[objects]]
id = "pets"
camera = "{camera}"
fps = 3
labels = ["{thing}"]

[[objects.triggers]]
id = "{thing}"
label = "{thing}"
cool_down_s = 3600
"""


@dataclass(frozen=True)
class Filmed:
    """An appliance whose camera sees a thing, with a rule that records it.

    Attributes:
        state: Its directory.
        thing: What is seen, as the detector calls it.
        seconds: What the rule records after that.
        service: Where the video is sent; None: nowhere.
        process: Of the supervisor.
    """

    state: Path
    thing: str
    seconds: int
    service: LocalKvs | None
    process: "subprocess.Popen[bytes]"

    def session(self) -> tuple[str, str]:
        """Where the pages are, and the secret of a session of the admin."""
        layout = Layout(self.state)
        until(
            lambda: layout.web_file.exists() and layout.socket("desk").exists(), "pages, a desk behind them"
        )
        port = json.loads(layout.web_file.read_text())["port"]
        asked = {"name": "Ada", "password": PASSWORD}
        return f"https://localhost:{port}", str(self._desk().ask("session.open", asked).result["secret"])

    def ask(self, secret: str, operation: str, **arguments: Any) -> Any:
        """An operation of the desk; its result."""
        return self._desk().ask(operation, arguments, credential=secret).result

    def told(self, *words: object) -> str:
        """What a command of ours prints."""
        done = subprocess.run(_command(self.state, *words), capture_output=True, text=True, check=True)
        return done.stdout

    def clip(self, secret: str) -> dict[str, Any]:
        """The clip, once it is over, and stored wherever it is sent."""

        def over() -> dict[str, Any] | None:
            if self.process.poll() is not None:
                raise AssertionError("the appliance is not running")
            clips = self.ask(secret, "clips.list")["clips"]
            state = self.ask(secret, "clips.state")
            sent = [each["waiting"] == 0 and each["persisted"] > 0 for each in state["streams"]]
            waits = self.service is not None and not (sent and all(sent))
            return None if waits or not clips or clips[-1]["recording"] else clips[-1]

        found: dict[str, Any] = until(over, "a clip that is over and stored")
        return found

    def seen(self) -> dict[str, Any]:
        """The trigger's event, as the command line finds it by what was seen."""
        found = self.told("index", "search", "--label", self.thing, "--limit", 10_000, "--json")
        rows = [json.loads(line) for line in found.splitlines()]
        (event,) = (row for row in rows if row["kind"] == "object_seen")
        return {**event, "at": datetime.fromisoformat(event["at"])}

    def _desk(self) -> DeskClient:
        return DeskClient(Layout(self.state).socket("desk"))


@contextmanager
def filming(
    folder: Path, film: Path, thing: str, seconds: int, service: LocalKvs | None = None
) -> Iterator[Filmed]:
    """Run the appliance until the block ends; then it ends in good order.

    Args:
        folder: Where its state will lie.
        film: What its camera sees, again and again.
        thing: What it looks for.
        seconds: How much it records then.
        service: Where it sends that; None: nowhere.

    Raises:
        AssertionError: It did not end in good order.
    """
    state = folder / "state"
    state.mkdir(mode=0o700, parents=True)
    written = _SETTINGS.format(camera=CAMERA, film=film, thing=thing)
    written += sending_to(service, folder) if service is not None else ""
    (state / "appliance.toml").write_text(written, encoding="utf-8")
    with open_services(Settings(), Layout(state), create=True) as services:
        code = services.store.first_run_code()
        services.store.add_first_admin(code, "Ada", Passwords(CHEAP).hash(PASSWORD))
        record = {"kind": "record", "seconds": seconds}
        rule = {
            "name": "Film it",
            "on": "object_seen",
            "when": {"labels": [thing]},
            "actions": [record],
        }
        services.store.add_rule(parse_rule(rule).body())
    process = subprocess.Popen(_command(state, "run"))
    try:
        yield Filmed(state, thing, seconds, service, process)
    finally:
        process.terminate()
        ended = process.wait(60)
    assert 0 == ended


def film(path: Path, thing: Path, seconds: float) -> Path:
    """Have ffmpeg make what the camera sees: H.264 with a key frame each second.

    Args:
        path: The file to be made.
        thing: A clip or a picture.
        seconds: How much of it is shown.
    """
    nothing = ("-loop", "1", "-framerate", str(FPS))
    shown = ("-loop", "1", "-framerate", str(FPS)) if thing.suffix == ".png" else ()
    command: list[object] = ["ffmpeg", "-v", "error"]
    command += [*nothing, "-t", BEFORE_S, "-i", THINGS / "coffee.png"]
    command += [*shown, "-t", seconds, "-i", thing]
    command += [*nothing, "-t", AFTER_S, "-i", THINGS / "coffee.png"]
    command += ["-filter_complex", _FILM, "-map", "[film]", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-bf", 0, "-g", FPS, "-keyint_min", FPS, "-sc_threshold", 0, path]
    subprocess.run([str(each) for each in command], check=True, timeout=PATIENCE_S)
    return path


def pictures(path: Path) -> Iterator[ImageArray]:
    """Every picture of a file, BGR."""
    opened = cv2.VideoCapture(str(path))
    while (read := opened.read())[0]:
        yield read[1].astype(np.uint8, copy=False)
    opened.release()


def until(met: Callable[[], Any], what: str) -> Any:
    """Wait until something is true; what it was."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := met():
            return found
        time.sleep(0.3)
    raise AssertionError(f"never: {what}")


def programs() -> bool:
    """Whether Debian's programs that this takes are there."""
    return all(map(shutil.which, ("ffmpeg", "ffprobe", "mkvinfo")))


def material() -> Path | None:
    """The folder of clips that are not in the repository, where there is one."""
    named = os.environ.get("APPLIANCE_TEST_MATERIAL")
    return Path(named) if named else None


def _command(state: Path, *words: object) -> list[str]:
    return [sys.executable, "-m", "appliance", "--state", str(state), *map(str, words)]
