"""How far behind others the kernel runs a process's session."""

from pathlib import Path

import pytest


def session_nice(pid: int) -> int:
    """The nice value of a process's session; skips the test where the kernel does not group by session."""
    try:
        told = Path(f"/proc/{pid}/autogroup").read_text(encoding="ascii")
    except FileNotFoundError:
        told = ""
    if " nice " not in told:
        pytest.skip("this kernel shares processors out by process, not by session")
    return int(told.rpartition(" nice ")[2])
