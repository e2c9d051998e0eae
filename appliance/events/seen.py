"""What cameras saw of doors and things, and how the cameras are."""

from typing import Literal

from appliance.events.event import Event
from appliance.values import DoorState


class DoorChanged(Event):
    """The door is now open, shut, or cannot be told."""

    type: Literal["door_opened", "door_shut", "door_unsure"]
    state: DoorState
    fraction: float
    """Share of the region that the flood fill covered, 0 to 1."""


class DoorHeldOpen(Event):
    """The door has not been shut for longer than `held_open_s` of its settings; said once per opening.

    What a door does while the camera is blind or lost is not known: whatever is open afterwards counts anew.
    """

    type: Literal["door_held_open"] = "door_held_open"
    open_s: float
    """Seconds since it was first seen open after it was shut, or after the camera saw nothing."""


class CameraDisturbed(Event):
    """The camera sends pictures, but not of what it used to see; or it does again.

    `camera_moved` has no end: it is said once, and the new view is what it sees from then on.
    """

    type: Literal["camera_moved", "camera_covered", "camera_dark", "camera_frozen", "camera_clear"]
    lasted_s: float | None = None
    """For `camera_clear`: how long it had been disturbed, seconds."""


class CameraChanged(Event):
    """A source of frames was lost, or is back."""

    type: Literal["camera_lost", "camera_recovered"]
    reason: str
    """Redacted: never an address with a password."""
    outage_s: float | None = None


class DoorCalibrated(Event):
    """A door was set up in the UI, from being shown shut and open."""

    type: Literal["door_calibrated"] = "door_calibrated"
    separation: float | None = None
    """How far the two states lay apart, in shares of the shut door's fill; None: it was not shown both."""
    usable: bool | None = None
    """Whether shut and open were told apart as it was saved; None: it was not shown both."""


class ObjectSeen(Event):
    """A thing was tracked for long enough to trigger: once per track and trigger, then its cool-down.

    One dog is one dog: `track` names it among the things that the camera saw since it was started.
    """

    type: Literal["object_seen"] = "object_seen"
    trigger: str
    """Id of the trigger in the settings."""
    label: str
    """As the model calls it: `dog`, `cup`."""
    score: float
    """The best of the track so far, 0 to 1."""
    track: int
    dwell_s: float
    """Seconds since the track began."""
    box: tuple[float, float, float, float]
    """Left, top, width, height in the full frame, pixels."""
    model: str
