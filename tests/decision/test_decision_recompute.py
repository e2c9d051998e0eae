"""A stored decision, concluded again, through the JSON that the log keeps."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import direction, evidence, face, scores, templates
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.decision import (
    Changes,
    Conclusion,
    Encounter,
    ErrorTables,
    FrameEvidence,
    GradedDecision,
    Obstacle,
    Policy,
    obstacle,
    recompute,
)
from appliance.decision.rule import WEIGHTS
from appliance.events import DecisionFacts, SubjectIdentified, parse_event
from appliance.settings import EncounterSettings, RecognitionSettings
from appliance.values import DLIB, DLIB_MIRROR, SFACE, FaceTemplate, Grade, SubjectId, SubjectScores, Verdict

DATA = json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
TABLES = ErrorTables.from_json(DATA)


def stored(facts: DecisionFacts) -> DecisionFacts:
    """The facts as they come back from the log: through its JSON."""
    text = json.dumps(facts.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return DecisionFacts.model_validate(json.loads(text))


def concluded(
    by_subject: dict[str, float], *, composition: str = "fused", seen: int = 3, **options: Any
) -> Conclusion:
    """One frame judged by default settings."""
    policy = Policy(RecognitionSettings.model_validate({"composition": composition}), TABLES)
    return policy.conclude([evidence(0, by_subject, **options)], seen=seen, confirm_frames=3)


@st.composite
def galleries(draw: st.DrawFn) -> tuple[tuple[SubjectId, ...], np.ndarray, np.ndarray]:
    """Subjects with references and strictness."""
    n = draw(st.integers(0, 12))
    references = draw(st.lists(st.integers(1, 6), min_size=n, max_size=n))
    strictness = draw(st.lists(st.sampled_from([1.0, 1.0, 3.0, 10.0, 1000.0]), min_size=n, max_size=n))
    names = tuple(SubjectId(f"subject-{i:02}") for i in range(n))
    return names, np.array(references, np.int64), np.array(strictness, np.float64)


@st.composite
def walk_ups(draw: st.DrawFn, models: Sequence[Any]) -> list[FrameEvidence]:
    """The frames of somebody's stay, compared with some gallery, often with people near each other."""
    names, references, strictness = draw(galleries())
    levels = draw(
        st.lists(
            st.sampled_from([-0.6, -0.1, 0.02, 0.05, 0.3, 0.31]), min_size=len(names), max_size=len(names)
        )
    )
    noise = draw(st.sampled_from([0.0, 1e-7, 0.03, 0.3]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames: list[FrameEvidence] = []
    at_s = draw(st.floats(0, 1e6))
    for sequence in range(draw(st.integers(1, 14))):
        compared = SubjectScores(
            names,
            references,
            {
                model: (np.array(levels) + noise * random.standard_normal(len(names))).astype(np.float32)
                - np.float32(0.0 if model == SFACE else 0.3)
                for model in models
            },
            7,
            strictness,
        )
        quality = float(random.uniform(0, 100))
        frames.append(
            FrameEvidence(sequence, at_s, draw(st.none() | st.just(at_s)), quality, face().box, compared)
        )
        at_s += draw(st.sampled_from([0.0333333, 0.1, 0.5, 1.0, 2.7]))
    return frames


recognition = st.builds(
    RecognitionSettings,
    composition=st.sampled_from(sorted(WEIGHTS)),
    fpir=st.floats(1e-5, 0.1),
    margin=st.sampled_from([0.0, 0.05]) | st.floats(0, 0.3),
    stranger_band=st.sampled_from([0.0, 0.04]) | st.floats(0, 0.3),
)
encounters = st.builds(EncounterSettings, confirm_frames=st.integers(2, 5), keep_frames=st.integers(5, 10))


@settings(max_examples=150, deadline=None)
@given(st.data(), recognition, encounters)
def test_every_stored_decision_is_reproduced_exactly(
    data: st.DataObject, asked: RecognitionSettings, grades: EncounterSettings
) -> None:
    """Whatever the gallery, frames and settings: through the log and back, the same to the last bit."""
    frames = data.draw(walk_ups(sorted(WEIGHTS[asked.composition])))
    stay = Encounter(grades, Policy(asked, TABLES))
    one_face = {model: FaceTemplate(model, direction(1)) for model in WEIGHTS[asked.composition]}
    decisions: list[GradedDecision] = []
    for frame in frames:
        if stay.wants_frame(frame.at_s):
            decisions.extend(stay.add(frame, one_face))
    decisions.extend(filter(None, [stay.finish()]))

    assert decisions
    for decision in decisions:
        facts = stored(decision.conclusion.facts)
        assert decision.conclusion.facts == facts
        assert decision.conclusion == recompute(facts, decision.grade, TABLES)


@given(st.data(), recognition)
def test_a_changed_setting_gives_what_it_would_have_given(
    data: st.DataObject, asked: RecognitionSettings
) -> None:
    """A what-if over everybody's scores says what the loop would have said with that setting."""
    frames = data.draw(walk_ups(sorted(WEIGHTS[asked.composition])))
    other = data.draw(
        recognition.map(lambda made: made.model_copy(update={"composition": asked.composition}))
    )
    few = [
        replace(frame, scores=_first(frame.scores, 5))  # nobody is cut off, so the shortlists are equal
        for frame in frames
    ]
    was = Policy(asked, TABLES).conclude(few, seen=9)
    would = Policy(other, TABLES).conclude(few, seen=9)
    changes = Changes(fpir=other.fpir, margin=other.margin, stranger_band=other.stranger_band)

    assert would == recompute(stored(was.facts), Grade.CONFIRMED, TABLES, changes)


def _first(found: SubjectScores, count: int) -> SubjectScores:
    """The scores of the first so many people."""
    return SubjectScores(
        found.subjects[:count],
        found.references[:count],
        {model: values[:count] for model, values in found.by_model.items()},
        found.gallery_version,
        found.strictness[:count],
    )


def test_another_threshold_is_held_against_the_same_score() -> None:
    """Above the score nobody is named any more; the stored score stays."""
    was = concluded({"ann": 0.5, "ben": -0.5})
    higher = recompute(was.facts, Grade.CONFIRMED, TABLES, Changes(threshold=0.51))
    lower = recompute(was.facts, Grade.CONFIRMED, TABLES, Changes(threshold=0.5))

    assert Verdict.IDENTIFIED is was.verdict is lower.verdict
    assert (Verdict.UNDECIDED, "near_threshold") == (higher.verdict, higher.facts.rule)
    assert was.facts.score == higher.facts.score
    assert 0.51 == higher.facts.threshold


def test_a_threshold_asked_for_leaves_a_stricter_person_stricter() -> None:
    """The one threshold is for everybody; who has a higher one of their own keeps it."""
    was = concluded({"ann": 0.15, "ben": -0.5}, strictness={"ann": 1000.0})
    lower = recompute(was.facts, Grade.CONFIRMED, TABLES, Changes(threshold=-0.2))

    assert "stricter_person" == lower.facts.rule
    assert was.facts.stricter_threshold == lower.facts.stricter_threshold


def test_one_model_of_the_two_can_be_asked_for_alone() -> None:
    """The scores of both models are stored for the shortlist, so either alone can be judged."""
    was = concluded({"ann": 0.5, "ben": -0.5})
    alone = recompute(was.facts, Grade.CONFIRMED, TABLES, Changes(composition="sface"))

    assert ("sface", 0.5) == (alone.facts.composition, alone.facts.score)
    assert alone.facts.threshold > was.facts.threshold


def test_a_final_that_repeats_is_judged_as_the_confirmed_one() -> None:
    """Confirmed as a stranger, undecided at the end: the final repeats it, and so does the what-if."""
    stay = Encounter(EncounterSettings(), Policy(RecognitionSettings(), TABLES))
    for i in range(3):
        stay.add(evidence(i, {"ann": -0.5}, quality=40), templates(1))
    for i in range(20, 80, 12):
        stay.add(evidence(i, {"ann": 0.17}, quality=100), templates(1))
    final = stay.finish()

    assert final is not None
    assert final.conclusion.facts.repeats_confirmed
    assert (Verdict.STRANGER, "below_threshold") == (final.conclusion.verdict, final.conclusion.facts.rule)
    assert final.conclusion == recompute(stored(final.conclusion.facts), Grade.FINAL, TABLES)


def test_an_old_decision_is_still_read_but_not_concluded_again() -> None:
    """An event as policy 1 stored it: it parses, with today's defaults, and says why it cannot be judged."""
    body = json.loads((Path(__file__).parent / "decision_of_policy_1.json").read_text(encoding="utf-8"))
    event = parse_event(body)
    assert isinstance(event, SubjectIdentified)
    old = event.facts

    assert (1, 1.0, None) == (old.policy_version, old.strictness, old.stricter_threshold)
    assert Obstacle.OLD_POLICY is obstacle(old, TABLES, Changes())
    assert Obstacle.OLD_POLICY is obstacle(old, TABLES, Changes(margin=0.1))
    with pytest.raises(ValueError, match="old_policy"):
        recompute(old, Grade.CONFIRMED, TABLES)


@pytest.mark.parametrize(
    ("composition", "wanted", "expected"),
    [
        ("fused", "dlib", Obstacle.MODEL_NOT_STORED),
        ("sface", "fused", Obstacle.MODEL_NOT_STORED),
        ("fused", "dlib-mirror", None),
        ("fused", "sface", None),
        ("sface", "sface", None),
    ],
)
def test_a_composition_needs_its_models_stored(
    composition: str, wanted: str, expected: Obstacle | None
) -> None:
    """What was never compared cannot be fused afterwards."""
    base = scores({"ann": 0.5, "ben": 0.1})
    by_model = dict.fromkeys((DLIB, DLIB_MIRROR, SFACE), base.by_model[SFACE])
    policy = Policy(RecognitionSettings.model_validate({"composition": composition}), TABLES)
    frame = replace(evidence(0, {}), scores=replace(base, by_model=by_model))
    facts = policy.conclude([frame], seen=1).facts

    assert expected is obstacle(facts, TABLES, Changes(composition=wanted))


def test_other_tables_are_named_when_reproducing() -> None:
    """A release with new error rates cannot say it reproduces; asked what-if, it uses its own."""
    facts = concluded({"ann": 0.5}).facts
    newer = ErrorTables.from_json({"tables": [t for t in DATA["tables"] if t["references"] == 1]})

    assert facts.tables != newer.fingerprint
    assert Obstacle.OTHER_TABLES is obstacle(facts, newer, Changes())
    assert obstacle(facts, newer, Changes(margin=0.1)) is None


def test_without_frames_there_is_nothing_to_conclude_from() -> None:
    """Said by name, not found out by an exception."""
    facts = concluded({"ann": 0.5}).facts.model_copy(update={"frames": ()})

    assert Obstacle.NO_FRAMES is obstacle(facts, TABLES, Changes())


def test_an_empty_gallery_is_reproduced_too() -> None:
    """Nobody is enrolled, so no scores were stored; nothing is missing."""
    was = concluded({})

    assert Verdict.STRANGER is was.verdict
    assert was == recompute(stored(was.facts), Grade.CONFIRMED, TABLES)
    assert obstacle(was.facts, TABLES, Changes(composition="dlib")) is None
