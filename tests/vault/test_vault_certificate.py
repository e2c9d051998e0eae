"""The self-signed certificate of the admin pages: who it is for, for how long, and who may read its key."""

import hashlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.errors import VaultError
from appliance.vault.certificate import (
    LASTS,
    RENEWED,
    Certificate,
    ensure_certificate,
    machine_names,
    read_certificate,
)

NOW = datetime.now(UTC).replace(microsecond=0)


def made(folder: Path, *names: str, now: datetime = NOW) -> Certificate:
    """The certificate of a folder."""
    return ensure_certificate(folder / "c.pem", folder / "k.pem", names, now)


def test_a_certificate_is_for_the_machine_and_for_what_was_named(tmp_path: Path) -> None:
    """Names and addresses stand in it as what they are, so that a browser finds its own among them."""
    found = made(tmp_path, "door.example", "192.168.7.9")

    assert {"door.example", "192.168.7.9", "localhost", "127.0.0.1", "::1"} <= found.names
    assert machine_names() <= found.names
    assert NOW + LASTS - timedelta(days=1) == found.expires_at


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("Door.Example", "door.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("door_1.example", "door_1.example"),
    ],
)
def test_however_a_name_is_written_it_stays_the_same(tmp_path: Path, named: str, written: str) -> None:
    """Nobody compares a fingerprint anew at each start because of a capital or an umlaut."""
    before = made(tmp_path, named)

    assert written in before.names
    assert before == made(tmp_path, named, now=NOW + timedelta(days=1))


def test_what_is_no_name_of_the_network_makes_no_new_certificate(tmp_path: Path) -> None:
    """It is left out, at every start alike."""
    nothing = "ü" * 70

    assert made(tmp_path, nothing) == made(tmp_path, nothing, now=NOW + timedelta(days=1))


def test_its_key_is_private(tmp_path: Path) -> None:
    """Nobody else on the box may read it."""
    made(tmp_path)

    assert 0o600 == (tmp_path / "k.pem").stat().st_mode & 0o777


def test_it_stays_the_same(tmp_path: Path) -> None:
    """A start later, it is the one whose fingerprint the admin compared."""
    assert made(tmp_path, "door.example") == made(tmp_path, "door.example", now=NOW + timedelta(days=300))


@pytest.mark.parametrize(
    ("names", "later"), [((), LASTS - RENEWED), (("new.example",), timedelta(days=1))], ids=["ends", "name"]
)
def test_it_is_made_anew_when_it_must(tmp_path: Path, names: tuple[str, ...], later: timedelta) -> None:
    """Before it ends, and for a name that it is not for."""
    before = made(tmp_path)
    after = made(tmp_path, *names, now=NOW + later)

    assert before.fingerprint != after.fingerprint
    assert {*names} <= after.names


def test_a_certificate_without_its_key_is_made_anew(tmp_path: Path) -> None:
    """A run broken off between the two files leaves nothing that does not fit."""
    before = made(tmp_path)
    key = (tmp_path / "k.pem").read_bytes()
    (tmp_path / "c.pem").unlink()
    made(tmp_path)
    (tmp_path / "k.pem").write_bytes(key)

    assert before.fingerprint != made(tmp_path).fingerprint


def test_damage_is_mended(tmp_path: Path) -> None:
    """There is nothing in the files that could be lost."""
    made(tmp_path)
    (tmp_path / "c.pem").write_text("nonsense")

    assert made(tmp_path) == read_certificate(tmp_path / "c.pem")


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    """It is said, not mended: who knows who read it."""
    made(tmp_path)
    (tmp_path / "k.pem").chmod(0o644)

    with pytest.raises(VaultError, match="open to other accounts"):
        made(tmp_path)


@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_what_is_no_certificate_is_said(tmp_path: Path, content: bytes | None) -> None:
    """Naming the file."""
    if content is not None:
        (tmp_path / "c.pem").write_bytes(content)

    with pytest.raises(VaultError, match=r"c\.pem"):
        read_certificate(tmp_path / "c.pem")


def test_a_client_that_trusts_it_connects(tmp_path: Path) -> None:
    """The certificate is one that TLS takes, for the names that stand in it and for no other."""
    found = made(tmp_path, "door.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    client = ssl.create_default_context(cafile=tmp_path / "c.pem")
    near, far = socket.socketpair()

    def answer() -> None:
        with server.wrap_socket(far, server_side=True) as connection:
            connection.recv(1)

    thread = threading.Thread(target=answer)
    thread.start()
    with client.wrap_socket(near, server_hostname="door.example") as connection:
        seen = connection.getpeercert(binary_form=True)
        connection.send(b"x")
    thread.join()

    assert seen is not None
    assert found.fingerprint.replace(":", "") == hashlib.sha256(seen).hexdigest().upper()
