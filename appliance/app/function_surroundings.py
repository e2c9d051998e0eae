"""What hosted functions are given besides their own folder: models, streams, the way to granted hosts.

One for a process that hosts; it makes what each function needs when it is first asked for it.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from appliance.app.newest_project import NewestProject
from appliance.deeplens.box_fifos import BoxStreams
from appliance.deeplens.device_stream import DeviceStream, DeviceStreams, ViewStreams
from appliance.deeplens.frame_source import FrameSource
from appliance.deeplens.function_beside import FunctionBeside
from appliance.deeplens.function_parts import Beside
from appliance.deeplens.guest.messages import Stream
from appliance.deeplens.project import Project
from appliance.deeplens.recorded_streams import Filming, FunctionRecordings
from appliance.deeplens.starting import Shown
from appliance.deeplens.ways_out import Told, WaysOut
from appliance.errors import FunctionError


class FunctionSurroundings:
    """What functions are given, by name.

    Args:
        shown: The models, as they are shown now.
        make_source: Makes a source of frames of a camera, by its id.
        out: A private folder for the pipes of the device's streams.
        filming: Records what functions want recorded; None: nothing is.
        told: Takes a line for a function's log, by its name.
    """

    def __init__(
        self,
        shown: Callable[[], Shown],
        make_source: Callable[[str], FrameSource],
        out: Path,
        filming: Filming | None = None,
        told: Told = lambda _name, _line: None,
    ) -> None:
        self._shown = shown
        self._out = out
        self._filming = filming or _NoFilm()
        self._told = told
        self._device_streams = DeviceStreams(make_source)
        self._ways_out = WaysOut(out, told)
        self._lock = threading.Lock()
        self._besides: dict[str, FunctionBeside] = {}
        self._views: dict[str, tuple[ViewStreams, str]] = {}
        self._recordings: dict[str, FunctionRecordings] = {}

    def artefacts(self, project: Project) -> Shown:
        """See `starting.Surroundings`."""
        del project
        return self._shown()

    def out(self, project: Project) -> Path | None:
        """See `starting.Surroundings`."""
        folder = self._out / project.name
        with self._lock:
            if project.name in self._views:
                return folder
            try:
                self._out.mkdir(mode=0o700, parents=True, exist_ok=True)
                device = self._device_streams.join(project.camera)
                view = ViewStreams(folder, device)
                view.open()
            except OSError as error:
                raise FunctionError(f"no streams for {project.name}: {error.strerror}") from error
            self._views[project.name] = (view, project.camera)
            self._recordings[project.name] = FunctionRecordings(
                self._filming, project.camera, functools.partial(self._told, project.name)
            )
        return folder

    def proxy(self, project: Project) -> Path | None:
        """See `starting.Surroundings`."""
        return self._ways_out.path(project)

    def beside(self, project: Project) -> Beside:
        """See `starting.Surroundings`."""
        return self.stream(project.name)

    def stream(self, name: str) -> FunctionBeside:
        """A function's project stream, over all of its runs."""
        with self._lock:
            if name not in self._besides:
                self._besides[name] = FunctionBeside(
                    functools.partial(self._recorded, name), functools.partial(self._over, name)
                )
            return self._besides[name]

    def besides(self) -> dict[str, FunctionBeside]:
        """Every function's project stream, by name."""
        with self._lock:
            return dict(self._besides)

    def device(self, camera: str) -> DeviceStream:
        """A camera's device stream; ended with `close`."""
        return self._device_streams.join(camera)

    def _recorded(self, name: str, message: Stream) -> None:
        """A function said something of a stream of its own."""
        with self._lock:
            recordings = self._recordings.get(name)
        if recordings is not None:
            recordings.tell(message)

    def _over(self, name: str) -> None:
        """A function's run is over."""
        with self._lock:
            recordings = self._recordings.get(name)
        if recordings is not None:
            recordings.over()

    def forget(self, name: str) -> None:
        """A function was removed, or another version of it comes."""
        self._ways_out.forget(name)
        with self._lock:
            self._besides.pop(name, None)
            view = self._views.pop(name, None)
            recordings = self._recordings.pop(name, None)
        if recordings is not None:
            recordings.over()
        if view is not None:
            view[0].close()
            self._device_streams.leave(view[1])

    def close(self) -> None:
        """No function runs any more."""
        for name in list(self._views):
            self.forget(name)
        self._ways_out.close()
        self._device_streams.close()


@contextlib.contextmanager
def surroundings_in(
    shown: Callable[[], Shown],
    make_source: Callable[[str], FrameSource],
    out: Path,
    filming: Filming | None = None,
    *,
    on_box: bool = False,
    told: Told = lambda _name, _line: None,
) -> Iterator[FunctionSurroundings]:
    """What functions are given, until the end of the block; see `FunctionSurroundings`.

    Args:
        shown: See there.
        make_source: Likewise.
        out: Likewise.
        filming: Likewise.
        on_box: Whether the streams are at their places on the box as well: those of the first camera, and of
            whichever function wrote last.
        told: See there.
    """
    made = FunctionSurroundings(shown, make_source, out, filming, told)
    with contextlib.ExitStack() as stack:
        stack.callback(made.close)
        if on_box:
            box = BoxStreams(made.device(""), NewestProject(made.besides).latest)
            box.open()
            stack.callback(box.close)
        yield made


class _NoFilm:
    """Records nothing; see `recorded_streams.Filming`."""

    def begin(self, camera: str, stream: str, retention_hours: float) -> None:
        """Nothing is recorded."""

    def end(self, camera: str, stream: str) -> None:
        """Nothing was."""
