"""Running a command about an event: a song, a relay, a script of the admin's own.

The command is a list of words and no shell sees it; nothing of the event becomes a word of
it. The event arrives as one JSON object on standard input. The command gets a process group
of its own, which is killed when it takes too long. What it prints is kept to the last 4 KiB
and logged only when it fails.
"""

import json
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

import structlog

from appliance.deliveries import Delivery
from appliance.errors import ActionError
from appliance.processes import Kill, end_group, how_it_ended

_log = structlog.get_logger()

_TAIL = 4096
"""Bytes of a command's output that are kept."""
_KEPT = ("PATH", "LANG", "HOME")
"""What a command inherits of our environment: ours may hold secrets."""
_PATH = "/usr/local/bin:/usr/bin:/bin"
_TERM_S = 1.0
"""How long a command may take to end after SIGTERM before SIGKILL, and after that before it is left alone."""
_PIECE = 65536
_LAST_PIECES = 32
"""Pieces read after the end: a pipe holds 16 at most, and what it left behind may print for ever."""


class CommandAction:
    """Runs a command once for each event.

    Args:
        argv: Program and arguments, as they are.
        timeout_s: Seconds it may run.
        environment: Where PATH, LANG and HOME are taken from; this process's, if None.
        kill: Sends a signal to the command's group.
    """

    def __init__(
        self,
        argv: Sequence[str],
        timeout_s: float,
        environment: Mapping[str, str] | None = None,
        *,
        kill: Kill = os.killpg,
    ) -> None:
        self._argv = tuple(argv)
        self._timeout_s = timeout_s
        self._environment = environment
        self._kill = kill
        self._left: list[subprocess.Popen[bytes]] = []
        self._closed = threading.Event()

    def perform(self, delivery: Delivery) -> None:
        """Run it to its end.

        Raises:
            ActionError: There is no such program or it may not be run (permanent); it ended with
                another code than 0; it was killed by a signal; it took too long. One that changed
                its account (`sudo`) may not be killed by us: it is left to itself.
        """
        self._left = [process for process in self._left if process.poll() is None]
        if self._closed.is_set():
            raise ActionError("not begun: the dispatcher stops")
        body = json.dumps(event_document(delivery)).encode()
        try:
            process = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._variables(delivery),
                process_group=0,
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ActionError(
                f"there is no program {self._argv[0]!r}",
                permanent=True,
                hint="give its full path in argv, or install it",
            ) from error
        except PermissionError as error:
            raise ActionError(f"{self._argv[0]!r} may not be run", permanent=True, hint="chmod +x") from error
        except (OSError, ValueError) as error:
            raise ActionError(f"{self._argv[0]!r} cannot be run: {error}", permanent=True) from error
        self._watch(process, delivery, body)

    def close(self) -> None:
        """Kill the command that runs, and start none any more."""
        self._closed.set()

    def _variables(self, delivery: Delivery) -> dict[str, str]:
        ours = os.environ if self._environment is None else self._environment
        kept = {name: ours[name] for name in _KEPT if name in ours}
        return {"PATH": _PATH, **kept, "APPLIANCE_IDEMPOTENCY_KEY": delivery.idempotency_key}

    def _watch(self, process: subprocess.Popen[bytes], delivery: Delivery, body: bytes) -> None:
        talk = _Talk(process, body)
        # The machine's own clock: a command takes real time, whatever a replay thinks.
        until = time.monotonic() + self._timeout_s
        reason = ""
        try:
            while not talk.ended():
                if self._closed.is_set():
                    reason = "killed: the dispatcher stops"
                elif time.monotonic() >= until:
                    reason = f"took longer than {self._timeout_s:g} s and was killed"
                if reason:
                    break
                talk.go_on(min(0.25, max(0.0, until - time.monotonic())))
        finally:
            ended = process.poll() is not None or end_group(process, _TERM_S, kill=self._kill)
            talk.close()
            if not ended:
                self._left.append(process)
        if not ended:
            reason = f"{reason}, but it runs under another account and goes on"
        elif not reason and process.returncode != 0:
            reason = how_it_ended(process.returncode)
        if reason:
            tail = talk.tail().decode("utf-8", "replace")
            _log.warning(
                "command_failed",
                action=delivery.action,
                event_id=delivery.event_id,
                reason=reason,
                output=tail,
            )
            raise ActionError(f"{os.path.basename(self._argv[0])}: {reason}")  # noqa: PTH119 - argv is text


def event_document(delivery: Delivery) -> dict[str, object]:
    """What a command reads on standard input: the event's fields, with `id` and `at` (ISO 8601)."""
    return {"id": delivery.event_id, "at": delivery.at.isoformat(), **delivery.event.model_dump(mode="json")}


class _Talk:
    """Standard input and output of a running command, without ever waiting for one of them alone."""

    def __init__(self, process: subprocess.Popen[bytes], body: bytes) -> None:
        self._process = process
        self._rest = memoryview(body)
        self._tail = b""
        self._end = os.pidfd_open(process.pid)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._end, selectors.EVENT_READ)
        for stream, event in ((process.stdin, selectors.EVENT_WRITE), (process.stdout, selectors.EVENT_READ)):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, event)

    def ended(self) -> bool:
        """Whether the command itself is over; something it left behind may still hold its output open."""
        return self._process.poll() is not None

    def go_on(self, seconds: float) -> None:
        """Move what can be moved within that time."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._process.stdin:
                self._write(self._process.stdin)
            elif key.fileobj is self._process.stdout:
                self._read(self._process.stdout)

    def tail(self) -> bytes:
        """The end of what it printed."""
        return self._tail

    def close(self) -> None:
        """Take what is still there, and let go."""
        stdout = self._process.stdout
        for _ in range(_LAST_PIECES):
            if stdout is None or stdout not in self._selector.get_map() or not self._read(stdout):
                break
        self._selector.close()
        os.close(self._end)
        for stream in (self._process.stdin, stdout):
            if stream is not None:
                stream.close()

    def _write(self, stream: IO[bytes]) -> None:
        try:
            self._rest = self._rest[os.write(stream.fileno(), self._rest[:_PIECE]) :]
        except BlockingIOError:
            return
        except OSError:  # it does not want to know
            self._rest = self._rest[:0]
        if not self._rest:
            self._selector.unregister(stream)
            stream.close()

    def _read(self, stream: IO[bytes]) -> bool:
        try:
            data = os.read(stream.fileno(), _PIECE)
        except BlockingIOError:
            return False
        self._tail = (self._tail + data)[-_TAIL:]
        if not data:
            self._selector.unregister(stream)
        return bool(data)
