"""The loop and the models process, as the desk asks them: how cameras are, and what doors look like.

Holds no state: a camera's shared memory is fetched for one question and let go of. Frames are handed on as
descriptors; no pixel is looked at here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from appliance.errors import ApplianceError, CameraLostError, PeerGoneError
from appliance.services import Layout
from appliance.wire import Client, Message, Reply
from appliance.wire.framing import close_fds
from appliance.wire.messages import (
    FramesShared,
    Status,
    StatusRequest,
    SupervisorStatus,
    SupervisorStatusRequest,
    WatchFrames,
)

M = TypeVar("M", bound=Message)

_LOOP_S = 8.0
"""For the first frame of a camera that nobody has looked at so far."""
_WORK_S = 30.0
"""For a door to be looked at and proposed, on a slow box."""


@dataclass(frozen=True, slots=True)
class LoopSeen:
    """How the loop is.

    Attributes:
        running: It answers.
        cameras: By id, what it counts of each that it has opened.
        message: Why it does not run, in words; empty while it does.
        hint: What to do about that.
    """

    running: bool
    cameras: Mapping[str, Mapping[str, Any]]
    message: str = ""
    hint: str = ""


class Eyes:
    """Asks the loop and the models process.

    Args:
        layout: Where their sockets are.
    """

    def __init__(self, layout: Layout) -> None:
        self._loop = Client(layout.socket("loop"), timeout_s=_LOOP_S)
        self._models = Client(layout.socket("models"), timeout_s=_WORK_S)
        self._supervisor = Client(layout.socket("supervisor"), timeout_s=3.0)

    def loop(self) -> LoopSeen:
        """How the loop is; never raises for one that is not there."""
        try:
            details = self._loop.call(StatusRequest(), Status, timeout_s=3.0).message.details
        except ApplianceError:
            return self._why_not()
        return LoopSeen(running=True, cameras=details.get("cameras", {}))

    def look(
        self, camera: str, question: Message, expect: type[M], *, timeout_s: float = _WORK_S
    ) -> Reply[M]:
        """Have the models process look at a camera.

        Raises:
            CameraLostError: The camera gives no frame.
            PeerGoneError: The loop or the models process is not there.
            InputError: What was asked cannot be.
        """
        with self._memory(camera) as fd:
            return self._models.call(question, expect, fds=(fd,), timeout_s=timeout_s)

    def think(self, question: Message, expect: type[M]) -> Reply[M]:
        """Ask the models process about what it has seen.

        Raises:
            PeerGoneError: It is not there.
            InputError: What was asked cannot be.
        """
        return self._models.call(question, expect)

    @contextmanager
    def _memory(self, camera: str) -> Iterator[int]:
        try:
            shared = self._loop.call(WatchFrames(camera=camera), FramesShared)
        except PeerGoneError as error:
            seen = self._why_not()
            raise CameraLostError(seen.message, hint=seen.hint) from error
        try:
            yield shared.fds[0]
        finally:
            close_fds(shared.fds)

    def _why_not(self) -> LoopSeen:
        """Why the loop does not answer, as far as its supervisor knows."""
        message, hint = "the cameras are being started", "wait a moment"
        try:
            children = self._supervisor.call(SupervisorStatusRequest(), SupervisorStatus).message.children
        except ApplianceError:
            message = "the process that watches the cameras does not run"
            hint = "somebody has to start it on the machine"
        else:
            loop = next((child for child in children if child.name == "loop"), None)
            if loop is not None and loop.message:
                message, hint = loop.message, loop.hint
        return LoopSeen(running=False, cameras={}, message=message, hint=hint)
