"""The two streams at their places on the box itself, so that what the device's owners typed works here.

    mplayer -demuxer lavf /opt/awscam/out/ch1_out.h264
    mplayer -demuxer lavf -lavfdopts format=mjpeg:probesize=32 /tmp/results.mjpeg

Pipes, and as on the device one reader of each at a time. The account of the appliance and the group `video`
may read them, as they may read a camera; where that group cannot be given, our own. What lies at a place
already and is not a pipe of ours stays, and is said; no link is followed. Pipes and folders of ours go at the
end.
"""

import contextlib
import grp
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from appliance.clock import Clock, SystemClock
from appliance.deeplens.device_stream import PICTURES_NAME, VIDEO_NAME, DeviceStream
from appliance.deeplens.fifos import FifoOutlet, make_fifo, remove_fifo
from appliance.deeplens.project_stream import NAME as PROJECT_NAME
from appliance.deeplens.stream_units import Unit
from appliance.errors import InputError

OUT = ("opt", "awscam", "out")
TMP = ("tmp",)
_MODE = 0o640
_GROUP = "video"
_PERIOD_S = 1 / 15
_IDLE_S = 0.25
_END_S = 1.0

_log = structlog.get_logger()

Latest = Callable[[int, float], tuple[int, bytes] | None]
"""The newest picture with its number if that is greater than the first argument, waiting so many seconds."""


class BoxStreams:
    """The three pipes of the box.

    Args:
        device: The device stream that goes to `/opt/awscam/out`; its caller's to open and close.
        project: The project stream that goes to `/tmp/results.mjpeg`.
        root: What stands before the paths.
        clock: For the times of pictures.
    """

    def __init__(
        self, device: DeviceStream, project: Latest, *, root: Path = Path("/"), clock: Clock | None = None
    ) -> None:
        self._device = device
        self._project = project
        self._root = root
        self._clock = clock or SystemClock()
        self._pipes: list[_Pipe] = []
        self._made: list[tuple[int, str]] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._troubles: list[str] = []

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why a place has no pipe, in words; empty when all have."""
        return tuple(self._troubles)

    def open(self) -> None:
        """Make what can be made; the rest is said in `troubles`."""
        for parts, name in ((OUT, VIDEO_NAME), (OUT, PICTURES_NAME), (TMP, PROJECT_NAME)):
            try:
                self._make(parts, name)
            except InputError as error:
                self._trouble(parts, error.message)
            except OSError as error:
                self._trouble(parts, f"{name}: {error.strerror}")
        for pipe in self._pipes:
            if pipe.name == VIDEO_NAME:
                self._device.add_video(pipe.outlet)
            elif pipe.name == PICTURES_NAME:
                self._device.add_pictures(pipe.outlet)
            else:
                self._thread = threading.Thread(
                    target=self._show, args=(pipe.outlet,), name="box-project-stream", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Remove what is ours. May be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_S)
        pipes, self._pipes = self._pipes, []
        for pipe in pipes:
            self._device.remove(pipe.outlet)
            remove_fifo(pipe.directory, pipe.name)
            os.close(pipe.directory)
        made, self._made = self._made, []
        for parent, name in reversed(made):
            with contextlib.suppress(OSError):  # somebody put something of theirs into it
                os.rmdir(name, dir_fd=parent)
            os.close(parent)

    def _make(self, parts: tuple[str, ...], name: str) -> None:
        """One pipe and the folders above it."""
        directory = self._folder(parts)
        try:
            make_fifo(directory, name, _MODE, _group())
        except BaseException:
            os.close(directory)
            raise
        self._pipes.append(_Pipe(directory, name, FifoOutlet(directory, name)))

    def _folder(self, parts: tuple[str, ...]) -> int:
        """A descriptor of a folder beneath the root, made if need be; its path has no link in it."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        directory = os.open(self._root, flags & ~os.O_NOFOLLOW)
        for part in parts:
            try:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=directory)
                    self._made.append((os.dup(directory), part))
                below = os.open(part, flags, dir_fd=directory)
            finally:
                os.close(directory)
            directory = below
        return directory

    def _show(self, outlet: FifoOutlet) -> None:
        """Write the newest picture of the project stream, again and again, while somebody reads."""
        number, picture = 0, b""
        try:
            while not self._stop.is_set():
                if not outlet.is_read():
                    self._stop.wait(_IDLE_S)
                    continue
                found = self._project(number, _PERIOD_S)
                number, picture = found or (number, picture)
                if picture:
                    outlet.offer(Unit(picture, key=True, at=self._clock.wall()))
                self._stop.wait(_PERIOD_S)
        finally:
            outlet.close()

    def _trouble(self, parts: tuple[str, ...], what: str) -> None:
        """Note and log why there is no pipe."""
        self._troubles.append(f"/{'/'.join(parts)}: {what}")
        _log.warning("box_stream_refused", reason=self._troubles[-1])


@dataclass(frozen=True, slots=True)
class _Pipe:
    """A pipe of ours, the folder it lies in, and who writes to it."""

    directory: int
    name: str
    outlet: FifoOutlet


def _group() -> int:
    """The group that may read: that of cameras if we may give it, else our own (-1)."""
    try:
        group = grp.getgrnam(_GROUP).gr_gid
    except KeyError:
        return -1
    return group if os.geteuid() == 0 or group in os.getgroups() else -1
