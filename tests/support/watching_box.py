"""A box whose loop films a door that a test opens, whose models process looks, whose supervisor notes.

All three answer at real sockets; the loop's cameras, their state and the frames are the test's.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared_frames import filmed_door

from appliance.app.door_setup import DoorSetupHandlers
from appliance.app.rendering import ViewHandlers
from appliance.errors import CameraLostError, UnknownProcessError
from appliance.services import Layout
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import (
    ChildStatus,
    Done,
    FramesShared,
    RestartChild,
    Status,
    StatusRequest,
    SupervisorStatus,
    SupervisorStatusRequest,
    WatchFrames,
)


@dataclass
class WatchingBox:
    """What the three say, and what they were asked.

    Attributes:
        cameras: What the loop counts of each camera.
        restarted: The processes that were asked to restart, in order.
        children: What the supervisor says of them.
        turn: Opens the door that is filmed (0 shut, 1 open).
        refusing: Whether the supervisor runs none of those asked for.
    """

    cameras: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"entrance": {"frames": 9, "refused": ""}}
    )
    restarted: list[str] = field(default_factory=list)
    children: tuple[ChildStatus, ...] = ()
    turn: Callable[[float], None] = lambda _: None
    refusing: bool = False
    fd: int = -1

    def status(self, _: Request[StatusRequest]) -> Reply[Status]:
        """How the loop is."""
        return Reply(Status(process="loop", pid=1, uptime_s=1, details={"cameras": self.cameras}))

    def watch(self, request: Request[WatchFrames]) -> Reply[FramesShared]:
        """The frames of a camera there is."""
        camera = request.message.camera
        if camera not in self.cameras:
            raise CameraLostError(f"there is no camera {camera!r}")
        return Reply(
            FramesShared(camera=camera, width=200, height=200), fds=(os.dup(self.fd),), close_fds=True
        )

    def restart(self, request: Request[RestartChild]) -> Reply[Done]:
        """Note who is to restart."""
        if self.refusing:
            raise UnknownProcessError(f"there is no process {request.message.child!r}")
        self.restarted.append(request.message.child)
        return Reply(Done())

    def told(self, _: Request[SupervisorStatusRequest]) -> Reply[SupervisorStatus]:
        """How the children are."""
        return Reply(SupervisorStatus(pid=1, uptime_s=1, children=self.children))


@contextmanager
def supervised(layout: Layout, box: WatchingBox) -> Iterator[WatchingBox]:
    """A supervisor that notes, alone."""
    handlers = {RestartChild: box.restart, SupervisorStatusRequest: box.told}
    with Server(layout.socket("supervisor"), handlers):
        yield box


@contextmanager
def watching(layout: Layout) -> Iterator[WatchingBox]:
    """The whole box."""
    box = WatchingBox()
    with filmed_door() as (fd, turn), supervised(layout, box):
        box.fd, box.turn = fd, turn
        looks = {**ViewHandlers().handlers(), **DoorSetupHandlers().handlers()}
        loop = {StatusRequest: box.status, WatchFrames: box.watch}
        with Server(layout.socket("loop"), loop), Server(layout.socket("models"), looks):
            yield box
