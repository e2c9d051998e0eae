"""One coffee corner: a countdown while face and cup stay, one coffee at its end, then a pause."""

import math
from itertools import pairwise

import pytest
from corners import Counter, cup, face
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.coffee import Drinker, Turns


def test_who_keeps_a_cup_in_view_takes_one_coffee() -> None:
    """After the countdown, once, however long they stay with it."""
    counter = Counter()
    taken = counter.stand(60)

    assert [("e", "ann", "cup")] == [(each.encounter, each.who, each.label) for each in taken]
    assert 0.8 == taken[0].score


def test_the_countdown_takes_its_seconds() -> None:
    """Nothing counts before they are over, and what is told runs down from them."""
    counter = Counter(countdown_s=3)
    assert [] == counter.stand(3)
    (told,) = counter.corner.shown(counter.now_s)
    taken = counter.stand(2)

    assert "counting" == told.phase
    assert 0 < told.left_s <= 3
    assert 1 == len(taken)
    assert ["counted"] == counter.phases()


def test_a_cup_out_of_view_for_a_moment_is_forgiven() -> None:
    """For a second; the network misses a cup now and then."""
    counter = Counter()
    counter.stand(2)
    counter.stand(0.6, with_cup=False)

    assert 1 == len(counter.stand(2.4))


def test_a_busy_box_forgives_a_miss() -> None:
    """Where it looks once a second or less: one look without the cup ends nothing, two do."""
    counter = Counter()
    counter.stand(2)
    counter.now_s += 1.2
    counter.frame([Drinker("e", face(), "ann")], [])
    once = counter.phases()
    counter.now_s += 1.2
    counter.frame([Drinker("e", face(), "ann")], [])

    assert ["counting"] == once
    assert [] == counter.phases()


@pytest.mark.parametrize("what", ["cup", "face"])
def test_what_is_gone_for_longer_ends_the_countdown(what: str) -> None:
    """Whichever it is; it begins anew when both are back."""
    counter = Counter()
    counter.stand(2)
    counter.stand(1.4, with_cup=False) if what == "cup" else counter.nobody(1.4)
    assert [] == counter.phases()

    assert [] == counter.stand(2.4)
    assert 1 == len(counter.stand(2))


def test_a_cup_that_stands_is_nobodys() -> None:
    """Somebody before a cup on the table takes no coffee, however long they stand there."""
    counter = Counter()

    assert [] == counter.stand(120, moving=False)
    assert [] == counter.phases()


def test_a_cup_that_stands_is_not_taken_for_the_one_in_hand() -> None:
    """Though it is nearer to where hands are."""
    counter = Counter()
    taken = []
    for i in range(40):
        held = cup(590, 250 + 45 * math.sin(i / 2))
        taken += counter.frame([Drinker("e", face(), "ann")], [cup(550, 340), held])

    assert ["ann"] == [each.who for each in taken]


def test_a_cup_that_is_picked_up_is_theirs() -> None:
    """It stood there for ten minutes; then it moves."""
    counter = Counter()
    counter.stand(600, moving=False)
    taken = []
    for i in range(30):
        taken += counter.frame([Drinker("e", face(), "ann")], [cup(y=330 - min(i, 10) * 12.0 + 5 * (i % 3))])

    assert ["ann"] == [each.who for each in taken]


@pytest.mark.parametrize(("carrier", "colleague"), [("e1", "e2"), ("e2", "e1")])
def test_who_carries_two_takes_one_and_the_colleague_beside_none(carrier: str, colleague: str) -> None:
    """Whichever of the two came first, and for as long as they stand there."""
    counter = Counter(cool_down_s=0, participation_s=5)
    people = [Drinker(colleague, face(400), "ann"), Drinker(carrier, face(560), "ben")]
    taken: list[str] = []
    for i in range(200):
        y = 330 + 45 * math.sin(i / 2)
        taken += [each.who for each in counter.frame(people, [cup(570, y), cup(650, y)])]

    assert ["ben"] == taken


@pytest.mark.parametrize(("one", "other"), [("e1", "e2"), ("e2", "e1")])
def test_of_two_at_once_the_nearer_is_first(one: str, other: str) -> None:
    """Not whose stay has the lower number; the other waits for the pause."""
    counter = Counter(cool_down_s=5)
    people = [Drinker(one, face(100), "ann"), Drinker(other, face(700, width=120), "ben")]
    taken: list[str] = []
    for i in range(100):
        y = 330 + 45 * math.sin(i / 2)
        taken += [each.who for each in counter.frame(people, [cup(150, y), cup(760, y + 40)])]

    assert ["ben", "ann"] == taken


