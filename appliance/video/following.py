"""A camera's video as fragments, from some seconds ago on: copied where that can be done, encoded where not.

Which of the two it is follows from what the camera sends, and what is wrong with that is told once. It ends
when the camera is lost. What becomes of the fragments is the recorder's.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import structlog

from appliance.clock import Clock
from appliance.errors import ApplianceError, CameraLostError, UnusableVideoError
from appliance.video.cutting import Cut, Cutter
from appliance.video.encoding import Encoder
from appliance.video.faults import Fault, Trouble, trouble, trouble_of
from appliance.video.fragment import Fragment
from appliance.video.packets import Heard, Missed, Packet, PacketFollower, Silence, Stream, Turn
from appliance.video.timeline import Timeline
from appliance.wire import Client

_WAIT_S = 1.0
_REMEMBERED_S = 600.0
"""For so long a camera that could not be copied is encoded at once: meanwhile somebody may set it right."""
_SET_MS = 2_000
"""Two clips whose times lie so far from what the monotonic clock says have had a clock set between them."""
_EARLY_S = 0.1
_SILENCES = 10
"""After so many in a row, a second each, in which packets came but no keyframe, none is expected."""

_log = structlog.get_logger()

OnTrouble = Callable[[str, Trouble], None]
RecordedUntil = Callable[[str], int]


@dataclass(slots=True)
class _Known:
    """What is remembered of a camera.

    Attributes:
        covered_s: Up to when its video was given, monotonic.
        covered_ms: The same, as it was said in the fragments.
        encoded_until_s: It is encoded without trying to copy it, until then.
        troubles: What is wrong with it, each once, since it was last followed.
    """

    covered_s: float = float("-inf")
    covered_ms: int = 0
    encoded_until_s: float = float("-inf")
    troubles: dict[Fault, Trouble] = field(default_factory=dict)


class CameraVideo:
    """Every camera's video; safe to use from a thread for each camera.

    Args:
        loop: Of the loop's socket.
        clock: Its monotonic time is the loop's.
        max_fps: Pictures a second of what is encoded, at most.
        recorded_ms: Up to when an earlier run has recorded a camera, milliseconds since the epoch; 0: it has
            not. What came before is not given again.
        on_trouble: Told what is wrong with a camera's stream, of each fault once whenever it is followed.
    """

    def __init__(
        self,
        loop: Client,
        clock: Clock,
        *,
        max_fps: float = 15.0,
        recorded_ms: RecordedUntil = lambda _camera: 0,
        on_trouble: OnTrouble = lambda _camera, _trouble: None,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._max_fps = max_fps
        self._recorded_ms = recorded_ms
        self._on_trouble = on_trouble
        self._known: dict[str, _Known] = {}

    def troubles(self, camera: str) -> tuple[Trouble, ...]:
        """What was wrong with a camera when it was followed last."""
        known = self._known.get(camera)
        return () if known is None else tuple(known.troubles.values())

    def follow(self, camera: str, back_s: float, stop: threading.Event) -> Iterator[Fragment | None]:
        """A camera's fragments from so many seconds ago on, until the event is set.

        Yields:
            Fragments, each later than the one before unless the clock was set, which it says; None when
            nothing came for a second. One of another track than the one before belongs to another clip.

        Raises:
            CameraLostError: It was lost, or has ended; what had come of it was given before.
            UnusableVideoError: Nothing can be made of what it sends; `hint` says what to set in it.
            WireError: The loop is not there, or went away.
        """
        known = self._known.get(camera)
        if known is None:
            known = self._known[camera] = self._remembered(camera)
        known.troubles.clear()
        now_s = self._clock.monotonic()
        making = _Making(camera, known, now_s, since_s=now_s - back_s, max_fps=self._max_fps)
        with PacketFollower(self._loop, camera, back_s=back_s) as follower:
            try:
                while not stop.is_set():
                    heard = follower.read(_WAIT_S)
                    if heard is None:
                        yield None
                    else:
                        yield from self._given(camera, making, making.take(heard))
                        if isinstance(heard, Silence):
                            yield None
            except ApplianceError:
                yield from self._given(camera, making, making.finish())
                raise
            yield from self._given(camera, making, making.finish())

    def _remembered(self, camera: str) -> _Known:
        """What an earlier run tells of a camera."""
        covered_ms = self._recorded_ms(camera)
        if not covered_ms:
            return _Known()
        ago_s = self._clock.wall().timestamp() - covered_ms / 1000
        # A group that begins just there may have come a little early, and must not be passed over.
        return _Known(self._clock.monotonic() - ago_s - _EARLY_S, covered_ms)

    def _given(self, camera: str, making: "_Making", cuts: Iterator[Cut]) -> Iterator[Fragment]:
        """The fragments, with what is to be remembered of them."""
        known = making.known
        for cut in cuts:
            if isinstance(cut, Trouble):
                if cut.fault not in known.troubles:
                    known.troubles[cut.fault] = cut
                    _log.warning("video_trouble", camera=camera, fault=cut.fault.value, hint=cut.hint)
                    self._on_trouble(camera, cut)
                continue
            known.covered_ms, known.covered_s = cut.end_ms, max(known.covered_s, making.covered_s)
            yield cut


class _Making:
    """Fragments out of what is heard of one camera, for as long as it is followed once."""

    def __init__(self, camera: str, known: _Known, now_s: float, *, since_s: float, max_fps: float) -> None:
        self._camera = camera
        self.known = known
        self._now_s = now_s
        self._since_s = since_s
        self._max_fps = max_fps
        self._timeline = Timeline()
        self._stream: Stream | None = None
        self._maker: Cutter | Encoder | None = None
        self._silences = 0

    @property
    def covered_s(self) -> float:
        """When the last packet came that is in a fragment."""
        return float("-inf") if self._maker is None else self._maker.covered_s

    def take(self, heard: Heard) -> Iterator[Cut]:
        """What becomes of it.

        Raises:
            CameraLostError: The camera is lost, or has ended.
            UnusableVideoError: Nothing can be made of what it sends.
        """
        match heard:
            case Packet() as packet:
                self._silences = 0
                yield from self._packet(packet)
            case Missed():
                yield trouble(Fault.MISSED)
                if self._maker is not None:
                    yield from self._maker.gap()
            case Silence(passed_over):
                self._silences = self._silences + 1 if passed_over else 0
                if self._silences >= _SILENCES:
                    yield trouble(Fault.NO_KEYFRAME)
            case Turn("lost", reason) if self._maker is not None:
                raise CameraLostError(f"camera {self._camera} was lost: {reason}")
            case Turn("ended", reason):
                raise CameraLostError(f"camera {self._camera} gives nothing more: {reason}")
            case _:
                pass  # it is back, or not there yet

    def finish(self) -> Iterator[Cut]:
        """What is left of it; asked once."""
        if self._maker is not None:
            yield from self._maker.finish()
        self._maker = None

    def _packet(self, packet: Packet) -> Iterator[Cut]:
        if packet.stream is not self._stream:
            yield from self._join(packet)
        maker = self._maker
        if not isinstance(maker, Cutter):
            if maker is not None:
                yield from maker.take(packet)
            return
        try:
            yield from maker.take(packet)
        except UnusableVideoError as error:
            yield from self._encode_instead(maker, error)

    def _join(self, packet: Packet) -> Iterator[Cut]:
        """The camera's source was opened, maybe anew: with another codec, maybe."""
        self._stream = packet.stream
        if self._maker is None:
            self._go_on(packet)
        copied = packet.stream.codec == "h264" and self._now_s >= self.known.encoded_until_s
        if self._maker is None or copied != isinstance(self._maker, Cutter):
            yield from self.finish()
            self._maker = self._cutter() if copied else self._encoder()

    def _go_on(self, packet: Packet) -> None:
        """Begin no fragment before the clip before this one ended, unless the clock was set since."""
        known = self.known
        ended_ms = packet.wall.timestamp() * 1000 + (known.covered_s - packet.monotonic_s) * 1000
        if abs(ended_ms - known.covered_ms) <= _SET_MS:
            self._timeline.hold(known.covered_ms)

    def _cutter(self) -> Cutter:
        return Cutter(self._timeline, after_s=self.known.covered_s)

    def _encoder(self) -> Encoder:
        # A picture on its own can be left out, a whole group of them began before what is wanted.
        after_s = max(self.known.covered_s, self._since_s)
        return Encoder(self._timeline, after_s=after_s, max_fps=self._max_fps)

    def _encode_instead(self, cutter: Cutter, error: UnusableVideoError) -> Iterator[Cut]:
        """It cannot be copied: say why, and encode what was not given yet and what comes.

        Raises:
            UnusableVideoError: That cannot be done either.
        """
        yield trouble_of(error)
        if error.fault == Fault.NO_PARAMETERS:
            raise error
        self.known.encoded_until_s = self._now_s + _REMEMBERED_S
        yield from cutter.rest()
        encoder = self._maker = self._encoder()
        for packet in cutter.unsent:
            yield from encoder.take(packet)
