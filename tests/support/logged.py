"""A log with something of everything in it: visits, people, strangers, sealed pictures, admins at work."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import decided
import stores

from appliance.events import (
    CameraChanged,
    CaptureSkipped,
    Event,
    ProcessChanged,
    StrangerCaptured,
)
from appliance.services import Services
from appliance.store import NewEvent, StoredEvent, Subject


@dataclass(frozen=True)
class Day:
    """What was logged.

    Attributes:
        ann: Enrolled, and recognised.
        ben: Enrolled.
        identified: The last decision about Ann.
        stranger: The last decision about a stranger whose pictures are sealed.
        undecided: The last decision that was left open.
        capture: Of the stranger.
    """

    ann: Subject
    ben: Subject
    identified: StoredEvent
    stranger: StoredEvent
    undecided: StoredEvent
    capture: str


def a_day(services: Services, at: datetime) -> Day:
    """Log a morning at the door, before this time, and return what of it tests look for."""
    store = services.store
    ann = store.add_subject("Ann Archer", consent=stores.AGREED)
    ben = store.add_subject("Ben Bauer", consent=stores.AGREED)
    capture = services.ids(at)
    services.layout.spool.mkdir(mode=0o700, exist_ok=True)
    (services.layout.spool / f"{capture}.age").write_bytes(b"age-encryption.org/v1\n" + os.urandom(90_000))
    sealed = StrangerCaptured(
        encounter="e2",
        capture=capture,
        file=f"{capture}.age",
        sha256="0" * 64,
        size_bytes=90_022,
        frames=3,
        recipients=("SHA256:x3fL8mZpVb0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",),
        expires_at=at + timedelta(days=30),
    )
    skipped = CaptureSkipped(encounter="e5", reason="no_recipient")
    _visit(services, at - timedelta(days=1, hours=1), "v5", _stay("e5", "below_threshold", ann, ben), skipped)
    _visit(services, at - timedelta(days=1), "v4", _stay("e4", "near_threshold", ben, ann))
    identified = _visit(services, at - timedelta(hours=2), "v1", _stay("e1", "score_and_margin", ann, ben))
    stranger = _visit(
        services, at - timedelta(minutes=50), "v2", _stay("e2", "below_threshold", ann, ben), sealed
    )
    undecided = _visit(services, at - timedelta(minutes=40), "v3", _stay("e3", "look_alike", ann, ben))
    _log(services, at - timedelta(minutes=30), [ProcessChanged(type="process_restarted", process="models")])
    lost = CameraChanged(type="camera_lost", reason="no frame for 10 s", camera="entrance")
    _log(services, at - timedelta(minutes=20), [lost])
    return Day(ann, ben, identified[-1], stranger[-2], undecided[-1], capture)


def _stay(name: str, rule: str, first: Subject, second: Subject) -> list[Event]:
    made = decided.encounters(str(first.id), str(second.id))[rule]
    return [decided.event_of(each, name) for each in made]


def _visit(
    services: Services, at: datetime, visit: str, happened: Sequence[Event], *more: Event
) -> list[StoredEvent]:
    """Between the door's opening and its shutting; what happened comes back, without the door."""
    events = [stores.OPENED, *happened, *more, stores.SHUT]
    return _log(services, at, [each.model_copy(update={"visit": visit}) for each in events])[1:-1]


def _log(services: Services, at: datetime, events: Sequence[Event]) -> list[StoredEvent]:
    place: dict[str, Any] = {"door": "main", "camera": "entrance"}
    doorless = (ProcessChanged, CameraChanged)
    return services.store.append_all(
        [
            NewEvent(
                each if isinstance(each, doorless) else each.model_copy(update=place),
                at=at + timedelta(seconds=2 * i),
            )
            for i, each in enumerate(events)
        ]
    )
