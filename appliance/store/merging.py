"""Merging: two enrolments were of one person, and become one.

One transaction: what the other had is sealed anew under the key of who is kept, then the other's key is
destroyed. Whether the two are one person is decided before this room.
"""

import json

from sqlalchemy import Connection, select, update

from appliance.errors import EnrolmentError, VaultError
from appliance.events import (
    ConsentChanged,
    Event,
    ReferenceChanged,
    StrictnessChanged,
    SubjectChanged,
    SubjectMerged,
)
from appliance.store.people import People
from appliance.store.records import Merged
from appliance.store.sealing import details_row, embedding_row, given_by_row, need
from appliance.store.tables import consents, face_references, subjects, templates


class Merging(People):
    """The people of the box, two of whom may turn out to be one."""

    def merge(self, keep: str, other: str) -> Merged:
        """Let `keep` take over the references and consents of `other`, and remove `other`.

        Ids of references and consents stay. `keep` stays active or paused as they were, and keeps the
        stricter of both thresholds. What is personal about `other` in the log is erased with their key.

        Args:
            keep: Id of who stays.
            other: Id of who is removed.

        Raises:
            UnknownSubjectError: One of them is nobody, or removed.
            EnrolmentError: They are one already, or something of the other's is damaged and would be lost.
            StoreError: This process holds no key.
        """
        need(self._seal)
        if keep == other:
            raise EnrolmentError("that is one person already", hint="name two, see: appliance enroll list")
        with self._writing() as connection:
            self._lock_head(connection)
            keys = self._key_of(connection, keep), self._key_of(connection, other)
            happened: list[Event] = [SubjectMerged(subject=keep, merged=other)]
            try:
                agreed = self._take_consents(connection, keys, keep, other)
                moved = self._take_references(connection, keys, keep, other)
            except VaultError as error:
                raise EnrolmentError(
                    "something of the person to be merged is damaged and would be lost; nothing was changed",
                    hint="see: appliance doctor, and remove the damaged reference first",
                ) from error
            happened += [*agreed[1], *moved[1], *self._stricter(connection, keep, other)]
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
        """Consents, sealed anew; those in force are logged as given by who is kept."""
        rows = connection.execute(
            select(consents).where(consents.c.subject == other).order_by(consents.c.given_at, consents.c.id)
        ).mappings()
        found = rows.all()
        happened: list[Event] = []
        for row in found:
            place = given_by_row(row["id"])
            sealed = self._resealed(keys, keep, other, row["sealed_given_by"], place)
            connection.execute(
                update(consents)
                .where(consents.c.id == row["id"])
                .values(subject=keep, sealed_given_by=sealed)
            )
            if row["withdrawn_at"] is None:
                happened.append(
                    ConsentChanged(
                        type="consent_given",
                        subject=keep,
                        purposes=tuple(json.loads(row["purposes"])),
                        text_version=row["text_version"],
                    )
                )
        return len(found), happened

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
