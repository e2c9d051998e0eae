"""Trying a door out: calibrating it, watching it and drawing it, on a clip or on the live camera.

Introduces the camera room to the door room and hands on frames; the arithmetic is theirs.
Nothing is logged and nobody's face is looked for.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.camera import Camera, open_source, recorded_frames
from appliance.camera.annotate import annotate_door, encode_png
from appliance.clock import SystemClock
from appliance.door import DoorWatch, Look, Proposal, fill
from appliance.door import calibrate as propose
from appliance.errors import CameraLostError, InputError
from appliance.settings import CameraSettings, DoorSettings
from appliance.values import WHOLE_FRAME, CameraId, DoorReading, Frame, Region

_START = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_LOOKS = 1200
"""Frames that a calibration looks at, at most: two minutes at ten a second."""

Tell = Callable[[float], None]
"""Told of progress: seconds seen so far."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was proposed, and a picture of it.

    Attributes:
        proposal: How to watch the door.
        picture: PNG of the shut door with region, seed and fill painted on it.
    """

    proposal: Proposal
    picture: bytes


def clip_frames(source: str, fps: float) -> Iterator[Frame]:
    """Frames of a recording: a video file, a folder of pictures, or scene:door.

    Raises:
        CameraRefusedError: It is live, or no recording.
    """
    camera = CameraSettings.model_validate({"id": "clip", "source": source, "fps": fps})
    clip = open_source(camera, SystemClock())
    yield from recorded_frames(clip, camera=CameraId("clip"), fps=fps, start_wall=_START)


def live_frames(
    camera: CameraSettings, stop: threading.Event, seconds: float | None = None
) -> Iterator[Frame]:
    """Frames of a configured camera as they come, until `stop` is set or so many seconds have passed."""
    first: float | None = None
    for frame in Camera(camera, SystemClock()).frames(stop):
        first = frame.stamp.monotonic_s if first is None else first
        yield frame
        if seconds is not None and frame.stamp.monotonic_s - first >= seconds:
            stop.set()


def calibrate(
    frames: Iterator[Frame], door: DoorSettings, *, keep_region: bool = False, tell: Tell = lambda _: None
) -> Calibration:
    """Look at a door that is shut and then opened, and propose how to watch it.

    Raises:
        InputError: The frames do not show that.
    """
    looks: list[Look] = []
    first: Frame | None = None
    begin = 0.0
    for frame in frames:
        if first is None:
            first, begin = frame, frame.stamp.monotonic_s
            first.bgr()
        at = frame.stamp.monotonic_s - begin
        gray = frame.gray(WHOLE_FRAME)
        if looks and gray.shape != looks[0].gray.shape:
            raise InputError("the pictures of this clip are not all of one size")
        looks.append(Look(at, gray.copy()))
        if len(looks) > _MOST_LOOKS:
            raise InputError(
                f"the clip is longer than {_MOST_LOOKS} frames", hint="cut it to a minute, or lower --fps"
            )
        tell(at)
    if first is None:
        raise CameraLostError("no frame came")
    proposal = propose(looks, door, keep_region=keep_region)
    return Calibration(proposal, drawn(first, proposal.door))


def watched(frames: Iterator[Frame], door: DoorSettings) -> Iterator[tuple[float, DoorReading]]:
    """Seconds since the first frame, and what the watch says of each."""
    watch = DoorWatch(door)
    begin: float | None = None
    for frame in frames:
        begin = frame.stamp.monotonic_s if begin is None else begin
        yield frame.stamp.monotonic_s - begin, watch.observe(frame)


def drawn(frame: Frame, door: DoorSettings) -> bytes:
    """PNG of a frame with the door's region, its seed and what a plain fill covers."""
    left, top, right, bottom = door.region
    region = Region(left, top, right, bottom)
    seed = (door.seed[0] - left) / (right - left), (door.seed[1] - top) / (bottom - top)
    filled = fill(frame.gray(region), seed, door.tolerance)
    caption = f"{door.id}: fill {filled.mean():.0%}, shut {door.shut_fraction:.0%}"
    return encode_png(annotate_door(frame.bgr(), region, door.seed, filled, caption))
