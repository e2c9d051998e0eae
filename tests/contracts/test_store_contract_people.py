"""Subjects and their consents, the same promises on SQLite and on PostgreSQL."""

from collections.abc import Callable

import pytest
from seals import ToySeal
from stores import AGREED, NOON, face, sql, types

from appliance.errors import EnrolmentError, UnknownSubjectError
from appliance.store import Consent, NewReference, Store, SubjectState
from appliance.values import DLIB, SubjectId

MakeStore = Callable[..., Store]


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


def test_whoever_opens_no_more_is_found_by_id_and_removed(make_store: MakeStore, address: str) -> None:
    """Nothing sealed is opened for it: neither a name is known, nor does anybody else's damage matter."""
    people = make_store()
    ann, ben = (people.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    people.add_reference(ann, face(), quality=50, details={})
    sql(address, "UPDATE subjects SET wrapped_key = :none", none=b"none")
    found = people.subject_unopened(ann)
    people.remove_subject(ann)

    assert (ann, None, 1, ("identify",)) == (found.id, found.name, found.references, found.purposes)
    for nobody in (ann, "Ben", ben[:3], ""):
        with pytest.raises(UnknownSubjectError):
            people.subject_unopened(nobody)
    assert ben == people.subject_unopened(f" {ben[:30]} ").id


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


def test_whoever_enrols_sees_those_paused_too(make_store: MakeStore) -> None:
    """Recognition does not; a second enrolment of somebody paused would else go unnoticed."""
    people = make_store()
    ann = people.add_subject("Ann", consent=AGREED, references=[NewReference(face(), 50)]).id
    people.set_strictness(ann, 5)
    people.pause(ann)

    assert ((), {}) == ((gallery := people.gallery([DLIB])).rows, gallery.strictness)
    assert [ann] == [row.subject for row in people.gallery([DLIB], paused=True).rows]
    assert {ann: 5.0} == people.gallery([DLIB], paused=True).strictness
