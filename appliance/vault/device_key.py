"""Where the device key comes from: a key file, a passphrase, or a systemd credential.

The device key is 256 random bits that wrap everything else. A key file beside the database
protects copies of the database, not a stolen box; a passphrase, or a credential bound to a TPM,
protects both. Secrets arrive as bytes from whoever calls; nothing here reads an argument list or
the environment, and nothing writes a secret anywhere but where its source says.
"""

import base64
import binascii
import json
import re
import secrets
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import VaultError
from appliance.settings import VaultSettings
from appliance.vault.private_files import read_private, remove, replace, write_once
from appliance.vault.sealing import KEY_BYTES, OVERHEAD_BYTES, Kind, open_sealed, seal

KEY_FILE = "device.key"
"""Name of the key file in the state directory, and of the systemd credential."""
PASSPHRASE_FILE = "device.passphrase.json"  # noqa: S105 - the name of a file
"""Name of the wrapped key in the state directory, when the key is a passphrase."""

_LINE = re.compile(rb"office-door-device-key-1:([A-Za-z0-9_=-]+)\s*")
_PASSPHRASE_ROW = "device.passphrase.json/wrapped"  # noqa: S105 - where it rests


class KeySource(Protocol):
    """Somewhere a device key rests."""

    def exists(self) -> bool:
        """Whether there is one already; reads no secret."""

    def load(self, *, create: bool) -> bytes:
        """The device key, 32 bytes.

        Args:
            create: Make one where there is none: at the first boot only.

        Raises:
            VaultError: There is none, it cannot be read, is readable by others, or is not a key.
        """

    def put(self, key: bytes) -> None:
        """Let this key, 32 bytes, rest here from now on, in the place of any other, whole or not at all.

        Raises:
            VaultError: It cannot be written, or does not rest here.
        """

    def discard(self) -> None:
        """Let no key rest here any more, if that is for us to do; a credential is for systemd's admin.

        Raises:
            VaultError: It cannot be deleted.
        """


def new_key_line() -> str:
    """A new device key as a key file or a systemd credential holds it: one line of text."""
    return _line(secrets.token_bytes(KEY_BYTES)).decode()


def parse_key_line(content: bytes) -> bytes:
    """The device key, 32 bytes, in such a line.

    Raises:
        VaultError: It is not one. What was read is not repeated.
    """
    return _key_in(content, "what was handed over", hint="make one first (new-key), and keep it encrypted")


class KeyFile:
    """The key in a file that only the appliance's account may read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        """Whether the file is there."""
        return self._path.exists()

    def load(self, *, create: bool) -> bytes:
        """Read the file, or make it (mode 0600, whole or not at all).

        Raises:
            VaultError: Missing without `create`, readable by others, unreadable, or not a key file.
        """
        if create and not self._path.exists():
            write_once(self._path, _line(secrets.token_bytes(KEY_BYTES)))
        return _key_in(read_private(self._path), self._path)

    def put(self, key: bytes) -> None:
        """Write the file anew (0600).

        Raises:
            VaultError: It cannot be written.
        """
        replace(self._path, _line(key))

    def discard(self) -> None:
        """Delete the file; what a disk keeps of deleted files, it keeps.

        Raises:
            VaultError: It cannot be deleted.
        """
        remove(self._path)


class CredentialKey:
    """The key in a systemd credential: `LoadCredentialEncrypted=device.key` in the unit.

    systemd guards the file itself (an access list, which shows as group bits), so its mode is
    not judged here. Make one with `new_key_line` piped into `systemd-creds encrypt`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        """Whether systemd handed one over."""
        return self._path.exists()

    def load(self, *, create: bool) -> bytes:
        """Read the credential; it is never made here, not even with `create`.

        Raises:
            VaultError: Missing, unreadable, or not a key.
        """
        del create
        try:
            return _key_in(self._path.read_bytes(), self._path)
        except FileNotFoundError as error:
            raise VaultError(
                "systemd handed over no credential named device.key",
                hint="start it from its unit, with LoadCredentialEncrypted=device.key:… in the unit",
            ) from error
        except OSError as error:
            raise VaultError(f"the credential device.key cannot be read: {error.strerror}") from error

    def put(self, key: bytes) -> None:
        """Nothing is written: the admin encrypted this key with systemd-creds before it was handed over."""

    def discard(self) -> None:
        """Nothing is deleted: the encrypted credential is the admin's file."""


