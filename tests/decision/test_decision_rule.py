"""The rule: weights, thresholds, each line by name, and what the shortlist does not change."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import evidence, scores
from hypothesis import given
from hypothesis import strategies as st

from appliance.decision import Conclusion, ErrorTables, Policy
from appliance.decision.policy import LISTED
from appliance.decision.rule import at_grade
from appliance.decision.weighing import effective_probes, frame_weight
from appliance.events import FrameScore
from appliance.settings import RecognitionSettings
from appliance.values import DLIB_MIRROR, SFACE, Grade, SubjectId, Verdict

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
POLICY = Policy(RecognitionSettings(), TABLES)
SURE, LOW = 0.6, -0.5


def once(by_subject: dict[str, float], **options: object) -> Conclusion:
    """A conclusion from one frame with these fused scores."""
    greeted = options.pop("greeted", None)
    return POLICY.conclude(
        [evidence(0, by_subject, **options)],  # type: ignore[arg-type]
        seen=1,
        greeted=SubjectId(str(greeted)) if greeted else None,
    )


def kept(at_s: float, quality: float) -> FrameScore:
    """A stored frame without scores."""
    return FrameScore(
        sequence=round(at_s * 10), at_s=at_s, media_s=None, quality=quality, box=(0, 0, 1, 1), scores={}
    )


def ordinary(people: int = 2, references: int = 1) -> float:
    """The threshold of the default settings at one look."""
    return round(
        TABLES.operating_point(
            "fused", references=references, probes=1, gallery_size=people, fpir=0.001
        ).threshold,
        6,
    )


def test_a_better_frame_counts_more() -> None:
    """The mean lies where the qualities put it: weights 90 and 30 on scores 0.4 and 0.0 give 0.3."""
    frames = [evidence(0, {"ann": 0.4}, quality=90), evidence(1, {"ann": 0.0}, quality=30)]

    assert 0.3 == POLICY.conclude(frames, seen=2).facts.score


def test_a_useless_frame_still_counts_a_little() -> None:
    """Quality 0 is no division by zero."""
    assert SURE == once({"ann": SURE}, quality=0).facts.score
    assert 0 < frame_weight(0.0) < frame_weight(50.0) < frame_weight(100.0)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([(0.0, 80)], 1),
        ([(0.0, 80), (0.1, 80), (0.9, 80)], 1),
        ([(0.0, 80), (1.0, 80), (2.0, 80)], 3),
        ([(0.0, 77.7), (1.0, 77.7), (2.0, 77.7)], 3),
        ([(0.0, 100), (1.0, 10), (2.0, 10)], 1),
        ([(0.0, 80), (1.0, 80), (2.0, 79)], 2),
        ([(0.0, 80), (0.1, 80), (1.0, 80), (2.0, 80)], 2),
    ],
)
def test_unequal_frames_are_worth_fewer_probes(frames: list[tuple[float, float]], expected: int) -> None:
    """Kish's effective number, rounded down, over groups a second apart."""
    assert expected == effective_probes([kept(at, quality) for at, quality in frames])


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 100)), min_size=1, max_size=12))
def test_weighting_never_makes_the_threshold_laxer(frames: list[tuple[float, float]]) -> None:
    """The weighted frames are never worth more probes than there are groups a second apart."""
    weighted = effective_probes([kept(at, quality) for at, quality in frames])
    alike = effective_probes([kept(at, 50.0) for at, _ in frames])
    apart, last = 0, -math.inf
    for at in sorted(at for at, _ in frames):
        if at - last >= 1.0:
            apart, last = apart + 1, at

    assert 1 <= weighted <= apart
    assert alike <= apart


@pytest.mark.parametrize(("margin", "rule"), [(0.05, "tie"), (0.0, "tie")])
def test_equal_scores_name_nobody_even_without_a_margin(margin: float, rule: str) -> None:
    """Between two people with the same score there is nothing to choose by."""
    policy = Policy(RecognitionSettings(margin=margin), TABLES)
    conclusion = policy.conclude([evidence(0, {"ann": SURE, "ben": SURE})], seen=1)

    assert (Verdict.UNDECIDED, rule) == (conclusion.verdict, conclusion.facts.rule)
    assert conclusion.subject is None
    assert ["ann", "ben"] == [candidate.subject for candidate in conclusion.facts.candidates]


def test_without_a_margin_the_smallest_lead_names() -> None:
    """Margin 0 asks for a lead of any size."""
    policy = Policy(RecognitionSettings(margin=0.0), TABLES)

    assert "ann" == policy.conclude([evidence(0, {"ann": SURE, "ben": SURE - 1e-5})], seen=1).subject


