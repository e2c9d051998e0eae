"""What a gallery risks: held against the loop's own rule, and in words."""

from collections.abc import Sequence

import numpy as np
import pytest
from factories import face as detected
from hypothesis import given, settings
from hypothesis import strategies as st
from people_vectors import crowd, looks

from appliance.app.enrolled_faces import scores_between
from appliance.app.error_tables import read_tables
from appliance.app.safety import operating
from appliance.decision import FrameEvidence, Policy
from appliance.decision.rule import WEIGHTS
from appliance.evaluation.leave_one_out import Enrolled, Outcome, Rule
from appliance.evaluation.safety import LOW_QUALITY, SafetyReport, assess
from appliance.evaluation.safety_words import as_json, promise, short, words
from appliance.matching import Gallery, Reference
from appliance.settings import RecognitionSettings
from appliance.values import FloatArray, ReferenceId, SubjectId, Templates, Verdict

TABLES = read_tables()
RATES = operating(TABLES, "fused")
WEIGHT = WEIGHTS["fused"]
ORDINARY = RecognitionSettings()
RULE = Rule(ORDINARY.fpir, ORDINARY.margin, ORDINARY.stranger_band)


def gallery(
    people: Sequence[Sequence[Templates]],
    *,
    strictness: dict[int, float] | None = None,
    quality: dict[int, float] | None = None,
    without: Sequence[str] = (),
) -> Enrolled:
    """People with these faces, by number; `quality` of all of one person's references."""
    faces = [face for of in people for face in of]
    owners = np.repeat(np.arange(len(people)), [len(of) for of in people])
    rows: dict[object, FloatArray] = {
        model: np.stack([face[model].embedding for face in faces])
        if faces
        else np.empty((0, 128), np.float32)
        for model in WEIGHT
    }

    def scores(block: slice) -> FloatArray:
        return scores_between(WEIGHT, {m: of[block] for m, of in rows.items()}, rows)  # type: ignore[misc, arg-type]

    return Enrolled(
        subjects=[SubjectId(f"p{number:03}") for number in range(len(people))],
        owners=owners.astype(np.int64),
        references=[ReferenceId(f"r{number:03}") for number in range(len(faces))],
        quality=np.array([(quality or {}).get(int(owner), 80.0) for owner in owners], np.float64),
        strictness=np.array([(strictness or {}).get(n, 1.0) for n in range(len(people))], np.float64),
        scores=scores,
        without=[SubjectId(name) for name in without],
    )


def name(subject: SubjectId) -> str:
    """What to call somebody."""
    return f"Person {subject[1:]}"


def by_the_rule(
    people: Sequence[Sequence[Templates]], strictness: dict[int, float]
) -> dict[ReferenceId, tuple[Outcome, SubjectId]]:
    """Each reference of whoever has several, looked up by the loop's gallery and the loop's rule."""
    policy = Policy(ORDINARY, TABLES)
    every = [(SubjectId(f"p{who:03}"), face) for who, of in enumerate(people) for face in of]
    said: dict[ReferenceId, tuple[Outcome, SubjectId]] = {}
    for left_out, (owner, probe) in enumerate(every):
        rest = [
            Reference(subject, ReferenceId(f"r{number:03}"), model, face[model].embedding)
            for number, (subject, face) in enumerate(every)
            if number != left_out
            for model in WEIGHT
        ]
        held = Gallery(
            policy.models, rest, strictness={SubjectId(f"p{n:03}"): f for n, f in strictness.items()}
        )
        if owner not in held.subjects:
            continue
        frame = FrameEvidence(0, 0.0, None, 80.0, detected().box, held.compare(probe))
        concluded = policy.conclude([frame], seen=1)
        nearest = SubjectId(concluded.facts.candidates[0].subject)
        if concluded.verdict is Verdict.IDENTIFIED:
            outcome = Outcome.IDENTIFIED if concluded.subject == owner else Outcome.MISTAKEN
        else:
            undecided = concluded.verdict is Verdict.UNDECIDED
            outcome = Outcome.UNDECIDED if undecided else Outcome.NOT_RECOGNISED
        said[ReferenceId(f"r{left_out:03}")] = outcome, nearest
    return said


