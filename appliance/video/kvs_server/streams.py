"""The streams there are: made, described, changed, tagged, deleted.

A stream is a row without media; fragments lie in the archive beside it. Rules are those of the service
where it documents them: versions change with every change and must be named by whoever changes, retention
counts in hours and begins at 0 unless somebody says otherwise.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from appliance.video.kvs_server.requests import RefusedError

ACCOUNT: Final = "123456789012"
"""Whose streams these are; AWS's own examples use this number."""
MAX_RETENTION_HOURS: Final = 87_600
"""Ten years: the longest that the service keeps anything."""
MAX_TAGS: Final = 50


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream.

    Attributes:
        name: 1 to 256 letters, digits, `_`, `.`, `-`.
        arn: Of it; its last part is when it was made.
        created_at: Aware, UTC.
        retention_hours: How long fragments stay, by the server's time; 0: none is kept.
        version: Changes with every change.
        media_type: Such as `video/h264`; None: not said.
        device_name: Not used for anything.
        key_id: The KMS key that it asked for; nothing is enciphered with it here.
        tags: On the stream.
    """

    name: str
    arn: str
    created_at: datetime
    retention_hours: int
    version: str
    media_type: str | None = None
    device_name: str | None = None
    key_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Everything, for keeping it."""
        return {
            "name": self.name,
            "arn": self.arn,
            "created_at": self.created_at.isoformat(),
            "retention_hours": self.retention_hours,
            "version": self.version,
            "media_type": self.media_type,
            "device_name": self.device_name,
            "key_id": self.key_id,
            "tags": dict(self.tags),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "StreamRow":
        """The reverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: It is not that.
        """
        return cls(**{**kept, "created_at": datetime.fromisoformat(kept["created_at"])})


class StreamKeeping(Protocol):
    """Where rows of streams are kept."""

    def streams(self) -> Iterable[StreamRow]:
        """Every stream kept."""

    def keep_stream(self, row: StreamRow) -> None:
        """Keep one, or its new row."""

    def drop_stream(self, name: str) -> None:
        """Forget one with its fragments; fine where there is none."""


class StreamBook:
    """Every stream, by name and by ARN.

    Args:
        keeping: Where they are kept.
        region: Stands in ARNs.
        versions: Makes a version that was never before.
    """

    def __init__(
        self,
        keeping: StreamKeeping,
        *,
        region: str,
        versions: Callable[[], str] = lambda: secrets.token_hex(10),
    ) -> None:
        self._keeping = keeping
        self._region = region
        self._versions = versions
        self._rows: dict[str, StreamRow] | None = None

    def create(
        self,
        name: str,
        now: datetime,
        *,
        retention_hours: int = 0,
        media_type: str | None = None,
        device_name: str | None = None,
        key_id: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> StreamRow:
        """Make one.

        Raises:
            RefusedError: There is one of this name, or it would be kept for too long.
        """
        if name in self._known:
            raise RefusedError("ResourceInUseException", f"The stream {name} already exists.")
        _check_retention(retention_hours)
        stamp = int(now.timestamp() * 1000)
        row = StreamRow(
            name=name,
            arn=f"arn:aws:kinesisvideo:{self._region}:{ACCOUNT}:stream/{name}/{stamp}",
            created_at=now,
            retention_hours=retention_hours,
            version=self._versions(),
            media_type=media_type,
            device_name=device_name,
            key_id=key_id,
            tags=dict(tags or {}),
        )
        return self._keep(row)

    def find(self, *, name: str | None, arn: str | None) -> StreamRow:
        """The one that is meant.

        Raises:
            RefusedError: Neither or both are given, or there is none.
        """
        if (name is None) == (arn is None):
            raise RefusedError(
                "InvalidArgumentException", "Either StreamName or StreamARN must be given, and not both."
            )
        for row in self._known.values():
            if name == row.name or arn == row.arn:
                return row
        raise RefusedError(
            "ResourceNotFoundException",
            f"The requested stream is not found or not active. Stream: {name or arn}",
        )

    def sorted(self) -> list[StreamRow]:
        """Every stream, by name."""
        return [self._known[name] for name in sorted(self._known)]

    def delete(self, row: StreamRow, version: str | None) -> None:
        """Delete one with what it holds.

        Raises:
            RefusedError: The version is another.
        """
        _check_version(row, version)
        self._keeping.drop_stream(row.name)
        del self._known[row.name]

    def change(self, row: StreamRow, version: str | None, **members: Any) -> StreamRow:
        """Change members of its row.

        Raises:
            RefusedError: The version is another, or it would be kept for too long.
        """
        _check_version(row, version)
        _check_retention(members.get("retention_hours", row.retention_hours))
        return self._keep(replace(row, **members, version=self._versions()))

    def tag(self, row: StreamRow, tags: Mapping[str, str]) -> None:
        """Put tags on it; those of the same key are replaced.

        Raises:
            RefusedError: There would be more than 50.
        """
        merged = {**row.tags, **tags}
        if len(merged) > MAX_TAGS:
            raise RefusedError("TagsPerResourceExceededLimitException", f"A stream has {MAX_TAGS} tags.")
        self._keep(replace(row, tags=merged))

    def untag(self, row: StreamRow, keys: Iterable[str]) -> None:
        """Take tags off it; fine where there are none."""
        gone = set(keys)
        self._keep(replace(row, tags={key: value for key, value in row.tags.items() if key not in gone}))

    @property
    def _known(self) -> dict[str, StreamRow]:
        if self._rows is None:
            self._rows = {row.name: row for row in self._keeping.streams()}
        return self._rows

    def _keep(self, row: StreamRow) -> StreamRow:
        known = self._known
        self._keeping.keep_stream(row)
        known[row.name] = row
        return row


def _check_version(row: StreamRow, version: str | None) -> None:
    if version is not None and version != row.version:
        raise RefusedError(
            "VersionMismatchException", "The stream version that you specified is not the latest version."
        )


def _check_retention(hours: int) -> None:
    if not 0 <= hours <= MAX_RETENTION_HOURS:
        raise RefusedError(
            "InvalidArgumentException", f"DataRetentionInHours must lie between 0 and {MAX_RETENTION_HOURS}."
        )
