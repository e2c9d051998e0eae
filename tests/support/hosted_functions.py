"""Functions to host without a view: a small real process that says what a test's script says.

`Littles` starts them as `launching` starts contained ones and holds to the same protocol. Frames are real
shared memory.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from appliance.backoff import BackOff
from appliance.deeplens.function_run import Patience
from appliance.deeplens.guest import channel as channels
from appliance.deeplens.guest.channel import HostChannel
from appliance.deeplens.guest.messages import Stream
from appliance.deeplens.hosted import Change, Host
from appliance.deeplens.project import Project
from appliance.errors import ApplianceError, WireError
from appliance.frames import FrameWriter
from appliance.values import CameraId, FrameStamp

WAIT_S = 60.0
"""Longer than anything takes; what is waited for is a promise."""
_PRELUDE = """
import os, socket, sys, threading, time
from appliance.deeplens.guest.channel import ENVIRONMENT, ChannelGoneError, GuestChannel
from appliance.deeplens.guest.messages import *
host = GuestChannel(socket.socket(fileno=int(os.environ[ENVIRONMENT])))
host.send(Hello(os.getpid(), "3.11.0", "python3"))

def obey(stop=True, pong=True):
    \"\"\"Do what the host says, as the guest's own listener does.\"\"\"
    while True:
        try:
            heard, descriptors = host.receive()
        except ChannelGoneError:
            os._exit(9)
        for each in descriptors:
            os.close(each)
        if isinstance(heard, Ping) and pong:
            host.send(Pong(heard.n))
        if isinstance(heard, Stop) and stop:
            host.send(Ended("stopped", ""))
            os._exit(0)
        if isinstance(heard, Message):
            host.send(Publish("answer", heard.topic.encode() + b"=" + heard.payload))

def obeying(**how):
    threading.Thread(target=obey, kwargs=how, daemon=True).start()

"""
"""What a script finds: the channel as `host`, every message's class, and `obey`."""


def project(name: str = "little", **changes: Any) -> Project:
    """A deployed function's description."""
    given = {
        "name": name,
        "thing": "deeplens_test",
        "deployed_at": datetime(2026, 1, 2, tzinfo=UTC),
        **changes,
    }
    return Project.model_validate(given)


