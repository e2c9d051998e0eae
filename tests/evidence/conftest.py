"""Fixtures of the evidence room: keys made for the test, a spool on a fresh folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from captures import NOW, KeyPair, jpeg, ssh_pair
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from appliance.clock import ManualClock
from appliance.evidence import Spool
from appliance.ids import seeded_ids
from appliance.settings import EvidenceSettings

KeyPairs = dict[str, KeyPair]


@pytest.fixture(scope="session")
def key_pairs() -> dict[str, KeyPair]:
    """One key pair of each kind that captures are sealed to."""
    age = pyrage.x25519.Identity.generate()
    return {
        "age": KeyPair(str(age.to_public()), f"# made for a test\n{age}\n".encode()),
        "ssh-ed25519": ssh_pair(ed25519.Ed25519PrivateKey.generate()),
        "ssh-rsa": ssh_pair(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    }


@pytest.fixture(params=["age", "ssh-ed25519", "ssh-rsa"])
def key_pair(request: pytest.FixtureRequest, key_pairs: dict[str, KeyPair]) -> KeyPair:
    """Each kind of key pair in turn."""
    return key_pairs[request.param]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at nine in the morning."""
    return ManualClock(NOW)


@pytest.fixture
def make_spool(tmp_path: Path, clock: ManualClock, key_pairs: dict[str, KeyPair]) -> Callable[..., Spool]:
    """Open a spool on a fresh folder, sealing to an age key; settings may be given."""

    def make(folder: Path = tmp_path / "spool", *, free_bytes: int = 1 << 40, **settings: object) -> Spool:
        given = {"recipients": (key_pairs["age"].public,), **settings}
        return Spool(
            folder,
            EvidenceSettings.model_validate(given),
            clock,
            jpeg,
            ids=seeded_ids(1),
            free=lambda _: free_bytes,
        ).open()

    return make


@pytest.fixture
def program() -> Callable[[str], str]:
    """Find a program from a Debian package; without it the test is skipped."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"needs the program {name}")
        return found

    return find
