"""Events on their way, for tests of what they are delivered by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from appliance.events import Event


@dataclass(frozen=True)
class Handed:
    """A delivery as dispatch hands it over."""

    event: Event
    event_id: str
    at: datetime
    action: str = "mqtt"
    attempt: int = 1
    idempotency_key: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def delivery(
    event: Event,
    *,
    event_id: str = "e1",
    at: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
    action: str = "mqtt",
    parameters: Mapping[str, Any] | None = None,
) -> Handed:
    """An event on its way; its key is made of its id and the action, as the store does."""
    return Handed(event, event_id, at, action, 1, f"{event_id}:{action}", parameters or {})
