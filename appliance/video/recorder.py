"""Recording every camera that somebody wants video of: a thread for each while there is something to record.

It waits for cameras and puts up with what becomes of them: one that is lost is tried again for as long as
its video is wanted, and another clip goes on then. Whoever asks is answered at once. What is done with
fragments is `recording`'s.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import structlog

from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.errors import ApplianceError, UnusableVideoError, VideoError
from appliance.events import ClipEnd, NoClip
from appliance.video.faults import Trouble
from appliance.video.fragment import Fragment
from appliance.video.recording import Recording, Taken
from appliance.video.wishes import Wish

_log = structlog.get_logger()

Feed = Callable[[str, float, threading.Event], Iterator[Fragment | None]]
"""A camera's fragments as they come, from so many seconds ago on, until the event is set; None: nothing came
for a second or so. Ends, or raises ApplianceError, when the camera is lost."""
Troubles = Callable[[str], Iterable[Trouble]]
"""What is wrong with a camera's stream, although something came of it, since it was followed last."""

SILENT_S: Final = 15.0
"""Longer than any fragment: without one for so long the camera counts as lost."""
_AGAIN: Final = BackOff(first_s=0.5, cap_s=5.0)
_PATIENCE_S: Final = 20.0
"""For so long after its video is over by the clock, a camera that gives none is waited for."""
_JOIN_S: Final = 2.0
"""All of them end at once; the process has five seconds for everything."""


@dataclass(frozen=True, slots=True)
class CameraRecorded:
    """A camera that is being recorded.

    Attributes:
        camera: Which.
        clip: What it becomes; None: no fragment came yet.
        left_s: Seconds of video that are wanted still.
        streams: Streams that want it.
    """

    camera: str
    clip: str | None
    left_s: float
    streams: tuple[str, ...]


