"""Subjects: enrolling, renaming, pausing and removing people, and taking back what they agreed to.

Names and initials rest sealed under the subject's own key; removing a person destroys it. Every change is
one transaction with its event. Whether two people are one is decided before this room.
"""

import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from appliance.errors import EnrolmentError, VaultError
from appliance.events import ConsentChanged, Event, StrictnessChanged, SubjectChanged
from appliance.store.chain import canonical
from appliance.store.directory import Directory, read_profile
from appliance.store.moments_kept import forget_moments
from appliance.store.records import IDENTIFY, Consent, NewReference, Subject, SubjectState
from appliance.store.rule_people import forget_person
from appliance.store.sealing import given_by_row, need, profile_row
from appliance.store.tables import consents, pins, subject_songs, subjects
from appliance.values import SubjectId
from appliance.writing import writable

NAME_CHARS = 120
INITIALS_CHARS = 4
ALIAS_CHARS = 24
"""As much as is read from three metres on a screen in the office."""
MAX_STRICTNESS = 1000
"""Beyond a thousandth of the ordinary rate the tables say nothing, and hardly anybody is recognised."""

_Change = Literal["subject_renamed", "subject_paused", "subject_resumed"]


class People(Directory):
    """The people of the box."""

    def add_subject(
        self,
        name: str,
        initials: str | None = None,
        *,
        consent: Consent,
        references: Sequence[NewReference] = (),
        alias: str | None = None,
    ) -> Subject:
        """Enrol a person, with everything they come with, in one transaction: whole or not at all.

        Args:
            name: 1 to 120 characters, no control characters; two people may have the same.
            initials: 1 to 4 characters; None: made from the name.
            consent: Theirs; without one nobody is enrolled.
            references: What they are recognised by, if that is at hand already.
            alias: What the office screen calls them, 1 to 24 characters; None: nothing of its own.

        Raises:
            EnrolmentError: A name, initials, an alias, a consent or a reference that cannot be.
            StoreError: This process holds no key.
        """
        seal, now = need(self._seal), self._clock.wall()
        profile = _profile(name, initials, alias)
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
            _, added = self._add_references(connection, subject, key, references)
            enrolled = SubjectChanged(type="subject_enrolled", subject=subject)
            self._changed(connection, [enrolled, given, *added])
        return self.subject(subject)

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

    def withdraw_purposes(self, subject: str, purposes: Collection[str]) -> bool:
        """Take back what was agreed to for these purposes; each consent goes on for its others.

        A consent that covers more is ended, and goes on as another for the rest, given when it was given.
        With the last one to `identify` the references are deleted.

        Returns:
            Whether nothing of them is left in the write-ahead log either; see `remove_subject`.

        Raises:
            UnknownSubjectError: Nobody, or removed.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            wanted = select(consents).where(consents.c.subject == subject, consents.c.withdrawn_at.is_(None))
            happened: list[Event] = []
            for row in connection.execute(wanted.order_by(consents.c.id)).mappings().all():
                covered = tuple(json.loads(row["purposes"]))
                ended = tuple(each for each in covered if each in purposes)
                if not ended:
                    continue
                connection.execute(
                    update(consents).where(consents.c.id == row["id"]).values(withdrawn_at=now)
                )
                rest = tuple(each for each in covered if each not in purposes)
                if rest:
                    connection.execute(insert(consents).values(self._again(key, subject, row, rest)))
                happened.append(
                    ConsentChanged(
                        type="consent_withdrawn",
                        subject=subject,
                        purposes=ended,
                        text_version=row["text_version"],
                    )
                )
            if IDENTIFY not in self._purposes(connection, [subject])[subject]:
                happened += self._delete_references(connection, subject)
            self._changed(connection, happened, subject=subject)
        return self._scrub()

    def rename(self, subject: str, name: str, initials: str | None = None) -> Subject:
        """Give a subject another name; an alias of theirs stays, unless it is damaged with the old name.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: A name or initials that cannot be.
        """
        profile = _profile(name, initials)
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            try:
                alias = self._kept(connection, key, subject).get("alias")
            except VaultError:
                alias = None
            self._reseal(connection, key, subject, _with_alias(profile, alias))
        return self.subject(subject)

    def set_initials(self, subject: str, initials: str) -> Subject:
        """Give a subject other initials, and leave the name.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: Initials that cannot be.
            VaultError: Their name is damaged, so that there is nothing to leave; rename them.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            kept = self._kept(connection, key, subject)
            profile = _profile(kept["name"], initials)
            self._reseal(connection, key, subject, _with_alias(profile, kept.get("alias")))
        return self.subject(subject)

    def set_alias(self, subject: str, alias: str | None) -> Subject:
        """Give a subject another alias, or none; name and initials stay. It rests sealed beside them.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: An alias that cannot be.
            VaultError: Their name is damaged, so that there is nothing to leave; rename them.
        """
        checked = _alias(alias)
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            self._reseal(connection, key, subject, _with_alias(self._kept(connection, key, subject), checked))
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
        with self._writing() as connection:
            self._lock_head(connection)
            self._key_of(connection, subject)
            self._delete_references(connection, subject)
            named = forget_person(connection, subject, self._clock.wall())
            self._erase(connection, subject)
            gone = SubjectChanged(type="subject_removed", subject=subject)
            self._changed(connection, [*named, gone], subject=subject)
        return self._scrub()

    def _again(
        self, key: bytes, subject: str, row: Mapping[Any, Any], rest: tuple[str, ...]
    ) -> dict[str, Any]:
        """The row of a consent that goes on for the rest of its purposes, sealed for its own place."""
        again = self._ids(row["given_at"])
        sealed = row["sealed_given_by"]
        if sealed is not None:
            plain = need(self._seal).open(key, subject, sealed, row=given_by_row(row["id"]))
            sealed = need(self._seal).seal(key, subject, plain, row=given_by_row(again))
        return {
            "id": again,
            "subject": subject,
            "purposes": canonical(rest),
            "text_version": row["text_version"],
            "sealed_given_by": sealed,
            "given_at": row["given_at"],
        }

    def _kept(self, connection: Connection, key: bytes, subject: str) -> Mapping[str, str]:
        """A subject's profile as it rests now.

        Raises:
            VaultError: It does not open, or is damaged.
        """
        sealed = connection.execute(
            select(subjects.c.sealed_profile).where(subjects.c.id == subject)
        ).scalar_one()
        return read_profile(need(self._seal).open(key, subject, sealed, row=profile_row(subject)))

    def _reseal(self, connection: Connection, key: bytes, subject: str, profile: Mapping[str, str]) -> None:
        """Give a subject another profile, and log it."""
        connection.execute(
            update(subjects)
            .where(subjects.c.id == subject)
            .values(sealed_profile=self._sealed_profile(key, SubjectId(subject), profile))
        )
        self._changed(connection, [SubjectChanged(type="subject_renamed", subject=subject)], subject=subject)

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

    def _erase(self, connection: Connection, subject: str) -> None:
        """Destroy a subject's key and all that is sealed in their own rows."""
        connection.execute(update(consents).where(consents.c.subject == subject).values(sealed_given_by=None))
        connection.execute(
            update(consents)
            .where(consents.c.subject == subject, consents.c.withdrawn_at.is_(None))
            .values(withdrawn_at=self._clock.wall())
        )
        for links in (pins, subject_songs):
            connection.execute(delete(links).where(links.c.subject == subject))
        forget_moments(connection, subject)
        gone = {
            "state": SubjectState.REMOVED.value,
            "wrapped_key": None,
            "sealed_profile": None,
            "strictness": 1.0,
        }
        connection.execute(update(subjects).where(subjects.c.id == subject).values(gone))

    def _sealed_profile(self, key: bytes, subject: SubjectId, profile: Mapping[str, str]) -> bytes:
        plain = canonical(dict(profile)).encode()
        return need(self._seal).seal(key, subject, plain, row=profile_row(subject))


