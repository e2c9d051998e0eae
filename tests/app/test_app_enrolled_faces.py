"""New faces held against everybody enrolled: with the comparison and the error rates of the loop."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_vectors import crowd, looks
from stores import AGREED, store

from appliance.app.embedding import ENROLLED_MODELS
from appliance.app.enrolled_faces import COPY_LIMIT, VERIFY_FMR, EnrolledFaces, scores_between
from appliance.app.error_tables import read_tables
from appliance.decision.rule import WEIGHTS
from appliance.matching import Gallery, Reference
from appliance.settings import RecognitionSettings
from appliance.store import NewReference, sqlite_url
from appliance.values import ReferenceId, SubjectId, Templates

TABLES = read_tables()
ANN, BEN = SubjectId("ann"), SubjectId("ben")


def faces(**people: list[Templates]) -> EnrolledFaces:
    """People with these faces, under the ordinary settings."""
    made = EnrolledFaces(RecognitionSettings(), TABLES)
    for name, each in people.items():
        made.add(SubjectId(name), each)
    return made


def identification(references: int, people: int) -> float:
    """The loop's threshold for one look."""
    return TABLES.operating_point(
        "fused", references=references, probes=1, gallery_size=people, fpir=RecognitionSettings().fpir
    ).threshold


@pytest.mark.parametrize("composition", sorted(WEIGHTS))
@given(seed=st.integers(0, 2**16))
@settings(max_examples=10, deadline=None)
def test_faces_are_compared_as_the_loop_compares_them(composition: str, seed: int) -> None:
    """The mean over each person's references, to the last digits that matter, for every composition."""
    weights = WEIGHTS[composition]
    people = crowd([1, 3, 2, 5], spread=0.8, seed=seed)
    references = [
        Reference(SubjectId(str(who)), ReferenceId(f"{who}.{number}"), model, face[model].embedding)
        for who, of in enumerate(people)
        for number, face in enumerate(of)
        for model in weights
    ]
    probe = crowd([1], spread=0.8, seed=seed + 1)[0][0]
    compared = Gallery(tuple(weights), references).compare(probe)
    expected = sum(weight * compared.by_model[model] for model, weight in weights.items())
    enrolled = EnrolledFaces(RecognitionSettings(composition=composition), TABLES)
    for who, of in enumerate(people):
        enrolled.add(SubjectId(str(who)), of)
    own = [enrolled.own(SubjectId(str(who)), probe) for who in range(len(people))]

    assert expected == pytest.approx([each[0] for each in own if each is not None], abs=1e-5)


def test_a_face_looks_like_whoever_it_would_be_taken_for() -> None:
    """From the threshold for that person's references and this gallery's size on; most alike first."""
    enrolled = faces(ann=[looks(0)], ben=[looks(40), looks(41), looks(42)], cem=[looks(150)])
    found = enrolled.alike(looks(10), None)

    assert [ANN, BEN] == [each.subject for each in found]
    assert found[0].score > found[1].score
    assert pytest.approx([identification(1, 3), identification(3, 3)]) == [each.threshold for each in found]
    assert [BEN] == [each.subject for each in enrolled.alike(looks(10), ANN)]
    assert () == enrolled.alike(looks(250), None)
    assert () == faces().alike(looks(0), None)


def test_more_people_ask_for_more_likeness() -> None:
    """What was a question among two is none among hundreds: the threshold is that of the gallery's size."""
    probe, few = looks(66), faces(ann=[looks(0)], ben=[looks(180)])
    many = faces(ann=[looks(0)], **{f"p{number}": [looks(180 + number / 9)] for number in range(500)})

    assert [ANN] == [each.subject for each in few.alike(probe, None)]
    assert () == many.alike(probe, None)


def test_a_copy_is_known_by_its_nearest_reference() -> None:
    """Whoever gave it, and though the mean over their references is far below the limit."""
    enrolled = faces(ann=[looks(0), looks(90)], ben=[looks(200)])

    assert ANN == enrolled.copy_of(looks(89))
    assert BEN == enrolled.copy_of(looks(200))
    assert enrolled.copy_of(looks(60)) is None
    assert faces().copy_of(looks(0)) is None


def test_a_face_is_held_against_one_persons_own() -> None:
    """The mean of theirs, and the threshold of a comparison of one with one; whoever has none has neither."""
    enrolled = faces(ann=[looks(0), looks(60)], ben=[looks(180)])
    score, threshold = enrolled.own(ANN, looks(30)) or (0.0, 0.0)
    pairwise = np.cos(np.pi / 6) - 0.5 * np.sin(np.pi / 12)

    assert pytest.approx(pairwise, abs=1e-5) == score
    assert (
        threshold
        == TABLES.operating_point("fused", references=2, probes=1, gallery_size=1, fpir=VERIFY_FMR).threshold
    )
    assert enrolled.own(SubjectId("nobody"), looks(0)) is None


def test_faces_of_a_set_are_held_against_each_other() -> None:
    """As pictures always by the fused score; as people by the composition that decides."""
    enrolled = EnrolledFaces(RecognitionSettings(composition="sface"), TABLES)
    as_pictures, as_people, threshold = enrolled.pairs([looks(0), looks(60), looks(0)])

    assert pytest.approx(0.25, abs=1e-3) == float(as_pictures[0, 1])
    assert pytest.approx(0.5, abs=1e-3) == float(as_people[0, 1])
    assert as_pictures[0, 2] > COPY_LIMIT
    assert 0.2 < threshold < 0.5
    assert (0, 0) == enrolled.pairs([])[0].shape


def test_two_people_are_held_against_each_other() -> None:
    """The mean of all pairs; nothing, where one has no reference."""
    enrolled = faces(ann=[looks(0), looks(10)], ben=[looks(60)])
    found = enrolled.between(ANN, BEN)
    expected = np.mean([np.cos(np.radians(d)) - 0.5 * np.sin(np.radians(d / 2)) for d in (60, 50)])

    assert found is not None
    assert pytest.approx(expected, abs=1e-5) == found[0]
    assert found == pytest.approx(enrolled.between(BEN, ANN), abs=0.05)
    assert enrolled.between(ANN, SubjectId("nobody")) is None


def test_what_the_store_has_is_known_those_paused_included(tmp_path: Path) -> None:
    """Everybody with a reference of every model; adding to somebody known adds no person."""
    with store(sqlite_url(tmp_path / "store.sqlite3")) as people:
        ann, ben, cem = (
            people.add_subject(name, consent=AGREED, references=[NewReference(looks(angle), 50)]).id
            for name, angle in (("Ann", 0), ("Ben", 120), ("Cem", 240))
        )
        partly = {ENROLLED_MODELS[0]: looks(90)[ENROLLED_MODELS[0]]}
        people.add_subject("Dan", consent=AGREED, references=[NewReference(partly, 50)])
        people.pause(ben)
        people.remove_subject(cem)
        enrolled = EnrolledFaces.of(people, RecognitionSettings(), TABLES)

    assert 2 == len(enrolled)
    assert (ann, ben, None) == tuple(enrolled.copy_of(looks(angle)) for angle in (0, 120, 240))
    enrolled.add(ann, [looks(300)])
    enrolled.add(SubjectId("new"), [])
    assert (2, ann) == (len(enrolled), enrolled.copy_of(looks(300)))


def test_a_composition_of_nothing_is_refused() -> None:
    """There is no score without a model."""
    with pytest.raises(ValueError, match="at least one model"):
        scores_between({}, {}, {})
