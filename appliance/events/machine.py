"""The box itself: processes, settings, its key, its log."""

from typing import Literal

from appliance.events.event import Event


class ProcessChanged(Event):
    """One of our processes started, stopped or died and was restarted."""

    type: Literal["process_started", "process_stopped", "process_restarted"]
    process: str
    reason: str = ""
    restarts: int = 0


class SettingsChanged(Event):
    """Settings were changed in the UI; the values stand in the overlay file, not here."""

    type: Literal["settings_changed"] = "settings_changed"
    keys: tuple[str, ...]
    """With dots, elements of lists by their ids: `doors.front.region`."""


class DeviceKeyChanged(Event):
    """The key that wraps all others was changed for a new one; the old one opens nothing any more."""

    type: Literal["device_key_changed"] = "device_key_changed"
    to: Literal["file", "passphrase", "credential"]
    """Where the new one rests."""


class LogPruned(Event):
    """Retention dropped the oldest events; the checkpoint at their end vouches for them.

    The log verifies only if it begins right after `up_to` of the newest of these.
    """

    type: Literal["log_pruned"] = "log_pruned"
    up_to: int
    """Position of the last that was dropped."""
    events: int
    """How many were dropped."""
    reason: Literal["age", "size"]
