"""In words: what became of hosted functions."""

from appliance.dispatch.said import Call, said
from appliance.events import FunctionChanged, FunctionDeployed

_CHANGED = {
    "function_started": "runs",
    "function_stopped": "was stopped",
    "function_failed": "failed",
}
_WHY = {
    "": "",
    "ended": ": it ended by itself",
    "silent": ": it gave no sign of life",
    "limits": ": it used more than it may",
    "refused": ": this system does not contain it, and nobody accepted that",
    "failed": "",
}


@said.register
def _(event: FunctionDeployed, _call: Call) -> str:
    if event.type == "function_removed":
        return f"function {event.function} was removed"
    network = f"; it may reach {', '.join(event.network)}" if event.network else ""
    contained = "" if event.contained else "; it is not contained, which was accepted"
    return f"function {event.function} was deployed{network}{contained}"


@said.register
def _(event: FunctionChanged, _call: Call) -> str:
    return f"function {event.function} {_CHANGED[event.type]}{_WHY[event.reason]}"
