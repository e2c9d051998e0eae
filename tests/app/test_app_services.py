"""First boot and every later one: keys and id are made once, and never beside what they do not fit."""

from pathlib import Path

import pytest
import stores

from appliance.errors import StoreError, VaultError
from appliance.services import PASSPHRASE_VARIABLE, Layout, open_services
from appliance.settings import Settings
from appliance.values import SubjectId

KEYS = ("device.key", "signing.key", "device.json")


def boot(layout: Layout, *, create: bool = True) -> tuple[str, bytes]:
    """Open the box once: its id, and its public key."""
    with open_services(Settings(), layout, create=create) as services:
        return services.device, services.vault.public_key


def enrol(layout: Layout) -> SubjectId:
    """Somebody, so that there is something under the keys."""
    with open_services(Settings(), layout, create=True) as services:
        return services.store.add_subject("Ann", consent=stores.AGREED).id


def test_the_first_boot_makes_keys_and_id_and_later_ones_keep_them(layout: Layout) -> None:
    """Byte for byte, whether a later one may create or not."""
    first = boot(layout)
    kept = {name: (layout.state / name).read_bytes() for name in KEYS}

    assert first == boot(layout) == boot(layout, create=False)
    assert kept == {name: (layout.state / name).read_bytes() for name in KEYS}


def test_what_is_made_is_private(layout: Layout) -> None:
    """The directory is for its owner, and so is every key and the database."""
    boot(layout)

    assert 0o700 == layout.state.stat().st_mode & 0o777
    assert [0o600] * 4 == [(layout.state / name).stat().st_mode & 0o777 for name in (*KEYS, "appliance.db")]


def test_the_newest_head_is_kept_beside_the_database(layout: Layout) -> None:
    """A box that appended leaves its signed head in the state directory; a box that only read does not."""
    boot(layout)
    assert not layout.log_head.exists()
    enrol(layout)

    with open_services(Settings(), layout) as services:
        report = services.store.verify()
        assert (report.last, report.last) == (report.kept_head, services.store.events()[-1].position)


def test_nothing_is_made_without_leave(layout: Layout) -> None:
    """A command that reads does not make a box where there is none."""
    with pytest.raises(StoreError) as caught:
        boot(layout, create=False)

    assert "appliance run" in caught.value.advice
    assert not layout.state.exists()


@pytest.mark.parametrize("lost", ["device.key", "signing.key"])
def test_a_database_whose_keys_are_lost_is_refused(layout: Layout, lost: str) -> None:
    """Even with leave to create: a new key would open nothing in it, and hide that the old one is needed."""
    subject = enrol(layout)
    kept = (layout.state / lost).read_bytes()
    (layout.state / lost).unlink()

    with pytest.raises(VaultError):
        boot(layout)
    assert not (layout.state / lost).exists()

    (layout.state / lost).write_bytes(kept)
    (layout.state / lost).chmod(0o600)
    with open_services(Settings(), layout) as services:
        assert "Ann" == services.store.subject(subject).name


def test_a_database_whose_devices_id_is_lost_is_refused(layout: Layout) -> None:
    """A new id would begin a second chain beside the old one, and the old one would seem to be gone."""
    enrol(layout)
    layout.identity.unlink()

    with pytest.raises(StoreError, match="missing or damaged"):
        boot(layout)
    assert not layout.identity.exists()


def test_a_first_boot_that_was_cut_short_is_finished_by_the_next(layout: Layout) -> None:
    """An id and an empty database, but no keys yet: nothing is under keys, so they are made now."""
    boot(layout)
    device = layout.identity.read_bytes()
    for name in ("device.key", "signing.key"):
        (layout.state / name).unlink()

    boot(layout)

    assert device == layout.identity.read_bytes()


def test_two_boxes_have_two_ids_and_two_keys(tmp_path: Path) -> None:
    """Nothing about a box is the same everywhere."""
    one, two = boot(Layout(tmp_path / "one")), boot(Layout(tmp_path / "two"))

    assert one[0] != two[0]
    assert one[1] != two[1]


def test_a_databases_path_with_odd_characters(tmp_path: Path) -> None:
    """Spaces, percent signs and question marks mean nothing in a path."""
    layout = Layout(tmp_path / "a box %20?mode=memory#x")

    assert boot(layout) == boot(layout, create=False)
    assert layout.database.is_file()


def test_a_driver_that_cannot_be_used_does_not_show_the_address() -> None:
    """The database's address may hold a password."""
    settings = Settings.model_validate({"store": {"url": "mysql://box:hunter2@db/doors"}})
    layout = Layout(Path("/nonexistent"))

    with pytest.raises(StoreError) as caught, open_services(settings, layout):
        pass
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert PASSPHRASE_VARIABLE.isupper()
