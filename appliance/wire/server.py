"""Answering messages at a Unix socket: one thread per connection, a handler per message class.

What a handler raises of ours goes back to the caller; anything else is logged without its
text and answered as a WireError, and the server goes on. It decides nothing: handlers come
from whoever starts it.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import structlog

from appliance.errors import ApplianceError, PeerGoneError, PeerRefusedError, WireError
from appliance.wire.address import Peer, listen, peer_of, unlink
from appliance.wire.failures import to_failure
from appliance.wire.framing import MAX_BLOB, Deadline, Parcel, close_fds, receive, send
from appliance.wire.messages import Message, Ping, Pong, kind

M_co = TypeVar("M_co", bound=Message, covariant=True)

_log = structlog.get_logger()

_POLL_S = 0.25
"""How soon a server notices that it shall stop."""
_REFUSAL_S = 1.0
"""How long a peer that is turned away may take to read why."""


@dataclass(frozen=True, slots=True)
class Request(Generic[M_co]):
    """What a handler gets.

    Attributes:
        fds: Descriptors that came along; closed when the handler returns, so `os.dup` what stays.
        peer: Who asks.
    """

    message: M_co
    blob: bytes
    fds: tuple[int, ...]
    peer: Peer


@dataclass(frozen=True, slots=True)
class Reply(Generic[M_co]):
    """What a handler returns, and what a caller gets.

    Attributes:
        blob: Raw bytes beside the message.
        fds: Descriptors beside it. In a handler's reply they stay the handler's own, unless
            `close_fds`; in a caller's they are the caller's to close.
        close_fds: The server closes `fds` once they are sent.
    """

    message: M_co
    blob: bytes = b""
    fds: tuple[int, ...] = ()
    close_fds: bool = False


Handler = Callable[[Request[Any]], Reply[Any]]
"""Answers one message; runs in the connection's thread, so it must be safe to run twice at once."""


