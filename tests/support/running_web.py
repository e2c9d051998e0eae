"""The real thing on a temporary state: desk and web as processes of their own, and an admin who may sign in.

with run_web(tmp_path / "state") as running:
page.goto(running.url)
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from web_site import CHEAP, PASSWORD

from appliance.app.desk.passwords import Passwords
from appliance.cli.context import Context
from appliance.services import Services
from web.desk import DeskClient

ADMIN = "Ada"
SETTINGS = """
[web]
port = 0
"""
_PATIENCE_S = 60.0


@dataclass
class Running:
    """Processes that serve the pages.

    Attributes:
        state: The state directory.
        context: Of its commands; gives their command lines.
        children: By name.
        url: Where the pages are, without a slash at the end; empty where web does not run.
        code: The first admin's code; empty once there is an admin.
    """

    state: Path
    context: Context
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    url: str = ""
    code: str = ""

    @property
    def desk(self) -> DeskClient:
        """The desk, for asking it directly."""
        return DeskClient(self.context.layout.socket("desk"))

    def secret(self, name: str = ADMIN) -> str:
        """The secret of a new session of somebody."""
        return str(self.desk.ask("session.open", {"name": name, "password": PASSWORD}).result["secret"])

    def start(self, name: str) -> None:
        """Start a process as the supervisor would, and wait until it answers."""
        environment = {key: value for key, value in os.environ.items() if key != "LISTEN_PID"}
        self.children[name] = subprocess.Popen(
            self.context.renewed_command(name), stdin=subprocess.DEVNULL, env=environment
        )
        layout = self.context.layout
        ready = layout.web_file if name == "web" else layout.socket(name)
        wait_for(lambda: ready.exists() or self.children[name].poll() is not None, f"{name} to answer")
        if self.children[name].poll() is not None:
            raise RuntimeError(f"{name} ended with {self.children[name].returncode}")
        if name == "web":
            told: dict[str, Any] = json.loads(layout.web_file.read_text())
            self.url = f"https://localhost:{told['port']}"

    def stop(self, name: str, *, kill: bool = False) -> float:
        """End a process, in good order or not; seconds it took."""
        child = self.children.pop(name)
        began = time.monotonic()
        child.kill() if kill else child.terminate()
        child.wait(30)
        return time.monotonic() - began


def wait_for(true: Callable[[], bool], what: str, *, within_s: float = _PATIENCE_S) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: It was not, in time.
    """
    until = time.monotonic() + within_s
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {within_s:g} s for {what}")
        time.sleep(0.05)


@contextmanager
def run_web(
    state: Path,
    *,
    settings: str = SETTINGS,
    processes: Sequence[str] = ("desk", "web"),
    admin: bool = True,
    prepare: Callable[[Services], None] | None = None,
) -> Iterator[Running]:
    """Start processes on a new state, and end them.

    Args:
        state: The state directory; made.
        settings: The settings file; port 0 for the pages.
        processes: Names, in the order in which they are started: models, loop, dispatch, desk, web.
        admin: Whether there is an admin already (`ADMIN`, `web_site.PASSWORD`).
        prepare: Puts people and events there before anything starts.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / "appliance.toml").write_text(settings, encoding="utf-8")
    running = Running(state, Context(None, state))
    with running.context.services(create=True) as services:
        running.code = services.store.first_run_code()
        if admin:
            services.store.add_first_admin(running.code, ADMIN, Passwords(CHEAP).hash(PASSWORD))
            running.code = ""
        if prepare is not None:
            prepare(services)
    with ExitStack() as stack:
        stack.callback(_end, running)
        for name in processes:
            running.start(name)
        yield running


def _end(running: Running) -> None:
    for child in reversed(running.children.values()):
        child.terminate()
    for name, child in running.children.items():
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(10)
            sys.stderr.write(f"{name} had to be killed\n")
