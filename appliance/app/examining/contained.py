"""Functions: whether this system contains them, and what is open where it does not."""

from collections.abc import Iterator

from appliance.app.examining.finding import Finding
from appliance.deeplens.containment import Containment, containment
from appliance.deeplens.projects import Projects
from appliance.services import Layout
from appliance.settings import Settings

_SUBJECT = "functions"


def contained(settings: Settings, layout: Layout, here: Containment | None = None) -> Iterator[Finding]:
    """Whether a function would be contained; nothing where functions are off.

    Args:
        settings: Say whether they are on, and whether less was accepted.
        layout: Where functions lie.
        here: What the system allows; None: found out, by starting one that does nothing.
    """
    if not settings.deeplens.enabled:
        return
    here = here or containment()
    if here.works:
        yield Finding(_SUBJECT, "ok", here.statement)
        return
    accepted = settings.deeplens.accept_uncontained
    words = " ".join((here.statement, *((f"({here.detail})",) if here.detail else ()), *here.not_contained))
    deployed = bool(Projects(layout.functions).all())
    if accepted:
        yield Finding(_SUBJECT, "note", f"{words} That was accepted.", here.hint)
    else:
        yield Finding(_SUBJECT, "problem" if deployed else "note", f"{words} None is started.", here.hint)
