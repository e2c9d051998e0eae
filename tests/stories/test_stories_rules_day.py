"""A day in the office, small: whatever is away for a while, counts are the truth and nothing is left over."""

from pathlib import Path

import pytest
from office_day import Plan, office_day

from appliance.store import COFFEES, GREETINGS

pytestmark = [pytest.mark.slow, pytest.mark.debian, pytest.mark.timeout(300)]

GROWN_MIB = 24
"""More than caches and threads take once; every row of a day kept would be more."""


def test_a_day_with_webhook_and_broker_away_is_counted_and_delivered(tmp_path: Path) -> None:
    """Counters equal what happened; each post, message and line arrived, once by its key; memory stays."""
    plan = Plan(people=30, encounters=100, away_s=3600, events=("coffee_taken",))
    with office_day(plan, tmp_path) as day:
        arrived, truth = day.run(), day.truth

    assert {GREETINGS: dict(truth.greeted), COFFEES: dict(truth.coffees)} == arrived.counted
    assert len(truth.first) + truth.all_coffees + truth.strangers == arrived.posted
    assert truth.came == arrived.published
    assert truth.came + truth.all_coffees == arrived.shown
    assert {"delivered"} == set(arrived.outbox)
    assert arrived.refused > 0
    assert min(arrived.waited["webhook:chat"], arrived.waited["mqtt"]) > 2

    early = arrived.memory[len(arrived.memory) // 4][1]
    assert arrived.memory[-1][1] - early < GROWN_MIB
