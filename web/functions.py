"""DeepLens functions: which are deployed, how they are, deploying one, what it publishes, prints and draws.

Files go to the desk as they came; nothing of them is opened here. Pictures of a project stream are handed on
as the function wrote them, between lines that it cannot know (`picture_parts`). What a function says is shown
with escapes in place of what would change colours, hide text or turn its direction. While the process that
hosts functions is away the pages say that, and nothing is taken for removed.
"""

import re
from collections.abc import Generator
from pathlib import PurePath
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from flask import url_for as address
from werkzeug.wrappers import Response as AnyResponse

from appliance.deeplens.function_log import harmless
from appliance.errors import ApplianceError, FormError, PeerGoneError
from appliance.permissions import Permission
from web.access import credential, permission
from web.asking import ask
from web.picture_parts import PictureParts
from web.requests import UPLOAD_BYTES, takes
from web.streams import stream
from web.surroundings import surroundings

blueprint = Blueprint("functions", __name__, url_prefix="/functions")

PHASES: Final = {
    "running": ("Running", "good"),
    "starting": ("Starting", ""),
    "waiting": ("Starts again soon", "warn"),
    "refused": ("Not allowed to run", "bad"),
    "damaged": ("Damaged", "bad"),
    "stopped": ("Stopped", ""),
}
"""How a function is → words and the kind of badge."""
RUNTIMES: Final = (("", "As its sources look"), ("python2", "Python 2.7"), ("python3", "Python 3"))
AWAY: Final = "The part that hosts functions does not run just now."
_AGAIN: Final = {"Retry-After": "3"}
_WAIT_S: Final = 2.0
_SLOW_S: Final = 95.0
_STOP_S: Final = 35.0
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]+")


@blueprint.get("")
@permission(Permission.FUNCTIONS)
def index() -> str:
    """All that are deployed."""
    return render_template("functions/index.html", listed=_listed(), phases=PHASES)


@blueprint.get("/new")
@permission(Permission.FUNCTIONS)
def new() -> str:
    """The form for a zip."""
    return _form(None, {})


@blueprint.post("/new")
@permission(Permission.FUNCTIONS)
@takes(UPLOAD_BYTES)
def deploy() -> AnyResponse:
    """Deploy a zip or a .py file."""
    names = ("name", "runtime", "handler", "camera", "subscriptions", "network", "variables")
    given = {name: request.form.get(name, "").strip() for name in names}
    try:
        taken = _deployed(given)
    except FormError as error:
        return make_response(_form(error, given), 422)
    except PeerGoneError:
        gone = FormError(
            "The part that hosts functions did not answer: it is starting, or it was stopped.",
            fields={"file": "choose the file again"},
            hint="wait a moment, then send it once more; what was filled in is kept",
        )
        return make_response(_form(gone, given), 503, _AGAIN)
    flash(
        f"{taken['name']} is deployed{' in place of the one before' if taken['replaced'] else ''}"
        f"{', ported to run today' if taken['changed'] else ''}.",
        "good",
    )
    for path, why in taken["failed"].items():
        flash(_plain(f"{path} could not be ported: {why}"), "warn")
    return redirect(address("functions.show", name=taken["name"]), code=303)


@blueprint.get("/<name>")
@permission(Permission.FUNCTIONS)
def show(name: str) -> str | Response:
    """One: how it is, its project stream, its messages, what it printed, what was changed of it."""
    listed = _listed()
    if not listed["there"]:
        return make_response(render_template("functions/away.html", name=name), 503, _AGAIN)
    one = next((each for each in listed["functions"] if each["name"] == name), None)
    if one is None:
        abort(404)
    return render_template(
        "functions/show.html",
        one=one,
        listed=listed,
        phases=PHASES,
        messages=_or_none("functions.messages", name) or {"messages": [], "newest": 0, "dropped": 0},
        lines=_or_none("functions.log", name) or [],
        porting=_or_none("functions.porting", name),
    )


@blueprint.get("/<name>/now")
@permission(Permission.FUNCTIONS)
def now(name: str) -> Response:
    """How one is and what it published since, for the page's script; 503 with words while nobody knows."""
    listed = _listed()
    if not listed["there"]:
        fault = {"code": "functions_away", "message": AWAY, "hint": "What is shown is from before."}
        return make_response(jsonify(error=fault), 503, _AGAIN)
    one = next((each for each in listed["functions"] if each["name"] == name), None)
    if one is None:
        abort(404)
    after = request.args.get("after", "0")
    known = int(after) if after.isascii() and after.isdigit() and len(after) < len("1000000000000") else 0
    words, kind = PHASES.get(one["phase"], (one["phase"], ""))
    told = _plain(ask("functions.messages", name=name, after=known).result)
    return jsonify({"function": one, "phase": words, "kind": kind, **told})


