"""Asking a process of ours: one connection per call, so calls from many threads never wait for each other.

A call that fails raises what the other side raised, as the same class. It never tries
again by itself: whether that is right, the caller knows.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from appliance.errors import PeerGoneError, WireError
from appliance.wire.address import connect
from appliance.wire.failures import to_error
from appliance.wire.framing import Deadline, Parcel, close_fds, receive, send
from appliance.wire.messages import Failure, Message, kind
from appliance.wire.server import Reply

M = TypeVar("M", bound=Message)


class Client:
    """The process behind a socket.

    Args:
        path: Of the socket; any length.
        timeout_s: Seconds for a whole call, unless the call says otherwise.
    """

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    @overload
    def call(
        self, message: Message, *, blob: bytes = ..., fds: Sequence[int] = ..., timeout_s: float | None = ...
    ) -> Reply[Message]: ...

    @overload
    def call(
        self,
        message: Message,
        expect: type[M],
        *,
        blob: bytes = ...,
        fds: Sequence[int] = ...,
        timeout_s: float | None = ...,
    ) -> Reply[M]: ...

    def call(
        self,
        message: Message,
        expect: type[Message] = Message,
        *,
        blob: bytes = b"",
        fds: Sequence[int] = (),
        timeout_s: float | None = None,
    ) -> Reply[Any]:
        """Ask, and wait for the answer.

        Args:
            message: The question.
            expect: The class that the answer must have.
            blob: Raw bytes beside it, e.g. a picture file.
            fds: Descriptors beside it; they stay the caller's.
            timeout_s: Seconds for all of it: connecting, asking, the work, the answer.

        Returns:
            The answer. Its descriptors are the caller's to close.

        Raises:
            PeerGoneError: Nobody listens, the other end stopped half-way, or time ran out.
            PeerRefusedError: Another account, or another version.
            WireError: The answer is malformed or of another class than expected.
            ApplianceError: Whatever the other side raised, as the same class.
        """
        deadline = Deadline(self._timeout_s if timeout_s is None else timeout_s)
        with connect(self._path, deadline) as sock:
            gone: PeerGoneError | None = None
            try:
                send(sock, Parcel(message, blob, tuple(fds)), deadline)
            except PeerGoneError as error:
                # Turned away before it heard us out: the reason may lie in our queue already.
                gone = error
            answer: Parcel | None = None
            with contextlib.suppress(PeerGoneError) if gone else contextlib.nullcontext():
                answer = receive(sock, deadline)
        if answer is None:
            raise gone or PeerGoneError(f"{self._path.name} closed the connection without an answer")
        if isinstance(answer.message, Failure):
            close_fds(answer.fds)
            raise to_error(answer.message)
        if not isinstance(answer.message, expect):
            close_fds(answer.fds)
            raise WireError(
                f"{self._path.name} answered {kind(type(message))!r} with {kind(type(answer.message))!r}, "
                f"not {kind(expect)!r}"
            )
        return Reply(answer.message, answer.blob, answer.fds)
