"""Three people at once, and hours in which nothing is heard: who plays, who waits, who is left out."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.actions.song_hours import is_quiet
from appliance.actions.song_queue import QueuePolicy, SongQueue
from appliance.settings import QuietHours
from appliance.settings.audio import WEEKDAYS

ZONE = ZoneInfo("Europe/Helsinki")
ONE_AFTER_ANOTHER = QueuePolicy("one_after_another", max_waiting=1, wait_s=30)


def test_one_after_another_keeps_the_order_and_a_bound() -> None:
    """The first plays, the second waits, the third is left out; then the second has its turn."""
    queue: SongQueue[str] = SongQueue()
    ann, _ = queue.offer("Ann", ONE_AFTER_ANOTHER, 0).taken, queue.begin(0)
    ben, cem = (queue.offer(name, ONE_AFTER_ANOTHER, 1).taken for name in ("Ben", "Cem"))
    during = queue.begin(1)
    queue.ended()

    assert (True, True, False) == (ann, ben, cem)
    assert during is None
    assert "Ben" == queue.begin(20)


def test_who_waits_too_long_is_left_out() -> None:
    """At the very second; and is told so, once."""
    queue: SongQueue[str] = SongQueue()
    queue.offer("Ann", ONE_AFTER_ANOTHER, 0)
    queue.begin(0)
    queue.offer("Ben", ONE_AFTER_ANOTHER, 5)
    before = queue.late(34.9)

    assert () == before
    assert 35 == queue.next_late()
    assert ("Ben",) == queue.late(35)
    assert () == queue.late(36)
    queue.ended()
    assert queue.begin(36) is None


def test_the_latest_takes_the_place_of_the_others() -> None:
    """What plays is cut, what waits is dropped; until the cut one has ended nothing else begins."""
    latest = QueuePolicy("latest")
    queue: SongQueue[str] = SongQueue()
    queue.offer("Ann", latest, 0)
    queue.begin(0)
    second = queue.offer("Ben", latest, 1)
    third = queue.offer("Cem", latest, 2)
    meanwhile = queue.begin(2)
    queue.ended()

    assert "Ann" == second.cut
    assert ("Ben",) == third.dropped
    assert meanwhile is None
    assert "Cem" == queue.begin(3)


def test_skipping_leaves_out_whoever_comes_meanwhile() -> None:
    """And nobody once it is quiet again."""
    skip = QueuePolicy("skip")
    queue: SongQueue[str] = SongQueue()
    queue.offer("Ann", skip, 0)
    queue.begin(0)
    second = queue.offer("Ben", skip, 1).taken
    queue.ended()

    assert not second
    assert queue.offer("Cem", skip, 2).taken


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["offer", "begin", "ended", "late", "clear"]),
            st.sampled_from(["one_after_another", "latest", "skip"]),
            st.floats(min_value=0, max_value=20),
        ),
        max_size=60,
    ),
    st.integers(min_value=0, max_value=4),
)
@settings(deadline=None)
def test_each_song_ends_in_one_way(steps: list[tuple[str, str, float]], most: int) -> None:
    """Whatever happens: no more wait than may, and each is begun, in order, or left out, only once."""
    queue: SongQueue[int] = SongQueue()
    now, offered = 0.0, 0
    begun: list[int] = []
    left_out: list[int] = []
    for what, kind, passed in steps:
        now += passed
        policy = QueuePolicy(kind, max_waiting=most, wait_s=10)  # type: ignore[arg-type]
        if what == "offer":
            came = queue.offer(offered, policy, now)
            left_out += came.dropped if came.taken else (*came.dropped, offered)
            offered += 1
        elif what == "begin":
            left_out += queue.late(now)
            if (song := queue.begin(now)) is not None:
                begun.append(song)
        elif what == "ended":
            queue.ended()
        else:
            left_out += queue.late(now) if what == "late" else queue.clear()

        assert len(queue.waiting) <= max(most, 1)
        assert sorted([*begun, *left_out, *queue.waiting]) == list(range(offered))
    assert begun == sorted(begun)


def hours(start: str, end: str, *days: str) -> QuietHours:
    """A span of quiet."""
    return QuietHours.model_validate({"start": start, "end": end, "days": days or WEEKDAYS})


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of the week of Monday the 5th of January 2026, in Helsinki."""
    return datetime(2026, 1, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("span", "at", "quiet"),
    [
        (hours("20:00", "07:00"), local(5, 19, 59), False),
        (hours("20:00", "07:00"), local(5, 20), True),
        (hours("20:00", "07:00"), local(6, 6, 59), True),
        (hours("20:00", "07:00"), local(6, 7), False),
        (hours("20:00", "07:00", "fri"), local(10, 3), True),  # the night of Friday to Saturday
        (hours("20:00", "07:00", "fri"), local(9, 3), False),  # of Thursday to Friday
        (hours("12:00", "13:00", "mon"), local(5, 12, 30), True),
        (hours("12:00", "13:00", "mon"), local(6, 12, 30), False),
        (hours("00:00", "00:00", "sat"), local(10, 23, 59), True),
        (hours("00:00", "00:00", "sat"), local(11, 0), False),
        (hours("20:00", "07:00", "sun"), local(12, 3), True),  # over the end of the week
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(
    span: QuietHours,
    at: datetime,
    quiet: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """From the minute it begins to before the one it ends, over midnight, of the day on which it began."""
    assert quiet == is_quiet([span], at, ZONE)
    assert quiet == is_quiet([span], at.astimezone(UTC), ZONE)


def test_daylight_saving_time_changes_nothing() -> None:
    """Quiet ends at seven by the clock, in the night that is an hour short and in the one that is longer."""
    span = [hours("20:00", "07:00")]
    nights = [
        [
            (at := datetime(2026, month, day, 16, tzinfo=UTC) + timedelta(minutes=30 * half))
            and is_quiet(span, at, ZONE)
            for half in range(34)
        ]
        for month, day in ((3, 27), (3, 28), (10, 24))
    ]
    lengths = [sum(night) / 2 for night in nights]

    assert [11.0, 10.0, 12.0] == lengths


@given(
    st.integers(min_value=0, max_value=1439),
    st.integers(min_value=0, max_value=1439),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.integers(min_value=0, max_value=7 * 1440 - 1),
)
@settings(deadline=None)
def test_each_span_is_as_long_as_it_says(start: int, end: int, days: set[str], minute: int) -> None:
    """A moment is quiet exactly if it lies behind a beginning by less than the length."""
    span = hours(f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}", *sorted(days))
    length = (end - start) % 1440 or 1440
    at = local(5, 0) + timedelta(minutes=minute)
    expected = any(
        0 <= minute - (WEEKDAYS.index(day) * 1440 + start) - week * 7 * 1440 < length  # type: ignore[arg-type]
        for day in days
        for week in (-1, 0)
    )

    assert expected == is_quiet([span], at, ZONE)
