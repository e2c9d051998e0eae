"""Consents: what people agreed to, in which words, and until when.

Kept and told; which purposes there are, and what their texts say, is decided before this room. Taking
a consent back is in `people`, for references go with it.
"""

import json
import re
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from appliance.errors import EnrolmentError
from appliance.events import ConsentChanged, Event
from appliance.store.chain import canonical
from appliance.store.changing import Changing
from appliance.store.database import reading
from appliance.store.records import Consent, KeptConsent
from appliance.store.sealing import given_by_row, need
from appliance.store.tables import consents
from appliance.values import SubjectId

TEXT_VERSION_CHARS = 64
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class Consents(Changing):
    """What people agreed to."""

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
                given_by=self._text_or_none(key, subject, row["sealed_given_by"], given_by_row(row["id"])),
                given_at=row["given_at"],
                withdrawn_at=row["withdrawn_at"],
            )
            for row in rows
        ]

    def _add_consent(self, connection: Connection, subject: str, key: bytes, consent: Consent) -> Event:
        """Insert a consent.

        Raises:
            EnrolmentError: To nothing, or without the version of a text.
        """
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

    def _purposes(self, connection: Connection, whose: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """What each subject agreed to and did not take back."""
        agreed: dict[str, set[str]] = {subject: set() for subject in whose}
        for subject, purposes in connection.execute(
            select(consents.c.subject, consents.c.purposes).where(consents.c.withdrawn_at.is_(None))
        ):
            if subject in agreed:
                agreed[subject].update(json.loads(purposes))
        return {subject: tuple(sorted(purposes)) for subject, purposes in agreed.items()}
