"""Moments for tests: what frames showed, all pages of what is wanted, the log followed to its end."""

from datetime import timedelta

from stores import NOON, identified

from appliance.events import StrangerSeen
from appliance.store import Moment, MomentPlace, MomentsWanted, Seen, Store
from appliance.values import Grade

ALL = MomentsWanted()
HOURS = [NOON + timedelta(hours=i) for i in range(-2, 8)]


def seen(minutes: float, camera: str = "entrance", **labels: float) -> Seen:
    """What a frame showed so long after noon."""
    return Seen(NOON + timedelta(minutes=minutes), camera, labels)


def pages(box: Store, wanted: MomentsWanted, limit: int) -> list[Moment]:
    """All that is wanted, page after page."""
    found: list[Moment] = []
    before: MomentPlace | None = None
    while page := box.moments_page(wanted, before=before, limit=limit):
        found += [moment for _, moment in page]
        before = page[-1][0]
    return found


def follow(box: Store, limit: int = 1000) -> None:
    """Follow the log to its end."""
    while box.follow_log(limit):
        pass


def stranger(encounter: str) -> StrangerSeen:
    """A decision about nobody who is enrolled."""
    facts = identified().facts.model_copy(update={"rule": "below_threshold"})
    return StrangerSeen(
        camera="entrance", door="main", encounter=encounter, grade=Grade.CONFIRMED, facts=facts
    )
