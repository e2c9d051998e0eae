"""References, their templates and the gallery, the same promises on SQLite and on PostgreSQL."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import AGREED, NOON, face, types

from appliance.clock import ManualClock
from appliance.errors import EnrolmentError
from appliance.store import Consent, NewReference, Store
from appliance.values import DLIB, SFACE, ModelId

MakeStore = Callable[..., Store]
NOT_FACES = Consent(purposes=("screen",), text_version="2026-01", given_by="cli")


def test_a_template_comes_back_bit_for_bit(make_store: MakeStore) -> None:
    """Whatever the numbers, on either database, read-only or not: the same 128 float32."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED)

    @given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=128, max_size=128))
    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def comes_back(numbers: list[float]) -> None:
        template = face(models=[SFACE])
        template[SFACE].embedding[:] = numbers
        reference = people.add_reference(ann.id, template, quality=1)
        (row,) = [row for row in people.template_rows([SFACE]) if row.reference == reference]
        assert template[SFACE].embedding.tobytes() == row.embedding.tobytes()
        assert np.dtype(np.float32) == row.embedding.dtype

    comes_back()


def test_a_reference_keeps_where_it_came_from(make_store: MakeStore) -> None:
    """Quality, models and details; logged with its id and models."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED)
    reference = people.add_reference(ann.id, face(), quality=77.5, details={"sha256": "ab"})
    (kept,) = people.references(ann.id)

    assert (reference, ann.id, NOON, 77.5, (DLIB, SFACE), {"sha256": "ab"}) == (
        kept.id,
        kept.subject,
        kept.created_at,
        kept.quality,
        kept.models,
        kept.details,
    )
    assert "reference_added" == types(people)[-1]
    assert 1 == people.subject(ann.id).references


def test_without_consent_there_is_no_reference(make_store: MakeStore) -> None:
    """Neither with a consent to something else nor after it was taken back."""
    people = make_store()
    ann = people.add_subject("Ann", consent=NOT_FACES)
    with pytest.raises(EnrolmentError, match="not agreed"):
        people.add_reference(ann.id, face(), quality=50)
    people.give_consent(ann.id, AGREED)
    people.add_reference(ann.id, face(), quality=50)
    people.withdraw_consent(ann.id)
    with pytest.raises(EnrolmentError, match="not agreed"):
        people.add_reference(ann.id, face(), quality=50)


def test_withdrawing_deletes_the_references(make_store: MakeStore) -> None:
    """With the last consent to be identified the templates go; the consents stay, with their end."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED)
    people.give_consent(ann.id, NOT_FACES)
    people.add_reference(ann.id, face(), quality=50)
    given = people.consents(ann.id)[0]
    people.withdraw_consent(ann.id, given.id)

    assert ([], []) == (people.references(ann.id), people.template_rows([DLIB]))
    assert ("screen",) == people.subject(ann.id).purposes
    assert [NOON, None] == [consent.withdrawn_at for consent in people.consents(ann.id)]
    assert ["consent_withdrawn", "reference_removed"] == types(people)[-2:]


def test_a_newer_consent_keeps_the_references(make_store: MakeStore) -> None:
    """Taking back the old wording after agreeing to the new one deletes nothing."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED)
    people.add_reference(ann.id, face(), quality=50)
    old = people.consents(ann.id)[0]
    people.give_consent(ann.id, Consent(("identify",), "2027-01", "Ann"))
    people.withdraw_consent(ann.id, old.id)

    assert 1 == len(people.references(ann.id))
    assert ["Ann herself, on paper", "Ann"] == [consent.given_by for consent in people.consents(ann.id)]


def test_a_reference_needs_templates_under_their_own_names(make_store: MakeStore) -> None:
    """None at all, or one under another model's name, is refused."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED)
    for templates in ({}, {DLIB: face()[SFACE]}):
        with pytest.raises(EnrolmentError, match="at least one template"):
            people.add_reference(ann.id, templates, quality=50)


def test_the_gallery_is_sorted_and_of_one_version(make_store: MakeStore) -> None:
    """By subject, reference and model; only the models asked for."""
    people = make_store()
    for name in ("Ann", "Ben", "Cem"):
        subject = people.add_subject(name, consent=AGREED)
        for _ in range(2):
            people.add_reference(subject.id, face(), quality=50)
    gallery = people.gallery([SFACE, DLIB])
    keys = [(row.subject, row.reference, row.model) for row in gallery.rows]

    assert 12 == len(keys)
    assert sorted(keys) == keys
    assert people.gallery_version() == gallery.version
    assert {DLIB} == {row.model for row in people.template_rows([DLIB])}
    assert [] == people.template_rows([ModelId("other")])


