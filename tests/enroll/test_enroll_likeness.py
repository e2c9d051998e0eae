"""Pictures beside each other and beside the enrolled: what is asked, and what an answer lets pass."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_vectors import looks

from appliance.app.enrolled_faces import EnrolledFaces
from appliance.app.error_tables import read_tables
from appliance.settings import RecognitionSettings
from appliance.values import SubjectId
from enroll.likeness import examine
from enroll.photos import Verdict

TABLES = read_tables()
ANN, BEN = SubjectId("ann"), SubjectId("ben")


def enrolled(**people: list[float]) -> EnrolledFaces:
    """People with faces in these directions."""
    made = EnrolledFaces(RecognitionSettings(), TABLES)
    for name, angles in people.items():
        made.add(SubjectId(name), [looks(angle) for angle in angles])
    return made


def given_(*angles: float, quality: float = 80.0) -> list[Verdict]:
    """Usable pictures with faces in these directions."""
    return [Verdict(f"{angle}.jpg", (), quality, looks(angle), f"sha {angle}") for angle in angles]


def reasons(verdicts: list[Verdict]) -> list[tuple[str, ...]]:
    """Of each."""
    return [verdict.reasons for verdict in verdicts]


def test_pictures_of_one_person_pass() -> None:
    """Another angle of the same face is no copy and no stranger."""
    assert [(), (), ()] == reasons(examine(given_(0, 30, 60), enrolled(ben=[200])))
    assert [(), ()] == reasons(examine(given_(0, 50), enrolled()))


def test_a_copy_of_a_picture_given_before_is_refused() -> None:
    """Whoever gave it; it is told whose it was. No answer lets it pass: it would teach nothing."""
    for knowingly in (False, True):
        (verdict,) = examine(
            given_(1), enrolled(ann=[0]), although_alike=knowingly, although_different=knowingly
        )
        assert (("SAME_PHOTO",), ANN) == (verdict.reasons, verdict.same_as)


def test_of_copies_among_those_given_the_best_stays() -> None:
    """The original rather than its thumbnail, wherever it stands; of equals the first."""
    small, large = given_(1, quality=40), given_(0, quality=90)

    assert [("SAME_PHOTO",), ()] == reasons(examine([*small, *large], enrolled()))
    assert [(), ("SAME_PHOTO",)] == reasons(examine([*large, *small], enrolled()))
    assert [(), ("SAME_PHOTO",)] == reasons(examine(given_(0, 1), enrolled()))


def test_somebody_who_looks_like_somebody_enrolled_is_asked_about() -> None:
    """By name for whoever enrols, with score and threshold; an answer lets it pass, and is not forgotten."""
    (asked,) = examine(given_(40), enrolled(ann=[0], ben=[180]))
    (known,) = examine(given_(40), enrolled(ann=[0], ben=[180]), although_alike=True)

    assert ("LOOKS_LIKE",) == asked.reasons
    assert [ANN] == [each.subject for each in asked.alike]
    assert asked.alike[0].score >= asked.alike[0].threshold
    assert ((), asked.alike) == (known.reasons, known.alike)


def test_a_persons_own_likeness_is_no_question() -> None:
    """More pictures of Ann look like Ann."""
    assert [()] == reasons(examine(given_(40), enrolled(ann=[0], ben=[180]), to=ANN))


def test_a_picture_of_somebody_else_is_not_added() -> None:
    """It is told how alike it is, and what it was held against; an answer lets it pass."""
    (asked,) = examine(given_(120), enrolled(ann=[0]), to=ANN)
    (known,) = examine(given_(120), enrolled(ann=[0]), to=ANN, although_different=True)

    assert ("DOES_NOT_MATCH",) == asked.reasons
    assert asked.own is not None
    assert asked.own[0] < asked.own[1]
    assert () == known.reasons


def test_two_questions_are_both_asked() -> None:
    """Ben's picture for Ann looks like Ben and not like Ann; each answer answers its own."""
    to_ann = {"enrolled": enrolled(ann=[0], ben=[180]), "to": ANN}

    assert [("LOOKS_LIKE", "DOES_NOT_MATCH")] == reasons(examine(given_(140), **to_ann))  # type: ignore[arg-type]
    assert [("DOES_NOT_MATCH",)] == reasons(examine(given_(140), **to_ann, although_alike=True))  # type: ignore[arg-type]
    assert [("LOOKS_LIKE",)] == reasons(examine(given_(140), **to_ann, although_different=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_a_first_set_the_one_that_is_different_is_found(order: tuple[int, ...]) -> None:
    """Three of one face and one of another: whichever comes first, it is the one that is asked about."""
    angles = [0.0, 45.0, 90.0, 220.0]
    found = examine(given_(*(angles[place] for place in order)), enrolled())

    assert {"220.0.jpg"} == {verdict.label for verdict in found if verdict.reasons}
    assert ("DOES_NOT_MATCH",) == next(verdict.reasons for verdict in found if verdict.reasons)


def test_where_nobody_can_say_which_is_right_none_is() -> None:
    """Two different faces, or two of each: all are asked about, and an answer takes them all."""
    for angles in ((0, 150), (0, 40, 180, 220)):
        assert [("DOES_NOT_MATCH",)] * len(angles) == reasons(examine(given_(*angles), enrolled()))
        assert [()] * len(angles) == reasons(examine(given_(*angles), enrolled(), although_different=True))


def test_somebody_without_a_reference_is_like_somebody_new() -> None:
    """Their consent is there, their pictures are not: the first set is held against itself."""
    assert [(), ()] == reasons(examine(given_(0, 50), enrolled(ben=[180]), to=ANN))
    assert [("DOES_NOT_MATCH",)] * 2 == reasons(examine(given_(0, 100), enrolled(ben=[230]), to=ANN))


def test_what_was_refused_before_stays_refused() -> None:
    """A blurred picture is neither compared nor counted."""
    blurred = Verdict("b.jpg", ("LOW_SHARPNESS",), 10.0, looks(150), "sha b")
    found = examine([blurred, *given_(0)], enrolled(ann=[150]))

    assert [("LOW_SHARPNESS",), ()] == reasons(found)
    assert blurred is found[0]
    assert [] == examine([], enrolled())


@given(st.lists(st.floats(0, 359), max_size=8), st.lists(st.floats(0, 359), max_size=4))
@settings(max_examples=60, deadline=None)
def test_nothing_passes_silently(angles: list[float], others: list[float]) -> None:
    """Whatever is given: what passes reaches nobody else's threshold, and is no copy of anything kept."""
    faces = enrolled(**{f"p{number}": [angle] for number, angle in enumerate(others)})
    found = examine(given_(*angles), faces)
    passed = [verdict for verdict in found if verdict.accepted]

    assert [f"{angle}.jpg" for angle in angles] == [verdict.label for verdict in found]
    assert all(not faces.alike(verdict.templates, None) for verdict in passed)
    assert all(faces.copy_of(verdict.templates) is None for verdict in passed)
    as_pictures = faces.pairs([verdict.templates for verdict in passed])[0]
    assert all(
        as_pictures[one, other] < faces.copy_limit for one in range(len(passed)) for other in range(one)
    )
