"""The sealed value: AES-256-GCM under a key, bound to the row it belongs to. See `FORMAT.md`.

Pure functions over bytes: no files, no key management. The binding (kind, subject and row are
associated data) is what makes a value copied to another row, or to another person, refuse to open.
"""

import os
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import VaultError

VERSION = 1
"""First byte of every sealed value."""
KEY_BYTES = 32
"""AES-256."""
NONCE_BYTES = 12
"""96 bits, the size for which GCM is specified (NIST SP 800-38D, 8.2)."""
TAG_BYTES = 16
OVERHEAD_BYTES = 2 + NONCE_BYTES + TAG_BYTES
"""What sealing adds to a value: version, kind, nonce, tag."""

_LABEL = b"office-door appliance, sealed value"


class Kind(IntEnum):
    """What is sealed under which key; second byte of every sealed value."""

    VALUE = 1
    """Something personal, under its subject's key."""
    SUBJECT_KEY = 2
    """A subject's key, under the device key."""
    DEVICE_VALUE = 3
    """Something of the device itself, under the device key."""
    DEVICE_KEY = 4
    """The device key, under a key made from a passphrase."""
    OTHER_DEVICE_KEY = 5
    """The device key before or after a change of it, under the other of the two."""


def binding(kind: Kind, subject: str, row: str) -> bytes:
    """The associated data: unambiguous, since every part carries its length.

    Args:
        kind: What is sealed.
        subject: Opaque id of whose it is; empty for what belongs to the device.
        row: Where it rests: `table/row id/column`, or the name of a file.
    """
    parts = [subject.encode(), row.encode()]
    return _LABEL + bytes([VERSION, kind]) + b"".join(len(p).to_bytes(4, "big") + p for p in parts)


def seal(key: bytes, plaintext: bytes, *, kind: Kind, subject: str, row: str) -> bytes:
    """Seal `plaintext`; two calls never give the same bytes, since the nonce is random.

    Args:
        key: 32 bytes. At most 2^32 values under one key (SP 800-38D, 8.3).
        plaintext: What to seal; its length shows.
        kind: What it is.
        subject: Whose it is.
        row: Where it will rest.
    """
    nonce = os.urandom(NONCE_BYTES)
    body = AESGCM(key).encrypt(nonce, plaintext, binding(kind, subject, row))
    return bytes([VERSION, kind]) + nonce + body


def open_sealed(key: bytes, sealed: bytes, *, kind: Kind, subject: str, row: str) -> bytes:
    """Open what `seal` made, if key, kind, subject and row are the same.

    Raises:
        VaultError: Cut short, of an unknown version, of another kind, moved from another row,
            damaged, or sealed under another key. The last three cannot be told apart.
    """
    if len(sealed) < OVERHEAD_BYTES:
        raise VaultError(f"the sealed value at {row} is cut short: {len(sealed)} bytes")
    if sealed[0] != VERSION:
        raise VaultError(
            f"the sealed value at {row} has format version {sealed[0]}, and this program knows {VERSION}",
            hint="it was written by a newer appliance: upgrade this one",
        )
    if sealed[1] != kind:
        raise VaultError(
            f"the sealed value at {row} is of kind {sealed[1]}, expected {int(kind)} ({kind.name})"
        )
    nonce, body = sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, binding(kind, subject, row))
    except InvalidTag as error:
        raise VaultError(
            f"the sealed value at {row} does not open",
            hint="the device key is another one, or the value was damaged or moved from another row",
        ) from error