def test_every_change_of_people_counts_the_gallery_up(make_store: MakeStore, clock: ManualClock) -> None:
    """Whoever holds a gallery learns that it is old; what changes nothing does not count."""
    people = make_store()
    versions = [people.gallery_version()]
    ann = people.add_subject("Ann", consent=AGREED).id
    versions.append(people.gallery_version())
    reference = people.add_reference(ann, face(), quality=50)
    versions.append(people.gallery_version())
    clock.advance(60)
    for change in (
        lambda: people.pause(ann),
        lambda: people.resume(ann),
        lambda: people.rename(ann, "Anne"),
        lambda: people.set_strictness(ann, 2),
        lambda: people.remove_reference(reference),
        lambda: people.remove_subject(ann),
    ):
        change()
        versions.append(people.gallery_version())

    assert list(range(9)) == versions
    assert clock.wall() == people.subjects(removed=True)[0].changed_at


def test_qualities_are_told_to_who_holds_no_key(make_store: MakeStore) -> None:
    """By reference, of everybody; they are not sealed."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    added = {people.add_reference(ann, face(), quality=quality): quality for quality in (50.0, 61.5)}

    assert added == people.qualities() == make_store(sealed=False, seed=2).qualities()


def test_without_the_purpose_to_be_recognised_references_go(make_store: MakeStore) -> None:
    """Whatever else the same consent covered; a purpose nobody agreed to changes nothing."""
    people = make_store()
    both = Consent(("greet", "identify"), "2026-01", "on paper")
    ann = people.add_subject("Ann", consent=both, references=[NewReference(face(), 80.0)]).id
    before = (people.gallery_version(), types(people))
    people.withdraw_purposes(ann, ["unlock"])
    unchanged = (people.gallery_version(), types(people))
    people.withdraw_purposes(ann, ["identify"])

    assert before == unchanged
    assert (("greet",), 0) == (people.subject(ann).purposes, people.subject(ann).references)
    assert ["consent_withdrawn", "reference_removed"] == types(people)[-2:]


def test_whose_each_reference_is_and_how_good_is_told_unopened(make_store: MakeStore) -> None:
    """For lists of people, without a key's work."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED, references=[NewReference(face(), 80.0)]).id
    people.add_reference(ann, face(), quality=60.0)

    assert [(ann, 60.0), (ann, 80.0)] == sorted(people.owned_qualities())


def test_somebody_is_enrolled_with_references_or_not_at_all(make_store: MakeStore) -> None:
    """One transaction and one step of the gallery; one reference that cannot be undoes the person."""
    people = make_store()
    kept = [NewReference(face(value), 50, {"sha256": str(value)}) for value in (0.1, 0.2)]
    ann = people.add_subject("Ann", consent=AGREED, references=kept)

    assert (2, 1) == (ann.references, people.gallery_version())
    assert {"0.1", "0.2"} == {(r.details or {})["sha256"] for r in people.references(ann.id)}
    logged = len(people.events())
    with pytest.raises(EnrolmentError, match="at least one template"):
        people.add_subject("Ben", consent=AGREED, references=[kept[0], NewReference({}, 50)])
    with pytest.raises(EnrolmentError, match="not agreed"):
        people.add_subject("Ben", consent=NOT_FACES, references=kept)
    assert ([ann], logged) == (people.subjects(), len(people.events()))


def test_further_references_come_with_their_consent(make_store: MakeStore, clock: ManualClock) -> None:
    """Both or neither; everybody's references are listed at once, oldest first."""
    people = make_store()
    ann = people.add_subject("Ann", consent=NOT_FACES).id
    first, second = people.add_references(
        ann, [NewReference(face(), 50), NewReference(face(), 60)], consent=AGREED
    )
    clock.advance(1)
    ben = people.add_subject("Ben", consent=AGREED, references=[NewReference(face(), 70)]).id

    assert {first: (ann, 50.0), second: (ann, 60.0)} == {
        kept.id: (kept.subject, kept.quality) for kept in people.references(ann)
    }
    assert [ann, ann, ben] == [kept.subject for kept in people.references()]
    assert (DLIB, SFACE) == people.references()[2].models
    with pytest.raises(EnrolmentError):
        people.add_references(ben, [NewReference({}, 50)], consent=NOT_FACES)
    assert 1 == len(people.consents(ben))