@blueprint.get("/<name>/project.mjpeg")
@permission(Permission.FUNCTIONS)
def pictures(name: str) -> Response:
    """One's project stream, picture after picture, until the reader goes."""
    listed = _listed()
    if not listed["there"]:
        raise PeerGoneError(AWAY)
    if all(each["name"] != name for each in listed["functions"]):
        abort(404)
    parts = PictureParts()
    return stream(_pictures(name, parts), parts.kind, Permission.FUNCTIONS)


@blueprint.post("/<name>/start")
@permission(Permission.FUNCTIONS)
def start(name: str) -> AnyResponse:
    """Let it run."""
    ask("functions.start", name=name)
    flash(f"{name} starts.", "good")
    return redirect(address("functions.show", name=name), code=303)


@blueprint.post("/<name>/stop")
@permission(Permission.FUNCTIONS)
def stop(name: str) -> AnyResponse:
    """End it; it stays deployed."""
    ask("functions.stop", name=name, timeout_s=_STOP_S)
    flash(f"{name} is stopped.", "good")
    return redirect(address("functions.show", name=name), code=303)


@blueprint.post("/<name>/remove")
@permission(Permission.FUNCTIONS)
def remove(name: str) -> AnyResponse:
    """End it and delete all that belongs to it."""
    ask("functions.remove", name=name, timeout_s=_STOP_S)
    flash(f"{name} is removed.", "good")
    return redirect(address("functions.index"), code=303)


def _pictures(name: str, parts: PictureParts) -> Generator[bytes]:
    around, secret = surroundings(), credential()

    def flow() -> Generator[bytes]:
        number, part = 0, b""
        yield parts.beginning
        while not around.stopping.is_set():
            asked = {"name": name, "after": number, "wait_s": _WAIT_S}
            try:
                found = around.desk.ask("functions.picture", asked, credential=secret, timeout_s=_WAIT_S * 4)
            except PeerGoneError:  # it starts again, and numbers its pictures anew
                number = 0
                yield part
                around.stopping.wait(_WAIT_S)
                continue
            if found.result["sequence"] not in {0, number}:
                number = found.result["sequence"]
                part = parts.part(found.blob)
            # The last one again when all is quiet: browsers show a part once the next begins, and a reader
            # who is gone is noticed.
            yield part

    return flow()


def _form(error: FormError | None, given: dict[str, str]) -> str:
    return render_template(
        "functions/new.html", error=error, given=given, listed=_listed(), runtimes=RUNTIMES
    )


def _listed() -> dict[str, Any]:
    """Every function and how it is; `there` is false while the process that hosts them is away."""
    listed: dict[str, Any] = _plain(ask("functions.list").result)
    return listed


def _plain(told: Any) -> Any:
    """What functions say, at any depth of an answer, fit to be shown, see `harmless`; ends of lines stay."""
    if isinstance(told, str):
        return told if told.isprintable() else "\n".join(harmless(line) for line in told.split("\n"))
    if isinstance(told, list):
        return [_plain(each) for each in told]
    if isinstance(told, dict):
        return {_plain(key): _plain(value) for key, value in told.items()}
    return told


def _deployed(given: dict[str, str]) -> dict[str, Any]:
    """Have the desk deploy what was sent.

    Raises:
        FormError: There is no file, or it cannot be taken.
    """
    file = request.files.get("file")
    content = b"" if file is None else file.read()
    if file is None or not content:
        raise FormError("Something is missing.", fields={"file": "choose a zip or a .py file"})
    called = PurePath(file.filename or "").name
    name = given["name"] or _NOT_IN_NAMES.sub("-", PurePath(called).stem).strip("-_")[:64] or "function"
    taken: dict[str, Any] = ask(
        "functions.deploy",
        blob=content,
        timeout_s=_SLOW_S,
        name=name,
        file=called[-255:] or "function.zip",
        runtime=given["runtime"] or None,
        handler=given["handler"],
        camera=given["camera"],
        subscriptions=given["subscriptions"].split(),
        network=given["network"].split(),
        variables=_variables(given["variables"]),
    ).result
    return taken


def _variables(text: str) -> dict[str, str]:
    """Variables, one a line.

    Raises:
        FormError: A line has no name or no value, or a name stands there twice.
    """
    found = {}
    for line in filter(str.strip, text.split("\n")):
        name, equals, value = (each.strip() for each in line.partition("="))
        if not (equals and name):
            raise FormError("Something is not right.", fields={"variables": "write NAME=value, one a line"})
        if name in found:
            raise FormError("Something is not right.", fields={"variables": "one of them stands there twice"})
        found[name] = value
    return found


def _or_none(operation: str, name: str) -> Any:
    """What is there of one; None where it has nothing of that kind, as a damaged one has."""
    try:
        return _plain(ask(operation, name=name).result)
    except ApplianceError:
        return None
