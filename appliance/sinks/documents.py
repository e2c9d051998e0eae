"""An event as others are sent it: one JSON object, the same by MQTT and by webhook. Pure.

Ids are opaque and nobody is named, but for an alias that whoever sends may hand in. Of why a decision came
out as it did the summary alone is sent: the other people it was weighed against, and every frame, stay on
the box.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, Final

from appliance.deliveries import Delivery

Aliases = Callable[[str], str | None]
"""What to call somebody by their id; None: they are not named."""

SUMMARY: Final = ("rule", "score", "threshold", "margin", "margin_wanted", "frames_seen")
"""What is told of a decision's facts."""


def document(delivery: Delivery, device: str, aliases: Aliases | None = None) -> dict[str, Any]:
    """The event's own fields, with `id`, `at` (ISO 8601, UTC), `device` and `idempotency_key`.

    Args:
        delivery: The event on its way.
        device: Id of the box.
        aliases: Names who may be named; None: nobody is.
    """
    said = delivery.event.model_dump(mode="json")
    facts = said.get("facts")
    if isinstance(facts, dict):
        said["facts"] = {name: facts[name] for name in SUMMARY if name in facts}
    subject = said.get("subject")
    alias = aliases(subject) if aliases is not None and isinstance(subject, str) else None
    return {
        "id": delivery.event_id,
        "at": delivery.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "device": device,
        "idempotency_key": delivery.idempotency_key,
        **said,
        **({"alias": alias} if alias else {}),
    }


def written(content: Mapping[str, Any]) -> bytes:
    """A document as it is sent: compact JSON, UTF-8, keys in their order."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
