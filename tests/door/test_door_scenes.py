"""What the door scenes and their scoring promise, before anybody is judged by them."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from door_scenes import DoorScene, scenes
from door_scenes_clip import Move, openness
from door_scenes_families import FAMILIES
from door_scenes_scoring import score, wilson
from door_scenes_stage import luma

from appliance.values import DoorState

OPEN, SHUT, UNSURE = DoorState.OPEN, DoorState.SHUT, DoorState.UNSURE
WIDTH = 320
"""Small: what is promised does not depend on it."""


def test_there_are_scenes_enough_of_every_kind() -> None:
    """Three variants of each family at least, and names that occur once."""
    names = [f"{family}-{i}" for family, plans in FAMILIES.items() for i in range(len(plans))]

    assert len(names) >= 48
    assert len(names) == len(set(names))
    assert {len(plans) >= 3 for plans in FAMILIES.values()} == {True}


@pytest.fixture(scope="module")
def drawn() -> list[DoorScene]:
    """A seed's scenes, small, without the minutes of the propped ones."""
    return [scene for scene in scenes(3, width=WIDTH) if scene.family != "propped"]


def test_a_seed_draws_the_same_scenes_again(drawn: list[DoorScene]) -> None:
    """Pixel by pixel, in whatever order the frames are asked for; another seed draws others."""
    again = list(scenes(3, width=WIDTH, families=["far"]))
    other = next(scenes(4, width=WIDTH, families=["far"]))
    first = [scene for scene in drawn if scene.family == "far"]

    for one, two in zip(first, again, strict=True):
        late, early = two.picture(40), two.picture(3)
        assert (one.door, one.truth) == (two.door, two.truth)
        assert np.array_equal(one.picture(3), early)
        assert np.array_equal(one.picture(40), late)
    assert not np.array_equal(first[0].picture(3)[:100, :100], other.picture(3)[:100, :100])


def test_the_truth_is_what_is_drawn(drawn: list[DoorScene]) -> None:
    """In the calibration clip the door's outline looks another when open, and the same while shut."""
    for scene in drawn:
        clip = scene.calibration
        mask = np.zeros((clip.plan.size[1], clip.plan.size[0]), np.uint8)
        cv2.fillConvexPoly(mask, np.rint(scene.outline).astype(np.int32), 1)
        shut, later, opened = (
            cv2.blur(clip.picture(round(at * clip.plan.fps)), (5, 5)).astype(int) for at in (0.5, 3.0, 6.5)
        )
        same = np.abs(shut - later)[mask > 0].mean()
        other = np.abs(shut - opened)[mask > 0].mean()

        assert [(0.0, "shut"), "open"] == [clip.truth[0], clip.truth[1][1]], scene.name
        assert scene.opened_s < clip.truth[1][0] < scene.opened_s + 0.5, scene.name
        assert other > 2 * same + 2, scene.name


def test_truth_alternates_and_begins_with_the_scene(drawn: list[DoorScene]) -> None:
    """Open and shut take turns, each within the clip."""
    for scene in drawn:
        at, kinds = zip(*scene.truth, strict=True)

        assert 0.0 == at[0]
        assert list(at) == sorted(set(at))
        assert at[-1] < len(scene.clip) / scene.fps
        assert all(one != two for one, two in pairwise(kinds)), scene.name


def test_the_admin_draws_the_region_over_the_upper_door(drawn: list[DoorScene]) -> None:
    """The seed lies in the door's outline, the region reaches over it to both sides and above."""
    for scene in drawn:
        width, height = scene.clip.plan.size
        left, top, right, _ = scene.door.region
        corners = scene.outline
        seed = scene.door.seed[0] * width, scene.door.seed[1] * height
        inside = cv2.pointPolygonTest(corners.astype(np.float32), seed, measureDist=False)

        assert inside > 0, scene.name
        assert left * width <= corners[0, 0], scene.name
        assert corners[1, 0] <= right * width, scene.name
        assert top * height <= corners[:2, 1].min(), scene.name


