"""Changing the device key: from the first byte to the last, the old key or the new one opens everything.

While a change is under way a file in the state directory, `rekey.json`, holds each of the two keys sealed
under the other. Whoever has one of them has both, so that it does not matter how far the change came when
it was broken off, nor which of them the key's source gives. The file goes last; then the old key opens
nothing. Nothing here knows of the database: whoever changes the key hands every wrapped key over.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import VaultError
from appliance.vault.device_key import KEY_FILE, PASSPHRASE_FILE, KeySource
from appliance.vault.private_files import read_private, remove, remove_spares, replace, write_once
from appliance.vault.sealing import KEY_BYTES, Kind, open_sealed, seal

REKEY_FILE = "rekey.json"
"""Name, in the state directory, of the file that joins the two keys while one is changed for the other."""
SIGNING_FILE = "signing.key"
"""Name, in the state directory, of the Ed25519 key that signs the chain; sealed by the device key."""

Place = Literal["file", "passphrase", "credential"]
"""Where a device key rests, as `vault.key` of the settings says it."""

_OLD, _NEW = f"{REKEY_FILE}/old", f"{REKEY_FILE}/new"


def key_row(subject: str) -> str:
    """Where a subject's wrapped key rests."""
    return f"subjects/{subject}/wrapped_key"


def open_with(keys: Sequence[bytes], sealed: bytes, *, kind: Kind, subject: str, row: str) -> bytes:
    """Open a value with the first of some keys that does.

    Raises:
        VaultError: None does; what is said is of the last.
    """
    for key in keys[:-1]:
        try:
            return open_sealed(key, sealed, kind=kind, subject=subject, row=row)
        except VaultError:
            continue
    return open_sealed(keys[-1], sealed, kind=kind, subject=subject, row=row)


def known_keys(directory: Path, key: bytes) -> tuple[bytes, ...]:
    """The keys that values may rest under, the one to seal with first: more than one while it is changed.

    Args:
        directory: The state directory.
        key: What the key's source gives: the old one or the new.

    Raises:
        VaultError: A change is under way, of other keys than this one; or its file is damaged.
    """
    if not (directory / REKEY_FILE).exists():
        return (key,)
    change = KeyChange.under_way(directory, key)
    return (change.new, change.old)


class KeyChange:
    """A change of the device key that has begun: its file is written.

    Attributes:
        to: Where the new key is to rest.
        old: The key before, 32 bytes.
        new: The key after.
    """

    def __init__(self, directory: Path, to: Place, old: bytes, new: bytes) -> None:
        self._directory = directory
        self.to: Place = to
        self.old = old
        self.new = new

    @classmethod
    def begin(cls, directory: Path, source: KeySource, to: Place, *, new: bytes | None = None) -> Self:
        """Begin, or go on with what was broken off.

        Args:
            directory: The state directory.
            source: Where the present key rests.
            to: Where the new one is to rest.
            new: The new key, where somebody else made it; None: random.

        Raises:
            VaultError: The present key cannot be had; what was broken off led elsewhere or to another
                key; or the file cannot be written.
        """
        key = source.load(create=False)
        if (directory / REKEY_FILE).exists():
            return cls._again(directory, key, to, new)
        if new == key:
            raise VaultError("this is the present device key", hint="make another one (new-key)")
        change = cls(directory, to, key, new or secrets.token_bytes(KEY_BYTES))
        joined = {
            "format": 1,
            "to": to,
            "old": _sealed(change.new, change.old, _OLD),
            "new": _sealed(change.old, change.new, _NEW),
        }
        write_once(directory / REKEY_FILE, json.dumps(joined, indent=1).encode() + b"\n")
        return change

    @classmethod
    def _again(cls, directory: Path, key: bytes, to: Place, new: bytes | None) -> Self:
        change = cls.under_way(directory, key)
        if change.to != to:
            raise VaultError(
                f"an earlier change of the key was broken off, and led to {change.to!r}",
                hint="bring that one to its end first",
            )
        if new is not None and new != change.new:
            raise VaultError(
                "an earlier change of the key was broken off, and led to another key",
                hint="hand over the same one again",
            )
        return change

    @classmethod
    def under_way(cls, directory: Path, key: bytes) -> Self:
        """The change that is under way, known by either key.

        Raises:
            VaultError: It is of other keys, or its file is damaged or not private.
        """
        path = directory / REKEY_FILE
        try:
            kept = _Joined.model_validate_json(read_private(path))
            old, new = (base64.b64decode(each, validate=True) for each in (kept.old, kept.new))
        except (ValidationError, binascii.Error) as error:
            raise VaultError(
                f"{path} is damaged", hint="restore the state directory from one backup"
            ) from error
        try:
            return cls(directory, kept.to, key, _other(key, new, _NEW))
        except VaultError:
            pass
        try:
            return cls(directory, kept.to, _other(key, old, _OLD), key)
        except VaultError as error:
            raise VaultError(
                "the device key does not fit this box: it is neither the old nor the new one of a change "
                "that is under way",
                hint="restore the device key, signing.key and rekey.json from the same backup",
            ) from error

    def reseal_signing_key(self) -> None:
        """Seal the key that signs the log under the new key; again is fine.

        Raises:
            VaultError: It opens under neither, or cannot be written.
        """
        path = self._directory / SIGNING_FILE
        kind, row = Kind.DEVICE_VALUE, SIGNING_FILE
        seed = open_with((self.new, self.old), read_private(path), kind=kind, subject="", row=row)
        replace(path, seal(self.new, seed, kind=kind, subject="", row=row))

    def rewrapped(self, subject: str, wrapped: bytes) -> bytes | None:
        """A subject's key, wrapped under the new key; None: it is already.

        Raises:
            VaultError: It opens under neither.
        """
        kind, row = Kind.SUBJECT_KEY, key_row(subject)
        try:
            open_sealed(self.new, wrapped, kind=kind, subject=subject, row=row)
        except VaultError:
            try:
                key = open_sealed(self.old, wrapped, kind=kind, subject=subject, row=row)
            except VaultError as error:
                raise VaultError(
                    f"the key at {row} opens neither with the old nor with the new device key",
                    hint="it is damaged, or of another backup: restore it, or remove whom it is of by that "
                    "id; then the same command goes on",
                    command="appliance enroll remove ID",
                ) from error
            return seal(self.new, key, kind=kind, subject=subject, row=row)
        return None

    def finish(self) -> None:
        """The new key rests in its place and opens everything: let go of the old one for good.

        Whoever was killed while writing a key has left it beside, in the clear. Only who holds the device key
        alone may call this: then nobody else is writing one.

        Raises:
            VaultError: A file cannot be deleted.
        """
        for name in (KEY_FILE, PASSPHRASE_FILE, SIGNING_FILE, REKEY_FILE):
            remove_spares(self._directory / name)
        # One that was broken off between the settings and this was begun anew from the new place.
        for place, name in (("file", KEY_FILE), ("passphrase", PASSPHRASE_FILE)):
            if self.to != place:
                remove(self._directory / name)
        remove(self._directory / REKEY_FILE)  # last: as long as it is there, the next run comes here again


class _Joined(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int = Field(ge=1, le=1)
    to: Place
    old: str = Field(max_length=128)
    new: str = Field(max_length=128)


def _sealed(under: bytes, key: bytes, row: str) -> str:
    return base64.b64encode(seal(under, key, kind=Kind.OTHER_DEVICE_KEY, subject="", row=row)).decode()


def _other(key: bytes, sealed: bytes, row: str) -> bytes:
    return open_sealed(key, sealed, kind=Kind.OTHER_DEVICE_KEY, subject="", row=row)
