"""Subjects, consents and the gallery, the same promises on SQLite and on PostgreSQL."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seals import ToySeal
from stores import AGREED, NOON, face, sql
from structlog.testing import capture_logs

from appliance.clock import ManualClock
from appliance.errors import EnrolmentError, UnknownSubjectError, VaultError
from appliance.store import Consent, NewReference, Store, SubjectState
from appliance.values import DLIB, SFACE, ModelId, SubjectId

MakeStore = Callable[..., Store]
NOT_FACES = Consent(purposes=("screen",), text_version="2026-01", given_by="cli")


def types(people: Store) -> list[str]:
    """What was logged, by type."""
    return [event.type for event in people.events()]


def test_somebody_enrolled_is_there(make_store: MakeStore) -> None:
    """Name, initials, state, purposes; logged with the consent, by opaque id only."""
    people = make_store()
    ann = people.add_subject("Ann Mary Example", consent=AGREED)

    assert ("Ann Mary Example", "AE", SubjectState.ACTIVE, ("identify",), 0) == (
        ann.name,
        ann.initials,
        ann.state,
        ann.purposes,
        ann.references,
    )
    assert [ann] == people.subjects()
    assert ["subject_enrolled", "consent_given"] == types(people)
    assert "Ann" not in str(people.events())


def test_a_name_is_not_in_the_tables(make_store: MakeStore, address: str) -> None:
    """Names, initials, who consented and where a photo came from rest sealed."""
    people = make_store()
    ann = people.add_subject("Zebedee Quux", "ZQ", consent=AGREED)
    people.add_reference(ann.id, face(), quality=50, details={"photo": "holiday.jpg"})
    tables = ("devices", "events", "outbox", "subjects", "consents", "face_references", "templates")
    kept = [value for table in tables for row in sql(address, f"SELECT * FROM {table}") for value in row]  # noqa: S608 - names of ours
    everything = b"\0".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in kept)

    for secret in (b"Zebedee", b"ZQ", b"on paper", b"holiday", face()[DLIB].embedding.tobytes()[:16]):
        assert secret not in everything


@pytest.mark.parametrize("name", ["", "   ", "a" * 121, "Ann\nBen", "Ann\x00", "Ann\u202e"])
def test_a_name_that_cannot_be_is_refused(make_store: MakeStore, name: str) -> None:
    """Empty, endless or with invisible control characters; nothing is written."""
    people = make_store()
    with pytest.raises(EnrolmentError, match="a name has"):
        people.add_subject(name, consent=AGREED)

    assert people.is_empty()


@pytest.mark.parametrize("initials", ["", "ABCDE", "A\n"])
def test_initials_that_cannot_be_are_refused(make_store: MakeStore, initials: str) -> None:
    """One to four printable characters."""
    with pytest.raises(EnrolmentError, match="initials"):
        make_store().add_subject("Ann", initials.replace("\n", "\n."), consent=AGREED)


@pytest.mark.parametrize(
    "consent", [Consent((), "v1", "x"), Consent(("Everything!",), "v1", "x"), Consent(("identify",), "", "x")]
)
def test_a_consent_to_nothing_is_refused(make_store: MakeStore, consent: Consent) -> None:
    """Nobody is enrolled with it."""
    people = make_store()
    with pytest.raises(EnrolmentError, match="a consent needs"):
        people.add_subject("Ann", consent=consent)

    assert people.is_empty()


def test_a_subject_is_found_by_id_name_or_beginning(make_store: MakeStore) -> None:
    """Case matters only where it has to; an id can be shortened while nobody shares it."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED)
    other = people.add_subject("ANN", consent=AGREED)
    zoe = people.add_subject("Zoe\u0308", consent=AGREED)

    assert [ann, other] == [people.subject("Ann"), people.subject("ANN")]
    assert [zoe, zoe] == [people.subject("zo\u00eb"), people.subject(zoe.id)]
    assert zoe == people.subject(zoe.id[:30])


def test_nobody_is_said_with_the_nearest_names(make_store: MakeStore) -> None:
    """The names are in the hint, for whoever asked; the message may go anywhere and has none."""
    people = make_store()
    people.add_subject("Hannah", consent=AGREED)
    with pytest.raises(UnknownSubjectError) as caught:
        people.subject("Hanna")

    assert "nearest: Hannah" == caught.value.hint
    assert "Hanna" not in str(caught.value)


def test_two_of_a_name_are_told_apart_by_id(make_store: MakeStore) -> None:
    """The hint lists both ids."""
    people = make_store()
    both = [people.add_subject("Ann", consent=AGREED).id for _ in range(2)]
    with pytest.raises(UnknownSubjectError, match="several") as caught:
        people.subject("Ann")

    assert all(one in caught.value.hint for one in both)


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


