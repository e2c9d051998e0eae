"""The vault: one device key, a key for each subject, and the key that signs the log.

It keeps no subject keys: they rest wrapped in the database, and destroying that row is what
erases a person. It has no names, no database and no policy.
"""

import secrets
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.errors import VaultError
from appliance.vault.device_key import KeySource
from appliance.vault.private_files import read_private, write_once
from appliance.vault.rekeying import SIGNING_FILE, key_row, known_keys, open_with
from appliance.vault.sealing import KEY_BYTES, Kind, open_sealed, seal


class Vault:
    """Seals, opens and signs. Locked until `unlock`; safe to use from several threads."""

    def __init__(self, source: KeySource, directory: Path) -> None:
        self._source = source
        self._signing_file = directory / SIGNING_FILE
        self._directory = directory
        self._keys: tuple[bytes, ...] = ()
        self._signing: Ed25519PrivateKey | None = None

    def exists(self) -> bool:
        """Whether this box has keys already; a box that has is never given new ones."""
        return self._source.exists() or self._signing_file.exists()

    def unlock(self, *, create: bool = False, create_signing: bool | None = None) -> Self:
        """Load the keys.

        Args:
            create: Make what is missing. Say so only at the first boot, when there is no
                database: a new key beside an old database would open nothing in it.
            create_signing: Make a missing signing key; None: as `create` says. For a further box on a
                shared database, which is given the device key and signs a chain of its own.

        Raises:
            VaultError: A key is missing, does not open, or belongs to another box.
        """
        if create and self._signing_file.exists() and not self._source.exists():
            raise VaultError(
                "the device key is missing, but this box had one",
                hint="restore it from your backup; to start afresh, move the whole state directory away",
            )
        keys = known_keys(self._directory, self._source.load(create=create))
        row = SIGNING_FILE
        if (create if create_signing is None else create_signing) and not self._signing_file.exists():
            seed = secrets.token_bytes(KEY_BYTES)
            sealed = seal(keys[0], seed, kind=Kind.DEVICE_VALUE, subject="", row=row)
            write_once(self._signing_file, sealed)
        kept = read_private(self._signing_file)
        try:
            seed = open_with(keys, kept, kind=Kind.DEVICE_VALUE, subject="", row=row)
        except VaultError as error:
            raise VaultError(
                "the device key does not fit this box: it does not open the key that signs the log",
                hint="restore the device key and signing.key from the same backup",
            ) from error
        self._signing = Ed25519PrivateKey.from_private_bytes(seed)
        self._keys = keys
        return self

    def lock(self) -> None:
        """Forget the keys, as far as Python can."""
        self._keys = ()
        self._signing = None

    def __enter__(self) -> Self:
        """The vault itself; unlocked already, or by whoever uses it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Lock."""
        self.lock()

    def new_subject_key(self, subject: str) -> bytes:
        """A new random key for a subject, wrapped for that subject only; rests in the database."""
        key = secrets.token_bytes(KEY_BYTES)
        return seal(self._key(), key, kind=Kind.SUBJECT_KEY, subject=subject, row=key_row(subject))

    def seal(self, wrapped_key: bytes, subject: str, plaintext: bytes, *, row: str) -> bytes:
        """Seal something personal under its subject's key.

        Args:
            wrapped_key: What `new_subject_key` gave.
            subject: Whose it is.
            plaintext: Any length; the length shows.
            row: Where it will rest: `table/row id/column`.

        Raises:
            VaultError: The wrapped key is not this subject's, or not this box's.
        """
        key = self._subject_key(wrapped_key, subject)
        return seal(key, plaintext, kind=Kind.VALUE, subject=subject, row=row)

    def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
        """Open what `seal` made, from the same row of the same subject.

        Raises:
            VaultError: Another key, another row, another subject, or damage.
        """
        key = self._subject_key(wrapped_key, subject)
        return open_sealed(key, sealed, kind=Kind.VALUE, subject=subject, row=row)

    def seal_device(self, plaintext: bytes, *, row: str) -> bytes:
        """Seal something of the device itself (a secret of the settings, a session key)."""
        return seal(self._key(), plaintext, kind=Kind.DEVICE_VALUE, subject="", row=row)

    def open_device(self, sealed: bytes, *, row: str) -> bytes:
        """Open what `seal_device` made.

        Raises:
            VaultError: Another key, another row, or damage.
        """
        return open_with(self._unlocked(), sealed, kind=Kind.DEVICE_VALUE, subject="", row=row)

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature of `data`, 64 bytes; the same data gives the same signature."""
        if self._signing is None:
            raise _locked()
        return self._signing.sign(data)

    @property
    def public_key(self) -> bytes:
        """The key that checks `sign`, 32 bytes; not a secret, worth writing down elsewhere."""
        if self._signing is None:
            raise _locked()
        return self._signing.public_key().public_bytes_raw()

    def verify_signature(self, public_key: bytes, data: bytes, signature: bytes) -> bool:
        """The same as the function beside this class; needs no key and works while locked."""
        return verify_signature(public_key, data, signature)

    def _key(self) -> bytes:
        """The device key that values are sealed under: while it is being changed, the new one."""
        return self._unlocked()[0]

    def _unlocked(self) -> tuple[bytes, ...]:
        if not self._keys:
            raise _locked()
        return self._keys

    def _subject_key(self, wrapped: bytes, subject: str) -> bytes:
        return open_with(
            self._unlocked(), wrapped, kind=Kind.SUBJECT_KEY, subject=subject, row=key_row(subject)
        )


def verify_signature(public_key: bytes, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `data` by the owner of `public_key` (Ed25519, 32 bytes)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _locked() -> VaultError:
    return VaultError("the vault is locked", hint="this process was started without the device key")
