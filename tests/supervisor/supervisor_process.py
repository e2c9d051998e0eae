"""A supervisor in a process of its own: `supervisor_process.py LOG CHILD-NAME:WHAT[:ARGUMENT…] …`.

Every change goes to LOG as `change TYPE PROCESS REASON`. It ends with the error's exit code.
"""

import sys
from pathlib import Path

from appliance import logs
from appliance.backoff import BackOff
from appliance.clock import SystemClock
from appliance.errors import ApplianceError
from appliance.events import ProcessChanged
from appliance.supervisor import ChildSpec, Supervisor

CHILD = Path(__file__).with_name("child_process.py")
LOG = Path(sys.argv[1])


def changed(event: ProcessChanged) -> None:
    """Write it down."""
    with LOG.open("ab", buffering=0) as log:
        log.write(f"change {event.type} {event.process} {event.reason}\n".encode())


def spec(text: str) -> ChildSpec:
    """A child from its name and what it does."""
    name, *what = text.split(":")
    return ChildSpec(name, (sys.executable, str(CHILD), name, str(LOG), *what))


if __name__ == "__main__":
    logs.configure("supervisor")
    supervisor = Supervisor(
        [spec(text) for text in sys.argv[2:]],
        changed,
        SystemClock(),
        BackOff(first_s=0.05, cap_s=0.2),
        grace_s=1.0,
    )
    try:
        supervisor.run()
    except ApplianceError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        sys.exit(error.exit_code)
