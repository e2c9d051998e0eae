"""The pages of moments: bars over time, busiest hours, cameras, doors, strangers; the list a bar leads to.

All that is chosen stands in the address, so that a link shows the same again: what, where, from when to when.
A person stands there by the id that the pages know them by, never by name; of one there is the list alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import FormError
from appliance.permissions import Permission
from web.access import permission, who
from web.asking import ask, ask_once
from web.moments import charts
from web.moments.span import DAYS, HOURS_OF, Span, address, span_of
from web.moments.stretches import Stretch, together
from web.surroundings import surroundings

blueprint = Blueprint("moments", __name__, url_prefix="/moments")

FILTERS: Final = ("label", "camera", "person", "sure")
MORE: Final = ("kind", "door", "verdict")
PAGE: Final = 200
SURE: Final = (
    ("", "However sure"),
    ("50", "50 % and surer"),
    ("70", "70 % and surer"),
    ("90", "90 % and surer"),
)


@blueprint.get("")
@permission(Permission.LOG)
def index() -> str | Response:
    """The dashboards; for a person their list."""
    wanted, span, error = _wanted()
    if "person" in wanted and error is None:
        return redirect(_link("moments.listed", wanted, span.address()), code=303)
    wanted.pop("person", None)
    text = _dashboard(wanted, span, error)
    return text if error is None else make_response(text, 422)


@blueprint.get("/list")
@permission(Permission.LOG)
def listed() -> str | Response:
    """The moments of a time, the newest first; each leads to the recording that shows it."""
    wanted, span, error = _wanted()
    more = {name: value for name in MORE if (value := request.args.get(name, "").strip())}
    before = request.args.get("before", "")
    try:
        page = _page(wanted, span, more, before)
    except FormError as found:
        wanted, more, before, error = {}, {}, "", found
        page = _page(wanted, span, more, before)
    here = {**wanted, **span.address(), **more}
    text = render_template(
        "moments/list.html",
        wanted=wanted,
        more=more,
        span=span,
        error=error,
        moments=together(page["moments"]),
        older=_link("moments.listed", here, before=page["next"]) if page["next"] else None,
        newest=_link("moments.listed", here) if before else None,
        back=_link("moments.index", {k: v for k, v in wanted.items() if k != "person"}, span.address()),
        play=play,
    )
    return text if error is None else make_response(text, 422)


def play(stretch: Stretch) -> str:
    """Where it is played; empty: nowhere, or not for who looks.

    What the box has no recording of any more may be where it was sent.
    """
    viewer = who()
    if viewer is None or not viewer.may(Permission.CLIPS):
        return ""
    if stretch.clip is not None:
        return url_for("clips.show", clip=stretch.clip, at=stretch.at_ms)
    if stretch.camera is not None and ask_once("clips.state")["outside"]:
        return url_for("clips.at", camera=stretch.camera, at=stretch.at_ms)
    return ""


def _dashboard(wanted: Mapping[str, str], span: Span, error: FormError | None) -> str:
    def to(since: datetime, until: datetime, **more: str) -> str:
        return _link("moments.listed", wanted, address(since, until), **more)

    def here(**more: str) -> str:
        return _link("moments.index", wanted, span.address(), **more)

    # Doors open and people come whatever label is looked for: of the choice the camera holds.
    place = {name: wanted[name] for name in ("camera",) if name in wanted}
    seen = _bars(wanted, span)
    labels = _bars(wanted, span, by="label")
    cameras = _bars(wanted, span, by="camera")
    doors = _bars(place, span, by="door", kinds=["door_opened"])
    came = _bars(place, span, by="verdict", kinds=["encounter"])
    lately = Span(max(span.since, span.until - HOURS_OF), span.until)
    hours = ask("moments.hours", **_asked(wanted, lately)).result["days"]
    return render_template(
        "moments/index.html",
        wanted=wanted,
        span=span,
        days=DAYS,
        choices=ask("moments.choices").result,
        sure=SURE,
        error=error,
        zoom=_link("moments.index", wanted),
        again=here,
        whole=_link("moments.listed", wanted, span.address()),
        seen=charts.total(seen),
        presence=charts.rows(seen, to),
        labels=charts.named(charts.totals(labels), lambda name: here(label=name)),
        hours=charts.week(hours),
        busiest=charts.busiest(hours),
        weekdays=charts.DAYS,
        cameras=charts.named(charts.totals(cameras), lambda name: here(camera=name)),
        opened=charts.total(doors),
        doors=charts.rows(doors, lambda since, until: to(since, until, kind="door_opened")),
        per_door=charts.named(
            charts.totals(doors),
            lambda name: _link("moments.listed", place, span.address(), kind="door_opened", door=name),
        ),
        came=charts.total(came),
        unknown=charts.totals(came).get("stranger", 0),
        strangers=charts.shares(
            came, "stranger", lambda since, until: to(since, until, kind="encounter", verdict="stranger")
        ),
    )


def _page(wanted: Mapping[str, str], span: Span, more: Mapping[str, str], before: str) -> dict[str, Any]:
    asked = {**_asked(wanted, span), **{f"{name}s": [value] for name, value in more.items()}}
    page: dict[str, Any] = ask("moments.page", limit=PAGE, before=before or None, **asked).result
    return page


def _link(view: str, *values: Mapping[str, str], **more: str) -> str:
    """The address of a page with all of these in it."""
    told: dict[str, Any] = {}
    for each in (*values, more):
        told.update(each)
    return url_for(view, **told)


def _wanted() -> tuple[dict[str, str], Span, FormError | None]:
    """What the address asks for: filters, time, and what could not be taken."""
    given = {name: request.args.get(name, "").strip() for name in (*FILTERS, "days", "since", "until")}
    wanted = {name: given[name] for name in FILTERS if given[name]}
    faults: dict[str, str] = {}
    if wanted.get("sure", "") not in {value for value, _ in SURE}:
        faults["sure"] = "50, 70 or 90"
        del wanted["sure"]
    span, wrong = span_of(given, surroundings().clock.wall())
    faults |= wrong
    error = FormError("this was left out of what you asked for", fields=faults) if faults else None
    return wanted, span, error


def _asked(wanted: Mapping[str, str], span: Span) -> dict[str, Any]:
    """The same as the desk's arguments."""
    asked: dict[str, Any] = {"since": span.since.isoformat(), "until": span.until.isoformat()}
    if "label" in wanted:
        asked["labels"] = [wanted["label"]]
    if "camera" in wanted:
        asked["cameras"] = [wanted["camera"]]
    if "person" in wanted:
        asked["person"] = wanted["person"]
    if "sure" in wanted:
        asked["min_score"] = int(wanted["sure"]) / 100
    return asked


def _bars(
    wanted: Mapping[str, str], span: Span, *, by: str | None = None, kinds: list[str] | None = None
) -> dict[str, Any]:
    counted: dict[str, Any] = ask(
        "moments.bars", by=by, width_s=span.width_s, kinds=kinds or [], **_asked(wanted, span)
    ).result
    return counted
