"""What became of copying each capture to a bucket: noted after it happened, never before.

A row is a note about the bucket, which alone decides: a copy that was made and not noted is found there, and
a note that was lost costs a look. One process per device notes at a time.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, select

from appliance.store.database import reading, writing
from appliance.store.opened import Opened
from appliance.store.tables import remote_copies
from appliance.values import CopyState, RemoteCopy

_BATCH = 500


class RemoteCopies(Opened):
    """This device's notes about its copies, per target."""

    def remote_copies(self, target: str) -> Mapping[str, CopyState]:
        """How far every copy is, by capture."""
        wanted = select(remote_copies.c.capture, remote_copies.c.state).where(*self._of(target))
        with reading(self._engine) as connection:
            return {capture: CopyState(state) for capture, state in connection.execute(wanted)}

    def remote_copy(self, target: str, capture: str) -> RemoteCopy | None:
        """What is noted about one; None: nothing yet."""
        wanted = select(remote_copies).where(*self._of(target), remote_copies.c.capture == capture)
        with reading(self._engine) as connection:
            row = connection.execute(wanted).mappings().first()
        return None if row is None else _copy(row)

    def refused_copies(self, target: str, limit: int = 20) -> list[RemoteCopy]:
        """Those that are not sent, the newest note first."""
        wanted = (
            select(remote_copies)
            .where(*self._of(target), remote_copies.c.state == CopyState.REFUSED.value)
            .order_by(remote_copies.c.changed_at.desc(), remote_copies.c.capture)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_copy(row) for row in connection.execute(wanted).mappings()]

    def last_verified(self, target: str) -> datetime | None:
        """When the newest copy was verified."""
        wanted = select(func.max(remote_copies.c.changed_at)).where(
            *self._of(target), remote_copies.c.state == CopyState.VERIFIED.value
        )
        with reading(self._engine) as connection:
            found: datetime | None = connection.execute(wanted).scalar()
        return found

    def verified_before(self, target: str, at: datetime) -> set[str]:
        """Captures whose copies were verified at that time or earlier."""
        wanted = select(remote_copies.c.capture).where(
            *self._of(target),
            remote_copies.c.state == CopyState.VERIFIED.value,
            remote_copies.c.changed_at <= at,
        )
        with reading(self._engine) as connection:
            return set(connection.execute(wanted).scalars())

    def note_copy(self, target: str, copy: RemoteCopy) -> None:
        """Note what became of one, in place of what was noted before.

        Raises:
            StoreError: It could not be written; what was noted before stands.
        """
        row = {
            "device": self._device,
            "target": target,
            "capture": copy.capture,
            "state": copy.state.value,
            "sha256": copy.sha256,
            "size_bytes": copy.size_bytes,
            "etag": copy.etag,
            "version": copy.version,
            "upload": copy.upload,
            "reason": copy.reason,
            "changed_at": copy.changed_at,
        }
        with writing(self._engine) as connection:
            connection.execute(
                delete(remote_copies).where(*self._of(target), remote_copies.c.capture == copy.capture)
            )
            connection.execute(insert(remote_copies).values(row))

    def forget_copies(self, target: str, captures: Iterable[str]) -> None:
        """Drop what is noted about these."""
        gone = list(captures)
        for first in range(0, len(gone), _BATCH):
            some = gone[first : first + _BATCH]
            with writing(self._engine) as connection:
                connection.execute(
                    delete(remote_copies).where(*self._of(target), remote_copies.c.capture.in_(some))
                )

    def _of(self, target: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return remote_copies.c.device == self._device, remote_copies.c.target == target


def _copy(row: RowMapping) -> RemoteCopy:
    return RemoteCopy(
        capture=row["capture"],
        state=CopyState(row["state"]),
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        changed_at=row["changed_at"],
        etag=row["etag"],
        version=row["version"],
        upload=row["upload"],
        reason=row["reason"],
    )
