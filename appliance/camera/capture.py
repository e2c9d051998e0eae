"""A camera that keeps going: newest frame first, reconnecting, telling when it was lost and is back.

One thread reads the source and leaves only the newest frame; whoever iterates takes it. A
recording is played at its own pace, as if it were a camera. What the frames show is
nobody's business here, and no event is logged: `on_change` is told.
"""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import structlog

from appliance.camera.opening import open_source
from appliance.camera.ring import PacketRing
from appliance.camera.source import CapturedFrame, FrameLimit, Shot, Source
from appliance.camera.stills import RingFeed
from appliance.clock import Clock
from appliance.errors import CameraError, CameraLostError, CameraRefusedError
from appliance.events import CameraChanged
from appliance.settings import CameraSettings
from appliance.values import CameraId, Frame, FrameStamp

_FIRST_PAUSE_S = 0.5
"""Pause before the first attempt to reconnect; doubles with each."""
_LOOK_S = 0.25
"""How often the iterating side looks up while nothing comes."""
_GOODBYE_S = 2.0
"""How long to wait for the reading thread to end; it may hang in a driver, and dies with the process."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CameraStatistics:
    """What happened so far.

    Attributes:
        received: Pictures the source gave.
        skipped: Of these, passed over because they came faster than `fps`.
        dropped: Of these, replaced by a newer one before the loop took them.
        damaged: Pictures or packets that could not be used.
        reconnects: Times the source was opened again after it was lost.
    """

    received: int = 0
    skipped: int = 0
    dropped: int = 0
    damaged: int = 0
    reconnects: int = 0


class Camera:
    """Frames from the source that the settings name, for as long as somebody iterates."""

    def __init__(
        self,
        settings: CameraSettings,
        clock: Clock,
        *,
        source_factory: Callable[[CameraSettings, Clock], Source] = open_source,
        on_change: Callable[[CameraChanged], None] = lambda _: None,
        loop: bool = False,
        keep_pictures: bool = True,
        rng: random.Random | None = None,
    ) -> None:
        """Note everything; no thread runs and nothing is opened before `frames` is iterated.

        Args:
            settings: This camera's.
            clock: Stamps the frames.
            source_factory: Makes the source anew for each attempt.
            on_change: Told once when the source is lost and once when it is back, on the iterating thread.
            loop: Play a recording again and again.
            keep_pictures: Fill the ring of a source without packets with its pictures.
            rng: For the jitter between attempts to reconnect.
        """
        self._settings = settings
        self._clock = clock
        self._source_factory = source_factory
        self._on_change = on_change
        self._loop = loop
        self._keep_pictures = keep_pictures
        self._rng = rng or random.Random()  # noqa: S311 - spreads attempts in time, keeps no secret
        self.ring = PacketRing(settings.ring_s, settings.ring_mib * 1024 * 1024)
        self._condition = threading.Condition()
        self._halt = threading.Event()
        self._slot = _Slot()
        self._statistics = CameraStatistics()
        self._sequence = 0
        self._running = False
        self._lost_at: float | None = None
        self._lost = ""
        self._lost_epoch = -1

    @property
    def statistics(self) -> CameraStatistics:
        """Counted since the camera was made; safe from any thread."""
        with self._condition:
            return self._statistics

    @property
    def lost(self) -> str:
        """Why nothing comes from the source at the moment, its address redacted; empty while all is well."""
        return self._lost

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """The newest frame, again and again, until `stop` is set or a recording ends.

        Blocks between frames and looks at `stop` at least every quarter of a second. Frames that
        came while the last one was worked on are dropped, which shows as gaps in `stamp.sequence`.

        Raises:
            CameraRefusedError: The source cannot work as configured; said only if it never worked.
        """
        if self._running:
            raise RuntimeError(f"camera {self._settings.id} is being read already")
        self._running = True
        self._halt.clear()
        self._slot = _Slot()
        thread = threading.Thread(target=self._capture, name=f"camera-{self._settings.id}", daemon=True)
        thread.start()
        try:
            yield from self._newest(stop)
        finally:
            self._halt.set()
            thread.join(_GOODBYE_S)
            self._running = False

    # ------------------------------------------------------------------ the iterating side

    def _newest(self, stop: threading.Event) -> Iterator[Frame]:
        """Take frames out of the slot and tell of losses."""
        last_at = self._clock.monotonic()
        while not stop.is_set():
            with self._condition:
                if self._slot.is_empty():
                    self._condition.wait(_LOOK_S)
                slot = self._slot
                # A slot that is replaced while its frame is out is the point of it.
                self._slot = replace(slot, frame=None, lost=None)
            now = self._clock.monotonic()
            if slot.lost is not None:
                self._lose(slot.lost.reason, last_at, slot.lost.epoch)
            if slot.frame is not None and self._lost_at is not None and slot.frame_epoch <= self._lost_epoch:
                # From before the loss that was just told: whoever it shows has been said good-bye to.
                self._count(dropped=1)
            elif slot.frame is not None:
                if self._lost_at is not None:
                    self._recover(slot.frame.stamp.monotonic_s)
                last_at = slot.frame.stamp.monotonic_s
                yield slot.frame
                # Work on a frame, however long, is not silence of the camera.
                last_at = max(last_at, self._clock.monotonic())
            elif slot.failure is not None:
                raise slot.failure
            elif slot.ended:
                return
            elif now - last_at >= self._settings.stall_s and self._lost_at is None:
                self._lose(f"no frame for {self._settings.stall_s:g} s", last_at, slot.epoch - 1)

    def _lose(self, reason: str, last_at: float, epoch: int) -> None:
        """Tell of a loss, once per outage."""
        self._lost_epoch = max(epoch, self._lost_epoch)
        if self._lost_at is not None:
            return
        self._lost_at, self._lost = last_at, reason
        _log.warning("camera_lost", camera=self._settings.id, reason=reason)
        self._on_change(CameraChanged(type="camera_lost", camera=self._settings.id, reason=reason))

    def _recover(self, at: float) -> None:
        """Tell that it is back."""
        outage = max(0.0, at - (self._lost_at if self._lost_at is not None else at))
        self._lost_at, self._lost = None, ""
        _log.info("camera_recovered", camera=self._settings.id, outage_s=round(outage, 3))
        self._on_change(
            CameraChanged(
                type="camera_recovered", camera=self._settings.id, reason="frames again", outage_s=outage
            )
        )

    # ------------------------------------------------------------------ the reading thread

    def _capture(self) -> None:
        """Read the source until told to halt; open it again whenever it fails."""
        failures = 0
        worked = False
        epoch = 0
        while not self._halt.is_set():
            played = 0
            try:
                for _ in self._play(epoch, reopened=worked and failures > 0):
                    failures = 0
                    worked = True
                    played += 1
                if self._halt.is_set():
                    return
                if not played:
                    self._fail(
                        CameraRefusedError(f"camera {self._settings.id}: the recording holds no picture")
                    )
                    return
                if not self._loop:
                    self._post(ended=True)
                    return
            except CameraError as error:
                if isinstance(error, CameraRefusedError) and not worked:
                    self._fail(error)
                    return
                self._post(lost=_Loss(error.message, epoch), epoch=epoch + 1)
                epoch += 1
                failures += 1
                self._halt.wait(self._pause(failures))
            except Exception as error:  # noqa: BLE001 - a thread has nobody else to tell
                self._fail(error)
                return

    def _play(self, epoch: int, *, reopened: bool) -> Iterator[None]:
        """Open the source and offer its frames, yielding after each; ends when a recording does."""
        source = self._source_factory(self._settings, self._clock)
        limit = FrameLimit(self._settings.fps)
        feed = RingFeed(self.ring, pictures=self._keep_pictures)
        try:
            source.open(feed.packet)
            start = self._clock.monotonic()
            if reopened:
                self._count(reconnects=1)
            seen_damaged = 0
            while not self._halt.is_set():
                shot = source.read()
                self._count(damaged=source.damaged - seen_damaged)
                seen_damaged = source.damaged
                if shot is None:
                    if source.live:
                        raise CameraLostError(f"{source.address} ended")
                    return
                if self._admit(shot, source, limit, start) and not self._halt.is_set():
                    self._offer(shot, epoch, feed)
                yield
        finally:
            source.close()

    def _admit(self, shot: Shot, source: Source, limit: FrameLimit, start: float) -> bool:
        """Whether the frame is wanted; for a recording, wait until it is due."""
        self._count(received=1)
        if source.live or shot.media_s is None:
            wanted = limit.admits(self._clock.monotonic())
        else:
            wanted = limit.admits(shot.media_s)
            if wanted:
                self._halt.wait(max(0.0, start + shot.media_s - self._clock.monotonic()))
        if not wanted:
            self._count(skipped=1)
        return wanted

    def _offer(self, shot: Shot, epoch: int, feed: RingFeed) -> None:
        """Put the frame into the slot, over an older one."""
        stamp = FrameStamp(
            CameraId(self._settings.id),
            self._sequence,
            self._clock.monotonic(),
            self._clock.wall(),
            shot.media_s,
        )
        self._sequence += 1
        with self._condition:
            replaced = self._slot.frame is not None
        if replaced:
            self._count(dropped=1)
        # Before anybody else has it: a picture is not to be used from two threads.
        feed.picture(shot.picture, stamp)
        self._post(frame=CapturedFrame(stamp, shot.picture), frame_epoch=epoch)

    def _fail(self, error: Exception) -> None:
        """Leave an error for the iterating side to raise."""
        self._post(failure=error)

    def _post(self, **changes: object) -> None:
        """Change the slot and wake whoever waits for it."""
        with self._condition:
            self._slot = replace(self._slot, **changes)  # type: ignore[arg-type]
            self._condition.notify_all()

    def _pause(self, failures: int) -> float:
        """Exponential back-off, capped, the upper half of it random so that cameras do not march in step."""
        longest = min(self._settings.reconnect_max_s, _FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20))
        return longest * self._rng.uniform(0.5, 1.0)

    def _count(self, **more: int) -> None:
        """Add to the statistics."""
        with self._condition:
            now = self._statistics
            self._statistics = replace(now, **{k: getattr(now, k) + v for k, v in more.items()})


@dataclass(frozen=True, slots=True)
class _Loss:
    """Why and in which run of the source it was lost."""

    reason: str
    epoch: int


@dataclass(frozen=True, slots=True)
class _Slot:
    """What the reading thread leaves for the iterating side."""

    frame: CapturedFrame | None = None
    frame_epoch: int = 0
    epoch: int = 0
    lost: _Loss | None = None
    ended: bool = False
    failure: Exception | None = None

    def is_empty(self) -> bool:
        """Nothing to do."""
        return self.frame is None and self.lost is None and not self.ended and self.failure is None
