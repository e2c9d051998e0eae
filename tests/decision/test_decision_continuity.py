"""The same face or another's: how a newcomer is told, and what an encounter does with a frame in doubt."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from factories import direction, evidence, templates
from hypothesis import given
from hypothesis import strategies as st

from appliance.decision import Encounter, ErrorTables, Policy
from appliance.decision.continuity import UNLIKE, same_face
from appliance.decision.rule import WEIGHTS
from appliance.settings import EncounterSettings, RecognitionSettings
from appliance.values import DLIB, DLIB_MIRROR, SFACE, FaceTemplate, ModelId, Templates

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
SURE, LOW = 0.5, -0.5
FUSED = sorted(WEIGHTS["fused"])
ANN, BEN = templates(1, 0), templates(0, 1)

angles = st.lists(st.floats(0, math.pi), min_size=0, max_size=5)


def begun(*frames: dict[str, float]) -> Encounter:
    """An encounter with default settings that has seen these frames of Ann, ten a second."""
    stay = Encounter(EncounterSettings(), Policy(RecognitionSettings(), TABLES))
    for i, by_subject in enumerate(frames):
        stay.add(evidence(i, by_subject), ANN)
    return stay


def turned(angle: float) -> Templates:
    """A face that lies so many radians from Ann's."""
    return templates(math.cos(angle), math.sin(angle))


def face(sface: float, dlib: float) -> Templates:
    """A face at so much of SFace's cosine and dlib's distance from `templates(1)`."""
    half = 2 * math.asin(dlib / 2)
    return {
        SFACE: FaceTemplate(SFACE, direction(sface, math.sqrt(1 - sface**2))),
        **{m: FaceTemplate(m, direction(math.cos(half), math.sin(half))) for m in (DLIB, DLIB_MIRROR)},
    }


@pytest.mark.parametrize(
    ("sface", "dlib", "same"),
    [(0.28, 0.57, False), (0.32, 0.57, True), (0.28, 0.53, True), (0.32, 0.53, True), (-0.5, 1.2, False)],
)
def test_a_face_is_another_s_when_every_model_says_so(sface: float, dlib: float, *, same: bool) -> None:
    """Just beyond both limits it is; beyond one of them alone it is not."""
    assert same is same_face(face(sface, dlib), [templates(1)], FUSED)


@pytest.mark.parametrize(
    ("model", "near", "far"), [(SFACE, 0.32, 0.28), (DLIB, 0.58, 0.62), (DLIB_MIRROR, 0.53, 0.57)]
)
def test_a_composition_of_one_model_has_its_own_limit(model: ModelId, near: float, far: float) -> None:
    """Each embedder alone tells, too."""
    known = [{each: FaceTemplate(each, direction(1)) for each in UNLIKE}]
    alike, unlike = (face(n if model is SFACE else 0.0, 1.0 if model is SFACE else n) for n in (near, far))

    assert (True, False) == (same_face(alike, known, [model]), same_face(unlike, known, [model]))


def test_every_composition_has_its_limits() -> None:
    """Whatever is compared can also tell a newcomer."""
    assert set(UNLIKE) == {model for weights in WEIGHTS.values() for model in weights}


@given(st.floats(0, math.pi), angles)
def test_more_that_is_known_of_a_face_makes_it_no_stranger(angle: float, known: list[float]) -> None:
    """A face like any of the frames before is the same; more frames never make it another's."""
    new, before = turned(angle), [turned(each) for each in known]

    assert same_face(new, [*before, turned(angle)], FUSED)
    assert same_face(new, before, FUSED) == (
        not before or any(same_face(new, [each], FUSED) for each in before)
    )


@given(st.floats(0, math.pi), st.floats(0, math.pi))
def test_likeness_is_mutual(one: float, other: float) -> None:
    """Who comes first makes no difference between two frames."""
    assert same_face(turned(one), [turned(other)], FUSED) == same_face(turned(other), [turned(one)], FUSED)


def test_two_frames_of_another_face_are_a_newcomer_s() -> None:
    """The first is held back, with the second both are handed out, and neither counts here."""
    stay = begun({"ann": SURE})
    frames = [evidence(i, {"ann": LOW}) for i in (1, 2)]
    before = [stay.add(frames[0], BEN), stay.held, stay.newcomer]
    after = [stay.add(frames[1], BEN), stay.held, stay.newcomer]
    final = stay.finish()

    assert [[], (frames[0], BEN), ()] == before
    assert [[], None, ((frames[0], BEN), (frames[1], BEN))] == after
    assert final is not None
    assert (1, [0]) == (
        final.conclusion.facts.frames_seen,
        [f.sequence for f in final.conclusion.facts.frames],
    )


def test_a_frame_in_doubt_is_settled_by_the_next() -> None:
    """Like the frames before it: the one held back was a bad one, and is forgotten."""
    stay = begun({"ann": SURE})
    stay.add(evidence(1, {"ann": LOW}), BEN)
    stay.add(evidence(2, {"ann": SURE}), ANN)
    held = stay.held
    stay.add(evidence(3, {"ann": LOW}), BEN)

    assert held is None
    assert () == stay.newcomer
    assert 2 == stay.good_frames


def test_a_frame_in_doubt_makes_the_next_one_wanted() -> None:
    """Of somebody confirmed a look a second is enough, until one of them is not like them."""
    stay = begun(*[{"ann": SURE, "ben": LOW}] * 3)
    wanted = [stay.wants_frame(at_s) for at_s in (0.3, 1.1, 1.2)]
    stay.add(evidence(12, {"ann": LOW}), BEN)

    assert [False, False, True] == wanted
    assert stay.wants_frame(1.3)


def test_whoever_was_out_of_sight_is_looked_at_once() -> None:
    """After that, once a second again."""
    stay = begun(*[{"ann": SURE, "ben": LOW}] * 3)
    stay.lose_sight()
    wanted = stay.wants_frame(0.6)
    stay.add(evidence(6, {"ann": SURE}), ANN)

    assert wanted
    assert [False, True] == [stay.wants_frame(at_s) for at_s in (0.7, 1.6)]


def test_looks_at_somebody_identified_change_nothing_of_the_decision() -> None:
    """They only tell that it is still them: the final decision is of the frames that confirmed it."""
    stay = begun(*[{"ann": SURE, "ben": LOW}] * 3)
    later = [stay.add(evidence(i, {"ann": LOW, "ben": LOW}), ANN) for i in range(12, 200, 10)]
    final = stay.finish()

    assert not any(later)
    assert final is not None
    assert ("ann", 3, 1) == (
        final.conclusion.subject,
        final.conclusion.facts.frames_seen,
        final.conclusion.facts.looks,
    )


def test_somebody_who_turns_slowly_stays_the_same() -> None:
    """The latest look counts beside the frames kept: a face may end far from how it began."""
    stay = begun(*[{"ann": SURE, "ben": LOW}] * 3)
    for i, angle in enumerate(np.linspace(0, 3, 12)):
        stay.add(evidence(12 + 10 * i, {"ann": LOW, "ben": LOW}), turned(float(angle)))
        assert stay.held is None
    assert not same_face(turned(3.0), [ANN], FUSED)
