"""Importing many items: the page, and what its script sends: a table first, then the pictures of each row.

The script reads the files in the browser and sends them one by one, so no file is larger than a photo, and
how far it is can be seen. What comes of it is the desk's.
"""

from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, render_template, request

from appliance.errors import FormError
from appliance.permissions import Permission
from web.access import permission
from web.asking import ask
from web.requests import UPLOAD_BYTES, takes

blueprint = Blueprint("importing", __name__, url_prefix="/search/import")

COLUMNS: Final = (
    ("id", "Yours, up to 64 characters; the same id again changes the item", "needed"),
    ("title", "What it is called", "needed"),
    ("link", "An address with http or https", ""),
    ("price", "As it is to be shown: 12.50 €", ""),
    ("notes", "Where it lies; no names of people", ""),
    ("pictures", "Paths beside the table, several with ; between them", ""),
)
LARGEST: Final = UPLOAD_BYTES - (1 << 20)
"""Bytes of a picture that leave room for its form."""
_SLOW_S: Final = 60.0


@blueprint.get("")
@permission(Permission.CATALOGUE)
def index() -> str:
    """The page, and imports that are under way or were."""
    done = ask("catalogue.imports").result
    return render_template("search/import.html", columns=COLUMNS, imports=done, largest=LARGEST)


@blueprint.post("/begin")
@permission(Permission.CATALOGUE)
@takes(UPLOAD_BYTES)
def begin() -> Response:
    """Read a table: the field `table` of a form."""
    file = request.files.get("table")
    content = b"" if file is None else file.read()
    if file is None or not content:
        raise FormError("Choose a table first.", fields={"table": "choose a CSV or JSON file"})
    begun = ask(
        "catalogue.import_begin",
        blob=content,
        timeout_s=_SLOW_S,
        name=(file.filename or "")[-255:],
        replace=request.form.get("replace") == "1",
        pass_over=request.form.get("pass_over") == "1",
    ).result
    return jsonify(begun)


@blueprint.get("/<number>/rows")
@permission(Permission.CATALOGUE)
def rows(number: str) -> Response:
    """Rows of the table, and which pictures each names."""
    after = _counted(request.args.get("after", "0"))
    return jsonify(ask("catalogue.import_rows", number=_counted(number), after=after).result)


@blueprint.post("/<number>/rows/<index>")
@permission(Permission.CATALOGUE)
@takes(UPLOAD_BYTES)
def picture(number: str, index: str) -> Response:
    """A picture of a row, or why there is none: the row is kept once all of its pictures came."""
    file = request.files.get("file")
    told: dict[str, Any] = ask(
        "catalogue.import_picture",
        blob=b"" if file is None else file.read(),
        timeout_s=_SLOW_S,
        number=_counted(number),
        index=_counted(index),
        path=request.form.get("path", ""),
        missing=request.form.get("missing") == "1",
        too_large=request.form.get("too_large") == "1",
    ).result
    return jsonify(told)


@blueprint.post("/<number>/end")
@permission(Permission.CATALOGUE)
def end(number: str) -> Response:
    """End it, whole or not."""
    return jsonify(ask("catalogue.import_end", number=_counted(number)).result)


def _counted(given: str) -> int:
    """A number of an address; one that is none is no page's."""
    if not (given.isascii() and given.isdigit() and len(given) < 9):  # noqa: PLR2004
        abort(404)
    return int(given)