class Server:
    """Listens at a path and answers.

    Use `with Server(path, handlers):` for a thread of its own, or `serve(stop)` to stay in
    this one. `Ping` is answered without a handler.

    Args:
        path: Of the socket; any length. Its folder is made with mode 0700 if it is missing.
        handlers: What answers which class of message.
        max_connections: Connections served at once; one more is told so and closed.
        max_blob: Bytes of blob that are taken with one message, at most.
        message_s: Seconds in which a message must have come whole once it began, and a reply gone.
        idle_s: Seconds for which a connection may say nothing.
    """

    def __init__(
        self,
        path: Path,
        handlers: Mapping[type[Message], Handler],
        *,
        max_connections: int = 32,
        max_blob: int = MAX_BLOB,
        message_s: float = 10.0,
        idle_s: float = 60.0,
    ) -> None:
        self._path = path
        self._handlers: dict[type[Message], Handler] = {Ping: _pong, **handlers}
        self._max_connections = max_connections
        self._max_blob = max_blob
        self._message_s = message_s
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Listen, and answer in a thread.

        Raises:
            WireError: Somebody listens there already, or the folder is not private.
        """
        sock = listen(self._path)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._accept, args=(sock, self._stop), name=f"wire-{self._path.name}", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, cut the connections, remove the socket's file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def serve(self, stop: threading.Event) -> None:
        """Listen and answer until `stop` is set.

        Raises:
            WireError: Somebody listens there already, or the folder is not private.
        """
        self._accept(listen(self._path), stop)

    def _accept(self, listening: socket.socket, stop: threading.Event) -> None:
        listening.settimeout(_POLL_S)
        try:
            while not stop.is_set():
                try:
                    sock, _ = listening.accept()
                except TimeoutError:
                    continue
                except OSError as error:  # out of descriptors, or the caller left before we came
                    _log.warning("wire_accept_failed", socket=self._path.name, reason=error.strerror)
                    stop.wait(_POLL_S)
                    continue
                self._take(sock)
        finally:
            unlink(self._path, listening)
            self._cut()

    def _take(self, sock: socket.socket) -> None:
        with self._lock:
            if len(self._connections) < self._max_connections:
                thread = threading.Thread(
                    target=self._converse, args=(sock,), name=f"wire-{self._path.name}-peer", daemon=True
                )
                with contextlib.suppress(RuntimeError):  # the system gives no more threads
                    thread.start()
                    self._connections[sock] = thread
                    return
        with sock:
            _log.warning("wire_too_many_connections", socket=self._path.name, limit=self._max_connections)
            self._refuse(sock, WireError(f"too many connections at {self._path.name}; try again"))

    def _cut(self) -> None:
        with self._lock:
            open_now = list(self._connections.items())
        for sock, _ in open_now:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        patience = Deadline(2.0)
        for _, thread in open_now:
            thread.join(patience.left())

    def _converse(self, sock: socket.socket) -> None:
        try:
            with sock:
                peer = self._check(sock)
                while self._exchange(sock, peer):
                    pass
        except PeerGoneError:
            _log.debug("wire_peer_gone", socket=self._path.name)
        except WireError as error:
            _log.warning("wire_peer_refused", socket=self._path.name, reason=error.message)
        finally:
            with self._lock:
                del self._connections[sock]

    def _check(self, sock: socket.socket) -> Peer:
        try:
            return peer_of(sock)
        except PeerRefusedError as error:
            self._refuse(sock, error)
            raise

    def _exchange(self, sock: socket.socket, peer: Peer) -> bool:
        """One question and its answer; False when the peer has no more."""
        try:
            asked = self._receive(sock)
        except PeerGoneError:
            raise
        except WireError as error:
            # After garbage nobody knows where the next message begins.
            self._refuse(sock, error)
            raise
        if asked is None:
            return False
        try:
            reply = self._answer(Request(asked.message, asked.blob, asked.fds, peer))
        finally:
            close_fds(asked.fds)
        try:
            self._reply(sock, reply)
        finally:
            if reply.close_fds:
                close_fds(reply.fds)
        return True

    def _receive(self, sock: socket.socket) -> Parcel | None:
        # The first byte may take its time; from there on the whole message has its own.
        Deadline(self._idle_s).arm(sock)
        try:
            if not sock.recv(1, socket.MSG_PEEK):
                return None
        except OSError as error:
            raise PeerGoneError("the other end said nothing") from error
        return receive(sock, Deadline(self._message_s), max_blob=self._max_blob)

    def _reply(self, sock: socket.socket, reply: Reply[Any]) -> None:
        try:
            send(sock, Parcel(reply.message, reply.blob, reply.fds), Deadline(self._message_s))
        except PeerGoneError:
            raise
        except WireError as error:  # too large to be sent: nothing of it was
            _log.warning("wire_reply_refused", socket=self._path.name, reason=error.message)
            self._refuse(sock, error)

    def _answer(self, request: Request[Any]) -> Reply[Any]:
        name = kind(type(request.message))
        handler = self._handlers.get(type(request.message))
        if handler is None:
            return Reply(to_failure(WireError(f"nothing at {self._path.name} answers {name!r}")))
        try:
            return handler(request)
        except ApplianceError as error:
            return Reply(to_failure(error))
        except Exception as error:  # noqa: BLE001 - a fault in one handler must not take the process down
            # Its text may hold what a message held, which may be personal: class and place are enough.
            _log.error("wire_handler_failed", socket=self._path.name, message=name, **_where(error))
            return Reply(
                to_failure(WireError(f"{name!r} failed at {self._path.name}: {type(error).__name__}"))
            )

    def _refuse(self, sock: socket.socket, error: WireError) -> None:
        with contextlib.suppress(WireError):
            send(sock, Parcel(to_failure(error)), Deadline(_REFUSAL_S))


def _pong(_: Request[Ping]) -> Reply[Pong]:
    return Reply(Pong(pid=os.getpid()))


def _where(error: Exception) -> dict[str, Any]:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = "" if last is None else f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}"
    return {"error": type(error).__name__, "place": place}
