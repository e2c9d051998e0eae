"""The spool: durable or absent, found again after a crash, bounded in age and size."""

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from captures import NOW, KeyPair, jpeg, make_shot
from spools import fill, store_until_refused

from appliance.errors import EvidenceError, RecipientError
from appliance.evidence import Spool, open_capture, parse_identities
from appliance.evidence.index import INDEX_NAME
from appliance.evidence.spool_folder import SpoolFolder

DAY = timedelta(days=1)
MakeSpool = Callable[..., Spool]


def test_a_stored_capture_is_what_it_says(
    make_spool: MakeSpool, tmp_path: Path, key_pairs: dict[str, KeyPair]
) -> None:
    """Name, hash, size, frames and expiry are those of the file, and the key opens it."""
    spool = make_spool()
    stored = spool.store([make_shot(0), make_shot(1)], {"visit": "v"}, NOW)
    content = (tmp_path / "spool" / stored.file).read_bytes()

    assert (f"{stored.id}.age", 2) == (stored.file, stored.frames)
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (stored.sha256, stored.size_bytes)
    assert (NOW, NOW + 30 * DAY) == (stored.sealed_at, stored.expires_at)
    assert spool.recipients == stored.recipients
    opened = open_capture(spool.read(stored.id), parse_identities(key_pairs["age"].private, where="key"))
    assert jpeg(make_shot(1).bgr, 92) == opened["frame-2.jpg"]


def test_only_the_owner_may_read(make_spool: MakeSpool, tmp_path: Path) -> None:
    """Files 0600 in a folder 0700, whatever the umask."""
    before = os.umask(0)
    stored = make_spool().store([make_shot()], {}, NOW)
    os.umask(before)

    assert 0o700 == (tmp_path / "spool").stat().st_mode & 0o777
    assert 0o600 == (tmp_path / "spool" / stored.file).stat().st_mode & 0o777


def test_file_names_say_nothing(make_spool: MakeSpool, tmp_path: Path) -> None:
    """An opaque id and `.age`; nothing else is left in the folder, the index apart."""
    fill(make_spool(), 3)

    names = {path.name for path in (tmp_path / "spool").iterdir()} - {INDEX_NAME}

    assert 3 == len([name for name in names if re.fullmatch(r"[0-9a-f-]{36}\.age", name)]) == len(names)


def test_no_more_frames_than_the_settings_say(make_spool: MakeSpool) -> None:
    """The best ones come first, so the rest is left out."""
    stored = make_spool(frames=2).store([make_shot(n) for n in range(5)], {}, NOW)

    assert 2 == stored.frames


def test_without_a_recipient_nothing_is_stored(make_spool: MakeSpool, tmp_path: Path) -> None:
    """No key, no image, and a reason that can be logged."""
    with pytest.raises(EvidenceError) as refused:
        make_spool(recipients=()).store([make_shot()], {}, NOW)

    assert "no_recipient" == refused.value.reason
    assert [] == list((tmp_path / "spool").iterdir())


def test_without_a_picture_nothing_is_stored(make_spool: MakeSpool, tmp_path: Path) -> None:
    """An empty capture would be an event without evidence."""
    with pytest.raises(EvidenceError) as refused:
        make_spool().store([], {}, NOW)

    assert "no_frame" == refused.value.reason
    assert [] == list((tmp_path / "spool").iterdir())


def test_a_bad_recipient_stops_at_open(make_spool: MakeSpool) -> None:
    """Found out when the appliance starts, not when the first stranger comes."""
    with pytest.raises(RecipientError):
        make_spool(recipients=("ssh-ed25519 oops",))


def test_a_seeded_id_is_not_used_twice(make_spool: MakeSpool) -> None:
    """A replay that makes the same ids again overwrites nothing."""
    first, again = make_spool(), make_spool()
    ids = {first.store([make_shot()], {}, NOW).id, again.store([make_shot()], {}, NOW).id}

    assert 2 == len(ids) == len(first.list())


def test_free_space_is_kept(make_spool: MakeSpool, tmp_path: Path) -> None:
    """Below min_free_mib nothing more is stored."""
    with pytest.raises(EvidenceError) as refused:
        make_spool(free_bytes=200 * 1024 * 1024).store([make_shot()], {}, NOW)

    assert "disk_full" == refused.value.reason
    assert [] == list((tmp_path / "spool").iterdir())


