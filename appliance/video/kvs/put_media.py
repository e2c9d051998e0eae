"""One PutMedia request: video goes out in a body without end while answers come in.

Full duplex on one event loop. The service says why it ends a request just before it does, and the writer
notices the end first; so whatever happens, reading goes on until there is nothing left to read, and only then
is it said how the request ended. Which fragment is sent when, and what is done about an ending, is the
uploader's business.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import h11

from appliance.clock import Clock
from appliance.errors import StreamError
from appliance.video.kvs.acks import Ack, AckParser
from appliance.video.kvs.duplex import Duplex
from appliance.video.kvs.refusals import refused
from appliance.video.kvs.signing import SignedHead

CONNECT_S: Final = 10.0
"""Seconds for connecting and shaking hands; the official producer takes 5 and 10."""
_DRAIN_S: Final = 2.0
"""Seconds for which reading goes on after writing failed, or after an ERROR."""
_STORING: Final = 2.0
"""Storing takes longer than any other answer: so many times as long the service may be silent meanwhile."""
_PIECE_BYTES: Final = 65_536
_KEPT_BYTES: Final = 4096
"""Of a refusal's body, so much is looked at."""
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended.

    Attributes:
        fault: Refused, cut, or silent; None: it ended as it should, or with an error for a fragment.
        error: The error that the service ended it with; None: with none.
        type: The service's own name for a refusal; empty: it gave none.
    """

    fault: StreamError | None = None
    error: Ack | None = None
    type: str = ""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears what the service says.

    Attributes:
        hear: Told each answer, in their order.
        waiting: Whether an answer is owed.
        moved: Set whenever something was heard, and when it is over.
        patience: So many times as long as usual, >= 1, the service may be silent while it stores what it has
            received.
    """

    hear: Callable[[Ack], None]
    waiting: Callable[[], bool]
    moved: asyncio.Event
    patience: float = 1.0


