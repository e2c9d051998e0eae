"""What hosted functions say they saw, out of what they publish: messages in the form of the DeepLens samples.

`{"dog": 0.97, "sofa": 0.31, "timestamp": "…"}` on a function's infer topic is what a frame showed; whatever
else functions publish is none of it. When it was is the box's own word: a function's clock need not be right,
and its time has no zone.
"""

import contextlib
import json
import math
from collections.abc import Iterator
from typing import Any, Final

from appliance.app.function_inferences import Published, handing_over
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


@contextlib.contextmanager
def sightings_heard(settings: Settings, layout: Layout) -> Iterator[Published | None]:
    """Hears what functions publish, for who keeps moments, until the end of the block; None: nobody does."""
    if not settings.index.enabled:
        yield None
        return
    sightings = Sightings(Client(layout.socket("dispatch")), random_ids(SystemClock().wall()))
    with handing_over(sightings.run, "function-sightings"):
        yield seen_by(sightings)


def seen_by(sightings: Sightings) -> Published:
    """Hears what functions publish, and adds what it says was seen."""

    def hear(project: Project, message: FunctionMessage) -> None:
        sightings.add(message.at, project.camera, labels_of(message.payload), project.name)

    return hear


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
