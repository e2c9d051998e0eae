"""Answers that do not end: so many at once, for as long as whoever looks may look, and no longer than we run.

What flows in them is for their makers (`live`, `events_stream`).
"""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Final

from flask import Response
from werkzeug.exceptions import ServiceUnavailable

from appliance.errors import ApplianceError
from appliance.permissions import Permission
from web.access import check_with, credential, who
from web.surroundings import Surroundings, surroundings

_CHECKED_S: Final = 20.0
"""How often it is asked again whether the viewer may look."""


def stream(
    chunks: Generator[bytes],
    mimetype: str,
    needed: Permission,
    *,
    seconds: Callable[[], float] = time.monotonic,
) -> Response:
    """An answer that goes on until its maker, its reader, or the right to read it is gone.

    Args:
        chunks: What to send; closed at the end, whatever ends it. It must yield something, `b""` at least,
            every few seconds: only then is it seen that it should end.
        mimetype: Of the whole.
        needed: What the viewer must be allowed to do, asked again every 20 s.
        seconds: A monotonic clock.

    Raises:
        ServiceUnavailable: Too many look already, or this caller has too many of these.
    """
    around, caller = surroundings(), who()
    name, screen = ("", False) if caller is None else (caller.id, caller.kind == "screen")
    if not around.seats.take(name, screen=screen):
        chunks.close()
        raise ServiceUnavailable
    guarded = _Guarded(chunks, credential(), needed, around, seconds=seconds, caller=name)
    response = Response(guarded, mimetype=mimetype, direct_passthrough=True)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Guarded:
    """The chunks of a stream, for as long as they may flow. A seat is given back when it is closed."""

    def __init__(
        self,
        chunks: Generator[bytes],
        secret: str,
        needed: Permission,
        around: Surroundings,
        *,
        seconds: Callable[[], float],
        caller: str,
    ) -> None:
        self._chunks = chunks
        self._secret = secret
        self._needed = needed
        self._around = around
        self._seconds = seconds
        self._caller = caller
        self._due = seconds() + _CHECKED_S
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._around.stopping.is_set() or not self._may_go_on():
            raise StopIteration
        return next(self._chunks)

    def _may_go_on(self) -> bool:
        if self._seconds() < self._due:
            return True
        self._due = self._seconds() + _CHECKED_S
        try:
            known = check_with(self._around.desk, self._secret)
        except ApplianceError:  # the desk is restarting; a session does not end by that
            return True
        return known is not None and known.may(self._needed)

    def close(self) -> None:
        """Called by the server at the end, whatever the end was."""
        if self._open:
            self._open = False
            self._around.seats.give_back(self._caller)
            self._chunks.close()
