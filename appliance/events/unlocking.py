"""Unlocking: allowed or refused and why, and what it hangs on."""

from typing import Literal

from appliance.events.event import Event


class UnlockDecided(Event):
    """A door's lock was told to open, or was not, and why; every refusal is here."""

    type: Literal["unlock_granted", "unlock_refused"]
    lock: str
    subject: str | None = None
    """Whom it was for."""
    encounter: str | None = None
    cause: str | None = None
    """Id of the decision it rests on."""
    reason: str
    """One word for the first condition that failed, `granted` otherwise; the room `actions` lists them."""
    pin: bool = False
    """Whether a PIN was given."""


class PinChanged(Event):
    """Somebody has a PIN for the keypad, another one, or none any more."""

    type: Literal["pin_set", "pin_removed"]
    subject: str


class KeypadChanged(Event):
    """A keypad was paired with a lock, or its link revoked."""

    type: Literal["keypad_paired", "keypad_revoked"]
    keypad: str
    lock: str


class PinThrottled(Event):
    """Wrong PINs came too often at a keypad; said once when it begins."""

    type: Literal["pin_throttled"] = "pin_throttled"
    keypad: str
