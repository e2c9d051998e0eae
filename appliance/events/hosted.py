"""Hosted functions: deployed, started, stopped, failed. What they publish is no event."""

from typing import Literal

from appliance.events.event import Event


class FunctionDeployed(Event):
    """A function was deployed, or another version in its place, or it was removed."""

    type: Literal["function_deployed", "function_removed"]
    function: str
    """Its name, which whoever deployed it chose."""
    source_sha256: str = ""
    """Of what was deployed."""
    network: tuple[str, ...] = ()
    """Hosts that were granted to it."""
    contained: bool = True
    """Whether it is held off from the rest of the box."""


class FunctionChanged(Event):
    """A hosted function began, ended, or failed.

    A function that fails again and again is told once for each longer pause before its next start.
    """

    type: Literal["function_started", "function_stopped", "function_failed"]
    function: str
    reason: Literal["", "ended", "silent", "limits", "refused", "failed"] = ""
    """Why it failed: it ended; it gave no sign of life, or took no frames; it used more than it may; this
    system does not contain it; anything else. In words it is in the function's log."""
