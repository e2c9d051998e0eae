"""The rules there are: what each says and did lately; on and off, their order, removing one."""

from datetime import timedelta
from typing import Final

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import DeniedError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.failed import lately_failed
from web.rules.examples import EXAMPLES
from web.rules.site import blueprint
from web.rules.words import KINDS, times
from web.words import sentence

_LATELY: Final = timedelta(days=7)


@blueprint.get("/rules")
@permission(Permission.RULES)
def index() -> str:
    """All of them, in their order; where there is none, three to begin with."""
    return render_template(
        "rules/index.html",
        rules=ask("rules.list").result["rules"],
        failed=lately_failed(ask("outbox.list", states=["dead"], limit=1).result, _LATELY),
        examples=EXAMPLES,
        kinds=KINDS,
        times=times,
    )


@blueprint.post("/rules/<rule>/switch")
@permission(Permission.RULES)
def switch(rule: str) -> Response:
    """On or off; it holds at once."""
    on = bool(request.form.get("enabled"))
    try:
        ask("rules.switch", rule=rule, enabled=on)
    except DeniedError as error:
        flash(sentence(error.message), "bad")
    return redirect(f"{url_for('rules.index')}#rule-{rule}", code=303)


@blueprint.post("/rules/<rule>/move")
@permission(Permission.RULES)
def move(rule: str) -> Response:
    """Another place among the others."""
    place = request.form.get("place", "")
    ask("rules.move", rule=rule, place=int(place) if place.isdecimal() and len(place) < len("1000") else 0)
    return redirect(f"{url_for('rules.index')}#rule-{rule}", code=303)


@blueprint.post("/rules/<rule>/remove")
@permission(Permission.RULES)
def remove(rule: str) -> Response:
    """Let one go."""
    ask("rules.remove", rule=rule)
    flash("The rule is removed. What it had asked for already is still done.", "good")
    return redirect(url_for("rules.index"), code=303)