def test_look_alikes_are_undecided_and_both_are_in_the_facts() -> None:
    """The two that were too close together are the first two candidates, with the lead between them."""
    conclusion = once({"ann": SURE, "ben": SURE - 0.02, "cid": LOW})

    assert (Verdict.UNDECIDED, "look_alike") == (conclusion.verdict, conclusion.facts.rule)
    assert ["ann", "ben"] == [candidate.subject for candidate in conclusion.facts.candidates[:2]]
    assert 0.02 == conclusion.facts.margin


def test_a_stricter_person_needs_more_and_is_never_a_stranger() -> None:
    """Between the ordinary threshold and their own: undecided; above their own: identified."""
    between = once({"ann": ordinary() + 0.01, "ben": LOW}, strictness={"ann": 100.0})
    above = once({"ann": SURE, "ben": LOW}, strictness={"ann": 100.0})
    usual = once({"ann": ordinary() + 0.01, "ben": LOW}, strictness={"ben": 100.0})

    assert (Verdict.UNDECIDED, "stricter_person") == (between.verdict, between.facts.rule)
    assert (Verdict.IDENTIFIED, "ann") == (above.verdict, above.subject)
    assert (Verdict.IDENTIFIED, "ann") == (usual.verdict, usual.subject)
    assert 100.0 == between.facts.strictness
    assert between.facts.stricter_threshold is not None
    assert between.facts.stricter_threshold > between.facts.threshold == ordinary()
    assert usual.facts.stricter_threshold is None


def test_below_the_ordinary_threshold_strictness_changes_nothing() -> None:
    """Somebody with a stricter threshold does not make more strangers, nor fewer."""
    for score in (ordinary(people=1) - 0.01, LOW):
        plain, strict = (once({"ann": score}, strictness={"ann": factor}) for factor in (1.0, 100.0))

        assert (plain.verdict, plain.facts.rule) == (strict.verdict, strict.facts.rule)


@given(st.floats(1, 1000), st.floats(1, 1000), st.integers(1, 500))
def test_more_strictness_never_lowers_the_threshold(one: float, other: float, size: int) -> None:
    """The factor divides the wanted FMR, so the threshold rises with it."""
    lax, strict = (
        TABLES.operating_point(
            "fused", references=1, probes=1, gallery_size=size, fpir=0.001, strictness=factor
        ).threshold
        for factor in sorted((one, other))
    )

    assert lax <= strict


def test_strictness_divides_the_rate_of_the_one_person() -> None:
    """Ten times as strict is the threshold of a tenth of the false-match rate."""
    tenth = TABLES.operating_point(
        "fused", references=1, probes=1, gallery_size=1, fpir=0.001, strictness=10.0
    )

    assert 0.0001 == pytest.approx(tenth.fmr)
    assert 0.1166 == pytest.approx(tenth.threshold)


def test_somebody_near_their_own_lower_threshold_makes_no_stranger() -> None:
    """The first has one photo and is far below; the second has five, and reached what five need."""
    base = scores({"ann": 0.0, "ben": -0.01})
    uneven = replace(base, references=np.array([1, 5], np.int64))
    conclusion = POLICY.conclude([replace(evidence(0, {}), scores=uneven)], seen=3)

    assert -0.01 >= ordinary(references=5) - 0.04
    assert 0.0 < ordinary(references=1) - 0.04
    assert (Verdict.UNDECIDED, "near_threshold") == (conclusion.verdict, conclusion.facts.rule)


@pytest.mark.parametrize(
    ("by_subject", "verdict"),
    [
        ({"ann": SURE, "ben": LOW}, Verdict.IDENTIFIED),
        ({"ann": LOW, "ben": SURE}, Verdict.UNDECIDED),
        ({"ann": LOW, "ben": LOW}, Verdict.UNDECIDED),
    ],
)
def test_whoever_was_greeted_is_not_somebody_else_later(
    by_subject: dict[str, float], verdict: Verdict
) -> None:
    """Greeted as Ann: Ann again, or undecided; never Ben, and never a stranger."""
    conclusion = once(by_subject, greeted="ann")

    assert verdict is conclusion.verdict
    assert ("contradicted" == conclusion.facts.rule) == (verdict is Verdict.UNDECIDED)
    assert "ann" == conclusion.facts.greeted


