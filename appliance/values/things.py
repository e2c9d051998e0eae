"""Things in frames: found, followed, set off a trigger."""

from dataclasses import dataclass

from appliance.values.frames import Box


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """A thing found in a frame.

    Attributes:
        label: What the model calls it: `dog`, `cup`.
        label_id: The model's number for that.
        score: The model's certainty, 0 to 1.
        box: Where, in full-frame pixels, inside the frame.
    """

    label: str
    label_id: int
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class TrackedObject:
    """A thing in a frame, and which of the things seen before it is.

    Attributes:
        thing: As it was found.
        track: Counts the things of one camera from 1, since the loop was started.
        label: What it was called most so far; a network calls a dog a cat for a frame.
        since_s: Monotonic seconds at which it was first seen.
        best: The best score it had so far.
    """

    thing: DetectedObject
    track: int
    label: str
    since_s: float
    best: float


@dataclass(frozen=True, slots=True)
class ObjectAlarm:
    """A trigger that goes off.

    Attributes:
        trigger: Its id in the settings.
        tracked: What set it off, as it is in this frame.
        dwell_s: Seconds for which it has been there, inside the trigger's region.
    """

    trigger: str
    tracked: TrackedObject
    dwell_s: float


@dataclass(frozen=True, slots=True)
class ObjectsReading:
    """The things in one frame that was looked at.

    Attributes:
        model: Which model looked: `voc`, `coco`, `yolox`.
        things: Those that count, most certain first.
        alarms: Triggers that go off now, in the order of the settings.
    """

    model: str
    things: tuple[TrackedObject, ...]
    alarms: tuple[ObjectAlarm, ...]
