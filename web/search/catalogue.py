"""The catalogue's pages: its items, one of them, adding, changing and removing one, and how it is searched.

They show and ask; files go to the desk as they came. An item's id is whoever imports' own choice, so it
stands in the query of an address and in forms, never in a path.
"""

import re
import secrets
import unicodedata
from typing import Any, Final

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import ApplianceError, CameraError, FormError, ModelError, PhotoError, UnknownItemError
from appliance.permissions import Permission
from web.access import permission, who
from web.asking import ask
from web.requests import UPLOAD_BYTES, takes
from web.search.cameras import cameras_to_show
from web.search.exporting import archive
from web.search.words import BASES, WORK, host, safe

blueprint = Blueprint("catalogue", __name__, url_prefix="/search")

PAGE: Final = 60
FIELDS: Final = ("title", "link", "price", "notes")
_SLOW_S: Final = 60.0
_SLUG_CHARS: Final = 48
_TRIES: Final = 4


@blueprint.get("/catalogue")
@permission(Permission.SEARCH)
def index() -> str:
    """Its items, the newest first; those that have some words."""
    text, after = request.args.get("q", "").strip()[:200], _number(request.args.get("after"))
    page = ask("catalogue.items", text=text, after=after, limit=PAGE).result
    return render_template("search/catalogue.html", page=page, text=text, first=after is None)


@blueprint.get("/catalogue/export.zip")
@permission(Permission.CATALOGUE)
def export() -> Response:
    """All of it: a table and its pictures, as an import takes them."""
    response = Response(archive(), mimetype="application/zip", direct_passthrough=True)
    response.headers["Content-Disposition"] = 'attachment; filename="catalogue.zip"'
    return response


@blueprint.get("/catalogue/how")
@permission(Permission.SEARCH)
def how() -> str:
    """By what it is searched, from which likeness on something counts, and what is under way."""
    state = ask("search.state").result
    return render_template(
        "search/how.html", state=state, size=ask("catalogue.size").result, bases=BASES, doing=WORK
    )


@blueprint.post("/catalogue/calibrate")
@permission(Permission.CATALOGUE)
def calibrate() -> AnyResponse:
    """Find anew from which likeness on something counts."""
    given = request.form.get("rate", "").strip()
    rate = _share(given)
    if given and rate is None:
        wanted = "a number between 0 and 100"
        raise FormError(f"rate: {wanted}", fields={"rate": wanted})
    ask("search.calibrate", rate=rate)
    flash("It is being found; that takes a moment for each item.", "good")
    return redirect(url_for("catalogue.how"), code=303)


@blueprint.post("/catalogue/refeaturize")
@permission(Permission.CATALOGUE)
def refeaturize() -> AnyResponse:
    """Describe every picture by the network that the settings name, and search by that then."""
    try:
        ask("search.refeaturize", model=None, timeout_s=_SLOW_S)
    except ModelError as error:
        flash(f"{error.message}. {error.hint}", "bad")
    else:
        flash("Every picture is being described anew; meanwhile it is searched as before.", "good")
    return redirect(url_for("catalogue.how"), code=303)


@blueprint.get("/items/new")
@permission(Permission.CATALOGUE)
def new() -> str:
    """The form for one more."""
    return _form(None, {}, None)


@blueprint.post("/items/new")
@permission(Permission.CATALOGUE)
@takes(UPLOAD_BYTES)
def add() -> AnyResponse:
    """Add one, with the pictures that were chosen or with what a camera shows now."""
    given = {name: request.form.get(name, "") for name in ("item", *FIELDS)}
    files = _files()
    try:
        made = _added(given, files, request.form.get("camera", "") if _by_camera() else "")
    except (FormError, PhotoError, CameraError) as error:
        return make_response(_form(_worded(error, "camera" if _by_camera() else "file"), given, None), 422)
    flash(f"“{made['title']}” is in the catalogue. Show it to the camera: its card appears.", "good")
    for number, content in enumerate(files[1:], 2):
        try:
            _more(made["item"], [content], "")
        except ApplianceError as error:  # it is there: the form again would add it twice
            flash(f"Picture {number} was not added: {error.message}. {error.hint}".strip(), "bad")
    return redirect(url_for("catalogue.show", item=made["item"]), code=303)


@blueprint.get("/item")
@permission(Permission.SEARCH)
def show() -> str:
    """One, with its pictures."""
    return _shown(_which(request.args.get("item", "")))


@blueprint.get("/item/edit")
@permission(Permission.CATALOGUE)
def edit() -> str:
    """The form for what one says."""
    one = _one(_which(request.args.get("item", "")))
    return _form(None, one, one)


@blueprint.post("/item/edit")
@permission(Permission.CATALOGUE)
def change() -> AnyResponse:
    """Have one say something else."""
    item = _which(request.form.get("item", ""))
    one = _one(item)
    given: dict[str, Any] = {name: request.form.get(name, "") for name in FIELDS}
    try:
        ask("catalogue.put", item=item, **given)
    except FormError as error:
        return make_response(_form(error, given, one), 422)
    flash("Saved.", "good")
    return redirect(url_for("catalogue.show", item=item), code=303)


@blueprint.post("/item/remove")
@permission(Permission.CATALOGUE)
def remove() -> AnyResponse:
    """Remove one with its pictures."""
    ask("catalogue.remove", item=_which(request.form.get("item", "")))
    flash("It is not in the catalogue any more.", "good")
    return redirect(url_for("catalogue.index"), code=303)


