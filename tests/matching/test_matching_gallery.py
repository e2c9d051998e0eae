"""1:N comparison: right scores, fixed order, means over references."""

import numpy as np
import pytest
from factories import direction, templates
from hypothesis import given
from hypothesis import strategies as st

from appliance.matching import Gallery, Reference
from appliance.values import DLIB, DLIB_MIRROR, SFACE, FaceTemplate, ReferenceId, SubjectId


def gallery(*rows: tuple[str, str, tuple[float, ...]]) -> Gallery:
    """A gallery of (subject, reference, direction), under both models of the fused composition."""
    return Gallery(
        (DLIB_MIRROR, SFACE),
        [
            Reference(SubjectId(subject), ReferenceId(reference), model, direction(*parts))
            for subject, reference, parts in rows
            for model in (DLIB_MIRROR, SFACE)
        ],
        version=7,
    )


def test_the_same_face_scores_one_by_cosine_and_zero_by_distance() -> None:
    """Similarities: higher is more alike; a distance arrives as its negative."""
    found = gallery(("ann", "r1", (1, 0))).compare(templates(1, 0))

    assert (SubjectId("ann"),) == found.subjects
    assert found.by_model[SFACE] == pytest.approx([1.0])
    assert found.by_model[DLIB_MIRROR] == pytest.approx([0.0], abs=1e-3)
    assert 7 == found.gallery_version


def test_a_subjects_score_is_the_mean_over_its_references() -> None:
    """Two references at right angles to each other: the mean of 1 and 0, and of 0 and -sqrt 2."""
    found = gallery(("ann", "r1", (1, 0)), ("ann", "r2", (0, 1))).compare(templates(1, 0))

    assert [2] == found.references.tolist()
    assert found.by_model[SFACE] == pytest.approx([0.5])
    assert found.by_model[DLIB_MIRROR] == pytest.approx([-np.sqrt(2) / 2], abs=1e-3)


def test_a_reference_without_all_models_is_not_searched() -> None:
    """The rows of every matrix stand for the same references."""
    rows = [Reference(SubjectId("ann"), ReferenceId("r1"), SFACE, direction(1))]

    assert 0 == len(Gallery((DLIB_MIRROR, SFACE), rows))
    assert 1 == len(Gallery((SFACE,), rows))


def test_a_probe_without_a_needed_template_is_refused() -> None:
    """The message names the model."""
    with pytest.raises(ValueError, match="sface"):
        gallery(("ann", "r1", (1,))).compare({DLIB_MIRROR: templates(1)[DLIB_MIRROR]})


def test_an_empty_gallery_compares_to_nobody() -> None:
    """No rows, no scores, no error."""
    assert () == gallery().compare(templates(1)).subjects
    assert gallery().nearest(SFACE, direction(1)) is None


def test_a_gallery_needs_a_model() -> None:
    """Comparing by nothing is a mistake of the caller."""
    with pytest.raises(ValueError, match="at least one model"):
        Gallery((), ())


vectors = st.lists(st.floats(-1, 1, width=32), min_size=128, max_size=128).map(
    lambda v: np.array(v, np.float32)
)


@given(st.lists(vectors, min_size=1, max_size=12), vectors)
def test_distances_equal_the_plain_formula(rows: list[np.ndarray], probe: np.ndarray) -> None:
    """The half-square trick gives the Euclidean distance that `face_recognition.face_distance` gives."""
    references = [Reference(SubjectId(f"{i:02}"), ReferenceId("r"), DLIB, row) for i, row in enumerate(rows)]
    found = Gallery((DLIB,), references).compare({DLIB: FaceTemplate(DLIB, probe)})

    expected = -np.linalg.norm(np.stack(rows) - probe, axis=1)
    assert found.by_model[DLIB] == pytest.approx(expected, abs=5e-3)


@given(st.permutations(["ann", "ben", "cid", "dee"]))
def test_the_order_of_rows_does_not_matter(order: list[str]) -> None:
    """Subjects come sorted, so a replay ranks ties alike."""
    found = gallery(*((name, "r1", (1, 0)) for name in order)).nearest(SFACE, direction(1, 0))

    assert found is not None
    assert "ann" == found[0]


def test_a_matrix_of_many_subjects_is_searched_without_copying() -> None:
    """`of_matrix` keeps the array it was given."""
    rows = np.eye(128, dtype=np.float32)
    made = Gallery.of_matrix(DLIB, rows)

    assert ("5", 0.0) == made.nearest(DLIB, rows[5])
    assert np.shares_memory(made._matrices[DLIB].rows, rows)


def test_a_strictness_is_handed_on_and_changes_no_score() -> None:
    """Each subject's own factor stands beside its score, 1 for whoever has none; the scores stay."""
    rows = [
        Reference(SubjectId(name), ReferenceId("r"), SFACE, direction(*parts))
        for name, parts in (("ann", (1, 0)), ("ben", (0, 1)))
    ]
    plain = Gallery((SFACE,), rows)
    strict = Gallery((SFACE,), rows, strictness={SubjectId("ben"): 10.0, SubjectId("gone"): 5.0})
    found = strict.compare(templates(1, 1))

    assert [1.0, 10.0] == found.strictness.tolist()
    assert [1.0, 1.0] == plain.compare(templates(1, 1)).strictness.tolist()
    assert plain.compare(templates(1, 1)).by_model[SFACE].tolist() == found.by_model[SFACE].tolist()


@pytest.mark.parametrize("factor", [0.5, 0.0, -1.0, float("nan"), float("inf")])
def test_a_strictness_that_would_be_laxer_or_no_number_is_refused(factor: float) -> None:
    """Nobody's threshold is ever below the ordinary one."""
    rows = [Reference(SubjectId("ann"), ReferenceId("r"), SFACE, direction(1))]

    with pytest.raises(ValueError, match="at least 1"):
        Gallery((SFACE,), rows, strictness={SubjectId("ann"): factor})


def test_a_matrix_of_many_subjects_treats_everybody_alike() -> None:
    """`of_matrix` gives each row the ordinary strictness."""
    made = Gallery.of_matrix(DLIB, np.eye(128, dtype=np.float32))

    assert {1.0} == set(made.compare({DLIB: FaceTemplate(DLIB, direction(1))}).strictness.tolist())
