"""Operations of the machine: how its processes are, and what `appliance doctor` says of it.

An examination takes seconds and opens cameras, so it is a process of its own that ends with it; there is
one at a time, and the last one is kept to be shown meanwhile. Nothing is mended from here.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from appliance.app.desk.operations import Answer, Asked, Nothing, Operation
from appliance.app.desk.times import moment
from appliance.errors import ApplianceError, ThrottledError, WireError
from appliance.permissions import Permission
from appliance.services import Layout, Services
from appliance.settings.overlay import SettingsFiles
from appliance.wire import Client
from appliance.wire.messages import SupervisorStatus, SupervisorStatusRequest

_PATIENCE_S = 2.0
_AGAIN_S = 5.0

_LONGEST_S: Final = 90.0
"""A camera that does not answer takes a few seconds; whatever takes longer than this is stuck."""

Examine = Callable[[], Sequence[dict[str, Any]]]
"""Every finding, as `appliance doctor --json` gives them; it may take long."""


def doctor(files: SettingsFiles, layout: Layout, *, longest_s: float = _LONGEST_S) -> list[dict[str, Any]]:
    """What `appliance doctor` says of this box.

    Raises:
        ApplianceError: It said nothing, or took too long.
    """
    command = [sys.executable, "-m", "appliance", "--state", str(layout.state)]
    if files.file is not None:
        command += ["--settings", str(files.file)]
    try:
        done = subprocess.run(
            [*command, "doctor", "--json"], capture_output=True, timeout=longest_s, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ApplianceError(
            "the machine could not be looked at in time",
            hint="try again; if it stays so, look at what the appliance says on its own output",
        ) from error
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError as error:
        last = done.stderr.strip().rpartition("\n")[2][:300]
        raise ApplianceError(
            f"the machine could not be looked at: {last}",
            hint="try again; if it stays so, look at what the appliance says on its own output",
        ) from error
    return found


class System:
    """Tells how the machine is.

    Args:
        services: Where the supervisor listens, and the clock.
        examine: Looks at everything.
    """

    def __init__(self, services: Services, examine: Examine) -> None:
        self._supervisor = Client(services.layout.socket("supervisor"), timeout_s=_PATIENCE_S)
        self._clock = services.clock
        self._examine = examine
        self._busy = threading.Lock()
        self._last: dict[str, Any] | None = None

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("system.state", Nothing, Permission.SETTINGS, self.state),
            Operation("system.examine", Nothing, Permission.SETTINGS, self.examine),
        ]

    def state(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002 - an operation is told what was asked
        """The processes, if `appliance run` runs them, and the last examination, if there was one."""
        try:
            status = self._supervisor.call(SupervisorStatusRequest(), SupervisorStatus).message
        except WireError:
            return Answer({"supervised": False, "processes": [], "uptime_s": None, "examined": self._last})
        return Answer(
            {
                "supervised": True,
                "uptime_s": status.uptime_s,
                "processes": [each.model_dump(mode="json") for each in status.children],
                "examined": self._last,
            }
        )

    def examine(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002
        """Look at everything now; takes seconds.

        Raises:
            ThrottledError: Somebody's examination is under way.
            ApplianceError: It said nothing, or took too long.
        """
        if not self._busy.acquire(blocking=False):
            raise ThrottledError("it is being looked at right now", wait_s=_AGAIN_S)
        try:
            found = list(self._examine())
        finally:
            self._busy.release()
        healths = [each["health"] for each in found]
        self._last = {
            "at": moment(self._clock.wall()),
            "findings": found,
            "problems": healths.count("problem"),
            "notes": healths.count("note"),
        }
        return Answer(self._last)
