"""What is said of each rule, and whether what is said to be needed would have been enough."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from decided import TABLES, encounters
from factories import evidence
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.decision import RULES, Conclusion, GradedDecision, Policy, explained, reasons
from appliance.decision.explanation import Need, needs
from appliance.decision.recompute import recompute
from appliance.decision.rule import at_grade
from appliance.events import DecisionFacts, FrameScore
from appliance.settings import RecognitionSettings
from appliance.values import Grade, SubjectId, Verdict

MADE = encounters("ann", "ben")
LAST = {name: decisions[-1] for name, decisions in MADE.items()}


def words(decision: GradedDecision) -> str:
    """All that is said of it, ids as names with a capital."""
    said = decision.conclusion
    return "\n".join(reasons(said.facts, said.verdict, decision.grade, str.title))


def test_every_rule_occurs_and_is_explained() -> None:
    """The encounters made here come out by every rule there is, and each has words."""
    found = {decision.conclusion.facts.rule for decisions in MADE.values() for decision in decisions}

    assert set(RULES) == found
    assert set(MADE) - {"repeats_confirmed"} == {
        name for name, decision in LAST.items() if decision.conclusion.facts.rule == name
    }


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (
            "score_and_margin",
            (
                "why: the score reached the threshold, and the lead over everybody else was enough",
                "nearest: Ann, score +0.500",
                "second: Ben, score -0.500",
                "lead over the second: +1.000; needed +0.050",
                "more than 0.439 less and it would have been undecided",
            ),
        ),
        (
            "below_threshold",
            (
                "why: nobody enrolled came near their threshold",
                "undecided rather than a stranger within 0.100 below the threshold",
                "0.461 more and it would have been undecided\n0.561 more and it would have been a greeting",
            ),
        ),
        ("empty_gallery", ("why: nobody is enrolled", "gallery: version 1 with 0 people")),
        (
            "near_threshold",
            (
                "too near for a stranger",
                "0.011 more and it would have been a greeting for Ann",
                "more than 0.089 less and it would have been a stranger",
            ),
        ),
        (
            "stricter_person",
            (
                "not the stricter one set for this person: Ann, 10 times as strict",
                "threshold +0.061: 0.10% of strangers may pass among 2 people",
                "stricter threshold +0.136: for Ann, 10 times fewer strangers may pass",
                "0.036 more and it would have been a greeting for Ann",
            ),
        ),
        (
            "look_alike",
            (
                "too close together to tell them apart: Ann and Ben",
                "0.030 more of a lead and it would have been a greeting for Ann",
            ),
        ),
        ("tie", ("exactly the same score: Ann and Ben", "0.050 more of a lead")),
        (
            "contradicted",
            (
                "Ann was greeted, now it looks like nobody",
                "without the earlier greeting it would have been a stranger",
            ),
        ),
        (
            "too_few_frames",
            (
                "one good frame is too little to call them a stranger",
                "1 more good frame and it would have been a stranger",
            ),
        ),
        (
            "repeats_confirmed",
            (
                "why: nobody enrolled came near their threshold; the end of the encounter repeats what had",
                "been confirmed, for by itself it was undecided",
            ),
        ),
    ],
)
def test_the_words_of_each_rule(name: str, texts: tuple[str, ...]) -> None:
    """Rule, people, thresholds, and what would have had to be different."""
    said = words(LAST[name])

    for text in texts:
        assert text in said


def test_each_frame_is_told_with_its_weight_and_scores() -> None:
    """Sequence, time, quality, share of the score, and its scores of the first two."""
    policy = Policy(RecognitionSettings(), TABLES)
    frames = [
        evidence(3, {"ann": 0.4, "ben": 0.0}, quality=90),
        evidence(7, {"ann": 0.2, "ben": 0.1}, quality=30),
    ]
    facts = policy.conclude(frames, seen=5).facts
    said = reasons(facts, Verdict.IDENTIFIED, Grade.CONFIRMED, str.title)

    assert "frames: the best 2 of 5 good frames, worth 1 independent photo" in said
    assert "  frame 3 (at 0.30 s): quality 90, counts 75%; Ann +0.400, Ben +0.000" in said
    assert "  frame 7 (at 0.70 s): quality 30, counts 25%; Ann +0.200, Ben +0.100" in said


def test_the_familiar_distance_is_shown_and_decides_nothing() -> None:
    """Where a dlib model was compared: its distance beside 0.6; elsewhere not a word of it."""
    candidates = [{"subject": "ann", "score": 0.5, "references": 1, "by_model": {"dlib-mirror": -0.412}}]
    facts = LAST["score_and_margin"].conclusion.facts.model_dump() | {"candidates": candidates}
    without = facts | {"candidates": [{**candidates[0], "by_model": {"sface": 0.5}}]}

    said, silent = (
        "\n".join(reasons(DecisionFacts.model_validate(each), Verdict.IDENTIFIED, Grade.FINAL, str))
        for each in (facts, without)
    )

    assert "dlib distance 0.412 (customarily one person up to 0.6, which decides nothing)" in said
    assert "0.6" not in silent


def test_the_numbers_carry_the_same_by_id() -> None:
    """Stable names for programs: people, frames, thresholds, gallery, rule, and what was needed."""
    decision = LAST["stricter_person"]
    said = explained(decision.conclusion.facts, decision.conclusion.verdict, decision.grade)

    assert {
        "verdict", "grade", "rule", "policy_version", "composition", "score", "threshold",
        "stricter_threshold", "strictness", "stranger_band", "margin", "margin_wanted", "people", "frames",
        "frames_seen", "confirm_frames", "looks", "greeted_before", "repeats_confirmed", "error_rates",
        "gallery", "needed",
    } == set(said)  # fmt: skip
    assert ("undecided", "final", "stricter_person") == (said["verdict"], said["grade"], said["rule"])
    assert ["ann", "ben"] == [person["subject"] for person in said["people"]]
    assert 1.0 == pytest.approx(sum(frame["share"] for frame in said["frames"]))
    assert {"size": 2, "version": 1} == said["gallery"]
    assert [("score", "identified", "ann")] == [
        (need["what"], need["verdict"], need["subject"]) for need in said["needed"]
    ]


def test_an_old_decision_is_explained_with_what_it_has() -> None:
    """Policy 1 knew no weights: frames count alike, and its table says how many were independent."""
    body = json.loads((Path(__file__).parent / "decision_of_policy_1.json").read_text(encoding="utf-8"))
    facts = DecisionFacts.model_validate(body["facts"])
    said = reasons(facts, Verdict.IDENTIFIED, Grade.CONFIRMED, str.title)

    assert "more than 0.345 less and it would have been undecided" in said
    assert 2 == sum("counts 50%" in text for text in said)
    assert said[-1].endswith("rule of version 1")
    assert explained(facts, Verdict.IDENTIFIED, Grade.CONFIRMED)["people"][0]["threshold"] is None


def moved(facts: DecisionFacts, by: float) -> DecisionFacts:
    """The same, with the leading person's score another in every frame."""
    best = facts.candidates[0].subject

    def shifted(frame: FrameScore) -> FrameScore:
        found: dict[str, Mapping[str, float]] = {name: dict(each) for name, each in frame.scores.items()}
        found[best] = {**found[best], "sface": found[best]["sface"] + by}
        return frame.model_copy(update={"scores": found})

    return facts.model_copy(update={"frames": tuple(shifted(frame) for frame in facts.frames)})