@blueprint.post("/item/pictures")
@permission(Permission.CATALOGUE)
@takes(UPLOAD_BYTES)
def add_pictures() -> AnyResponse:
    """More pictures of one: files that were chosen, or what a camera shows now."""
    item = _which(request.form.get("item", ""))
    try:
        added = _more(item, _files(), request.form.get("camera", "") if _by_camera() else "")
    except (FormError, PhotoError, CameraError) as error:
        wrong = _worded(error, "camera" if _by_camera() else "file")
        return make_response(_shown(item, wrong), 422)
    flash("It has one picture more." if added == 1 else f"It has {added} pictures more.", "good")
    return redirect(url_for("catalogue.show", item=item), code=303)


@blueprint.post("/item/pictures/remove")
@permission(Permission.CATALOGUE)
def remove_picture() -> AnyResponse:
    """Remove a picture of one."""
    item = _which(request.form.get("item", ""))
    ask("catalogue.remove_picture", item=item, picture=request.form.get("picture", ""))
    flash("The picture was removed.", "good")
    return redirect(url_for("catalogue.show", item=item), code=303)


def _added(given: dict[str, str], files: list[bytes], camera: str) -> dict[str, Any]:
    """Have the desk keep it with its first picture; its id is made of its title where none was given.

    Raises:
        FormError: It cannot be taken so.
        PhotoError: A picture cannot be used.
        CameraError: The camera gives nothing.
    """
    if not files and not camera:
        raise FormError(
            "It has no picture yet.", fields={"file": "choose a picture, or show it to the camera"}
        )
    said: dict[str, Any] = {name: given[name] for name in FIELDS}
    wanted = given["item"].strip()
    for _ in range(_TRIES):
        item = wanted or f"{_slug(given['title'])}-{secrets.token_hex(2)}"
        try:
            made: dict[str, Any] = _put(item, said, files[0] if files else b"", camera)
            break
        except FormError as error:
            if wanted or set(error.fields) != {"item"}:
                raise
    else:
        raise FormError("It could not be given an id.", fields={"item": "choose one"})
    return made


def _put(item: str, said: dict[str, Any], content: bytes, camera: str) -> dict[str, Any]:
    if camera:
        answer = ask("catalogue.put_shown", item=item, camera=camera, new=True, timeout_s=_SLOW_S, **said)
    else:
        answer = ask("catalogue.put", blob=content, item=item, new=True, timeout_s=_SLOW_S, **said)
    made: dict[str, Any] = answer.result["item"]
    return made


def _more(item: str, files: list[bytes], camera: str) -> int:
    """Have the desk keep further pictures; how many it did not have yet."""
    if not files and not camera:
        raise FormError("Choose a picture first.", fields={"file": "choose a picture"})
    added = 0
    for content in files:
        kept = ask("catalogue.add_picture", blob=content, item=item, timeout_s=_SLOW_S).result
        added += kept["outcome"] != "same"
    if camera:
        ask("catalogue.add_shown", item=item, camera=camera, timeout_s=_SLOW_S)
        added += 1
    return added


def _form(error: FormError | None, given: dict[str, Any], one: dict[str, Any] | None) -> str:
    """The form of a new item, or of one that there is."""
    return render_template(
        "search/item_form.html", error=error, given=given, one=one, cameras=[] if one else _cameras()
    )


def _shown(item: str, error: FormError | None = None) -> str:
    one = _one(item)
    cameras = _cameras()
    return render_template(
        "search/item.html",
        one=one,
        error=error,
        link=safe(one["link"]),
        host=host(one["link"]),
        cameras=cameras,
    )


def _one(item: str) -> dict[str, Any]:
    found: dict[str, Any] = ask("catalogue.item", item=item).result
    return found


def _which(item: str) -> str:
    """An item's id of an address or a form.

    Raises:
        UnknownItemError: That is none.
    """
    if not item or len(item) > 64:  # noqa: PLR2004 - no item has a longer one
        raise UnknownItemError("the catalogue has no such item", hint="it may have been removed meanwhile")
    return item


def _cameras() -> list[str]:
    """What a thing can be shown to, the one to begin with first: what was chosen, where the form comes again.

    Nothing for who may not look through cameras, or may not change the catalogue.
    """
    viewer = who()
    if viewer is None or not (viewer.may(Permission.LIVE) and viewer.may(Permission.CATALOGUE)):
        return []
    chosen = request.form.get("camera")
    found = [each["id"] for each in cameras_to_show(ask("search.state").result)]
    return sorted(found, key=lambda each: each != chosen)


def _files() -> list[bytes]:
    return [content for file in request.files.getlist("file") if (content := file.read())]


def _by_camera() -> bool:
    return request.form.get("by") == "camera"


def _worded(error: FormError | PhotoError | CameraError, field: str) -> FormError:
    """What was wrong, at the field that it is about."""
    if isinstance(error, FormError):
        return error
    return FormError(error.message, fields={field: error.message}, hint=error.hint)


def _slug(title: str) -> str:
    """A title as the beginning of an id: small letters of English, figures, hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_CHARS].strip("-") or "item"


def _share(given: str) -> float | None:
    """Per cent as a share; None: it is none."""
    try:
        share = float(given.replace(",", ".")) / 100
    except ValueError:
        return None
    return share if 0 < share < 1 else None


def _number(given: str | None) -> int | None:
    text = given or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004
