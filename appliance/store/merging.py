"""Merging: two enrolments were of one person, and become one.

One transaction: what the other had is sealed anew under the key of who is kept, then the other's key is
destroyed. Whether the two are one person is decided before this room.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from appliance.errors import EnrolmentError, VaultError
from appliance.events import (
    ConsentChanged,
    Event,
    ReferenceChanged,
    StrictnessChanged,
    SubjectChanged,
    SubjectMerged,
)
from appliance.store.chain import canonical
from appliance.store.last_word import agreed_together, overruled
from appliance.store.moments_kept import take_over_moments
from appliance.store.people import People
from appliance.store.records import IDENTIFY, KeptConsent, Merged
from appliance.store.rule_people import hand_over_person
from appliance.store.sealing import details_row, embedding_row, given_by_row, need, profile_row
from appliance.store.songs import take_over_song
from appliance.store.tables import consents, face_references, subjects, templates
from appliance.values import SubjectId


class Merging(People):
    """The people of the box, two of whom may turn out to be one."""

    def merge(self, keep: str, other: str) -> Merged:
        """Let `keep` take over the references and consents of `other`, and remove `other`.

        Ids of references and consents stay. `keep` stays active or paused as they were, and keeps the
        stricter of both thresholds. What is personal about `other` in the log is erased with their key.

        For each purpose the later word counts (`last_word`): what either took back after the other gave it
        stays taken back. A consent that covers more is ended then, and goes on as another for the rest.

        Args:
            keep: Id of who stays.
            other: Id of who is removed.

        Raises:
            UnknownSubjectError: One of them is nobody, or removed.
            EnrolmentError: They are one already, something is damaged and would be lost, or one of them took
                back the consent to be recognised after the other gave it.
            StoreError: This process holds no key.
            VaultError: The vault is locked.
        """
        need(self._seal).public_key  # noqa: B018 - a locked vault says so here, and not as somebody's damage
        if keep == other:
            raise EnrolmentError(
                "that is one person already", hint="name two", command="see: appliance enroll list"
            )
        with self._writing() as connection:
            self._lock_head(connection)
            keys = self._key_of(connection, keep), self._key_of(connection, other)
            happened: list[Event] = [SubjectMerged(subject=keep, merged=other)]
            try:
                agreed = self._take_consents(connection, keys, keep, other)
                moved = self._take_references(connection, keys, keep, other)
            except VaultError as error:
                raise self._damage(keys, keep, other) from error
            happened += [*agreed[1], *moved[1], *self._stricter(connection, keep, other)]
            take_over_song(connection, keep, other)
            take_over_moments(connection, other, keep)
            happened += hand_over_person(connection, other, keep, self._clock.wall())
            self._erase(connection, other)
            self._changed(
                connection, [*happened, SubjectChanged(type="subject_removed", subject=other)], subject=keep
            )
            connection.execute(
                update(subjects).where(subjects.c.id == other).values(changed_at=self._clock.wall())
            )
        erased = self._scrub()
        return Merged(self.subject(keep), moved[0], agreed[0], erased)

    def _take_consents(
        self, connection: Connection, keys: tuple[bytes, bytes], keep: str, other: str
    ) -> tuple[int, list[Event]]:
        """Consents, sealed anew; those in force are logged as given by who is kept.

        Raises:
            EnrolmentError: Nothing would be left that lets the person be recognised.
        """
        rows = connection.execute(
            select(consents)
            .where(consents.c.subject.in_([keep, other]))
            .order_by(consents.c.given_at, consents.c.id)
        ).mappings()
        found = [_Kept(_consent(row), row["sealed_given_by"]) for row in rows.all()]
        own = [each.consent for each in found if each.consent.subject == keep]
        theirs = [each.consent for each in found if each.consent.subject == other]
        agreed = agreed_together(own, theirs)
        if IDENTIFY not in agreed and any(
            IDENTIFY in each.purposes and each.withdrawn_at is None for each in (*own, *theirs)
        ):
            raise EnrolmentError(
                "one of them took back the consent to be recognised after the other gave it; "
                "nothing was changed",
                hint="remove the other, or record a new consent first",
                command="appliance enroll add --to ID",
            )
        ended = overruled(own, theirs)
        happened: list[Event] = []
        for each in found:
            happened += self._take_consent(connection, keys, keep, each, ended.get(each.consent.id, {}))
        return len(theirs), happened

    def _take_consent(
        self,
        connection: Connection,
        keys: tuple[bytes, bytes],
        keep: str,
        kept: "_Kept",
        ended: Mapping[str, datetime],
    ) -> list[Event]:
        """One consent of either, as one of who is kept; without the purposes that the other took back."""
        consent = kept.consent
        own = consent.subject == keep
        if own and not ended:
            return []

        def sealed_for(row: str) -> bytes | None:
            if kept.given_by is None:
                return None
            seal, key = need(self._seal), keys[0] if own else keys[1]
            plain = seal.open(key, consent.subject, kept.given_by, row=given_by_row(consent.id))
            return seal.seal(keys[0], keep, plain, row=given_by_row(row))

        moved: dict[str, Any] = {"subject": keep}
        if not own:
            moved["sealed_given_by"] = sealed_for(consent.id)
        if ended:
            moved["withdrawn_at"] = max(ended.values())
        connection.execute(update(consents).where(consents.c.id == consent.id).values(moved))
        rest = tuple(purpose for purpose in consent.purposes if purpose not in ended)
        if ended and rest:
            again = self._ids(consent.given_at)
            row = {
                "id": again,
                "subject": keep,
                "purposes": canonical(rest),
                "text_version": consent.text_version,
                "sealed_given_by": sealed_for(again),
                "given_at": consent.given_at,
            }
            connection.execute(insert(consents).values(row))
        said = tuple(sorted(ended)) if own else rest
        if consent.withdrawn_at is not None or not said:
            return []
        return [
            ConsentChanged(
                type="consent_withdrawn" if own else "consent_given",
                subject=keep,
                purposes=said,
                text_version=consent.text_version,
            )
        ]

    def _take_references(
        self, connection: Connection, keys: tuple[bytes, bytes], keep: str, other: str
    ) -> tuple[int, list[Event]]:
        """References with their templates, sealed anew."""
        found = connection.execute(
            select(face_references.c.id, face_references.c.sealed_details)
            .where(face_references.c.subject == other)
            .order_by(face_references.c.id)
        ).all()
        happened: list[Event] = []
        for reference, sealed in found:
            details = self._resealed(keys, keep, other, sealed, details_row(reference))
            connection.execute(
                update(face_references)
                .where(face_references.c.id == reference)
                .values(subject=keep, sealed_details=details)
            )
            rows = connection.execute(
                select(templates.c.model, templates.c.sealed_embedding)
                .where(templates.c.reference == reference)
                .order_by(templates.c.model)
            ).all()
            for model, template in rows:
                again = self._resealed(keys, keep, other, template, embedding_row(reference, model))
                connection.execute(
                    update(templates)
                    .where(templates.c.reference == reference, templates.c.model == model)
                    .values(sealed_embedding=again)
                )
            models = tuple(model for model, _ in rows)
            happened += [
                ReferenceChanged(type="reference_removed", subject=other, reference=reference),
                ReferenceChanged(type="reference_added", subject=keep, reference=reference, models=models),
            ]
        return len(found), happened

    def _resealed(
        self, keys: tuple[bytes, bytes], keep: str, other: str, sealed: bytes | None, place: str
    ) -> bytes | None:
        """The same value, sealed for `keep`; it rests in the same row."""
        if sealed is None:
            return None
        seal = need(self._seal)
        return seal.seal(keys[0], keep, seal.open(keys[1], other, sealed, row=place), row=place)

    def _stricter(self, connection: Connection, keep: str, other: str) -> list[Event]:
        """The stricter of both thresholds, for who is kept."""
        found: dict[str, float] = dict(
            connection.execute(
                select(subjects.c.id, subjects.c.strictness).where(subjects.c.id.in_([keep, other]))
            ).all()
        )
        if found[other] <= found[keep]:
            return []
        connection.execute(update(subjects).where(subjects.c.id == keep).values(strictness=found[other]))
        return [StrictnessChanged(subject=keep, strictness=found[other])]

    def _damage(self, keys: tuple[bytes, bytes], keep: str, other: str) -> EnrolmentError:
        """What does not open, as far as it can be told: a key of either, or something else."""
        for subject, key, whom in ((keep, keys[0], "kept"), (other, keys[1], "merged")):
            try:
                need(self._seal).seal(key, subject, b"", row=profile_row(subject))
            except VaultError:
                return EnrolmentError(
                    f"the key of the person to be {whom} is damaged; nothing was changed",
                    hint="restore the database from its backup",
                )
        return EnrolmentError(
            "something of the two is damaged and would be lost; nothing was changed",
            hint="remove the damaged reference first",
            command="see: appliance doctor",
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    """A consent in the database; who gave it is sealed."""

    consent: KeptConsent
    given_by: bytes | None


def _consent(row: Mapping[Any, Any]) -> KeptConsent:
    return KeptConsent(
        id=row["id"],
        subject=SubjectId(row["subject"]),
        purposes=tuple(json.loads(row["purposes"])),
        text_version=row["text_version"],
        given_by=None,
        given_at=row["given_at"],
        withdrawn_at=row["withdrawn_at"],
    )
