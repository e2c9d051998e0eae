"""One camera's things, frame by frame: looked for, judged, followed, and told of when they stay.

Puts the room's parts together. It looks at as many frames a second as the settings allow, on the frames' own
time, so that a replay looks at the same ones. Logs and publishes nothing.
"""

from appliance.objects.detector import ObjectDetector
from appliance.objects.regions import counting
from appliance.objects.tracking import ObjectTracker
from appliance.objects.triggers import Triggers, tracked
from appliance.settings import ObjectsSettings
from appliance.values import Frame, ObjectsReading

_EARLY = 0.1
"""A frame may come this part of the time between two looks before it is due: cameras are not exact."""


class ObjectWatch:
    """The things in one camera's frames.

    Args:
        settings: What is looked for.
        detector: Finds things; of every label, from the least score that counts for any of them.
    """

    def __init__(self, settings: ObjectsSettings, detector: ObjectDetector) -> None:
        self._settings = settings
        self._detector = detector
        self._tracker = ObjectTracker(settings.lost_after_s)
        self._triggers = Triggers(settings.triggers)
        self._due_s: float | None = None

    def observe(self, frame: Frame) -> ObjectsReading | None:
        """The things in a frame; None when it is not looked at."""
        now_s = frame.stamp.monotonic_s
        due_s = now_s if self._due_s is None else self._due_s
        period_s = 1 / self._settings.fps
        if now_s < due_s - _EARLY * period_s:
            return None
        # From when it was due, so that frames that do not come in step are looked at as often on average.
        self._due_s = max(due_s + period_s, now_s)
        size = frame.width, frame.height
        things = counting(self._detector.detect(frame.bgr()), self._settings, size)
        tracks = self._tracker.update(things, now_s)
        alarms = self._triggers.update(tracks, self._tracker.current(), now_s, size)
        return ObjectsReading(self._settings.model, tuple(tracked(each) for each in tracks), tuple(alarms))

    def interrupted(self) -> None:
        """Nothing is seen for now (blind, or lost): whatever is seen next is something else."""
        self._tracker.forget()
        self._due_s = None


def least_score(settings: ObjectsSettings) -> float:
    """The least score that counts for any label."""
    return min((settings.threshold, *settings.thresholds.values()))
