"""Sentences about hosted functions."""

from collections.abc import Mapping
from typing import Final

from appliance.app.desk.saying import Names, quoted, said
from appliance.events import FunctionChanged, FunctionDeployed

_CHANGED: Final[Mapping[str, str]] = {
    "function_started": "runs",
    "function_stopped": "was stopped",
    "function_failed": "failed and is started again after a pause",
}
_WHY: Final[Mapping[str, str]] = {
    "ended": "failed: it ended by itself, and is started again after a pause",
    "silent": "failed: it gave no sign of life, and is started again after a pause",
    "limits": "failed: it used more of the machine than it may, and is started again after a pause",
    "refused": "was not started: this machine does not hold it off from the rest of the box",
}


@said.register
def _(event: FunctionDeployed, _: Names) -> str:
    whom = f"a function,{quoted(event.function)},"
    if event.type == "function_removed":
        return f"{whom} was removed"
    network = f"; it may reach {', '.join(event.network)}" if event.network else ""
    contained = "" if event.contained else "; it is not held off from the rest of the box, which was accepted"
    return f"{whom} was deployed{network}{contained}"


@said.register
def _(event: FunctionChanged, _: Names) -> str:
    return f"function{quoted(event.function)} {_WHY.get(event.reason, _CHANGED[event.type])}"
