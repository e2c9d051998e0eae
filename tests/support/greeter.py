"""Run as a program: appends greetings of one person, who agreed to be counted, until it is told or killed.

    python greeter.py ADDRESS BOOT COUNT

A line is the encounter, printed after `append` returned.
"""

import sys

from seals import ToySeal
from stores import identified

from appliance.clock import SystemClock
from appliance.store import GREETINGS, Counter, Store


def main(address: str, boot: str, count: int) -> None:
    """Append `count` greetings."""
    with Store(
        address,
        device="box",
        boot=boot,
        clock=SystemClock(),
        seal=ToySeal(),
        counters=[Counter(GREETINGS, "subject_identified")],
    ) as log:
        (person,) = log.subjects()
        for number in range(count):
            log.append(identified(person.id, encounter=f"{boot}-{number}"))
            sys.stdout.write(f"{boot}-{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