def test_a_leaf_alike_is_near_the_room_and_far_from_its_frame(drawn: list[DoorScene]) -> None:
    """8 to 35 gray levels from the room behind, in every style there is, with a frame that is darker."""
    looks = [scene.clip.stage.look for scene in drawn if scene.family == "alike"]

    assert {"in", "out", "barn", "pocket"} == {look.style for look in looks}
    assert {1, 2} == {look.leaves for look in looks}
    for look in looks:
        door, room, frame = luma(look.door), luma(look.room), luma(look.jamb)
        assert 8 - 1e-6 <= abs(door - room) <= 35 + 1e-6
        assert frame < 61 < luma(look.wall)


def test_frames_carry_their_time_and_size(drawn: list[DoorScene]) -> None:
    """Stamps count up at the scene's rate; the picture has the scene's size."""
    scene = drawn[0]
    frames = [frame for frame, _ in zip(scene.frames(), range(3), strict=False)]

    assert [0, 1 / scene.fps, 2 / scene.fps] == [frame.stamp.monotonic_s for frame in frames]
    assert {scene.clip.plan.size} == {(frame.width, frame.height) for frame in frames}


def test_a_leaf_moves_gently_from_place_to_place() -> None:
    """Nothing before the movement, half of it at half its time, all of it after."""
    far = openness([Move(1.0, 2.0, 80.0)], 0.0, np.array([0.5, 1.0, 2.0, 3.0, 9.0]))

    assert [0.0, 0.0, 40.0, 80.0, 80.0] == far.tolist()


def telling(scene: DoorScene, *said: tuple[float, DoorState]) -> list[DoorState]:
    """A state per frame, from (seconds, state) on; unsure before the first."""
    return [
        next((state for since, state in reversed(said) if t >= since - 1e-9), UNSURE)
        for t in scene.clip.times.tolist()
    ]


def test_the_truth_itself_scores_full_marks(drawn: list[DoorScene]) -> None:
    """Whoever says the truth is right everywhere, at once."""
    for scene in drawn:
        states = [OPEN if scene.clip.told(i) == "open" else SHUT for i in range(len(scene.clip))]
        got = score(scene, states)

        assert (got.true, got.true, got.true) == (len(scene.truth) - 1, got.reported, got.matched), scene.name
        assert set(got.delays) <= {0}, scene.name


def test_what_is_late_wrong_or_made_up_is_counted(drawn: list[DoorScene]) -> None:
    """Two seconds late is a miss and a false report; a blink is two false reports; unsure is none."""
    scene = next(each for each in drawn if each.family == "far")
    opened, shut = scene.truth[1][0], scene.truth[2][0]
    right = telling(scene, (0.2, SHUT), (opened + 0.2, OPEN), (shut + 0.2, SHUT))
    late = telling(scene, (0.2, SHUT), (opened + 2.0, OPEN), (shut + 0.2, SHUT))
    blink = telling(scene, (0.2, SHUT), (1.0, OPEN), (1.4, SHUT), (opened, OPEN), (shut, SHUT))
    veiled = telling(scene, (0.2, SHUT), (1.0, UNSURE), (1.4, SHUT), (opened, OPEN), (shut, SHUT))
    counts = [
        (s.matched, s.reported, s.true) for s in (score(scene, said) for said in (right, late, blink, veiled))
    ]

    assert [(2, 2, 2), (1, 2, 2), (2, 4, 2), (2, 2, 2)] == counts


def test_a_wrong_first_answer_counts_as_made_up(drawn: list[DoorScene]) -> None:
    """Open said of a shut door at the start, then shut: neither is a transition there was."""
    scene = next(each for each in drawn if each.family == "far")
    opened, shut = scene.truth[1][0], scene.truth[2][0]
    got = score(scene, telling(scene, (0.0, OPEN), (0.5, SHUT), (opened, OPEN), (shut, SHUT)))

    assert (2, 4, 2) == (got.matched, got.reported, got.true)


def test_wilson_is_the_published_interval() -> None:
    """81 of 263 (Newcombe 1998, table I): 0.2553 to 0.3662; nothing of nothing says nothing."""
    assert (0.2553, 0.3662) == tuple(round(v, 4) for v in wilson(81, 263))
    assert (0.0, 1.0) == wilson(0, 0)
