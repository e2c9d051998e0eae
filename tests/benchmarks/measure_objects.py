"""What looking for things adds to the loop: its memory and its share of a core, by network.

A 720p camera at ten frames a second with somebody before it, faces read in every frame, things looked for
five times a second. The loop's memory, at its peak (loading included) and afterwards, and its processor time
over a quarter of a minute.
"""

import tempfile
import time
from pathlib import Path

from running import Box, wait_for_decision

WATCH = '[[objects]]\nid = "things"\ncamera = "entrance"\nmodel = "{model}"\nfps = 5\n'
SECONDS = 15.0


def measured(box: Box, more: str) -> tuple[float, float, float]:
    """The loop's memory at its peak and now, in MiB, and the share of a core it takes."""
    box.configure(str(box.pictures), more, when="always")
    with box.running(configured=True):
        wait_for_decision(box, box.decisions(), 60)
        before = box.loop_cpu_s()
        time.sleep(SECONDS)
        share = (box.loop_cpu_s() - before) / SECONDS
        status = Path(f"/proc/{box.loop_pid()}/status").read_text(encoding="ascii")
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in status.splitlines() if " kB" in line}
    return sizes["VmHWM"], sizes["VmRSS"], share


def main() -> None:
    """Print a line for each network, and one for none."""
    with tempfile.TemporaryDirectory() as folder:
        box = Box(Path(folder))
        box.prepare()
        print(f"{'things':<8}{'peak':>12}{'afterwards':>12}{'of a core':>12}")
        for model in ("", "voc", "coco", "yolox"):
            peak, now, share = measured(box, WATCH.format(model=model) if model else "")
            print(f"{model or 'none':<8}{peak:>8.0f} MiB{now:>8.0f} MiB{share:>12.1%}")


if __name__ == "__main__":
    main()
