"""Subjects and their consents: everything about a person that can be erased.

Names, initials and who gave a consent rest sealed under the subject's own key; removing a person
destroys it. Every change is one transaction with its event. Whether two people are one is decided
before this room.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select, update

from appliance.errors import EnrolmentError, UnknownSubjectError
from appliance.events import ConsentChanged, Event, StrictnessChanged, SubjectChanged
from appliance.store.chain import canonical
from appliance.store.database import reading
from appliance.store.records import IDENTIFY, Consent, KeptConsent, Subject, SubjectState
from appliance.store.references import References
from appliance.store.sealing import given_by_row, need, profile_row
from appliance.store.tables import consents, face_references, subjects
from appliance.values import SubjectId

NAME_CHARS = 120
INITIALS_CHARS = 4
TEXT_VERSION_CHARS = 64
MAX_STRICTNESS = 1000
"""Beyond a thousandth of the ordinary rate the tables say nothing, and hardly anybody is recognised."""
_ID_PREFIX = re.compile(r"[0-9a-f-]{4,36}")
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,31}")

_Change = Literal["subject_renamed", "subject_paused", "subject_resumed"]


class People(References):
    """The people of the box."""

    def add_subject(self, name: str, initials: str | None = None, *, consent: Consent) -> Subject:
        """Enrol a person, without references yet.

        Args:
            name: 1 to 120 characters, no control characters; two people may have the same.
            initials: 1 to 4 characters; None: made from the name.
            consent: Theirs; without one nobody is enrolled.

        Raises:
            EnrolmentError: A name, initials or a consent that cannot be.
            StoreError: This process holds no key.
        """
        seal, now = need(self._seal), self._clock.wall()
        profile = _profile(name, initials)
        subject = SubjectId(self._ids(now))
        key = seal.new_subject_key(subject)
        with self._writing() as connection:
            self._lock_head(connection)
            row = {
                "id": subject,
                "state": SubjectState.ACTIVE.value,
                "wrapped_key": key,
                "sealed_profile": self._sealed_profile(key, subject, profile),
                "created_at": now,
                "changed_at": now,
            }
            connection.execute(insert(subjects).values(row))
            given = self._add_consent(connection, subject, key, consent)
            self._changed(connection, [SubjectChanged(type="subject_enrolled", subject=subject), given])
        return self.subject(subject)

    def give_consent(self, subject: str, consent: Consent) -> None:
        """Record a further consent, e.g. to another purpose or a newer text.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: A consent to nothing.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            given = self._add_consent(connection, SubjectId(subject), key, consent)
            self._changed(connection, [given], subject=subject)

    def withdraw_consent(self, subject: str, consent: str | None = None) -> bool:
        """Take back one consent, or all. With the last one to `identify` the references are deleted.

        Returns:
            Whether nothing of them is left in the write-ahead log either; see `remove_subject`.

        Raises:
            UnknownSubjectError: Nobody, or removed.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            self._key_of(connection, subject)
            wanted = select(consents).where(consents.c.subject == subject, consents.c.withdrawn_at.is_(None))
            if consent is not None:
                wanted = wanted.where(consents.c.id == consent)
            happened: list[Event] = []
            for row in connection.execute(wanted.order_by(consents.c.id)).mappings().all():
                connection.execute(
                    update(consents).where(consents.c.id == row["id"]).values(withdrawn_at=now)
                )
                happened.append(
                    ConsentChanged(
                        type="consent_withdrawn",
                        subject=subject,
                        purposes=tuple(json.loads(row["purposes"])),
                        text_version=row["text_version"],
                    )
                )
            if IDENTIFY not in self._purposes(connection, [subject])[subject]:
                happened += self._delete_references(connection, subject)
            self._changed(connection, happened, subject=subject)
        return self._scrub()

    def rename(self, subject: str, name: str, initials: str | None = None) -> Subject:
        """Give a subject another name.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: A name or initials that cannot be.
        """
        profile = _profile(name, initials)
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            connection.execute(
                update(subjects)
                .where(subjects.c.id == subject)
                .values(sealed_profile=self._sealed_profile(key, SubjectId(subject), profile))
            )
            self._changed(
                connection, [SubjectChanged(type="subject_renamed", subject=subject)], subject=subject
            )
        return self.subject(subject)

    def pause(self, subject: str) -> None:
        """Stop recognising somebody; they stay enrolled. Pausing twice is once.

        Raises:
            UnknownSubjectError: Nobody, or removed.
        """
        self._set_state(subject, SubjectState.PAUSED, "subject_paused")

    def resume(self, subject: str) -> None:
        """Recognise somebody again who was paused.

        Raises:
            UnknownSubjectError: Nobody, or removed.
        """
        self._set_state(subject, SubjectState.ACTIVE, "subject_resumed")

    def set_strictness(self, subject: str, strictness: float) -> Subject:
        """Make it rarer than usual that a stranger is taken for this person. The same again changes nothing.

        Args:
            subject: Id.
            strictness: 1 to 1,000, by which the wanted false-match rate with them is divided;
                1 is the ordinary threshold.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: Not between 1 and 1,000.
        """
        if not 1 <= strictness <= MAX_STRICTNESS:  # false for what is no number, too
            raise EnrolmentError(
                f"a strictness is a factor from 1 (the ordinary threshold) to {MAX_STRICTNESS}",
                hint="10 asks for a tenth of the ordinary false matches",
            )
        with self._writing() as connection:
            self._lock_head(connection)
            self._key_of(connection, subject)
            moved = connection.execute(
                update(subjects)
                .where(subjects.c.id == subject, subjects.c.strictness != float(strictness))
                .values(strictness=float(strictness))
            )
            if moved.rowcount:
                changed = StrictnessChanged(subject=subject, strictness=float(strictness))
                self._changed(connection, [changed], subject=subject)
        return self.subject(subject)

    def remove_subject(self, subject: str) -> bool:
        """Erase a person: destroy their key, delete their references; only an opaque id stays.

        What the log says about that id stands, and what was sealed in it can be opened by nobody.
        Backups made before keep what they have, as long as they are kept.

        Returns:
            Whether SQLite's write-ahead log is rid of the key, too. False when somebody read for too
            long: it is tried again on closing, at the next erasure, and when the last process closes.

        Raises:
            UnknownSubjectError: Nobody, or removed already.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            self._key_of(connection, subject)
            self._delete_references(connection, subject)
            connection.execute(
                update(consents).where(consents.c.subject == subject).values(sealed_given_by=None)
            )
            connection.execute(
                update(consents)
                .where(consents.c.subject == subject, consents.c.withdrawn_at.is_(None))
                .values(withdrawn_at=now)
            )
            gone = {
                "state": SubjectState.REMOVED.value,
                "wrapped_key": None,
                "sealed_profile": None,
                "strictness": 1.0,
            }
            connection.execute(update(subjects).where(subjects.c.id == subject).values(gone))
            self._changed(
                connection, [SubjectChanged(type="subject_removed", subject=subject)], subject=subject
            )
        return self._scrub()

    def subjects(self, *, removed: bool = False) -> list[Subject]:
        """Everybody enrolled, by time of enrolment; those removed only if asked for."""
        with reading(self._engine) as connection:
            wanted = select(subjects).order_by(subjects.c.created_at, subjects.c.id)
            if not removed:
                wanted = wanted.where(subjects.c.state != SubjectState.REMOVED.value)
            rows = connection.execute(wanted).mappings().all()
            purposes = self._purposes(connection, [row["id"] for row in rows])
            counted: dict[str, int] = dict(
                connection.execute(
                    select(face_references.c.subject, func.count()).group_by(face_references.c.subject)
                ).all()
            )
        return [self._subject(row, purposes[row["id"]], counted.get(row["id"], 0)) for row in rows]

    def subject(self, key: str) -> Subject:
        """One subject, by id, by name, or by the beginning of an id that no other has.

        An id wins over a name; a name counts as written, and failing that without regard to case.

        Raises:
            UnknownSubjectError: Nobody, or several; the hint names the nearest.
        """
        everybody = self.subjects()
        wanted = unicodedata.normalize("NFC", key).strip()
        for found in (
            [s for s in everybody if s.id == wanted],
            [s for s in everybody if s.name == wanted],
            [s for s in everybody if s.name is not None and s.name.casefold() == wanted.casefold()],
            [s for s in everybody if _ID_PREFIX.fullmatch(wanted) and s.id.startswith(wanted)],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                raise UnknownSubjectError(
                    "several subjects go by that",
                    hint="name one by id: " + ", ".join(s.id for s in found[:5]),
                )
        # The hint goes to whoever asked and may name people; the message goes anywhere.
        names = {s.name.casefold(): s.name for s in everybody if s.name is not None}
        near = [names[n] for n in difflib.get_close_matches(wanted.casefold(), names, n=3, cutoff=0.5)]
        hint = f"nearest: {', '.join(near)}" if near else "see the list of subjects"
        raise UnknownSubjectError("no subject with that id or name", hint=hint)

    def name_of(self, subject: str) -> str | None:
        """One subject's name, by id; None: nobody, removed, or this process holds no key.

        Raises:
            VaultError: It does not open.
        """
        with reading(self._engine) as connection:
            row = connection.execute(
                select(subjects.c.wrapped_key, subjects.c.sealed_profile).where(subjects.c.id == subject)
            ).first()
        if row is None:
            return None
        profile = self._opened_text(row.wrapped_key, subject, row.sealed_profile, profile_row(subject))
        return None if profile is None else str(json.loads(profile)["name"])

    def consents(self, subject: str) -> list[KeptConsent]:
        """Every consent a subject gave, oldest first, those taken back included."""
        with reading(self._engine) as connection:
            key = self._wrapped_key(connection, subject)
            wanted = select(consents).where(consents.c.subject == subject).order_by(consents.c.given_at)
            rows = connection.execute(wanted).mappings().all()
        return [
            KeptConsent(
                id=row["id"],
                subject=SubjectId(subject),
                purposes=tuple(json.loads(row["purposes"])),
                text_version=row["text_version"],
                given_by=self._opened_text(key, subject, row["sealed_given_by"], given_by_row(row["id"])),
                given_at=row["given_at"],
                withdrawn_at=row["withdrawn_at"],
            )
            for row in rows
        ]

    def _set_state(self, subject: str, state: SubjectState, change: _Change) -> None:
        with self._writing() as connection:
            self._lock_head(connection)
            self._key_of(connection, subject)
            moved = connection.execute(
                update(subjects)
                .where(subjects.c.id == subject, subjects.c.state != state.value)
                .values(state=state.value)
            )
            if moved.rowcount:
                self._changed(connection, [SubjectChanged(type=change, subject=subject)], subject=subject)

    def _add_consent(self, connection: Connection, subject: SubjectId, key: bytes, consent: Consent) -> Event:
        purposes = tuple(sorted(set(consent.purposes)))
        if not purposes or not all(_PURPOSE.fullmatch(purpose) for purpose in purposes):
            raise EnrolmentError("a consent needs purposes, each a short lower-case word")
        if not 0 < len(consent.text_version) <= TEXT_VERSION_CHARS:
            raise EnrolmentError("a consent needs the version of the text that was agreed to")
        at = consent.given_at or self._clock.wall()
        consent_id = self._ids(at)
        given_by = need(self._seal).seal(
            key, subject, consent.given_by.encode(), row=given_by_row(consent_id)
        )
        row = {
            "id": consent_id,
            "subject": subject,
            "purposes": canonical(purposes),
            "text_version": consent.text_version,
            "sealed_given_by": given_by,
            "given_at": at,
        }
        connection.execute(insert(consents).values(row))
        return ConsentChanged(
            type="consent_given", subject=subject, purposes=purposes, text_version=consent.text_version
        )

    def _sealed_profile(self, key: bytes, subject: SubjectId, profile: Mapping[str, str]) -> bytes:
        plain = canonical(dict(profile)).encode()
        return need(self._seal).seal(key, subject, plain, row=profile_row(subject))

    def _subject(self, row: Mapping[Any, Any], purposes: tuple[str, ...], references: int) -> Subject:
        profile = self._opened_text(
            row["wrapped_key"], row["id"], row["sealed_profile"], profile_row(row["id"])
        )
        said = {} if profile is None else json.loads(profile)
        return Subject(
            id=SubjectId(row["id"]),
            state=SubjectState(row["state"]),
            name=said.get("name"),
            initials=said.get("initials"),
            created_at=row["created_at"],
            changed_at=row["changed_at"],
            purposes=purposes,
            references=references,
            strictness=float(row["strictness"]),
        )


def _profile(name: str, initials: str | None) -> dict[str, str]:
    name = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(name) <= NAME_CHARS or not name.isprintable():
        raise EnrolmentError(f"a name has 1 to {NAME_CHARS} printable characters")
    if initials is None:
        words = name.split()
        initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()[:INITIALS_CHARS]
    initials = unicodedata.normalize("NFC", initials).strip()
    if not 0 < len(initials) <= INITIALS_CHARS or not initials.isprintable():
        raise EnrolmentError(f"initials have 1 to {INITIALS_CHARS} printable characters")
    return {"name": name, "initials": initials}
