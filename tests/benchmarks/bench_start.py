"""`appliance run` on a warm machine until the first decision is in the log.

From the start of the supervisor's interpreter: importing, unlocking, loading networks, the first frame of a
recording that shows somebody enrolled, the decision, the database. By the clock on the wall.
"""

import statistics
import time
from collections.abc import Sequence

from bench_rows import Row, limit, main
from running import prepared, wait_for_decision

ROUNDS = 5


def measure() -> Sequence[Row]:
    """Median of several starts; one more, untimed, warms the disk's cache."""
    took: list[float] = []
    with prepared() as box:
        for turn in range(ROUNDS + 1):
            before = box.decisions()
            began = time.monotonic()
            with box.running():
                decided = wait_for_decision(box, before, 30)
            if turn:
                took.append(decided - began)
    against = f"{ROUNDS} starts, {min(took):.2f} to {max(took):.2f} s"
    return [limit("start", statistics.median(took), "s", goal=3.0, against=against)]


if __name__ == "__main__":
    main(measure, __doc__)
