"""Sealed captures of strangers: kept, not kept, gone."""

from datetime import datetime
from typing import Literal

from appliance.errors import EvidenceReason
from appliance.events.event import Event


class StrangerCaptured(Event):
    """Images of a stranger were sealed to the spool; the box cannot open them."""

    type: Literal["stranger_captured"] = "stranger_captured"
    encounter: str | None
    capture: str
    file: str
    sha256: str
    size_bytes: int
    frames: int
    recipients: tuple[str, ...]
    """Fingerprints, never whole keys."""
    expires_at: datetime
    adopted: bool = False
    """Found in the spool at start-up without an event: a crash came in between."""


class CaptureSkipped(Event):
    """A stranger was seen and no image stored."""

    type: Literal["capture_skipped"] = "capture_skipped"
    encounter: str
    reason: EvidenceReason
    """`replay`: a replay that keeps nothing seals nothing."""


class CaptureRemoved(Event):
    """A capture left the spool."""

    type: Literal["capture_removed"] = "capture_removed"
    capture: str
    reason: Literal["retracted", "expired", "cap", "room", "missing", "by_admin", "copied"]
