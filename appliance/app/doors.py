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
from appliance.clock import Clock, SystemClock
from appliance.door import DoorWatch, Proposal, ShutPicture, Snapshot, check_region, fill, snapshot
from appliance.door import calibrate as propose
from appliance.errors import CameraLostError, InputError
from appliance.settings import CameraSettings, DoorSettings
from appliance.values import WHOLE_FRAME, CameraId, DoorReading, Frame, Region

_START = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE_S = 20.0
"""How long a camera may give no frame before a calibration gives up; networked ones take a while."""
_LOOK_S = 0.2
"""How often it is looked whether to give up."""
_EVERY_S = 0.1
"""A calibration keeps a picture that often,"""
_EARLY = 0.9
"""of that time, for frames come a little early or late,"""
_MOST_KEPT = 240
"""and this many at most: of a longer clip every second one is dropped, and
half as many are kept from then on. At 640 by 360 pixels that is 55 MB."""
_LONGEST_S = 180.0
"""A clip in which a door is shown shut and then open need not be longer."""

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
    camera: CameraSettings,
    stop: threading.Event,
    seconds: float | None = None,
    *,
    patience_s: float = PATIENCE_S,
) -> Iterator[Frame]:
    """Frames of a configured camera as they come, until `stop` is set or so many seconds have passed.

    Args:
        camera: Which.
        stop: Ends it from another thread.
        seconds: From the first frame on; None goes on for ever.
        patience_s: How long the first frame may take; with `seconds`, any other frame, too.

    Raises:
        CameraRefusedError: The camera cannot work as configured.
        CameraLostError: No frame came for so long.
    """
    clock = SystemClock()
    enough = threading.Event()
    patience = _Patience(clock, patience_s, stop, enough)
    patience.start()
    first: float | None = None
    try:
        for frame in Camera(camera, clock).frames(enough):
            first = frame.stamp.monotonic_s if first is None else first
            patience.renew(for_ever=seconds is None)
            yield frame
            if seconds is not None and frame.stamp.monotonic_s - first >= seconds:
                break
            # What the caller did with the frame is not the camera's silence.
            patience.renew(for_ever=seconds is None)
    finally:
        enough.set()
        patience.join()
    if patience.lost:
        raise CameraLostError(
            f"camera {camera.id} gave no frame for {patience_s:g} s",
            hint="is it connected, and does anything else read it?",
            command="appliance doctor looks",
        )


class _Patience(threading.Thread):
    """Ends the waiting for a camera that gives nothing, and when somebody else says so.

    Args:
        clock: Says how late it is.
        patience_s: How long a frame may take.
        stop: Set by whoever wants no more frames.
        enough: Set by this.
    """

    def __init__(
        self, clock: Clock, patience_s: float, stop: threading.Event, enough: threading.Event
    ) -> None:
        super().__init__(name="door-patience", daemon=True)
        self._clock = clock
        self._patience_s = patience_s
        self._stop_asked = stop
        self._enough = enough
        self._until_s = clock.monotonic() + patience_s
        self.lost = False

    def renew(self, *, for_ever: bool) -> None:
        """A frame came."""
        self._until_s = float("inf") if for_ever else self._clock.monotonic() + self._patience_s

    def run(self) -> None:
        """Look several times a second until it is enough."""
        while not self._enough.wait(_LOOK_S):
            if self._stop_asked.is_set():
                self._enough.set()
            elif self._clock.monotonic() > self._until_s:
                self.lost = True
                self._enough.set()


def calibrate(
    frames: Iterator[Frame],
    door: DoorSettings,
    *,
    keep_region: bool = False,
    vouched: bool = False,
    tell: Tell = lambda _: None,
) -> Calibration:
    """Look at a door that is shut and then opened, and propose how to watch it.

    Args:
        frames: In order of time.
        door: Identity, and whatever is not proposed.
        keep_region: Leave the region as it is.
        vouched: The proposal's picture is going to be kept, so it is judged by a watch that begins with it.
        tell: Told of progress.

    Raises:
        InputError: The frames do not show that.
    """
    kept = _Kept()
    first: Frame | None = None
    begin = 0.0
    for frame in frames:
        if first is None:
            first, begin = frame, frame.stamp.monotonic_s
            first.bgr()
            if keep_region:
                check_region(door, frame.width, frame.height)
        if (frame.width, frame.height) != (first.width, first.height):
            raise InputError("the pictures of this clip are not all of one size")
        at_s = frame.stamp.monotonic_s - begin
        kept.offer(frame, at_s)
        tell(at_s)
    if first is None:
        raise CameraLostError("no frame came")
    proposal = propose(kept.snapshots, door, keep_region=keep_region, vouched=vouched)
    return Calibration(proposal, drawn(first, proposal.door))


class _Kept:
    """Small copies of frames, thinned by time as the clip gets longer."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self._every_s = _EVERY_S

    def offer(self, frame: Frame, at_s: float) -> None:
        """Keep the frame if one is due.

        Raises:
            InputError: The clip is longer than a calibration needs.
        """
        if at_s > _LONGEST_S:
            raise InputError(
                f"this takes longer than {_LONGEST_S:g} s",
                hint="cut it to the part in which the door is shut for a while and then opened",
            )
        if self.snapshots and at_s - self.snapshots[-1].at_s < _EARLY * self._every_s:
            return
        self.snapshots.append(snapshot(at_s, frame.gray(WHOLE_FRAME)))
        if len(self.snapshots) > _MOST_KEPT:
            del self.snapshots[1::2]
            self._every_s *= 2


def watched(
    frames: Iterator[Frame], door: DoorSettings, picture: ShutPicture | None = None
) -> Iterator[tuple[float, DoorReading]]:
    """Seconds since the first frame, and what the watch says of each.

    Args:
        frames: In order of time.
        door: How it is watched.
        picture: The shut door, to begin with; without one the watch begins by guessing.
    """
    watch = DoorWatch(door, picture)
    begin: float | None = None
    for frame in frames:
        if begin is None:
            begin = frame.stamp.monotonic_s
            check_region(door, frame.width, frame.height)
        yield frame.stamp.monotonic_s - begin, watch.observe(frame)


def drawn(frame: Frame, door: DoorSettings) -> bytes:
    """PNG of a frame with the door's region, its seed and what a plain fill covers."""
    check_region(door, frame.width, frame.height)
    left, top, right, bottom = door.region
    region = Region(left, top, right, bottom)
    seed = (door.seed[0] - left) / (right - left), (door.seed[1] - top) / (bottom - top)
    filled = fill(frame.gray(region), seed, door.tolerance)
    caption = f"{door.id}: fill {filled.mean():.0%}, shut {door.shut_fraction:.0%}"
    return encode_png(annotate_door(frame.bgr(), region, door.seed, filled, caption))
