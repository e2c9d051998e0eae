"""References and templates: the gallery, sealed under each subject's own key.

Every change is one transaction with its event, and counts the gallery's version up. Whether a
photo is good enough is decided before this room, and comparing is `appliance.matching`'s business.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Connection, delete, insert, select, update

from appliance.errors import EnrolmentError, StoreError, UnknownSubjectError, VaultError
from appliance.events import Event, ReferenceChanged
from appliance.store.chain import canonical
from appliance.store.database import empty_write_ahead_log, reading
from appliance.store.log import EventLog
from appliance.store.records import IDENTIFY, NewEvent, Reference, StoredGallery, SubjectState, TemplateRow
from appliance.store.sealing import details_row, embedding_row, need
from appliance.store.tables import consents, face_references, gallery, subjects, templates
from appliance.values import EMBEDDING_SIZE, ModelId, ReferenceId, SubjectId, Templates

_log = structlog.get_logger()

_LITTLE_FLOAT32 = np.dtype("<f4")
_GALLERY_VERSION = select(gallery.c.version)


class References(EventLog):
    """What people are recognised by, on top of the log that every change goes to."""

    _scrub_due = False
    """Whether something destroyed is still in SQLite's write-ahead log."""

    def add_reference(
        self, subject: str, face: Templates, *, quality: float, details: Mapping[str, Any] | None = None
    ) -> ReferenceId:
        """Keep a face sample's templates as a reference.

        Args:
            subject: Id of an active or paused subject.
            face: One template per model, at least one.
            quality: Of the sample, 0 to 100.
            details: Where it came from (a photo's sha256, the camera); sealed.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: No consent to be identified, no template, or one under another's model.
        """
        if not face or any(model != template.model for model, template in face.items()):
            raise EnrolmentError("a reference needs at least one template, each under its own model's name")
        seal, now = need(self._seal), self._clock.wall()
        reference = ReferenceId(self._ids(now))
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            if IDENTIFY not in self._purposes(connection, [subject])[subject]:
                raise EnrolmentError(
                    "they have not agreed to be recognised, or took it back",
                    hint=f"record a consent with the purpose {IDENTIFY!r} first",
                )
            plain = canonical(dict(details or {})).encode()
            row = {
                "id": reference,
                "subject": subject,
                "created_at": now,
                "quality": float(quality),
                "sealed_details": seal.seal(key, subject, plain, row=details_row(reference)),
            }
            connection.execute(insert(face_references).values(row))
            models = sorted(face)
            connection.execute(
                insert(templates),
                [
                    {
                        "reference": reference,
                        "model": model,
                        "sealed_embedding": seal.seal(
                            key,
                            subject,
                            face[model].embedding.astype(_LITTLE_FLOAT32).tobytes(),
                            row=embedding_row(reference, model),
                        ),
                    }
                    for model in models
                ],
            )
            added = ReferenceChanged(
                type="reference_added", subject=subject, reference=reference, models=tuple(models)
            )
            self._changed(connection, [added], subject=subject)
        return reference

    def remove_reference(self, reference: str) -> bool:
        """Delete one reference and its templates.

        Returns:
            Whether nothing of it is left in the write-ahead log either; see `remove_subject`.

        Raises:
            UnknownSubjectError: There is no such reference.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            owner = connection.execute(
                select(face_references.c.subject).where(face_references.c.id == reference)
            ).scalar()
            if owner is None:
                raise UnknownSubjectError("there is no such reference")
            self._changed(connection, self._delete_references(connection, owner, reference), subject=owner)
        return self._scrub()

    def references(self, subject: str) -> list[Reference]:
        """A subject's references, oldest first."""
        with reading(self._engine) as connection:
            key = self._wrapped_key(connection, subject)
            rows = (
                connection.execute(
                    select(face_references)
                    .where(face_references.c.subject == subject)
                    .order_by(face_references.c.created_at, face_references.c.id)
                )
                .mappings()
                .all()
            )
            models: dict[str, list[ModelId]] = defaultdict(list)
            for reference, model in connection.execute(
                select(templates.c.reference, templates.c.model)
                .where(templates.c.reference.in_([row["id"] for row in rows]))
                .order_by(templates.c.model)
            ):
                models[reference].append(ModelId(model))
        found = []
        for row in rows:
            details = self._opened_text(key, subject, row["sealed_details"], details_row(row["id"]))
            found.append(
                Reference(
                    id=ReferenceId(row["id"]),
                    subject=SubjectId(subject),
                    created_at=row["created_at"],
                    quality=row["quality"],
                    models=tuple(models[row["id"]]),
                    details=None if details is None else json.loads(details),
                )
            )
        return found

    def gallery_version(self) -> int:
        """Counts up with every change of who can be recognised, or of their names; cheap to ask."""
        with reading(self._engine) as connection:
            version: int = connection.execute(_GALLERY_VERSION).scalar_one()
            return version

    def gallery(self, models: Sequence[ModelId]) -> StoredGallery:
        """Every template of these models of every active subject, and the version they are of.

        A reference with a damaged template is left out and named; the others are still recognised.

        Raises:
            StoreError: This process holds no key.
            VaultError: The vault is locked.
        """
        seal = need(self._seal)
        seal.public_key  # noqa: B018 - a locked vault says so here, and not as damage of every template
        owned = (
            select(subjects.c.id, face_references.c.id, templates.c.model, templates.c.sealed_embedding)
            .select_from(subjects)
            .join(face_references, face_references.c.subject == subjects.c.id)
            .join(templates, templates.c.reference == face_references.c.id)
            .where(subjects.c.state == SubjectState.ACTIVE.value, templates.c.model.in_(models))
        )
        with reading(self._engine) as connection:
            version = connection.execute(_GALLERY_VERSION).scalar_one()
            keys = dict(connection.execute(select(subjects.c.id, subjects.c.wrapped_key)).all())
            rows = connection.execute(owned).all()
            stricter = connection.execute(
                select(subjects.c.id, subjects.c.strictness)
                .where(subjects.c.state == SubjectState.ACTIVE.value, subjects.c.strictness != 1.0)
                .order_by(subjects.c.id)
            ).all()
        found, damaged = [], set()
        for subject, reference, model, sealed in sorted(rows, key=lambda row: row[:3]):
            try:
                plain = seal.open(keys[subject], subject, sealed, row=embedding_row(reference, model))
                embedding = np.frombuffer(plain, _LITTLE_FLOAT32, EMBEDDING_SIZE)
            except (VaultError, ValueError):  # it does not open, or is too short
                damaged.add(reference)
                continue
            found.append(TemplateRow(subject, reference, model, embedding.astype(np.float32, copy=False)))
        for reference in sorted(damaged):
            _log.error(
                "reference_left_out",
                reference=reference,
                reason="a template of it is damaged",
                hint="remove the reference and enrol the photo again, or restore the backup",
            )
        whole = tuple(row for row in found if row.reference not in damaged)
        strictness = {SubjectId(subject): float(factor) for subject, factor in stricter}
        return StoredGallery(version, whole, tuple(sorted(damaged)), strictness)

    def template_rows(self, models: Sequence[ModelId]) -> list[TemplateRow]:
        """The rows of `gallery`, for who needs no version."""
        return list(self.gallery(models).rows)

    # ------------------------------------------------------------ within a transaction

    def _changed(
        self, connection: Connection, happened: Sequence[Event], *, subject: str | None = None
    ) -> None:
        """Log what happened and count the gallery up, in the caller's transaction."""
        if not happened:
            return
        self._append(connection, [NewEvent(event) for event in happened])
        connection.execute(update(gallery).values(version=gallery.c.version + 1))
        if subject is not None:
            connection.execute(
                update(subjects).where(subjects.c.id == subject).values(changed_at=self._clock.wall())
            )

    def _key_of(self, connection: Connection, subject: str) -> bytes:
        key = self._wrapped_key(connection, subject)
        if key is None:
            raise UnknownSubjectError("no subject with that id", hint="see the list of subjects")
        return key

    def _purposes(self, connection: Connection, whose: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What each subject agreed to and did not take back."""
        agreed: dict[str, set[str]] = {subject: set() for subject in whose}
        for subject, purposes in connection.execute(
            select(consents.c.subject, consents.c.purposes).where(consents.c.withdrawn_at.is_(None))
        ):
            if subject in agreed:
                agreed[subject].update(json.loads(purposes))
        return {subject: tuple(sorted(purposes)) for subject, purposes in agreed.items()}

    def _delete_references(
        self, connection: Connection, subject: str, only: str | None = None
    ) -> list[Event]:
        wanted = select(face_references.c.id).where(face_references.c.subject == subject)
        if only is not None:
            wanted = wanted.where(face_references.c.id == only)
        found = connection.execute(wanted.order_by(face_references.c.id)).scalars().all()
        connection.execute(
            delete(face_references).where(face_references.c.id.in_(found))
        )  # and, by cascade, templates
        return [ReferenceChanged(type="reference_removed", subject=subject, reference=one) for one in found]

    def _opened_text(self, key: bytes | None, subject: str, sealed: bytes | None, row: str) -> str | None:
        if key is None or sealed is None or self._seal is None:
            return None
        return self._seal.open(key, subject, sealed, row=row).decode()

    def close(self) -> None:
        """Try once more what `_scrub` could not, then let go."""
        if self._opened is not None and self._scrub_due:
            with suppress(StoreError):
                self._scrub_due = not empty_write_ahead_log(self._engine, patience_s=0.0)
        super().close()

    def _scrub(self) -> bool:
        """Leave nothing of what was just destroyed in SQLite's write-ahead log; whether that was done."""
        self._scrub_due = not empty_write_ahead_log(self._engine, patience_s=self._patience_s)
        if self._scrub_due:
            _log.warning(
                "erased_data_still_in_write_ahead_log",
                reason="another process was reading for too long",
                hint="it goes with the next erasure, or when the appliance is restarted",
            )
        return not self._scrub_due
