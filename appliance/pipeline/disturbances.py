"""What disturbs one camera, put on record: once when it begins, once when it is over.

Knows the camera room by protocol. It does not say what a disturbance looks like, nor what the loop leaves
alone while the camera is blind. A disturbance that an earlier process began ends here like any other.
"""

from datetime import datetime
from typing import Any, Protocol

from appliance.events import CameraDisturbed
from appliance.pipeline.records import Recording
from appliance.values import CameraReading, Disturbance, Frame

_KINDS: dict[Disturbance, Any] = {
    Disturbance.MOVED: "camera_moved",
    Disturbance.COVERED: "camera_covered",
    Disturbance.DARK: "camera_dark",
    Disturbance.FROZEN: "camera_frozen",
}


class CameraWatching(Protocol):
    """The camera room, as the loop needs it."""

    def observe(self, frame: Frame) -> CameraReading:
        """The camera's condition at this frame."""


class Disturbances:
    """A camera's disturbances, frame by frame.

    Args:
        camera: The camera's id.
        watch: Who looks; None: nobody, and the camera is always believed.
        records: Where events go.
        since: When what disturbs it already, as the watch was told, began (aware); None: nothing does.
    """

    def __init__(
        self,
        camera: str,
        watch: CameraWatching | None,
        records: Recording,
        since: datetime | None = None,
    ) -> None:
        self._camera = camera
        self._watch = watch
        self._records = records
        self._since = since
        self._earlier_s: float | None = None

    def blind(self, frame: Frame) -> bool:
        """Look at a frame, record what begins or ends, and say whether the camera sees nothing."""
        if self._watch is None:
            return False
        if self._earlier_s is None:
            self._earlier_s = self._before(frame)
        reading = self._watch.observe(frame)
        if reading.lasted_s is not None:
            lasted_s = round(reading.lasted_s + self._earlier_s, 3)
            self._earlier_s = 0.0
            clear = CameraDisturbed(type="camera_clear", camera=self._camera, lasted_s=lasted_s)
            self._records.log([clear], frame.stamp.wall)
        if reading.begun is not None:
            begun = CameraDisturbed(type=_KINDS[reading.begun], camera=self._camera)
            self._records.log([begun], frame.stamp.wall)
        return reading.blind

    def _before(self, first: Frame) -> float:
        """Seconds that it had been disturbed at the first frame; none if the clock was set back."""
        return 0.0 if self._since is None else max(0.0, (first.stamp.wall - self._since).total_seconds())
