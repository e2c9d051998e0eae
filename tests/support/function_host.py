"""Plays the hosting side for one function: a real channel, real shared frames, the function a real process.

No box around it: what is tried is the surface that a function sees. Paths of the device lead into a folder of
the host's own.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import function_models
import numpy as np

from appliance.deeplens.guest import channel as channels
from appliance.deeplens.guest import device_paths
from appliance.deeplens.guest.channel import ChannelGoneError, HostChannel
from appliance.deeplens.guest.messages import (
    Ended,
    Frames,
    FrameWanted,
    GuestSaid,
    Hello,
    HostSaid,
    Ping,
    Publish,
    Taken,
)
from appliance.frames import FrameWriter
from appliance.values import CameraId, FrameStamp, ImageArray

WIDTH = 2688
HEIGHT = 1520
REPOSITORY = Path(__file__).parents[2]
_PATIENCE_S = 60.0

_Kind = TypeVar("_Kind", bound=GuestSaid)


@dataclass
class FunctionHost:
    """Hosts the function in a folder.

    Attributes:
        home: A folder of its own; the function is in `home/function`, the device's paths are in `home/root`.
        handler: As `lambda_function.lambda_handler`.
        runtime: `python2` or `python3`.
        models: Whether it has the models of `function_models`.
        environment: Further variables.
        frames: Whether frames are shared as soon as the function says hello.
        apart_us: Microseconds between two turns to infer.
        greets_after_s: Seconds that the function waits for the first word.
    """

    home: Path
    handler: str = "lambda_function.lambda_handler"
    runtime: str = "python3"
    models: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    frames: bool = True
    apart_us: int = 0
    greets_after_s: float = 0.0

    def __post_init__(self) -> None:
        """Note nothing else; `start` begins."""
        self.folder = self.home / "function"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root = self.home / "root"
        self.results = self.root / "tmp" / "results.mjpeg"
        for each in ("tmp", "opt/awscam/artifacts", "home/aws_cam"):
            (self.root / each).mkdir(parents=True, exist_ok=True)
        if self.models:
            function_models.install(self.root / "opt/awscam/artifacts")
        self.said: list[GuestSaid] = []
        self.gone = False
        self._changed = threading.Condition()
        self._written = 0
        self._writer = FrameWriter(WIDTH, HEIGHT, 3)
        self._picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    def write(self, source: str, name: str = "lambda_function.py") -> None:
        """Put a file into the function's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")

    def port(self) -> None:
        """Put in the place of the function's folder what the porting makes of it."""
        ported = self.home / "ported"
        command = [sys.executable, "-m", "appliance.deeplens.porting", "--runtime", self.runtime]
        done = subprocess.run(
            [*command, str(self.folder), str(ported)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"porting failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        self.folder = ported

    def start(self, source: str | None = None) -> Self:
        """Start the function; its source may be given."""
        if source is not None:
            self.write(source)
        self._writer.open()
        if self.frames:
            self.frame()
        ours, theirs = channels.pair()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(REPOSITORY),
            channels.ENVIRONMENT: str(theirs.fileno()),
            device_paths.ENVIRONMENT: str(self.root),
            **self.environment,
        }
        command = [sys.executable, "-P", "-m", "appliance.deeplens.guest.run", "--handler", self.handler]
        self.log_path = self.home / "log"
        with theirs, self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--runtime", self.runtime],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
            )
        self._channel = HostChannel(ours)
        self._thread = threading.Thread(target=self._listen, name="function-host")
        self._thread.start()
        return self

    @property
    def log(self) -> str:
        """What the function printed so far."""
        return self.log_path.read_text(encoding="utf-8")

    @property
    def published(self) -> list[tuple[str, bytes]]:
        """Topic and payload of what it published so far."""
        return [(each.topic, each.payload) for each in self.heard(Publish)]

    def heard(self, kind: type[_Kind]) -> list[_Kind]:
        """What it said so far of one kind."""
        with self._changed:
            return [each for each in self.said if isinstance(each, kind)]

    def send(self, message: HostSaid, fds: list[int] | None = None) -> None:
        """Say something to it."""
        self._channel.send(message, fds or [], wait_s=_PATIENCE_S)

    def frame(self, bgr: ImageArray | None = None, *, age_s: float = 0.0) -> int:
        """Share a frame, all of one colour that is told by its number unless one is given; its number."""
        picture = self._picture
        if bgr is None:
            picture[:] = colour(self._written)
        else:
            picture = bgr
        stamp = FrameStamp(CameraId("door"), self._written, time.monotonic() - age_s, datetime.now(UTC))
        self._writer.write(stamp, picture)
        self._written += 1
        return self._written - 1

    def wait(self, whether: Callable[[], object]) -> None:
        """Wait until something is so.

        Raises:
            AssertionError: It is not so for a minute, or the function ended before; with its log.
        """
        deadline = time.monotonic() + _PATIENCE_S
        with self._changed:
            while not whether():
                left_s = deadline - time.monotonic()
                if left_s < 0 or self.gone:
                    raise AssertionError(f"it did not come about; {self.said[-3:]}; the log:\n{self.log}")
                self._changed.wait(min(left_s, 0.05))

    def wait_published(self, count: int = 1) -> list[tuple[str, bytes]]:
        """Wait for so many messages, and give them."""
        self.wait(lambda: len(self.published) >= count)
        return self.published

    def wait_ended(self) -> Ended:
        """Wait until it ends by itself; its last word."""
        self.wait(lambda: self.heard(Ended))
        self._process.wait(_PATIENCE_S)
        return self.heard(Ended)[-1]

    def exit_code(self) -> int | None:
        """How its process ended; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End it, however it is."""
        self._process.kill()
        self._process.wait()
        self._channel.close()
        self._thread.join()
        self._writer.close()

    def __enter__(self) -> Self:
        """As it is."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _greet(self) -> None:
        if self.frames:
            self.send(Frames(WIDTH, HEIGHT, self.apart_us), [self._writer.fd])
        else:
            self.send(Ping(1))

    def _listen(self) -> None:
        with contextlib.suppress(ChannelGoneError):
            while heard := self._channel.receive():
                for each in heard[1]:
                    os.close(each)
                if isinstance(heard[0], Hello):
                    time.sleep(self.greets_after_s)
                    self._greet()
                if self.frames and isinstance(heard[0], FrameWanted | Taken):
                    self.frame()
                with self._changed:
                    self.said.append(heard[0])
                    self._changed.notify_all()
        with self._changed:
            self.gone = True
            self._changed.notify_all()


def colour(number: int) -> tuple[int, int, int]:
    """Blue, green and red of the frame of this number: the first two make 255."""
    return number % 251, 255 - number % 251, 128