def _profile(name: str, initials: str | None, alias: str | None = None) -> dict[str, str]:
    name = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(name) <= NAME_CHARS or not writable(name):
        raise EnrolmentError(f"a name has 1 to {NAME_CHARS} visible characters")
    if initials is None:
        words = name.split()
        initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()[:INITIALS_CHARS]
    initials = unicodedata.normalize("NFC", initials).strip()
    if not 0 < len(initials) <= INITIALS_CHARS or not writable(initials):
        raise EnrolmentError(f"initials have 1 to {INITIALS_CHARS} visible characters")
    return _with_alias({"name": name, "initials": initials}, _alias(alias))


def _with_alias(profile: Mapping[str, str], alias: str | None) -> dict[str, str]:
    """The profile with this alias, or none; who has none rests as they did before there were any."""
    plain = {key: value for key, value in profile.items() if key != "alias"}
    return plain if alias is None else {**plain, "alias": alias}


def _alias(alias: str | None) -> str | None:
    """As it is kept.

    Raises:
        EnrolmentError: It cannot be one.
    """
    if alias is None:
        return None
    alias = unicodedata.normalize("NFC", alias).strip()
    if not 0 < len(alias) <= ALIAS_CHARS or not writable(alias):
        raise EnrolmentError(f"an alias has 1 to {ALIAS_CHARS} visible characters")
    return alias
