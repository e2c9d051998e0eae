"""A command on a terminal of its own, as somebody types it: what it prints, and Ctrl-C.

It has a real terminal, so that what is told to people and to nobody else is told.
"""

import contextlib
import os
import pty
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_S = 60.0
_END_S = 120.0
_CTRL_C = b"\x03"


class Terminal:
    """What stands on it, and its keyboard.

    Attributes:
        process: The command.
    """

    def __init__(self, process: subprocess.Popen[bytes], keyboard: int) -> None:
        self.process = process
        self._keyboard = keyboard
        self._printed = b""
        self._grown = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All of it so far."""
        with self._grown:
            return self._printed.decode(errors="replace").replace("\r\n", "\n")

    def read(self, pattern: str, *, within_s: float = _PATIENCE_S) -> str:
        """Wait until something stands there: the first group of the pattern, or all that it matches.

        Raises:
            AssertionError: It never did, or the command ended before.
        """
        until = time.monotonic() + within_s
        while True:
            over = self._over
            if found := re.search(pattern, self.text):
                return found[found.re.groups and 1]
            if over or time.monotonic() > until:
                raise AssertionError(f"never printed {pattern!r}; it printed:\n{self.text}")
            with self._grown:
                self._grown.wait(0.5)

    def interrupt(self) -> int:
        """Type Ctrl-C; the command's exit code."""
        os.write(self._keyboard, _CTRL_C)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; its exit code. All it printed is then in `text`."""
        code = self.process.wait(_END_S)
        self._reader.join(_END_S)
        return code

    def _read(self) -> None:
        while True:
            try:
                some = os.read(self._keyboard, 4096)
            except OSError:  # Linux's way of saying that nobody has the terminal open any more
                some = b""
            with self._grown:
                self._printed += some
                self._over = not some
                self._grown.notify_all()
            if not some:
                return


@contextmanager
def typed(
    command: Sequence[str], *, cwd: Path | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Start a command on a terminal; ended in good order at the end, if it has not ended by itself.

    Args:
        command: Program and arguments.
        cwd: Where it is typed; here by default.
        variables: More of its environment.
    """
    keyboard, screen = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "200", **(variables or {})}
    # A session of its own, led by the command: only then is the terminal its own, with Ctrl-C and all.
    process = subprocess.Popen(
        ["setsid", "--ctty", *command],
        stdin=screen,
        stdout=screen,
        stderr=screen,
        cwd=cwd,
        env=environment,
    )
    os.close(screen)
    terminal = Terminal(process, keyboard)
    try:
        yield terminal
    finally:
        with contextlib.suppress(OSError):
            os.write(keyboard, _CTRL_C)
        try:
            terminal.ended()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(keyboard)