def test_the_cap_is_never_passed(make_spool: MakeSpool) -> None:
    """What would go over max_mib is refused until a sweep has made room for it; then it fits."""
    spool = make_spool(max_mib=1)
    *stored, reason = store_until_refused(spool)

    assert "spool_full" == reason
    assert sum(entry.size_bytes for entry in spool.list()) <= 1024 * 1024
    removed = spool.expire(NOW)
    assert {"cap"} == {gone.reason for gone in removed}
    assert stored[: len(removed)] == [gone.id for gone in removed]
    assert 1 == spool.store([make_shot(size=(320, 240))], {}, NOW).frames


def test_where_there_must_be_room_what_is_copied_goes_first(make_spool: MakeSpool) -> None:
    """Then the oldest of the rest; as it is listed. With room enough nobody asks for copies."""
    spool = make_spool(max_mib=1)
    *stored, _ = store_until_refused(spool)
    copied = [stored[-1]]
    due = [each.entry.id for each in spool.due(NOW, copied=lambda: copied)]
    removed = [each.id for each in spool.expire(NOW, copied=lambda: copied)]

    assert [stored[-1], *stored[: len(due) - 1]] == due
    assert due == removed

    def asked() -> list[str]:
        raise AssertionError

    assert () == spool.expire(NOW, copied=asked)


def test_whose_time_is_over_goes_copied_or_not(make_spool: MakeSpool) -> None:
    """That it is copied somewhere holds nobody's pictures longer, and that it is not does not either."""
    spool = make_spool()
    first, second = fill(spool, 2)
    due = spool.due(NOW + 400 * DAY, copied=lambda: [second])

    assert [(first, "expired"), (second, "expired")] == [(each.entry.id, each.reason) for each in due]


def test_remove_deletes_one(make_spool: MakeSpool) -> None:
    """True when it was there, false when not, and the others stay."""
    spool = make_spool()
    first, second = fill(spool, 2)

    assert [True, False] == [spool.remove(first), spool.remove(first)]
    assert [second] == [entry.id for entry in spool.list()]


@pytest.mark.parametrize("name", ["../outside", "", "x", "019b8d9e-5d80-7000-8000-000000000001/..", "*"])
def test_only_ids_name_captures(make_spool: MakeSpool, tmp_path: Path, name: str) -> None:
    """Text from a request never becomes a path."""
    (tmp_path / "outside.age").write_bytes(b"")

    assert not make_spool().remove(name)
    with pytest.raises(EvidenceError, match="not the id of a capture"):
        make_spool().read(name)
    assert (tmp_path / "outside.age").exists()


def test_a_capture_that_is_gone_is_told(make_spool: MakeSpool) -> None:
    """Reading what has expired is an EvidenceError with a hint."""
    with pytest.raises(EvidenceError, match="there is no capture"):
        make_spool().read("019b8d9e-5d80-7000-8000-000000000001")


def test_foreign_files_are_left_alone(make_spool: MakeSpool, tmp_path: Path) -> None:
    """Other names, folders and links are neither listed nor deleted."""
    spool = make_spool()
    (tmp_path / "spool" / "notes.txt").write_text("keep")
    (tmp_path / "spool" / "019b8d9e-5d80-7000-8000-000000000001.age").mkdir()
    (tmp_path / "spool" / "019b8d9e-5d80-7000-8000-000000000002.age").symlink_to("/etc/passwd")

    assert ((), ()) == (spool.list(), spool.orphans(()))
    assert 3 == len(list((tmp_path / "spool").iterdir()))


def test_a_crash_before_the_event_is_found(make_spool: MakeSpool) -> None:
    """A file without an event is handed out for adoption, with the hash of what is there."""
    spool = make_spool()
    known = spool.store([make_shot(0)], {}, NOW)
    lost = spool.store([make_shot(1)], {}, NOW + timedelta(seconds=5))

    (found,) = make_spool().orphans({known.id})

    assert (lost.id, lost.file, lost.sha256, lost.size_bytes) == (
        found.id,
        found.file,
        found.sha256,
        found.size_bytes,
    )
    assert (lost.sealed_at, lost.expires_at) == (found.sealed_at, found.expires_at)
    assert (0, ()) == (found.frames, found.recipients)


def test_a_half_written_capture_is_deleted_at_start(make_spool: MakeSpool, tmp_path: Path) -> None:
    """It cannot be opened by anybody; it is neither listed nor adopted."""
    spool = make_spool()
    partial = tmp_path / "spool" / "019b8d9e-5d80-7000-8000-000000000001.age.partial"
    partial.write_bytes(b"age-encryption.org/v1")

    assert () == spool.list()
    assert () == spool.orphans(())
    assert not partial.exists()


def test_a_capture_whose_file_is_gone_is_missing(make_spool: MakeSpool) -> None:
    """The log's captures that are not in the spool, and only those."""
    spool = make_spool()
    first, second = fill(spool, 2)
    spool.remove(first)

    assert (first,) == spool.missing({first, second})


