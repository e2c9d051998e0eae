"""An event on its way to what is done about it: the value that dispatch hands to actions and sinks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from appliance.events import Event


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to an action.

    Attributes:
        action: Id of the action in the settings, or a rule's: its kind, or kind and target.
        event_id: UUIDv7 of the event in the log.
        event: What happened.
        at: When, aware.
        attempt: 1 for the first try.
        idempotency_key: The same at every attempt.
        parameters: What the rule asks for; empty for one of the settings.
        deadline: When it is too late, if it is promised at most once; None: never.
        rule: Id of the rule that asks for it; None: the settings do.
    """

    action: str
    event_id: str
    event: Event
    at: datetime
    attempt: int
    idempotency_key: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    deadline: datetime | None = None
    rule: str | None = None
