"""The server itself: listens, finds out who asks for what, and lets the right module answer.

One process, one event loop, one region, one account. `KvsServer.start` listens, `stop` ends every connection.
Control plane and media are served on every listener; `GetDataEndpoint` names the last of them.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from appliance.clock import Clock, SystemClock
from appliance.errors import VideoError
from appliance.video.kvs_server.archive import Archive
from appliance.video.kvs_server.control import ControlPlane
from appliance.video.kvs_server.exchange import Exchange, GoneError
from appliance.video.kvs_server.faults import Faults
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.images import Images
from appliance.video.kvs_server.ingest import Limits, Offer, Terms
from appliance.video.kvs_server.live import Live
from appliance.video.kvs_server.playing import CLIP_TYPE, PLAY_PATH, Playing
from appliance.video.kvs_server.put_media import PutMedia, StreamLine, stream_of, terms_of
from appliance.video.kvs_server.quotas import Meter, Quotas
from appliance.video.kvs_server.reading import MAX_READERS, MEDIA_TYPE, Readers, Shelf
from appliance.video.kvs_server.requests import RefusedError, Request
from appliance.video.kvs_server.signatures import EMPTY_SHA256, Credential, SignatureCheck, may, sha256
from appliance.video.kvs_server.streams import ACCOUNT, StreamBook, StreamRow

_log = structlog.get_logger()

_ANY_ORIGIN: Final = (("access-control-allow-origin", "*"),)
"""Pages of any site may play: the token in the address is what counts."""
DEFAULT_REGION: Final = "us-west-2"
_BODY_BYTES: Final = 1 << 20
_KEEP_ALIVE_S: Final = 60.0
_NUMBER_PREFIX: Final = "91343852333181432392682062"
"""With 13 digits of time and 8 that count, a number has the 47 digits that real ones have."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen.

    Attributes:
        host: Address or name.
        port: 0: whichever is free.
        tls: None: plain HTTP.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Manners:
    """How the server behaves where the service's own behaviour takes long, or is a quota.

    Attributes:
        limits: What ends a PutMedia by time.
        settle_s: Seconds between RECEIVED and PERSISTED.
        calls_per_s: PutMedia a stream may be sent each second; None: any number.
        quotas: Of fragments and bytes, and how short a fragment may be; None: none of these is held.
        quiet_s: GetMedia ends when nothing new has come for so long.
        type_header: The header in which PutMedia's errors say their type; the documentation has
            `x-amz-ErrorType`, every other operation `x-amzn-ErrorType`.
    """

    limits: Limits = field(default_factory=Limits)
    settle_s: float = 0.05
    calls_per_s: int | None = 5
    quotas: Quotas | None = None
    quiet_s: float = 30.0
    type_header: str = "x-amzn-ErrorType"


