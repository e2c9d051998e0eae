"""The format read by a second program: what stands here calls nothing of ours, and follows `FORMAT.md` alone.

It opens every good vector and refuses every broken one; so do we. A third program may begin with it.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import ApplianceError
from appliance.store import SignedHead
from appliance.vault import KeyChange, KeyFile, PassphraseKey, Vault, verify_signature
from appliance.vault.device_key import KEY_FILE

VECTORS = Path(__file__).parents[2] / "data" / "vectors"
LABEL = b"office-door appliance, sealed value"
VALUES, FILES = (
    {path.stem: json.loads(path.read_text()) for path in sorted((VECTORS / folder).glob("*.json"))}
    for folder in ("vault", "device-key")
)
Vector = Mapping[str, Any]


class RefusedError(Exception):
    """The second program does not take it."""


# ---------------------------------------------------------------- the second program


def open_value(key: bytes, sealed: bytes, kind: int, subject: str, row: str) -> bytes:
    """A sealed value: `FORMAT.md`, Bytes and Associated data."""
    if len(sealed) < 30 or sealed[0] != 1 or sealed[1] != kind:
        raise RefusedError
    bound = LABEL + bytes([1, kind])
    for part in (subject.encode(), row.encode()):
        bound += len(part).to_bytes(4, "big") + part
    try:
        return AESGCM(key).decrypt(sealed[2:14], sealed[14:], bound)
    except InvalidTag:
        raise RefusedError from None


def fields(content: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    """A JSON object with exactly these fields, of these kinds."""
    said = json.loads(content)
    if said.keys() != kinds.keys() or not all(type(said[name]) is kind for name, kind in kinds.items()):
        raise RefusedError
    return dict(said)


def decoded(text: str) -> bytes:
    """Base64 that is nothing else."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise RefusedError from None


def key_file(vector: Vector) -> dict[str, str]:
    """`FORMAT.md`, The device key: the line."""
    found = re.fullmatch(r"office-door-device-key-1:([A-Za-z0-9_=-]+)\n", vector["content"])
    key = base64.urlsafe_b64decode(found[1]) if found else b""
    if len(key) != 32:
        raise RefusedError
    return {"key": key.hex()}


def passphrase(vector: Vector) -> dict[str, str]:
    """`FORMAT.md`, The device key: the passphrase."""
    numbers = dict.fromkeys(("format", "log2_n", "r", "p"), int)
    said = fields(vector["content"], {**numbers, **dict.fromkeys(("kdf", "salt", "wrapped"), str)})
    bounds = said["format"] == 1 and said["kdf"] == "scrypt"
    if not bounds or said["log2_n"] > 20 or said["r"] > 8 or said["p"] > 4:
        raise RefusedError
    wrapping = hashlib.scrypt(
        vector["passphrase"].encode(),
        salt=decoded(said["salt"]),
        n=1 << said["log2_n"],
        r=said["r"],
        p=said["p"],
        dklen=32,
        maxmem=1 << 30,
    )
    key = open_value(wrapping, decoded(said["wrapped"]), 4, "", "device.passphrase.json/wrapped")
    return {"key": key.hex()}


def rekey(vector: Vector) -> dict[str, str]:
    """`FORMAT.md`, Changing the device key."""
    said = fields(vector["content"], {"format": int, "to": str, "old": str, "new": str})
    if said["format"] != 1 or said["to"] not in {"file", "passphrase", "credential"}:
        raise RefusedError
    key = bytes.fromhex(vector["key"])
    try:
        return {
            "old": key.hex(),
            "new": open_value(key, decoded(said["new"]), 5, "", "rekey.json/new").hex(),
        }
    except RefusedError:
        old = open_value(key, decoded(said["old"]), 5, "", "rekey.json/old")
        return {"old": old.hex(), "new": key.hex()}


def signing_key(vector: Vector) -> dict[str, str]:
    """`FORMAT.md`, Rows in use: signing.key."""
    sealed = bytes.fromhex(vector["content"])
    seed = open_value(bytes.fromhex(vector["key"]), sealed, 3, "", "signing.key")
    return {"public_key": Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()}


