"""Run as a program: appends events to a store until it is told or killed; one line for each kept.

    python appender.py ADDRESS DEVICE BOOT COUNT

A line is `position hash`, printed after `append` returned, so that whoever reads it knows what was
promised to be durable.
"""

import sys

from seals import ToySeal
from stores import OPENED, on

from appliance.clock import SystemClock
from appliance.store import Store


def main(address: str, device: str, boot: str, count: int) -> None:
    """Append `count` events."""
    seal, song = ToySeal(), on("door_opened", action="song")
    with Store(
        address, device=device, boot=boot, clock=SystemClock(), seal=seal, subscriptions=[song]
    ) as log:
        for _ in range(count):
            stored = log.append(OPENED)
            sys.stdout.write(f"{stored.position} {stored.hash}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
