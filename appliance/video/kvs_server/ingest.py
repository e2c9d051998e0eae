"""PutMedia's rules, without a socket: bytes and times in, what the server does out.

One `Ingest` stands for one connection. It is fed the body as it comes and gives steps: say this, store
that, end. Whoever owns the connection takes them in order, stores, tells it what is stored, and looks in on
time. Faults that were switched on come out as steps, too, so that what a test sees without sockets is what
a producer sees.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import structlog

from appliance.clock import Clock
from appliance.video.kvs_server.acks import Ack
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow
from appliance.video.kvs_server.faults import WITHIN_BYTES, Cut, ErrorAck, Faults, Moment
from appliance.video.kvs_server.quotas import TOO_SHORT, Meter
from appliance.video.matroska_events import Event, Fault, FragmentBegun, FragmentEnded, Remark
from appliance.video.strict_matroska import StrictChecker

_log = structlog.get_logger()

ARCHIVAL_ERROR: Final = 5001
STREAM_NOT_ACTIVE: Final = 4008
CONNECTION_TOO_OLD: Final = 4003


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends or tells a connection by time.

    Attributes:
        age_s: How long one lasts; then ERROR 4003.
        idle_s: After so long without data IDLE is said, and again after as long.
        silence_s: After so long without data it is closed.
    """

    age_s: float = 45 * 60.0
    idle_s: float = 10.0
    silence_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What the head of a PutMedia agreed upon.

    Attributes:
        absolute: Times count from the epoch; else from when the session began.
        start_ms: When its producer says that it began, milliseconds since the epoch.
        stores: Whether its stream keeps anything at all.
    """

    absolute: bool
    start_ms: int
    stores: bool


@dataclass(frozen=True, slots=True)
class Say:
    """Say this, after a pause."""

    ack: Ack
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Offer:
    """A fragment is whole: let it be read, and stored if its stream stores."""

    row: FragmentRow
    media: FragmentMedia
    timecode_ms: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class End:
    """Close the connection, after what was said.

    Attributes:
        held_s: None: in good order. Otherwise reset it, and leave the stream taken for that long.
    """

    held_s: float | None = None


Step = Say | Offer | End


@dataclass(frozen=True, slots=True)
class _Begun:
    """A fragment that is coming.

    Attributes:
        ordinal: The how-manieth of its stream.
        number: The server's.
        timecode_ms: As sent.
        server_ms: When its first byte came.
    """

    ordinal: int
    number: str
    timecode_ms: int
    server_ms: int


class Ingest:
    """One connection's media.

    Args:
        terms: What its head said.
        faults: What is to go wrong.
        ordinals: Counts the fragments of this stream, over connections.
        numbers: Makes the number of a fragment that comes now, milliseconds since the epoch.
        clock: Of the server.
        limits: Of time.
        meter: Counts against quotas; None: there are none.
    """

    def __init__(
        self,
        terms: Terms,
        *,
        faults: Faults,
        ordinals: Iterator[int],
        numbers: Callable[[int], str],
        clock: Clock,
        limits: Limits,
        meter: Meter | None = None,
    ) -> None:
        self._terms = terms
        self._faults = faults
        self._ordinals = ordinals
        self._numbers = numbers
        self._clock = clock
        self._limits = limits
        self._meter = meter
        self._checker = StrictChecker(keep_bytes=True)
        self._begun: _Begun | None = None
        self._came_bytes = 0
        self._short: tuple[FragmentEnded, float] | None = None
        self._started = self._heard = clock.monotonic()
        self._idled = 0
        self._muted_from: int | None = None
        self._over = False

    @property
    def over(self) -> bool:
        """Whether it has ended; nothing more comes of it."""
        return self._over

    def feed(self, data: bytes) -> Iterator[Step]:
        """What is to be done about a piece of the body."""
        self._heard = self._clock.monotonic()
        self._idled = 0
        if self._meter is not None and (broken := self._meter.data(len(data))):
            yield from self._refuse(broken, self._begun)
            return
        most = WITHIN_BYTES if self._faults.looks_within else max(1, len(data))
        for begin in range(0, len(data), most):
            piece = data[begin : begin + most]
            self._came_bytes += len(piece)
            for each in self._checker.feed(piece):
                yield from self._step(each)
                if self._over:
                    return
            if self._begun is not None and self._short is None:
                yield from self._fault("within", self._begun.ordinal)
                if self._over:
                    return

    def end(self) -> Iterator[Step]:
        """What is to be done when the body has ended; what is offered may still be stored."""
        for each in self._checker.close():
            yield from self._step(each)
            if self._over:
                return
        yield from self._take_short()

    def look(self) -> Iterator[Step]:
        """What is to be done because time has passed."""
        now = self._clock.monotonic()
        if self._short is not None and now >= self._short[1]:
            yield from self._take_short()
        if now - self._started >= self._limits.age_s:
            yield from self._fail(CONNECTION_TOO_OLD)
        elif now - self._heard >= self._limits.silence_s:
            yield from self._close(End())
        elif now - self._heard >= self._limits.idle_s * (self._idled + 1):
            self._idled += 1
            yield from self._say(Ack("IDLE"), 0)

    @property
    def patience_s(self) -> float:
        """Seconds until it is to be looked in on."""
        now = self._clock.monotonic()
        next_idle = self._heard + self._limits.idle_s * (self._idled + 1)
        due = min(
            self._started + self._limits.age_s,
            self._heard + self._limits.silence_s,
            next_idle,
            self._short[1] if self._short is not None else next_idle,
        )
        return max(0.0, due - now)

    def stored(self, offer: Offer) -> Iterator[Step]:
        """What is to be done when a fragment is stored."""
        yield from self._fault("stored", offer.ordinal)
        if self._over:
            return
        yield from self._say(Ack("PERSISTED", offer.timecode_ms, offer.row.number), offer.ordinal)
        yield from self._fault("persisted", offer.ordinal)

    def not_stored(self, offer: Offer) -> Iterator[Step]:
        """What is to be done when a fragment cannot be stored."""
        about = _Begun(offer.ordinal, offer.row.number, offer.timecode_ms, offer.row.server_ms)
        yield from self._fail(ARCHIVAL_ERROR, about)

    def stream_gone(self) -> Iterator[Step]:
        """What is to be done when the stream is deleted meanwhile."""
        yield from self._fail(STREAM_NOT_ACTIVE)

    def _step(self, happened: Event) -> Iterator[Step]:
        match happened:
            case FragmentBegun(timecode_ms):
                yield from self._begin(timecode_ms)
            case FragmentEnded():
                yield from self._complete(happened)
            case Remark(kind):
                _log.info("kvs_server_remark", kind=kind, timecode_ms=happened.timecode_ms)
            case Fault(error_id):
                _log.info("kvs_server_fault", error_id=int(error_id), what=happened.message)
                yield from self._fail(error_id, self._begun)
            case _:
                pass

    def _begin(self, timecode_ms: int) -> Iterator[Step]:
        if self._meter is not None:
            before = self._begun if self._short is not None else None
            if before is not None and timecode_ms - before.timecode_ms < self._meter.quotas.min_fragment_ms:
                yield from self._refuse(TOO_SHORT, before)
                return
            yield from self._take_short()
            broken = self._meter.fragment()
            if self._over or broken:
                yield from self._refuse(broken)
                return
        server_ms = int(self._clock.wall().timestamp() * 1000)
        ordinal = next(self._ordinals)
        number = self._numbers(server_ms)
        self._begun = _Begun(ordinal, number, timecode_ms, server_ms)
        self._came_bytes = 0
        if self._muted_from is None and self._faults.mutes(ordinal):
            self._muted_from = ordinal
        yield from self._say(Ack("BUFFERING", timecode_ms, number), ordinal)
        yield from self._fault("buffering", ordinal)

    def _complete(self, ended: FragmentEnded) -> Iterator[Step]:
        if self._meter is not None and self._short is None:
            least_ms = self._meter.quotas.min_fragment_ms
            if _lasts_ms(ended) < least_ms:
                # Its last picture may be shown for long: only the next fragment's begin tells.
                self._short = ended, self._clock.monotonic() + least_ms / 1000
                return
        yield from self._receive(ended)

    def _take_short(self) -> Iterator[Step]:
        """Take a fragment that looked too short: it is the last, or nothing follows for so long."""
        if self._short is not None and not self._over:
            (ended, _), self._short = self._short, None
            yield from self._receive(ended)

    def _receive(self, ended: FragmentEnded) -> Iterator[Step]:
        begun, sent = self._begun, ended.sent
        if begun is None or sent is None:
            return
        yield from self._say(Ack("RECEIVED", begun.timecode_ms, begun.number), begun.ordinal)
        yield from self._fault("received", begun.ordinal)
        if self._over:
            return
        self._begun = None
        media = FragmentMedia(sent.header, sent.cluster, sent.tags)
        # An ack tells a time as it was sent; readers are told one that counts from the epoch.
        producer_ms = begun.timecode_ms + (0 if self._terms.absolute else self._terms.start_ms)
        row = FragmentRow(
            begun.number, producer_ms, begun.server_ms, _lasts_ms(ended), media.size_bytes, _tracks(ended)
        )
        yield Offer(row, media, begun.timecode_ms, begun.ordinal)

    def _say(self, ack: Ack, ordinal: int) -> Iterator[Step]:
        if self._muted_from is None or 0 < ordinal < self._muted_from:
            yield Say(ack, self._faults.delay_s(ack.saying, ordinal))

    def _fault(self, moment: Moment, ordinal: int) -> Iterator[Step]:
        fault = self._faults.at(moment, ordinal, came_bytes=self._came_bytes)
        if isinstance(fault, Cut):
            yield from self._close(End(held_s=fault.held_s))
        elif isinstance(fault, ErrorAck):
            yield from self._fail(fault.error_id, None if fault.bare else self._begun)

    def _fail(self, error_id: int, about: "_Begun | None" = None) -> Iterator[Step]:
        if about is None:
            yield Say(Ack("ERROR", error_id=error_id))
        else:
            yield Say(Ack("ERROR", about.timecode_ms, about.number, error_id))
        yield from self._close(End())

    def _refuse(self, code: str, about: "_Begun | None" = None) -> Iterator[Step]:
        """An error that has a name and no number."""
        if not self._over:
            told = Ack("ERROR", error_code=code)
            yield Say(
                told if about is None else replace(told, timecode_ms=about.timecode_ms, number=about.number)
            )
            yield from self._close(End())

    def _close(self, end: End) -> Iterator[Step]:
        if not self._over:
            self._over = True
            yield end


def _tracks(ended: FragmentEnded) -> str:
    """What is the same for every session whose header declares the same."""
    declared = [
        (each.number, each.codec_id, each.codec_private.hex(), each.width, each.height)
        for each in ended.header.tracks
    ]
    return hashlib.sha256(repr(declared).encode()).hexdigest()[:32]


def _lasts_ms(ended: FragmentEnded) -> int:
    """How long it lasts, if its last frame lasts as long as the others on average."""
    between = ended.last_ms - ended.begin_ms
    shown = len({block.timecode_ms for block in ended.blocks})
    return between + round(between / max(1, shown - 1))
