"""A clip over one connection: fragments go out in order, and each that the service stored leaves the spool.

The connection begins with the header of its first fragment; a fragment with another header (the camera's
picture has another size) ends it, and goes on the next. It ends, too, when the clip is over, when it is as
old as it may be, and when a clip that grows pauses, before the service ends it for that. What is done after
it ended is `uploader`'s business.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from appliance.errors import StreamError
from appliance.video.kvs.acks import Ack
from appliance.video.kvs.pace import Pace, Patience
from appliance.video.kvs.put_media import Ears, Ending, PutMedia
from appliance.video.kvs.spool import Spool
from appliance.video.kvs.spool_files import SpoolEntry
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.upload_state import Counts

_log = structlog.get_logger()

MAX_FLYING: Final = 16
"""Fragments sent and not stored yet: what may have to be sent again. They rest in the spool."""
OLDEST_S: Final = 40 * 60.0
"""The service ends a connection at some 45 minutes; credentials are taken up anew then, too."""
PAUSE_S: Final = 20.0
"""A clip that grows and sends nothing for so long lets the connection go; the service does so at 30 s."""
_POLITE_S: Final = 1.0
"""For the service to end its answer, once all is stored."""

Opens = Callable[[SpooledFragment, Ears], Awaitable[PutMedia]]
"""Opens a connection for a fragment that is its first; told who hears answers."""


@dataclass(slots=True)
class _Flight:
    """A fragment that was sent and is not stored yet."""

    entry: SpoolEntry
    received: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """How it went.

    Attributes:
        ending: How the connection ended; None: as we ended it, or there was nothing to send.
        suspect: The fragment that an error is held against; None: none was on its way.
        named: Whether the error names it. If not, it names none, or none that was on its way, and the suspect
            is the first that the service had not received whole; if it had all of them, the first.
        persisted: Fragments that were stored meanwhile.
    """

    ending: Ending | None = None
    suspect: SpoolEntry | None = None
    named: bool = False
    persisted: int = 0


class Sending:
    """One clip, one connection.

    Args:
        spool: What is sent.
        clip: Of which clip.
        counts: Told what happened.
        moved: Set whenever there may be something to do: a fragment came, an answer did, the clip ended.
        pace: How fast the stream may be sent to.
        patience: How long it is waited for what was received to be stored.
        stop: Whether to bring it to an end soon.
        stored: Called after a fragment was stored.
    """

    def __init__(
        self,
        spool: Spool,
        clip: str,
        counts: Counts,
        moved: asyncio.Event,
        *,
        pace: Pace,
        patience: Patience,
        stop: Callable[[], bool],
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._spool = spool
        self._clip = clip
        self._counts = counts
        self._moved = moved
        self._pace = pace
        self._patience = patience
        self._stop = stop
        self._stored = stored
        self._flying: dict[int, _Flight] = {}
        self._numbers: dict[str, int] = {}
        self._passed = 0  # the highest sequence that was sent on this connection
        self._persisted = 0
        self._unread: StreamError | None = None

    async def run(self, opens: Opens) -> Sent:
        """Send what there is, and what comes, until the connection ends.

        Raises:
            StreamError: No connection can be made, or the disk cannot be read; what was sent before that is
                waited for.
        """
        first = self._next()
        if first is None:
            return self._over()
        fragment = self._fly(first)
        header = fragment.header
        session = await opens(fragment, self._ears())
        try:
            sending = await session.send(header) and await session.send(fragment.body)
            del first, fragment  # it rests on the disk; a clip is sent for a minute or longer
            ended = sending and await self._converse(session, header)
            if ended and not self._flying:
                # All is stored; how it ends now is a matter of manners.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLITE_S):
                        await session.over.wait()
                return self._over()
            return self._told(await session.ending())
        finally:
            await session.close()

    def _ears(self) -> Ears:
        return Ears(self._hear, lambda: bool(self._flying), self._moved, self._patience.times)

    def _over(self) -> Sent:
        """It was ended by us; how it went.

        Raises:
            StreamError: The next fragment cannot be read.
        """
        if self._unread is not None:
            raise self._unread
        return Sent(persisted=self._persisted)

    async def _converse(self, session: PutMedia, header: bytes) -> bool:
        """Send and hear until nothing is left to do; whether we ended it."""
        loop = asyncio.get_running_loop()
        begun_at = sent_at = loop.time()
        sending, finished = True, False
        while sending and not session.over.is_set():
            self._moved.clear()
            if finished:
                if not self._flying:
                    return True
            else:
                if self._waits() and (left_s := self._pace.left_s()) > 0:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(left_s):
                            await session.over.wait()
                    continue
                following = self._next() if len(self._flying) < MAX_FLYING else None
                if following is not None and following[1].header == header:
                    sending = await session.send(self._fly(following).body)
                    sent_at = loop.time()
                    continue
                idle_s, age_s = loop.time() - sent_at, loop.time() - begun_at
                if following is not None or self._unread is not None or self._is_over(age_s, idle_s):
                    finished = True
                    sending = await session.finish()
                    continue
            until = begun_at + OLDEST_S if self._flying else min(begun_at + OLDEST_S, sent_at + PAUSE_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(None if finished else until):
                    await self._moved.wait()
        return finished

    def _is_over(self, age_s: float, idle_s: float) -> bool:
        """Whether nothing more goes over a connection of this age, on which nothing was sent for so long."""
        return (
            self._stop()
            or age_s >= OLDEST_S
            or (not self._flying and idle_s >= PAUSE_S)
            or not (self._spool.is_open(self._clip) or self._waits())
        )

    def _next(self) -> tuple[SpoolEntry, SpooledFragment] | None:
        """The first fragment that was not sent on this connection; one that cannot be read ends it."""
        for entry in self._spool.entries(self._clip):
            if entry.sequence <= self._passed:
                continue
            if entry.timecode_ms in self._flying:
                return None  # two of one time: an answer could not be told from the other's
            try:
                fragment = self._spool.read(entry)
            except StreamError as error:
                self._unread = error
                return None
            if fragment is not None:
                return entry, fragment
        return None

    def _waits(self) -> bool:
        """Whether something was not sent on this connection."""
        entries = self._spool.entries(self._clip)
        return bool(entries) and entries[-1].sequence > self._passed

    def _fly(self, leaving: tuple[SpoolEntry, SpooledFragment]) -> SpooledFragment:
        """Note that a fragment is sent now; what is sent."""
        entry, fragment = leaving
        if entry.sequence <= self._counts.furthest:
            self._counts.resent += 1
        self._counts.furthest = max(self._counts.furthest, entry.sequence)
        self._passed = entry.sequence
        self._flying[entry.timecode_ms] = _Flight(entry)
        self._pace.gone(len(fragment.body))
        return fragment

    def _hear(self, ack: Ack) -> None:
        self._counts.acks[ack.event] = self._counts.acks.get(ack.event, 0) + 1
        if ack.number is not None and ack.timecode_ms in self._flying:
            self._numbers[ack.number] = ack.timecode_ms
        timecode = self._timecode(ack)
        flight = None if timecode is None else self._flying.get(timecode)
        if flight is None or timecode is None:
            return
        if ack.event == "RECEIVED":
            flight.received = True
        elif ack.event == "PERSISTED":
            del self._flying[timecode]
            self._persisted += 1
            self._counts.persisted += 1
            self._counts.newest_ms = max(self._counts.newest_ms or 0, timecode)
            try:
                self._spool.stored(flight.entry)
            except StreamError as error:
                # It is stored there; at worst it is sent once more after a restart.
                _log.warning("kvs_spool", reason=error.message)
            self._stored()

    def _timecode(self, ack: Ack) -> int | None:
        if ack.timecode_ms is None and ack.number is not None:
            return self._numbers.get(ack.number)
        return ack.timecode_ms

    def _told(self, ending: Ending) -> Sent:
        flights = list(self._flying.values())
        silent = ending.fault is not None and ending.fault.reason == "silent"
        if silent and flights and all(each.received for each in flights):
            self._patience.worn_out()
        suspect: SpoolEntry | None = None
        named = False
        if ending.error is not None:
            timecode = self._timecode(ending.error)
            flight = None if timecode is None else self._flying.get(timecode)
            named = flight is not None
            # Somebody has to be blamed: an error that costs nobody anything may come for ever.
            flight = flight or next((each for each in flights if not each.received), None)
            flight = flight or next(iter(flights), None)
            suspect = None if flight is None else flight.entry
        return Sent(ending, suspect, named=named, persisted=self._persisted)
