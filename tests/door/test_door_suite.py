"""The door suite: rendered scenes with true timelines, ours beside the plain rule.

The generator knows nothing of how the door is watched. One seed may have been tuned on, the other was not.
The benchmark measures more seeds, and scenes twice as wide; its figures stand in ADR 7. What is held here is
a little below what these two seeds give at a quarter of the cost, of all scenes and of each family of them.
"""

import cv2
import pytest
from door_scenes import HELD_OUT, kept_picture, scenes
from door_scenes_families import FAMILIES
from door_scenes_scoring import Score, watch_scene

from appliance.door import DoorWatch

REACHED = 0.94
EACH = 0.9, 0.9
"""Precision and recall of a family, at least: one of its 12 to 24 transitions may be wrong, and no scene."""
LESS = {
    "lamp_shut": (0.8, 0.8),
    "lamp_open": (0.9, 0.8),
    "shadows": (0.6, 0.4),
    "passing": (0.75, 0.8),
    "noise": (0.9, 0.75),
    "nudged": (0.9, 0.8),
    "alike": (0.9, 0.7),
}
"""Of those that give less on these two seeds: what they give, and one mistake more.

On eight seeds drawn as wide (0 to 3, 100 to 103; 1,416 transitions) the rule reaches 0.985 and 0.965 in all;
with shadows that move 0.90 and 0.71, before rooms of nearly the leaf's gray 0.97 and 0.90, else 0.90 or more.
"""
SEEDS = 0, HELD_OUT
WIDTH = 320
"""Scenes are drawn this wide here: a quarter of the cost. The benchmark draws them as they are."""


def suite(families: list[str]) -> tuple[dict[str, Score], Score]:
    """All scenes of these families and both seeds: ours by family, and the plain rule's, all together."""
    cv2.setNumThreads(1)
    ours, plain = {family: Score() for family in families}, Score()
    for seed in SEEDS:
        for scene in scenes(seed, width=WIDTH, families=families):
            as_before = DoorWatch(scene.door.model_copy(update={"rule": "plain"}))
            one, other = watch_scene(scene, DoorWatch(scene.door, kept_picture(scene)), as_before)
            ours[scene.family], plain = ours[scene.family] + one, plain + other
    return ours, plain


def test_every_family_named_is_one() -> None:
    """A family that was renamed does not keep the lower bar of its old name for nobody."""
    assert set(LESS) <= set(FAMILIES)


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_transitions_are_found_and_none_made_up(half: int) -> None:
    """Most transitions are found, few made up, in each family; half within three frames; plain is worse."""
    ours, plain = suite(list(FAMILIES)[half::2])
    whole = sum(ours.values(), Score())
    rotten = {
        family: (round(found.precision, 3), round(found.recall, 3))
        for family, found in ours.items()
        if found.precision < LESS.get(family, EACH)[0] or found.recall < LESS.get(family, EACH)[1]
    }

    assert {} == rotten
    assert whole.true >= 4 * len(ours) * len(SEEDS)
    assert whole.precision >= REACHED
    assert whole.recall >= REACHED
    assert whole.median_delay <= 3
    assert plain.precision < whole.precision
    assert plain.recall < whole.recall
