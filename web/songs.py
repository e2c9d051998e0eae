"""Songs: the library, whose song is which, hearing one, adding one, the volume, and silence.

Shows and asks; files go to the desk as they came, and no sound is decoded here.
"""

from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import ActionError, FormError, PeerGoneError, SongError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.requests import UPLOAD_BYTES, takes

blueprint = Blueprint("songs", __name__, url_prefix="/songs")

DEFAULT_S: Final = 20
_SLOW_S: Final = 75.0
_A_DAY: Final = "private, max-age=86400"
_OUTPUTS: Final = {
    "off": "Switched off",
    "device": "The box's loudspeakers",
    "file": "A file on the box, unheard",
}


@blueprint.get("")
@permission(Permission.PEOPLE)
def index() -> str:
    """The library, and who has which."""
    return _page()


@blueprint.get("/now")
@permission(Permission.PEOPLE)
def now() -> Response:
    """What the box plays, for the page's script."""
    return jsonify(ask("songs.now").result)


@blueprint.get("/<song>.mp3")
@permission(Permission.PEOPLE)
def audio(song: str) -> Response:
    """A song to be heard here."""
    return sound_response(ask("songs.audio", song=song))


@blueprint.get("/sounds/<sound>.mp3")
@permission(Permission.PEOPLE)
def sound_audio(sound: str) -> Response:
    """A sound that ships with the appliance, to be heard here."""
    return sound_response(ask("songs.sound_audio", sound=sound))


@blueprint.get("/new")
@permission(Permission.ENROL)
def new() -> str:
    """The form for a file."""
    return render_template("songs/new.html", error=None, given={"seconds": DEFAULT_S, "start_s": 0})


@blueprint.post("/new")
@permission(Permission.ENROL)
@takes(UPLOAD_BYTES)
def add() -> AnyResponse:
    """Make a song of a part of a file."""
    given = {name: request.form.get(name, "").strip() for name in ("title", "licence", "start_s", "seconds")}
    try:
        made = _added(given)
    except (FormError, SongError) as error:
        if request.accept_mimetypes.best == "application/json":
            raise
        wrong = error
        if isinstance(error, SongError):
            wrong = FormError(error.message, fields={"file": error.message}, hint=error.hint)
        return make_response(render_template("songs/new.html", error=wrong, given=given), 422)
    flash(f"“{made['title']}” is in the library, {made['seconds']:.0f} seconds long.", "good")
    if request.accept_mimetypes.best == "application/json":
        return jsonify({"next": url_for("songs.index")})
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/choose/<sound>")
@permission(Permission.ENROL)
def choose(sound: str) -> AnyResponse:
    """Put a sound that ships with the appliance into the library."""
    made = ask("songs.choose", sound=sound).result
    flash(f"“{made['title']}” is in the library.", "good")
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/<song>/rename")
@permission(Permission.ENROL)
def rename(song: str) -> AnyResponse:
    """Another title."""
    try:
        ask("songs.rename", song=song, title=request.form.get("title", ""))
    except FormError as error:
        return make_response(_page(error, renamed=song), 422)
    flash("Renamed.", "good")
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/<song>/remove")
@permission(Permission.ENROL)
def remove(song: str) -> AnyResponse:
    """Delete one; whoever had it has none."""
    ask("songs.remove", song=song)
    flash("The song was removed.", "good")
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/<song>/play")
@permission(Permission.ENROL)
def play(song: str) -> AnyResponse:
    """Play one where songs are played."""
    output = "screen" if request.form.get("output") == "screen" else "box"
    try:
        ask("songs.play", song=song, output=output, timeout_s=_SLOW_S)
    except (ActionError, PeerGoneError) as error:
        flash(f"{error.message}. {error.hint}".replace("..", ".").strip(), "warn")
    else:
        flash("It plays on the screens now." if output == "screen" else "It plays on the box now.", "good")
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/stop")
@permission(Permission.PEOPLE)
def stop() -> AnyResponse:
    """Silence."""
    told = ask("songs.stop").result
    if told["songs"]:
        flash("Stopped.", "good")
    elif told["there"]:
        flash("Nothing was playing.")
    else:
        flash("Nothing that plays songs runs just now.", "warn")
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/give")
@permission(Permission.ENROL)
def give() -> AnyResponse:
    """Make a song somebody's theme song; without a song they have none."""
    person, song = request.form.get("person", ""), request.form.get("song", "")
    if not person:
        wrong = FormError("person: choose somebody", fields={"person": "choose somebody"})
        return make_response(_page(wrong), 422)
    ask("songs.give", person=person, song=song or None)
    flash("It is their theme song now." if song else "They have no theme song any more.", "good")
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/default")
@permission(Permission.SETTINGS)
def default() -> AnyResponse:
    """The song of whoever has none of their own."""
    song = request.form.get("song", "")
    ask("songs.default", song=song or None)
    flash("Saved." if song else "Who has no song of their own hears none.", "good")
    return redirect(url_for("songs.index"), code=303)


@blueprint.post("/volume")
@permission(Permission.SETTINGS)
def volume() -> AnyResponse:
    """How loud."""
    try:
        wanted = int(request.form.get("volume", ""))
    except ValueError as error:
        wrong = FormError("volume: a number from 0 to 100", fields={"volume": "a number from 0 to 100"})
        raise wrong from error
    ask("songs.volume", volume=wanted)
    if request.accept_mimetypes.best == "application/json":
        return jsonify({"volume": wanted})
    flash("Saved.", "good")
    return redirect(url_for("songs.index"), code=303)


def sound_response(answered: Any) -> Response:
    """The audio of an answer of the desk, kept by the browser for a while."""
    response = make_response(answered.blob)
    response.headers["Content-Type"] = answered.result["media_type"]
    response.headers["Cache-Control"] = _A_DAY
    return response


def _page(error: FormError | None = None, *, renamed: str = "") -> str:
    listed = ask("songs.list").result
    titles = {song["id"]: song["title"] for song in listed["songs"]}
    kind, _, name = listed["output"].partition(":")
    where = f"A device called “{name}”" if kind == "device" and name != "default" else _OUTPUTS[kind]
    return render_template(
        "songs/index.html",
        listed=listed,
        titles=titles,
        whom=[("", "Choose somebody"), *_whom(listed["people"])],
        sounds=ask("songs.sounds").result,
        now=ask("songs.now").result,
        where=where,
        error=error,
        renamed=renamed,
    )


def _whom(people: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Who may be given a song: id and words."""
    return [
        (each["id"], (each["name"] or "Somebody") + ("" if each["agreed"] else " (did not agree to it)"))
        for each in people
    ]


def _added(given: dict[str, str]) -> dict[str, Any]:
    """Have the desk make it.

    Raises:
        FormError: A number that is none, or no file.
        SongError: The file cannot be made into a song.
    """
    fields = {}
    numbers = {}
    for name, otherwise in (("start_s", 0.0), ("seconds", float(DEFAULT_S))):
        try:
            numbers[name] = float(given[name].replace(",", ".")) if given[name] else otherwise
        except ValueError:
            fields[name] = "a number of seconds"
    file = request.files.get("file")
    content = b"" if file is None else file.read()
    if not content:
        fields["file"] = "choose a file"
    if not given["title"]:
        fields["title"] = "a song has a title"
    if fields:
        raise FormError("Something is missing.", fields=fields)
    answered = ask(
        "songs.add",
        blob=content,
        timeout_s=_SLOW_S,
        title=given["title"],
        licence=given["licence"],
        **numbers,
    )
    made: dict[str, Any] = answered.result
    return made