class Recorder:
    """All cameras'.

    Args:
        make: Makes a camera's recording.
        feed: Gives a camera's fragments.
        clock: For patience.
        troubles: Tells what is wrong with a camera's stream.
        silent_s: Without a fragment for so long a camera counts as lost.
        again: Pauses before a lost camera is tried again.
    """

    def __init__(
        self,
        make: Callable[[str], Recording],
        feed: Feed,
        *,
        clock: Clock,
        troubles: Troubles = lambda _: (),
        silent_s: float = SILENT_S,
        again: BackOff = _AGAIN,
    ) -> None:
        self._make = make
        self._feed = feed
        self._clock = clock
        self._stream_troubles = troubles
        self._silent_s = silent_s
        self._again = again
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._recordings: dict[str, Recording] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._until: dict[str, float] = {}
        self._troubles: dict[str, str] = {}
        self._unusable: set[str] = set()

    def ask(self, camera: str, wish: Wish) -> Taken:
        """Record a camera, or go on.

        Raises:
            VideoError: The recorder is being stopped.
        """
        with self._lock:
            if self._stop.is_set():
                raise VideoError("the recording of video is being stopped")
            recording = self._recordings.get(camera)
            if recording is None:
                recording = self._recordings[camera] = self._make(camera)
            taken = recording.ask(wish)
            if taken != "known":
                until = self._clock.monotonic() + wish.seconds + _PATIENCE_S
                self._until[camera] = max(self._until.get(camera, 0.0), until)
            if taken == "began":
                back_s = wish.back_ms / 1000 + max(0.0, self._clock.wall().timestamp() - wish.at_ms / 1000)
                thread = threading.Thread(
                    target=self._run,
                    args=(camera, recording, min(back_s, 120.0)),
                    name=f"record-{camera}",
                    daemon=True,
                )
                self._threads[camera] = thread
                thread.start()
        return taken

    def release(self, camera: str, stream: str) -> None:
        """A stream wants no more of a camera; what is known of it ends with a whole fragment."""
        with self._lock:
            recording = self._recordings.get(camera)
        if recording is not None:
            recording.release(stream, round(self._clock.wall().timestamp() * 1000))

    def recorded(self) -> list[CameraRecorded]:
        """The cameras that are being recorded now."""
        with self._lock:
            active = [(camera, self._recordings[camera]) for camera in self._threads]
        return [
            CameraRecorded(camera, each.clip, each.left_ms / 1000, each.streams) for camera, each in active
        ]

    @property
    def trouble(self) -> str:
        """What is wrong with a recording or a camera's stream, in words; empty: nothing is."""
        with self._lock:
            cameras, troubles = sorted(self._recordings), dict(self._troubles)
        found: dict[str, None] = {}
        for camera in cameras:
            own = [troubles[camera]] if camera in troubles else []
            streams = (_said(each) for each in self._stream_troubles(camera) if each.lasts)
            found.update({f"camera {camera}: {words}": None for words in (*own, *streams)})
        return "; ".join(found)

    def close(self) -> None:
        """End every clip with what it has, and the threads. May be called twice."""
        with self._lock:
            self._stop.set()
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(_JOIN_S)

    def _run(self, camera: str, recording: Recording, back_s: float) -> None:
        """Record one camera until nothing more is wanted of it."""
        try:
            self._record(camera, recording, back_s)
        except Exception as error:  # noqa: BLE001 - a fault with one camera must not end the others
            _log.error("recording_failed", camera=camera, error=type(error).__name__, exc_info=error)
            self._give_up(camera, recording, "failed")
        finally:
            with self._lock:
                if self._threads.get(camera) is threading.current_thread():
                    del self._threads[camera]

    def _record(self, camera: str, recording: Recording, back_s: float) -> None:
        failures = 0
        while True:
            why, came = self._follow(camera, recording, back_s)
            if why is None:
                return
            failures = 1 if came else failures + 1
            late = self._clock.monotonic() >= self._until[camera]
            if why != "camera_lost" or late or self._stop.wait(self._again.delay(failures)):
                self._give_up(camera, recording, "stopped" if self._stop.is_set() else why)
                return
            recording.end(why)
            recording.begin_again()
            back_s = 0.0

    def _follow(self, camera: str, recording: Recording, back_s: float) -> tuple[ClipEnd | None, bool]:
        """One stretch of a camera's video: why it ended, None if all is done; and whether anything came."""
        came = False
        newest = self._clock.monotonic()
        try:
            for fragment in self._feed(camera, back_s, self._stop):
                now = self._clock.monotonic()
                if self._stop.is_set():
                    return "stopped", came
                if fragment is None:
                    if now - newest >= self._silent_s:
                        self._trouble(camera, "no picture came that a clip could be made of")
                        return "camera_lost", came
                    continue
                came, newest = True, now
                if not self._take(camera, recording, fragment):
                    return None, True
                if now >= self._until[camera] + self._silent_s:
                    # Its pictures come more slowly than time passes: it would never be done.
                    return "complete", True
        except ApplianceError as error:
            self._trouble(camera, _said(error))
            self._is_unusable(camera, unusable=isinstance(error, UnusableVideoError))
        return ("stopped" if self._stop.is_set() else "camera_lost"), came

    def _take(self, camera: str, recording: Recording, fragment: Fragment) -> bool:
        """Keep a fragment; whether more are wanted. Where it cannot be kept, all has ended."""
        try:
            wanted = recording.take(fragment)
        except ApplianceError as error:
            _log.warning("video_not_kept", camera=camera, reason=error.message)
            self._trouble(camera, error.message)
            return False
        self._well(camera)
        return wanted or not self._is_done(recording)

    def _is_done(self, recording: Recording) -> bool:
        """Whether nothing more is wanted; whoever asks from then on begins another thread."""
        with self._lock:
            return recording.finish_if_done()

    def _give_up(self, camera: str, recording: Recording, why: ClipEnd) -> None:
        """End everything, unless somebody has begun anew meanwhile."""
        with self._lock:
            if self._threads.get(camera) is threading.current_thread():
                recording.finish(why, self._no_clip(camera, why))

    def _no_clip(self, camera: str, why: ClipEnd) -> NoClip:
        """Why no clip began, if none did; with the lock held."""
        if self._stop.is_set():
            return "stopped"
        if why == "failed":
            return "failed"
        return "unusable" if camera in self._unusable else "camera_lost"

    def _well(self, camera: str) -> None:
        with self._lock:
            self._troubles.pop(camera, None)
            self._unusable.discard(camera)

    def _is_unusable(self, camera: str, *, unusable: bool) -> None:
        with self._lock:
            (self._unusable.add if unusable else self._unusable.discard)(camera)

    def _trouble(self, camera: str, words: str) -> None:
        with self._lock:
            known = self._troubles.get(camera) == words
            self._troubles[camera] = words
        if not known:  # that a camera is lost is told by whoever watches it
            _log.info("recording", camera=camera, reason=words)


def _said(trouble: Trouble | ApplianceError) -> str:
    """In words, with what to do about it."""
    words = trouble.words if isinstance(trouble, Trouble) else trouble.message
    return f"{words} ({trouble.hint})" if trouble.hint else words
