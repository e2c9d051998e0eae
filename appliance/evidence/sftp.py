"""Fetching files over SSH with the system's own `sftp`: one connection, one file after the other.

Host keys, agents, jump hosts and passphrases are OpenSSH's business, as the reader's ssh_config has
them. The program gets a fixed list of arguments and, on its standard input, commands in which only
names of ours stand; it works in the folder the files go to, so no path of anybody's is ever quoted.
What it says is turned into one typed error. Nothing is written to the other side, and what arrives
is not checked here.
"""

import contextlib
import os
import re
import resource
import shutil
import subprocess
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.errors import RetrievalError
from appliance.evidence.capture import MAX_SEALED_BYTES
from appliance.evidence.sftp_causes import explained
from appliance.evidence.sftp_target import ALIVE_S, Target

_NAME = re.compile(r"[0-9a-z][0-9a-z.-]{0,63}")
_DONE = "Remote working directory: "
"""What `pwd` answers with, asked after each file so that we know when it is done."""
_LAST_LINES = 40
_LINE_CHARS = 4096
"""Of a longer line, each piece counts as one."""
_MOST_CHARS = 1 << 20
"""What may be said about one file; OpenSSH says two lines."""
_FULL = ("No space left", "quota exceeded")


class SftpSession:
    """One connection. Used by one thread, in a `with` block.

    Args:
        target: Where to, and as whom.
        folder: Where the files go.
        may_ask: Somebody is there to be asked for a passphrase or about a new host.
    """

    def __init__(self, target: Target, folder: Path, *, may_ask: bool = False) -> None:
        self._target = target
        self._folder = folder
        self._may_ask = may_ask
        self._process: subprocess.Popen[str] | None = None
        self._said: deque[str] = deque(maxlen=_LAST_LINES)

    def __enter__(self) -> Self:
        """Start the program; whether the other side answers shows with the first file.

        Raises:
            RetrievalError: There is no such program here.
        """
        program = shutil.which("sftp")
        if program is None:
            raise RetrievalError(
                "the program sftp is not installed here",
                fault="no_client",
                hint="install OpenSSH's client (Debian: the package openssh-client)",
            )
        self._process = subprocess.Popen(
            [program, *self._target.arguments(may_ask=self._may_ask)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env={**os.environ, "LC_ALL": "C"},
            umask=0o077,
            text=True,
            encoding="utf-8",
            errors="replace",
            bufsize=1,
            restore_signals=False,  # or the limit below would end the program instead of the file
        )
        if hasattr(resource, "prlimit"):  # Linux alone: elsewhere a box that sends without end fills the disk
            limits = MAX_SEALED_BYTES, MAX_SEALED_BYTES
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, limits)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        process = self._process
        if process is None:
            return
        if kind is not None:
            process.kill()
        with process:
            # What it still says is not listened to: of a hostile box, that has no end.
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            try:
                process.wait(timeout=ALIVE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self._process = None

    def get(self, name: str, *, resume: bool = False) -> "Got":
        """Fetch one file into the folder, under its own name.

        Args:
            name: Of the file, here and there.
            resume: Go on where what lies in the folder ends.

        Raises:
            RetrievalError: The connection cannot be made or was lost, or the disk here is full.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("this is not the name of a file of ours")
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the session is used in a with block")
        try:
            # The dash: an error in one command does not end the program.
            process.stdin.write(f"-{'reget' if resume else 'get'} {name} {name}\n-pwd\n")
            process.stdin.flush()
        except OSError:
            pass  # it has ended, and says why
        said: deque[str] = deque(maxlen=_LAST_LINES)
        heard = 0
        while line := process.stdout.readline(_LINE_CHARS):
            heard += len(line)
            line = line.rstrip("\r\n")
            if line.startswith(_DONE):
                return _got(said)
            said.append(line)
            self._said.append(line)
            if heard > _MOST_CHARS:  # it says what it likes, and we would keep listening
                raise RetrievalError(
                    f"{self._target.shown} talks without end and serves no files",
                    fault="no_sftp",
                    hint="this is not how the account for captures answers: look at the box",
                )
        raise explained(tuple(self._said), self._target)


@dataclass(frozen=True, slots=True)
class Got:
    """How fetching a file ended, as the other side tells it.

    Attributes:
        missing: There is no such file.
        refused: There is, and it may not be read.
    """

    missing: bool
    refused: bool


def _got(said: Iterable[str]) -> Got:
    text = "\n".join(said)
    if any(fragment in text for fragment in _FULL):
        raise RetrievalError(
            "the disk here is full",
            fault="disk_full",
            hint="make room and try again: what has arrived is kept, and a file that was cut is resumed",
        )
    return Got(
        missing="not found" in text or "No such file" in text,
        refused="Permission denied" in text,
    )