@pytest.mark.parametrize(
    ("grade", "seen", "rule"),
    [
        (Grade.GREETING, 99, "too_few_frames"),
        (Grade.CONFIRMED, 2, "too_few_frames"),
        (Grade.CONFIRMED, 3, "below_threshold"),
        (Grade.FINAL, 1, "too_few_frames"),
        (Grade.FINAL, 2, "below_threshold"),
    ],
)
def test_a_stranger_needs_frames_by_grade(grade: Grade, seen: int, rule: str) -> None:
    """Never at a greeting, at three frames when confirmed, at two at the end."""
    raw = POLICY.conclude([evidence(0, {"ann": LOW})], seen=seen, confirm_frames=3)
    graded = at_grade(raw, grade)

    assert rule == graded.facts.rule
    assert (Verdict.STRANGER is graded.verdict) == (rule == "below_threshold")


def test_a_grade_changes_nothing_else() -> None:
    """Only strangers need frames."""
    raw = once({"ann": SURE})

    assert [raw] * 3 == [at_grade(raw, grade) for grade in Grade]


@given(
    st.lists(st.floats(-0.5, 0.875, width=32), min_size=1, max_size=40),
    st.lists(st.floats(30, 100), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_the_shortlist_holds_the_first_two(
    people: list[float], qualities: list[float], random: object
) -> None:
    """Best and lead from the shortlist are those of everybody, to the last stored digit."""
    frames = [
        evidence(
            i,
            {f"{n:02}": level + random.uniform(-0.2, 0.2) for n, level in enumerate(people)},  # type: ignore[attr-defined]
            quality=quality,
        )
        for i, quality in enumerate(qualities)
    ]
    facts = POLICY.conclude(frames, seen=len(frames)).facts
    shares = np.array([round(quality, 1) for quality in qualities])
    table = np.array([frame.scores.by_model[SFACE].astype(np.float64) for frame in frames])
    everybody = np.sort((shares @ table) / shares.sum())[::-1]

    assert min(LISTED, len(people)) == len(facts.candidates)
    assert facts.score == pytest.approx(everybody[0], abs=2e-6)
    if len(people) > 1:
        assert facts.margin == pytest.approx(everybody[0] - everybody[1], abs=4e-6)


def test_many_equal_people_are_a_tie_though_the_shortlist_is_cut() -> None:
    """More with the same score than are kept: still nobody."""
    conclusion = once({f"{n:02}": SURE for n in range(3 * LISTED)})

    assert "tie" == conclusion.facts.rule
    assert LISTED == len(conclusion.facts.candidates)


def test_the_score_is_the_one_that_its_parts_give() -> None:
    """Whoever checks the stored numbers by hand finds them to fit, to the last digit."""
    by_model = {
        SFACE: np.array([0.4123456, 0.1], np.float32),
        DLIB_MIRROR: np.array([-0.3333333, -0.9], np.float32),
    }
    frame = replace(evidence(0, {}), scores=replace(scores({"ann": 0, "ben": 0}), by_model=by_model))
    facts = POLICY.conclude([frame], seen=1).facts
    best, second = facts.candidates[:2]

    assert round(best.by_model["sface"] + 0.5 * best.by_model["dlib-mirror"], 6) == best.score == facts.score
    assert round(best.score - second.score, 6) == facts.margin
    assert {"ann": {"sface": 0.412346, "dlib-mirror": -0.333333}} == {
        name: dict(found) for name, found in facts.frames[0].scores.items() if name == "ann"
    }


def test_what_rounds_alike_is_ranked_by_id() -> None:
    """Ben leads by less than is stored: a tie, in the order of the ids, as it will be read back."""
    close = np.array([0.3, np.nextafter(np.float32(0.3), np.float32(1))], np.float32)
    frame = evidence(0, {"ann": 0.0, "ben": 0.0})
    scored = replace(frame.scores, by_model={**frame.scores.by_model, SFACE: close})
    facts = POLICY.conclude([replace(frame, scores=scored)], seen=1).facts

    assert close[0] < close[1]
    assert ["ann", "ben"] == [candidate.subject for candidate in facts.candidates]
    assert ("tie", 0.0) == (facts.rule, facts.margin)


@given(st.floats(1.001, 1000), st.integers(1, 300))
def test_every_threshold_has_six_digits(strictness: float, people: int) -> None:
    """What is printed is what decides."""
    facts = once(
        {f"{n:03}": LOW + n / 1000 for n in range(people)}, strictness={f"{people - 1:03}": strictness}
    ).facts

    assert facts.stricter_threshold is not None
    for value in (facts.threshold, facts.stricter_threshold, *(c.threshold for c in facts.candidates)):
        assert value is not None
        assert round(value, 6) == value
