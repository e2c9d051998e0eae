"""A loop that shows frame after frame, and who looks at it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from factories import stamp
from shared_frames import NOTE, gray
from watching_box import WatchingBox

from appliance.app.rendering import ViewHandlers
from appliance.frames import FrameWriter
from appliance.services import Layout
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import RenderView, StatusRequest, ViewRendered, WatchFrames
from web.views import Views

FILE = '[[cameras]]\nid = "entrance"\nsource = "scene:door"\nwhen = "always"\n'
PATIENCE_S = 60.0


class Cinema:
    """A loop that shows frame after frame, and a models process that counts what it is asked for.

    Attributes:
        box: What the loop says.
        asked: JPEGs asked for.
        shared: How often the loop was asked for its memory.
        note: What is seen in each frame.
    """

    def __init__(self, layout: Layout) -> None:
        self.box = WatchingBox()
        self.asked: list[RenderView] = []
        self.shared = 0
        self.note: dict[str, Any] = dict(NOTE)
        self._layout = layout
        self._views = ViewHandlers()

    def render(self, request: Request[RenderView]) -> Reply[ViewRendered]:
        """A JPEG, counted."""
        self.asked.append(request.message)
        return self._views.render(request)

    def watch(self, request: Request[WatchFrames]) -> Reply[Any]:
        """The memory, counted."""
        self.shared += 1
        return self.box.watch(request)

    @contextmanager
    def loop(self) -> Iterator[None]:
        """The loop, while the block lasts; a new one has new memory, whose numbers begin anew."""
        over = threading.Event()
        handlers = {StatusRequest: self.box.status, WatchFrames: self.watch}
        with FrameWriter(320, 180) as writer:
            self.box.fd = writer.fd

            def film() -> None:
                number = 0
                while not over.wait(0.05):
                    writer.write(stamp(number), gray(320, 180, number % 200), json.dumps(self.note).encode())
                    number += 1

            thread = threading.Thread(target=film)
            thread.start()
            try:
                with Server(self._layout.socket("loop"), handlers):
                    yield
            finally:
                over.set()
                thread.join()

    @contextmanager
    def models(self) -> Iterator[None]:
        """The models process, while the block lasts."""
        with Server(self._layout.socket("models"), {RenderView: self.render}):
            yield


def layout(tmp_path: Path) -> Layout:
    """A box whose settings have one camera."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "appliance.toml").write_text(FILE, encoding="utf-8")
    return Layout(state)


def cinema(layout: Layout) -> Iterator[Cinema]:
    """Loop and models process, running."""
    shown = Cinema(layout)
    with shown.loop(), shown.models():
        yield shown


def views(layout: Layout) -> Iterator[Views]:
    """The views of that box, without a site."""
    stopping = threading.Event()
    yield Views(layout.state / "run", stopping)
    stopping.set()


def nobody(_: list[str]) -> dict[str, str]:
    """Knows no name."""
    return {}


def until(met: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
