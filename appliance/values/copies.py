"""Copies of sealed captures in a bucket."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CopyState(StrEnum):
    """How far a copy is."""

    BEGUN = "begun"
    """Parts of it are there; `upload` says of which."""
    VERIFIED = "verified"
    """The bucket has it, and said or showed the same checksum."""
    REFUSED = "refused"
    """It is not sent, and `reason` says why."""


@dataclass(frozen=True, slots=True)
class RemoteCopy:
    """A copy of one capture.

    Attributes:
        capture: Id.
        state: How far it is.
        sha256: Of the sealed bytes, hex; empty: it was not read.
        size_bytes: Of the sealed file.
        changed_at: When this became so, aware UTC; of a verified one, when that was.
        etag: What the service calls this content.
        version: What the service calls this version; None: it keeps none.
        upload: Id of an upload in parts that is under way.
        reason: Why it is refused: a `SinkReason`.
    """

    capture: str
    state: CopyState
    sha256: str
    size_bytes: int
    changed_at: datetime
    etag: str | None = None
    version: str | None = None
    upload: str | None = None
    reason: str | None = None
