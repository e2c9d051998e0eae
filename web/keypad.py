"""The keypad of a lock: a page for a tablet beside a door, paired once, where people type their PIN.

It shows digits and whether the door opened, and nothing of anybody. The page itself is shown to whoever was
paired once, so that a tablet that is switched on while the appliance restarts gets it all the same; what it
sends counts for paired keypads alone. A PIN is in the body of one request and nowhere else.
"""

from typing import Any, Final

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import AccessError, FormError
from appliance.permissions import Permission
from web import cookies
from web.access import permission, public
from web.asking import ask

blueprint = Blueprint("keypad", __name__, url_prefix="/keypad")

_HELD_S: Final = 45.0
"""How long the desk may take to answer: it holds a PIN for some seconds, and then waits for the lock."""
_MOST: Final = 64


@blueprint.get("")
@public
def show() -> AnyResponse:
    """The page. Its cookie is renewed, so that a keypad stays paired for as long as it is used.

    A browser that was never paired is asked for a code at once: there is nothing that it could ask for.
    """
    if not request.cookies.get(cookies.KEYPAD):
        return redirect(url_for("keypad.pair"), code=303)
    return _renewed(make_response(render_template("keypad/keypad.html")))


@blueprint.get("/now")
@permission(Permission.KEYPAD)
def now() -> Response:
    """Where this keypad hangs, whether its lock takes PINs, and what the next PIN has to come with."""
    return _renewed(jsonify(ask("keypad.now").result))


@blueprint.post("/enter")
@permission(Permission.KEYPAD)
def enter() -> Response:
    """Hand a PIN over; answered when the door opened, or when its time is over."""
    given = request.get_json(silent=True)
    told: dict[str, Any] = given if isinstance(given, dict) else {}
    pin, turn = (str(told.get(name, ""))[:_MOST] for name in ("pin", "turn"))
    return jsonify(ask("keypad.enter", timeout_s=_HELD_S, pin=pin, turn=turn).result)


@blueprint.get("/pair")
@public
def pair() -> str:
    """The form for a code. A link's stands in the fragment, which no server sees, and is sent by itself."""
    return render_template("keypad/pair.html", error=None, code="", gone="gone" in request.args)


@blueprint.post("/pair")
@public
def paired() -> AnyResponse:
    """Take a code for the keypad's cookie."""
    code = request.form.get("code", "").strip()
    try:
        made = ask("keypads.pair", code=code, client=request.remote_addr or "").result
    except (AccessError, FormError) as error:
        return make_response(render_template("keypad/pair.html", error=error, code=code, gone=False), 422)
    response = redirect(url_for("keypad.show"), code=303)
    cookies.set_keypad(response, made["secret"])
    return response


def _renewed(response: Response) -> Response:
    secret = request.cookies.get(cookies.KEYPAD, "")
    if secret:
        cookies.set_keypad(response, secret)
    return response
