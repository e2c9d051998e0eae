"""What hosted functions say they saw, out of what they publish: messages in the form of the DeepLens samples.

`{"dog": 0.97, "sofa": 0.31, "timestamp": "…"}` on a function's infer topic is what a frame showed; whatever
else functions publish is none of it. When it was is the box's own word: a function's clock need not be right,
and its time has no zone.
"""

import contextlib
import json
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from appliance.app.sighting import Sightings
from appliance.clock import SystemClock
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.project import Project
from appliance.ids import random_ids
from appliance.services import Layout
from appliance.settings import Settings
from appliance.wire import Client

_MOST_BYTES: Final = 64 << 10
"""A message of labels is far smaller."""

_LEAVE_S: Final = 3.0

Published = Callable[[Project, FunctionMessage], None]
"""Told of each message that a function publishes; returns at once."""


@contextlib.contextmanager
def handing_over(settings: Settings, layout: Layout) -> Iterator[Sightings | None]:
    """What functions see, handed to who keeps moments until the end of the block; None: nobody does."""
    if not settings.index.enabled:
        yield None
        return
    sightings = Sightings(Client(layout.socket("dispatch")), random_ids(SystemClock().wall()))
    stop = threading.Event()
    thread = threading.Thread(target=sightings.run, args=(stop,), name="function-sightings", daemon=True)
    thread.start()
    try:
        yield sightings
    finally:
        stop.set()
        thread.join(_LEAVE_S)


def also_seen(published: Published, sightings: Sightings | None) -> Published:
    """Tell both: who publishes messages, and who keeps what they say was seen, if anybody does."""
    if sightings is None:
        return published

    def both(project: Project, message: FunctionMessage) -> None:
        published(project, message)
        if message.topic == project.infer_topic:
            sightings.add(message.at, project.camera, labels_of(message.payload), project.name)

    return both


def labels_of(payload: bytes) -> dict[str, float]:
    """Label → score of a message; nothing if it is not one of labels with scores from 0 to 1."""
    if len(payload) > _MOST_BYTES:
        return {}
    try:
        said: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    scores = {label: said[label] for label in said if label != "timestamp"}
    if all(_is_score(score) for score in scores.values()):
        return {str(label): float(score) for label, score in scores.items()}
    return {}


def _is_score(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= 1