LIMITED = """
import resource, sys
from pathlib import Path
from captures import NOW, jpeg, make_shot
from appliance.clock import ManualClock
from appliance.errors import EvidenceError
from appliance.evidence import Spool
from appliance.settings import EvidenceSettings

spool = Spool(Path(sys.argv[1]), EvidenceSettings(recipients=(sys.argv[2],)), ManualClock(NOW), jpeg,
              free=lambda _: 1 << 40).open()
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    spool.store([make_shot()], {}, NOW)
except EvidenceError as error:
    print(error.reason)
"""


def environment() -> dict[str, str]:
    """The environment of this run, with our modules importable by a child."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path, key_pairs: dict[str, KeyPair]) -> None:
    """A limit hit in the middle of writing: the reason is disk_full and the folder is empty."""
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "spool", key_pairs["age"].public],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )

    assert "disk_full\n" == ran.stdout
    assert [] == list((tmp_path / "spool").iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte; needs root, who may mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("may not mount a small file system here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_up_leaves_nothing_half_written(
    make_spool: MakeSpool, small_disk: Path, key_pairs: dict[str, KeyPair]
) -> None:
    """ENOSPC in the middle: what was stored before is whole, and no partial file is left."""
    spool = make_spool(small_disk / "spool")
    *stored, reason = store_until_refused(spool)

    assert "disk_full" == reason
    assert stored

    names = {path.name for path in (small_disk / "spool").iterdir()}

    assert {f"{one}.age" for one in stored} == names - {INDEX_NAME}
    identities = parse_identities(key_pairs["age"].private, where="key")
    for one in stored:
        assert 3 == len(open_capture(spool.read(one), identities))


STORING = """
import sys
from pathlib import Path
from captures import NOW, jpeg, make_shot
from appliance.clock import SystemClock
from appliance.evidence import Spool
from appliance.settings import EvidenceSettings

spool = Spool(Path(sys.argv[1]), EvidenceSettings(recipients=(sys.argv[2],), min_free_mib=0), SystemClock(),
              jpeg).open()
shots = [make_shot(n, size=(640, 480)) for n in range(3)]
print("ready", flush=True)
while True:
    print(spool.store(shots, {}, NOW).id, flush=True)
"""


def test_kill_leaves_whole_captures_or_nothing(
    make_spool: MakeSpool, tmp_path: Path, key_pairs: dict[str, KeyPair]
) -> None:
    """Killed at any moment, ten times: what was reported opens, what is there opens, the rest is partial."""
    identities = parse_identities(key_pairs["age"].private, where="key")
    source = random.Random(5)
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", STORING, tmp_path / "spool", key_pairs["age"].public],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(source.uniform(0.0, 0.08))
            child.send_signal(signal.SIGKILL)
            reported = set(child.stdout.read().split())
        spool = make_spool()
        listed = {entry.id for entry in spool.list()}

        assert {one for one in reported if len(one) == 36} <= listed
        for one in listed:
            assert 7 == len(open_capture(spool.read(one), identities))
        assert listed == {one.id for one in spool.orphans(())}
        assert [] == list((tmp_path / "spool").glob("*.partial"))
        for one in listed:
            spool.remove(one)


def test_a_partial_that_is_being_written_is_not_deleted(make_spool: MakeSpool, tmp_path: Path) -> None:
    """Another process that starts meanwhile leaves it alone: its writer is alive."""
    spool = make_spool()
    partial = tmp_path / "spool" / "019b8d9e-5d80-7000-8000-000000000001.age.partial"
    holding = (
        "import fcntl, sys; f = open(sys.argv[1], 'wb'); fcntl.flock(f, fcntl.LOCK_EX); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, partial], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        spool.orphans(())
        kept = partial.exists()
        child.kill()
    spool.orphans(())

    assert (True, False) == (kept, partial.exists())


def test_a_folder_that_cannot_be_made_is_told(make_spool: MakeSpool, tmp_path: Path) -> None:
    """A file in the way: our error, with the folder in the hint."""
    (tmp_path / "file").write_text("")

    with pytest.raises(EvidenceError) as refused:
        make_spool(tmp_path / "file" / "spool")

    assert "file/spool" in refused.value.hint


def test_room_that_others_made_is_seen(make_spool: MakeSpool, tmp_path: Path) -> None:
    """How much is used is counted by what was stored; where that would refuse, it is counted anew."""
    spool = make_spool(max_mib=1)
    *stored, _ = store_until_refused(spool)
    SpoolFolder(tmp_path / "spool").remove(stored[0])

    assert 1 == spool.store([make_shot(0)], {}, NOW).frames
