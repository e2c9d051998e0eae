"""Talking to whoever calibrates: what to do at the door, and how far a long look has come.

Writes to standard error only; looks at no picture.
"""

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from appliance.values import Frame

_CLEAR = "\r\x1b[K"
_PAUSE_S = 0.5
"""Between two lines of progress."""


class Progress:
    """A line at a terminal that says how many seconds have been looked at; nothing where there is none."""

    def __init__(self) -> None:
        self._told_at = float("-inf")

    def tell(self, at_s: float) -> None:
        """Say it, twice a second at most."""
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._told_at > _PAUSE_S:
            self._told_at = now
            click.echo(f"{_CLEAR}looked at {at_s:.0f} s", nl=False, err=True)

    def clear(self) -> None:
        """Take the line away."""
        if sys.stderr.isatty():
            click.echo(_CLEAR, nl=False, err=True)


def prompted(frames: "Iterator[Frame]", shut_s: float, open_s: float) -> "Iterator[Frame]":
    """Frames of the live camera, with what the person at the door is to do, until it has been done."""
    click.echo(f"leave the door shut for {shut_s:g} s, with nobody in the picture", err=True)
    begin: float | None = None
    asked = False
    for frame in frames:
        begin = frame.stamp.monotonic_s if begin is None else begin
        at_s = frame.stamp.monotonic_s - begin
        if not asked and at_s >= shut_s:
            if sys.stderr.isatty():
                click.echo(_CLEAR, nl=False, err=True)
            click.echo(f"now open it, step out of the picture, and leave it open for {open_s:g} s", err=True)
            asked = True
        elif sys.stderr.isatty():
            left = shut_s + (open_s if asked else 0) - at_s
            click.echo(f"{_CLEAR}{max(0.0, left):.0f} s", nl=False, err=True)
        yield frame
