"""What the store needs of a seal: kept by the vault, and by the toy that stands in for it."""

from pathlib import Path

import pytest
from seals import ToySeal

from appliance.errors import VaultError
from appliance.store import Seal
from appliance.vault import KeyFile, Vault

ANN, BEN, ROW = "ann", "ben", "templates/1:sface/embedding"


@pytest.fixture(params=["vault", "toy"])
def seal(request: pytest.FixtureRequest, tmp_path: Path) -> Seal:
    """One, then the other."""
    kinds: dict[str, Seal] = {
        "vault": Vault(KeyFile(tmp_path / "device.key"), tmp_path).unlock(create=True),
        "toy": ToySeal(),
    }
    return kinds[request.param]


@pytest.mark.parametrize("plaintext", [b"", b"x", bytes(range(256)) * 2])
def test_what_is_sealed_opens(seal: Seal, plaintext: bytes) -> None:
    """And does not show."""
    key = seal.new_subject_key(ANN)
    sealed = seal.seal(key, ANN, plaintext, row=ROW)

    assert plaintext == seal.open(key, ANN, sealed, row=ROW)
    assert len(plaintext) < 2 or plaintext not in sealed


def test_a_value_is_bound_to_its_row_and_subject(seal: Seal) -> None:
    """Another row, another subject, another key, a changed byte: none of them opens."""
    key = seal.new_subject_key(ANN)
    sealed = seal.seal(key, ANN, b"secret", row=ROW)
    for attempt in (
        (key, ANN, sealed, "templates/2:sface/embedding"),
        (key, BEN, sealed, ROW),
        (seal.new_subject_key(BEN), BEN, sealed, ROW),
        (seal.new_subject_key(ANN), ANN, sealed, ROW),
        (key, ANN, sealed[:-1] + bytes([sealed[-1] ^ 1]), ROW),
        (key[:-1] + bytes([key[-1] ^ 1]), ANN, sealed, ROW),
    ):
        with pytest.raises(VaultError):
            seal.open(attempt[0], attempt[1], attempt[2], row=attempt[3])


def test_a_signature_is_checked_with_the_public_key(seal: Seal) -> None:
    """The same data gives the same signature, which holds for nothing else."""
    signature = seal.sign(b"head")

    assert (32, 64) == (len(seal.public_key), len(signature))
    assert signature == seal.sign(b"head")
    assert seal.verify_signature(seal.public_key, b"head", signature)
    assert not seal.verify_signature(seal.public_key, b"tail", signature)
    assert not seal.verify_signature(bytes(32), b"head", signature)