class PassphraseKey:
    """The key wrapped under a passphrase (scrypt), in a file of its own beside the database.

    The passphrase only wraps the key, so that it can be changed without sealing anything again.
    """

    DEFAULT_LOG2_N = 17
    """scrypt's cost: 2^17 blocks of 8 are 128 MiB and about half a second (OWASP's first choice)."""

    def __init__(self, path: Path, passphrase: bytes, *, log2_n: int = DEFAULT_LOG2_N) -> None:
        self._path = path
        self._passphrase = passphrase
        self._log2_n = log2_n

    def exists(self) -> bool:
        """Whether a wrapped key is there."""
        return self._path.exists()

    def load(self, *, create: bool) -> bytes:
        """Unwrap the key, or make and wrap one.

        Raises:
            VaultError: Missing without `create`, an empty or wrong passphrase, or a damaged file.
        """
        if not self._passphrase:
            raise VaultError(
                "the passphrase is empty", hint="hand it over as the settings of vault.key describe"
            )
        if create and not self._path.exists():
            write_once(self._path, self._wrapped(secrets.token_bytes(KEY_BYTES)))
        try:
            kept = _Wrapped.model_validate_json(read_private(self._path))
            wrapped, salt = (
                base64.b64decode(kept.wrapped, validate=True),
                base64.b64decode(kept.salt, validate=True),
            )
        except (ValidationError, binascii.Error) as error:
            raise VaultError(
                f"{self._path} is damaged", hint="restore it from the same backup as the database"
            ) from error
        kek = _stretch(self._passphrase, salt, kept.log2_n, kept.r, kept.p)
        try:
            return open_sealed(kek, wrapped, kind=Kind.DEVICE_KEY, subject="", row=_PASSPHRASE_ROW)
        except VaultError as error:
            raise VaultError(
                "the passphrase does not open the device key",
                hint=f"it is another passphrase, or {self._path} belongs to another box",
            ) from error

    def change(self, new_passphrase: bytes) -> None:
        """Wrap the same key under another passphrase; what is sealed stays as it is.

        Raises:
            VaultError: The present passphrase is wrong, or the new one is empty.
        """
        if not new_passphrase:
            raise VaultError("the new passphrase is empty")
        key = self.load(create=False)
        self._passphrase = new_passphrase
        replace(self._path, self._wrapped(key))

    def put(self, key: bytes) -> None:
        """Wrap this key under the passphrase.

        Raises:
            VaultError: The passphrase is empty, or the file cannot be written.
        """
        if not self._passphrase:
            raise VaultError("the new passphrase is empty")
        replace(self._path, self._wrapped(key))

    def discard(self) -> None:
        """Delete the wrapped key.

        Raises:
            VaultError: It cannot be deleted.
        """
        remove(self._path)

    def _wrapped(self, key: bytes) -> bytes:
        salt = secrets.token_bytes(16)
        kek = _stretch(self._passphrase, salt, self._log2_n, 8, 1)
        wrapped = seal(kek, key, kind=Kind.DEVICE_KEY, subject="", row=_PASSPHRASE_ROW)
        kept = {
            "format": 1,
            "kdf": "scrypt",
            "log2_n": self._log2_n,
            "r": 8,
            "p": 1,
            "salt": base64.b64encode(salt).decode(),
            "wrapped": base64.b64encode(wrapped).decode(),
        }
        return json.dumps(kept, indent=1).encode() + b"\n"


class _Wrapped(BaseModel):
    """The file of a passphrase. The bounds keep a planted file from eating the memory."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int = Field(ge=1, le=1)
    kdf: str = Field(pattern="^scrypt$")
    log2_n: int = Field(ge=10, le=20)
    r: int = Field(ge=1, le=8)
    p: int = Field(ge=1, le=4)
    salt: str = Field(min_length=22, max_length=88)
    wrapped: str = Field(min_length=(KEY_BYTES + OVERHEAD_BYTES) * 4 // 3, max_length=128)


def key_source(
    settings: VaultSettings, directory: Path, *, passphrase: bytes | None, credentials: Path | None
) -> KeySource:
    """The source that the settings name.

    Args:
        settings: Which, and where the key file is if not in `directory`.
        directory: The state directory.
        passphrase: What the caller read from a descriptor or the environment, if anything.
        credentials: systemd's `$CREDENTIALS_DIRECTORY`, if set.

    Raises:
        VaultError: A passphrase or credential is asked for, and none was handed over.
    """
    if settings.key == "passphrase":
        if passphrase is None:
            raise VaultError("vault.key = 'passphrase', but no passphrase was handed over")
        return PassphraseKey(directory / PASSPHRASE_FILE, passphrase)
    if settings.key == "credential":
        if credentials is None:
            raise VaultError(
                "vault.key = 'credential', but systemd handed over no credentials",
                hint="start it from its unit, with LoadCredentialEncrypted=device.key:… in the unit",
            )
        return CredentialKey(credentials / KEY_FILE)
    return KeyFile(settings.key_file or directory / KEY_FILE)


def _line(key: bytes) -> bytes:
    return b"office-door-device-key-1:" + base64.urlsafe_b64encode(key) + b"\n"


def _key_in(content: bytes, path: Path | str, *, hint: str = "restore it from your backup") -> bytes:
    found = _LINE.fullmatch(content)
    try:
        key = base64.urlsafe_b64decode(found[1]) if found else b""
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(f"{path} is not a device key", hint=hint)
    return key


def _stretch(passphrase: bytes, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=1 << log2_n, r=r, p=p).derive(passphrase)
