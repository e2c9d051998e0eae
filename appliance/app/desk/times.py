"""Times as the desk's answers carry them."""

from datetime import UTC, datetime
from typing import overload


@overload
def moment(at: datetime) -> str: ...
@overload
def moment(at: None) -> None: ...
@overload
def moment(at: datetime | None) -> str | None: ...
def moment(at: datetime | None) -> str | None:
    """A time as it travels: ISO 8601, UTC; None: there is none."""
    return None if at is None else at.astimezone(UTC).isoformat()
