"""Private keys, on the admin's machine: made, and read from a file so that captures can be opened.

Runs where captures are opened, never on the box. Reads what `age -i` reads: age identity
files (also passphrase-protected), OpenSSH and PEM private keys (Ed25519 and RSA, also
passphrase-protected). Never writes over a key, and never puts one into a message.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyrage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from appliance.errors import IdentityError

AskPassphrase = Callable[[str], str]
"""Asks for the passphrase of what is named; called only when there is one to ask for."""

_MAX_BYTES = 1024 * 1024
"""No key file is larger; a video given by mistake is."""
_AGE_MAGIC = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - how every age identity begins, not a secret


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key that may open captures. Never shows the key.

    Attributes:
        where: The file it came from, for messages.
        key: What pyrage takes.
    """

    where: str
    key: Any = field(repr=False, compare=False)


def load_identities(path: Path, ask: AskPassphrase | None = None) -> tuple[Identity, ...]:
    """Read every identity of a file; at least one.

    Args:
        path: An age identity file or an SSH private key.
        ask: Called with the file's name when the key is protected by a passphrase.

    Raises:
        IdentityError: The file cannot be read, is not a private key, is of a kind that age
            does not open with, or its passphrase is wrong or missing.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise IdentityError(
            f"cannot read the identity {path}: {error.strerror}", hint="give your private key with --identity"
        ) from error
    return parse_identities(content, where=str(path), ask=ask)


def make_identity(path: Path) -> str:
    """Make a new age key pair: the private half into a new file, readable by its owner only.

    Not for the box: run it where captures will be opened.

    Returns:
        The public half, to be put among the recipients.

    Raises:
        IdentityError: The file exists already or cannot be written.
    """
    key = pyrage.x25519.Identity.generate()
    recipient = str(key.to_public())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise IdentityError(
                f"{path} exists already", hint="a key is never written over; choose a new name"
            )
        # O_EXCL: nor over one that appeared in between.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"# public key: {recipient}\n{key}\n")
    except OSError as error:
        raise IdentityError(f"{path} cannot be written: {error.strerror}") from error
    return recipient


def parse_identities(content: bytes, *, where: str, ask: AskPassphrase | None = None) -> tuple[Identity, ...]:
    """The same from the content of a file; `where` is what messages call it.

    Raises:
        IdentityError: As `load_identities` does.
    """
    if len(content) > _MAX_BYTES:
        raise IdentityError(f"{where} is too large for a private key")
    start = content.lstrip()
    if start.startswith(_AGE_MAGIC):
        return _age_lines(_open_age(start, where, ask), where)
    if start.startswith(b"-----BEGIN"):
        return (_pem(start, where, ask),)
    if start.startswith((b"ssh-", b"ecdsa-", b"sk-", b"age1")):
        raise IdentityError(
            f"{where} is a public key", hint="opening takes the private one: the file without .pub"
        )
    return _age_lines(content, where)


def _age_lines(content: bytes, where: str) -> tuple[Identity, ...]:
    """An age identity file: one key a line, with empty lines and `#` comments between."""
    found: list[Identity] = []
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise IdentityError(
            f"{where} is not a private key", hint="age keys are text; SSH keys too"
        ) from error
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("AGE-PLUGIN-"):
            raise IdentityError(
                f"{where}, line {number}: a key of an age plug-in, which is not supported",
                hint="open the capture with the age program and its plug-in",
            )
        if not text.startswith(_SECRET):
            raise IdentityError(
                f"{where}, line {number}: not an age private key",
                hint="expected lines with AGE-SECRET-KEY-1…, or an OpenSSH private key",
            )
        try:
            key = pyrage.x25519.Identity.from_str(text)
        except pyrage.IdentityError as error:
            raise IdentityError(
                f"{where}, line {number}: the age private key is damaged", hint="restore it from a copy"
            ) from error
        found.append(Identity(where, key))
    if not found:
        raise IdentityError(f"{where} holds no private key", hint="age-keygen or ssh-keygen makes one")
    return tuple(found)


def _pem(content: bytes, where: str, ask: AskPassphrase | None) -> Identity:
    """An SSH private key, decrypted in memory when it has a passphrase."""
    load = load_ssh_private_key if content.startswith(_OPENSSH) else load_pem_private_key
    kind_hint = "age opens with ssh-ed25519, ssh-rsa and age keys only"
    try:
        try:
            private = load(content, None)
        except TypeError:  # what cryptography says of a key with a passphrase when it is handed none
            private = load(content, _ask(where, ask).encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        if "ecurity" in str(error) or "sk-" in str(error):
            raise IdentityError(f"{where} belongs to a hardware token", hint=kind_hint) from error
        raise IdentityError(
            f"{where} does not open: a wrong passphrase, a damaged file, or a key of another kind",
            hint=f"try: ssh-keygen -y -f FILE; {kind_hint}",
        ) from error
    if not isinstance(private, Ed25519PrivateKey | RSAPrivateKey):
        raise IdentityError(f"{where} is not an Ed25519 or RSA key", hint=kind_hint)
    plain = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    try:
        return Identity(where, pyrage.ssh.Identity.from_buffer(plain))
    except pyrage.IdentityError as error:
        raise IdentityError(f"{where} is an SSH key that age cannot use", hint=kind_hint) from error


def _open_age(content: bytes, where: str, ask: AskPassphrase | None) -> bytes:
    """An age identity file that is itself sealed with a passphrase (`age-keygen | age -p`)."""
    try:
        opened: bytes = pyrage.passphrase.decrypt(content, _ask(where, ask))
    except pyrage.DecryptError as error:
        raise IdentityError(
            f"{where} does not open: a wrong passphrase, or it is not a key protected by one",
            hint="the order is: --identity KEY CAPTURE",
        ) from error
    return opened


def _ask(where: str, ask: AskPassphrase | None) -> str:
    if ask is None:
        raise IdentityError(
            f"{where} is protected by a passphrase", hint="run this in a terminal to be asked for it"
        )
    return ask(where)