def head(vector: Vector) -> dict[str, str]:
    """`store/CHAIN.md`, A signed head."""
    said = json.loads(vector["content"])
    covered = {name: said[name] for name in ("device", "position", "hash", "at")}
    plain = json.dumps(covered, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(vector["public_key"])).verify(
            bytes.fromhex(said["signature"]), b"office-door appliance, chain head v1\n" + plain.encode()
        )
    except InvalidSignature:
        raise RefusedError from None
    return {"public_key": said["public_key"]}


READ: Mapping[str, Callable[[Vector], dict[str, str]]] = {
    "key_file": key_file,
    "passphrase": passphrase,
    "rekey": rekey,
    "signing_key": signing_key,
    "head": head,
}

# ---------------------------------------------------------------- ours


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """A private file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def ours(vector: Vector, folder: Path) -> dict[str, str]:
    """The same by the appliance."""
    if vector["what"] == "key_file":
        return {"key": KeyFile(written(folder, "key", vector["content"])).load(create=False).hex()}
    if vector["what"] == "passphrase":
        path = written(folder, "p.json", vector["content"])
        return {"key": PassphraseKey(path, vector["passphrase"].encode()).load(create=False).hex()}
    if vector["what"] == "rekey":
        written(folder, "rekey.json", vector["content"])
        found = KeyChange.under_way(folder, bytes.fromhex(vector["key"]))
        return {"old": found.old.hex(), "new": found.new.hex()}
    if vector["what"] == "signing_key":
        KeyFile(folder / KEY_FILE).put(bytes.fromhex(vector["key"]))
        written(folder, "signing.key", bytes.fromhex(vector["content"]))
        return {"public_key": Vault(KeyFile(folder / KEY_FILE), folder).unlock().public_key.hex()}
    kept = SignedHead.parse(vector["content"])
    if not kept.holds(verify_signature):
        raise RefusedError
    return {"public_key": kept.public_key}


@pytest.mark.parametrize("name", FILES)
def test_a_vector_of_a_file_is_read_by_both_alike(name: str, tmp_path: Path) -> None:
    """A good one gives the same to both, a broken one is refused by both."""
    vector = FILES[name]
    if vector["expect"] == "refused":
        with pytest.raises(RefusedError):
            READ[vector["what"]](vector)
        with pytest.raises((ApplianceError, RefusedError)):
            ours(vector, tmp_path)
        return
    found = READ[vector["what"]](vector)

    assert found
    assert {each: vector[each] for each in found} == found
    assert found == ours(vector, tmp_path)


@pytest.mark.parametrize("name", VALUES)
def test_a_vector_of_a_value_is_read_by_the_second_program(name: str) -> None:
    """As by ours (`test_vault_vectors`)."""
    vector = VALUES[name]
    asked = (
        bytes.fromhex(vector["key"]),
        bytes.fromhex(vector["sealed"]),
        int(vector["kind"]),
        vector["subject"],
        vector["row"],
    )
    if vector["expect"] == "refused":
        with pytest.raises(RefusedError):
            open_value(*asked)
        return

    assert bytes.fromhex(vector["plaintext"]) == open_value(*asked)


def test_there_are_good_and_broken_vectors_of_every_file() -> None:
    """An empty or misspelt folder does not pass for a tested format."""
    kinds = {(vector["what"], vector["expect"]) for vector in FILES.values()}

    assert {(what, expect) for what in READ for expect in ("opens", "refused")} == kinds


def test_what_a_vault_writes_is_read_by_the_second_program(tmp_path: Path) -> None:
    """Fresh values of every kind, not the published ones alone."""
    vault = Vault(KeyFile(tmp_path / "device.key"), tmp_path).unlock(create=True)
    device = bytes.fromhex(key_file({"content": (tmp_path / "device.key").read_text()})["key"])
    wrapped = vault.new_subject_key("ann")
    key = open_value(device, wrapped, 2, "ann", "subjects/ann/wrapped_key")
    value = vault.seal(wrapped, "ann", b"Ann", row="subjects/ann/profile")
    public = signing_key({"content": (tmp_path / "signing.key").read_bytes().hex(), "key": device.hex()})

    assert b"Ann" == open_value(key, value, 1, "ann", "subjects/ann/profile")
    assert vault.public_key.hex() == public["public_key"]