def test_somebody_paused_is_not_recognised(make_store: MakeStore) -> None:
    """They stay enrolled, out of the gallery, until resumed; twice is once."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    people.add_reference(ann, face(), quality=50)
    people.pause(ann)
    people.pause(ann)

    assert (SubjectState.PAUSED, []) == (people.subject(ann).state, people.template_rows([DLIB]))
    people.resume(ann)
    assert (SubjectState.ACTIVE, 1) == (people.subject(ann).state, len(people.template_rows([DLIB])))
    assert ["subject_paused", "subject_resumed"] == types(people)[-2:]


def test_a_stricter_threshold_is_kept_and_handed_out(make_store: MakeStore) -> None:
    """With the gallery, for those active who have one; logged, counted; the same again is nothing."""
    people = make_store()
    ann, ben = (people.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    for who in (ann, ben):
        people.add_reference(who, face(), quality=50)
    before = people.gallery_version()

    assert ({}, 1.0) == (people.gallery([DLIB]).strictness, people.subject(ann).strictness)
    assert 10.0 == people.set_strictness(ann, 10).strictness
    people.set_strictness(ann, 10.0)
    assert {ann: 10.0} == people.gallery([DLIB]).strictness
    assert ["subject_strictness_changed"] == types(people)[6:]
    assert (before + 1, 10.0) == (people.gallery_version(), people.events()[-1].event.strictness)  # type: ignore[attr-defined]
    people.pause(ann)
    assert {} == people.gallery([DLIB]).strictness
    people.resume(ann)
    people.set_strictness(ann, 1)
    assert {} == people.gallery([DLIB]).strictness


@pytest.mark.parametrize("factor", [0, 0.99, -3, 1000.5, float("nan"), float("inf")])
def test_a_strictness_that_cannot_be_is_refused(make_store: MakeStore, factor: float) -> None:
    """Never laxer than ordinary, never beyond what was measured, always a number; nothing is written."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    with pytest.raises(EnrolmentError, match="from 1"):
        people.set_strictness(ann, factor)

    assert (1.0, 2) == (people.subject(ann).strictness, len(people.events()))


def test_somebody_removed_leaves_no_strictness(make_store: MakeStore) -> None:
    """An opaque id and dates stay, and not how carefully they were told apart."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    people.set_strictness(ann, 50)
    people.remove_subject(ann)

    assert [1.0] == [stone.strictness for stone in people.subjects(removed=True)]


def test_somebody_renamed_keeps_everything_else(make_store: MakeStore) -> None:
    """The old name finds nobody any more."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED)
    renamed = people.rename(ann.id, "Anne Other", "AO")

    assert (ann.id, "Anne Other", "AO") == (renamed.id, renamed.name, renamed.initials)
    with pytest.raises(UnknownSubjectError):
        people.subject("Ann")


def test_somebody_removed_is_gone(make_store: MakeStore, address: str) -> None:
    """Key, name, references and who consented; an opaque id, a date and the log's hashes stay."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    people.add_reference(ann, face(), quality=50)
    people.remove_subject(ann)
    (stone,) = people.subjects(removed=True)

    assert [] == people.subjects()
    assert (SubjectState.REMOVED, None, None, ()) == (stone.state, stone.name, stone.initials, stone.purposes)
    assert [(None, None)] == sql(address, "SELECT wrapped_key, sealed_profile FROM subjects")
    assert [(0,), (0,)] == sql(
        address, "SELECT count(*) FROM face_references UNION ALL SELECT count(*) FROM templates"
    )
    assert [(None, NOON)] == [(c.given_by, c.withdrawn_at) for c in people.consents(ann)]
    assert "subject_removed" == types(people)[-1]
    assert len(people.events()) == people.verify().last


@pytest.mark.parametrize("who", ["nobody", "removed"])
def test_nobody_can_be_changed(make_store: MakeStore, who: str) -> None:
    """Neither somebody who never was nor somebody removed; nothing is logged."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    people.remove_subject(ann)
    subject = {"nobody": SubjectId("0190a3f2-0000-7000-8000-00000000000a"), "removed": ann}[who]
    logged = len(people.events())
    changes: tuple[Callable[[], object], ...] = (
        lambda: people.add_reference(subject, face(), quality=50),
        lambda: people.give_consent(subject, AGREED),
        lambda: people.withdraw_consent(subject),
        lambda: people.rename(subject, "Ann"),
        lambda: people.pause(subject),
        lambda: people.resume(subject),
        lambda: people.set_strictness(subject, 2),
        lambda: people.remove_subject(subject),
        lambda: people.remove_reference("0190a3f2-0000-7000-8000-00000000000b"),
    )
    for change in changes:
        with pytest.raises(UnknownSubjectError):
            change()

    assert logged == len(people.events())


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


