"""The door suite: rendered scenes with true timelines, ours beside the plain rule.

The generator knows nothing of how the door is watched, and nobody tuned on the seed. The benchmark measures
more seeds, and scenes twice as wide; its figures stand in ADR 7. What is held here is a little below what
this seed gives at a quarter of the cost, of all scenes and of each family of them.
"""

import cv2
import pytest
from door_scenes import HELD_OUT, kept_picture, scenes
from door_scenes_families import FAMILIES
from door_scenes_scoring import Score, watch_scene

from appliance.door import DoorWatch

REACHED = 0.94
EACH = 1, 1
"""Transitions of a family that are made up and that are missed, at most, of its 6 to 12."""
MORE = {"lamp_shut": (2, 2), "lamp_open": (1, 2), "passing": (4, 3), "noise": (1, 2), "alike": (1, 5)}
"""Of those that make mistakes on this seed: those, and one more.

On eight seeds drawn as wide (0 to 3, 100 to 103; 1,416 transitions) the rule reaches 0.985 and 0.965 in all;
with shadows that move 0.90 and 0.71, before rooms of nearly the leaf's gray 0.97 and 0.90, else 0.90 or more.
"""
WIDTH = 320
"""Scenes are drawn this wide here: a quarter of the cost. The benchmark draws them as they are."""


def suite() -> tuple[dict[str, Score], Score]:
    """All scenes: ours by family, and the plain rule's, all together."""
    cv2.setNumThreads(1)
    ours, plain = {family: Score() for family in FAMILIES}, Score()
    for scene in scenes(HELD_OUT, width=WIDTH):
        as_before = DoorWatch(scene.door.model_copy(update={"rule": "plain"}))
        one, other = watch_scene(scene, DoorWatch(scene.door, kept_picture(scene)), as_before)
        ours[scene.family], plain = ours[scene.family] + one, plain + other
    return ours, plain


def test_every_family_named_is_one() -> None:
    """A family that was renamed does not keep the lower bar of its old name for nobody."""
    assert set(MORE) <= set(FAMILIES)


@pytest.mark.slow
def test_transitions_are_found_and_none_made_up() -> None:
    """Most transitions are found, few made up, in each family; half within three frames; plain is worse."""
    ours, plain = suite()
    whole = sum(ours.values(), Score())
    mistakes = {
        family: (found.reported - found.matched, found.true - found.matched) for family, found in ours.items()
    }
    rotten = {
        family: (made_up, missed)
        for family, (made_up, missed) in mistakes.items()
        if made_up > MORE.get(family, EACH)[0] or missed > MORE.get(family, EACH)[1]
    }

    assert {} == rotten
    assert whole.true >= 4 * len(ours)
    assert whole.precision >= REACHED
    assert whole.recall >= REACHED
    assert whole.median_delay <= 3
    assert plain.precision < whole.precision
    assert plain.recall < whole.recall
