"""Whether something that was to be done failed lately. What failed, and why, is told in `outbox`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from web.surroundings import surroundings


def lately_failed(found: Mapping[str, Any], within: timedelta) -> int:
    """How much failed for good and was not tried again, if any of it did lately; 0: none, or long ago.

    What failed stays until it is tried again, or its event is forgotten; nobody is told of it all that time.

    Args:
        found: As `outbox.list` answers to what is dead, the newest of it at least.
        within: How long ago is lately.
    """
    newest = max((datetime.fromisoformat(each["at"]) for each in found["rows"]), default=None)
    if newest is None or surroundings().clock.wall() - newest > within:
        return 0
    dead: int = found["counts"]["dead"]
    return dead
