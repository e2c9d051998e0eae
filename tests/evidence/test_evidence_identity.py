"""Private keys: read from the files admins have, refused in words."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from captures import KeyPair, ssh_pair
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import IdentityError
from appliance.evidence import (
    Identity,
    load_identities,
    make_identity,
    parse_identities,
    parse_recipient,
    seal,
)

PASSPHRASE = "correct horse"  # noqa: S105 - protects keys that live as long as a test


@pytest.fixture(scope="module")
def protected_age(key_pairs: dict[str, KeyPair]) -> bytes:
    """An age key with a passphrase, made once: its key derivation takes a second on purpose."""
    protected: bytes = pyrage.passphrase.encrypt(key_pairs["age"].private, PASSPHRASE)
    return protected


def opens(identity: Identity, public: str) -> bool:
    """Whether the identity opens what is sealed to the public key."""
    return b"hello" == pyrage.decrypt(seal(b"hello", [parse_recipient(public)]), [identity.key])


def never(name: str) -> str:
    """A passphrase prompt that must not come."""
    raise AssertionError(f"asked for the passphrase of {name}")


def test_a_key_file_opens_what_was_sealed_to_it(key_pair: KeyPair, tmp_path: Path) -> None:
    """Each kind, from its file, without a question when it has no passphrase."""
    path = tmp_path / "key"
    path.write_bytes(key_pair.private)

    (identity,) = load_identities(path, never)

    assert opens(identity, key_pair.public)


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_passphrase_is_asked_for_and_used(kind: str) -> None:
    """A protected SSH key opens with its passphrase; the question names the file."""
    private = (
        ed25519.Ed25519PrivateKey.generate()
        if kind == "ed25519"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    pair = ssh_pair(private, PASSPHRASE.encode())
    asked: list[str] = []

    (identity,) = parse_identities(
        pair.private, where="id_key", ask=lambda name: asked.append(name) or PASSPHRASE
    )

    assert ["id_key"] == asked
    assert opens(identity, pair.public)


def test_a_pem_key_with_a_passphrase_opens() -> None:
    """Keys from before OpenSSH's own format are still about."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(PASSPHRASE.encode())
    )
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    (identity,) = parse_identities(pem, where="id_rsa", ask=lambda _: PASSPHRASE)

    assert opens(identity, public)


def test_an_age_key_with_a_passphrase_opens(protected_age: bytes, key_pairs: dict[str, KeyPair]) -> None:
    """`age-keygen | age -p` makes such a file."""
    (identity,) = parse_identities(protected_age, where="key.age", ask=lambda _: PASSPHRASE)

    assert opens(identity, key_pairs["age"].public)


def test_an_age_file_may_hold_several_keys() -> None:
    """Comments and empty lines between them are fine."""
    keys = [pyrage.x25519.Identity.generate() for _ in range(3)]
    text = "# first\n\n" + "\n# next\n".join(map(str, keys)) + "\n"

    assert 3 == len(parse_identities(text.encode(), where="keys.txt"))


def test_a_wrong_passphrase_is_told(protected_age: bytes) -> None:
    """SSH and age alike, in words that name the file and not the passphrase."""
    ssh = ssh_pair(ed25519.Ed25519PrivateKey.generate(), PASSPHRASE.encode()).private
    for protected in (ssh, protected_age):
        with pytest.raises(IdentityError, match="wrong passphrase") as refused:
            parse_identities(protected, where="key", ask=lambda _: "battery staple")

        assert "staple" not in refused.value.message + refused.value.hint


def test_without_a_terminal_a_protected_key_is_refused(protected_age: bytes) -> None:
    """Nobody to ask: the message says that there is a passphrase."""
    ssh = ssh_pair(ed25519.Ed25519PrivateKey.generate(), b"x").private
    for protected in (ssh, protected_age):
        with pytest.raises(IdentityError, match="passphrase"):
            parse_identities(protected, where="key")


def ecdsa_private() -> bytes:
    """An ECDSA private key as ssh-keygen writes it."""
    private = ec.generate_private_key(ec.SECP256R1())
    return private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no private key"),
        (b"# only a comment\n", "holds no private key"),
        (b"ssh-ed25519 AAAA me@desk", "public key"),
        (b"age1qqqq", "public key"),
        (b"AGE-PLUGIN-YUBIKEY-1QQQ", "plug-in"),
        (b"AGE-SECRET-KEY-1QQQQ", "line 1: the age private key is damaged"),
        (b"# x\nhello", "line 2: not an age private key"),
        (b"\xff\xfe\x00", "not a private key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "does not open"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "does not open"),
        (ecdsa_private(), "not an Ed25519 or RSA key"),
        (b"x" * 1_100_000, "too large"),
    ],
)
def test_what_is_no_private_key_is_refused_in_words(content: bytes, message: str) -> None:
    """Each mistake is named, with the file."""
    with pytest.raises(IdentityError, match=message) as refused:
        parse_identities(content, where="key.txt")

    assert refused.value.message.startswith("key.txt")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The path is named and what to do."""
    with pytest.raises(IdentityError, match="No such file") as refused:
        load_identities(tmp_path / "absent")

    assert "--identity" in refused.value.hint


def test_an_identity_never_shows_its_key(key_pair: KeyPair) -> None:
    """Printing it shows the file only."""
    (identity,) = parse_identities(key_pair.private, where="key.txt")

    assert "Identity(where='key.txt')" == repr(identity)


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", b"-----BEGIN "])
)
def test_any_bytes_are_a_key_or_refused(tail: bytes, head: bytes) -> None:
    """Nothing but our own error comes out."""
    with pytest.raises(IdentityError):
        parse_identities(head + tail, where="key")


@pytest.mark.debian(reason="openssh-client")
def test_keys_that_ssh_keygen_makes_are_read(tmp_path: Path, program: Callable[[str], str]) -> None:
    """The real program's file, with a passphrase."""
    path = tmp_path / "id_ed25519"
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", path, "-C", "admin"],
        check=True,
    )

    (identity,) = load_identities(path, lambda _: PASSPHRASE)

    assert opens(identity, path.with_suffix(".pub").read_text())


def test_a_new_key_opens_what_is_sealed_to_its_public_half(tmp_path: Path) -> None:
    """The file is the owner's alone, and what is returned is a recipient."""
    path = tmp_path / "new" / "identity.txt"
    public = make_identity(path)

    assert 0o600 == path.stat().st_mode & 0o777
    assert opens(load_identities(path)[0], public)


def test_a_new_key_is_never_written_over_another(tmp_path: Path) -> None:
    """Captures sealed to the old one would stay shut for ever."""
    path = tmp_path / "identity.txt"
    make_identity(path)
    before = path.read_bytes()

    with pytest.raises(IdentityError, match="exists already"):
        make_identity(path)
    assert before == path.read_bytes()


def test_a_place_for_a_new_key_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file where the folder should be: our error."""
    (tmp_path / "file").write_text("")

    with pytest.raises(IdentityError, match="cannot be written"):
        make_identity(tmp_path / "file" / "identity.txt")
