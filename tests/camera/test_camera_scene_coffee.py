"""The rendered coffee corner: the same every time, true to its truth, and refused where it cannot be."""

import numpy as np
import pytest
from camera_sources import settings_for

from appliance.camera import CoffeeScene, CoffeeScript, StandingMug, Stop, open_source
from appliance.camera.scene_coffee_script import DEFAULT_COFFEE, MUG_COLOURS
from appliance.clock import SystemClock

SMALL = {"width": 320, "height": 180}


def test_the_same_frame_is_the_same_every_time() -> None:
    """In whatever order frames are asked for; another seed is another noise."""
    one, two, other = CoffeeScene(**SMALL), CoffeeScene(**SMALL), CoffeeScene(**SMALL, seed=1)
    later = two.render(60)

    np.testing.assert_array_equal(one.render(20), two.render(20))
    np.testing.assert_array_equal(one.render(60), later)
    assert (one.render(20) != other.render(20)).any()


def test_a_mug_is_where_the_truth_says() -> None:
    """Against the same scene without it, the picture changed there and nowhere else."""
    stop = Stop(0.0, "obama", mug="red")
    with_mug = CoffeeScene(CoffeeScript(10, (stop,), (StandingMug(200),)))
    without = CoffeeScene(CoffeeScript(10, (Stop(0.0, "obama", mug=None),)))
    change = np.abs(with_mug.render(40).astype(int) - without.render(40)).sum(axis=2) > 90
    allowed = np.zeros_like(change)
    for box, _ in with_mug.truth(4.0).mugs:
        left, top, right, bottom = (round(v) for v in box.corners)
        allowed[top - 2 : bottom + 2, left - 2 : right + 2] = True
        assert change[top:bottom, left:right].mean() > 0.4

    assert not (change & ~allowed).any()


def test_the_default_scene_is_two_coffees_and_two_that_are_none() -> None:
    """Two people with a mug in their hand; one who passes, and one who stands before a mug of nobody's."""
    held = {(stop.person, stop.mug is not None, stop.stay_s > 0) for stop in DEFAULT_COFFEE.stops}
    scene = CoffeeScene()
    at_once = max(len(scene.truth(i / 10).faces) for i in range(scene.frame_count))

    assert {
        ("obama", True, True),
        ("astronaut", True, True),
        ("biden", False, False),
        ("biden", False, True),
    } == held
    assert 1 == at_once


@pytest.mark.parametrize("colour", MUG_COLOURS)
def test_every_mug_can_be_drawn(colour: str) -> None:
    """At any size and shape of the frame."""
    script = CoffeeScript(5, (Stop(0.0, "biden", mug=colour),), (StandingMug(640, colour),))

    assert (243, 321, 3) == CoffeeScene(script, width=321, height=243).render(25).shape


@pytest.mark.parametrize(
    ("stops", "mugs"),
    [
        ((Stop(0, "nobody"),), ()),
        ((Stop(5, "obama"), Stop(1, "biden")), ()),
        ((Stop(0, "obama", mug="plaid"),), ()),
        ((Stop(0, "obama", second_mug="plaid"),), ()),
        ((), (StandingMug(0, "plaid"),)),
    ],
)
def test_what_cannot_be_played_is_refused(stops: tuple[Stop, ...], mugs: tuple[StandingMug, ...]) -> None:
    """When the script is made."""
    with pytest.raises(ValueError, match=r"portrait|ascend|colour"):
        CoffeeScript(10, stops, mugs)


def test_it_is_a_source_like_the_door() -> None:
    """By its name, ten frames a second."""
    source = open_source(settings_for("scene:coffee"), SystemClock())
    source.open()
    shots = [source.read() for _ in range(2)]
    source.close()

    assert "scene:coffee" == source.address
    assert [0.0, 0.1] == [shot.media_s for shot in shots if shot is not None]
