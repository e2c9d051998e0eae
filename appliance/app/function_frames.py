"""Frames for hosted functions: of the running loop, or of a source of one's own."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from appliance.camera import Camera
from appliance.clock import SystemClock
from appliance.deeplens.frame_source import FrameSource, LeasedFrames, NewestFrames
from appliance.errors import ApplianceError, CameraLostError, PeerGoneError
from appliance.services import Layout
from appliance.settings import CameraSettings
from appliance.wire import Client
from appliance.wire.messages import FramesShared, Status, StatusRequest, WatchFrames


def loop_frames(layout: Layout) -> Callable[[str], FrameSource]:
    """Makes sources of the running loop's cameras, by id; an empty id is the first camera.

    Args:
        layout: Where the loop's socket is.
    """
    client = Client(layout.socket("loop"))

    def lease(camera: str) -> int:
        """A descriptor of the camera's shared frames.

        Raises:
            CameraLostError: It gives nothing.
            WireError: The loop is away.
        """
        return client.call(WatchFrames(camera=camera or first_camera(client)), FramesShared).fds[0]

    return lambda camera: LeasedFrames(lambda: lease(camera))


def first_camera(client: Client) -> str:
    """The first camera of the running loop, whatever settings it was started with.

    Args:
        client: Of the loop's socket.

    Raises:
        CameraLostError: It has none.
        WireError: It does not run.
    """
    try:
        status = client.call(StatusRequest(), Status).message
    except PeerGoneError as error:
        raise PeerGoneError("the appliance does not run", hint="start it first") from error
    cameras = list(status.details.get("cameras", {}))
    if not cameras:
        raise CameraLostError("there is no camera", hint="set one up, or name a source")
    return str(cameras[0])


@contextlib.contextmanager
def own_frames(settings: CameraSettings, *, repeat: bool = True) -> Iterator["OwnCamera"]:
    """Frames of a source that is opened for this block; a recording begins again at its end.

    Args:
        settings: Of the source.
        repeat: Whether a recording does.
    """
    camera = OwnCamera(settings, repeat=repeat)
    camera.start()
    try:
        yield camera
    finally:
        camera.close()


class OwnCamera:
    """A camera that runs in a thread of this process, for functions alone.

    Attributes:
        over: Set when there will be no more frames.
        fault: Why; None: a recording ended, or it was closed.
    """

    def __init__(self, settings: CameraSettings, *, repeat: bool) -> None:
        self._camera = Camera(settings, SystemClock(), loop=repeat)
        self._frames = NewestFrames()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="function-camera", daemon=True)
        self.over = threading.Event()
        self.fault: ApplianceError | None = None

    def start(self) -> None:
        """Open the source."""
        self._thread.start()

    def close(self) -> None:
        """Close it."""
        self._stop.set()
        self._thread.join()

    def source(self, camera: str) -> FrameSource:
        """Its frames, whatever the camera is called."""
        del camera
        return self._frames.source()

    def _run(self) -> None:
        try:
            for frame in self._camera.frames(self._stop):
                self._frames.offer(frame)
        except ApplianceError as error:
            self.fault = error
        finally:
            self.over.set()
