"""The published vectors of the format, good and broken, each with its expected outcome."""

import json
from pathlib import Path

import pytest

from appliance.errors import VaultError
from appliance.vault.sealing import Kind, open_sealed

FOLDER = Path(__file__).parents[2] / "data" / "vectors" / "vault"
VECTORS = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
OPENS = [vector for vector in VECTORS if vector["expect"] == "opens"]
REFUSED = [vector for vector in VECTORS if vector["expect"] == "refused"]


def test_there_are_vectors_of_both_outcomes() -> None:
    """An empty or misspelt folder does not pass for a tested format."""
    assert len(VECTORS) == len(OPENS) + len(REFUSED)
    assert OPENS
    assert REFUSED


@pytest.mark.parametrize("vector", OPENS, ids=lambda v: v["name"])
def test_a_good_vector_opens(vector: dict[str, str]) -> None:
    """The plaintext is that of the vector."""
    opened = open_sealed(
        bytes.fromhex(vector["key"]),
        bytes.fromhex(vector["sealed"]),
        kind=Kind(int(vector["kind"])),
        subject=vector["subject"],
        row=vector["row"],
    )

    assert bytes.fromhex(vector["plaintext"]) == opened


@pytest.mark.parametrize("vector", REFUSED, ids=lambda v: v["name"])
def test_a_broken_vector_is_refused(vector: dict[str, str]) -> None:
    """It is refused for the reason that the vector names."""
    with pytest.raises(VaultError, match=vector["reason"]):
        open_sealed(
            bytes.fromhex(vector["key"]),
            bytes.fromhex(vector["sealed"]),
            kind=Kind(int(vector["kind"])),
            subject=vector["subject"],
            row=vector["row"],
        )