class KvsServer:
    """A local Kinesis Video Streams.

    Args:
        archive: Where streams and fragments are kept.
        credentials: Who may ask.
        listeners: Where to listen; the last one is the data endpoint.
        region: Stands in ARNs, and in what is signed.
        clock: Of the server.
        faults: What is to go wrong; more can be added while it runs.
        manners: How it behaves.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        credentials: Iterable[Credential],
        listeners: Sequence[Listener] = (Listener(),),
        region: str = DEFAULT_REGION,
        clock: Clock | None = None,
        faults: Faults | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.streams = StreamBook(archive, region=region)
        self._archive = archive
        self._clock = clock or SystemClock()
        self._manners = manners or Manners()
        self._listeners = listeners
        self._signatures = SignatureCheck(credentials, region=region)
        self._lines: dict[str, StreamLine] = {}
        self._lives: dict[str, Live] = {}
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._last_number = 0
        shelf = Shelf(archive, self._clock)
        self._readers = Readers(shelf, clock=self._clock, quiet_s=self._manners.quiet_s)
        self._images = Images(shelf)
        self._playing = Playing(shelf, self.streams, clock=self._clock)
        self._control = ControlPlane(
            self.streams,
            clock=self._clock,
            region=region,
            endpoint=self._data_endpoint,
            deleted=self._stream_deleted,
        )
        self._put_media = PutMedia(
            faults=self.faults,
            clock=self._clock,
            limits=self._manners.limits,
            settle_s=self._manners.settle_s,
            calls_per_s=self._manners.calls_per_s,
            numbers=self._number,
            store=self._store,
        )

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as addresses with scheme and port, in the order of its listeners."""
        found = []
        for listener, server in zip(self._listeners, self._servers, strict=True):
            port = server.sockets[0].getsockname()[1]
            host = f"[{listener.host}]" if ":" in listener.host else listener.host
            found.append(f"{'https' if listener.tls else 'http'}://{host}:{port}")
        return found

    async def start(self) -> None:
        """Listen.

        Raises:
            VideoError: An address is taken, or the archive does not work.
        """
        rows = [row for each in self.streams.sorted() for row in self._archive.fragments(each.name)]
        self._last_number = max((int(row.number) for row in rows), default=0)
        for listener in self._listeners:
            try:
                server = await asyncio.start_server(
                    self._connected, listener.host, listener.port, ssl=listener.tls
                )
            except OSError as error:
                await self.stop()
                raise VideoError(
                    f"nothing can listen at {listener.host} port {listener.port}: {error.strerror}",
                    hint="choose another port",
                ) from error
            self._servers.append(server)

    async def stop(self) -> None:
        """End every connection, and listen no longer."""
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["KvsServer"]:
        """Started, and stopped at the end of the block."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    # ---------------------------------------------------------------- connections

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        exchange = Exchange(reader, writer)
        try:
            while (request := await exchange.next_request(patience_s=_KEEP_ALIVE_S)) is not None:
                await self._serve(exchange, request)
            await exchange.close()
        except (GoneError, asyncio.CancelledError):
            # Only `stop` cancels; the task ends here, so that nobody is told of it as of a fault.
            _log.debug("kvs_server_connection_gone")
        finally:
            exchange.reset()  # whatever happened: none is left open
            self._connections.discard(task)

    async def _serve(self, exchange: Exchange, request: Request) -> None:
        path = request.path
        type_header = "x-amzn-ErrorType"
        try:
            if path == "/putMedia" and request.method == "POST":
                type_header = self._manners.type_header
                await self._take_media(exchange, request)
            elif path.startswith(PLAY_PATH) and request.method == "GET":
                await exchange.body(most=0)
                kind, content = self._playing.file(request)
                await exchange.answer(200, content, [("content-type", kind), *_ANY_ORIGIN])
            else:
                await self._operate(exchange, request)
        except RefusedError as error:
            _log.info("kvs_server_refused", code=error.code)
            await exchange.refuse(error, type_header=type_header)
        except VideoError as error:
            _log.error("kvs_server_failed", error=str(error))
            await exchange.refuse(RefusedError("InternalFailureException", "Internal failure."))

    async def _operate(self, exchange: Exchange, request: Request) -> None:
        """Any operation of JSON that is signed over its body."""
        body = await exchange.body(most=_BODY_BYTES)
        control = self._control.operations.get(request.path)
        media = self._media_operations.get(request.path)
        if request.method != "POST" or (control is None and media is None):
            raise RefusedError("UnknownOperationException", "There is no such operation here.")
        name = control[0] if control is not None else media[0] if media is not None else ""
        self._refuse_if_switched_on(name)
        caller = self._signatures.check(request, payload_sha256=sha256(body), now=self._clock.wall())
        given = Fields.of(body)
        if control is not None:
            await exchange.answer_json(200, control[1](given, caller))
        elif media is not None:
            await media[1](exchange, given, self._control.named(given, caller, name))

    async def _take_media(self, exchange: Exchange, request: Request) -> None:
        """PutMedia: only its head is signed, and its body has no end that anybody knows."""
        self._refuse_if_switched_on("PutMedia")
        caller = self._signatures.check(request, payload_sha256=EMPTY_SHA256, now=self._clock.wall())
        name, arn = stream_of(request)
        may(caller, "PutMedia", name or arn or "*", ACCOUNT)
        stream = self.streams.find(name=name, arn=arn)
        terms = terms_of(request, stores=stream.retention_hours > 0)
        line = self._lines.setdefault(stream.name, StreamLine(meter=self._meter()))
        await self._put_media.serve(exchange, stream.name, line, terms)

    def _refuse_if_switched_on(self, operation: str) -> None:
        refusal = self.faults.refusal(operation)
        if refusal is not None:
            raise RefusedError(refusal.code, f"{refusal.code}: switched on.", status=refusal.status)

    # ---------------------------------------------------------------- media

    @property
    def _media_operations(
        self,
    ) -> Mapping[str, tuple[str, Callable[[Exchange, Fields, StreamRow], Awaitable[None]]]]:
        return {
            "/listFragments": ("ListFragments", self._list_fragments),
            "/getMediaForFragmentList": ("GetMediaForFragmentList", self._media_of_list),
            "/getMedia": ("GetMedia", self._media_from),
            "/getClip": ("GetClip", self._clip),
            "/getImages": ("GetImages", self._get_images),
            "/getHLSStreamingSessionURL": ("GetHLSStreamingSessionURL", self._open_hls),
        }

    async def _list_fragments(self, exchange: Exchange, given: Fields, stream: StreamRow) -> None:
        await exchange.answer_json(200, self._readers.list_fragments(given, stream))

    async def _media_of_list(self, exchange: Exchange, given: Fields, stream: StreamRow) -> None:
        pieces = self._readers.media_of_list(given, stream)
        await exchange.begin(200, [("content-type", MEDIA_TYPE)])
        for piece in pieces:
            await exchange.write(piece)
        await exchange.end()

    async def _media_from(self, exchange: Exchange, given: Fields, stream: StreamRow) -> None:
        live = self._live(stream.name)
        if live.readers >= MAX_READERS:
            raise RefusedError("ConnectionLimitExceededException", "Too many connections read this stream.")
        pieces = self._readers.media_from(given, stream, live)
        live.readers += 1
        try:
            await exchange.begin(200, [("content-type", MEDIA_TYPE)])
            async for piece in pieces:
                await exchange.write(piece)
            await exchange.end()
        finally:
            live.readers -= 1

    async def _clip(self, exchange: Exchange, given: Fields, stream: StreamRow) -> None:
        await exchange.answer(200, await self._playing.clip(given, stream), [("content-type", CLIP_TYPE)])

    async def _get_images(self, exchange: Exchange, given: Fields, stream: StreamRow) -> None:
        await exchange.answer_json(200, await self._images.images(given, stream))

    async def _open_hls(self, exchange: Exchange, given: Fields, stream: StreamRow) -> None:
        opened = self._playing.open_hls(given, stream, endpoint=self._data_endpoint())
        await exchange.answer_json(200, opened)

    def _meter(self) -> Meter | None:
        quotas = self._manners.quotas
        return None if quotas is None else Meter(quotas, self._clock)

    def _store(self, stream: str, offer: Offer, terms: Terms) -> None:
        if terms.stores:
            self._archive.add(stream, offer.row, offer.media)
        self._live(stream).put(offer.row, offer.media)

    def _live(self, stream: str) -> Live:
        return self._lives.setdefault(stream, Live())

    def _stream_deleted(self, stream: str) -> None:
        line = self._lines.pop(stream, None)
        if line is not None:
            line.deleted.set()
        self._lives.pop(stream, Live()).wake()

    def _number(self, server_ms: int) -> str:
        """A number that is larger than any before."""
        composed = int(f"{_NUMBER_PREFIX}{server_ms:013d}{0:08d}")
        self._last_number = max(self._last_number + 1, composed)
        return str(self._last_number)

    def _data_endpoint(self) -> str:
        return self.addresses[-1]
