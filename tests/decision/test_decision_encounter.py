"""The rule and the grades: who is named, who is a stranger, and when it is said."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from factories import evidence, scores, templates
from hypothesis import given
from hypothesis import strategies as st

from appliance.decision import Encounter, ErrorTables, GradedDecision, Policy
from appliance.settings import EncounterSettings, RecognitionSettings
from appliance.values import Grade, Verdict

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
POLICY = Policy(RecognitionSettings(), TABLES)
SURE, NEAR, LOW = 0.5, 0.05, -0.5
"""Fused scores far above the threshold for two people (0.06), just below it, and far below."""


def encounter(**changes: object) -> Encounter:
    """An encounter with default settings."""
    return Encounter(EncounterSettings.model_validate(changes), POLICY)


def feed(
    stay: Encounter, *frames: dict[str, float], start: int = 0
) -> list[tuple[Grade, Verdict, str | None]]:
    """Add frames; what was decided, in order."""
    found: list[GradedDecision] = []
    for i, by_subject in enumerate(frames):
        found.extend(stay.add(evidence(start + i, by_subject), templates(1)))
    return [(d.grade, d.conclusion.verdict, d.conclusion.subject) for d in found]


@pytest.mark.parametrize(
    ("by_subject", "verdict", "rule"),
    [
        ({"ann": SURE, "ben": LOW}, Verdict.IDENTIFIED, "score_and_margin"),
        ({"ann": SURE}, Verdict.IDENTIFIED, "score_and_margin"),
        ({"ann": LOW, "ben": LOW}, Verdict.STRANGER, "below_threshold"),
        ({"ann": NEAR, "ben": LOW}, Verdict.UNDECIDED, "near_threshold"),
        ({"ann": SURE, "ben": SURE - 0.01}, Verdict.UNDECIDED, "look_alike"),
        ({}, Verdict.STRANGER, "empty_gallery"),
    ],
)
def test_the_rule(by_subject: dict[str, float], verdict: Verdict, rule: str) -> None:
    """Each line of the policy, by name."""
    conclusion = POLICY.conclude([evidence(0, by_subject)], seen=1)

    assert (verdict, rule) == (conclusion.verdict, conclusion.facts.rule)


def test_the_reasons_are_complete() -> None:
    """What an explanation or a what-if needs is in the facts."""
    facts = POLICY.conclude([evidence(3, {"ann": SURE, "ben": LOW})], seen=5).facts

    assert pytest.approx(1.0) == facts.margin
    assert 2 == facts.gallery_size
    assert 5 == facts.frames_seen
    assert ["ann", "ben"] == [candidate.subject for candidate in facts.candidates]
    assert {"sface": SURE, "dlib-mirror": 0.0} == facts.frames[0].scores["ann"]


def test_frames_of_one_walk_up_count_as_one_probe() -> None:
    """Three frames a tenth of a second apart do not lower the threshold; three a second apart do."""
    near = [evidence(i, {"ann": SURE}) for i in range(3)]
    apart = [evidence(10 * i, {"ann": SURE}) for i in range(3)]

    thresholds = [POLICY.conclude(frames, seen=3).facts.threshold for frames in (near[:1], near, apart)]

    assert thresholds[0] == thresholds[1] > thresholds[2]


def test_frames_of_two_galleries_are_not_mixed() -> None:
    """A mean over different galleries has no meaning, and neither has one over nothing."""
    old = evidence(0, {"ann": SURE})
    new = replace(evidence(1, {"ann": SURE}), scores=scores({"ann": SURE}, version=2))
    for frames in ([old, new], []):
        with pytest.raises(ValueError, match="same gallery"):
            POLICY.conclude(frames, seen=2)


def test_staying_longer_makes_nobody_likelier_to_pass() -> None:
    """The wanted rate is of the encounter: each look a second apart gets its share."""
    frames = [evidence(0, {"ann": SURE})]
    thresholds = [POLICY.conclude(frames, seen=1, looks=looks).facts.threshold for looks in (1, 2, 10)]

    assert thresholds == sorted(set(thresholds))


def test_looks_are_counted_a_second_apart() -> None:
    """Ten frames a second for two and a half seconds are three looks."""
    stay = encounter()
    feed(stay, *[{"ann": LOW}] * 25)
    final = stay.finish()

    assert final is not None
    assert 3 == final.conclusion.facts.looks


def test_somebody_enrolled_is_greeted_then_confirmed() -> None:
    """One good frame greets, three confirm, each once."""
    stay = encounter()

    assert [
        (Grade.GREETING, Verdict.IDENTIFIED, "ann"),
        (Grade.CONFIRMED, Verdict.IDENTIFIED, "ann"),
    ] == feed(stay, *[{"ann": SURE, "ben": LOW}] * 6)
    assert stay.identified


def test_a_stranger_is_said_at_confirmed_not_before() -> None:
    """One frame is never enough to call somebody a stranger."""
    stay = encounter()

    assert [] == feed(stay, {"ann": LOW}, {"ann": LOW})
    assert [(Grade.CONFIRMED, Verdict.STRANGER, None)] == feed(stay, {"ann": LOW}, start=2)
    assert [] == feed(stay, {"ann": LOW}, start=3)


def test_a_stranger_who_turns_out_to_be_enrolled_is_retracted() -> None:
    """A bad start, then good frames: greeted and confirmed, and the first of them retracts."""
    stay = encounter()
    feed(stay, *[{"ann": LOW}] * 3)
    found: list[GradedDecision] = []
    for i in range(6):
        found.extend(stay.add(evidence(20 + i, {"ann": 0.9}, quality=95), templates(1)))

    assert [True, False] == [decision.retracts_stranger for decision in found]
    assert [Grade.GREETING, Grade.CONFIRMED] == [decision.grade for decision in found]


def test_a_final_word_is_said_once_at_the_end() -> None:
    """The end of an encounter brings the final grade."""
    stay = encounter()
    feed(stay, *[{"ann": SURE}] * 3)
    final = stay.finish()

    assert final is not None
    assert (Grade.FINAL, Verdict.IDENTIFIED) == (final.grade, final.conclusion.verdict)


def test_nobody_good_enough_says_nothing() -> None:
    """Without a good frame there is no decision at all."""
    assert encounter().finish() is None


def test_one_frame_alone_is_never_a_stranger() -> None:
    """At the end, too, one frame leaves it undecided, and says why."""
    stay = encounter()
    feed(stay, {"ann": LOW})
    final = stay.finish()

    assert final is not None
    assert (Verdict.UNDECIDED, "too_few_frames") == (final.conclusion.verdict, final.conclusion.facts.rule)


def test_a_new_gallery_is_searched_with_what_was_seen() -> None:
    """Somebody enrolled while standing there is found without another good frame."""
    stay = encounter()
    feed(stay, {"ann": LOW}, {"ann": LOW})
    stay.rescore(lambda _: scores({"ann": LOW, "zoe": SURE}, version=2))
    final = stay.finish()

    assert final is not None
    assert "zoe" == final.conclusion.subject


def test_somebody_removed_meanwhile_is_looked_at_anew() -> None:
    """Confirmed, then gone from the gallery: frames are wanted again, and the end names nobody."""
    stay = encounter()
    feed(stay, *[{"ann": SURE, "ben": LOW}] * 3)
    stay.rescore(lambda _: scores({"ben": LOW}, version=2))
    final = stay.finish()

    assert stay.wants_frame(0.5)
    assert final is not None
    assert Verdict.STRANGER is final.conclusion.verdict


@given(st.lists(st.sampled_from([SURE, NEAR, LOW]), min_size=1, max_size=12))
def test_each_grade_is_said_at_most_once_per_verdict(course: list[float]) -> None:
    """Whatever the course, nobody is confirmed twice alike, and a stranger only from three frames on."""
    stay = encounter()
    found = feed(stay, *[{"ann": score} for score in course])

    assert len(found) == len(set(found))
    assert Verdict.UNDECIDED not in {verdict for _, verdict, _ in found}
    assert Grade.GREETING not in {grade for grade, verdict, _ in found if verdict is Verdict.STRANGER}


def test_somebody_greeted_who_then_looks_like_another_is_neither() -> None:
    """Ann on the first frame, then Ben: no second greeting, no confirmation, and the end says why."""
    stay = encounter()

    assert [(Grade.GREETING, Verdict.IDENTIFIED, "ann")] == feed(stay, {"ann": 0.2, "ben": LOW})
    assert [] == feed(stay, *[{"ann": LOW, "ben": 0.9}] * 6, start=1)
    final = stay.finish()

    assert final is not None
    facts = final.conclusion.facts
    assert (Verdict.UNDECIDED, "contradicted", "ann") == (final.conclusion.verdict, facts.rule, facts.greeted)
    assert "ben" == facts.candidates[0].subject


def test_somebody_greeted_is_no_stranger_later() -> None:
    """A good first frame and many bad ones: no stranger is said, so no picture of Ann is kept."""
    stay = encounter()
    feed(stay, {"ann": 0.2})

    assert [] == feed(stay, *[{"ann": LOW}] * 9, start=1)
    final = stay.finish()

    assert final is not None
    assert (Verdict.UNDECIDED, "contradicted") == (final.conclusion.verdict, final.conclusion.facts.rule)


def test_somebody_greeted_and_removed_leaves_the_place_to_others() -> None:
    """Ann was deleted while standing there: whom the frames show then contradicts nothing."""
    stay = encounter()
    feed(stay, {"ann": SURE, "ben": LOW})
    stay.rescore(lambda _: scores({"ben": SURE}, version=2))

    assert (Grade.GREETING, Verdict.IDENTIFIED, "ben") in feed_new(stay, {"ben": SURE}, version=2)


def feed_new(
    stay: Encounter, by_subject: dict[str, float], *, version: int
) -> list[tuple[Grade, Verdict, str | None]]:
    """One more frame, compared with a later gallery."""
    later = replace(evidence(50, by_subject), scores=scores(by_subject, version=version))
    return [(d.grade, d.conclusion.verdict, d.conclusion.subject) for d in stay.add(later, templates(1))]


def test_the_end_repeats_what_was_confirmed_and_says_so() -> None:
    """A stranger at first, near Ann's threshold at the end: the stranger stays, marked as repeated."""
    stay = encounter()
    for i in range(3):
        stay.add(evidence(i, {"ann": LOW}, quality=40), templates(1))
    for i in range(20, 80, 12):
        assert [] == stay.add(evidence(i, {"ann": 0.17}, quality=100), templates(1))
    final = stay.finish()

    assert final is not None
    assert (Verdict.STRANGER, True) == (
        final.conclusion.verdict,
        final.conclusion.facts.repeats_confirmed,
    )
    assert not final.retracts_stranger


