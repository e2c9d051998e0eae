"""An appliance to measure from outside: its state, its settings, its processes."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.camera import Scene, encode_jpeg
from appliance.errors import WireError
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import Status, StatusRequest, SupervisorStatus, SupervisorStatusRequest

ROOT = Path(__file__).resolve().parents[2]
SEEN = range(45, 58)
"""Frames of the bundled scene in which the enrolled person stands near."""


DOOR = """
[[doors]]
id = "front"
camera = "entrance"
region = [0.34, 0.05, 0.66, 0.3]
seed = [0.45, 0.15]
shut_fraction = 0.93
"""
"""The door of the bundled scene."""


class Box:
    """A state directory to run an appliance on, and a recording of somebody.

    Args:
        folder: Empty.

    Attributes:
        pictures: The recording, once it was prepared: a folder of pictures.
    """

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / "state")
        self.settings = Settings()
        self.pictures = folder / "pictures"

    def prepare(self) -> None:
        """Render the recording and enrol, by the ordinary command."""
        self.pictures.mkdir()
        scene = Scene()
        for number in SEEN:
            (self.pictures / f"{number}.jpg").write_bytes(encode_jpeg(scene.render(number), 92))
        self.enrol()

    def enrol(self) -> None:
        """Enrol the person whom the bundled scene shows first."""
        portrait = ROOT / "data" / "portraits" / "enrol" / "obama.jpg"
        self.call("enroll", "add", "Somebody", str(portrait), "--consent", "public-domain portrait")

    def configure(self, source: str, more: str = DOOR, *, when: str = "door") -> None:
        """Write settings with one camera, `entrance`, at 10 frames a second."""
        self.layout.state.mkdir(mode=0o700, exist_ok=True)
        camera = f'[[cameras]]\nid = "entrance"\nsource = "{source}"\nwhen = "{when}"\n'
        self.layout.settings_file.write_text(camera + more, encoding="utf-8")

    def call(self, *command: str) -> str:
        """Run a command on it; its standard output."""
        done = subprocess.run(self._line(*command), stdout=subprocess.PIPE, check=True, text=True)
        return done.stdout

    @contextlib.contextmanager
    def running(self, *, configured: bool = False) -> Iterator[None]:
        """`appliance run` to the end of the block, then ended in good order.

        Args:
            configured: With the settings written; otherwise on the recording, again and again.
        """
        camera = () if configured else ("--camera", str(self.pictures), "--when", "always")
        process = subprocess.Popen(
            self._line("run", *camera), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)

    def loop_pid(self) -> int:
        """The loop's process id, once it runs."""
        client = Client(self.layout.socket("supervisor"))
        status = client.call(SupervisorStatusRequest(), SupervisorStatus).message
        return next(child.pid for child in status.children if child.name == "loop" and child.pid)

    def loop_cpu_s(self) -> float:
        """Processor seconds that the loop process has used, all its threads."""
        fields = Path(f"/proc/{self.loop_pid()}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def camera_status(self) -> dict[str, Any]:
        """What the loop says of its camera."""
        reply = Client(self.layout.socket("loop")).call(StatusRequest(), Status)
        found: dict[str, Any] = next(iter(reply.message.details["cameras"].values()))
        return found

    def wait_for_frames(self, count: int = 10, patience_s: float = 30.0) -> None:
        """Wait until the loop has looked at so many frames.

        Raises:
            TimeoutError: It has not, in all that time.
        """
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            with contextlib.suppress(WireError, StopIteration):
                if self.camera_status()["frames"] >= count:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"not {count} frames within {patience_s:g} s")

    def decisions(self) -> int:
        """How many times somebody was identified, by the log."""
        return len(self.call("events", "list", "--type", "subject_identified", "--json").splitlines())

    def _line(self, *command: str) -> list[str]:
        return [sys.executable, "-m", "appliance", "--state", str(self.layout.state), *command]


@contextlib.contextmanager
def prepared() -> Iterator[Box]:
    """A box in a temporary folder, with somebody enrolled and recorded."""
    with bare() as box:
        box.prepare()
        yield box


@contextlib.contextmanager
def bare() -> Iterator[Box]:
    """A box in a temporary folder, with nothing in it."""
    with tempfile.TemporaryDirectory(prefix="appliance-bench-") as folder:
        yield Box(Path(folder))


def wait_for_decision(box: Box, before: int, patience_s: float) -> float:
    """Monotonic seconds at which one more decision was in the log than before."""
    deadline = time.monotonic() + patience_s
    with open_services(box.settings, box.layout) as services:
        while time.monotonic() < deadline:
            found = services.store.events(types=("subject_identified",), limit=100_000)
            now = time.monotonic()
            if len(found) > before:
                return now
            time.sleep(0.01)
    raise TimeoutError(f"no decision within {patience_s:g} s")
