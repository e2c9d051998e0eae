"""Who is enrolled, and who is meant: looking people up by id, by name, or by the beginning of an id.

Changes nothing. A damaged name stops nobody else from being found.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import func, select

from appliance.errors import UnknownSubjectError, VaultError
from appliance.store.database import reading
from appliance.store.records import Subject, SubjectState
from appliance.store.references import References
from appliance.store.sealing import profile_row
from appliance.store.tables import face_references, subjects
from appliance.values import SubjectId

_log = structlog.get_logger()

_PROFILE = ("name", "initials")
_MENDED_BY = "appliance enroll rename gives them a name again"
_ID_PREFIX = re.compile(r"[0-9a-f-]{4,36}")


class Directory(References):
    """The people of the box, to be looked up."""

    def subjects(self, *, removed: bool = False) -> list[Subject]:
        """Everybody enrolled, by time of enrolment; those removed only if asked for.

        Somebody whose profile is damaged is without a name; the log says whose id it is.

        Raises:
            VaultError: Nothing of anybody opens: the vault is locked, or the device key is another box's.
        """
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
        profiles = self._profiles(rows)
        return [
            _subject(row, profiles[row["id"]], purposes[row["id"]], counted.get(row["id"], 0)) for row in rows
        ]

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

    def subject_unopened(self, key: str) -> Subject:
        """One subject, by id or the beginning of an id that no other has, without their name.

        Nothing sealed is opened: whoever is to be removed need not have a key that opens.

        Raises:
            UnknownSubjectError: Nobody, or several.
        """
        wanted = key.strip()
        with reading(self._engine) as connection:
            enrolled = select(subjects).where(subjects.c.state != SubjectState.REMOVED.value)
            rows = [
                row
                for row in connection.execute(enrolled).mappings().all()
                if _ID_PREFIX.fullmatch(wanted) and row["id"].startswith(wanted)
            ]
            if len(rows) != 1:
                wrong = "several subjects have ids that begin so" if rows else "no subject with that id"
                raise UnknownSubjectError(wrong, hint="name one by the whole id")
            (row,) = rows
            subject = row["id"]
            counted = connection.execute(
                select(func.count()).where(face_references.c.subject == subject)
            ).scalar_one()
            return _subject(row, None, self._purposes(connection, [subject])[subject], counted)

    def subject_by_id(self, subject: str) -> Subject:
        """One subject by their whole id; nobody else's profile is opened, so that it may be asked often.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            VaultError: Their profile does not open, or is damaged.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(subjects).where(subjects.c.id == subject)).mappings().first()
            if row is None or row["state"] == SubjectState.REMOVED.value:
                raise UnknownSubjectError("no subject with that id", hint="see the list of subjects")
            counted = connection.execute(
                select(func.count()).where(face_references.c.subject == subject)
            ).scalar_one()
            purposes = self._purposes(connection, [subject])[subject]
        profile = self._profile(subject, row["wrapped_key"], row["sealed_profile"])
        return _subject(row, profile, purposes, counted)

    def name_of(self, subject: str) -> str | None:
        """One subject's name, by id; None: nobody, removed, or this process holds no key.

        Raises:
            VaultError: It does not open, or is damaged.
        """
        with reading(self._engine) as connection:
            row = connection.execute(
                select(subjects.c.wrapped_key, subjects.c.sealed_profile).where(subjects.c.id == subject)
            ).first()
        profile = None if row is None else self._profile(subject, row.wrapped_key, row.sealed_profile)
        return None if profile is None else profile["name"]

    def _profile(self, subject: str, key: bytes | None, sealed: bytes | None) -> Mapping[str, str] | None:
        """One subject's profile; None: removed, or no key in this process.

        Raises:
            VaultError: It does not open, or is damaged.
        """
        if key is None or sealed is None or self._seal is None:
            return None
        return read_profile(self._seal.open(key, subject, sealed, row=profile_row(subject)))

    def _profiles(self, rows: Sequence[Mapping[Any, Any]]) -> dict[str, Mapping[str, str] | None]:
        """Each subject's profile; None: removed, no key in this process, or damaged.

        Raises:
            VaultError: Nothing of anybody opens.
        """
        found: dict[str, Mapping[str, str] | None] = {}
        damaged: dict[str, Mapping[Any, Any]] = {}
        fault: VaultError | None = None
        for row in rows:
            subject = row["id"]
            found[subject] = None
            try:
                found[subject] = self._profile(subject, row["wrapped_key"], row["sealed_profile"])
            except VaultError as error:
                fault, damaged[subject] = fault or error, row
        if (
            fault is not None
            and not any(found.values())
            and not any(map(self._has_its_key, damaged.values()))
        ):
            raise fault
        for subject in damaged:
            _log.error(
                "name_left_out",
                subject=subject,
                reason="the profile is damaged",
                hint=_MENDED_BY,
            )
        return found

    def _has_its_key(self, row: Mapping[Any, Any]) -> bool:
        """Whether a subject's own key opens: then their profile is what is damaged."""
        if self._seal is None:
            return False
        try:
            self._seal.seal(row["wrapped_key"], row["id"], b"", row=profile_row(row["id"]))
        except VaultError:
            return False
        return True


def read_profile(plain: bytes) -> Mapping[str, str]:
    """Name and initials, and an alias if they have one, of what was sealed.

    Raises:
        VaultError: It opened, and is no profile.
    """
    try:
        profile = json.loads(plain)
    except ValueError:  # neither text nor JSON
        profile = None
    if (
        not isinstance(profile, dict)
        or not all(isinstance(profile.get(key), str) for key in _PROFILE)
        or not isinstance(profile.get("alias", ""), str)
    ):
        raise VaultError("the profile is damaged", hint="give them a name again", command=_MENDED_BY)
    return profile


def _subject(
    row: Mapping[Any, Any], profile: Mapping[str, str] | None, purposes: tuple[str, ...], references: int
) -> Subject:
    said = profile or {}
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
        alias=said.get("alias"),
    )
