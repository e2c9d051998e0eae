"""Clips: which there are, watching one, how recording and sending go, downloading and deleting.

Shows and asks. What a browser plays (playlists and pieces of video) is handed on as the desk made it; nothing
of it is opened here, and nothing is kept by a browser.
"""

from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
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

from appliance.errors import ApplianceError, FormError
from appliance.permissions import Permission
from web.access import credential, permission, who
from web.asking import ask
from web.moments.stretches import together
from web.surroundings import surroundings

blueprint = Blueprint("clips", __name__, url_prefix="/clips")

PAGE: Final = 40
FILTERS: Final = ("camera", "label", "since", "until")
PLAYLIST: Final = "application/vnd.apple.mpegurl"
VIDEO: Final = "video/mp4"
_PIECE_S: Final = 30.0
_OUTSIDE_S: Final = 45.0
_FILE_S: Final = 120.0
_PAGES: Final = 4
"""So many pages of moments are read of one recording at most: a frame that shows something is one."""
_PER_PAGE: Final = 200
_FAR: Final = len("10000000000000000")

WHY: Final = {
    "complete": "",
    "longest": "It was as long as one may be, and another one goes on.",
    "camera_lost": "The camera was lost.",
    "camera_changed": "The camera sends another size of picture from there on.",
    "clock_set": "The clock was set, and another one goes on by the new time.",
    "disk_full": "The disk was full.",
    "stopped": "The appliance was stopped.",
    "interrupted": "It broke off: the power failed, or the appliance crashed. What was kept is here.",
    "failed": "It broke off.",
}
"""Why a clip ended, where that is worth saying."""
GONE: Final = {
    "age": "It was as old as clips may become, and was deleted.",
    "size": "Clips may take no more room than the settings say, and it was the oldest.",
    "room": "The disk was nearly full, and it was the oldest.",
    "asked": "Somebody deleted it.",
    "damaged": "Nothing of it could be read any more.",
    "lost": "It is not on this box any more.",
}
STATES: Final = {
    "idle": ("Waits for a recording", ""),
    "connecting": ("Connecting", ""),
    "sending": ("Sending", "good"),
    "waiting": ("Tries again soon", "warn"),
    "stopped": ("Needs you", "bad"),
}
"""How sending to a stream is → words and the kind of badge."""


@blueprint.get("")
@permission(Permission.CLIPS)
def index() -> str | Response:
    """The clips, the newest first, and how recording goes."""
    wanted = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    before = _number(request.args.get("before"))
    question, faults = _question(wanted)
    try:
        page = ask("clips.list", limit=PAGE, before=before, **question).result
    except FormError as found:
        faults |= found.fields
        page = ask("clips.list", limit=PAGE, before=before).result
    state = ask("clips.state").result
    text = render_template(
        "clips/index.html",
        page=page,
        days=_days(page["clips"]),
        state=state,
        states=STATES,
        wanted=wanted,
        cameras=_cameras(page["clips"], wanted.get("camera", "")),
        error=FormError("this was left out of the filter", fields=faults) if faults else None,
        first=before is None,
    )
    return text if not faults else make_response(text, 422)


@blueprint.get("/state")
@permission(Permission.CLIPS)
def state() -> str:
    """How recording and sending go, for the page's script."""
    return render_template("clips/state.html", state=ask("clips.state").result, states=STATES)


@blueprint.get("/at")
@permission(Permission.CLIPS)
def at() -> AnyResponse:
    """The clip of a camera that holds a moment; where none does, that is said."""
    camera, when = request.args.get("camera", ""), _number(request.args.get("at"))
    if not camera or when is None:
        return redirect(url_for("clips.index"), code=303)
    found = ask("clips.at", camera=camera, at_ms=when).result["clip"]
    if found is None:
        flash("Nothing was recorded by that camera then, or it is not there any more.", "warn")
        return redirect(url_for("clips.index", camera=camera), code=303)
    return redirect(url_for("clips.show", clip=found, at=when), code=303)


@blueprint.get("/<clip>")
@permission(Permission.CLIPS)
def show(clip: str) -> str:
    """One: played, with the moments that are in it."""
    one = ask("clips.show", clip=clip).result
    when = _number(request.args.get("at"))
    return render_template(
        "clips/show.html",
        one=one,
        at=when,
        zone=_zone(one["begin_ms"]),
        moments=_moments(one),
        why=WHY.get(one["why"], ""),
        gone=GONE.get(one["gone"] or "", ""),
        outside=one["outside"] and one["end_ms"] > one["begin_ms"],
        from_outside=request.args.get("from") == "outside",
    )


@blueprint.get("/<clip>/index.m3u8")
@permission(Permission.CLIPS)
def playlist(clip: str) -> Response:
    """What a player begins with; it grows while it is recorded."""
    return _handed(ask("clips.playlist", clip=clip), PLAYLIST)


@blueprint.get("/<clip>/<piece>")
@permission(Permission.CLIPS)
def piece(clip: str, piece: str) -> Response:
    """What the playlist names: the beginning of the file, or one of its pieces."""
    return _handed(ask("clips.piece", clip=clip, piece=piece, timeout_s=_PIECE_S), VIDEO)