def test_a_stranger_found_out_at_the_very_end_is_retracted_there() -> None:
    """Enrolled while standing there, and gone before another frame: the final decision retracts."""
    stay = encounter()
    feed(stay, *[{"ann": LOW}] * 3)
    stay.rescore(lambda _: scores({"ann": LOW, "zoe": SURE}, version=2))
    final = stay.finish()

    assert final is not None
    assert ("zoe", True) == (final.conclusion.subject, final.retracts_stranger)


def test_only_the_best_frames_are_kept() -> None:
    """Worse frames than the kept ones change nothing; of equals the earlier stay; they stand in order."""
    stay = encounter(keep_frames=3)
    for sequence, quality in enumerate((50, 90, 60, 70, 40, 70)):
        stay.add(evidence(sequence, {"ann": LOW}, quality=quality), templates(1))
    final = stay.finish()

    assert final is not None
    assert [1, 3, 5] == [frame.sequence for frame in final.conclusion.facts.frames]
    assert 6 == final.conclusion.facts.frames_seen


@given(
    st.lists(
        st.tuples(
            st.sampled_from([SURE, 0.2, NEAR, LOW]), st.sampled_from([SURE, 0.2, LOW]), st.floats(30, 100)
        ),
        min_size=1,
        max_size=15,
    ),
    st.sampled_from([1, 4, 10]),
)
def test_an_encounter_names_one_person_at_most_and_never_takes_it_back_to_a_stranger(
    course: list[tuple[float, float, float]], pace: int
) -> None:
    """Greeting before confirmation before the end; a stranger is retracted if, and only if, named later."""
    stay = encounter()
    said: list[GradedDecision] = []
    for i, (ann, ben, quality) in enumerate(course):
        frame = evidence(i * pace, {"ann": ann, "ben": ben}, quality=quality)
        if stay.wants_frame(frame.at_s):
            said.extend(stay.add(frame, templates(1)))
    final = stay.finish()
    assert final is not None
    said.append(final)
    named = [d.conclusion.subject for d in said if d.conclusion.verdict is Verdict.IDENTIFIED]
    strangers = [i for i, d in enumerate(said) if d.conclusion.verdict is Verdict.STRANGER]
    first = next((i for i, d in enumerate(said) if d.conclusion.subject is not None), len(said))

    assert len(set(named)) <= 1
    assert all(i < first for i in strangers)
    assert [d.retracts_stranger for d in said] == [bool(strangers) and i == first for i in range(len(said))]
    assert Grade.FINAL is said[-1].grade
    assert all(d.grade is not Grade.FINAL for d in said[:-1])
    if Grade.CONFIRMED in {d.grade for d in said if d.conclusion.subject is not None}:
        assert Grade.GREETING is said[first].grade
