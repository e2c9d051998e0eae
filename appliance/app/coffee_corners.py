"""Coffee corners, introduced to what they need: a network that finds cups, who agreed, who had one just now.

The network is shown the square before each person instead of the frame, in which a mug is too small for it.
Who agreed to be counted is kept here, for the loop waits for no database.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

import structlog

from appliance.coffee import Turns, reach
from appliance.decision import Policy
from appliance.errors import ApplianceError
from appliance.objects import ObjectDetector
from appliance.pipeline.coffee import Before, CoffeeRooms, Tell
from appliance.pipeline.visitors import Visitors
from appliance.services import Services
from appliance.settings import CoffeeSettings
from appliance.values import Box, DetectedObject, ImageArray

_log = structlog.get_logger()

_POLL_S: Final = 0.5
"""How often it is asked who agreed; a consent that is taken back must be effective within a second."""
_SAME: Final = 0.4
"""Intersection over union from which on two finds, in two people's squares, are one cup."""


class CupFinder:
    """Finds cups in a frame.

    Args:
        detector: Finds things in a picture.
        settings: Which of them count, and from which score on.
    """

    def __init__(self, detector: ObjectDetector, settings: CoffeeSettings) -> None:
        self._detector = detector
        self._labels = frozenset(settings.labels)
        self._least = settings.least_score

    def find(self, bgr: ImageArray, faces: Sequence[Box]) -> list[DetectedObject]:
        """See `CupFinding.find`."""
        high, wide = bgr.shape[:2]
        found: list[DetectedObject] = []
        for face in faces:
            left, top, right, bottom = (round(v) for v in reach(face, (wide, high)).corners)
            part = bgr[top:bottom, left:right]
            if not part.size:
                continue
            found += [
                DetectedObject(
                    each.label,
                    each.label_id,
                    each.score,
                    Box(each.box.x + left, each.box.y + top, each.box.width, each.box.height),
                )
                for each in self._detector.detect(part)
                if each.label in self._labels and each.score >= self._least
            ]
        found.sort(key=lambda each: (-each.score, each.box.x, each.box.y))
        kept: list[DetectedObject] = []
        for each in found:
            if all(each.box.overlap(other.box) < _SAME for other in kept):
                kept.append(each)
        return kept


class Agreed:
    """Who agreed to something; `refresh` or `run` keep it so.

    Args:
        read: Asks the store.
    """

    def __init__(self, read: Callable[[], Collection[str]]) -> None:
        self._read = read
        self._now = frozenset(read())

    def __call__(self, subject: str) -> bool:
        """Whether they did, as of the last time it was read."""
        return subject in self._now

    def refresh(self) -> None:
        """Ask again.

        Raises:
            StoreError: The store cannot be read.
        """
        self._now = frozenset(self._read())

    def run(self, stop: threading.Event) -> None:
        """Refresh until `stop` is set. While it cannot be read, nobody agreed."""
        while not stop.wait(_POLL_S):
            try:
                self.refresh()
            except ApplianceError as error:
                if self._now:
                    _log.error("consents_not_read", error=error.message, hint=error.advice)
                self._now = frozenset()


def coffee_rooms(
    settings: CoffeeSettings,
    services: Services,
    policy: Policy,
    cups: CupFinder,
    *,
    agreed: Agreed,
    tell: Tell | None = None,
) -> CoffeeRooms:
    """What cameras before coffee corners share; whose last coffee was just now is not counted again at once.

    Raises:
        StoreError: The coffees cannot be read.
    """
    store = services.store
    lately = services.clock.wall() - timedelta(seconds=settings.participation_s)
    visitors = None
    if settings.visitors:
        kept_s = settings.visitor_hours * 3600
        visitors = Visitors(policy, forgotten_after_s=kept_s, first=store.last_visitor() + 1)
    before = [
        Before(str(each.said), each.at) for each in store.coffees(since=lately) if each.said is not None
    ]
    return CoffeeRooms(settings, cups, agreed, Turns(settings.participation_s), visitors, before, tell)
