"""Where the device key comes from: made once, guarded, and never silently replaced."""

import stat
from pathlib import Path

import pytest

from appliance.errors import VaultError
from appliance.settings import VaultSettings
from appliance.vault import CredentialKey, KeyFile, KeySource, PassphraseKey, Vault, key_source, new_key_line

CHEAP = 10
"""scrypt's cost in tests: 1 MiB."""


def sources(folder: Path) -> list[KeySource]:
    """One of each kind, the credential as systemd would have put it there."""
    (folder / "credential").write_text(new_key_line())
    return [
        KeyFile(folder / "device.key"),
        PassphraseKey(folder / "device.passphrase.json", b"three blind mice", log2_n=CHEAP),
        CredentialKey(folder / "credential"),
    ]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["file", "passphrase", "credential"])
def test_a_key_is_made_once_and_stays(tmp_path: Path, which: int) -> None:
    """Every later boot, and a first boot said twice, gives the same 32 bytes."""
    source = sources(tmp_path)[which]
    first = source.load(create=True)

    assert 32 == len(first)
    assert [first, first] == [source.load(create=False), source.load(create=True)]
    assert source.exists()


@pytest.mark.parametrize("which", [0, 1], ids=["file", "passphrase"])
def test_a_missing_key_is_said_not_made(tmp_path: Path, which: int) -> None:
    """Without `create` nothing is written, and the message tells what to do."""
    source = sources(tmp_path)[which]
    with pytest.raises(VaultError, match="missing") as caught:
        source.load(create=False)

    assert "backup" in caught.value.hint
    assert not source.exists()


def test_a_missing_credential_is_never_made(tmp_path: Path) -> None:
    """Making one is systemd-creds' business; `create` does not change that."""
    with pytest.raises(VaultError, match="no credential"):
        CredentialKey(tmp_path / "device.key").load(create=True)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("which", [0, 1], ids=["device.key", "device.passphrase.json"])
