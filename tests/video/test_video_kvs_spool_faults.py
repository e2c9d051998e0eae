"""A disk and a key that fail what waits to be sent: nothing goes for that, and nothing else waits for it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kvs_box import NOON_MS, toy_seal, toy_unseal

from appliance.app.video_streams import SpoolSealing
from appliance.errors import ApplianceError, StreamError, VaultError, VideoError
from appliance.vault import Vault
from appliance.video.kvs.spool import Spool
from appliance.video.kvs.spool_faults import READ_TRIES
from appliance.video.kvs.spool_files import SpoolEntry
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.still import STILL_MS


def fragment(number: int, size: int = 100) -> SpooledFragment:
    """A fragment of some size."""
    begin = NOON_MS + number * STILL_MS
    return SpooledFragment(begin, begin + STILL_MS, b"header", bytes([number % 256]) * size)


def refused(found: Spool, entry: SpoolEntry, times: int = 1) -> None:
    """That it cannot be read now is told, so often, as what is wrong with the spool."""
    for _ in range(times):
        with pytest.raises(StreamError) as caught:
            found.read(entry)
        assert ("spool", True) == (caught.value.reason, bool(caught.value.hint))


def turned_into_a_folder(folder: Path, entry: SpoolEntry) -> None:
    """Let the disk refuse to read a file, as it does where it is worn out."""
    path = folder / entry.clip / entry.name
    path.unlink()
    path.mkdir()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte; needs root, who may mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("may not mount a small file system here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_key_that_cannot_be_read_for_a_moment_costs_nothing(tmp_path: Path, vault: Vault) -> None:
    """The disk fails at the key and at no fragment: all of them wait, and are read when it is back."""
    sealing = SpoolSealing(tmp_path, vault)
    found = Spool(tmp_path / "spool", sealing.seal, sealing.unseal, max_bytes=1_000_000)
    entries = [found.add("clip", fragment(number)) for number in range(5)]
    key, away = tmp_path / "key", tmp_path / "away"
    key.rename(away)
    key.mkdir()
    for entry in entries:
        refused(found, entry, READ_TRIES + 1)
    before = found.state()
    key.rmdir()
    away.rename(key)

    assert (5, 0) == (before.fragments, before.lost)
    assert [fragment(number) for number in range(5)] == [found.read(entry) for entry in entries]


@pytest.mark.parametrize("error", [VideoError("the key cannot be read"), VaultError("the vault is locked")])
def test_nothing_is_given_up_while_nothing_opens(tmp_path: Path, error: ApplianceError) -> None:
    """A vault that is locked, a key that fits nothing: not one fragment is taken for damaged."""
    wrong = [error]

    def barred(row: str, content: bytes) -> bytes:
        if wrong:
            raise wrong[0]
        return toy_unseal(row, content)

    found = Spool(tmp_path, toy_seal, barred, max_bytes=1_000_000)
    entries = [found.add("clip", fragment(number)) for number in range(3)]
    for entry in entries:
        refused(found, entry)
    wrong.clear()

    assert (3, 0) == (found.state().fragments, found.state().lost)
    assert [fragment(number) for number in range(3)] == [found.read(entry) for entry in entries]


def test_a_write_that_fails_for_another_reason_than_room_drops_nothing(tmp_path: Path) -> None:
    """Too many open files, another's folder, a broken disk: older clips would be lost for nothing."""
    found = Spool(tmp_path, toy_seal, toy_unseal, max_bytes=1_000_000)
    for number, clip in enumerate("aabb"):
        found.add(clip, fragment(number))
    (tmp_path / "c").write_text("a file where a folder should be")
    for number in range(4):
        with pytest.raises(StreamError):
            found.add("c", fragment(4 + number))

    state = found.state()

    assert (4, 2, 0) == (state.fragments, state.clips, state.lost_clips)
    assert 4 == len(list(tmp_path.rglob("*.sealed")))


def test_a_full_disk_costs_the_oldest_clip(small_disk: Path) -> None:
    """The disk has less room than the settings allow: as above the cap, the newest is kept."""
    found = Spool(small_disk / "spool", toy_seal, toy_unseal, max_bytes=100_000_000)
    for number, clip in enumerate("abc"):
        found.add(clip, fragment(number, 400_000))

    state = found.state()

    assert ([], 1, 1) == ([*found.entries("a")], state.lost, state.lost_clips)
    assert [1, 2] == [
        (each.timecode_ms - NOON_MS) // STILL_MS for clip in "bc" for each in found.entries(clip)
    ]


def test_a_fragment_larger_than_the_room_costs_no_other(tmp_path: Path) -> None:
    """It can never be kept, whatever goes: the clips that wait stay."""
    found = Spool(tmp_path, toy_seal, toy_unseal, max_bytes=5000)
    for number, clip in enumerate("aabb"):
        found.add(clip, fragment(number))
    for size in (6000, 100_000):
        with pytest.raises(StreamError, match="larger than the room"):
            found.add("c", fragment(9, size))

    state = found.state()

    assert (4, 2, 2, 0) == (state.fragments, state.clips, state.lost, state.lost_clips)


def test_a_file_that_cannot_be_read_is_set_aside_until_the_next_start(tmp_path: Path) -> None:
    """After some tries the others go on without it; it is counted, and stays for a disk that recovers."""
    found = Spool(tmp_path, toy_seal, toy_unseal, max_bytes=1_000_000)
    entries = [found.add("clip", fragment(number)) for number in range(3)]
    turned_into_a_folder(tmp_path, entries[0])
    refused(found, entries[0], READ_TRIES - 1)

    assert 3 == found.state().fragments
    assert found.read(entries[0]) is None

    state = found.state()

    assert (2, 1, 0) == (state.fragments, state.lost, state.lost_clips)
    assert (tuple(entries[1:]), entries[1].end_ms) == (found.entries("clip"), state.oldest_end_ms)
    assert (tmp_path / "clip" / entries[0].name).exists()

    found.load()

    assert 3 == found.state().fragments


def test_where_no_file_can_be_read_all_of_them_wait(tmp_path: Path) -> None:
    """It is the disk, and no file of its own: nothing is set aside, however often it is tried."""
    found = Spool(tmp_path, toy_seal, toy_unseal, max_bytes=1_000_000)
    entries = [found.add("clip", fragment(number)) for number in range(3)]
    for entry in entries:
        turned_into_a_folder(tmp_path, entry)
    for entry in entries:
        refused(found, entry, 2 * READ_TRIES)

    assert (3, 0) == (found.state().fragments, found.state().lost)


def test_what_cannot_be_deleted_is_given_up_all_the_same(tmp_path: Path) -> None:
    """It is counted, and not sent again in this run."""
    found = Spool(tmp_path, toy_seal, toy_unseal, max_bytes=1_000_000)
    entry = found.add("clip", fragment(0))
    turned_into_a_folder(tmp_path, entry)
    found.give_up(entry, "refused")

    assert (0, 1) == (found.state().fragments, found.state().lost)
