"""Hosted functions: whether this system contains them, and how those that are deployed are."""

from collections.abc import Iterator

from appliance.app.examining.finding import Finding
from appliance.errors import WireError
from appliance.phrases import counted
from appliance.services import Layout
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import FunctionsListed, ListFunctions

_PATIENCE_S = 10.0
_PHASES = {"waiting": "it failed and is started again after a pause", "refused": "it was not started"}


def hosted(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Containment, and every deployed function."""
    from appliance.deeplens.containment import containment  # noqa: PLC0415 - only where functions are hosted
    from appliance.deeplens.projects import Projects  # noqa: PLC0415

    if not settings.deeplens.enabled:
        yield Finding("functions", "ok", "DeepLens functions are not hosted: that is switched off")
        return
    here = containment()
    if here.works:
        yield Finding("functions", "ok", here.statement)
    else:
        accepted = settings.deeplens.accept_uncontained
        words = "and run all the same: that was accepted" if accepted else "and are therefore not started"
        yield Finding("functions", "note", f"{here.statement.rstrip('.')}, {words}", here.hint)
    deployed, damaged = Projects(layout.functions).look()
    for each in damaged:
        yield Finding(
            f"function {each.name}",
            "problem",
            each.reason,
            "deploy it again, or remove it",
            f"appliance deeplens remove {each.name}",
        )
    if deployed:
        yield from _running(layout, len(deployed))


def _running(layout: Layout, deployed: int) -> Iterator[Finding]:
    """How those are that are hosted now."""
    client = Client(layout.socket("functions"), timeout_s=_PATIENCE_S)
    try:
        listed = client.call(ListFunctions(), FunctionsListed).message
    except WireError:
        yield Finding(
            "functions", "note", f"{counted(deployed, 'function')} deployed; nothing hosts them now"
        )
        return
    for each in listed.functions:
        if each.phase == "damaged":
            continue
        if each.phase in _PHASES:
            words = f"{_PHASES[each.phase]}: {each.fault}"
            command = f"appliance deeplens logs {each.name}"
            yield Finding(f"function {each.name}", "problem", words, "see what it prints", command)
        elif each.trouble:
            words = f"{each.phase}, but it gets no frames: {each.trouble}"
            yield Finding(
                f"function {each.name}", "problem", words, "look at the camera, or deploy it to another"
            )
        elif each.missing:
            words = f"{each.phase}, but it asked for models that there are not: {', '.join(each.missing)}"
            command = "appliance deeplens models list"
            yield Finding(f"function {each.name}", "note", words, "install them", command)
        else:
            words = f"{each.phase}; {counted(each.messages, 'message')} published"
            yield Finding(f"function {each.name}", "ok", words)
