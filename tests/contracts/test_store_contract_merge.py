"""Two enrolments of one person become one, the same promises on SQLite and on PostgreSQL."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seals import ToySeal
from stores import AGREED, NOON, OPENED, face, sql

from appliance.clock import ManualClock
from appliance.errors import EnrolmentError, StoreFullError, UnknownSubjectError, VaultError
from appliance.events import Personal
from appliance.store import Consent, Erased, NewEvent, NewReference, Store, SubjectState
from appliance.values import DLIB, SFACE, SubjectId

MakeStore = Callable[..., Store]
SONG = Consent(purposes=("identify", "song"), text_version="2026-02", given_by="by mail")
MERGER = Path(__file__).parents[1] / "support" / "merger.py"


def two(people: Store) -> tuple[SubjectId, SubjectId]:
    """Ann with one reference, and Anne, who is the same person, with two and a consent more."""
    ann = people.add_subject(
        "Ann", consent=AGREED, references=[NewReference(face(0.1), 50, {"sha256": "a"})]
    ).id
    anne = people.add_subject(
        "Anne",
        consent=SONG,
        references=[NewReference(face(value), 60, {"sha256": str(value)}) for value in (0.2, 0.3)],
    ).id
    return ann, anne


def everything(people: Store) -> object:
    """All that is kept of people, and the log."""
    return (
        people.subjects(removed=True),
        [people.references(subject.id) for subject in people.subjects()],
        [people.consents(subject.id) for subject in people.subjects()],
        [(row.subject, row.reference, row.embedding.tobytes()) for row in people.gallery([DLIB, SFACE]).rows],
        people.gallery_version(),
        len(people.events()),
    )


def test_the_one_takes_over_what_the_other_had(make_store: MakeStore, clock: ManualClock) -> None:
    """References bit for bit under their ids, consents with dates and words; the other is gone."""
    people = make_store()
    ann, anne = two(people)
    own = [kept.id for kept in people.references(ann)]
    theirs = {kept.id: (kept.quality, kept.details) for kept in people.references(anne)}
    vectors = {row[1:3]: row.embedding.tobytes() for row in people.gallery([DLIB, SFACE]).rows}
    before = people.gallery_version()
    clock.advance(60)
    merged = people.merge(ann, anne)

    assert (2, 1, True) == (merged.references, merged.consents, merged.erased)
    assert [merged.subject] == people.subjects()
    assert (ann, "Ann", 3, ("identify", "song")) == (
        merged.subject.id,
        merged.subject.name,
        merged.subject.references,
        merged.subject.purposes,
    )
    kept = {each.id: (each.quality, each.details) for each in people.references(ann)}
    assert theirs == {reference: kept[reference] for reference in kept if reference not in own}
    rows = people.gallery([DLIB, SFACE]).rows
    assert vectors == {row[1:3]: row.embedding.tobytes() for row in rows}
    assert {ann} == {row.subject for row in rows}
    assert [("Ann herself, on paper", NOON), ("by mail", NOON)] == [
        (consent.given_by, consent.given_at) for consent in people.consents(ann)
    ]
    assert before + 1 == people.gallery_version()
    (stone,) = [subject for subject in people.subjects(removed=True) if subject.id == anne]
    assert (SubjectState.REMOVED, None, 0, clock.wall()) == (
        stone.state,
        stone.name,
        stone.references,
        stone.changed_at,
    )


def test_the_log_tells_all_of_it(make_store: MakeStore) -> None:
    """Who was merged into whom, then what moved, then that the other is removed; the chain holds."""
    people = make_store()
    ann, anne = two(people)
    told = len(people.events())
    people.merge(ann, anne)
    moved = ["reference_removed", "reference_added"] * 2
    events = people.events()[told:]

    assert ["subject_merged", "consent_given", *moved, "subject_removed"] == [e.type for e in events]
    assert [ann, ann, anne, ann, anne, ann, anne] == [e.event.subject for e in events]  # type: ignore[attr-defined]
    assert anne == events[0].event.merged  # type: ignore[attr-defined]
    assert (("dlib", "sface"),) * 2 == tuple(
        e.event.models  # type: ignore[attr-defined]
        for e in events
        if e.type == "reference_added"
    )
    assert len(people.events()) == people.verify().last


def test_the_other_key_is_destroyed(make_store: MakeStore, address: str) -> None:
    """What the log has sealed for them opens no more; nothing is left under that key in any table."""
    people = make_store()
    ann, anne = two(people)
    note = people.append_all([NewEvent(OPENED, Personal(subject=anne, payload={"note": "x"}))])[0]
    people.merge(ann, anne)

    assert isinstance(people.personal(note), Erased)
    assert [(None, None)] == sql(
        address, "SELECT wrapped_key, sealed_profile FROM subjects WHERE id = :s", s=anne
    )
    for table in ("face_references", "consents"):
        assert [(0,)] == sql(address, f"SELECT count(*) FROM {table} WHERE subject = :s", s=anne)  # noqa: S608 - names of ours


def test_nothing_of_the_other_key_is_left_in_the_file(
    make_store: MakeStore, address: str, tmp_path: Path
) -> None:
    """Not in SQLite's write-ahead log either: whoever copies the files afterwards has no key of theirs."""
    if not address.startswith("sqlite"):
        pytest.skip("PostgreSQL keeps dead rows until it vacuums, which is said where it is promised")
    people = make_store()
    ann, anne = two(people)
    ((key,),) = sql(address, "SELECT wrapped_key FROM subjects WHERE id = :s", s=anne)
    files = list(tmp_path.glob("store.sqlite3*"))
    assert any(key in file.read_bytes() for file in files)

    assert people.merge(ann, anne).erased
    assert not any(key in file.read_bytes() for file in files)


