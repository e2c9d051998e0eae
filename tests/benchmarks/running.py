"""An appliance to measure from outside: one enrolled person before a camera that plays pictures of them."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from appliance.camera import Scene, encode_jpeg
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import SupervisorStatus, SupervisorStatusRequest

ROOT = Path(__file__).resolve().parents[2]
SEEN = range(45, 58)
"""Frames of the bundled scene in which the enrolled person stands near."""


class Box:
    """A state directory with one person enrolled, and a recording of them.

    Args:
        folder: Empty.
    """

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / "state")
        self.settings = Settings()
        self._pictures = folder / "pictures"

    def prepare(self) -> None:
        """Render the recording and enrol, by the ordinary command."""
        self._pictures.mkdir()
        scene = Scene()
        for number in SEEN:
            (self._pictures / f"{number}.jpg").write_bytes(encode_jpeg(scene.render(number), 92))
        portrait = ROOT / "data" / "portraits" / "enrol" / "obama.jpg"
        self.call("enroll", "add", "Somebody", str(portrait), "--consent", "public-domain portrait")

    def call(self, *command: str) -> str:
        """Run a command on it; its standard output."""
        done = subprocess.run(self._line(*command), stdout=subprocess.PIPE, check=True, text=True)
        return done.stdout

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """`appliance run` on the recording, again and again; in good order to the end of the block."""
        line = self._line("run", "--camera", str(self._pictures), "--when", "always")
        process = subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
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

    def decisions(self) -> int:
        """How many times somebody was identified, by the log."""
        return len(self.call("events", "list", "--type", "subject_identified", "--json").splitlines())

    def _line(self, *command: str) -> list[str]:
        return [sys.executable, "-m", "appliance", "--state", str(self.layout.state), *command]


@contextlib.contextmanager
def prepared() -> Iterator[Box]:
    """A box in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="appliance-bench-") as folder:
        box = Box(Path(folder))
        box.prepare()
        yield box


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
