"""Letting others look: frames into shared memory, for as long as somebody asks for them.

A viewer asks for a camera and gets a file descriptor; asking again keeps the frames coming.
When nobody has asked for `LEASE_S`, nothing is written any more and looking costs nothing.
The camera's loop only says which frame is the newest: a thread beside it decodes what is not
decoded yet and copies, and what it has no time for is not shown.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from appliance.errors import ApplianceError, CameraLostError, CameraRefusedError
from appliance.frames import FrameWriter
from appliance.priority import leave_a_processor
from appliance.values import Frame
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import Done, FramesShared, SeenFound, ShowFound, WatchFrames

FramesReply = Reply[FramesShared]
Seen = dict[str, Any]
"""What was seen in a frame, for viewers."""

LEASE_S = 10.0
_FIRST_FRAME_S = 5.0
"""How long the first viewer is kept waiting for a frame."""

_log = structlog.get_logger()


class ShownCamera:
    """One camera's shared memory.

    Args:
        camera: Its id.
        lease_s: For how long frames keep coming after somebody asked.
    """

    def __init__(self, camera: str, *, lease_s: float = LEASE_S) -> None:
        self._camera = camera
        self._lease_s = lease_s
        self._until_s = 0.0
        self._memory: _Memory | None = None
        self._fresh = False
        self._refused: CameraRefusedError | None = None
        self._lost = ""
        self._found: tuple[SeenFound, float] | None = None
        self._ready = threading.Condition()
        self._offering = threading.Lock()
        self._newest: tuple[Frame, Seen] | None = None
        self._writes = False
        self._offered: SimpleQueue[None] = SimpleQueue()
        self._trouble = ""

    def show(self, frame: Frame, overlay: Callable[[], Seen]) -> None:
        """Have a frame written with what was seen in it, if anybody looks; called from the camera's loop.

        It is the writing thread's from now on: a frame is decoded by one thread at a time.
        """
        if time.monotonic() > self._until_s:
            return
        seen = overlay()
        with self._offering:
            self._newest = (frame, seen)
            if not self._writes:
                self._writes = self._begin_to_write()
        # The writing thread is woken once, and when it can go on: each time it takes the loop's processor.
        if self._offered.empty():
            self._offered.put(None)

    def _begin_to_write(self) -> bool:
        """Whether there is a thread that writes from now on."""
        try:
            threading.Thread(target=self._write_offered, name="viewing", daemon=True).start()
        except RuntimeError as error:
            # The system has no more threads: who looks waits, the loop does not.
            self._note_trouble(str(error))
            return False
        return True

    def _write_offered(self) -> None:
        """Write the newest frame again and again, until none was offered for as long as a lease."""
        leave_a_processor()  # woken on the loop's, it would copy there before the loop is done with the frame
        try:
            while (newest := self._wait_offered()) is not None:
                self._try_to_write(*newest)
        except BaseException:
            with self._offering:
                self._writes = False
            raise

    def _wait_offered(self) -> tuple[Frame, Seen] | None:
        """The newest frame, once there is one; None: this thread ends, the next frame starts another."""
        while True:
            try:
                self._offered.get(timeout=self._lease_s)
            except Empty:
                over = True
            else:
                over = False
            with self._offering:
                newest, self._newest = self._newest, None
                if newest is not None:
                    return newest
                if over:
                    self._writes = False
                    return None

    def _try_to_write(self, frame: Frame, seen: Seen) -> None:
        try:
            self._write(frame, seen)
        except ApplianceError as error:
            # No memory for it, or damaged in a way that shows only when decoded: the next may do.
            self._note_trouble(error.message)
        else:
            self._trouble = ""

    def _note_trouble(self, error: str) -> None:
        """Log it once in a row."""
        if error != self._trouble:
            self._trouble = error
            _log.warning("frame_not_shown", camera=self._camera, error=error)

    def _write(self, frame: Frame, seen: Seen) -> None:
        bgr, note = frame.bgr(), json.dumps(self._with_found(seen)).encode()
        memory = self._memory
        if memory is None or (memory.width, memory.height) != (frame.width, frame.height):
            # The old memory lives on for as long as a viewer has it mapped.
            memory = _Memory(FrameWriter(frame.width, frame.height), frame.width, frame.height)
            memory.writer.open()
        memory.writer.write(frame.stamp, bgr, note)
        with self._ready:
            before, self._memory = self._memory, memory
            self._fresh = not self._lost
            self._ready.notify_all()
        if before is not None and before is not memory:
            before.writer.close()

    def show_found(self, found: SeenFound | None, for_s: float) -> None:
        """Say for some seconds what was found before it, to whoever looks; None: nothing any more."""
        self._found = None if found is None else (found, time.monotonic() + for_s)

    def _with_found(self, seen: Seen) -> Seen:
        found = self._found
        if found is not None and time.monotonic() < found[1]:
            return {**seen, "found": found[0].model_dump()}
        return seen

    def refuse(self, error: CameraRefusedError) -> None:
        """It can never work as it is set: whoever asks is told so at once."""
        with self._ready:
            self._refused = error
            self._ready.notify_all()

    def lose(self, reason: str) -> None:
        """Nothing comes from the source, and why; empty: it is back."""
        with self._ready:
            self._lost = reason
            self._fresh = self._fresh and not reason
            self._ready.notify_all()

    def share(self) -> FramesReply:
        """Keep frames coming for as long as the lease; says where they are.

        Raises:
            CameraLostError: The camera gave no frame in time, or never will.
        """
        with self._ready:
            now = time.monotonic()
            if now > self._until_s:
                # What the memory holds is as old as the last viewer.
                self._fresh = False
            self._until_s = now + self._lease_s
            fresh = self._ready.wait_for(self._is_decided, _FIRST_FRAME_S) and self._fresh
            if self._refused is not None:
                raise CameraLostError(self._refused.message, hint=self._refused.hint)
            memory = self._memory if fresh else None
            if memory is None and self._lost:
                hint = "it is tried again and again"
                raise CameraLostError(f"camera {self._camera} gives nothing: {self._lost}", hint=hint)
            if memory is None:
                raise CameraLostError(f"camera {self._camera} gave no frame for {_FIRST_FRAME_S:g} s")
            message = FramesShared(camera=self._camera, width=memory.width, height=memory.height)
            # A descriptor of the reply's own: the camera may come back in another size before it is sent.
            return Reply(message, fds=(os.dup(memory.writer.fd),), close_fds=True)

    def _is_decided(self) -> bool:
        """Whether there is a frame, or it is known why there is none."""
        return self._fresh or self._refused is not None or bool(self._lost)


@dataclass(frozen=True, slots=True)
class _Memory:
    """Shared memory with the size of its frames."""

    writer: FrameWriter
    width: int
    height: int


class Showcase:
    """The cameras that can be looked at."""

    def __init__(self) -> None:
        self._cameras: dict[str, ShownCamera] = {}

    def camera(self, name: str) -> ShownCamera:
        """A camera's place, made when first asked for by the loop."""
        return self._cameras.setdefault(name, ShownCamera(name))

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for the loop's server."""
        return {WatchFrames: self._watch, ShowFound: self._show_found}

    def _show_found(self, request: Request[ShowFound]) -> Reply[Done]:
        asked = request.message
        shown = self._cameras.get(asked.camera)
        if shown is not None:
            found = SeenFound(words=asked.words, known=asked.known, box=asked.box) if asked.words else None
            shown.show_found(found, asked.for_s)
        return Reply(Done())

    def _watch(self, request: Request[WatchFrames]) -> Reply[FramesShared]:
        shown = self._cameras.get(request.message.camera)
        if shown is None and not self._cameras:
            raise CameraLostError("the cameras are being started", hint="wait a moment")
        if shown is None:
            raise CameraLostError(
                f"there is no camera {request.message.camera!r}",
                hint=f"there are: {', '.join(sorted(self._cameras))}",
            )
        return shown.share()
