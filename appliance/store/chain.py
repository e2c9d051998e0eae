"""The chain of hashes: what one link covers, and what is signed; `checking` walks it.

Pure. The chain shows that the log was changed by somebody without the signing key; whoever holds root on the
box can sign another history, except against heads that left the box before. It does not say whether what was
logged is true.

A link is the SHA-256 of canonical JSON: UTF-8, keys sorted, no spaces, no NaN.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from pydantic import ValidationError

from appliance.errors import InputError
from appliance.log_heads import HeadFields
from appliance.store.tables import time_text

GENESIS = "0" * 64
"""What the first event of a device has for its previous hash."""

SEGMENT = 256
"""Events between two checkpoints. Retention drops whole segments from the old end."""

PRUNED = "log_pruned"
"""The type of the event by which retention says what it dropped; a checkpoint is signed for each."""

_HEAD_LABEL = b"office-door appliance, chain head v1\n"

Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key, data, signature) → whether it holds."""


def canonical(value: Any) -> str:
    """Canonical JSON of plain values.

    Raises:
        ValueError: A number is not finite.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(content: str | bytes) -> str:
    """64 hex digits; text counts as UTF-8."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def link_hash(
    *,
    device: str,
    position: int,
    event_id: str,
    event_type: str,
    version: int,
    at: datetime,
    boot: str,
    body_sha256: str,
    sealed_sha256: str | None,
    previous: str,
) -> str:
    """The hash of one event. Bodies go in by their own hash, so that one can be dropped."""
    covered = {
        "device": device,
        "position": position,
        "id": event_id,
        "type": event_type,
        "version": version,
        "at": time_text(at),
        "boot": boot,
        "body_sha256": body_sha256,
        "sealed_sha256": sealed_sha256,
        "previous": previous,
    }
    return sha256(canonical(covered))


class SignedHead(HeadFields):
    """The state of a device's chain at a moment, signed: what is exported, and what a checkpoint is."""

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read an exported head.

        Raises:
            InputError: It is not one.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError(
                "this is not an exported head of the log", hint="it is one JSON object, as exported"
            ) from error

    @staticmethod
    def signed_bytes(*, device: str, position: int, head_hash: str, at: datetime) -> bytes:
        """What the signature is of."""
        covered = {"device": device, "position": position, "hash": head_hash, "at": time_text(at)}
        return _HEAD_LABEL + canonical(covered).encode()

    def holds(self, verify: Verify) -> bool:
        """Whether the signature fits the public key that the head itself names."""
        data = self.signed_bytes(device=self.device, position=self.position, head_hash=self.hash, at=self.at)
        return verify(bytes.fromhex(self.public_key), data, bytes.fromhex(self.signature))
