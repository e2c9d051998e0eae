"""Whether a rule fires: each reason why not, hours over midnight and changes of time, and clocks set back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_bodies import rule

from appliance.rules import Fact, Hours, MemoryPast, Reason, Rule, judge
from appliance.weekly import within

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CAME = Fact("subject_identified", "confirmed", subject="ann", door="main", camera="entrance")
DOG = Fact("object_seen", subject=None, camera="hall", label="dog", score=0.7)
NIGHT = {"days": [0], "start": "22:00", "end": "06:00"}

WORKED: list[tuple[Reason, Rule, Fact]] = [
    (Reason.FIRES, rule(), CAME),
    (Reason.OTHER_EVENT, rule("stranger_seen"), CAME),
    (Reason.OTHER_GRADE, rule(grade="final"), CAME),
    (Reason.REPETITION, rule(), Fact("subject_identified", "confirmed", repeated=True, subject="ann")),
    (
        Reason.FIRES,
        rule(repetitions=True),
        Fact("subject_identified", "confirmed", repeated=True, subject="ann"),
    ),
    (Reason.OTHER_PERSON, rule(people=["ben"]), CAME),
    (Reason.FIRES, rule(people=["ben", "ann"]), CAME),
    (Reason.NOT_IN_GROUP, rule(groups=["day"]), CAME),
    (Reason.FIRES, rule(groups=["day", "night"]), CAME),
    (Reason.FIRES, rule(people=["ben"], groups=["night"]), CAME),
    (Reason.OTHER_DOOR, rule(doors=["back"]), CAME),
    (Reason.OTHER_CAMERA, rule(cameras=["back"]), CAME),
    (Reason.OTHER_THING, rule("object_seen", labels=["cat"]), DOG),
    (Reason.FIRES, rule("object_seen", labels=["cat", "dog"], least_score=0.7), DOG),
    (Reason.LOW_SCORE, rule("object_seen", least_score=0.71), DOG),
    (Reason.OUTSIDE_HOURS, rule(hours=[NIGHT]), CAME),
    (Reason.FIRES, rule(hours=[NIGHT, {"days": [0], "start": "12:00", "end": "12:01"}]), CAME),
    (Reason.FIRES, rule(first_of_day=True, cool_down_s=60), CAME),
    (Reason.NOT_FIRST_TODAY, rule(first_of_day=True), Fact("subject_identified", "confirmed", subject="cas")),
    (Reason.COOLING_DOWN, rule(cool_down_s=61), Fact("subject_identified", "confirmed", subject="cas")),
    (Reason.FIRES, rule(cool_down_s=60), Fact("subject_identified", "confirmed", subject="cas")),
]
"""Each reason, by an event at noon; Ann works at night, Cas came a minute before."""


@pytest.mark.parametrize(("reason", "asked", "what"), WORKED)
def test_the_first_condition_that_fails_is_said(reason: Reason, asked: Rule, what: Fact) -> None:
    """Or that it fires."""
    past = MemoryPast({"ann": ["night"]}, {"cas": NOON - timedelta(seconds=60)})

    assert reason == judge(asked, what, NOON, past, UTC)


def test_every_reason_is_reached() -> None:
    """No word is there that is never said."""
    assert set(Reason) == {reason for reason, _, _ in WORKED}


def test_a_rule_about_people_asks_nothing_of_who_is_unknown() -> None:
    """A visitor's coffee is nobody's of a list or a group."""
    visitor = Fact("coffee_taken", label="cup")
    past = MemoryPast({}, {})

    assert Reason.OTHER_PERSON is judge(rule("coffee_taken", people=["ann"]), visitor, NOON, past, UTC)
    assert Reason.NOT_IN_GROUP is judge(rule("coffee_taken", groups=["night"]), visitor, NOON, past, UTC)
    assert Reason.FIRES is judge(rule("coffee_taken"), visitor, NOON, past, UTC)


def test_a_cool_down_is_each_persons_things_and_doors_own() -> None:
    """What one had does not hold up another."""
    facts = [
        CAME,
        Fact("subject_identified", "confirmed", subject="ben"),
        DOG,
        Fact("object_seen", camera="yard", label="dog"),
        Fact("object_seen", camera="hall", label="cat"),
        Fact("door_opened", door="main"),
        Fact("door_opened", door="back"),
    ]

    assert len(facts) == len({each.about for each in facts})
    assert all(
        len(each.about) <= 64 for each in [*facts, Fact("object_seen", camera="c" * 64, label="x" * 64)]
    )


MINUTES = st.integers(0, 24 * 60 - 1)
SPANS = st.builds(
    lambda days, start, end: Hours(
        days=tuple(days), start=f"{start // 60:02}:{start % 60:02}", end=f"{end // 60:02}:{end % 60:02}"
    ),
    st.lists(st.integers(0, 6), min_size=1, max_size=7),
    MINUTES,
    MINUTES,
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware


@given(span=SPANS, at=MOMENTS)
def test_a_span_holds_its_minutes_and_no_others(span: Hours, at: datetime) -> None:
    """Walked minute by minute from each of its beginnings, over midnight where it ends before it begins."""
    length = (_minutes(span.end) - _minutes(span.start)) % (24 * 60) or 24 * 60
    now = at.astimezone(BERLIN)
    minute = now.weekday() * 24 * 60 + now.hour * 60 + now.minute
    begins = [day * 24 * 60 + _minutes(span.start) for day in span.days]
    expected = any((minute - begin) % (7 * 24 * 60) < length for begin in begins)

    assert expected == within([span.span], at, BERLIN)


@given(spans=st.lists(SPANS, max_size=4), at=MOMENTS)
def test_of_several_spans_any_does(spans: list[Hours], at: datetime) -> None:
    """And of none, none."""
    assert any(within([each.span], at, BERLIN) for each in spans) == within(
        [each.span for each in spans], at, BERLIN
    )


@pytest.mark.parametrize(
    ("night", "seconds"),
    [(datetime(2026, 3, 29, tzinfo=BERLIN), 0), (datetime(2026, 10, 25, tzinfo=BERLIN), 7200)],
)
def test_an_hour_that_is_skipped_or_had_twice_is_so_in_its_span(night: datetime, seconds: int) -> None:
    """The clock on the wall decides: from two to three is no time in spring, and two hours in autumn."""
    span = Hours(days=(6,), start="02:00", end="03:00")
    start = night.astimezone(UTC)
    inside = sum(within([span.span], start + timedelta(minutes=each), BERLIN) for each in range(6 * 60))

    assert seconds == inside * 60


@given(
    seconds=st.lists(st.integers(-90_000, 90_000), max_size=30),
    cool_down_s=st.sampled_from([1, 60, 3600, 86_400]),
)
def test_a_cool_down_holds_whatever_the_clock_does(seconds: list[int], cool_down_s: int) -> None:
    """Nothing fires within it; and a clock that was set back silences nothing for longer than it."""
    asked, past, at = rule(cool_down_s=cool_down_s), MemoryPast({}, {}), NOON
    for step in seconds:
        at += timedelta(seconds=step)
        last = past.fired(CAME.about)
        reason = judge(asked, CAME, at, past, UTC)

        held_up = last is not None and timedelta(0) <= at - last < timedelta(seconds=cool_down_s)
        assert (Reason.COOLING_DOWN if held_up else Reason.FIRES) == reason
        if reason is Reason.FIRES:
            past.fire(CAME.about, at)


@given(minutes=st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=40))
def test_the_first_of_a_day_is_one_a_day(minutes: list[int]) -> None:
    """On days as the office has them, however often somebody comes; each day has one."""
    asked, past = rule(first_of_day=True), MemoryPast({}, {})
    fired = []
    moments = [NOON + timedelta(minutes=each) for each in sorted(minutes)]
    for at in moments:
        if judge(asked, CAME, at, past, BERLIN) is Reason.FIRES:
            past.fire(CAME.about, at)
            fired.append(at.astimezone(BERLIN).date())

    assert sorted({at.astimezone(BERLIN).date() for at in moments}) == fired


def test_a_clock_that_was_a_day_ahead_does_not_swallow_tomorrow() -> None:
    """It fired on a day that was not there yet; today and that day it fires all the same."""
    asked, past = rule(first_of_day=True), MemoryPast({}, {CAME.about: NOON + timedelta(days=1)})
    today = judge(asked, CAME, NOON, past, UTC)
    past.fire(CAME.about, NOON)
    tomorrow = judge(asked, CAME, NOON + timedelta(days=1, hours=1), past, UTC)

    assert [Reason.FIRES, Reason.FIRES] == [today, tomorrow]


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
