"""What the log says of the cameras' sight: what still disturbs one, and when it was moved.

Reads; says nothing of how a camera is now (`camera.condition` looks), nor what to do about it (`examining`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.store import Store
from appliance.values import Disturbance

_KINDS: dict[str, Disturbance] = {
    "camera_covered": Disturbance.COVERED,
    "camera_dark": Disturbance.DARK,
    "camera_frozen": Disturbance.FROZEN,
}
_MOVED, _CLEAR = "camera_moved", "camera_clear"
_MANY = 10_000
"""Events read, at most."""


@dataclass(frozen=True, slots=True)
class LastSight:
    """What was last said of one camera's sight.

    Attributes:
        ongoing: Dark, covered or frozen, and not over as far as the log goes; None: it sees.
        since: Since when it has not seen, whatever has been in its way meanwhile.
        moved: When it was last found moved, if ever.
    """

    ongoing: Disturbance | None = None
    since: datetime | None = None
    moved: datetime | None = None


def last_sights(store: Store) -> dict[str, LastSight]:
    """By camera, of those of which anything was ever said.

    Raises:
        StoreError: The database cannot be read.
    """
    found: dict[str, dict[str, Any]] = {}
    cleared: set[str] = set()
    for stored in store.events(types=(*_KINDS, _MOVED, _CLEAR), limit=_MANY, newest_first=True):
        if stored.event is None or stored.event.camera is None:
            continue
        camera = stored.event.camera
        facts = found.setdefault(camera, {})
        if stored.type == _MOVED:
            facts.setdefault("moved", stored.at)
        elif stored.type == _CLEAR:
            cleared.add(camera)
        elif camera not in cleared:
            facts.setdefault("ongoing", _KINDS[stored.type])
            facts["since"] = stored.at
    return {camera: LastSight(**facts) for camera, facts in found.items()}
