"""One connection: requests come in, answers go out, both at once if need be.

h11 keeps HTTP/1.1's rules; this module moves the bytes. A body can be read while its answer is being
written, `100 Continue` is said when a body is first asked for, and a connection that is closed early
lingers until what was said has been read, unless it is reset on purpose.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import h11

from appliance.video.kvs_server.requests import RefusedError, Request

READ_BYTES: Final = 65_536
_WRITE_S: Final = 30.0
"""Whoever takes nothing for so long is gone."""
_LINGER_S: Final = 2.0
_MAX_HEAD: Final = 32_768
Headers = Sequence[tuple[str, str]]


class GoneError(Exception):
    """The other end closed the connection, or speaks no HTTP. Never leaves this package."""


class Exchange:
    """A connection of HTTP/1.1.

    Args:
        reader: What comes.
        writer: What goes.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        self._request_id = ""
        self._last = False

    async def next_request(self, *, patience_s: float) -> Request | None:
        """The next request's head; None: there is none any more, or what comes is no HTTP.

        Args:
            patience_s: How long to wait for it.
        """
        if self._last:
            return None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        elif self._http.our_state is not h11.IDLE:
            return None
        try:
            async with asyncio.timeout(patience_s):
                event = await self._event(READ_BYTES)
        except (TimeoutError, GoneError):
            return None
        if not isinstance(event, h11.Request):
            return None
        self._request_id = secrets.token_hex(16)
        return Request(
            event.method.decode("ascii"),
            event.target.decode("ascii"),
            tuple((name.decode("ascii"), value.decode(errors="replace")) for name, value in event.headers),
        )

    async def read(self, most: int = READ_BYTES) -> bytes | None:
        """The next piece of the body; None: it has ended.

        Args:
            most: Bytes taken from the connection at once, with what frames them.

        Raises:
            GoneError: The connection ended before it did.
        """
        event = await self._event(most)
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            return None
        raise GoneError

    async def body(self, *, most: int) -> bytes:
        """The whole body.

        Raises:
            RefusedError: It is larger than `most` bytes.
            GoneError: The connection ended before it did.
        """
        found = bytearray()
        while (piece := await self.read()) is not None:
            found += piece
            if len(found) > most:
                raise RefusedError("InvalidArgumentException", "The body is too large.", status=413)
        return bytes(found)

    async def ask_for_body(self) -> None:
        """Say `100 Continue`, if the other end waits for it."""
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))

    async def begin(self, status: int, headers: Headers = ()) -> None:
        """Begin an answer whose length is not known."""
        await self._send(h11.Response(status_code=status, headers=self._heads(headers)))

    async def write(self, data: bytes) -> None:
        """A piece of the answer, in a write of its own.

        Raises:
            GoneError: The other end takes nothing more.
        """
        await self._send(h11.Data(data=data))

    async def end(self, *, last: bool = False) -> None:
        """The answer is complete.

        Args:
            last: No other request is taken: the connection is to be closed, also where its body had ended.
        """
        self._last = self._last or last
        await self._send(h11.EndOfMessage())

    async def answer(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """A whole answer."""
        told = [*headers, ("content-length", str(len(body)))]
        await self._send(h11.Response(status_code=status, headers=self._heads(told)))
        await self.write(body)
        await self.end()

    async def answer_json(self, status: int, told: Mapping[str, Any], headers: Headers = ()) -> None:
        """A whole answer, of JSON."""
        body = json.dumps(told).encode()
        await self.answer(status, body, [("content-type", "application/json"), *headers])

    async def refuse(self, error: RefusedError, *, type_header: str = "x-amzn-ErrorType") -> None:
        """An error; whatever else of the body comes is not read as a request."""
        await self.answer_json(error.status, error.body, [(type_header, error.code), *self._closing()])

    def _closing(self) -> list[tuple[str, str]]:
        """What is said where a body has not been read to its end."""
        return [] if self._http.their_state is h11.DONE else [("connection", "close")]

    async def close(self, *, patience_s: float = _LINGER_S) -> None:
        """Close, after the other end has read what was said, or a little later."""
        with contextlib.suppress(OSError, GoneError, TimeoutError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(patience_s):
                while await self._reader.read(READ_BYTES):
                    pass
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._writer.wait_closed()

    def reset(self) -> None:
        """End the connection at once, whatever was not sent yet."""
        self._writer.transport.abort()

    def _heads(self, headers: Headers) -> list[tuple[str, str]]:
        return [("x-amzn-RequestId", self._request_id), *headers]

    async def _event(self, most: int) -> Any:
        """The next thing that h11 makes of what comes.

        Raises:
            GoneError: Nothing comes any more, or no HTTP.
        """
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                await self.ask_for_body()
                self._http.receive_data(await self._reader.read(most))
        except (h11.RemoteProtocolError, OSError) as error:
            raise GoneError from error
        return event

    async def _send(self, event: h11.Event) -> None:
        try:
            data = self._http.send(event)
            if data:
                self._writer.write(data)
                async with asyncio.timeout(_WRITE_S):
                    await self._writer.drain()
        except (h11.LocalProtocolError, OSError, TimeoutError) as error:
            raise GoneError from error
