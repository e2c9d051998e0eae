"""The device stream of a camera: what functions find in `/opt/awscam/out`, and people on the box by setting.

One thread for each camera encodes its pictures while somebody reads, once for all who do: H.264 for
`ch1_out.h264`, JPEGs for `ch2_out.mjpeg`. Nobody is waited for: a reader that is too slow misses whole units.
The stream keeps its pace, showing a picture again when the camera gives no other, so that what is recorded of
it lasts as long as it did; after a second without any it pauses.

Nothing of this is drawn into, and nothing of it is kept.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from appliance.clock import Clock, SystemClock
from appliance.deeplens.fifos import FifoOutlet, UnitOutlet, make_fifo, remove_fifo
from appliance.deeplens.frame_source import FrameSource
from appliance.deeplens.per_camera import PerCamera, give_way
from appliance.deeplens.stream_units import Encoder, PictureEncoder, VideoEncoder
from appliance.errors import ApplianceError
from appliance.values import ImageArray

VIDEO_NAME = "ch1_out.h264"
PICTURES_NAME = "ch2_out.mjpeg"
_IDLE_S = 0.25
"""Between two looks whether somebody has come to read."""
_STALE_S = 1.0
"""A camera that gave nothing for so long is away."""
_FLUSH_S = 0.01
"""Between two attempts to hand over the rest of a unit."""
_RETRY_S = 0.5
_END_S = 1.0

_log = structlog.get_logger()


class DeviceStream:
    """Encodes a camera's pictures for whoever reads them.

    Args:
        source: Where frames come from; the stream's own from now on, closed with it.
        fps: Pictures a second.
        clock: For the pace.
        make_encoder: Makes the encoder of the video, for so many pictures a second, when a reader comes.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        fps: float = 15.0,
        clock: Clock | None = None,
        make_encoder: Callable[[float], Encoder] = VideoEncoder,
    ) -> None:
        self._source = source
        self._period_s = 1 / fps
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._video = _Channel(lambda: make_encoder(fps))
        self._pictures = _Channel(PictureEncoder)
        self._picture: ImageArray | None = None
        self._picture_at = float("-inf")
        self._away = False

    def open(self) -> None:
        """Begin to wait for readers."""
        self._thread = threading.Thread(target=self._run, name="device-stream", daemon=True)
        self._thread.start()

    def add_video(self, outlet: UnitOutlet) -> None:
        """H.264 goes there from now on, while it is read."""
        with self._lock:
            self._video.outlets.append(outlet)

    def add_pictures(self, outlet: UnitOutlet) -> None:
        """JPEGs go there from now on, while they are read."""
        with self._lock:
            self._pictures.outlets.append(outlet)

    def remove(self, outlet: UnitOutlet) -> None:
        """Nothing goes there any more; it is closed."""
        with self._lock:
            for channel in (self._video, self._pictures):
                channel.outlets = [each for each in channel.outlets if each is not outlet]
            outlet.close()

    def close(self) -> None:
        """Stop, and close every outlet. May be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self) -> None:
        """Encode while somebody reads, until closed."""
        give_way()
        due = self._clock.monotonic()
        try:
            while not self._stop.is_set():
                if not self._is_read():
                    self._rest()
                    due = self._clock.monotonic()
                    continue
                due = max(due, self._clock.monotonic() - self._period_s) + self._period_s
                self._encode()
                self._wait(due)
        finally:
            self._source.close()
            with self._lock:
                for channel in (self._video, self._pictures):
                    for outlet in channel.outlets:
                        outlet.close()

    def _is_read(self) -> bool:
        """Whether anybody reads anything."""
        with self._lock:
            video, pictures = self._video.is_read(), self._pictures.is_read()
            return video or pictures

    def _rest(self) -> None:
        """Let go of the camera and the encoders until somebody comes."""
        self._source.close()
        self._picture = None
        self._stop.wait(_IDLE_S)

    def _encode(self) -> None:
        """One picture into each channel that is read."""
        picture = self._newest()
        if picture is None:
            return
        at = self._clock.wall()
        for channel in (self._video, self._pictures):
            if not channel.reading:
                continue
            unit = channel.encoder().encode(picture, at, key=channel.takes_key())
            with self._lock:
                for outlet in channel.outlets:
                    if outlet in channel.reading:
                        outlet.offer(unit)

    def _newest(self) -> ImageArray | None:
        """The newest picture, the one before if there is no other; None if the camera is away."""
        now = self._clock.monotonic()
        try:
            frame = self._source.newer(0.0 if self._picture is not None else _IDLE_S)
        except ApplianceError as error:
            if not self._away:
                _log.warning("device_stream_without_camera", reason=error.message)
            self._away = True
            self._stop.wait(_RETRY_S)
            frame = None
        if frame is not None:
            self._away = False
            self._picture, self._picture_at = frame.bgr, now
        elif now - self._picture_at > _STALE_S:
            self._picture = None
        return self._picture

    def _wait(self, due: float) -> None:
        """Sleep until the next picture is due, handing over what is left of the last."""
        while not self._stop.is_set():
            with self._lock:
                outlets = [*self._video.outlets, *self._pictures.outlets]
                left = [outlet for outlet in outlets if outlet.flush()]
            rest = due - self._clock.monotonic()
            if rest <= 0:
                return
            self._stop.wait(min(rest, _FLUSH_S) if left else rest)


class _Channel:
    """One encoding and its outlets."""

    def __init__(self, make_encoder: Callable[[], Encoder]) -> None:
        self._make_encoder = make_encoder
        self._encoder: Encoder | None = None
        self._wants_key = False
        self.outlets: list[UnitOutlet] = []
        self.reading: list[UnitOutlet] = []

    def is_read(self) -> bool:
        """Look who reads; whoever comes needs a key first, and without readers no encoder is kept."""
        reading = [outlet for outlet in self.outlets if outlet.is_read()]
        if any(outlet not in self.reading for outlet in reading):
            self._wants_key = True
        self.reading = reading
        if not reading:
            self._encoder = None
        return bool(reading)

    def encoder(self) -> Encoder:
        """Made when it is needed."""
        if self._encoder is None:
            self._encoder = self._make_encoder()
        return self._encoder

    def takes_key(self) -> bool:
        """Whether a key is wanted; said once."""
        wants, self._wants_key = self._wants_key, False
        return wants


class DeviceStreams(PerCamera[DeviceStream]):
    """One device stream for each camera that is used, open while it is.

    Args:
        make_source: Makes a source of frames of a camera, by its id.
        fps: Pictures a second.
    """

    def __init__(self, make_source: Callable[[str], FrameSource], *, fps: float = 15.0) -> None:
        super().__init__(lambda camera: DeviceStream(make_source(camera), fps=fps))


class ViewStreams:
    """The two pipes of a function's view, in a folder that is bound there for reading as `/opt/awscam/out`.

    Args:
        folder: Where they lie; made, and readable by whoever the function runs as. Nobody else may write to
            the folder that it lies in.
        stream: What goes into them.
    """

    def __init__(self, folder: Path, stream: DeviceStream) -> None:
        self._folder = folder
        self._stream = stream
        self._directory = -1
        self._outlets: list[FifoOutlet] = []

    def open(self) -> None:
        """Make folder and pipes.

        Raises:
            OSError: They cannot be made.
            InputError: Something else lies there.
        """
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._folder.chmod(0o755)  # whatever the umask
        self._directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        for name, add in ((VIDEO_NAME, self._stream.add_video), (PICTURES_NAME, self._stream.add_pictures)):
            make_fifo(self._directory, name, 0o644)
            outlet = FifoOutlet(self._directory, name)
            self._outlets.append(outlet)
            add(outlet)

    def close(self) -> None:
        """Remove the pipes and their folder. May be called twice."""
        for outlet in self._outlets:
            self._stream.remove(outlet)
        self._outlets = []
        directory, self._directory = self._directory, -1
        if directory >= 0:
            remove_fifo(directory, VIDEO_NAME)
            remove_fifo(directory, PICTURES_NAME)
            os.close(directory)
            with contextlib.suppress(OSError):  # somebody put something of theirs into it
                self._folder.rmdir()
