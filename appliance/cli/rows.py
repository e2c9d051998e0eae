"""An event as one JSON object, the same wherever a command prints one."""

import json
from typing import Any

from appliance.store import StoredEvent


def event_row(stored: StoredEvent) -> dict[str, Any]:
    """An event with its place in the log; `body` is None when it was dropped or cannot be read."""
    return {
        "position": stored.position,
        "id": stored.id,
        "type": stored.type,
        "at": stored.at.isoformat(),
        "device": stored.device,
        "hash": stored.hash,
        "body": stored.event.model_dump(mode="json") if stored.event is not None else None,
    }


def event_json(stored: StoredEvent) -> str:
    """The same on one line."""
    return json.dumps(event_row(stored))
