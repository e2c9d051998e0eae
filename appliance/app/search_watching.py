"""Cameras before which things are held: what is held still is looked up, once.

A frame is looked at small, in colour, several times a second, which costs next to nothing; only what rests is
described, by the models process, from the same shared memory. One thread for each camera. What is still there
when it has rested anew is not told again.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

import numpy as np
import structlog

from appliance.app.catalogue_changing import features_of
from appliance.app.search_answering import Answering, Looked
from appliance.app.search_sources import SourceStates
from appliance.errors import ApplianceError, CameraLostError
from appliance.frames import FrameReader, SharedFrame
from appliance.search import HeldStill, seen, sketch
from appliance.settings import SearchSettings
from appliance.values import FloatArray
from appliance.wire import Message, Reply
from appliance.wire.messages import (
    FeaturizeFrame,
    FoundTold,
    FrameFeaturized,
    FramesShared,
    SearchView,
    WatchFrames,
)

_log = structlog.get_logger()

M = TypeVar("M", bound=Message)

SAME: Final = 0.9
"""Features more alike than this are the same thing, still there: the same photograph under another light
scores above it, another thing of its kind below."""
_RENEW_S: Final = 3.0
"""A lease of frames lasts ten seconds."""
_AGAIN_S: Final = 2.0
_FRAME_S: Final = 1.0
_FEATURIZE_S: Final = 15.0
_STEP: Final = 4
"""Of every so many pixels one is looked at, each way: the sketch is 32 x 32 places made of them."""


class Asking(Protocol):
    """A client of our own sockets."""

    def call(
        self,
        message: Message,
        expect: type[M],
        *,
        fds: tuple[int, ...] = ...,
        timeout_s: float | None = ...,
    ) -> Reply[M]:
        """Ask and wait."""


class Lease:
    """A camera's shared frames, for as long as they are asked for; for one thread.

    Args:
        loop: Who shares them.
        camera: Its id.
        clock: Monotonic seconds.
    """

    def __init__(self, loop: Asking, camera: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._loop = loop
        self._camera = camera
        self._clock = clock
        self._asked_s = float("-inf")
        self._fd = -1
        self._reader: FrameReader | None = None

    @property
    def fd(self) -> int:
        """The descriptor, to be handed on; it stays ours."""
        return self._fd

    @property
    def newest(self) -> int:
        """The number of the newest frame there is; -1: nothing is shared with us yet."""
        return -1 if self._reader is None else self._reader.sequence

    def newer(self, sequence: int, wait_s: float) -> SharedFrame | None:
        """The newest frame, if its number is greater; None if none comes in time.

        Raises:
            CameraLostError: The camera gives nothing.
            WireError: The loop is away.
        """
        if self._reader is None or self._clock() - self._asked_s > _RENEW_S:
            self._renew()
        return None if self._reader is None else self._reader.wait_newer(sequence, wait_s)

    def close(self) -> None:
        """Let go of it; asking again begins anew."""
        if self._reader is not None:
            self._reader.close()
            os.close(self._fd)
        self._reader, self._fd, self._asked_s = None, -1, float("-inf")

    def _renew(self) -> None:
        fds = self._loop.call(WatchFrames(camera=self._camera), FramesShared).fds
        asked_s = self._clock()
        if self._reader is not None and os.path.sameopenfile(fds[0], self._fd):
            os.close(fds[0])
        else:
            self.close()
            reader = FrameReader(fds[0])
            try:
                reader.open()
            except BaseException:
                os.close(fds[0])
                raise
            self._reader, self._fd = reader, fds[0]
        self._asked_s = asked_s


class CameraWatch:
    """Looks up what is held still before one camera.

    Args:
        settings: When something is held still, and what counts.
        camera: Its id.
        lease: Its frames.
        models: Describes them.
        answering: Looks up.
        tell: Tells what came of it.
        states: Where it is told how the camera is.
    """

    def __init__(  # noqa: PLR0917 - parts that are put together once
        self,
        settings: SearchSettings,
        camera: str,
        lease: Lease,
        models: Asking,
        answering: Answering,
        tell: Callable[[FoundTold, FloatArray], object],
        states: SourceStates,
    ) -> None:
        self._settings = settings
        self._view: SearchView = settings.view
        self._camera = camera
        self._lease = lease
        self._models = models
        self._answering = answering
        self._tell = tell
        self._states = states
        self._still = HeldStill.of_sketches(settings.hold_s)
        self._last: tuple[str, FloatArray] | None = None
        self._best: str | None = None
        self._refused_at: int | None = None
        self._sequence = -1
        self._unanswered = False

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set; a camera or a process that is away is tried again and again."""
        pause_s = 1 / self._settings.look_fps
        due_s = time.monotonic()
        try:
            while not stop.is_set():
                try:
                    self.look()
                except ApplianceError as error:
                    self._states.lost("camera", self._camera, error.message)
                    self._begin_anew()
                    stop.wait(_AGAIN_S)
                    continue
                except Exception as error:  # noqa: BLE001 - see below
                    # Whatever it was, the next frame may do: nobody restarts a thread.
                    _log.error("search_look_failed", camera=self._camera, kind=type(error).__name__)
                    self._states.lost("camera", self._camera, "a frame could not be looked at")
                    self._begin_anew()
                    stop.wait(_AGAIN_S)
                    continue
                now_s = time.monotonic()
                due_s = max(due_s + pause_s, now_s - pause_s)
                stop.wait(max(0.0, due_s - now_s))
                # What came meanwhile is passed over: of two frames the next one is told sooner after it was
                # taken, and a camera that gives ten a second would else be told of a tenth of a second late.
                self._sequence = max(self._sequence, self._lease.newest)
        finally:
            self._lease.close()

    def look(self) -> FoundTold | None:
        """Look at the next frame; what came of a look-up, None: there was none.

        Raises:
            CameraLostError: The camera gives nothing.
            ApplianceError: A process is away, or there is nothing to search in.
        """
        frame = self._lease.newer(self._sequence, _FRAME_S)
        if frame is None:
            raise CameraLostError("no frame came for a while", hint="it is tried again and again")
        self._sequence = frame.stamp.sequence
        if self._answering.trouble is None and not self._unanswered:
            self._states.watching("camera", self._camera)
        current = self._answering.searched
        if self._refused_at is not None and current is not None and current.version != self._refused_at:
            # What there was nothing like, and is still held, may be in the catalogue by now.
            self._refused_at = None
            self._still.forget()
        if not self._still.look(self._sketch(frame), frame.stamp.monotonic_s):
            return None
        self._unanswered = True  # nor is the next frame, until one was looked up
        found = self._look_up(frame)
        self._unanswered = False
        return found

    def _sketch(self, frame: SharedFrame) -> FloatArray:
        """What counts of a frame, small; without looking for the largest thing in it."""
        return sketch(np.ascontiguousarray(seen(frame.bgr, self._view)[::_STEP, ::_STEP]))

    def _look_up(self, frame: SharedFrame) -> FoundTold | None:
        current = self._answering.current
        asked = FeaturizeFrame(
            models=(current.model,), view=self._view, after=frame.stamp.sequence - 1, wait_s=_FRAME_S
        )
        made = self._models.call(
            asked, FrameFeaturized, fds=(self._lease.fd,), timeout_s=_FEATURIZE_S
        ).message
        features = features_of(made.features).get(current.featurizer)
        if features is None:
            return None  # the network is another one by now: whoever tends the catalogue finds out
        last, version = self._last, current.version
        same = last is not None and last[0] == current.featurizer and float(last[1] @ features) >= SAME
        looked = Looked("camera", self._camera, made.at, made.box, (made.width, made.height))
        found = self._answering.answer(features, looked, searched=current)
        best = found.matches[0].item if found.known else None
        same = same and best == self._best
        self._last, self._best = (current.featurizer, features), best
        self._refused_at = None if found.known else version
        if same:
            return None
        self._states.looked_up("camera", self._camera, made.at)
        self._tell(found, features)
        return found

    def _begin_anew(self) -> None:
        self._lease.close()
        self._still.forget()
        self._last, self._refused_at, self._best, self._sequence = None, None, None, -1


@contextmanager
def watching(watches: list[CameraWatch]) -> Iterator[None]:
    """Watch cameras until the end of the block, each in a thread of its own."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=each.run, args=(stop,), name=f"search-{number}", daemon=True)
        for number, each in enumerate(watches)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(_FEATURIZE_S)
