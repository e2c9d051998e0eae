"""Resident memory of the loop process at work, default models, one 720p camera, somebody before it.

The peak (VmHWM) after half a minute, loading included.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from bench_rows import Row, limit, main
from running import prepared, wait_for_decision

AT_WORK_S = 30.0


def measure() -> Sequence[Row]:
    """The kernel's own figure of the loop's peak."""
    with prepared() as box, box.running():
        wait_for_decision(box, 0, 30)
        time.sleep(AT_WORK_S)
        status = Path(f"/proc/{box.loop_pid()}/status").read_text(encoding="ascii")
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in status.splitlines() if " kB" in line}
    against = f"now {sizes['VmRSS']:.0f} MiB, of that files {sizes['RssFile']:.0f} MiB"
    return [limit("rss_loop", sizes["VmHWM"], "MiB", goal=300, against=against)]


if __name__ == "__main__":
    main(measure, __doc__)
