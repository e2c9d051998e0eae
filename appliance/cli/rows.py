"""An event as one line of JSON, the same wherever a command prints one."""

import json

from appliance.app.explaining import event_row
from appliance.store import StoredEvent


def event_json(stored: StoredEvent) -> str:
    """An event with its place in the log, on one line."""
    return json.dumps(event_row(stored))
