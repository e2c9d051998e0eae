"""Slowing down guesses: ever longer, by name and by address, forgotten in the end; and bounded itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.app.desk.throttle import FAMILIAR_S, FREE, LONGEST_S, Familiar, Key, Throttle, address_key
from appliance.clock import ManualClock
from appliance.errors import ThrottledError

ANN: Key = ("login", "ann")
HERE: Key = ("address", "198.51.100.7")


def started() -> tuple[Throttle, ManualClock]:
    """A throttle that knows of nothing."""
    clock = ManualClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    return Throttle(clock), clock


def wait(throttle: Throttle, *keys: Key) -> float:
    """Try, and fail: how long is to be waited first, seconds."""
    try:
        throttle.admit(*keys)
    except ThrottledError as error:
        return error.wait_s
    return 0.0


def test_a_few_mistakes_cost_nothing() -> None:
    """People mistype."""
    throttle, _ = started()

    assert [0.0] * (FREE + 1) == [wait(throttle, ANN) for _ in range(FREE + 1)]
    assert wait(throttle, ANN) > 0


@pytest.mark.parametrize("key", [ANN, HERE, ("login from", "198.51.100.7 ann"), ("operator", "o")])
def test_waits_grow_up_to_their_limit(key: Key) -> None:
    """Twice as long each time; a name waits half a minute at most, an address five."""
    throttle, clock = started()
    waits = []
    for _ in range(FREE + 14):
        if (seconds := wait(throttle, key)) > 0:
            waits.append(seconds)
            clock.advance(seconds)
            throttle.admit(key)

    assert [1.0, 2.0, 4.0] == waits[:3]
    assert sorted(waits) == waits
    assert LONGEST_S[key[0]] == waits[-1]


def test_who_waits_is_not_counted() -> None:
    """Hammering does not make it longer."""
    throttle, clock = started()
    for _ in range(FREE + 1):
        throttle.admit(ANN)
    waits = [wait(throttle, ANN) for _ in range(50)]
    clock.advance(1.0)

    assert [1.0] * 50 == waits
    assert 0.0 == wait(throttle, ANN)


def test_it_is_forgotten_after_a_quarter_of_an_hour() -> None:
    """Without a try in between."""
    throttle, clock = started()
    for _ in range(FREE + 1):
        throttle.admit(ANN)
    clock.advance(901)

    assert [0.0] * (FREE + 1) == [wait(throttle, ANN) for _ in range(FREE + 1)]


def test_a_familiar_address_is_forgotten_after_a_month() -> None:
    """Lately is thirty days; each time it is right they begin anew, and an unknown address is none."""
    clock = ManualClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
    familiar = Familiar(clock)
    familiar.note("ann", HERE[1])
    familiar.note("ann", "")
    clock.advance(FAMILIAR_S)
    before = [familiar.knows("ann", HERE[1]), familiar.knows("ben", HERE[1]), familiar.knows("ann", "")]
    clock.advance(1.0)

    assert [True, False, False] == before
    assert not familiar.knows("ann", HERE[1])


def test_getting_it_right_forgives_the_name_and_uncounts_the_address() -> None:
    """So that an attacker with an account does not wipe out the guesses at others."""
    throttle, _ = started()
    for _ in range(FREE):
        throttle.admit(ANN, HERE)
    throttle.admit(ANN, HERE)
    throttle.forgive(ANN)
    throttle.take_back(HERE)

    assert [0.0] * (FREE + 1) == [wait(throttle, ANN) for _ in range(FREE + 1)]
    assert 0.0 == wait(throttle, HERE)
    assert wait(throttle, HERE) > 0


def test_what_begins_is_told_once() -> None:
    """For the log: neither at each try nor before."""
    throttle, clock = started()
    told = []
    for _ in range(FREE + 4):
        clock.advance(wait(throttle, ANN))
        told.append(throttle.begun(ANN))
    clock.advance(1000)
    again = [throttle.begun(ANN) for _ in range(FREE + 4) if not wait(throttle, ANN)]

    assert [*[[]] * FREE, [ANN]] == told[: FREE + 1]
    assert 1 == sum(ANN in each for each in told) == sum(ANN in each for each in again)


def test_one_that_waits_is_enough() -> None:
    """From a place that waits nothing is admitted, whatever the name; and the name is not counted."""
    throttle, _ = started()
    for number in range(FREE + 1):
        throttle.admit(("login", f"name{number}"), HERE)

    assert wait(throttle, ANN, HERE) > 0
    assert [0.0] * (FREE + 1) == [wait(throttle, ANN) for _ in range(FREE + 1)]


def test_memory_is_bounded() -> None:
    """Whoever has a million addresses fills no memory; the newest are known."""
    throttle, _ = started()
    for number in range(20_000):
        throttle.admit(("address", str(number)))
    for _ in range(FREE):
        throttle.admit(("address", "19999"))

    assert wait(throttle, ("address", "19999")) > 0
    assert 10_000 == len(throttle._tries)


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address; at all", ""),
    ],
)
def test_an_address_is_counted_by_who_holds_it(client: str, counted: str) -> None:
    """Of IPv6 a whole network; what is no address counts as one place."""
    assert ("address", counted) == address_key(client)


@given(st.lists(st.tuples(st.sampled_from(["try", "right", "wait"]), st.integers(0, 2)), max_size=60))
def test_nobody_ever_waits_longer_than_the_longest(steps: list[tuple[str, int]]) -> None:
    """In whatever order names are tried, are right and are waited for; and waiting it out always helps."""
    throttle, clock = started()
    for what, who in steps:
        key: Key = ("login", str(who))
        if what == "wait":
            clock.advance(who * 3.0)
        elif what == "right":
            throttle.forgive(key)
        seconds = wait(throttle, key)
        assert 0.0 <= seconds <= LONGEST_S["login"]
        if seconds:
            clock.advance(seconds)
            assert 0.0 == wait(throttle, key)
