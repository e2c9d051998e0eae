"""A dry run says what happened: the same events, judged live in the store, asked for the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stores
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_bodies import HOOK, RuleDesk, body, rule

from appliance.app.dry_running import dry_run_of
from appliance.clock import ManualClock
from appliance.rules import Happened, Reason, Rule, RuleEngine, begins, dry_run
from appliance.rules.dry_run import MOST_TOLD
from appliance.services import Services
from appliance.store import NewEvent, Store, Subject, sqlite_url
from appliance.values import Grade

NIGHT = {"days": [0, 1, 2], "start": "18:00", "end": "06:00"}
RULES: Sequence[Rule] = (
    rule("subject_identified", HOOK),
    rule("subject_identified", HOOK, cool_down_s=3600),
    rule("subject_identified", HOOK, first_of_day=True),
    rule("subject_identified", HOOK, first_of_day=True, cool_down_s=7200, hours=[NIGHT]),
    rule("subject_identified", HOOK, grade="greeting", groups=["g"]),
    rule("subject_identified", HOOK, people=["ann"], repetitions=True, cool_down_s=60),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "ben"]),
        st.sampled_from(list(Grade)),
        st.booleans(),
        st.integers(-1800, 20_000),
    ),
    max_size=25,
)


@dataclass
class Years:
    """A log, and the months of it that were used up.

    Attributes:
        log: With rules.
        rules: Their ids, in the order of `RULES`.
        months: Begun so far.
    """

    log: Store
    rules: list[str]
    months: int = 0

    def next_noon(self) -> datetime:
        """The first noon of a month of which nothing is logged yet."""
        self.months += 1
        return stores.NOON + timedelta(days=30 * self.months)


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Years]:
    """A log with all the rules; it never ends."""
    with stores.store(
        sqlite_url(tmp_path_factory.mktemp("rules") / "s.sqlite3"), rules=RuleEngine(UTC)
    ) as log:
        yield Years(log, [log.add_rule(each.body()).id for each in RULES])


@settings(max_examples=12)
@given(steps=STEPS)
def test_a_dry_run_finds_what_fired_live(years: Years, steps: list[Any]) -> None:
    """For every rule, whatever came when: the events it would have fired on are those it did fire on.

    Each example is a month of the log: no cool-down, and no day, reaches into the next.
    """
    log, noon = years.log, years.next_noon()
    at, position = noon, log.position()
    for who, grade, repeated, after_s in steps:
        at += timedelta(seconds=after_s)
        log.append(stores.identified(who, grade=grade, repeated=repeated), at=at)
    fired = {(row.rule, row.event.id) for row in log.outbox() if row.event.position > position}
    told = {
        (rule_id, found.event)
        for rule_id, asked in zip(years.rules, RULES, strict=True)
        for found in dry_run_of(log, asked, noon - timedelta(days=1), UTC).firings
    }

    assert fired == told


def happened(*after_s: float) -> list[Happened]:
    """Ann, recognised at these seconds after noon."""
    who = stores.identified("ann", grade=Grade.CONFIRMED)
    return [Happened(str(each), stores.NOON + timedelta(seconds=each), who) for each in after_s]


def test_what_was_before_sets_the_scene() -> None:
    """A cool-down that began before the time that is asked about is still running in it, and not told of."""
    asked = rule(cool_down_s=100)
    found = dry_run(asked, happened(0, 60, 120), {}, since=stores.NOON + timedelta(seconds=50), zone=UTC)

    assert begins(asked, stores.NOON, UTC) == stores.NOON - timedelta(seconds=100)
    assert (2, 1, {Reason.COOLING_DOWN: 1}) == (found.events, found.fired, dict(found.missed))
    assert ["120"] == [each.event for each in found.firings]
    assert [("60", Reason.COOLING_DOWN)] == [(each.event, each.reason) for each in found.near]


def test_the_first_of_a_day_is_looked_for_from_its_midnight() -> None:
    """Whoever came in the morning is not first when only the afternoon is asked about."""
    asked = rule(first_of_day=True)
    since = stores.NOON + timedelta(hours=1)
    found = dry_run(asked, happened(0, 7200), {}, since=since, zone=UTC)

    assert stores.NOON.replace(hour=0) == begins(asked, since, UTC)
    assert (0, {Reason.NOT_FIRST_TODAY: 1}) == (found.fired, dict(found.missed))


def test_a_long_past_is_counted_whole_and_told_in_part() -> None:
    """All are counted, the newest are told: memory does not grow with the log."""
    found = dry_run(rule(), happened(*range(MOST_TOLD + 7)), {}, since=stores.NOON, zone=UTC)

    assert (MOST_TOLD + 7, MOST_TOLD) == (found.fired, len(found.firings))
    assert str(MOST_TOLD + 6) == found.firings[-1].event


def test_the_desk_tells_what_would_have_happened(
    services: Services, ann: Subject, clock: ManualClock
) -> None:
    """For a rule that is not kept yet: how often, when, for whom, and for near misses why not."""
    ask = RuleDesk(services)
    came = stores.identified(ann.id, grade=Grade.CONFIRMED)
    first = services.store.append(came, at=stores.NOON - timedelta(days=6))
    soon = services.store.append(came, at=stores.NOON - timedelta(days=6) + timedelta(minutes=1))
    services.store.append_all([NewEvent(came, at=stores.NOON - timedelta(days=8))])
    found = ask("rules.dry_run", body=body("subject_identified", HOOK, cool_down_s=3600))

    assert (2, 1) == (found["events"], found["fired"])
    assert [{"reason": "cooling_down", "words": "it had fired a moment before", "count": 1}] == found[
        "missed"
    ]
    assert [(first.id, "Ann", "fires")] == [(e["event"], e["name"], e["reason"]) for e in found["firings"]]
    assert [(soon.id, "cooling_down")] == [(each["event"], each["reason"]) for each in found["near"]]
    assert [] == services.store.outbox()
    assert [] == ask("rules.list")["rules"]