def test_a_name_is_looked_up_alone(make_store: MakeStore) -> None:
    """One profile is opened, whoever else is enrolled, readable or not; nobody has no name."""

    class Counting(ToySeal):
        opened = 0

        def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
            self.opened += 1
            return super().open(wrapped_key, subject, sealed, row=row)

    seal = Counting()
    people = make_store(seal=seal)
    ann, _, cem = (people.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben", "Cem"))
    people.remove_subject(cem)
    before = seal.opened

    assert ("Ann", None, None) == (people.name_of(ann), people.name_of(cem), people.name_of("nobody"))
    assert 1 == seal.opened - before
    assert make_store(sealed=False, seed=2).name_of(ann) is None


def test_another_box_s_key_opens_nothing(make_store: MakeStore) -> None:
    """A copied database is noise under another device key."""
    make_store().add_subject("Ann", consent=AGREED)
    with pytest.raises(VaultError):
        make_store(seal=ToySeal("thief"), seed=2).subjects()


def test_qualities_are_told_to_who_holds_no_key(make_store: MakeStore) -> None:
    """By reference, of everybody; they are not sealed."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED).id
    added = {people.add_reference(ann, face(), quality=quality): quality for quality in (50.0, 61.5)}

    assert added == people.qualities() == make_store(sealed=False, seed=2).qualities()


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


def test_initials_change_alone(make_store: MakeStore) -> None:
    """The name stays; logged and counted like a new name; what cannot be is refused."""
    people = make_store()
    ann = people.add_subject("Ann Mary", consent=AGREED).id
    before = people.gallery_version()

    assert ("Ann Mary", "XY") == ((kept := people.set_initials(ann, "XY")).name, kept.initials)
    assert (before + 1, "subject_renamed") == (people.gallery_version(), types(people)[-1])
    with pytest.raises(EnrolmentError, match="initials"):
        people.set_initials(ann, "")
    assert "XY" == people.subject(ann).initials


def test_an_alias_changes_alone_and_outlives_another_name(make_store: MakeStore) -> None:
    """Kept sealed with the name, logged like a name; none is none; what cannot be is refused."""
    people = make_store()
    ann = people.add_subject("Ann Mary", consent=AGREED, alias=" Captain ").id
    enrolled = people.subject(ann)
    renamed = people.rename(ann, "Ann Other")
    initials = people.set_initials(ann, "XY")
    other = people.set_alias(ann, "A\u0308nn")
    for wrong in ("", " ", "x" * 25, "a\nb"):
        with pytest.raises(EnrolmentError, match="alias"):
            people.set_alias(ann, wrong)
    kept = people.subject(ann)
    none = people.set_alias(ann, None)

    assert ["Captain"] * 3 == [enrolled.alias, renamed.alias, initials.alias]
    assert "\u00c4nn" == other.alias == kept.alias
    assert ("Ann Other", "XY", None) == (none.name, none.initials, none.alias)
    assert 4 == types(people).count("subject_renamed")


def test_purposes_are_taken_back_and_the_rest_goes_on(make_store: MakeStore) -> None:
    """A consent that covers more ends, and goes on for its others: same text, same words, same day."""
    people = make_store()
    both = Consent(("greet", "identify", "song"), "2026-01", "on paper")
    ann = people.add_subject("Ann", consent=both, references=[NewReference(face(), 80.0)]).id
    people.give_consent(ann, Consent(("song",), "2026-02", "by mail"))
    people.withdraw_purposes(ann, ["song", "unlock"])
    subject, kept = people.subject(ann), people.consents(ann)
    in_force = [each for each in kept if each.withdrawn_at is None]
    withdrawn = [each.event for each in people.events(types=("consent_withdrawn",))]

    assert (("greet", "identify"), 1) == (subject.purposes, subject.references)
    assert [(("greet", "identify"), "2026-01", "on paper", kept[0].given_at)] == [
        (each.purposes, each.text_version, each.given_by, each.given_at) for each in in_force
    ]
    assert [("song",), ("song",)] == [each.purposes for each in withdrawn]  # type: ignore[union-attr]
    assert people.verify().last == len(people.events())


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


def test_whoever_enrols_sees_those_paused_too(make_store: MakeStore) -> None:
    """Recognition does not; a second enrolment of somebody paused would else go unnoticed."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED, references=[NewReference(face(), 50)]).id
    people.set_strictness(ann, 5)
    people.pause(ann)

    assert ((), {}) == ((gallery := people.gallery([DLIB])).rows, gallery.strictness)
    assert [ann] == [row.subject for row in people.gallery([DLIB], paused=True).rows]
    assert {ann: 5.0} == people.gallery([DLIB], paused=True).strictness
