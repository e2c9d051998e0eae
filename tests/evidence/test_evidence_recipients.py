"""Public keys: what is taken, what is refused, and that no message repeats a key."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from captures import KeyPair
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import RecipientError
from appliance.evidence import parse_recipient, parse_recipients

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDgFkHCwVRpIlq33M2d/yN3CINXqpw8bwDSfeGHoSQAP"
"""A public key made for this file; its private half was thrown away."""


def ecdsa_line() -> str:
    """An ECDSA public key as ssh-keygen writes it."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def rsa_line(bits: int) -> str:
    """An RSA public key as ssh-keygen writes it."""
    public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def test_each_kind_is_taken(key_pairs: dict[str, KeyPair]) -> None:
    """age, ssh-ed25519 and ssh-rsa public keys become recipients of that kind."""
    found = {name: parse_recipient(pair.public).kind for name, pair in key_pairs.items()}

    assert {"age": "age", "ssh-ed25519": "ssh-ed25519", "ssh-rsa": "ssh-rsa"} == found


def test_the_comment_changes_nothing_and_is_not_kept() -> None:
    """A comment may be a name: it is neither in the recipient nor in how it shows itself."""
    plain, commented = parse_recipient(ED25519), parse_recipient(f"  {ED25519} Ada Lovelace \n")

    assert plain == commented
    assert "Ada" not in repr(commented)


def test_a_recipient_shows_no_key(key_pairs: dict[str, KeyPair]) -> None:
    """Only kind and fingerprint are shown, whatever is printed."""
    shown = repr(parse_recipients(pair.public for pair in key_pairs.values()))

    assert [] == [pair.public for pair in key_pairs.values() if pair.public.split()[-1] in shown]
    assert "AAAA" not in shown


@pytest.mark.debian(reason="openssh-client")
@pytest.mark.parametrize("kind", ["ssh-ed25519", "ssh-rsa"])
def test_the_fingerprint_is_what_ssh_keygen_prints(
    kind: str, key_pairs: dict[str, KeyPair], tmp_path: Path, program: Callable[[str], str]
) -> None:
    """An admin can compare the fingerprint in an event with the one of the key at hand."""
    public = tmp_path / "key.pub"
    public.write_text(key_pairs[kind].public)
    printed = subprocess.run(
        [program("ssh-keygen"), "-l", "-f", public], check=True, capture_output=True, text=True
    ).stdout

    assert printed.split()[1] == parse_recipient(key_pairs[kind].public).fingerprint


def test_the_same_key_twice_counts_once(key_pairs: dict[str, KeyPair]) -> None:
    """A key listed twice, with another comment, is one recipient; the order is kept."""
    given = [ED25519, key_pairs["age"].public, f"{ED25519} again"]

    assert ["ssh-ed25519", "age"] == [recipient.kind for recipient in parse_recipients(given)]


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("", "is empty", "ssh-keygen"),
        ("sk-ssh-ed25519@openssh.com AAAAGnNr", "security-key", "ssh-ed25519 key"),
        ("sk-ecdsa-sha2-nistp256@openssh.com AAAA", "security-key", "ssh-ed25519 key"),
        ("ecdsa-sha2-nistp384 AAAA", "ECDSA", "ssh-keygen -t ed25519"),
        ("ssh-dss AAAA", "DSA", "ssh-keygen -t ed25519"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificate", ".pub"),
        ("AAAAC3NzaC1lZDI1NTE5AAAAIE1w", "lacks its first word", "copy all of it"),
        ("restrict ssh-ed25519 AAAA", "is not a public key", "expected age1"),
        ("ssh-ed25519", "not a complete", "whole line"),
        (ED25519[:-6], "not a complete", "whole line"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa"), "not a complete", "whole line"),
        ("ssh-ed25519 !!!!", "not a complete", "whole line"),
        ("age1qqqq", "not a complete age", "copy it again"),
        ("age1yubikey1qwerty", "plug-in", "hardware"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key", ".pub"),
        ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU", "private key", ".pub"),
        ("age-secret-key-1qqqq", "age private key", "public key instead"),
        ("x" * 20_000, "too long", "ssh-keygen"),
    ],
)
def test_what_cannot_be_sealed_to_is_refused_with_a_way_out(line: str, message: str, hint: str) -> None:
    """Each refusal says what is wrong and what to do."""
    with pytest.raises(RecipientError) as refused:
        parse_recipient(line)

    assert message in refused.value.message
    assert hint in refused.value.hint


def test_a_real_ecdsa_key_is_refused() -> None:
    """What ssh-keygen -t ecdsa makes is named for what it is."""
    with pytest.raises(RecipientError, match="ECDSA"):
        parse_recipient(ecdsa_line())


def test_a_short_rsa_key_is_refused() -> None:
    """1024 bits can be broken by somebody with means; age refuses them as well."""
    with pytest.raises(RecipientError, match="1024 bits"):
        parse_recipient(rsa_line(1024))


def test_a_pasted_private_key_never_reaches_the_message() -> None:
    """Somebody who pastes the wrong half does not find it in a log."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )
    for secret in (private.decode(), str(pyrage.x25519.Identity.generate())):
        with pytest.raises(RecipientError) as refused:
            parse_recipient(secret)

        assert not re.search(r"[A-Za-z0-9+/]{30}", refused.value.message + refused.value.hint)


def test_the_message_counts_from_one(key_pairs: dict[str, KeyPair]) -> None:
    """With several recipients, the message says which one is wrong."""
    with pytest.raises(RecipientError, match="recipient 2"):
        parse_recipients([key_pairs["age"].public, "ssh-ed25519"])


@given(st.text(max_size=200))
def test_any_text_is_a_recipient_or_refused(text: str) -> None:
    """Nothing but our own error comes out, whatever is pasted, and its message is short."""
    try:
        said = repr(parse_recipient(text))
    except RecipientError as refused:
        said = refused.message

    assert len(said) < 120
