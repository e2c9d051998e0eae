"""Cups from frame to frame: a number each, carried when they were moved, furniture when they were not."""

from corners import cup
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.coffee import Cups, FollowedCup


def follow(
    cups: Cups, places: list[tuple[float, float]], *, start_s: float = 0.0, owner: str | None = "ann"
) -> list[FollowedCup]:
    """The cup of the last frame of these, five a second; all the time it is this owner's."""
    found: list[FollowedCup] = []
    for i, (x, y) in enumerate(places):
        found = cups.follow([cup(x, y)], [owner], start_s + i / 5)
    return found


def test_a_cup_keeps_its_number() -> None:
    """While it is carried across the picture."""
    numbers = set()
    cups = Cups()
    for i in range(20):
        numbers |= {each.number for each in cups.follow([cup(100 + 30 * i)], [None], i / 5)}

    assert {1} == numbers


def test_what_moved_is_carried_and_what_stands_is_not() -> None:
    """By half of its width, whichever way; and no more, ten seconds after it was put down."""
    cups = Cups()
    (still,) = follow(cups, [(100, 300)] * 10)
    (moved,) = follow(cups, [(100 + 8 * i, 300) for i in range(10)], start_s=2)
    (at_rest,) = follow(cups, [(172, 300)] * 60, start_s=4)

    assert [False, True, False] == [each.carried for each in (still, moved, at_rest)]


def test_what_another_moved_is_not_carried_by_whose_it_is_now() -> None:
    """Nor is what comes to a rest before them; two seconds later they move it themselves."""
    cups = Cups()
    (bens,) = follow(cups, [(100 + 20 * i, 300) for i in range(10)], owner="ben")
    put_down = follow(cups, [(300 + 20 * min(i, 4), 300) for i in range(40)], start_s=2)
    picked_up = follow(cups, [(380, 300 - 20 * min(i, 4)) for i in range(10)], start_s=10)

    assert ("ben", True) == (bens.owner, bens.carried)
    assert [("ann", False)] == [(each.owner, each.carried) for each in put_down]
    assert [("ann", True)] == [(each.owner, each.carried) for each in picked_up]


def test_what_nobody_has_is_carried_by_nobody() -> None:
    """However far it moves; whoever has it first has moved it from then on."""
    cups = Cups()
    (nobodys,) = follow(cups, [(100 + 20 * i, 300) for i in range(10)], owner=None)
    (rests,) = follow(cups, [(280, 300)] * 10, start_s=2)
    (anns,) = follow(cups, [(280 + 20 * i, 300) for i in range(10)], start_s=4)

    assert [False, False, True] == [each.carried for each in (nobodys, rests, anns)]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(-6, 6), st.floats(-6, 6), st.floats(0.85, 1.15)), min_size=10, max_size=80)
)
def test_an_unsteady_box_moves_nothing(jitter: list[tuple[float, float, float]]) -> None:
    """What a network says of a cup that stands varies by a tenth of its width, and by more of its size."""
    cups = Cups()
    for i, (dx, dy, size) in enumerate(jitter):
        found = cups.follow([cup(400 + dx, 300 + dy, width=60 * size)], ["ann"], i / 5)

        assert not any(each.carried for each in found)


def test_one_odd_box_moves_nothing() -> None:
    """A single wrong find far off is no movement."""
    cups = Cups()
    places = [(400.0, 300.0)] * 10 + [(440.0, 300.0)] + [(400.0, 300.0)] * 10

    assert [False] == [each.carried for each in follow(cups, places)]


def test_what_has_stood_for_long_is_furniture() -> None:
    """It is left out in its place, even after it was lost for a while; elsewhere it is a cup again."""
    cups = Cups()
    assert [] == follow(cups, [(400, 300)] * 100)
    lost = cups.follow([], [], 60.0)
    found_again = cups.follow([cup(402, 301)], ["ann"], 120.0)
    elsewhere = cups.follow([cup(520, 250)], ["ann"], 121.0)

    assert [] == lost + found_again
    assert 1 == len(elsewhere)


def test_furniture_is_forgotten_when_it_was_not_seen_for_long() -> None:
    """After half an hour."""
    cups = Cups()
    follow(cups, [(400, 300)] * 100)

    assert 1 == len(cups.follow([cup(400, 300)], ["ann"], 20 + 1801.0))


def test_two_cups_stay_two() -> None:
    """One stands, one is carried past it, and neither takes the other's number or makes it move."""
    cups = Cups()
    seen: dict[int, set[bool]] = {}
    for i in range(30):
        for each in cups.follow([cup(400, 300), cup(180 + 15 * i, 340)], ["ann"] * 2, i / 5):
            seen.setdefault(each.number, set()).add(each.carried)

    assert {1, 2} == set(seen)
    assert {False} == seen[1]
