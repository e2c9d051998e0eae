"""A recording from beginning to end: every frame, at the recording's own time.

For replays, evaluations and tests. Nothing is dropped, nothing waits, no clock is read, so
the same recording gives the same frames with the same stamps.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from appliance.camera.source import CapturedFrame, FrameLimit, Source
from appliance.errors import CameraRefusedError
from appliance.values import CameraId, Frame, FrameStamp


def recorded_frames(source: Source, *, camera: CameraId, fps: float, start_wall: datetime) -> Iterator[Frame]:
    """Every frame of a recording, in order, thinned to `fps`; opens and closes the source.

    Args:
        source: The recording; its `damaged` tells afterwards what was lost.
        camera: Whose frames they shall be.
        fps: Frames per second of media time, at most, > 0.
        start_wall: Wall time of the first frame, aware.

    Raises:
        CameraRefusedError: The source is live, cannot be opened, or holds no picture.
        ValueError: `start_wall` has no time zone.
    """
    if start_wall.tzinfo is None:
        raise ValueError("start_wall needs a time zone")
    if source.live:
        raise CameraRefusedError(
            f"{source.address} is live and cannot be replayed", hint="record it first, then replay the file"
        )
    limit = FrameLimit(fps)
    sequence = 0
    source.open()
    try:
        while (shot := source.read()) is not None:
            media_s = shot.media_s or 0.0
            if not limit.admits(media_s):
                continue
            stamp = FrameStamp(camera, sequence, media_s, start_wall + timedelta(seconds=media_s), media_s)
            sequence += 1
            yield CapturedFrame(stamp, shot.picture)
    finally:
        source.close()
    if not sequence:
        raise CameraRefusedError(f"{source.address} holds no picture that can be decoded")
