"""Sealed captures at the desk, and to whom is sealed."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from captures import NOW, like_sealed, ssh_pair
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.app.adoption import adopt_captures
from appliance.app.desk.applying import Applying, source_of
from appliance.app.desk.captures import Captures
from appliance.app.desk.operations import Desk
from appliance.app.desk.recipients import Recipients
from appliance.clock import SystemClock
from appliance.errors import DeniedError, EvidenceError, FormError
from appliance.events import CaptureRemoved, StrangerCaptured
from appliance.evidence import Spool, parse_recipient
from appliance.permissions import GRANTED, Caller, Role
from appliance.services import Services
from appliance.settings import EvidenceSettings, Settings, load

CALLERS = {
    "ada": Caller("operator", "ada", Role.ADMIN, GRANTED[Role.ADMIN], "ada", "s"),
    "vera": Caller("operator", "vera", Role.VIEWER, GRANTED[Role.VIEWER], "vera", "s"),
}
ED25519 = ssh_pair(ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def desk(services: Services) -> Desk:
    """Captures and recipients, asked by an admin or a viewer."""
    source = source_of(services)
    operations = [
        *Captures(services, Settings()).operations(),
        *Recipients(source, Applying(services, source)).operations(),
    ]
    return Desk(CALLERS.get, operations, services.store.acting)


def ask(desk: Desk, operation: str, **arguments: Any) -> Any:
    """What an operation answers an admin."""
    return desk.ask(operation, arguments, credential="ada").result


def keep(services: Services, number: int, *, logged: bool = True) -> str:
    """Put something sealed into the spool, as many days after the first one as it has a number."""
    at = NOW + timedelta(days=number)
    capture, folder = services.ids(at), services.layout.spool
    folder.mkdir(mode=0o700, exist_ok=True)
    sealed = like_sealed(number)
    file = folder / f"{capture}.age"
    file.write_bytes(sealed)
    os.utime(file, (at.timestamp(), at.timestamp()))
    if logged:
        services.store.append(
            StrangerCaptured(
                encounter=f"e{number}",
                capture=capture,
                file=file.name,
                sha256="0" * 64,
                size_bytes=len(sealed),
                frames=2,
                recipients=("SHA256:abc",),
                expires_at=at + timedelta(days=30),
                door="main",
            )
        )
    return capture


def test_recipients_added_at_once_are_all_there(desk: Desk, services: Services) -> None:
    """Whoever sets a box up may have two pages open: no key is lost to another that is added meanwhile."""
    keys = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(8)]
    together = threading.Barrier(len(keys))

    def add(key: str) -> str:
        together.wait()
        return str(ask(desk, "recipients.add", key=key)["fingerprint"])

    with ThreadPoolExecutor(len(keys)) as pool:
        added = list(pool.map(add, keys))
    listed = {each["fingerprint"] for each in ask(desk, "recipients.list")}
    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(lambda each: ask(desk, "recipients.remove", fingerprint=each), added[:4]))

    assert set(added) == listed
    assert keys[4:] == sorted(recipients(services), key=keys.index)


def test_before_the_first_run_there_is_none(desk: Desk) -> None:
    """No folder is no fault."""
    assert {"captures": [], "next": None, "count": 0, "size_bytes": 0, "most_mib": 1024} == ask(
        desk, "captures.list"
    )


def test_each_is_told_from_outside(desk: Desk, services: Services) -> None:
    """Size, when, until when, to whom, where: what the log says. Never what is in it."""
    capture = keep(services, 1)
    (row,) = ask(desk, "captures.list")["captures"]

    assert {
        "capture": capture,
        "size_bytes": len(like_sealed(3)),
        "sealed_at": (NOW + timedelta(days=1)).isoformat(),
        "expires_at": (NOW + timedelta(days=31)).isoformat(),
        "recipients": ["SHA256:abc"],
        "frames": 2,
        "door": "main",
        "camera": None,
        "adopted": False,
        "event": services.store.events()[-1].id,
        "encounter": "e1",
    } == row


def test_one_without_its_event_is_listed_all_the_same(desk: Desk, services: Services) -> None:
    """A crash came in between: it expires by its file's date; adopted at start-up, it says so."""
    capture = keep(services, 2, logged=False)
    (row,) = ask(desk, "captures.list")["captures"]
    adopt_captures(services.store, Spool(services.layout.spool, EvidenceSettings(), SystemClock(), _no_jpeg))
    (adopted,) = ask(desk, "captures.list")["captures"]

    assert (capture, None, [], (NOW + timedelta(days=32)).isoformat()) == (
        row["capture"],
        row["event"],
        row["recipients"],
        row["expires_at"],
    )
    assert adopted["adopted"]


def _no_jpeg(picture: object, quality: int) -> bytes:
    """Nothing is encoded where captures are only looked after."""
    raise AssertionError((picture, quality))


