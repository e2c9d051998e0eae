"""The rendered corner with the real networks: from pictures to one coffee on record, and to none."""

from collections.abc import Iterator

import pytest
from coffee_corner import Bench, coffees, opened_bench, scene

from appliance.camera import CoffeeScript, StandingMug, Stop
from appliance.settings import CoffeeSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """The networks."""
    with opened_bench() as opened:
        yield opened


def test_somebody_with_a_mug_takes_one_coffee(bench: Bench) -> None:
    """After three seconds, though another mug stands before them."""
    script = CoffeeScript(9.0, (Stop(0.0, "obama"),), (StandingMug(800),))
    ((at_s, who),) = coffees(bench, scene(script))

    assert "obama" == who
    assert 3 < at_s < 8


def test_who_carries_two_takes_one_and_the_colleague_beside_none(bench: Bench) -> None:
    """They stand so close that both mugs are found before both of them."""
    script = CoffeeScript(
        9.0,
        (
            Stop(0.0, "obama", stand_x=520, second_mug="red"),
            Stop(0.2, "astronaut", stand_x=740, mug=None, from_left=False),
        ),
    )
    found = coffees(bench, scene(script), settings=CoffeeSettings(cool_down_s=0))

    assert ["obama"] == [who for _, who in found]


def test_a_mug_that_stands_there_is_nobodys(bench: Bench) -> None:
    """Whoever stands before it."""
    script = CoffeeScript(
        9.0, (Stop(0.0, "astronaut", mug=None),), (StandingMug(620), StandingMug(720, "red"))
    )

    assert [] == coffees(bench, scene(script))
