"""A service that says what a test tells it to, byte by byte: what no well-behaved server does."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

from appliance.clock import SystemClock
from appliance.video.kvs.acks import Ack
from appliance.video.kvs.credentials import Credentials
from appliance.video.kvs.put_media import Ears, PutMedia
from appliance.video.kvs.signing import SignedHead, signed_head

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A part of an answer's body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


class Line:
    """The service's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.head = b""
        self.taken = 0

    async def take_head(self) -> None:
        """Read the head of a request."""
        self.head = await self._reader.readuntil(b"\r\n\r\n")

    async def take(self, count: int) -> None:
        """Read so many bytes of the body."""
        while self.taken < count and (data := await self._reader.read(65_536)):
            self.taken += len(data)

    async def say(self, data: bytes) -> None:
        """Write."""
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        """End it at once, so that whoever writes is told of a reset."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Script = Callable[[Line], Awaitable[None]]


@contextlib.asynccontextmanager
async def scripted(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Its endpoint; what the script leaves open is closed when it ends."""
    served: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            line = Line(reader, writer)
            await line.take_head()
            await script(line)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        finally:
            under_way = [task for task in served if task is not None]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)


def head_for(endpoint: str) -> SignedHead:
    """The head of a request to it."""
    return signed_head(endpoint, "hall", 1000, Credentials("AKID", "secret"), "eu-west-1")


class Heard:
    """What came of a request."""

    def __init__(self) -> None:
        self.acks: list[Ack] = []
        self.moved = asyncio.Event()

    async def open(
        self,
        endpoint: str,
        *,
        trust: Callable[[], ssl.SSLContext] | None = None,
        silent_s: float = 12.0,
        patience: float = 1.0,
    ) -> PutMedia:
        """A request to the service."""
        ears = Ears(self.acks.append, lambda: True, self.moved, patience)
        return await PutMedia.open(
            head_for(endpoint),
            ears,
            SystemClock(),
            trust=trust or ssl.create_default_context,
            silent_s=silent_s,
        )

    async def until(self, count: int) -> None:
        """Wait until so many answers came."""
        async with asyncio.timeout(20):
            while len(self.acks) < count:
                self.moved.clear()
                await self.moved.wait()