@pytest.mark.parametrize("stays_s", [3.0, 5.0, 20.0])
def test_a_mug_that_a_colleague_puts_down_is_not_theirs(stays_s: float) -> None:
    """Ben sets his before Ann, at once or after a while, and leaves; Ann never touched it."""
    counter = Counter(participation_s=300)
    ann, ben = Drinker("a", face(500), "ann"), Drinker("b", face(700), "ben")
    taken: list[str] = []
    for i in range(200):
        seconds = i / 5
        x = 740 - 90 * min(max(0.0, seconds - 1), 2)
        people = [ann, ben] if seconds < stays_s else [ann]
        taken += [each.who for each in counter.frame(people, [cup(x)])]
        assert "a" not in {each.encounter for each in counter.corner.shown(counter.now_s)}

    assert "ann" not in taken


def test_a_mug_that_is_handed_over_is_whose_who_drinks() -> None:
    """Ben carries it to Ann, who has it in her hand from then on."""
    counter = Counter()
    ann, ben = Drinker("a", face(500), "ann"), Drinker("b", face(700), "ben")
    taken: list[str] = []
    for i in range(60):
        x = 740 - 18.0 * min(i, 10)
        taken += [each.who for each in counter.frame([ann, ben], [cup(x, 330 + 45 * math.sin(i / 2))])]

    assert ["ann"] == taken


def test_of_who_is_not_counted_nothing_is_told() -> None:
    """Neither a countdown nor a coffee; and a cup of theirs is nobody else's."""
    counter = Counter()

    assert [] == counter.stand(20, None)
    assert [] == counter.phases()


def test_the_camera_pauses_after_a_coffee() -> None:
    """Whoever comes next waits for the cool-down, and is counted then."""
    counter = Counter(cool_down_s=10)
    assert 1 == len(counter.stand(5))
    second = counter.stand(6, "ben", encounter="f")
    third = counter.stand(9, "ben", encounter="f")

    assert [] == second
    assert ["ben"] == [each.who for each in third]


def test_within_five_minutes_the_next_one_does_not_count() -> None:
    """They are told so, once, and when it does."""
    counter = Counter(cool_down_s=0)
    counter.stand(5)
    counter.nobody(60)
    again = counter.stand(5, encounter="f")
    told = counter.corner.shown(counter.now_s)
    later = counter.stand(10, encounter="f")
    silent = counter.phases()
    counter.nobody(300)
    after = counter.stand(5, encounter="g")

    assert [] == again + later
    assert ["too_soon"] == [each.phase for each in told]
    assert 200 < told[0].left_s < 300
    assert [] == silent
    assert ["g"] == [each.encounter for each in after]


def test_turns_hold_for_every_corner() -> None:
    """A coffee before one camera keeps the same person from one before another."""
    turns = Turns(300)
    one, other = Counter(turns=turns), Counter(turns=turns)
    one.stand(5)
    other.now_s = one.now_s

    assert [] == other.stand(5, encounter="elsewhere")
    assert ["too_soon"] == other.phases()


def test_one_stay_may_have_several_coffees() -> None:
    """After five minutes, and half a minute without a cup; the same cup for an hour is one coffee."""
    counter = Counter()
    first = counter.stand(400)
    counter.stand(40, with_cup=False)
    second = counter.stand(20)

    assert [1, 1] == [len(first), len(second)]


def test_frames_that_stop_end_what_was_under_way() -> None:
    """A camera that was lost and is back begins anew."""
    counter = Counter()
    counter.stand(2)
    counter.corner.interrupted()

    assert [] == counter.phases()
    assert [] == counter.stand(2)


def test_somebody_taken_for_another_begins_anew() -> None:
    """Whose coffee it will be must have been known throughout."""
    counter = Counter()
    counter.stand(2.4, "ben")

    assert [] == counter.stand(2)
    assert ["ann"] == [each.who for each in counter.stand(2)]


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(1, 30)), max_size=12))
def test_coffees_are_as_far_apart_as_they_should_be(story: list[tuple[str, bool, int]]) -> None:
    """Whatever happens: one person's by five minutes, one camera's by the pause and the countdown."""
    counter = Counter(cool_down_s=10, countdown_s=3)
    taken: list[tuple[float, str]] = []
    for number, (who, with_cup, seconds) in enumerate(story):
        for i in range(seconds * 5):
            person = Drinker(f"{who}{number}", face(), who)
            cups = [cup(y=330.0 + 45.0 * math.sin(i / 2))] if with_cup else []
            taken += [(counter.now_s, each.who) for each in counter.frame([person], cups)]
    times = [at for at, _ in taken]
    own = {who: [at for at, whose in taken if whose == who] for who in "abc"}

    assert all(b - a >= 13 - 1e-6 for a, b in pairwise(times))
    assert all(b - a >= 300 for ats in own.values() for a, b in pairwise(ats))
