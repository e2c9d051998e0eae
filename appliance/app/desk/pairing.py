"""Pairing a device by a code that is typed on it: what screens and keypads have in common.

What a device may do, and who may pair one, is for the modules of each.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from pydantic import Field, SecretStr

from appliance.app.desk.guarding import Guard
from appliance.app.desk.operations import Answer, Arguments
from appliance.app.desk.times import moment
from appliance.store import CodePurpose
from appliance.store.codes import LASTS


class Pair(Arguments):
    """Attributes: code: as it was typed on the device; client: the address it comes from."""

    code: SecretStr = Field(max_length=100)
    client: str = Field(default="", max_length=100)


class Device(Protocol):
    """A paired device, as the store keeps it."""

    @property
    def id(self) -> str:
        """Opaque."""

    @property
    def label(self) -> str:
        """Which it is, e.g. where it hangs."""

    @property
    def created_at(self) -> datetime:
        """When it was paired."""

    @property
    def used_at(self) -> datetime | None:
        """When it was heard of last."""

    @property
    def revoked_at(self) -> datetime | None:
        """Since when it is good no more; None: it is."""


D = TypeVar("D", bound=Device)
"""A screen or a keypad."""


def code_told(code: str, purpose: CodePurpose) -> Answer:
    """A code that was made: `{code, lasts_s}`."""
    return Answer({"code": code, "lasts_s": LASTS[purpose].total_seconds()})


def paired(
    given: Pair,
    guard: Guard,
    take: Callable[[str], tuple[str, D]],
    *,
    called: str,
    facts: Callable[[D], dict[str, Any]],
) -> Answer:
    """Take a code for a device's secret: `{secret, <called>: facts}`.

    Args:
        given: The code.
        guard: Slows down who tries codes.
        take: Uses the code up; the secret, and the device.
        called: What the device is called in the answer.
        facts: The device as JSON values.

    Raises:
        NotSignedInError: The code is no good.
        ThrottledError: Codes were tried too often from there.
    """
    with guard.tried(given.client):
        secret, device = take(given.code.get_secret_value())
    return Answer({"secret": secret, called: facts(device)})


def device_facts(device: Device) -> dict[str, Any]:
    """What is told of any paired device, as JSON values."""
    return {
        "id": device.id,
        "label": device.label,
        "created_at": moment(device.created_at),
        "used_at": moment(device.used_at),
        "revoked_at": moment(device.revoked_at),
    }