@given(
    counts=st.lists(st.integers(1, 4), min_size=2, max_size=6),
    spread=st.floats(0.2, 2.0),
    seed=st.integers(0, 2**16),
    factors=st.dictionaries(st.integers(0, 5), st.sampled_from([3.0, 100.0]), max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_the_leave_one_out_is_the_loops_rule(
    counts: list[int], spread: float, seed: int, factors: dict[int, float]
) -> None:
    """Whatever is enrolled, however strictly: the same outcome for every reference as in the loop."""
    people = crowd(counts, spread=spread, seed=seed)
    strictness = {number: factor for number, factor in factors.items() if number < len(people)}
    report = assess(gallery(people, strictness=strictness), RATES, RULE)
    expected = by_the_rule(people, strictness)
    # Somebody whose only other reference is left out is in the loop's gallery all the same: N is equal.
    trials = {trial.reference: (trial.outcome, trial.nearest) for trial in report.trials}

    assert {ref: said for ref, said in expected.items() if said[0] is not Outcome.IDENTIFIED} == trials
    assert len(expected) == sum(report.outcomes.values())


@given(at_once=st.integers(1, 400), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_blocks_change_nothing(at_once: int, seed: int) -> None:
    """However little is held at a time; progress adds up to every reference."""
    enrolled = gallery(crowd([2, 1, 3, 2, 1, 4], spread=1.0, seed=seed))
    done: list[int] = []
    split = assess(enrolled, RATES, RULE, at_once=at_once, progress=done.append)
    whole = assess(enrolled, RATES, RULE)

    assert 13 == sum(done)
    assert whole.outcomes == split.outcomes
    assert [(t.reference, t.outcome) for t in whole.trials] == [
        (t.reference, t.outcome) for t in split.trials
    ]
    assert [(p.one, p.other) for p in whole.pairs] == [(p.one, p.other) for p in split.pairs]


def test_who_is_like_whom_is_named_once() -> None:
    """With the most alike reference of the pair, in the direction that is worse; those close, too."""
    people = [[looks(0), looks(100)], [looks(200)], [looks(35)]]
    (pair,) = assess(gallery(people), RATES, RULE).pairs
    mine = [float(np.cos(np.radians(d)) - 0.5 * np.sin(np.radians(d / 2))) for d in (35, 65)]

    # p002 against the mean of both of p000's, or one of p000's against p002's only one: the latter is worse.
    assert ("p000", "p002") == (pair.one, pair.other)
    assert pytest.approx(mine[0], abs=1e-4) == pair.score
    assert pair.confusable


@pytest.mark.parametrize(("apart", "alike"), [(30, True), (69, True), (71, False), (72, False)])
def test_a_pair_is_confusable_from_the_threshold_on(apart: float, *, alike: bool) -> None:
    """Two people with a reference each: the threshold of one look; within the margin it is close."""
    threshold = RATES(1, 1, 2, RULE.fpir)[0]
    score = float(np.cos(np.radians(apart)) - 0.5 * np.sin(np.radians(apart / 2)))
    (pair,) = assess(gallery([[looks(0)], [looks(apart)]]), RATES, RULE).pairs

    assert alike is (score >= threshold) is pair.confusable
    assert pytest.approx(score, abs=1e-4) == pair.score
    assert pytest.approx(threshold) == pair.threshold


def test_two_who_are_far_apart_are_no_pair() -> None:
    """Beyond the margin of the threshold."""
    assert () == assess(gallery([[looks(0)], [looks(90)]]), RATES, RULE).pairs


def test_a_stricter_person_is_taken_for_somebody_less_easily() -> None:
    """Two who are confusable no longer are, once both ask for a hundredth."""
    people = [[looks(0)], [looks(64)]]
    ordinary = assess(gallery(people), RATES, RULE)
    strict = assess(gallery(people, strictness={0: 100.0, 1: 100.0}), RATES, RULE)

    assert [True] == [pair.confusable for pair in ordinary.pairs]
    assert [] == [pair for pair in strict.pairs if pair.confusable]
    assert strict.expected[0].at_least > ordinary.expected[0].at_least
    assert (("p000", 100.0), ("p001", 100.0)) == strict.stricter


def test_what_is_expected_is_the_mean_of_the_tables() -> None:
    """Over everybody, each with as many references as they have; levels tell each number by itself."""
    report = assess(gallery(crowd([1, 1, 1, 3], spread=0.5, seed=1)), RATES, RULE)
    fnmr = [RATES(references, 1, 4, RULE.fpir)[1] for references in (1, 3)]
    thresholds = [RATES(references, probes, 4, RULE.fpir)[0] for references in (1, 3) for probes in (1, 3)]

    assert all(each is not None for each in fnmr)
    assert pytest.approx((3 * (fnmr[0] or 0) + (fnmr[1] or 0)) / 4) == report.expected[0].fnir
    assert [(1, 3), (3, 1)] == [(level.references, level.people) for level in report.levels]
    assert thresholds == [each for level in report.levels for each in level.thresholds]
    assert report.expected[1].at_least <= report.expected[0].at_least


def test_beyond_what_was_measured_a_bound_is_said() -> None:
    """For a rate so small nobody measured the share missed: it is at least that of the strictest measured."""
    strict = RULE._replace(fpir=0.00001)
    report = assess(gallery(crowd([1] * 40, spread=0.5, seed=1)), RATES, strict)

    assert report.expected[0].fnir is None
    assert pytest.approx(0.078, abs=0.0001) == report.expected[0].at_least
    assert "less than 92" in promise(report)


def test_those_who_need_more_are_named() -> None:
    """One reference only, poor references only, none at all; one good reference is enough not to be poor."""
    people = crowd([1, 2, 3], spread=0.5, seed=1)
    report = assess(gallery(people, quality={1: LOW_QUALITY - 1}, without=["p009"]), RATES, RULE)

    assert (("p000",), ("p009",)) == (report.single, report.without)
    assert (("p001", LOW_QUALITY - 1),) == report.poor


@pytest.mark.parametrize("without", [(), ("p000",)])
def test_a_gallery_of_nobody(without: tuple[str, ...]) -> None:
    """Nothing is divided by nothing, and the words say how to begin."""
    report = assess(gallery([], without=without), RATES, RULE)

    assert (0, 0, ()) == (report.people, report.references, report.levels)
    assert "nobody can be recognised yet" in words(report, name)[0]
    assert bool(without) == ("1 person without a picture" in words(report, name)[0])
    assert ["nobody can be recognised yet"] == short(report, name)
    assert 0 == as_json(report, name)["leave_one_out"]["tried"]


def test_the_promise_is_one_sentence() -> None:
    """For whoever has not heard of FPIR."""
    report = assess(gallery(crowd([3] * 12, spread=0.3, seed=1)), RATES, RULE)

    assert (
        "with 12 people and 36 pictures, 1 in 1,000 strangers would pass; "
        "we expect to recognise 99.5 % of the enrolled at first look"
    ) == promise(report)


def test_words_name_people_and_say_what_to_do() -> None:
    """Pairs and trials with names, scores and the next command; the short form has the worst of each."""
    people = [[looks(0), looks(160)], [looks(20)], [looks(200), looks(230)]]
    report = assess(gallery(people, strictness={2: 10.0}, quality={1: 40.0}), RATES, RULE)
    said = "\n".join(words(report, name))

    assert (
        "Person 001 could be taken for Person 000" in said
        or "Person 000 could be taken for Person 001" in said
    )
    assert "appliance enroll merge KEEP OTHER" in said
    assert "One picture only: Person 001" in said
    assert "Person 001 (quality 40)" in said
    assert "Person 002 (10 times)" in said
    assert "(r000)" in said
    assert "could be taken for" in "\n".join(short(report, name))
    assert "appliance enroll report" in short(report, name)[-1]


def test_words_stay_short_for_many() -> None:
    """Ten of a kind, and how many more; JSON has them all."""
    report = assess(gallery([[looks(number / 10)] for number in range(40)]), RATES, RULE)
    said = words(report, name)

    assert 780 == len(report.pairs) == len(as_json(report, name)["alike"])
    assert "  and 770 more, see: --json" in said
    assert len(said) < 40


@given(
    counts=st.lists(st.integers(1, 3), max_size=5),
    spread=st.floats(0.0, 3.0),
    fpir=st.floats(0.00001, 0.1),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_enrolled_can_be_told(counts: list[int], spread: float, fpir: float, seed: int) -> None:
    """No gallery makes the words fail, and no rate leaves 0 to 1."""
    report: SafetyReport = assess(
        gallery(crowd(counts, spread=spread, seed=seed)), RATES, RULE._replace(fpir=fpir)
    )

    assert words(report, name)
    assert short(report, name)
    assert all(0 <= each.at_least <= 1 for each in report.expected)
    told = as_json(report, name)
    assert sum(counts) == told["references"]
    assert {
        *("people", "references", "fpir", "margin", "expected", "levels", "leave_one_out", "alike"),
        *("one_reference", "low_quality", "no_reference", "stricter"),
    } == set(told)