@given(
    st.lists(st.sampled_from([-0.6, 0.0, 0.03, 0.1, 0.12, 0.5]), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(-0.05, 0.05), st.floats(30, 100)), min_size=1, max_size=4),
    st.builds(
        RecognitionSettings,
        margin=st.sampled_from([0.0, 0.05, 0.2]),
        stranger_band=st.sampled_from([0.0, 0.04, 0.1]),
    ),
    st.sampled_from([None, {"0": 10.0}, {"0": 50.0, "1": 50.0}]),
)
def test_what_is_said_to_be_needed_is_needed_and_is_enough(
    levels: list[float],
    frames: list[tuple[float, float]],
    settings: RecognitionSettings,
    strictness: dict[str, float] | None,
) -> None:
    """Change the leading score by what it says: the other verdict. By a little less: the same as before."""
    seen = [
        evidence(
            10 * i,
            {str(n): level + shift * (-1) ** n for n, level in enumerate(levels)},
            quality=quality,
            strictness=strictness,
        )
        for i, (shift, quality) in enumerate(frames)
    ]
    was = at_grade(Policy(settings, TABLES).conclude(seen, seen=9, confirm_frames=3), Grade.CONFIRMED)
    found = needs(was.facts, was.verdict, Grade.CONFIRMED)

    assert found
    for need in found:
        assume(abs(need.by) > 1e-4)
        # Means of rounded scores: a unit or two of the last digit may be lost on the way.
        way = 3e-6 if need.by > 0 else -3e-6
        further = way if need.beyond or need.by > 0 else 0.0
        enough = recompute(moved(was.facts, need.by + further), Grade.CONFIRMED, TABLES)
        short = recompute(moved(was.facts, need.by - way), Grade.CONFIRMED, TABLES)
        if further:
            assert _as_said(need) == (enough.verdict, enough.subject)
        else:
            # A tie is one score alone: a digit lost on the way, and it is the second person's.
            assert (need.verdict, enough.subject) in {
                (Verdict.UNDECIDED, None),
                (Verdict.UNDECIDED, SubjectId(was.facts.candidates[1].subject)),
            }
        if need is found[0]:
            assert (was.verdict, was.subject) == (short.verdict, short.subject)


def _as_said(need: Need) -> tuple[Verdict, SubjectId | None]:
    return need.verdict, SubjectId(need.subject) if need.subject else None


def test_nobody_enrolled_needs_nothing() -> None:
    """No score could have changed it."""
    empty: Conclusion = LAST["empty_gallery"].conclusion

    assert [] == needs(empty.facts, empty.verdict, Grade.FINAL)
