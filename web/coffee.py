"""Coffees: who leads, who took one lately, the last 24 hours, and putting right what a camera got wrong.

What is shown of whom the desk decides. The leaderboard can be taken along as CSV, whose cells no spreadsheet
takes for formulas.
"""

import csv
import io
import unicodedata
from typing import Any, Final

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import FormError
from appliance.permissions import Permission
from web.access import permission, who
from web.asking import ask

blueprint = Blueprint("coffee", __name__, url_prefix="/coffee")

PERIODS: Final = {"day": "Today", "week": "This week", "month": "This month", "all": "All time"}
SHOWN: Final = 25
"""Places shown until somebody wants all."""
_LATELY: Final = 15
"""Coffees shown until somebody wants more, and how many more that are each time, to begin with."""
_MOST_LATELY: Final = 200
"""As many as the desk tells."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell that a spreadsheet takes for a formula begins with."""


@blueprint.get("")
@permission(Permission.LOG)
def index() -> str:
    """Leaderboard, last activity, the last 24 hours."""
    return _page(corrected=request.args.get("correct"))


@blueprint.post("/correct")
@permission(Permission.ENROL)
def correct() -> AnyResponse:
    """Say whose coffee it was, or that there was none."""
    coffee, person = request.form.get("coffee", ""), request.form.get("person", "")
    try:
        ask("coffee.correct", coffee=coffee, person=person or None)
    except FormError as error:
        return make_response(_page(error, corrected=coffee), 422)
    flash("Put right. The count has moved.", "good")
    return redirect(url_for("coffee.index", **_seen()), code=303)


@blueprint.post("/add")
@permission(Permission.ENROL)
def add() -> AnyResponse:
    """Count a coffee that no camera saw."""
    try:
        ask("coffee.add", person=request.form.get("person", ""))
    except FormError as error:
        return make_response(_page(error, corrected=""), 422)
    flash("One coffee more.", "good")
    return redirect(url_for("coffee.index"), code=303)


@blueprint.get("/leaderboard.json")
@permission(Permission.LOG)
def as_json() -> Response:
    """The leaderboard of a period for programs of a signed-in browser; tokens have `/api/v1/coffee`."""
    response = make_response(_board())
    response.headers["Content-Disposition"] = f'inline; filename="coffee-{_period()}.json"'
    return response


@blueprint.get("/leaderboard.csv")
@permission(Permission.LOG)
def as_csv() -> Response:
    """The same as a table."""
    board = _board()
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(("place", "name", "coffees", "period", "since"))
    for row in board["rows"]:
        lines.writerow((row["place"], cell(row["text"]), row["count"], board["period"], board["since"] or ""))
    # With a mark, for spreadsheets that would otherwise take it for the code page of their own country.
    response = make_response(text.getvalue().encode("utf-8-sig"))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="coffee-{_period()}.csv"'
    return response


def cell(text: str) -> str:
    """A name as a cell that no spreadsheet takes for a formula.

    Some take full-width signs and others, too, and some pass over blanks before them.
    """
    plain = unicodedata.normalize("NFKC", text)
    return f"'{text}" if plain.startswith(_FORMULA) or plain.lstrip().startswith(_FORMULA) else text


def bars(hours: list[dict[str, Any]]) -> dict[str, Any]:
    """The last 24 hours for a drawing: `{bars: [{x, y, height, at, count}], most, total}`; 100 units high."""
    most = max((each["count"] for each in hours), default=0)
    drawn = []
    for number, each in enumerate(hours):
        height = round(100 * each["count"] / most, 1) if most else 0.0
        drawn.append({"x": number * 20 + 3, "y": round(100 - height, 1), "height": height, **each})
    return {"bars": drawn, "most": most, "total": sum(each["count"] for each in hours)}


def _period() -> str:
    wanted = request.args.get("period", "")
    return wanted if wanted in PERIODS else "day"


def _limit() -> int:
    """How many of the newest coffees are wanted."""
    wanted = request.args.get("lately", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 5 else _LATELY  # noqa: PLR2004
    return min(max(number, _LATELY), _MOST_LATELY)


def _seen() -> dict[str, Any]:
    """What of the page's address is the same after something was put right."""
    return {name: value for name in ("period", "all", "lately") if (value := request.args.get(name))}


def _board() -> dict[str, Any]:
    found: dict[str, Any] = ask("coffee.board", period=_period()).result
    return found


def _page(error: FormError | None = None, corrected: str | None = None) -> str:
    """The page.

    Args:
        error: Of a form that was just sent.
        corrected: Which coffee that was about; empty: a further one.
    """
    viewer = who()
    mends = viewer is not None and viewer.may(Permission.ENROL)
    board = _board()
    everybody = "all" in request.args
    shown = board["rows"] if everybody else board["rows"][:SHOWN]
    limit = _limit()
    found = ask("coffee.lately", limit=min(limit + 1, _MOST_LATELY)).result
    return render_template(
        "coffee/index.html",
        board=board,
        shown=shown,
        most=max((row["count"] for row in board["rows"]), default=1),
        periods=PERIODS,
        everybody=everybody,
        lately=found[:limit],
        limit=limit,
        seen=_seen(),
        most_lately=_MOST_LATELY,
        further=min(limit * 3, _MOST_LATELY) if len(found) > limit else None,
        hours=bars(ask("coffee.hours").result),
        people=ask("coffee.people").result if mends else [],
        mends=mends,
        error=error,
        corrected=corrected,
    )
