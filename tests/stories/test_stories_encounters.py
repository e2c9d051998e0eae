"""People walk through made-up video before the real loop: their own name or none, and never another's.

The full measurement is `tests/benchmarks/measure_encounters.py`; this is a small part of it that holds on
every commit, on LFW's people where they are at hand and on the repository's three portraits everywhere.
"""

import functools
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from encounters import Entrance, Shift, whose
from encounters_enrolment import SETTINGS, Enrolled, enrol
from encounters_figures import Outcome, judged, summary
from encounters_frames import Drawn, Painter, Present
from encounters_people import ARCHIVE, Person, cut_figure, lfw_people, portrait_people
from encounters_plan import HEIGHT, WIDTH, Scene, Spoil, plan

from appliance.app.embedding import ModelsClient, open_photo_reader
from appliance.faces import FaceReader
from appliance.values import Box

ENCOUNTERS = 20
SEED = 13


@pytest.fixture(scope="module")
def reader() -> Iterator[FaceReader]:
    """As enrolment has it."""
    with open_photo_reader(SETTINGS) as opened:
        yield opened


@pytest.fixture(scope="module")
def portraits(models: ModelsClient, reader: FaceReader, tmp_path_factory: pytest.TempPathFactory) -> Enrolled:
    """Two of three people enrolled."""
    return enrol(portrait_people(), tmp_path_factory.mktemp("portraits"), models, reader)


@pytest.fixture(scope="module")
def scenes(portraits: Enrolled) -> list[Scene]:
    """Some walks of the three."""
    return plan(portraits.people, 16, SEED)


@pytest.fixture(scope="module")
def drawn(portraits: Enrolled, reader: FaceReader, scenes: list[Scene]) -> list[Drawn]:
    """The first scenes, drawn."""
    return frames(portraits.people, reader, scenes[:4])


def frames(people: tuple[Person, ...], reader: FaceReader, scenes: list[Scene]) -> list[Drawn]:
    """Scenes drawn by a painter of their own."""
    painter = Painter(functools.cache(lambda person, photo: cut_figure(people[person].shown[photo], reader)))
    return [frame for scene in scenes for frame in painter.frames(scene)]


def seen(enrolled: Enrolled, scenes: list[Scene], folder: Path) -> Shift:
    """What a box of its own makes of scenes."""
    with Entrance.opened(enrolled, folder) as entrance:
        return entrance.watch(scenes, 0)


# ------------------------------------------------------------ the made-up encounters themselves


def test_a_seed_plans_the_same_encounters_and_another_does_not(portraits: Enrolled) -> None:
    """Everything follows from the seed."""
    assert plan(portraits.people, 50, 3) == plan(portraits.people, 50, 3)
    assert plan(portraits.people, 50, 3) != plan(portraits.people, 50, 4)


def test_half_are_mated_and_nobody_meets_themselves(portraits: Enrolled) -> None:
    """As many encounters as asked for, numbered, half of them mated, in groups of different people."""
    scenes = plan(portraits.people, 101, SEED)
    walks = [walk for scene in scenes for walk in scene.walks]

    assert list(range(101)) == sorted(walk.number for walk in walks)
    assert 50 == sum(portraits.people[walk.person].mated for walk in walks)
    assert all(len(scene.walks) == len({walk.person for walk in scene.walks}) for scene in scenes)
    assert {1, 2, 3} == {len(scene.walks) for scene in scenes}


def test_walks_last_about_a_second_and_some_are_spoilt(portraits: Enrolled) -> None:
    """8 to 15 frames each; faces are made useless for some of them in every way there is."""
    walks = [walk for scene in plan(portraits.people, 300, SEED) for walk in scene.walks]
    spoilt = [step.spoil for walk in walks for step in walk.steps if step.spoil]

    assert {*range(8, 16)} == {len(walk.steps) for walk in walks}
    assert set(Spoil) == set(spoilt)
    assert 0.02 < len(spoilt) / sum(len(walk.steps) for walk in walks) < 0.25


def test_drawing_is_repeatable(
    portraits: Enrolled, reader: FaceReader, scenes: list[Scene], drawn: list[Drawn]
) -> None:
    """Drawn anew, a scene is the same to the last pixel, whatever was drawn before it."""
    again = frames(portraits.people, reader, scenes[1:2])
    before = drawn[scenes[0].frames :]

    assert [frame.present for frame in again] == [frame.present for frame in before[: len(again)]]
    assert all(np.array_equal(a.bgr, b.bgr) for a, b in zip(again, before, strict=False))


