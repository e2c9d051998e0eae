"""What happens, to browsers: server-sent events that begin again where they broke off.

Each event of the log is a message with its JSON; `beat` comes every ten seconds, so that a page knows a
quiet line from a dead one. `js/events.js` is the other end.
"""

import contextlib
import json
from collections.abc import Callable, Generator, Iterable
from typing import Any, Final

from flask import Blueprint, Response, request

from appliance.permissions import Permission
from web.access import credential, permission
from web.feed import Batch
from web.streams import stream
from web.surroundings import surroundings

blueprint = Blueprint("events_stream", __name__)

BEAT_S: Final = 10.0
_AGAIN_MS: Final = 2000
"""How soon a browser tries again after the line broke."""
_LONGEST_ID: Final = 18

Told = Callable[[dict[str, Any]], Iterable[tuple[str, Any]]]
"""From an event of the channel to what is told of it: names of messages (empty: `message`) and their JSON."""


@blueprint.get("/events")
@permission(Permission.LOG)
def events() -> Response:
    """Every event of the log from now on, or from the last one the browser has."""
    return event_stream("feed.wait", Permission.LOG)


def event_stream(operation: str, needed: Permission, told: Told = lambda event: (("", event),)) -> Response:
    """A stream of what a channel says, for whoever sent this request.

    Args:
        operation: Of the channel; it waits, and answers `{position, events}`.
        needed: What the viewer must be allowed to do.
        told: What is told of an event; nothing for those that are none of the reader's business.

    Raises:
        AccessError: They may not listen.
        PeerGoneError: The desk is away.
    """
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isdecimal() and len(last) <= _LONGEST_ID else None
    heard = surroundings().feed.listen(credential(), operation=operation, after=after, every_s=BEAT_S)
    return stream(_messages(heard, told), "text/event-stream", needed)


def _messages(heard: Generator[Batch | None], told: Told) -> Generator[bytes]:
    """The lines of the stream; closing it closes what is heard."""
    yield f"retry: {_AGAIN_MS}\nevent: beat\ndata:\n\n".encode()
    with contextlib.closing(heard):
        for batch in heard:
            if batch is None:
                yield b"event: beat\ndata:\n\n"
                continue
            position, new = batch
            lines = [message(*each) for event in new for each in told(event)]
            # The number comes last: a line that breaks in the middle is told again from its beginning.
            yield "".join((*lines, f"id: {position}\nevent: beat\ndata:\n\n")).encode()


def message(name: str, value: Any) -> str:
    """One message: its name, if it has one, and JSON in one line."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value, separators=(',', ':'))}\n\n"