@blueprint.post("/<clip>/outside")
@permission(Permission.CLIPS)
def open_outside(clip: str) -> Response:
    """Begin to play what Kinesis Video Streams has of it: the address of a playlist here, good for an hour.

    The service's own address, which opens the video to whoever has it, stays on the box.
    """
    one = ask("clips.show", clip=clip).result
    span = {"begin_ms": one["begin_ms"], "end_ms": one["end_ms"]}
    opened = ask("clips.open_outside", camera=one["camera"], timeout_s=_OUTSIDE_S, **span).result
    playlist = url_for("clips.outside", clip=clip, view=opened["view"], piece=opened["name"])
    return jsonify({"playlist": playlist})


@blueprint.get("/<clip>/outside/<view>/<piece>")
@permission(Permission.CLIPS)
def outside(clip: str, view: str, piece: str) -> Response:
    """A playlist or a piece of what is stored there."""
    del clip  # it stands in the address for people
    query = request.query_string.decode("ascii", "replace")
    found = ask("clips.read_outside", view=view, name=piece, query=query, timeout_s=_OUTSIDE_S)
    return _handed(found, found.result["media_type"])


@blueprint.post("/<clip>/download")
@permission(Permission.CLIPS)
def download(clip: str) -> Response:
    """All of it as one mp4 file, unsealed: a piece after the other, so that nobody holds all of it."""
    one = ask("clips.show", clip=clip).result
    response = Response(_file(clip), mimetype=VIDEO, direct_passthrough=True)
    begin = datetime.fromisoformat(one["begin"]).astimezone()
    name = f"{begin:%Y-%m-%d_%H-%M-%S}_{one['camera']}.mp4"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post("/<clip>/delete")
@permission(Permission.CLIPS)
def delete(clip: str) -> AnyResponse:
    """Delete one for good."""
    ask("clips.delete", clip=clip)
    flash("The clip was deleted.", "good")
    return redirect(url_for("clips.index"), code=303)


def _handed(answered: Any, kind: str) -> Response:
    response = make_response(answered.blob)
    response.headers["Content-Type"] = kind
    return response


def _file(clip: str) -> Generator[bytes]:
    """An mp4 file: its beginning, then part after part.

    The first is asked for before anything is sent, so that what cannot be had is a page of faults.
    """
    around, secret = surroundings(), credential()
    begin = ask("clips.file", clip=clip, timeout_s=_FILE_S)

    def flow() -> Generator[bytes]:
        yield begin.blob
        for number in begin.result["parts"]:
            asked = {"clip": clip, "number": number}
            yield around.desk.ask("clips.file_part", asked, credential=secret, timeout_s=_PIECE_S).blob

    return flow()


def _moments(one: dict[str, Any]) -> list[dict[str, Any]]:
    """What was seen while it was recorded, as far as who looks may be told; without it the page is whole."""
    viewer = who()
    if viewer is None or not viewer.may(Permission.LOG) or one["end_ms"] <= one["begin_ms"]:
        return []
    found: list[dict[str, Any]] = []
    before: str | None = None
    with suppress(ApplianceError):
        for _ in range(_PAGES):
            page = ask(
                "moments.page",
                cameras=[one["camera"]],
                since=one["begin"],
                until=one["end"],
                before=before,
                limit=_PER_PAGE,
            ).result
            found += page["moments"]
            before = page["next"]
            if before is None:
                break
    return [{"at": each.at, "at_ms": each.at_ms, "words": each.words} for each in reversed(together(found))]


def _zone(at_ms: int) -> int:
    """Minutes that the box's clock was ahead of UTC then."""
    offset = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)


def _question(wanted: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the desk is asked, and what of the address could not be taken."""
    question: dict[str, Any] = {name: wanted[name] for name in ("camera", "label") if name in wanted}
    faults: dict[str, str] = {}
    for name, later in (("since", timedelta()), ("until", timedelta(days=1))):
        if name not in wanted:
            continue
        try:
            day = date.fromisoformat(wanted[name])
            question[name] = (datetime.combine(day, time()) + later).astimezone().isoformat()
        except (ValueError, OverflowError):
            faults[name] = "a day, as 2026-05-04"
    return question, faults


def _days(clips: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The clips of each day by the box's clock, the newest first."""
    days: dict[date, list[dict[str, Any]]] = {}
    for each in clips:
        day = datetime.fromtimestamp(each["begin_ms"] / 1000, UTC).astimezone().date()
        days.setdefault(day, []).append(each)
    return [{"at": found[0]["begin"], "key": day.isoformat(), "clips": found} for day, found in days.items()]


def _cameras(clips: list[dict[str, Any]], wanted: str) -> list[tuple[str, str]]:
    """What there is to choose from: the cameras of the box, of what is shown, and what was asked for."""
    names = {each["camera"] for each in clips} | ({wanted} if wanted else set())
    viewer = who()
    if viewer is not None and viewer.may(Permission.LIVE):
        with suppress(ApplianceError):  # the list is what is recorded then
            names |= {each["id"] for each in ask("live.cameras").result["cameras"]}
    return [("", "Every camera"), *((each, each) for each in sorted(names))]


def _number(given: str | None) -> int | None:
    """A whole number of an address; None: it is none."""
    text = given or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _FAR else None