class PutMedia:
    """A request under way; made by `open`, and closed by whoever opened it.

    Attributes:
        accepted: Whether the service has accepted its head.
        over: Set once it has ended.
    """

    def __init__(
        self,
        connection: Duplex,
        ears: Ears,
        clock: Clock,
        *,
        silent_s: float,
    ) -> None:
        self._connection = connection
        self._ears = ears
        self._clock = clock
        self._silent_s = silent_s
        self._http = h11.Connection(h11.CLIENT)
        self._acks = AckParser()
        self._ending: Ending | None = None
        self._error: Ack | None = None
        self._refused: h11.Response | None = None
        self._body = bytearray()
        self._silent = False
        self._storing = False
        self._heard_until: float | None = None
        self._sign_at = asyncio.get_running_loop().time()
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self.accepted = False
        self.over = asyncio.Event()

    @classmethod
    async def open(
        cls,
        head: SignedHead,
        ears: Ears,
        clock: Clock,
        *,
        trust: Callable[[], ssl.SSLContext],
        silent_s: float,
    ) -> Self:
        """Connect and send the head.

        Args:
            head: Where to, and what is said first.
            ears: Who hears what it says.
            clock: Held against the service's, where it does not believe a signature.
            trust: Whose certificates are taken; asked where the connection is encrypted.
            silent_s: Seconds without any sign, while an answer is owed, after which it is cut; twice as long,
                times the ears' patience, while what was received is stored.

        Raises:
            StreamError: Nobody is there.
        """
        context = trust() if head.tls else None
        connection = await Duplex.connect(head.host, head.port, context, CONNECT_S)
        made = cls(connection, ears, clock, silent_s=silent_s)
        try:
            request = h11.Request(method="POST", target=head.target, headers=list(head.headers))
            with contextlib.suppress(OSError):  # what it says before it ends is read below
                await connection.write(made._http.send(request) or b"")
        except BaseException:
            connection.close()
            raise
        made._tasks = (
            asyncio.create_task(made._read()),
            asyncio.create_task(made._watch()),
        )
        return made

    async def send(self, data: bytes) -> bool:
        """Send a part of the body; whether it went out: if not, the request is ending.

        Args:
            data: Bytes of Matroska.
        """
        self._storing = False
        for begin in range(0, len(data), _PIECE_BYTES):
            if not await self._write(h11.Data(data=data[begin : begin + _PIECE_BYTES])):
                return False
        return True

    async def finish(self) -> bool:
        """End the body; answers still come. Whether it went out."""
        return await self._write(h11.EndOfMessage())

    async def ending(self) -> Ending:
        """How it ended; waits some seconds for the service to say so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                await self.over.wait()
        return self._ending or (Ending(error=self._error) if self._error is not None else Ending(_cut()))

    async def close(self) -> None:
        """Close the connection, whatever is under way."""
        self._connection.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._connection.close()

    async def _write(self, event: h11.Event) -> bool:
        if self.over.is_set() or self._error is not None:
            return False
        try:
            await self._connection.write(self._http.send(event) or b"")
        except (OSError, h11.LocalProtocolError):
            return False
        self._sign_at = asyncio.get_running_loop().time()
        return True

    async def _watch(self) -> None:
        """Cut the connection when an answer is owed and nothing moves any more."""
        loop = asyncio.get_running_loop()
        while not self.over.is_set():
            left = self._sign_at + self._bearable_s - loop.time()
            if not self._ears.waiting() and self.accepted:
                # Nothing is owed: the time counts from when something is.
                self._sign_at, left = loop.time(), self._silent_s / 4
            elif left <= 0:
                self._silent = True
                self._connection.cut()
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.over.wait()

    @property
    def _bearable_s(self) -> float:
        """Seconds for which the service may be silent now."""
        return self._silent_s * (_STORING * self._ears.patience if self._storing else 1.0)

    async def _read(self) -> None:
        """Hear all that the service says, then say how it ended."""
        try:
            self._ending = await self._heard()
        except (OSError, h11.RemoteProtocolError):
            self._ending = Ending(_silent() if self._silent else _cut())
        finally:
            self.over.set()
            self._ears.moved.set()

    async def _heard(self) -> Ending:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                arrived = await self._arrived()
                if not arrived and (self._error is not None or self._refused is not None):
                    break  # it said why
                self._http.receive_data(arrived)
            elif not self._take(event):
                break
        if self._refused is not None:
            return self._refusal(self._refused, bytes(self._body))
        if self._error is not None or isinstance(event, h11.EndOfMessage):
            return Ending(error=self._error)
        return Ending(_silent() if self._silent else _cut())

    async def _arrived(self) -> bytes:
        """What comes next; nothing: no more will. An ERROR ends the request, also where the service stays."""
        try:
            async with asyncio.timeout_at(self._heard_until):
                arrived = await self._connection.read()
        except OSError:  # also the time that is up
            return b""
        self._sign_at = asyncio.get_running_loop().time()
        return arrived

    def _take(self, event: object) -> bool:
        """Take what came; whether more may."""
        if isinstance(event, h11.Response):
            self.accepted = event.status_code == _OK
            self._refused = None if self.accepted else event
        elif isinstance(event, h11.Data) and self.accepted:
            for ack in self._acks.feed(bytes(event.data)):
                if ack.event == "ERROR" and self._error is None:
                    self._error = ack
                    self._heard_until = asyncio.get_running_loop().time() + _DRAIN_S
                self._storing = self._storing or ack.event == "RECEIVED"
                self._ears.hear(ack)
                self._ears.moved.set()
        elif isinstance(event, h11.Data):
            self._body += event.data[: _KEPT_BYTES - len(self._body)]
        return isinstance(event, h11.Response | h11.Data | h11.InformationalResponse)

    def _refusal(self, response: h11.Response, body: bytes) -> Ending:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
        raw = None
        with contextlib.suppress(ValueError):
            raw = json.loads(body)
        said = raw if isinstance(raw, dict) else {}
        # The documentation prints the first of these, botocore reads the second.
        code = (
            headers.get("x-amz-errortype") or headers.get("x-amzn-errortype") or str(said.get("__type") or "")
        )
        code = code.partition(":")[0]
        fault = refused(
            code=code,
            status=response.status_code,
            action="PutMedia",
            said=str(said.get("message") or said.get("Message") or ""),
            date=headers.get("date"),
            clock=self._clock,
        )
        return Ending(fault, type=code)


def _cut() -> StreamError:
    return StreamError(
        "the connection was cut",
        reason="cut",
        hint="look at the network; what was not stored is sent again by itself",
    )


def _silent() -> StreamError:
    return StreamError(
        "the service said nothing for too long",
        reason="silent",
        hint="look at the network; what was not stored is sent again by itself",
    )
