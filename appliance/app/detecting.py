"""Introducing the objects room to the models and to cameras: one network for all cameras that use it.

Opens networks when something is looked for, and none otherwise. Decides nothing about what is found.
"""

import threading
from collections.abc import Iterable, Mapping

from appliance.app.object_labels import object_model
from appliance.models.folder import ModelFolder
from appliance.networks import return_memory
from appliance.objects import NetworkDetector, NetworkKind, ObjectDetector, least_score
from appliance.settings import ObjectsSettings
from appliance.values import DetectedObject, ImageArray


class SharedDetector:
    """A network used by the threads of several cameras, one at a time."""

    def __init__(self, detector: ObjectDetector) -> None:
        self._detector = detector
        self._lock = threading.Lock()

    def detect(self, bgr: ImageArray) -> list[DetectedObject]:
        """See `ObjectDetector.detect`."""
        with self._lock:
            return self._detector.detect(bgr)


def opened_detectors(
    folder: ModelFolder, watches: Iterable[ObjectsSettings], also: Mapping[str, float] | None = None
) -> Mapping[str, ObjectDetector]:
    """Open the networks that are needed, each once.

    Args:
        folder: Where they are installed.
        watches: What is looked for; a network tells of everything from the least score that counts anywhere.
        also: Networks that are needed besides, and from which score on.

    Returns:
        By the model's name in the settings.

    Raises:
        ModelError: One is not installed, or damaged.
    """
    least = dict(also or {})
    for watch in watches:
        least[watch.model] = min(least.get(watch.model, 1.0), least_score(watch))
    found: dict[str, ObjectDetector] = {}
    for name, score in least.items():
        found[name] = SharedDetector(opened_detector(folder, name, score))
        return_memory()
    return found


def opened_detector(folder: ModelFolder, name: str, least: float) -> NetworkDetector:
    """Open a network by its name in the settings.

    Raises:
        ModelError: It is not installed, or damaged.
    """
    model = object_model(name, folder.manifest)
    kind = NetworkKind(
        side=model.input.width_px,
        fit=model.input.fit or "stretched",
        labels=model.output.labels,
        first_label=model.output.first_label,
        overlap=model.output.overlap,
    )
    detector = NetworkDetector(folder.path(model.id), kind, least)
    detector.open()
    return detector