def test_a_face_is_where_the_truth_says(reader: FaceReader, drawn: list[Drawn]) -> None:
    """Large faces that nothing spoils or hides are found there nearly always; none is found elsewhere."""
    there = found = 0
    for frame in drawn:
        faces = reader.detect(frame.bgr)
        assert all(whose(face.box, frame.present) >= 0 for face in faces)
        for present in frame.present:
            if present.spoilt or present.covered > 0.05 or present.box.width < 75:
                continue
            there += 1
            found += any(face.box.overlap(present.box) > 0.4 for face in faces)

    assert there > 20
    assert found / there > 0.9


def test_a_frame_is_a_camera_s(drawn: list[Drawn]) -> None:
    """1280 x 720, with noise: two frames without people differ everywhere, and by little."""
    empty = [frame.bgr for frame in drawn if not frame.present]

    assert all((HEIGHT, WIDTH, 3) == frame.bgr.shape for frame in drawn)
    assert all(not np.array_equal(a, b) for a, b in pairwise(empty))


def test_whose_face_is_decided_by_overlap() -> None:
    """The best overlap counts; next to nobody it is nobody's."""
    present = [
        Present(4, Box(100, 100, 80, 100), 0.0, spoilt=False),
        Present(7, Box(150, 100, 80, 100), 0.0, spoilt=False),
    ]

    assert 7 == whose(Box(140, 105, 80, 95), present)
    assert 4 == whose(Box(105, 95, 80, 100), present)
    assert -1 == whose(Box(400, 100, 80, 100), present)
    assert -1 == whose(Box(100, 100, 80, 100), [])


# ------------------------------------------------------------ and what the appliance says of them


@pytest.mark.slow
def test_three_people_get_their_own_name_or_none(
    portraits: Enrolled, scenes: list[Scene], tmp_path: Path
) -> None:
    """Two enrolled from one photograph each, one stranger: nobody is named wrongly, most are named."""
    shift = seen(portraits, scenes, tmp_path / "box")
    found = judged([shift], portraits)
    outcomes = [each.outcomes["ever"] for each in found if each.mated]

    assert Outcome.WRONG not in {each.outcomes["ever"] for each in found}
    assert outcomes.count(Outcome.NAMED) / len(outcomes) >= 0.6
    assert Outcome.STRANGER in {each.outcomes["ever"] for each in found if not each.mated}
    assert (len(shift.told), ()) == (shift.reproduced, shift.differing)


@pytest.mark.slow
@pytest.mark.material
def test_sixty_people_get_their_own_name_or_none(
    material: Path, models: ModelsClient, reader: FaceReader, tmp_path: Path
) -> None:
    """60 enrolled from two photographs each, 40 strangers: no wrong name at any grade, most named.

    Every decision that was stored is concluded again by a what-if as it was.
    """
    enrolled = enrol(lfw_people(material / ARCHIVE, seed=SEED), tmp_path, models, reader)
    shift = seen(enrolled, plan(enrolled.people, ENCOUNTERS, SEED), tmp_path / "seen")
    figures = summary(enrolled, [shift], SEED)
    found = judged([shift], enrolled)
    mated = [each for each in found if each.mated]

    assert [] == figures["wrong"]
    assert (60, ENCOUNTERS) == (len(enrolled.subjects), len(found))
    assert sum(each.outcomes["ever"] is Outcome.NAMED for each in mated) / len(mated) >= 0.7
    assert (len(shift.told), ()) == (shift.reproduced, shift.differing)


def test_the_published_table_adds_up() -> None:
    """Each row of `appliance/ACCURACY.md` tells of all 1,000 encounters, and no wrong name is left out."""
    page = (Path(__file__).parents[2] / "appliance" / "ACCURACY.md").read_text(encoding="utf-8")
    part = page[page.index("\n## Encounters\n") :]
    rows = re.findall(r"^\| ((?:not )?enrolled, [^|]+?) *\|(.+)\|$", part, re.MULTILINE)
    cells = {name: [int(n.replace(",", "")) for n in re.findall(r"[\d,]+", row)] for name, row in rows}

    assert 8 == len(cells)
    assert {1000} == {sum(numbers) for numbers in cells.values()}
    assert {0} == {numbers[-1] for numbers in cells.values()}
