"""A connection that is written to and read from at the same time, on asyncio; plain or TLS.

Why not asyncio's own streams: when a write fails there, what has arrived and was not read yet is thrown away,
and a service that ends a request says why just before it closes the connection. Here reading goes on after
writing has failed, until the other end has nothing more to say.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from typing import Any, Final, Self

from appliance.errors import StreamError
from appliance.video.kvs.refusals import certificate_fault, unreachable

_READ_BYTES: Final = 65_536
_UNSENT_BYTES: Final = 131_072
"""What the kernel may hold that is not on its way yet: little, so that on a slow line, too, whoever waits for
an answer knows since when. What is on its way is the kernel's to choose, so that a fast line is filled."""
_TCP_NOTSENT_LOWAT: Final = 25
"""Linux' number for that (`<linux/tcp.h>`); Python 3.11 has no name for it."""
_ADDRESSES: Final = 4
"""Of a host's addresses, those that are tried."""
_EACH_S: Final = 4.0
"""For one of them: a network without IPv6 may swallow what is sent to such an address."""


class Duplex:
    """One connection; made by `connect`.

    Args:
        connection: A connected socket that does not block.
        tls: The encrypted session over it, before its handshake; None: nothing is encrypted.
    """

    def __init__(self, connection: socket.socket, tls: "_Tls | None" = None) -> None:
        self._socket = connection
        self._tls = tls
        self._writing = asyncio.Lock()

    @classmethod
    async def connect(cls, host: str, port: int, context: ssl.SSLContext | None, timeout_s: float) -> Self:
        """Connect, and shake hands.

        Args:
            host: Name or address.
            port: Its port.
            context: Whom to trust; None: nothing is encrypted.
            timeout_s: Seconds that all of it may take.

        Raises:
            StreamError: Nobody is there, or its certificate is not trusted.
        """
        try:
            async with asyncio.timeout(timeout_s):
                connection = await _connected(host, port)
                made = cls(connection, None if context is None else _Tls(context, host))
                try:
                    await made._shake_hands()
                except BaseException:
                    connection.close()
                    raise
                return made
        except ssl.SSLCertVerificationError as error:
            raise certificate_fault() from error
        except (OSError, TimeoutError) as error:
            raise unreachable() from error

    async def write(self, data: bytes) -> None:
        """Write all of it.

        Raises:
            OSError: It cannot be written. What the other end said may still be read.
        """
        async with self._writing:
            if self._tls is None:
                await asyncio.get_running_loop().sock_sendall(self._socket, data)
                return
            self._tls.session.write(data)
            await self._flush()

    async def read(self) -> bytes:
        """What comes next; nothing: the other end has no more to say.

        Raises:
            OSError: The connection was cut.
        """
        loop = asyncio.get_running_loop()
        if self._tls is None:
            return await loop.sock_recv(self._socket, _READ_BYTES)
        while True:
            try:
                return self._tls.session.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                arrived = await loop.sock_recv(self._socket, _READ_BYTES)
            except ssl.SSLZeroReturnError:
                return b""
            if arrived:
                self._tls.arriving.write(arrived)
            else:
                self._tls.arriving.write_eof()
                return b""

    def cut(self) -> None:
        """Let nothing more come or go; whoever reads or writes finds its end. May be called twice."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; nobody reads or writes any more. May be called twice."""
        self.cut()
        self._socket.close()

    async def _shake_hands(self) -> None:
        if self._tls is None:
            return
        while True:
            try:
                self._tls.session.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
            else:
                await self._flush()
                return
            arrived = await asyncio.get_running_loop().sock_recv(self._socket, _READ_BYTES)
            if not arrived:
                raise ConnectionResetError("the other end went away while shaking hands")
            self._tls.arriving.write(arrived)

    async def _flush(self) -> None:
        """Send what the encrypted session has to send."""
        if self._tls is not None and (leaving := self._tls.leaving.read()):
            await asyncio.get_running_loop().sock_sendall(self._socket, leaving)


class _Tls:
    """An encrypted session between two heaps of bytes."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self.arriving, self.leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.arriving, self.leaving, server_hostname=host)


async def _connected(host: str, port: int) -> socket.socket:
    """A socket connected to the first of a host's addresses that answers."""
    loop = asyncio.get_running_loop()
    failed: OSError = ConnectionRefusedError("no address")
    for family, address in await _addresses(host, port):
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        try:
            async with asyncio.timeout(_EACH_S):
                await loop.sock_connect(connection, address)
        except OSError as error:
            connection.close()
            failed = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failed


async def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, Any]]:
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(each[0], each[4]) for each in found[:_ADDRESSES]]
    return [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, (host, port))]  # noqa: PLR2004 - IPv4


def trusting(ca_file: str) -> ssl.SSLContext:
    """Whom to trust: the certificates in a file; names are checked, TLS 1.2 and later.

    Args:
        ca_file: Certificates, PEM.

    Raises:
        StreamError: The file cannot be read, or holds none.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise StreamError(
            "the file of trusted certificates cannot be read, or holds none",
            reason="certificate",
            hint="look at video.kvs.ca_file, or at AWS_CA_BUNDLE in the environment",
        ) from error
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context
