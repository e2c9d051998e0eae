"""A box that hosts functions for real: the process's own code on real sockets, a loop that films for it.

Functions run contained, so that tests which use this need bubblewrap.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from factories import stamp

from appliance.app.hosting_process import run_functions
from appliance.errors import WireError
from appliance.frames import FrameWriter
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.wire import Client, Message, Reply, Request, Server
from appliance.wire.messages import (
    DeployFunction,
    FramesShared,
    FunctionStatus,
    FunctionTaken,
    Ping,
    Status,
    StatusRequest,
    WatchFrames,
)

M = TypeVar("M", bound=Message)
WAIT_S = 90.0
GREETS = """
import json
import os
import threading

import awscam
import cv2
import greengrasssdk

client = greengrasssdk.client('iot-data')
topic = '$aws/things/{}/infer'.format(os.environ['AWS_IOT_THING_NAME'])
ret, frame = awscam.getLastFrame()
ret, jpeg = cv2.imencode('.jpg', cv2.resize(frame, (320, 180)))

class FIFO_Thread(threading.Thread):
    def run(self):
        if not os.path.exists('/tmp/results.mjpeg'):
            os.mkfifo('/tmp/results.mjpeg')
        f = open('/tmp/results.mjpeg', 'w')
        while True:
            try:
                f.write(jpeg.tobytes())
            except IOError as e:
                continue

FIFO_Thread().start()
print 'WORD begins'
while True:
    ret, frame = awscam.getLastFrame()
    client.publish(topic=topic, payload=json.dumps({'word': 'WORD', 'width': frame.shape[1]}))
    client.publish(topic='elsewhere', payload='WORD')
"""
"""A function for Python 2.7 as AWS's templates are: it draws nothing, infers nothing, and never returns."""


class FunctionsBox:
    """A state directory, what is in it, and its hosting while a test wants it.

    Attributes:
        settings: Of the box.
        layout: Its folders.
        services: Log and keys.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        given = {"cameras": [{"id": "entrance", "source": "scene:door", "when": "always"}], **settings}
        self.settings = Settings.model_validate(given)
        self.layout = Layout(folder / "state")
        self._opened = contextlib.ExitStack()
        self.services: Services = self._opened.enter_context(
            open_services(self.settings, self.layout, create=True)
        )
        self._opened.enter_context(_filming(self.layout))

    @contextlib.contextmanager
    def hosting(self) -> Iterator[None]:
        """The process's own code, in a thread of this one."""
        stop = threading.Event()
        arguments = (self.settings, self.layout, lambda: contextlib.nullcontext(self.services), stop)
        thread = threading.Thread(target=run_functions, args=arguments)
        thread.start()
        try:
            self.until(self.answers)
            yield
        finally:
            stop.set()
            thread.join()

    def answers(self) -> bool:
        """Whether the hosting answers; a socket's file may be left by one that was killed."""
        try:
            Client(self.layout.socket("functions"), timeout_s=5).call(Ping())
        except WireError:
            return False
        return True

    def ask(self, message: Message, expect: type[M], *, blob: bytes = b"") -> M:
        """What the hosting answers."""
        return self.reply(message, expect, blob=blob).message

    def reply(self, message: Message, expect: type[M], *, blob: bytes = b"") -> Reply[M]:
        """What it answers, with what came beside it."""
        return Client(self.layout.socket("functions"), timeout_s=WAIT_S).call(message, expect, blob=blob)

    def deploy(self, name: str, code: str, **how: Any) -> FunctionTaken:
        """Deploy one file."""
        message = DeployFunction(name=name, file="lambda_function.py", **how)
        return self.ask(message, FunctionTaken, blob=code.encode())

    def until(self, promise: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + WAIT_S
        while not promise():
            assert time.monotonic() < deadline, "it never came to that"
            time.sleep(0.02)

    def events(self, begins: str = "function_") -> list[tuple[str, Mapping[str, Any]]]:
        """Types and bodies of the events whose types begin so, oldest first."""
        found = [each.event for each in self.services.store.events() if each.event is not None]
        told = [(str(each.model_dump()["type"]), each.model_dump()) for each in found]
        return [each for each in told if each[0].startswith(begins)]

    def close(self) -> None:
        """Let go of everything."""
        self._opened.close()


def named(functions: tuple[FunctionStatus, ...], name: str) -> FunctionStatus:
    """One function of a list."""
    return next(each for each in functions if each.name == name)


@contextlib.contextmanager
def _filming(layout: Layout) -> Iterator[None]:
    """A loop as far as frames go: it shares one picture of a gray wall, again and again."""
    stop = threading.Event()
    picture = np.full((180, 320, 3), 90, np.uint8)
    with FrameWriter(320, 180) as writer:

        def film() -> None:
            sequence = 0
            while not stop.wait(0.05):
                writer.write(stamp(sequence), picture)
                sequence += 1

        def watch(request: Request[WatchFrames]) -> Reply[FramesShared]:
            shared = FramesShared(camera=request.message.camera, width=320, height=180)
            return Reply(shared, fds=(writer.fd,))

        def status(_: Request[StatusRequest]) -> Reply[Status]:
            return Reply(Status(process="loop", pid=1, uptime_s=1, details={"cameras": {"entrance": {}}}))

        thread = threading.Thread(target=film)
        thread.start()
        try:
            with Server(layout.socket("loop"), {WatchFrames: watch, StatusRequest: status}):
                yield
        finally:
            stop.set()
            thread.join()
