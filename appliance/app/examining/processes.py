"""The running appliance: its processes, and whether it can write what it decides."""

from collections.abc import Iterator

from appliance.app.examining.finding import Finding
from appliance.errors import WireError
from appliance.phrases import counted
from appliance.services import Layout
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import Status, StatusRequest, SupervisorStatus, SupervisorStatusRequest

_PATIENCE_S = 2.0


def answers(layout: Layout) -> bool:
    """Whether an appliance runs on this state directory."""
    try:
        Client(layout.socket("supervisor"), timeout_s=_PATIENCE_S).call(
            SupervisorStatusRequest(), SupervisorStatus
        )
    except WireError:
        return False
    return True


def processes(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Each process of the running appliance.

    Raises:
        WireError: It went away while it was asked.
    """
    del settings
    if not answers(layout):
        command = "start it with: appliance run"
        yield Finding("processes", "note", "the appliance does not run", command=command)
        return
    status = Client(layout.socket("supervisor")).call(SupervisorStatusRequest(), SupervisorStatus).message
    yield from _records(layout)
    for child in status.children:
        well = child.state == "running"
        again = "once" if child.restarts == 1 else f"{child.restarts} times"
        words = f"{child.state}, started again {again}" if child.restarts else child.state
        if child.last_exit and not child.last_exit.startswith("restarted on request"):
            words += f", last ended: {child.last_exit}"
        hint = "" if well else "what it said last stands in what the appliance says on its own output"
        command = "" if well else "its standard error, or journalctl"
        yield Finding(f"process {child.name}", "ok" if well else "problem", words, hint, command)


def _records(layout: Layout) -> Iterator[Finding]:
    """Whether the running loop can write what it decides."""
    try:
        status = Client(layout.socket("loop"), timeout_s=_PATIENCE_S).call(StatusRequest(), Status).message
    except WireError:
        return  # the loop's own line says how it is
    records = status.details.get("records", {})
    if records.get("failing"):
        yield Finding(
            "recording",
            "problem",
            f"the database takes nothing; {counted(records.get('waiting', 0), 'record')} in memory",
            "free some space on the state directory's disk",
        )
