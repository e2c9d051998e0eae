"""Run as a program: seals captures and copies them at once, in children that it begins and kills.

    python syncer.py STATE ENDPOINT CREDENTIALS BUCKET RECIPIENT

Each line on standard input is a number of seconds: a child is begun, and killed (-9) so many seconds after it
has begun its work. `done` is printed when it is dead. A line `captured ID` is printed for every capture after
it was stored, so that whoever reads it knows what was promised. Children are forked from a program in which
everything is loaded, so that they are at work within a few hundredths of a second.
"""

import os
import select
import signal
import sys
import threading
import time
from pathlib import Path

import boto3  # noqa: F401 - loaded before children are begun
import botocore.session  # noqa: F401
from captures import jpeg, make_shot

import appliance.sinks.bucket  # noqa: F401
from appliance.app.copies import copying_of
from appliance.app.syncing import Syncing
from appliance.backoff import BackOff
from appliance.clock import SystemClock
from appliance.evidence import Spool
from appliance.services import Layout, open_services
from appliance.settings import EvidenceSettings, S3Settings, Settings

PART = 4096
_BEGINS_S = 10.0
_MANY = 3
"""Captures that a child seals, some of which are sent in parts."""


def work(state: Path, bucket: S3Settings, recipient: str, ready: int) -> None:
    """Seal some captures while those that are there are copied."""
    with open_services(Settings(), Layout(state)) as services:
        spool = Spool(
            services.layout.spool,
            EvidenceSettings(recipients=(recipient,), min_free_mib=0),
            SystemClock(),
            jpeg,
        ).open()
        stop = threading.Event()
        copying = copying_of(bucket, services, stop, part_bytes=PART)
        syncing = Syncing(
            copying, services.layout, services.clock, poll_s=0.01, back_off=BackOff(first_s=0.01, cap_s=0.1)
        )
        threading.Thread(target=syncing.run, args=(stop,), daemon=True).start()
        os.write(ready, b"!")
        for number in range(_MANY):
            size = (64, 48) if number % 2 else (16, 12)
            stored = spool.store([make_shot(number, size=size)], {}, SystemClock().wall())
            os.write(1, f"captured {stored.id}\n".encode())
        time.sleep(60)


def main(state: str, endpoint: str, credentials: str, bucket: str, recipient: str) -> None:
    """Begin and kill children."""
    settings = S3Settings(
        bucket=bucket,
        endpoint=endpoint,
        credentials_file=Path(credentials),
        addressing="path",
        wait_s=0,
    )
    for line in sys.stdin:
        theirs, ours = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(theirs)
            work(Path(state), settings, recipient, ours)
        os.close(ours)
        select.select([theirs], [], [], _BEGINS_S)  # one that does not come to its work is killed as well
        os.close(theirs)
        time.sleep(float(line))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.write(1, b"done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
