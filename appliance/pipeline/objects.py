"""The things in one camera's frames, beside its faces: triggers on record, what was seen handed on.

Knows the objects room by protocol. Looks after everything else was done with a frame, so that nothing that is
decided of doors and people depends on it; what it finds is there for whoever counts coffees in that frame.
Waits for nobody: what is published is handed over and forgotten.
"""

from collections.abc import Callable
from typing import Any, Protocol

from appliance.events import ObjectSeen
from appliance.pipeline.records import Recording
from appliance.values import Frame, FrameStamp, ObjectAlarm, ObjectsReading

_SHOWN = 32
"""Things told to viewers, the most certain: what they are told has a place of fixed size."""

Publish = Callable[[ObjectsReading, FrameStamp], None]
"""Told of each frame that was looked at; returns at once."""


class ObjectWatching(Protocol):
    """The objects room, as the loop needs it."""

    def observe(self, frame: Frame) -> ObjectsReading | None:
        """The things in a frame; None when it is not looked at."""

    def interrupted(self) -> None:
        """Nothing is seen for now: whatever is seen next is something else."""


class Things:
    """The things of one camera, frame by frame.

    Args:
        camera: The camera's id.
        watch: Who looks; None: nobody, and there are none.
        records: Where events go.
        publish: Told of what was seen; None: nobody is.
    """

    def __init__(
        self, camera: str, watch: ObjectWatching | None, records: Recording, publish: Publish | None
    ) -> None:
        self._camera = camera
        self._watch = watch
        self._records = records
        self._publish = publish
        self._last: ObjectsReading | None = None

    def observe(self, frame: Frame, *, blind: bool) -> ObjectsReading | None:
        """Look at a frame and put on record what its triggers say.

        Args:
            frame: The next one.
            blind: The camera is known to see nothing; in a frozen picture a dog would stay for ever.

        Returns:
            The things in it; None when it was not looked at.
        """
        if self._watch is None:
            return None
        if blind:
            self.interrupted()
            return None
        reading = self._watch.observe(frame)
        if reading is None:
            return None
        self._last = reading
        events = [self._event(alarm, reading.model) for alarm in reading.alarms]
        if events:
            self._records.log(events, frame.stamp.wall)
        if self._publish is not None:
            self._publish(reading, frame.stamp)
        return reading

    def interrupted(self) -> None:
        """No frame comes for now, or none that can be believed."""
        self._last = None
        if self._watch is not None:
            self._watch.interrupted()

    def overlay(self) -> list[dict[str, Any]]:
        """The things of the frame that was last looked at, for viewers."""
        if self._last is None:
            return []
        return [
            {
                "box": [round(v) for v in each.thing.box.corners],
                "label": each.label,
                "score": round(each.thing.score, 3),
                "track": each.track,
            }
            for each in self._last.things[:_SHOWN]
        ]

    def _event(self, alarm: ObjectAlarm, model: str) -> ObjectSeen:
        tracked = alarm.tracked
        box = tracked.thing.box
        return ObjectSeen(
            camera=self._camera,
            trigger=alarm.trigger,
            label=tracked.label,
            score=round(tracked.best, 4),
            track=tracked.track,
            dwell_s=round(alarm.dwell_s, 3),
            box=(round(box.x, 1), round(box.y, 1), round(box.width, 1), round(box.height, 1)),
            model=model,
        )
