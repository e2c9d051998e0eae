"""Public keys that captures are sealed to: read from the settings, checked, fingerprinted.

Takes what `age -r` takes and the admins already have: age X25519 recipients and OpenSSH
Ed25519 and RSA public keys. Knows nothing of private keys but how to recognise one that was
pasted by mistake. No message and no log line ever holds a key: a fingerprint names it.
"""

import base64
import binascii
import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pyrage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from appliance.errors import RecipientError

_MAKE_ONE = "make a key with: ssh-keygen -t ed25519, and give the line in the .pub file"
_MIN_RSA_BITS = 2048
"""The least that age itself accepts for ssh-rsa."""
_MAX_CHARS = 16 * 1024
"""A 16,384-bit RSA key, the largest OpenSSH makes, takes 2.8 kB."""
_HARDWARE_HINT = (
    "a key in a hardware token cannot open captures here; add an ssh-ed25519 key, or an age key (age-keygen)"
)


class RecipientKind(StrEnum):
    """What kinds of public keys there are to seal to."""

    AGE = "age"
    SSH_ED25519 = "ssh-ed25519"
    SSH_RSA = "ssh-rsa"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key that a capture can be sealed to. Shows itself by its fingerprint only.

    Attributes:
        kind: What key it is.
        fingerprint: For SSH keys what `ssh-keygen -l` prints (`SHA256:…`); for age keys
            `age:` and the first 16 hex digits of the SHA-256 of the recipient's text.
        key: What pyrage takes.
    """

    kind: RecipientKind
    fingerprint: str
    key: Any = field(repr=False, compare=False)


def parse_recipients(lines: Iterable[str]) -> tuple[Recipient, ...]:
    """Read public keys, in the order given; a key given twice counts once.

    Raises:
        RecipientError: One of them is not a public key we can seal to; the message says
            which, counted from 1, and never what it reads.
    """
    found: dict[str, Recipient] = {}
    for number, line in enumerate(lines, start=1):
        recipient = parse_recipient(line, where=f"recipient {number}")
        found.setdefault(recipient.fingerprint, recipient)
    return tuple(found.values())


def parse_recipient(line: str, *, where: str = "recipient") -> Recipient:
    """Read one public key: `age1…`, `ssh-ed25519 AAAA… comment` or `ssh-rsa AAAA… comment`.

    Args:
        line: The key as its owner hands it on; the comment is dropped, it may be a name.
        where: What to call it in a message.

    Raises:
        RecipientError: It is not one of these, is damaged, or is a private key.
    """
    words = line.split()
    if not words:
        raise RecipientError(f"{where} is empty", hint=_MAKE_ONE)
    _refuse_private(line, where)
    if len(line) > _MAX_CHARS:
        raise RecipientError(f"{where} is too long for a public key", hint=_MAKE_ONE)
    if words[0].lower().startswith("age1"):
        return _age(words, where)
    if words[0] in {RecipientKind.SSH_ED25519, RecipientKind.SSH_RSA}:
        return _ssh(words, where)
    raise _unknown(words[0], where)


def _refuse_private(line: str, where: str) -> None:
    """Stop at anything that looks like the secret half of a key."""
    shouted = line.upper()
    if "AGE-SECRET-KEY-" in shouted:
        raise RecipientError(
            f"{where} is an age private key; it does not belong on this box",
            hint="give the public key instead (age-keygen -y FILE prints it), and make a new key pair",
        )
    if "PRIVATE KEY" in shouted or "B3BLBNNZAC1RZXKTDJ" in shouted:  # base64 of openssh-key-v1
        raise RecipientError(
            f"{where} is a private key; it does not belong on this box",
            hint="give the line in the .pub file beside it, and make a new key pair",
        )


def _age(words: list[str], where: str) -> Recipient:
    text = words[0]
    if len(words) > 1:
        raise RecipientError(f"{where} has text after the age key", hint="one key for each entry")
    if not (text.startswith("age1") and text.isalnum()):
        raise RecipientError(
            f"{where} is not an age public key", hint="they read age1 and 58 small letters and digits"
        )
    if text.rfind("1") != len("age"):  # bech32 splits at the last 1: more means a plug-in's name
        raise RecipientError(
            f"{where} is an age key of a plug-in, which is not supported", hint=_HARDWARE_HINT
        )
    try:
        key = pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise RecipientError(
            f"{where} is not a complete age public key: a character is missing or wrong",
            hint="copy it again; age-keygen -y FILE prints it",
        ) from error
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Recipient(RecipientKind.AGE, f"age:{digest[:16]}", key)


def _ssh(words: list[str], where: str) -> Recipient:
    kind = RecipientKind(words[0])
    damaged = RecipientError(
        f"{where} is not a complete {kind} public key",
        hint="copy the whole line of the .pub file again, without a line break in it",
    )
    if len(words) == 1:
        raise damaged
    try:
        blob = base64.b64decode(words[1], validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old key types, which are refused here anyway
            public = load_ssh_public_key(f"{kind} {words[1]}".encode())
        if isinstance(public, RSAPublicKey) and public.key_size < _MIN_RSA_BITS:
            raise RecipientError(
                f"{where} is an RSA key of {public.key_size} bits; at least {_MIN_RSA_BITS} are needed",
                hint=_MAKE_ONE,
            )
        key = pyrage.ssh.Recipient.from_str(f"{kind} {words[1]}")
    except (binascii.Error, ValueError, UnsupportedAlgorithm, pyrage.RecipientError) as error:
        raise damaged from error
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return Recipient(kind, f"SHA256:{digest}", key)


def _unknown(first: str, where: str) -> RecipientError:
    """The most helpful refusal for a line that starts with something else."""
    if first.startswith("sk-"):
        return RecipientError(f"{where} is a security-key SSH key ({first[:40]})", hint=_HARDWARE_HINT)
    if first.startswith("ecdsa-"):
        return RecipientError(f"{where} is an ECDSA key, which age cannot seal to", hint=_MAKE_ONE)
    if first == "ssh-dss":
        return RecipientError(f"{where} is a DSA key, which is no longer safe", hint=_MAKE_ONE)
    if "-cert-" in first:
        return RecipientError(f"{where} is an SSH certificate, not a key", hint="give the plain .pub file")
    if first.startswith("AAAA"):
        return RecipientError(
            f"{where} lacks its first word",
            hint="the line starts with ssh-ed25519 or ssh-rsa; copy all of it",
        )
    return RecipientError(
        f"{where} is not a public key", hint=f"expected age1…, ssh-ed25519 … or ssh-rsa …; {_MAKE_ONE}"
    )