@pytest.mark.parametrize(
    ("own", "theirs", "kept"), [(1, 1, 1.0), (1, 20, 20.0), (20, 1, 20.0), (5, 20, 20.0)]
)
def test_the_stricter_threshold_stays(make_store: MakeStore, own: float, theirs: float, kept: float) -> None:
    """Nobody becomes easier to be taken for by a merge; a change is logged."""
    people = make_store()
    ann, anne = two(people)
    people.set_strictness(ann, own)
    people.set_strictness(anne, theirs)
    told = len(people.events())

    assert kept == people.merge(ann, anne).subject.strictness
    logged = [e.type for e in people.events()[told:]]
    assert (kept != own) == ("subject_strictness_changed" in logged)


def test_somebody_paused_stays_paused(make_store: MakeStore) -> None:
    """The state is that of who is kept, whatever the other's was."""
    people = make_store()
    ann, anne = two(people)
    people.pause(ann)

    assert SubjectState.PAUSED == people.merge(ann, anne).subject.state
    assert [] == people.template_rows([DLIB])


def test_a_consent_taken_back_stays_taken_back(make_store: MakeStore) -> None:
    """It moves with its end, gives nothing, and is not logged as given."""
    people = make_store()
    ann, anne = two(people)
    people.give_consent(anne, AGREED)
    people.withdraw_consent(anne, next(c.id for c in people.consents(anne) if "song" in c.purposes))
    told = len(people.events())
    merged = people.merge(ann, anne)

    assert (("identify",), 2) == (merged.subject.purposes, merged.consents)
    assert [NOON] == [c.withdrawn_at for c in people.consents(ann) if c.withdrawn_at]
    assert 1 == [event.type for event in people.events()[told:]].count("consent_given")


def test_nobody_is_merged_with_themselves_or_with_nobody(make_store: MakeStore) -> None:
    """Nor with somebody removed; nothing is changed."""
    people = make_store()
    ann, anne = two(people)
    gone = people.add_subject("Gone", consent=AGREED).id
    people.remove_subject(gone)
    before = everything(people)
    with pytest.raises(EnrolmentError, match="one person already"):
        people.merge(ann, ann)
    for keep, other in ((ann, gone), (gone, anne), (ann, "nobody"), ("nobody", ann)):
        with pytest.raises(UnknownSubjectError):
            people.merge(keep, other)

    assert before == everything(people)


@pytest.mark.parametrize("column", ["sealed_details", "sealed_embedding", "sealed_given_by"])
def test_what_is_damaged_is_not_lost_silently(make_store: MakeStore, address: str, column: str) -> None:
    """It cannot be sealed anew, so that nothing is merged until somebody has looked."""
    people = make_store()
    ann, anne = two(people)
    reference = people.references(anne)[1].id
    table, where = {
        "sealed_details": ("face_references", f"id = '{reference}'"),
        "sealed_embedding": ("templates", f"reference = '{reference}' AND model = 'sface'"),
        "sealed_given_by": ("consents", f"subject = '{anne}'"),
    }[column]
    sql(address, f"UPDATE {table} SET {column} = :b WHERE {where}", b=b"noise" * 9)  # noqa: S608 - names of ours
    before = everything(people)
    with pytest.raises(EnrolmentError, match="damaged"):
        people.merge(ann, anne)

    assert before == everything(people)


class Locking(ToySeal):
    """A seal that can be locked, as the vault is in a process without the device key."""

    locked = False

    @property
    def public_key(self) -> bytes:
        """While it is not locked."""
        self._unlocked()
        return self._public

    @public_key.setter
    def public_key(self, key: bytes) -> None:
        self._public = key

    def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
        """Likewise."""
        self._unlocked()
        return super().open(wrapped_key, subject, sealed, row=row)

    def _unlocked(self) -> None:
        if self.locked:
            raise VaultError("the vault is locked")


def test_a_locked_vault_is_nobodys_damage(make_store: MakeStore) -> None:
    """It is said as what it is, and nothing is changed."""
    seal = Locking()
    people = make_store(seal=seal)
    ann, anne = two(people)
    before = everything(people)
    seal.locked = True
    with pytest.raises(VaultError, match="the vault is locked"):
        people.merge(ann, anne)
    seal.locked = False

    assert before == everything(people)


