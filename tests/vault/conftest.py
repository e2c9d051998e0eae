"""Fixtures of the vault's tests: a vault on a fresh state directory."""

from pathlib import Path

import pytest

from appliance.vault import KeyFile, Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault at its first boot, unlocked, its key in a file."""
    return Vault(KeyFile(tmp_path / "device.key"), tmp_path).unlock(create=True)
