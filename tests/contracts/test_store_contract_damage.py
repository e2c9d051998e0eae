"""Sealed values that were moved, damaged or are another box's, the same on SQLite and on PostgreSQL."""

from collections.abc import Callable

import pytest
from seals import ToySeal
from stores import AGREED, face, sql
from structlog.testing import capture_logs

from appliance.errors import VaultError
from appliance.store import Store
from appliance.values import DLIB, SFACE

MakeStore = Callable[..., Store]


def test_a_template_moved_to_another_person_does_not_open(make_store: MakeStore, address: str) -> None:
    """Whoever writes the tables cannot make Ben's face open Ann's door: it is left out."""
    people = make_store()
    ann, ben = (people.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    people.add_reference(ann, face(0.1), quality=50)
    people.add_reference(ben, face(0.9), quality=50)
    sql(address, "UPDATE face_references SET subject = :ann WHERE subject = :ben", ann=ann, ben=ben)

    assert {ann: 0.1} == {
        row.subject: pytest.approx(float(row.embedding[0])) for row in people.gallery([DLIB]).rows
    }


@pytest.mark.parametrize("damage", [b"noise, and no sealed value of anybody", b""])
def test_one_damaged_template_leaves_out_its_reference_only(
    make_store: MakeStore, address: str, damage: bytes
) -> None:
    """Whichever model's it is; the log names the reference, and everybody else is still recognised."""
    people = make_store()
    subjects = [people.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben")]
    ann, ben = (people.add_reference(subject, face(), quality=50) for subject in subjects)
    sql(
        address,
        "UPDATE templates SET sealed_embedding = :b WHERE reference = :r AND model = :m",
        b=damage,
        r=ann,
        m=SFACE,
    )
    with capture_logs() as said:
        gallery = people.gallery([SFACE, DLIB])

    assert ({ben}, (ann,)) == ({row.reference for row in gallery.rows}, gallery.damaged)
    assert [("reference_left_out", ann)] == [(line["event"], line["reference"]) for line in said]
    assert () == people.gallery([DLIB]).damaged


def test_another_box_s_key_opens_nothing(make_store: MakeStore) -> None:
    """A copied database is noise under another device key."""
    make_store().add_subject("Ann", consent=AGREED)
    with pytest.raises(VaultError):
        make_store(seal=ToySeal("thief"), seed=2).subjects()


def damaged_name(address: str, subject: str) -> None:
    """Somebody's profile is noise from now on."""
    sql(address, "UPDATE subjects SET sealed_profile = :b WHERE id = :s", b=b"noise" * 9, s=subject)


def test_one_damaged_name_stops_nobody_else(make_store: MakeStore, address: str) -> None:
    """They are listed without a name, and logged by id; renaming mends it. Others are found as ever."""
    people = make_store()
    ann, ben = (people.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    damaged_name(address, ann)
    with capture_logs() as said:
        listed = people.subjects()

    assert {(ann, None, None), (ben, "Ben", "B")} == {(s.id, s.name, s.initials) for s in listed}
    assert [("name_left_out", ann)] == [(line["event"], line["subject"]) for line in said]
    assert ben == people.subject("Ben").id
    with pytest.raises(VaultError):
        people.set_initials(ann, "A")
    assert "Anne" == people.rename(ann, "Anne").name


def test_the_only_name_may_be_damaged(make_store: MakeStore, address: str) -> None:
    """Their own key opens, so it is damage and not another box's key."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    damaged_name(address, ann)

    assert [None] == [subject.name for subject in people.subjects()]


@pytest.mark.parametrize("plain", [b"no JSON", b"\xff", b"[]", b"5", b'{"initials": "A"}', b'{"name": 5}'])
def test_a_profile_that_opens_and_is_none_is_damage_too(
    make_store: MakeStore, address: str, plain: bytes
) -> None:
    """In the list, by id, and when the initials change; never an error of ours. Renaming mends it."""
    seal = ToySeal()
    people = make_store(seal=seal)
    ann = people.add_subject("Ann", consent=AGREED).id
    ((key,),) = sql(address, "SELECT wrapped_key FROM subjects")
    sealed = seal.seal(key, ann, plain, row=f"subjects/{ann}/profile")
    sql(address, "UPDATE subjects SET sealed_profile = :b", b=sealed)

    assert [(ann, None, None)] == [(s.id, s.name, s.initials) for s in people.subjects()]
    with pytest.raises(VaultError, match="damaged") as asked:
        people.name_of(ann)
    with pytest.raises(VaultError, match="damaged") as changed:
        people.set_initials(ann, "A")
    assert "rename" in asked.value.advice
    assert asked.value.hint == changed.value.hint
    assert ("Anne", "A") == ((anne := people.rename(ann, "Anne")).name, anne.initials)


@pytest.mark.parametrize("plain", [b"no JSON", b"\xff", b"[]"])
def test_details_that_open_and_are_none_are_left_out(
    make_store: MakeStore, address: str, plain: bytes
) -> None:
    """The reference is told without them, and the log says where they rest."""
    seal = ToySeal()
    people = make_store(seal=seal)
    ann = people.add_subject("Ann", consent=AGREED).id
    reference = people.add_reference(ann, face(), quality=50, details={"sha256": "ab"})
    ((key,),) = sql(address, "SELECT wrapped_key FROM subjects")
    row = f"references/{reference}/details"
    sql(address, "UPDATE face_references SET sealed_details = :b", b=seal.seal(key, ann, plain, row=row))
    with capture_logs() as said:
        kept = people.references(ann)

    assert [(50.0, None)] == [(each.quality, each.details) for each in kept]
    assert [("sealed_value_damaged", row)] == [(line["event"], line["row"]) for line in said]


def test_damaged_details_and_consents_are_left_out(make_store: MakeStore, address: str) -> None:
    """The rest of the reference and of the consent is told."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    people.add_reference(ann, face(), quality=50, details={"sha256": "ab"})
    sql(address, "UPDATE face_references SET sealed_details = :b", b=b"noise" * 9)
    sql(address, "UPDATE consents SET sealed_given_by = :b", b=b"noise" * 9)

    assert [(50.0, None)] == [(kept.quality, kept.details) for kept in people.references(ann)]
    assert [(("identify",), None)] == [(kept.purposes, kept.given_by) for kept in people.consents(ann)]
