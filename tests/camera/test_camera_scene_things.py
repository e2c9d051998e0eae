"""The rendered table: the same every time, true to its truth; drawn things are those they are said to be."""

import csv
import hashlib
import itertools
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_sources import settings_for
from search_items import rendered_one

from appliance.camera import Showing, ThingsScene, ThingsScript, open_source
from appliance.camera.scene_things import DEFAULT_THINGS
from appliance.clock import SystemClock
from appliance.errors import CameraRefusedError

THINGS = Path(__file__).parents[2] / "data" / "things"
DRAWN = (("mug", 4), ("key", 2), ("lamp", 1), ("scissors", 1), ("fish", 5))
SMALL = {"width": 320, "height": 180}


def test_the_same_frame_is_the_same_every_time() -> None:
    """In whatever order frames are asked for; another seed is another noise."""
    one, two, other = ThingsScene(**SMALL), ThingsScene(**SMALL), ThingsScene(**SMALL, seed=1)
    later = two.render(60)

    np.testing.assert_array_equal(one.render(20), two.render(20))
    np.testing.assert_array_equal(one.render(60), later)
    assert (one.render(20) != other.render(20)).any()


def test_a_thing_lies_still_and_is_in_the_middle() -> None:
    """While the truth says so nothing moves; in between everything does."""
    script = ThingsScript((Showing("mug.png"), Showing("key.png")), still_s=2, moving_s=1)
    scene = ThingsScene(script, **SMALL)
    truth = [scene.truth(index / scene.fps) for index in range(scene.frame_count)]
    frames = [scene.render(index).astype(int) for index in range(scene.frame_count)]
    changed = [np.abs(one - two).mean() > 3 for one, two in itertools.pairwise(frames)]

    assert 30 == scene.frame_count
    assert [None] * 5 + [script.shown[0]] * 10 + [None] * 5 + [script.shown[1]] * 10 == truth
    assert [True] * 5 + [False] * 10 + [True] * 5 + [False] * 9 == changed
    assert np.abs(frames[10][60:120, 130:190] - frames[10][0, 0]).mean() > 30


def test_the_default_scene_is_catalogue_and_one_strange_thing() -> None:
    """The clock is in no row of the demo's table."""
    with (THINGS / "items.csv").open(encoding="utf-8") as file:
        listed = {row["pictures"] for row in csv.DictReader(file)}

    assert {"clock_motion.png"} == {each.file for each in DEFAULT_THINGS.shown} - listed
    assert all((THINGS / each).is_file() for each in listed)


@pytest.mark.parametrize(("kind", "seed"), DRAWN)
def test_drawn_things_are_drawn_by_the_project(kind: str, seed: int) -> None:
    """To within what another processor rounds otherwise."""
    found = cv2.imread(str(THINGS / f"{kind}.png"), cv2.IMREAD_COLOR)

    assert found is not None
    assert np.abs(found.astype(int) - rendered_one(kind, seed).bgr).mean() < 1


def test_the_photographs_are_those_of_the_table() -> None:
    """By their hashes."""
    rows = re.findall(
        r"^\| `([\w.]+)` .*`([0-9a-f]{64})` \|$", (THINGS / "README.md").read_text(), re.MULTILINE
    )

    assert 4 == len(rows)
    assert {name: hashlib.sha256((THINGS / name).read_bytes()).hexdigest() for name, _ in rows} == dict(rows)


def test_it_is_a_source_and_what_cannot_be_is_refused() -> None:
    """At five frames a second; a picture that is not there, nothing to show, no size."""
    source = open_source(settings_for("scene:things", width_px=320, height_px=240), SystemClock())
    source.open()
    first, second = source.read(), source.read()
    source.close()

    assert first is not None
    assert second is not None
    assert ("scene:things", 0.2) == (source.address, second.media_s)
    assert (240, 320, 3) == first.picture.bgr().shape
    with pytest.raises(ValueError, match="something to show"):
        ThingsScene(ThingsScript(()))
    with pytest.raises(CameraRefusedError, match=r"none\.png"):
        ThingsScene(ThingsScript((Showing("none.png"),)), **SMALL).render(0)