class LittleChild:
    """A small process on a real channel; see `function_parts.Child`.

    Attributes:
        too_much: What is said of it when it is asked whether it uses too much.
    """

    def __init__(self, script: str) -> None:
        ours, theirs = channels.pair()
        output, output_in = os.pipe()
        environment = {**os.environ, channels.ENVIRONMENT: str(theirs.fileno())}
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", _PRELUDE + script],
            pass_fds=[theirs.fileno()],
            stdout=output_in,
            stderr=output_in,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        theirs.close()
        os.close(output_in)
        self._channel = HostChannel(ours)
        self._output = output
        self._closed = False
        self.too_much = ""

    @property
    def channel(self) -> HostChannel:
        """See `Child`."""
        return self._channel

    @property
    def pid(self) -> int:
        """See `Child`."""
        return self._process.pid

    @property
    def outputs(self) -> Sequence[int]:
        """See `Child`."""
        return (self._output,)

    def ended(self) -> str | None:
        """See `Child`."""
        code = self._process.poll()
        if code is None:
            return None
        return f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def trouble(self) -> str:
        """See `Child`."""
        return self.too_much

    def kill(self) -> None:
        """See `Child`."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """See `Child`."""
        if not self._closed:
            self._closed = True
            self._channel.close()
            os.close(self._output)


@dataclass
class Noted:
    """What goes on beside a run, noted; see `function_parts.Beside`.

    Attributes:
        happened: In order.
        broken: Whether it fails when a run begins, as nothing should.
    """

    happened: list[str] = field(default_factory=list)
    broken: bool = False

    def hello(self, tmp: int | None) -> None:
        """See `Beside`."""
        self.happened.append("hello")
        if self.broken:
            raise ZeroDivisionError
        if tmp is not None:
            os.close(tmp)

    def working(self) -> None:
        """See `Beside`."""
        self.happened.append("working")

    def stream(self, message: Stream) -> None:
        """See `Beside`."""
        self.happened.append(f"{message.action} {message.name}")

    def close(self) -> None:
        """See `Beside`."""
        self.happened.append("over")


class Littles:
    """Starts small processes in place of contained functions, each with the next script.

    Args:
        scripts: The last one is used again and again; an error is raised instead.

    Attributes:
        children: Those that were started, in order.
        beside_them: What went on beside them.
    """

    def __init__(self, *scripts: str | ApplianceError) -> None:
        self._scripts = list(scripts)
        self.children: list[LittleChild] = []
        self.beside_them = Noted()

    def start(self, project: Project) -> LittleChild:
        """See `hosted.Starting`."""
        del project
        script = self._scripts[0] if len(self._scripts) == 1 else self._scripts.pop(0)
        if isinstance(script, ApplianceError):
            raise script
        child = LittleChild(script)
        self.children.append(child)
        return child

    def beside(self, project: Project) -> Noted:
        """See `hosted.Starting`."""
        del project
        return self.beside_them


class StillFrames:
    """One frame in real shared memory, for every camera; see `hosted.Feeds`.

    Attributes:
        wanted: How often frames were asked for.
        joined: How many use it.
        trouble: Why no more frames come.
        no_memory: Whether the system has no descriptors for it.
    """

    def __init__(self) -> None:
        self._writer = FrameWriter(8, 6, 2)
        self._writer.open()
        moment = datetime(2026, 1, 2, tzinfo=UTC)
        stamp = FrameStamp(CameraId("camera"), 0, time.monotonic(), moment)
        self._writer.write(stamp, np.zeros((6, 8, 3), np.uint8))
        self.wanted = 0
        self.joined = 0
        self.trouble = ""
        self.no_memory = False

    def join(self, camera: str) -> "StillFrames":
        """See `Feeds`."""
        del camera
        self.joined += 1
        return self

    def leave(self, camera: str) -> None:
        """See `Feeds`."""
        del camera
        self.joined -= 1

    def descriptor(self) -> int:
        """See `function_parts.Frames`."""
        if self.no_memory:
            raise WireError("the frames cannot be shared: too many open files")
        return os.dup(self._writer.fd)

    def want(self) -> None:
        """See `function_parts.Frames`."""
        self.wanted += 1

    @property
    def apart_s(self) -> float:
        """See `function_parts.Frames`: the one may be taken as often as one likes."""
        return 0.0

    @property
    def written(self) -> int:
        """See `function_parts.Frames`: one for each time that it was asked."""
        return self.wanted

    def close(self) -> None:
        """Let go of the memory."""
        self._writer.close()


@dataclass
class Told:
    """What was told of a function.

    Attributes:
        changes: That it started, stopped, failed, in order, with the reason.
    """

    changes: list[tuple[Change, str]] = field(default_factory=list)

    def changed(self, project: Project, change: Change, reason: str) -> None:
        """See `Host`."""
        del project
        self.changes.append((change, reason))

    @property
    def words(self) -> list[str]:
        """The changes without their reasons."""
        return [change for change, _ in self.changes]


def host_of(
    littles: Littles,
    feeds: StillFrames,
    told: Told,
    *,
    patience: Patience | None = None,
    first_s: float = 0.01,
    steady_s: float = 3600.0,
    published: Callable[..., None] = lambda *_: None,
) -> Host:
    """What a hosted function is given in tests: pauses that are hardly any."""
    return Host(
        starting=littles,
        feeds=feeds,
        wall=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        published=published,
        changed=told.changed,
        backoff=BackOff(first_s=first_s, cap_s=max(first_s, 0.08), jitter=0.0),
        patience=patience or Patience(),
        steady_s=steady_s,
    )


def package_at(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder
