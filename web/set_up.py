"""Setting the appliance up, step by step: what is done, what comes next. The steps' own pages are elsewhere.

Each step is an ordinary page and may be done again at any time; while somebody is setting up, every page
shows the way back here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from appliance.errors import AccessError, ApplianceError, PeerGoneError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask_once
from web.forms import redirected_to
from web.words import there

blueprint = Blueprint("set_up", __name__, url_prefix="/set-up")

HERE: Final = "/set-up"
ONGOING: Final = "setting_up"
"""In the browser's notices: somebody is setting up."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        title: What it is.
        words: What it is for.
        icon: Its symbol.
        first: Where to do it the first time.
        again: Where to do it again.
        operation: Of the desk; what it answers says whether the step is done.
        count: From that answer, how many there are that do what they should.
        mend: From that answer, where one that does not is put right; empty: there is none.
        arguments: What the operation is told.
    """

    title: str
    words: str
    icon: str
    first: str
    again: str
    operation: str
    count: Callable[[Any], int]
    mend: Callable[[Any], str] = lambda _: ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


STEPS: Final = (
    Step(
        "The camera",
        "Where the pictures come from.",
        "camera",
        "/cameras/new",
        "/cameras",
        "cameras.list",
        lambda found: len(found["cameras"]),
    ),
    Step(
        "The door",
        "Where in the picture it is, and how it looks shut and open.",
        "door",
        "/doors/new",
        "/doors",
        "doors.list",
        lambda found: sum(not each["doubt"] for each in found["doors"]),
        lambda found: next((f"/doors/{each['id']}" for each in found["doors"] if each["doubt"]), ""),
    ),
    Step(
        "Who may open pictures of strangers",
        "Your public key. Without one, strangers are noted and no picture is kept.",
        "key",
        "/recipients",
        "/recipients",
        "recipients.list",
        len,
    ),
    Step(
        "The first person",
        "Yourself, if you like.",
        "person",
        "/people/enrol",
        "/people",
        "people.list",
        lambda found: int(found["total"]),
        arguments={"limit": 1},
    ),
)


@blueprint.get("")
@permission(Permission.SETTINGS)
def index() -> str:
    """All steps, and which is next."""
    steps = progress()
    left = [each for each in steps if not each["done"]]
    if left:
        session[ONGOING] = True
    else:
        session.pop(ONGOING, None)
    return render_template("set_up/index.html", steps=steps, next=left[0] if left else None)


@blueprint.post("/done")
@permission(Permission.SETTINGS)
def done() -> Response:
    """Enough for now."""
    session.pop(ONGOING, None)
    if all(each["done"] for each in progress()):
        flash("All set. The door is being watched.", "good")
    return redirect(url_for("home.dashboard"), code=303)


def progress() -> list[Mapping[str, Any]]:
    """Each step there is a page for: whether it is done, and where to do it."""
    return [_progress(step) for step in STEPS if there(step.first) and there(step.again)]


def onwards() -> Mapping[str, str] | None:
    """The step after the one just done, for a page that was reached from the steps; None: it was not."""
    if redirected_to(request.values.get("next"), "") != HERE:
        return None
    left = [each for each in progress() if not each["done"]]
    if not left:
        return {"href": HERE, "words": "Finish setting up"}
    title = left[0]["step"].title
    return {"href": left[0]["href"], "words": f"Next: {title[:1].lower()}{title[1:]}"}


def _progress(step: Step) -> Mapping[str, Any]:
    count, mend = 0, ""
    try:
        found = ask_once(step.operation, **step.arguments)
        count, mend = step.count(found), step.mend(found)
    except (AccessError, PeerGoneError):
        raise
    except ApplianceError:  # what it asks about is in disorder: then it is not done
        count = 0
    href = step.again if count else f"{mend or step.first}?next={HERE}"
    return {"step": step, "done": count > 0, "count": count, "href": href}
