"""The cameras that things are shown to, in the order in which a page offers them.

Those before which things are looked up by themselves come first, and one that sees a door last: what is
offered first is what one press takes a picture of, and that is to be a thing and not whoever comes in.
"""

from collections.abc import Mapping
from typing import Any

from appliance.permissions import Permission
from web.access import who
from web.asking import ask


def cameras_to_show(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The box's cameras, as `live.cameras` tells them; none for who may not look through them.

    Args:
        state: How searching goes, as `search.state` tells it.

    Raises:
        ApplianceError: The desk does not tell them.
    """
    viewer = who()
    if viewer is None or not viewer.may(Permission.LIVE):
        return []
    watched = watched_cameras(state)
    found: list[dict[str, Any]] = ask("live.cameras").result["cameras"]
    return sorted(found, key=lambda each: (each["id"] not in watched, bool(each["doors"])))


def watched_cameras(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Cameras before which things are looked up by themselves, and how each is."""
    return {each["name"]: each for each in state.get("sources", ()) if each["source"] == "camera"}
