"""References and templates: the gallery, sealed under each subject's own key.

Every change is one transaction with its event, and counts the gallery's version up. Whether a
photo is good enough is decided before this room, and comparing is `appliance.matching`'s business.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Connection, delete, insert, select

from appliance.errors import EnrolmentError, UnknownSubjectError, VaultError
from appliance.events import Event, ReferenceChanged
from appliance.store.chain import canonical
from appliance.store.changing import told_damaged
from appliance.store.consents import Consents
from appliance.store.database import reading
from appliance.store.records import (
    IDENTIFY,
    Consent,
    NewReference,
    Reference,
    StoredGallery,
    SubjectState,
    TemplateRow,
)
from appliance.store.sealing import details_row, embedding_row, need
from appliance.store.tables import face_references, gallery, subjects, templates
from appliance.values import EMBEDDING_SIZE, ModelId, ReferenceId, SubjectId, Templates

_log = structlog.get_logger()

_LITTLE_FLOAT32 = np.dtype("<f4")
_GALLERY_VERSION = select(gallery.c.version)


class References(Consents):
    """What people are recognised by."""

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
        return self.add_references(subject, [NewReference(face, quality, dict(details or {}))])[0]

    def add_references(
        self, subject: str, faces: Sequence[NewReference], *, consent: Consent | None = None
    ) -> list[ReferenceId]:
        """Keep several references, and the consent they come with, in one transaction: all or none.

        Args:
            subject: Id of an active or paused subject.
            faces: What to keep; the ids come back in this order.
            consent: A further consent of theirs.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            EnrolmentError: No consent to be identified or one that cannot be, no template, or one
                under another's model.
        """
        need(self._seal)
        with self._writing() as connection:
            self._lock_head(connection)
            key = self._key_of(connection, subject)
            happened = [] if consent is None else [self._add_consent(connection, subject, key, consent)]
            references, added = self._add_references(connection, subject, key, faces)
            self._changed(connection, [*happened, *added], subject=subject)
        return references

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

    def references(self, subject: str | None = None) -> list[Reference]:
        """A subject's references, oldest first; None: everybody's.

        One whose details are damaged has none; the log names it.
        """
        wanted = select(face_references).order_by(face_references.c.created_at, face_references.c.id)
        made_by = select(templates.c.reference, templates.c.model).order_by(templates.c.model)
        if subject is not None:
            wanted = wanted.where(face_references.c.subject == subject)
            made_by = made_by.join(face_references).where(face_references.c.subject == subject)
        with reading(self._engine) as connection:
            keys: dict[str, bytes | None] = dict(
                connection.execute(select(subjects.c.id, subjects.c.wrapped_key)).all()
            )
            rows = connection.execute(wanted).mappings().all()
            models: dict[str, list[ModelId]] = defaultdict(list)
            for reference, model in connection.execute(made_by):
                models[reference].append(ModelId(model))
        found = []
        for row in rows:
            owner, place = row["subject"], details_row(row["id"])
            details = self._details(keys.get(owner), owner, row["sealed_details"], place)
            found.append(
                Reference(
                    id=ReferenceId(row["id"]),
                    subject=SubjectId(owner),
                    created_at=row["created_at"],
                    quality=row["quality"],
                    models=tuple(models[row["id"]]),
                    details=details,
                )
            )
        return found

    def qualities(self) -> dict[ReferenceId, float]:
        """How good each reference is, 0 to 100; opens nothing that is sealed."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(face_references.c.id, face_references.c.quality)).all()
        return {ReferenceId(reference): float(quality) for reference, quality in rows}

    def owned_qualities(self) -> list[tuple[SubjectId, float]]:
        """Whose each reference is, and how good, 0 to 100; opens nothing that is sealed."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(face_references.c.subject, face_references.c.quality)).all()
        return [(SubjectId(subject), float(quality)) for subject, quality in rows]

    def gallery_version(self) -> int:
        """Counts up with every change of who can be recognised, or of their names; cheap to ask."""
        with reading(self._engine) as connection:
            version: int = connection.execute(_GALLERY_VERSION).scalar_one()
            return version

    def gallery(self, models: Sequence[ModelId], *, paused: bool = False) -> StoredGallery:
        """Every template of these models of every active subject, and the version they are of.

        A reference with a damaged template is left out and named; the others are still recognised.

        Args:
            models: Which.
            paused: Those of paused subjects, too: for who enrols, not for who recognises.

        Raises:
            StoreError: This process holds no key.
            VaultError: The vault is locked.
        """
        seal = need(self._seal)
        seal.public_key  # noqa: B018 - a locked vault says so here, and not as damage of every template
        states = [SubjectState.ACTIVE.value, *([SubjectState.PAUSED.value] if paused else [])]
        owned = (
            select(subjects.c.id, face_references.c.id, templates.c.model, templates.c.sealed_embedding)
            .select_from(subjects)
            .join(face_references, face_references.c.subject == subjects.c.id)
            .join(templates, templates.c.reference == face_references.c.id)
            .where(subjects.c.state.in_(states), templates.c.model.in_(models))
        )
        with reading(self._engine) as connection:
            version = connection.execute(_GALLERY_VERSION).scalar_one()
            keys = dict(connection.execute(select(subjects.c.id, subjects.c.wrapped_key)).all())
            rows = connection.execute(owned).all()
            stricter = connection.execute(
                select(subjects.c.id, subjects.c.strictness)
                .where(subjects.c.state.in_(states), subjects.c.strictness != 1.0)
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

    def _details(
        self, key: bytes | None, subject: str, sealed: bytes, place: str
    ) -> Mapping[str, object] | None:
        """Where a reference came from; None: it cannot be told, and the log says so where it is damaged."""
        plain = self._text_or_none(key, subject, sealed, place)
        if plain is None:
            return None
        try:
            details = json.loads(plain)
        except ValueError:
            details = None
        if not isinstance(details, dict):
            told_damaged(place)
            return None
        return details

    # ------------------------------------------------------------ within a transaction

    def _add_references(
        self, connection: Connection, subject: str, key: bytes, faces: Sequence[NewReference]
    ) -> tuple[list[ReferenceId], list[Event]]:
        """Insert references of whoever has agreed to it.

        Raises:
            EnrolmentError: They have not, no template, or one under another's model.
        """
        if any(not new.face or any(m != t.model for m, t in new.face.items()) for new in faces):
            raise EnrolmentError("a reference needs at least one template, each under its own model's name")
        if faces and IDENTIFY not in self._purposes(connection, [subject])[subject]:
            raise EnrolmentError(
                "they have not agreed to be recognised, or took it back",
                hint=f"record a consent with the purpose {IDENTIFY!r} first",
            )
        now = self._clock.wall()
        added: list[Event] = []
        ids: list[ReferenceId] = []
        for new in faces:
            reference = ReferenceId(self._ids(now))
            plain = canonical(dict(new.details)).encode()
            row = {
                "id": reference,
                "subject": subject,
                "created_at": now,
                "quality": float(new.quality),
                "sealed_details": need(self._seal).seal(key, subject, plain, row=details_row(reference)),
            }
            connection.execute(insert(face_references).values(row))
            models = sorted(new.face)
            vectors = {model: new.face[model].embedding.astype(_LITTLE_FLOAT32).tobytes() for model in models}
            connection.execute(
                insert(templates),
                [
                    {
                        "reference": reference,
                        "model": model,
                        "sealed_embedding": need(self._seal).seal(
                            key, subject, vectors[model], row=embedding_row(reference, model)
                        ),
                    }
                    for model in models
                ],
            )
            ids.append(reference)
            added.append(
                ReferenceChanged(
                    type="reference_added", subject=subject, reference=reference, models=tuple(models)
                )
            )
        return ids, added

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
