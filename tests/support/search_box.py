"""A box that searches for real: the process's own code and the networks, a loop and a dispatch that note.

The models process is its handlers for visual search behind a socket in a thread; what the camera shows is the
test's choice.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from factories import START

from appliance.app.catalogue_changing import CatalogueChanges
from appliance.app.featurizing import FeatureHandlers
from appliance.app.hosting_process import run_functions
from appliance.app.search_process import run_search
from appliance.errors import ApplianceError, CameraLostError
from appliance.frames import FrameWriter
from appliance.models.folder import ModelFolder
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import ItemEntry
from appliance.values import CameraId, FrameStamp, ImageArray
from appliance.wire import Client, Message, Reply, Request, Server
from appliance.wire.messages import (
    AskNewest,
    AskSearch,
    Done,
    Found,
    FoundTold,
    FramesShared,
    NewestTold,
    Ping,
    PublishInference,
    SearchPicture,
    SearchTold,
    ShowFound,
    Status,
    StatusRequest,
    WatchFrames,
)

M = TypeVar("M", bound=Message)
WAIT_S = 90.0
SIZE = (640, 480)
MODEL = "efficientnet-lite0"


class SearchBox:
    """A state directory and the processes that searching takes, while a test wants them.

    Attributes:
        settings: Of the box.
        services: Its catalogue and keys.
        changes: Changes the catalogue.
        scene: What the camera shows, (480, 640, 3).
        lost: The camera gives nothing.
        shown: What the loop was told to show.
        published: What dispatch was told to publish.
    """

    def __init__(self, folder: Path, **search: Any) -> None:
        search = {"enabled": True, "cameras": ["entrance"], "hold_s": 0.2, **search}
        cameras = [{"id": "entrance", "source": "scene:door", "when": "always"}]
        broker = {"host": "broker.example"}
        self.settings = Settings.model_validate({"cameras": cameras, "search": search, "mqtt": broker})
        self.layout = Layout(folder / "state")
        self.scene: ImageArray = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
        self.lost = False
        self.shown: list[ShowFound] = []
        self.published: list[PublishInference] = []
        self._opened = contextlib.ExitStack()
        self.services: Services = self._opened.enter_context(
            open_services(self.settings, self.layout, create=True)
        )
        self._opened.enter_context(self._filming())
        self._opened.enter_context(Server(self.layout.socket("dispatch"), {PublishInference: self._publish}))
        self.models = Client(self.layout.socket("models"), timeout_s=WAIT_S)
        self.changes = CatalogueChanges(self.services.store, self.models, MODEL)

    def close(self) -> None:
        """Let go of everything."""
        self._opened.close()

    @contextlib.contextmanager
    def describing(self) -> Iterator[None]:
        """The models process, as far as pictures are described."""
        handlers = FeatureHandlers(self.settings.search, ModelFolder()).handlers()
        with Server(self.layout.socket("models"), handlers, max_connections=64):
            yield

    @contextlib.contextmanager
    def searching(self) -> Iterator[None]:
        """The process's own code, in a thread of this one."""
        stop = threading.Event()
        thread = threading.Thread(target=run_search, args=(self.settings, self.services, stop))
        thread.start()
        try:
            self.until(self.answers)
            yield
        finally:
            stop.set()
            thread.join()

    @contextlib.contextmanager
    def hosting(self) -> Iterator[Client]:
        """The process that hosts functions, its own code in a thread of this one; who asks it.

        Functions run contained, so that this needs bubblewrap.
        """
        stop, client = threading.Event(), Client(self.layout.socket("functions"), timeout_s=WAIT_S)
        arguments = (self.settings, self.layout, lambda: contextlib.nullcontext(self.services), stop)
        thread = threading.Thread(target=run_functions, args=arguments)
        thread.start()

        def answers() -> bool:
            try:
                client.call(Ping())
            except ApplianceError:
                return False
            return True

        try:
            self.until(answers)
            yield client
        finally:
            stop.set()
            thread.join()

    def answers(self) -> bool:
        """Whether the process that searches answers."""
        try:
            self.ask(AskSearch(), SearchTold)
        except ApplianceError:
            return False
        return True

    def ready(self) -> None:
        """Wait until all pictures are searched in, and nothing is being done."""
        self.until(
            lambda: (told := self.told()).indexed == told.pictures and not told.trouble and not told.work
        )

    def add(self, item: str, bgr: ImageArray, title: str = "") -> None:
        """Put an item with a picture."""
        self.changes.put(ItemEntry(item, title or item, f"https://shop.example/{item}"), [png(bgr)])

    def ask(self, message: Message, expect: type[M], *, blob: bytes = b"") -> M:
        """What the process that searches answers."""
        client = Client(self.layout.socket("search"), timeout_s=WAIT_S)
        return client.call(message, expect, blob=blob).message

    def told(self) -> SearchTold:
        """How searching goes."""
        return self.ask(AskSearch(), SearchTold)

    def like(self, bgr: ImageArray, **how: Any) -> FoundTold:
        """What is like a picture."""
        return self.ask(SearchPicture(**how), Found, blob=png(bgr)).found

    def newest(self, **how: Any) -> NewestTold:
        """What was found last."""
        return self.ask(AskNewest(**how), NewestTold)

    def until(self, promise: Callable[[], object]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + WAIT_S
        while not promise():
            assert time.monotonic() < deadline, "it never came to that"
            time.sleep(0.02)

    def events(self) -> list[Mapping[str, Any]]:
        """Bodies of the events, oldest first."""
        return [each.event.model_dump() for each in self.services.store.events() if each.event is not None]

    def _publish(self, request: Request[PublishInference]) -> Reply[Done]:
        self.published.append(request.message)
        return Reply(Done())

    def _show(self, request: Request[ShowFound]) -> Reply[Done]:
        self.shown.append(request.message)
        return Reply(Done())

    @contextlib.contextmanager
    def _filming(self) -> Iterator[None]:
        """A loop as far as frames go: it shares what the test lets the camera see, twenty times a second."""
        stop = threading.Event()
        with FrameWriter(*SIZE) as writer:

            def film() -> None:
                sequence = 0
                while not stop.wait(0.05):
                    seconds = sequence / 20
                    stamp = FrameStamp(
                        CameraId("entrance"), sequence, seconds, START + timedelta(seconds=seconds), seconds
                    )
                    writer.write(stamp, self.scene)
                    sequence += 1

            def watch(request: Request[WatchFrames]) -> Reply[FramesShared]:
                if self.lost or request.message.camera != "entrance":
                    raise CameraLostError("there is no such camera")
                shared = FramesShared(camera="entrance", width=SIZE[0], height=SIZE[1])
                return Reply(shared, fds=(writer.fd,))

            def status(_: Request[StatusRequest]) -> Reply[Status]:
                return Reply(Status(process="loop", pid=1, uptime_s=1, details={"cameras": {"entrance": {}}}))

            thread = threading.Thread(target=film)
            thread.start()
            try:
                handlers = {WatchFrames: watch, ShowFound: self._show, StatusRequest: status}
                with Server(self.layout.socket("loop"), handlers):
                    yield
            finally:
                stop.set()
                thread.join()


def png(bgr: ImageArray) -> bytes:
    """A picture as a file."""
    return bytes(cv2.imencode(".png", bgr)[1])
