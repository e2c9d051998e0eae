"""Moments searched, on both databases: pages without gaps, bars that add up to them, told apart as asked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moments_of_a_box import ALL, HOURS, follow, pages, seen, stranger
from stores import AGREED, NOON, OPENED, identified, sql, store

from appliance.store import MomentsWanted, Seen, Store

MakeStore = Callable[..., Store]
CAMERAS, LABELS = ("entrance", "yard"), ("cat", "dog", "person")
FRAMES = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.sampled_from(CAMERAS),
        st.dictionaries(st.sampled_from(LABELS), st.integers(0, 100).map(lambda n: n / 100), min_size=1),
    ),
    min_size=1,
    max_size=40,
)
WANTED = st.builds(
    MomentsWanted,
    labels=st.lists(st.sampled_from(LABELS), unique=True, max_size=2).map(tuple),
    min_percent=st.sampled_from([0, 1, 29, 50, 57, 100]),
    cameras=st.lists(st.sampled_from(CAMERAS), unique=True, max_size=1).map(tuple),
    since=st.sampled_from([None, NOON + timedelta(hours=1)]),
    until=st.sampled_from([None, NOON + timedelta(hours=5)]),
)


def plainly(frames: list[Seen], wanted: MomentsWanted) -> list[Seen]:
    """What is wanted, by looking at each."""

    def fits(frame: Seen) -> bool:
        scores = [frame.labels[each] for each in wanted.labels if each in frame.labels]
        scores = scores if wanted.labels else list(frame.labels.values())
        return (
            (wanted.since is None or frame.at >= wanted.since)
            and (wanted.until is None or frame.at < wanted.until)
            and (not wanted.cameras or frame.camera in wanted.cameras)
            and any(round(score * 100) >= wanted.min_percent for score in scores)
        )

    return [frame for frame in frames if fits(frame)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames=FRAMES, wanted=WANTED, limit=st.integers(1, 9))
def test_pages_and_bars_are_what_looking_at_each_gives(
    make_store: MakeStore,
    address: str,
    frames: list[tuple[int, str, dict[str, float]]],
    wanted: MomentsWanted,
    limit: int,
) -> None:
    """Whatever is filtered: pages leave nothing out and say nothing twice; bars add up to them."""
    box = make_store(seed=3)
    for table in ("moments", "moment_marks", "moment_counts"):
        sql(address, f"DELETE FROM {table}")  # noqa: S608 - names of ours
    put = [seen(minutes, camera, **labels) for minutes, camera, labels in frames]
    box.note_seen(put)
    expected = plainly(put, wanted)
    found = pages(box, wanted, limit)
    whole = [NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=5), NOON + timedelta(hours=7)]
    first = whole.index(wanted.since or NOON)
    last = whole.index(wanted.until or whole[-1])
    hours = [NOON + timedelta(hours=i) for i in range(8)]
    within = [each for each in hours if whole[first] <= each <= whole[last]]
    quarters = [within[0] + timedelta(minutes=15 * i) for i in range(4 * (len(within) - 1) + 1)]
    fine = [within[0] + timedelta(minutes=5 * i) for i in range(12 * (len(within) - 1) + 1)]

    assert sorted(each.at for each in expected) == sorted(each.at for each in found)
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)
    assert len(found) == len({each.id for each in found})
    for edges in (within, quarters, fine):
        bars = box.moment_bars(wanted, edges)
        per = [sum(low <= each.at < high for each in expected) for low, high in pairwise(edges)]

        assert {edge: many for edge, many in zip(edges, per, strict=False) if many} == {
            bar.start: bar.many for bar in bars
        }


def test_bars_of_the_log_are_told_apart(make_store: MakeStore) -> None:
    """Door openings by door, stays by verdict, and no kind that was not asked for."""
    box = make_store()
    for i in range(3):
        box.append(OPENED, at=NOON + timedelta(hours=i))
    box.append(stranger("s"))
    box.append(identified(str(box.add_subject("Ann", consent=AGREED).id)))
    follow(box)
    doors = box.moment_bars(MomentsWanted(kinds=("door_opened",)), HOURS, "door")
    stays = box.moment_bars(MomentsWanted(kinds=("encounter",)), HOURS, "verdict")

    assert [(NOON + timedelta(hours=i), "main", 1) for i in range(3)] == [
        (bar.start, bar.key, bar.many) for bar in doors
    ]
    assert [("identified", 1), ("stranger", 1)] == [(bar.key, bar.many) for bar in stays]
    assert 4 == len(pages(box, MomentsWanted(doors=("main",)), 9))


@pytest.mark.parametrize(
    "edges",
    [
        [],
        [NOON],
        [NOON, NOON],
        [NOON, NOON + timedelta(minutes=7), NOON + timedelta(minutes=9)],
        [NOON + timedelta(seconds=i) for i in range(500)],
    ],
)
def test_edges_that_nothing_can_be_counted_for_are_refused(
    make_store: MakeStore, edges: list[datetime]
) -> None:
    """Rather than counted wrongly, or for a long time."""
    with pytest.raises(ValueError, match="edges have to"):
        make_store().moment_bars(ALL, edges)


def test_store_of_tests_is_the_real_one(address: str) -> None:
    """A moment outlives the process that wrote it."""
    with store(address) as first:
        first.note_seen([seen(0, dog=0.5)])
    with store(address) as second:
        assert 1 == second.moment_count()