def test_pages_go_on_where_they_ended_even_if_that_one_went(desk: Desk, services: Services) -> None:
    """The newest first; removed between two pages, the last one leaves no gap and no repetition."""
    made = [keep(services, number) for number in range(5)]
    first = ask(desk, "captures.list", limit=2)
    (services.layout.spool / f"{made[3]}.age").unlink()
    rest = ask(desk, "captures.list", limit=2, before=first["next"])
    last = ask(desk, "captures.list", limit=2, before=rest["next"])

    assert [made[4], made[3]] == [row["capture"] for row in first["captures"]]
    assert [made[2], made[1]] == [row["capture"] for row in rest["captures"]]
    assert ([made[0]], None) == ([row["capture"] for row in last["captures"]], last["next"])


def test_what_is_handed_out_is_what_lies_there(desk: Desk, services: Services) -> None:
    """To the last byte; under a name that says nothing."""
    capture = keep(services, 1)
    answer = desk.ask("captures.read", {"capture": capture}, credential="ada")

    assert like_sealed(1) == answer.blob
    assert f"{capture}.age" == answer.result["file"]
    for wrong in ("../device", "x", services.ids(NOW)):
        with pytest.raises(EvidenceError):
            ask(desk, "captures.read", capture=wrong)


def test_removing_is_for_good_and_on_record(desk: Desk, services: Services) -> None:
    """The file is gone, the log says by whom; a second time there is nothing to remove, nor to log."""
    capture = keep(services, 1)
    ask(desk, "captures.remove", capture=capture)
    with pytest.raises(EvidenceError):
        ask(desk, "captures.remove", capture=capture)

    assert [] == list(services.layout.spool.glob("*.age"))
    assert CaptureRemoved(capture=capture, reason="by_admin", by="ada") == services.store.events()[-1].event
    assert [] == ask(desk, "captures.list")["captures"]


def test_a_viewer_sees_none_of_it(desk: Desk) -> None:
    """Not even to whom is sealed."""
    for operation in ("captures.list", "captures.read", "captures.remove", "recipients.list"):
        with pytest.raises(DeniedError):
            desk.ask(operation, {"capture": "x"}, credential="vera")


def recipients(services: Services) -> tuple[str, ...]:
    """What the settings say now."""
    overlay = services.layout.overlay_file
    return load(Path("/dev/null"), overlay).evidence.recipients if overlay.exists() else ()


def test_a_key_is_added_by_its_public_half(desk: Desk, services: Services) -> None:
    """Without the comment, which may be a name; the settings keep the rest, told by its fingerprint."""
    identity = pyrage.x25519.Identity.generate()
    added = ask(desk, "recipients.add", key=f"  {ED25519.public}\n")
    ask(desk, "recipients.add", key=str(identity.to_public()))
    listed = ask(desk, "recipients.list")

    assert parse_recipient(ED25519.public).fingerprint == added["fingerprint"]
    assert ["ssh-ed25519", "age"] == [each["kind"] for each in listed]
    assert (ED25519.public.rpartition(" ")[0], str(identity.to_public())) == recipients(services)
    assert ["loop"] == [*added["saved"]["restarting"], *added["saved"]["pending"]]


def ecdsa() -> str:
    """A key that age cannot seal to."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    ("key", "words", "hint"),
    [
        (ecdsa(), "ECDSA", "ssh-keygen -t ed25519"),
        ("sk-ssh-ed25519@openssh.com AAAAGnNr", "security-key", "hardware token"),
        (str(pyrage.x25519.Identity.generate()), "private key", "public key instead"),
        (ED25519.private.decode(), "private key", ".pub file"),
        ("", "empty", "ssh-keygen"),
        ("hello", "not a public key", "age1"),
        (ED25519.public[:40], "not a complete", "whole line"),
    ],
    ids=["ecdsa", "hardware", "age-private", "ssh-private", "empty", "no-key", "cut-off"],
)
def test_what_is_no_key_to_seal_to_is_refused(
    desk: Desk, services: Services, key: str, words: str, hint: str
) -> None:
    """At its field, with what would do; nothing of what was pasted is repeated, and nothing is kept."""
    for operation in ("recipients.check", "recipients.add"):
        with pytest.raises(FormError, match=words) as caught:
            ask(desk, operation, key=key)

        assert ["key"] == list(caught.value.fields)
        assert hint in caught.value.hint
        assert len(key) < 8 or key[8:] not in f"{caught.value.message}{caught.value.hint}"
    assert () == recipients(services)


def test_the_same_key_twice_and_removal(desk: Desk, services: Services) -> None:
    """One recipient, whatever its comment; removed by its fingerprint."""
    added = ask(desk, "recipients.add", key=ED25519.public)
    with pytest.raises(FormError, match="already"):
        ask(desk, "recipients.add", key=f"{ED25519.public.rpartition(' ')[0]} another@comment")
    with pytest.raises(FormError, match="no such"):
        ask(desk, "recipients.remove", fingerprint="SHA256:nobody")

    assert 0 == ask(desk, "recipients.remove", fingerprint=added["fingerprint"])["left"]
    assert () == recipients(services)
    assert [("evidence.recipients",)] * 2 == [
        each.event.keys  # type: ignore[union-attr]
        for each in services.store.events(types=("settings_changed",))
    ]
