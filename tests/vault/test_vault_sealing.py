"""What is sealed opens in its own place for its own subject, and nowhere else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import VaultError
from appliance.vault import KeyFile, Vault, verify_signature

ANN, BEN = "0190a3f2-0000-7000-8000-00000000000a", "0190a3f2-0000-7000-8000-00000000000b"
ROW = "templates/1:sface/embedding"


@given(plaintext=st.binary(max_size=2000), subject=st.text(max_size=40), row=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_sealed_opens(vault: Vault, plaintext: bytes, subject: str, row: str) -> None:
    """Whatever the bytes, the subject and the row: out comes what went in."""
    key = vault.new_subject_key(subject)

    assert plaintext == vault.open(key, subject, vault.seal(key, subject, plaintext, row=row), row=row)


@given(where=st.integers(0, 10_000), flip=st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_changed_byte_is_found(vault: Vault, where: int, flip: int) -> None:
    """Wherever a byte is changed, the value does not open."""
    key = vault.new_subject_key(ANN)
    sealed = bytearray(vault.seal(key, ANN, b"secret", row=ROW))
    sealed[where % len(sealed)] ^= flip
    with pytest.raises(VaultError):
        vault.open(key, ANN, bytes(sealed), row=ROW)


@given(length=st.integers(0, 35))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_cut_short_is_found(vault: Vault, length: int) -> None:
    """However much of its end is missing."""
    key = vault.new_subject_key(ANN)
    sealed = vault.seal(key, ANN, b"secret", row=ROW)
    with pytest.raises(VaultError):
        vault.open(key, ANN, sealed[:length], row=ROW)


def test_a_value_moved_to_another_row_does_not_open(vault: Vault) -> None:
    """Somebody who can write the database cannot give one template another's row."""
    key = vault.new_subject_key(ANN)
    sealed = vault.seal(key, ANN, b"secret", row=ROW)
    with pytest.raises(VaultError, match="does not open"):
        vault.open(key, ANN, sealed, row="templates/2:sface/embedding")


def test_a_subject_s_key_opens_only_for_that_subject(vault: Vault) -> None:
    """A wrapped key copied to another person's row is refused."""
    key = vault.new_subject_key(ANN)
    sealed = vault.seal(key, ANN, b"secret", row=ROW)
    with pytest.raises(VaultError):
        vault.open(key, BEN, sealed, row=ROW)
    with pytest.raises(VaultError):
        vault.open(vault.new_subject_key(ANN), ANN, sealed, row=ROW)


def test_nothing_sealed_twice_is_alike(vault: Vault) -> None:
    """Two equal values do not show that they are equal."""
    key = vault.new_subject_key(ANN)
    once, again = (vault.seal(key, ANN, b"same", row=ROW) for _ in range(2))

    assert once != again


def test_a_device_value_opens_in_its_row_only(vault: Vault) -> None:
    """The device's own secrets are bound to their place, too."""
    sealed = vault.seal_device(b"mqtt password", row="secrets/mqtt/value")

    assert b"mqtt password" == vault.open_device(sealed, row="secrets/mqtt/value")
    with pytest.raises(VaultError):
        vault.open_device(sealed, row="secrets/s3/value")


def test_a_locked_vault_says_so(vault: Vault) -> None:
    """A process without the key gets our error for every use of it."""
    key = vault.new_subject_key(ANN)
    vault.lock()
    uses: tuple[Callable[[], bytes], ...] = (
        lambda: vault.new_subject_key(BEN),
        lambda: vault.seal(key, ANN, b"", row=ROW),
        lambda: vault.seal_device(b"", row=ROW),
        lambda: vault.sign(b""),
        lambda: vault.public_key,
    )
    for use in uses:
        with pytest.raises(VaultError, match="locked"):
            use()


def test_leaving_the_with_locks(vault: Vault) -> None:
    """The keys live as long as the block."""
    with vault as open_vault:
        assert open_vault.sign(b"")
    with pytest.raises(VaultError, match="locked"):
        vault.sign(b"")


def test_a_signature_holds_for_its_data_and_key(vault: Vault, tmp_path: Path) -> None:
    """It verifies, for these bytes and this box only; nonsense is False, not an exception."""
    signature = vault.sign(b"head")
    other = Vault(KeyFile(tmp_path / "b.key"), tmp_path / "other")
    (tmp_path / "other").mkdir()
    other.unlock(create=True)

    assert 64 == len(signature)
    assert verify_signature(vault.public_key, b"head", signature)
    assert not verify_signature(vault.public_key, b"tail", signature)
    assert not verify_signature(other.public_key, b"head", signature)
    assert not verify_signature(b"short", b"head", signature)
    assert not verify_signature(vault.public_key, b"head", b"short")


def test_the_signing_key_survives_a_restart(vault: Vault, tmp_path: Path) -> None:
    """Heads signed before and after a restart carry one public key, and equal signatures."""
    later = Vault(KeyFile(tmp_path / "device.key"), tmp_path).unlock()

    assert (vault.public_key, vault.sign(b"x")) == (later.public_key, later.sign(b"x"))


def test_two_first_boots_at_once_agree(tmp_path: Path) -> None:
    """However many processes start first, there is one device key and one signing key."""
    vaults = [Vault(KeyFile(tmp_path / "device.key"), tmp_path) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        keys = {vault.public_key for vault in pool.map(lambda v: v.unlock(create=True), vaults)}

    assert 1 == len(keys)
    assert ["device.key", "signing.key"] == sorted(p.name for p in tmp_path.iterdir())


def test_exists_tells_a_first_boot(tmp_path: Path) -> None:
    """No key, no signing key: a first boot. Either of them: not."""
    fresh = Vault(KeyFile(tmp_path / "device.key"), tmp_path)

    assert not fresh.exists()
    fresh.unlock(create=True)
    assert fresh.exists()
    (tmp_path / "device.key").unlink()
    assert fresh.exists()


def test_a_vault_shows_no_key(vault: Vault) -> None:
    """Printing a vault or its parts into a log gives nothing away."""
    shown = f"{vault!r} {vault._source!r} {vault._signing!r}"

    assert "office-door-device-key" not in shown
    assert [] == [key for key in vault._keys if repr(key) in shown]
