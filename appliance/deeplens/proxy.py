"""The way out of a function's view to the hosts it was granted: an HTTP proxy on a Unix socket.

`CONNECT` is tunnelled; a request of plain `http://` is handed on, one a connection. Nothing else is answered,
and nothing of what goes through is looked at: who owns a granted host sees what the function sends, and a
server that answers for several names is trusted for all of them. Which hosts are granted is `grants`'s.
"""

import contextlib
import re
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.deeplens.grants import Grants, Host, Resolve, read_host
from appliance.errors import FunctionError, NotGrantedError

MOST_CONNECTIONS: Final = 32
_MOST_HEAD: Final = 16 << 10
_HEAD_S: Final = 10.0
_CONNECT_S: Final = 10.0
_IDLE_S: Final = 300.0
_BLOCK: Final = 64 << 10
_ACCEPT_S: Final = 0.5
_LINE: Final = re.compile(rb"([A-Z]{3,10}) (\S{1,8000}) HTTP/1\.[01]")
_PLAIN: Final = re.compile(rb"http://([^/?#@\s]{1,300})([/?]\S*)?", re.IGNORECASE)
_OWN_HEADS: Final = (b"connection:", b"proxy-connection:", b"proxy-authorization:", b"keep-alive:")


class GrantProxy:
    """A proxy for one function.

    Args:
        path: Of the socket, which is not there yet; its folder is, and nobody else's.
        grants: What the function was granted.
        told: Takes a line for the function's log: what it asked for and did not get.
        resolve: Looks names up.
    """

    def __init__(
        self,
        path: Path,
        grants: Grants,
        *,
        told: Callable[[str], None],
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._path = path
        self._grants = grants
        self._told = told
        self._resolve = resolve
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._over = threading.Event()
        self._listening: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def path(self) -> Path:
        """The socket, to be shown in the function's view."""
        return self._path

    def open(self) -> None:
        """Begin to listen.

        Raises:
            FunctionError: The socket cannot be made; something lies there already, for one.
        """
        listening = socket.socket(socket.AF_UNIX)
        try:
            listening.bind(str(self._path))
            self._path.chmod(0o666)  # another account connects, through its view alone
            listening.listen(MOST_CONNECTIONS)
            listening.settimeout(_ACCEPT_S)
        except OSError as error:
            listening.close()
            raise FunctionError(
                f"the way to the granted hosts cannot be opened: {error.strerror or error}",
                hint="look at the folder of the state, and at the length of its path",
            ) from error
        self._listening = listening
        self._thread = threading.Thread(
            target=self._accept, args=(listening,), name="function-proxy", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no longer; what goes through ends soon; may be called twice."""
        self._over.set()
        if self._listening is not None and self._thread is not None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as waking:
                waking.connect(str(self._path))
            self._thread.join()
            self._listening.close()
            self._path.unlink(missing_ok=True)
            self._listening = None

    # ------------------------------------------------------------------ in threads

    def _accept(self, listening: socket.socket) -> None:
        while not self._over.is_set():
            try:
                asking, _ = listening.accept()
            except TimeoutError:
                continue
            except OSError:  # no descriptor left just now
                self._over.wait(_ACCEPT_S)
                continue
            if not self._room.acquire(blocking=False):
                asking.close()
                continue
            threading.Thread(target=self._serve, args=(asking,), name="function-way-out", daemon=True).start()

    def _serve(self, asking: socket.socket) -> None:
        try:
            with asking:
                asking.settimeout(_HEAD_S)
                with contextlib.suppress(OSError):
                    self._answer(asking)
        finally:
            self._room.release()

    def _answer(self, asking: socket.socket) -> None:
        head, rest = _head(asking)
        try:
            host, onward = _asked(head)
        except FunctionError as error:
            _refuse(asking, "400 Bad Request", error.message)
            return
        try:
            server = self._connect(host)
        except NotGrantedError as error:
            self._told(f"[refused: {error.message}]")
            _refuse(asking, "403 Forbidden", error.message)
            return
        except FunctionError as error:
            self._told(f"[{error.message}]")
            _refuse(asking, "502 Bad Gateway", error.message)
            return
        with server:
            if onward is None:
                asking.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server.sendall((onward or b"") + rest)
            self._pass(asking, server)

    def _connect(self, host: Host) -> socket.socket:
        """Connect to a granted host, by an address that was judged.

        Raises:
            NotGrantedError: It is not granted.
            FunctionError: It cannot be reached.
        """
        for address in self._grants.addresses(host, self._resolve):
            with contextlib.suppress(OSError):
                return socket.create_connection((address, host.port), timeout=_CONNECT_S)
        raise FunctionError(f"{host} cannot be reached")

    def _pass(self, asking: socket.socket, server: socket.socket) -> None:
        """Pass on what either says until both have ended, or nobody says anything for long."""
        ways = {asking: server, server: asking}
        for each in ways:
            each.settimeout(_IDLE_S)
        idle_s = 0.0
        while ways and not self._over.is_set() and idle_s < _IDLE_S:
            ready, _, _ = select.select(list(ways), [], [], _ACCEPT_S)
            idle_s = 0.0 if ready else idle_s + _ACCEPT_S
            for each in ready:
                got = each.recv(_BLOCK)
                if got:
                    ways[each].sendall(got)
                    continue
                with contextlib.suppress(OSError):
                    ways[each].shutdown(socket.SHUT_WR)
                del ways[each]


def _head(asking: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request, and what came after it.

    Raises:
        OSError: It does not come, or has no end.
    """
    got = b""
    while b"\r\n\r\n" not in got:
        more = asking.recv(_BLOCK)
        got += more
        if not more or len(got) > _MOST_HEAD + _BLOCK:
            raise OSError("no head of a request")
    head, _, rest = got.partition(b"\r\n\r\n")
    return head, rest


def _asked(head: bytes) -> tuple[Host, bytes | None]:
    """What a request asks for, and the head to hand on; None: a tunnel.

    Raises:
        FunctionError: It is no request that a proxy takes.
    """
    line, _, heads = head.partition(b"\r\n")
    found = _LINE.fullmatch(line)
    if found is None:
        raise FunctionError("that is no request")
    method, target = found[1], found[2]
    if method == b"CONNECT":
        return read_host(target.decode("ascii", "replace")), None
    plain = _PLAIN.fullmatch(target)
    if plain is None:
        raise FunctionError("a proxy takes CONNECT, or an address that begins with http://")
    path = plain[2] or b"/"
    kept = [each for each in heads.split(b"\r\n") if not each.lower().startswith(_OWN_HEADS)]
    onward = b"\r\n".join(
        [
            method + b" " + (path if path.startswith(b"/") else b"/" + path) + b" HTTP/1.1",
            *kept,
            # One request a connection: the next may be for another host.
            b"Connection: close",
        ]
    )
    return read_host(plain[1].decode("ascii", "replace"), port=80), onward + b"\r\n\r\n"


def _refuse(asking: socket.socket, status: str, words: str) -> None:
    body = f"{words}\n".encode("utf-8", "replace")
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    asking.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