def test_key_files_are_private(tmp_path: Path, which: int) -> None:
    """A key file is born 0600 and nothing temporary stays beside it."""
    sources(tmp_path)[which].load(create=True)
    made = [path for path in tmp_path.iterdir() if path.name != "credential"]

    assert [0o600] == [stat.S_IMODE(path.stat().st_mode) for path in made]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o644])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that others may read or write is no secret; the hint is the command that mends it."""
    path = tmp_path / "device.key"
    KeyFile(path).load(create=True)
    path.chmod(mode)
    with pytest.raises(VaultError, match="open to other accounts") as caught:
        KeyFile(path).load(create=False)

    assert f"chmod 600 {path}" == caught.value.hint


def test_a_credential_with_an_access_list_is_taken(tmp_path: Path) -> None:
    """An access list shows as group bits (0440); that is no fault."""
    path = tmp_path / "device.key"
    path.write_text(new_key_line())
    path.chmod(0o440)

    assert 32 == len(CredentialKey(path).load(create=False))


@pytest.mark.parametrize(
    "content", ["", "hello", "office-door-device-key-1:abc", "office-door-device-key-2:" + "A" * 43 + "="]
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    """Neither a stray file nor a key of another format is used, nor shown in the message."""
    path = tmp_path / "device.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(VaultError, match="is not a device key"):
        KeyFile(path).load(create=True)

    assert content == path.read_text()


def test_a_wrong_passphrase_is_refused(tmp_path: Path) -> None:
    """It says so in plain words, without repeating the passphrase."""
    path = tmp_path / "device.passphrase.json"
    PassphraseKey(path, b"three blind mice", log2_n=CHEAP).load(create=True)
    with pytest.raises(VaultError, match="the passphrase does not open the device key") as caught:
        PassphraseKey(path, b"four blind mice").load(create=False)

    assert "mice" not in f"{caught.value} {caught.value.hint}"


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    """An empty variable is a mistake in the unit, not a passphrase."""
    path = tmp_path / "device.passphrase.json"
    with pytest.raises(VaultError, match="empty"):
        PassphraseKey(path, b"").load(create=True)

    assert not path.exists()


def test_a_passphrase_can_be_changed(tmp_path: Path) -> None:
    """The key stays, so nothing is sealed again; the old passphrase opens nothing any more."""
    path = tmp_path / "device.passphrase.json"
    source = PassphraseKey(path, b"old", log2_n=CHEAP)
    key = source.load(create=True)
    source.change(b"new")

    assert key == PassphraseKey(path, b"new").load(create=False)
    with pytest.raises(VaultError, match="does not open"):
        PassphraseKey(path, b"old").load(create=False)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        '{"format":1,"kdf":"scrypt","log2_n":30,"r":8,"p":1,"salt":"'
        + "A" * 24
        + '","wrapped":"'
        + "A" * 84
        + '"}',
        '{"format":1,"kdf":"scrypt","log2_n":12,"r":8,"p":1,"salt":"'
        + "!" * 24
        + '","wrapped":"'
        + "A" * 84
        + '"}',
    ],
    ids=["empty", "costs gigabytes", "not base64"],
)
def test_a_damaged_passphrase_file_is_refused(tmp_path: Path, content: str) -> None:
    """A planted file can neither crash the boot nor eat the memory."""
    path = tmp_path / "device.passphrase.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(VaultError, match="damaged"):
        PassphraseKey(path, b"x").load(create=False)


def test_the_settings_choose_the_source(tmp_path: Path) -> None:
    """file, passphrase and credential each lead to their own source."""
    found = [
        type(key_source(VaultSettings(key=key), tmp_path, passphrase=b"x", credentials=tmp_path))
        for key in ("file", "passphrase", "credential")
    ]

    assert [KeyFile, PassphraseKey, CredentialKey] == found


@pytest.mark.parametrize("key", ["passphrase", "credential"])
def test_a_source_without_its_secret_is_refused(tmp_path: Path, key: str) -> None:
    """Asking for a passphrase or a credential and handing over none never falls back to a file."""
    with pytest.raises(VaultError, match="handed over"):
        key_source(VaultSettings.model_validate({"key": key}), tmp_path, passphrase=None, credentials=None)


def test_a_lost_device_key_is_not_replaced(tmp_path: Path) -> None:
    """Where a signing key tells of an earlier boot, even `create` makes no new device key."""
    path = tmp_path / "device.key"
    Vault(KeyFile(path), tmp_path).unlock(create=True)
    path.unlink()
    with pytest.raises(VaultError, match="this box had one"):
        Vault(KeyFile(path), tmp_path).unlock(create=True)

    assert not path.exists()


def test_another_box_s_device_key_is_refused(tmp_path: Path) -> None:
    """A key that does not open the signing key is found out at once, not at the first template."""
    Vault(KeyFile(tmp_path / "device.key"), tmp_path).unlock(create=True)
    other = KeyFile(tmp_path / "other.key")
    other.load(create=True)
    with pytest.raises(VaultError, match="does not fit this box"):
        Vault(other, tmp_path).unlock()


def test_a_missing_signing_key_is_not_replaced(tmp_path: Path) -> None:
    """Without `create`, a lost signing key stays lost: a new one would sign another history."""
    vault = Vault(KeyFile(tmp_path / "device.key"), tmp_path).unlock(create=True)
    (tmp_path / "signing.key").unlink()
    with pytest.raises(VaultError, match="missing"):
        vault.unlock()

    assert not (tmp_path / "signing.key").exists()


def test_a_further_box_signs_for_itself(tmp_path: Path) -> None:
    """Given the first box's device key it opens the same values, under a signing key of its own."""
    first = Vault(KeyFile(tmp_path / "device.key"), tmp_path).unlock(create=True)
    (tmp_path / "second").mkdir()
    second = Vault(KeyFile(tmp_path / "device.key"), tmp_path / "second").unlock(create_signing=True)

    assert b"x" == second.open_device(first.seal_device(b"x", row="r"), row="r")
    assert first.public_key != second.public_key


def test_a_state_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    """No folder, no key, and one error of ours."""
    with pytest.raises(VaultError, match="cannot be written"):
        KeyFile(tmp_path / "nowhere" / "device.key").load(create=True)
