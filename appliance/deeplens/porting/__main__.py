"""`python -m appliance.deeplens.porting SOURCE TARGET`: port a folder, say as JSON what was done.

Runs inside a contained child; nothing of the sources is executed. Ends with 0 when a report was written,
whatever it says; with 2 when called wrongly; with 1 when a folder cannot be read or written.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import FrameType

from appliance.deeplens.porting.package import Limit, port_package
from appliance.deeplens.porting.report import to_json

SECONDS_A_FILE = 15.0
"""How long one file may take. A function of 300 lines takes a fifth of a second."""

SECONDS = 45.0
"""How long all of them may take together; the rest is then copied as it is, and reported."""


_DEPTH = 10_000
"""Calls within calls: a sum of hundreds of texts is nested as deeply. The stack of this process takes it."""


class _Alarm(Limit):
    """Ends the porting of one file with a signal."""

    def __init__(self) -> None:
        self._end = time.monotonic() + SECONDS

    def __call__(self) -> AbstractContextManager[None]:
        return _alarm(min(SECONDS_A_FILE, self._end - time.monotonic()))


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def raise_timeout(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    if seconds <= 0:
        raise TimeoutError
    before = signal.signal(signal.SIGALRM, raise_timeout)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def main(arguments: list[str]) -> int:
    """Port, write the report to standard output, give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m appliance.deeplens.porting", description=__doc__)
    parser.add_argument("source", type=Path, help="the function's folder")
    parser.add_argument("target", type=Path, help="where the ported one goes")
    parser.add_argument("--runtime", choices=("python2", "python3"), help="what the project declares")
    parser.add_argument("--handler", help="the file with the handler, relative to the folder")
    parser.add_argument("--diff", action="store_true", help="put a unified diff into the report")
    given = parser.parse_args(arguments)
    sys.setrecursionlimit(_DEPTH)
    try:
        report = port_package(
            given.source,
            given.target,
            declared=given.runtime,
            handler=given.handler,
            diff=given.diff,
            limit=_Alarm(),
        )
    except OSError as error:
        sys.stderr.write(f"the folder could not be ported: {error.strerror}\n")
        return 1
    sys.stdout.write(to_json(report) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
