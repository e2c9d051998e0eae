"""The import contracts themselves: every library's contract names every module but its rooms."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
    "contracts"
]
LIBRARIES = {
    contract["forbidden_modules"][0]: contract
    for contract in CONTRACTS
    if contract["type"] == "forbidden" and " only in " in contract["name"]
}


def modules() -> set[str]:
    """Every room and foundation of the appliance, and the packages beside it."""
    inside = (ROOT / "appliance").iterdir()
    rooms = {
        f"appliance.{path.stem}"
        for path in inside
        if not path.stem.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    return rooms | {"enroll", "migrations", "web"}


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_a_librarys_contract_names_everybody_but_its_rooms(library: str) -> None:
    """A new module is under every contract from its first line on."""
    contract = LIBRARIES[library]
    rooms = contract["name"].partition(" only in ")[2].split(" and ")
    owners = {room if room in {"enroll", "migrations", "web"} else f"appliance.{room}" for room in rooms}

    assert modules() - owners == set(contract["source_modules"])


def test_the_libraries_of_the_rooms_are_under_contract() -> None:
    """What one room exists for is not used elsewhere."""
    assert {"cv2", "dlib", "onnxruntime", "av", "sqlalchemy", "cryptography", "pyrage"} <= set(LIBRARIES)
