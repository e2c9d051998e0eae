"""What `appliance doctor` finds of an appliance that runs, but not well."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance.app.examining import Finding, examine
from appliance.services import Layout
from appliance.settings import Settings
from appliance.wire import Reply, Server
from appliance.wire.messages import (
    ChildStatus,
    Status,
    StatusRequest,
    SupervisorStatus,
    SupervisorStatusRequest,
)


@contextlib.contextmanager
def running(layout: Layout, records: Mapping[str, Any]) -> Iterator[None]:
    """A supervisor and a loop that say these things of themselves."""
    child = ChildStatus(name="loop", pid=1, state="running", restarts=0)
    supervisor = SupervisorStatus(pid=1, uptime_s=1.0, children=(child,))
    loop = Status(process="loop", pid=1, uptime_s=1.0, details={"records": records})
    with (
        Server(layout.socket("supervisor"), {SupervisorStatusRequest: lambda _: Reply(supervisor)}),
        Server(layout.socket("loop"), {StatusRequest: lambda _: Reply(loop)}),
    ):
        yield


def recording(layout: Layout) -> list[Finding]:
    """What it finds of the thread that writes the log."""
    return [finding for finding in examine(Settings(), layout) if finding.subject == "recording"]


@pytest.mark.parametrize(
    ("records", "problems"),
    [({"failing": True, "waiting": 7}, 1), ({"failing": False, "waiting": 0}, 0), ({}, 0)],
)
def test_a_log_that_takes_nothing_is_a_problem(
    tmp_path: Path, records: Mapping[str, Any], problems: int
) -> None:
    """The loop goes on and keeps what it decides in memory; somebody has to be told why and how much."""
    layout = Layout(tmp_path / "state")
    with running(layout, records):
        found = recording(layout)

    assert problems == len(found)
    assert ["problem"] * problems == [finding.health for finding in found]
    assert all("7 record(s) wait" in finding.words and finding.hint for finding in found)