@pytest.mark.parametrize(("whose", "whom"), [(0, "kept"), (1, "merged")])
def test_a_damaged_key_is_that_of_its_owner(
    make_store: MakeStore, address: str, whose: int, whom: str
) -> None:
    """Of who is kept or of who is merged: nobody removes a whole reference for another's key."""
    people = make_store()
    both = two(people)
    sql(address, "UPDATE subjects SET wrapped_key = :k WHERE id = :s", k=b"noise" * 9, s=both[whose])
    before = everything(people)
    with pytest.raises(EnrolmentError, match=f"the key of the person to be {whom} is damaged") as caught:
        people.merge(*both)

    assert "backup" in caught.value.hint
    assert before == everything(people)


@pytest.mark.parametrize("keeps", ["who took it back", "who gave it"])
def test_what_was_taken_back_later_stays_taken_back(
    make_store: MakeStore, clock: ManualClock, keeps: str
) -> None:
    """Whoever is kept: the song is over; the rest of that consent goes on, with its words and its date."""
    people = make_store()
    ann, anne = two(people)  # Anne agreed to being identified and to the song
    people.give_consent(ann, Consent(("song",), "2026-01", "at the party"))
    clock.advance(60)
    took_back = clock.wall()
    people.withdraw_consent(ann, next(c.id for c in people.consents(ann) if c.purposes == ("song",)))
    clock.advance(60)
    keep, other = (ann, anne) if keeps == "who took it back" else (anne, ann)
    told = len(people.events())
    subject = people.merge(keep, other).subject

    assert ("identify",) == subject.purposes
    assert {
        (("identify",), "Ann herself, on paper", NOON, None),
        (("song",), "at the party", NOON, took_back),
        (("identify", "song"), "by mail", NOON, took_back),
        (("identify",), "by mail", NOON, None),
    } == {(c.purposes, c.given_by, c.given_at, c.withdrawn_at) for c in people.consents(keep)}
    own = set() if keep == ann else {("consent_withdrawn", ("song",))}
    assert (
        {("consent_given", ("identify",)), *own}
        == {
            (e.type, e.event.purposes)  # type: ignore[attr-defined]
            for e in people.events()[told:]
            if e.type.startswith("consent_")
        }
    )
    assert len(people.events()) == people.verify().last


@pytest.mark.parametrize("keeps", ["who took it back", "who gave it"])
def test_what_was_given_after_it_was_taken_back_is_given(
    make_store: MakeStore, clock: ManualClock, keeps: str
) -> None:
    """The later word counts in this direction, too; no consent is touched."""
    people = make_store()
    ann, anne = two(people)
    people.withdraw_consent(anne)
    clock.advance(60)
    people.give_consent(anne, AGREED)
    people.give_consent(ann, SONG)
    keep, other = (anne, ann) if keeps == "who took it back" else (ann, anne)

    assert ("identify", "song") == people.merge(keep, other).subject.purposes
    assert 4 == len(people.consents(keep))


@pytest.mark.parametrize("kept", [0, 1])
def test_nobody_is_recognised_against_their_later_word(
    make_store: MakeStore, clock: ManualClock, kept: int
) -> None:
    """One took back that they are recognised: the other's pictures neither bring it back nor are lost."""
    people = make_store()
    both = two(people)
    clock.advance(60)
    people.withdraw_consent(both[1])
    before = everything(people)
    with pytest.raises(EnrolmentError, match="took back the consent to be recognised"):
        people.merge(both[kept], both[1 - kept])

    assert before == everything(people)


class Failing(ToySeal):
    """A seal that can do a number of things and then fails."""

    left = 10**6

    def seal(self, wrapped_key: bytes, subject: str, plaintext: bytes, *, row: str) -> bytes:
        """Until it fails."""
        self.left -= 1
        if self.left < 0:
            raise StoreFullError("no space")
        return super().seal(wrapped_key, subject, plaintext, row=row)


def test_a_merge_that_fails_half_way_changed_nothing(make_store: MakeStore) -> None:
    """Wherever it fails: two people before, two people after, and the next attempt succeeds."""
    seal = Failing()
    people = make_store(seal=seal)
    ann, anne = two(people)
    before = everything(people)

    @given(st.integers(0, 6))  # seven values are sealed anew: a consent, two details, four templates
    @settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def fails(after: int) -> None:
        seal.left = after
        with pytest.raises(StoreFullError):
            people.merge(ann, anne)
        seal.left = 10**6
        assert before == everything(people)

    fails()
    assert 3 == people.merge(ann, anne).subject.references


@pytest.mark.parametrize("after", [0, 4])
def test_a_process_killed_in_a_merge_leaves_two_people(
    make_store: MakeStore, address: str, after: int
) -> None:
    """Both open afterwards as if nobody had tried, and can then be merged."""
    people = make_store()
    ann, anne = two(people)
    before = everything(people)
    done = subprocess.run([sys.executable, MERGER, address, ann, anne, str(after)], check=False, timeout=60)

    assert -signal.SIGKILL == done.returncode
    assert before == everything(people)
    assert 3 == people.merge(ann, anne).subject.references
    assert len(people.events()) == people.verify().last
