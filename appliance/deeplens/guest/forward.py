"""Inside a view: takes connections on loopback and leads each to the socket of the proxy outside.

    python -I -S forward.py DESCRIPTOR PATH

DESCRIPTOR is a listening socket that the launcher made; PATH the proxy's. Standard library only, and no
module beside it. Looks at nothing that goes through.
"""

import asyncio
import contextlib
import socket
import sys

_BLOCK = 64 << 10
_AT_ONCE = 32


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Hand on what one side says until it has said all."""
    with contextlib.suppress(OSError):
        while got := await source.read(_BLOCK):
            target.write(got)
            await target.drain()
        target.write_eof()


async def _lead(
    source: asyncio.StreamReader, answer: asyncio.StreamWriter, path: str, room: asyncio.Semaphore
) -> None:
    """Lead one connection to the proxy."""
    async with room:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                await asyncio.gather(_pass(source, writer), _pass(reader, answer))
            finally:
                writer.close()
    answer.close()


async def serve(descriptor: int, path: str) -> None:
    """Serve until the process is ended.

    Args:
        descriptor: Of a listening socket.
        path: Of the proxy's socket.
    """
    room = asyncio.Semaphore(_AT_ONCE)

    async def lead(source: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        await _lead(source, answer, path, room)

    server = await asyncio.start_server(lead, sock=socket.socket(fileno=descriptor))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
