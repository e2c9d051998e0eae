"""The first page: the door, who came, what needs an eye. It shows; it decides nothing.

Each part is asked for by itself, and one that cannot be had is left out: half a page is better than none.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, render_template

from appliance.errors import ApplianceError, NotSignedInError, PeerGoneError
from appliance.permissions import Permission
from web import set_up
from web.access import permission, who
from web.asking import ask_once
from web.failed import lately_failed
from web.words import Link, sentence

blueprint = Blueprint("home", __name__)

_VISITS: Final = 6
_READ: Final = 30
"""Stays that are read for them: several may be one person's single coming by."""
_DOORS: Final = 4
_LATELY: Final = timedelta(days=1)
"""What failed before is no news."""
_RUNNING: Final = frozenset({"running", "starting"})


@blueprint.get("/")
@permission(Permission.ACCOUNT)
def dashboard() -> str:
    """The page one begins with."""
    steps = set_up.progress() if _may(Permission.SETTINGS) else []
    left = [each for each in steps if not each["done"]]
    return render_template("home/dashboard.html", left=left, steps=steps, **_now())


@blueprint.get("/now")
@permission(Permission.ACCOUNT)
def now() -> str:
    """What changes by itself, for the page's script."""
    return render_template("home/now.html", **_now())


def _now() -> dict[str, Any]:
    cameras = (_asked("live.cameras", Permission.LIVE) or {}).get("cameras", [])
    people = _asked("people.list", Permission.PEOPLE, limit=1)
    captures = _asked("captures.list", Permission.CAPTURES, limit=1)
    return {
        "cameras": cameras,
        "doors": _doors(cameras),
        "visits": _visits(),
        "people": None if people is None else people["total"],
        "captures": None if captures is None else captures["count"],
        "warnings": list(_warnings(cameras)),
    }


def _doors(cameras: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """How the doors that are watched are, by the last word of the log, as the office screen has it."""
    told = {each["id"]: each for each in _asked("live.doors", Permission.LOG) or []}
    watched = [door for camera in cameras for door in camera["doors"]]
    return [told.get(door, {"id": door, "state": "", "at": None}) for door in watched][:_DOORS]


def _visits() -> list[Mapping[str, Any]] | None:
    """Who came by, the newest first; None: not for who looks."""
    found = _asked("log.page", Permission.LOG, kinds=["people"], limit=_READ)
    if found is None:
        return None
    entries = [entry for group in found["groups"] for entry in group["entries"]]
    newest_first = sorted(entries, key=lambda entry: int(entry["position"]), reverse=True)
    return together([entry for entry in newest_first if entry.get("decision")])[:_VISITS]


def together(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Stays without those that only go on: whoever was out of sight for a moment came by once.

    A machine that is busy sees somebody with gaps, and begins another stay after one; it says of it that the
    person was here just now. Where one may not be told who it was, nothing can be put together.

    Args:
        entries: As `log.page` has them, the newest first.
    """
    kept: list[Mapping[str, Any]] = []
    going_on: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        who = (entry["decision"]["person"] or {}).get("id")
        if entry.get("wrong") or who is None:
            kept.append(entry)
            continue
        if who in going_on:
            # The older one is where they came in: that is the line.
            kept[kept.index(going_on.pop(who))] = entry
        else:
            kept.append(entry)
        if entry["decision"]["repeated"]:
            going_on[who] = entry
    return kept


def _warnings(cameras: list[Mapping[str, Any]]) -> Iterator[Link]:
    for camera in cameras:
        if camera["state"] in {"refused", "away", "lost"}:
            why, hint = sentence(camera["message"]), sentence(camera["hint"])
            href = "/cameras" if _may(Permission.SETTINGS) else "/live"
            yield Link(f"Camera {camera['id']}: {why} {hint}".rstrip(), href)
    for door in (_asked("doors.list", Permission.DOORS) or {}).get("doors", []):
        if door["doubt"]:
            yield Link(f"Door {door['id']}: {door['doubt']}. Show it again.", "/doors")
    state = _asked("system.state", Permission.SETTINGS)
    for process in (state or {}).get("processes", []):
        if process["state"] not in _RUNNING and process["name"] != "loop":
            yield Link(f"The part “{process['name']}” is not running. {process['message']}", "/system")
    undone = _asked("outbox.list", Permission.RULES, states=["dead"], limit=1)
    if undone is not None and (many := lately_failed(undone, _LATELY)):
        what = "Something" if many == 1 else f"{many} things"
        yield Link(f"{what} that a rule or the settings asked for could not be done.", "/outbox?show=failed")


def _asked(operation: str, needs: Permission, **arguments: Any) -> Any:
    """What an operation answers; None where the viewer may not ask, or it cannot be had just now.

    Raises:
        NotSignedInError: The session ended meanwhile.
        PeerGoneError: The desk is away.
    """
    if not _may(needs):
        return None
    try:
        return ask_once(operation, **arguments)
    except (NotSignedInError, PeerGoneError):
        raise
    except ApplianceError:
        return None


def _may(needs: Permission) -> bool:
    viewer = who()
    return viewer is not None and viewer.may(needs)
