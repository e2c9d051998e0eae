"""PutMedia on a connection: takes the body as it comes, and says what becomes of it meanwhile.

`ingest` decides; here its steps are taken. Three things go on at once: the body is read, fragments that are
whole are stored after a moment, and time is looked at. A stream has one place: a second connection is
refused.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import structlog

from appliance.clock import Clock
from appliance.errors import ApplianceError
from appliance.video.kvs_server.exchange import READ_BYTES, Exchange, GoneError
from appliance.video.kvs_server.faults import Faults
from appliance.video.kvs_server.fields import STREAM_ARN, STREAM_NAME
from appliance.video.kvs_server.ingest import End, Ingest, Limits, Offer, Say, Step, Terms
from appliance.video.kvs_server.quotas import Meter
from appliance.video.kvs_server.requests import RefusedError, Request

_log = structlog.get_logger()

_START: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_QUEUE: Final = 8
"""Fragments that wait to be stored; then the body is read no further."""


@dataclass(eq=False, slots=True)
class StreamLine:
    """What the server knows of a stream while it runs.

    Attributes:
        ordinals: Counts its fragments, over connections.
        taken: By whom its one place is taken; None: by nobody.
        free_at: Until when it stays taken although nobody has it, monotonic seconds.
        deleted: Set when the stream is gone.
        begun_at: When the last connections began, monotonic seconds.
        meter: Counts what it is sent, against quotas; None: nobody does.
    """

    ordinals: Iterator[int] = field(default_factory=lambda: count(1))
    taken: object | None = None
    free_at: float = 0.0
    deleted: asyncio.Event = field(default_factory=asyncio.Event)
    begun_at: list[float] = field(default_factory=list)
    meter: Meter | None = None


def terms_of(request: Request, *, stores: bool) -> Terms:
    """What the head of a PutMedia says of times.

    Raises:
        RefusedError: It says nothing that can be understood.
    """
    kind = request.header("x-amzn-fragment-timecode-type")
    if kind not in {"ABSOLUTE", "RELATIVE"}:
        raise RefusedError(
            "InvalidArgumentException", "x-amzn-fragment-timecode-type must be ABSOLUTE or RELATIVE."
        )
    start = request.header("x-amzn-producer-start-timestamp") or ""
    if not _START.fullmatch(start):
        raise RefusedError(
            "InvalidArgumentException",
            "x-amzn-producer-start-timestamp must be seconds since the epoch, with decimals.",
        )
    return Terms(kind == "ABSOLUTE", round(float(start) * 1000), stores)


def stream_of(request: Request) -> tuple[str | None, str | None]:
    """Name and ARN in the head of a PutMedia, of which exactly one must be there.

    Raises:
        RefusedError: One is not of the form that it must have.
    """
    name, arn = request.header("x-amzn-stream-name"), request.header("x-amzn-stream-arn")
    for found, form in ((name, STREAM_NAME), (arn, STREAM_ARN)):
        if found is not None and not form.fullmatch(found):
            raise RefusedError("InvalidArgumentException", "The stream's name or ARN is malformed.")
    return name, arn


class PutMedia:
    """The one operation that takes media.

    Args:
        faults: What is to go wrong.
        clock: Of the server.
        limits: Of time.
        settle_s: Seconds between RECEIVED and PERSISTED.
        calls_per_s: How often a stream may be called; None: as often as it likes.
        numbers: Makes the number of a fragment that comes now.
        store: Keeps a fragment, or lets those read it who follow the stream live.
    """

    def __init__(
        self,
        *,
        faults: Faults,
        clock: Clock,
        limits: Limits,
        settle_s: float,
        calls_per_s: int | None,
        numbers: Callable[[int], str],
        store: Callable[[str, Offer, Terms], None],
    ) -> None:
        self._faults = faults
        self._clock = clock
        self._limits = limits
        self._settle_s = settle_s
        self._calls_per_s = calls_per_s
        self._numbers = numbers
        self._store = store

    async def serve(self, exchange: Exchange, stream: str, line: StreamLine, terms: Terms) -> None:
        """Take a body whose head is found good.

        Args:
            exchange: Its connection; the answer has not begun.
            stream: The name of its stream.
            line: What is known of the stream.
            terms: What the head says.

        Raises:
            RefusedError: The stream's place is taken, or it was called too often.
            GoneError: The connection is no more; also after it was reset on purpose.
        """
        now = self._clock.monotonic()
        line.begun_at[:] = [each for each in line.begun_at if now - each < 1.0]
        if self._calls_per_s is not None and len(line.begun_at) >= self._calls_per_s:
            raise RefusedError("ClientLimitExceededException", "Rate exceeded.")
        if line.taken is not None or now < line.free_at:
            raise RefusedError(
                "ConnectionLimitExceededException",
                "Kinesis Video Streams has throttled the request because you have exceeded the limit of "
                "allowed client connections.",
            )
        line.begun_at.append(now)
        ingest = Ingest(
            terms,
            faults=self._faults,
            ordinals=line.ordinals,
            numbers=self._numbers,
            clock=self._clock,
            limits=self._limits,
            meter=line.meter,
        )
        run = _Run(
            exchange,
            ingest,
            line,
            keep=lambda offer: self._keep(stream, line, terms, offer),
            terms=terms,
            settle_s=self._settle_s,
        )
        line.taken = run
        try:
            await run.go(self._faults)
        finally:
            line.taken = None
            line.free_at = self._clock.monotonic() + run.held_s

    def _keep(self, stream: str, line: StreamLine, terms: Terms, offer: Offer) -> None:
        if not line.deleted.is_set():
            self._store(stream, offer, terms)


class _Run:
    """One connection being served."""

    def __init__(
        self,
        exchange: Exchange,
        ingest: Ingest,
        line: StreamLine,
        *,
        keep: Callable[[Offer], None],
        terms: Terms,
        settle_s: float,
    ) -> None:
        self._exchange = exchange
        self._ingest = ingest
        self._line = line
        self._keep = keep
        self._terms = terms
        self._offers: asyncio.Queue[tuple[float, Offer]] = asyncio.Queue(_QUEUE)
        self._settle_s = settle_s
        self._over = asyncio.Event()
        self._deaf = False
        self.held_s = 0.0

    async def go(self, faults: Faults) -> None:
        """Until the body ends or the connection does.

        Raises:
            GoneError: The connection is no more.
        """
        slow = faults.slow_reader()
        await self._exchange.ask_for_body()
        await self._exchange.begin(200, [("content-type", "application/json")])
        storing = asyncio.create_task(self._store_all())
        try:
            await self._take_body(slow.bytes_per_s if slow is not None else None)
            await self._offers.join()
        except GoneError:
            # What was received whole is stored all the same, as the service does.
            self._deaf = True
            await self._offers.join()
            raise
        finally:
            storing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await storing
        if self._deaf:
            self._exchange.reset()
            raise GoneError
        await self._exchange.end(last=self._over.is_set())

    async def _take_body(self, bytes_per_s: int | None) -> None:
        deleted = asyncio.create_task(self._line.deleted.wait())
        over = asyncio.create_task(self._over.wait())
        reading: asyncio.Task[bytes | None] | None = None
        most = READ_BYTES if bytes_per_s is None else max(1, min(READ_BYTES, bytes_per_s // 10))
        try:
            while not self._ingest.over:
                reading = reading or asyncio.create_task(self._exchange.read(most))
                done, _ = await asyncio.wait(
                    {reading, deleted, over},
                    timeout=self._ingest.patience_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if deleted in done:
                    await self._take(self._ingest.stream_gone())
                elif reading in done:
                    data = reading.result()
                    reading = None
                    if data is None:
                        await self._take(self._ingest.end())
                        return
                    await self._take(self._ingest.feed(data))
                    if bytes_per_s is not None:
                        await asyncio.sleep(most / bytes_per_s)
                elif not done:
                    await self._take(self._ingest.look())
        finally:
            for task in (deleted, over, reading):
                if task is not None:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError, GoneError):
                        await task

    async def _store_all(self) -> None:
        while True:
            due, offer = await self._offers.get()
            try:
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                await self._store_one(offer)
            except GoneError:
                self._deaf = True
            finally:
                self._offers.task_done()

    async def _store_one(self, offer: Offer) -> None:
        try:
            self._keep(offer)
        except ApplianceError as error:
            _log.error("kvs_server_not_stored", error=str(error))
            steps: Iterable[Step] = self._ingest.not_stored(offer)
        else:
            steps = self._ingest.stored(offer) if self._terms.stores else ()
        for step in steps:
            await self._perform(step)

    async def _take(self, steps: Iterator[Step]) -> None:
        """Take the steps that reading led to; what is offered before an end is stored before it."""
        for step in steps:
            if isinstance(step, Offer):
                await self._offers.put((asyncio.get_running_loop().time() + self._settle_s, step))
                continue
            if isinstance(step, End) or step.ack.saying == "ERROR":
                await self._offers.join()
            await self._perform(step)

    async def _perform(self, step: Step) -> None:
        match step:
            case Say(ack, after_s) if not self._deaf and not self._over.is_set():
                if after_s:
                    await asyncio.sleep(after_s)
                await self._exchange.write(ack.line())
            case End(held_s):
                self._over.set()
                if held_s is not None:
                    self.held_s = held_s
                    self._deaf = True
                    self._exchange.reset()
            case _:
                pass
