"""What the running appliance finds before its cameras, a line each, as the demo prints it.

Asks the process that searches, as the pages do. Says nothing where that is not there yet, or no more.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from appliance.errors import ApplianceError
from appliance.wire import Client
from appliance.wire.messages import AskNewest, FoundTold, NewestTold

_WAIT_S: Final = 1.0
"""So long an answer is waited for, and so long it takes at most to end."""
_AGAIN_S: Final = 0.5


def told(found: FoundTold) -> str:
    """One line about one look-up."""
    when, where = f"{found.at.astimezone():%H:%M:%S}", f"by camera {found.name}"
    if found.known:
        return f"{when}  found {found.matches[0].title} {where} ({found.matches[0].score:.2f})"
    near = f" (nearest: {found.near.title}, {found.near.score:.2f})" if found.near is not None else ""
    return f"{when}  nothing like it in the catalogue {where}{near}"


@contextlib.contextmanager
def found_told(socket: Path) -> Iterator[None]:
    """Print what is found, as long as the context lasts.

    Args:
        socket: Of the process that searches; it need not be there yet.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_follow, args=(socket, stop), name="found-told", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _follow(socket: Path, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        try:
            asked = AskNewest(limit=50, after=number, wait_s=_WAIT_S)
            newest = Client(socket).call(asked, NewestTold, timeout_s=_WAIT_S + 10).message
        except (ApplianceError, OSError):
            # Not there yet, restarted, or ending with the appliance; a new one counts from the beginning.
            number = 0
            stop.wait(_AGAIN_S)
            continue
        new = {each.number: each for each in (*newest.found, *newest.last.values())}
        for _, each in sorted(new.items()):
            if each.number > number and each.source == "camera":
                click.echo(told(each))
        number = max(number, newest.number)
