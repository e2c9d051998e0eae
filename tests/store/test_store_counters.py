"""Counters across kill -9; what they promise besides is in the contract, on both databases."""

import os
import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from stores import store

import appliance
from appliance.store import GREETINGS, Consent

SUPPORT = Path(__file__).parents[1] / "support"
PATH = os.pathsep.join([str(Path(appliance.__file__).parents[1]), str(SUPPORT)])
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="2026-01", given_by="Ann herself")
KILLS = 8


@pytest.mark.slow
def test_a_greeting_counts_exactly_once_across_kill_9(address: str) -> None:
    """Killed at random moments: the count is the number of greetings in the log, and no promise is lost."""
    with store(address) as log:
        log.add_subject("Ann", consent=COUNTED)
    chance, promised = random.Random(5), set()
    for run in range(KILLS):
        with subprocess.Popen(
            [sys.executable, SUPPORT / "greeter.py", address, f"boot{run}", "100000"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": PATH},
        ) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline()]  # it has begun: from here on, any moment will do
            time.sleep(chance.uniform(0, 0.06))
            child.kill()
            lines += child.stdout.readlines()
        promised |= {line.strip() for line in lines if line.endswith("\n")}

    with store(address) as log:
        greeted = log.events(types=["subject_identified"], limit=1_000_000)
        (standing,) = log.standings(GREETINGS, since=date(2000, 1, 1))

        assert len(greeted) == standing.count
        assert len(promised) >= KILLS
        assert promised <= {each.event.encounter for each in greeted if hasattr(each.event, "encounter")}
