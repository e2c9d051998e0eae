"""Our command line as somebody types it: in this process where that is enough, else in one of its own."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.cli import main

_LONGEST_S = 120


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
    """

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Its sentences of error, without what stands before each."""
        return self._lines("error")

    @property
    def hints(self) -> list[str]:
        """What it says to do."""
        return self._lines("hint")

    @property
    def refusal(self) -> tuple[int, str]:
        """Exit code and the one sentence it refused with; there is nothing else on either output."""
        assert "Traceback" not in self.err
        assert "" == self.out
        assert 1 == len(self.errors), self.err
        assert len(self.err.splitlines()) == 1 + len(self.hints), self.err
        return self.code, self.errors[0]

    def _lines(self, kind: str) -> list[str]:
        lead = f"appliance: {kind}: "
        return [line.removeprefix(lead) for line in self.err.splitlines() if line.startswith(lead)]


def call(*arguments: object) -> Ended:
    """Run a command line in this process, from its words to its exit code."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(each) for each in arguments])
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    return Ended(code, out.getvalue(), err.getvalue())


def argv(*arguments: object) -> list[str]:
    """The command line of a process of ours."""
    return [sys.executable, "-m", "appliance", *(str(each) for each in arguments)]


def run(*arguments: object, cwd: Path | None = None, variables: Mapping[str, str] | None = None) -> Ended:
    """Run a command line in a process of its own."""
    done = subprocess.run(
        argv(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **(variables or {})},
        timeout=_LONGEST_S,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
