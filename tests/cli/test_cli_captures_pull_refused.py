"""`appliance captures pull`: who is not let in or not believed, and disks that cannot take what comes."""

import errno
import hashlib
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from captures import NOW, jpeg, make_shot
from commands import call
from pull_office import Office, names, told
from ssh_server import free_port, make_key

from appliance.clock import SystemClock
from appliance.errors import RetrievalError
from appliance.evidence import Spool, make_identity
from appliance.evidence.index import INDEX_NAME, IndexRow, came
from appliance.evidence.pull import Pull, disk_here
from appliance.evidence.pulled_folder import PulledFolder
from appliance.evidence.sftp import SftpSession
from appliance.evidence.sftp_target import Target
from appliance.ids import random_ids
from appliance.settings import EvidenceSettings

pytestmark = pytest.mark.debian(reason="openssh-server")


def test_a_changed_host_key_stops_everything(office: Office, tmp_path: Path) -> None:
    """Somebody else may be answering: said so, with the next step, and nothing is fetched."""
    office.seal(1)
    office.box.know(" ".join(make_key(tmp_path / "other_host").split()[:2]))
    done = office.pull(tmp_path / "to")

    assert 8 == done.refusal[0]
    assert "shows another host key than before" in done.refusal[1]
    assert "ssh-keygen -R" in done.hints[-1]
    assert set() == names(tmp_path / "to" / "sealed")


def test_an_unknown_host_key_is_not_taken_unseen(office: Office, tmp_path: Path) -> None:
    """Without a terminal nobody can compare it: refused, with what to do once."""
    office.seal(1)
    (office.box.folder / "known_hosts").write_text("")
    done = office.pull(tmp_path / "to")

    assert 8 == done.refusal[0]
    assert "never connected to from here" in done.refusal[1]


def test_a_key_that_is_no_recipients_is_not_let_in(office: Office, tmp_path: Path) -> None:
    """Exit code 8, and whose keys are let in."""
    make_key(tmp_path / "stranger")
    done = office.pull(tmp_path / "to", key=tmp_path / "stranger")

    assert 8 == done.refusal[0]
    assert "does not let this key in" in done.refusal[1]
    assert "recipients" in done.hints[0]


def test_nobody_answers(office: Office, tmp_path: Path) -> None:
    """A port without a server is told from a host that is not there."""
    refused = office.pull(tmp_path / "to", host=f"127.0.0.1:{free_port()}").refusal
    unknown = office.pull(tmp_path / "to", host="nowhere.invalid").refusal

    assert (8, True) == (refused[0], "no SSH server answers" in refused[1])
    assert (8, True) == (unknown[0], "cannot be reached" in unknown[1])


@pytest.mark.parametrize(
    "host",
    [
        "-oProxyCommand=touch /tmp/x",
        "a b",
        "a;b",
        "$(id)",
        "me@box",
        "box:",
        "box:0",
        "box:65536",
        "",
        "[::1",
        "a\nb",
    ],
)
def test_what_is_no_host_is_refused(office: Office, tmp_path: Path, host: str) -> None:
    """Nothing that somebody writes there becomes an option or a command."""
    done = call("captures", "pull", "--into", tmp_path / "to", "--key", office.key, "--", host)

    assert (8, "this is not a host") == done.refusal


@pytest.mark.parametrize("account", ["-lroot", "a b", "$(id)", ""])
def test_what_is_no_account_is_refused(office: Office, tmp_path: Path, account: str) -> None:
    """Likewise of the account."""
    done = call(
        "captures", "pull", "box", "--into", tmp_path / "to", "--key", office.key, f"--account={account}"
    )

    assert (8, "this is not the name of an account") == done.refusal


def test_another_admins_key_fetches_and_does_not_open(office: Office, tmp_path: Path) -> None:
    """Exit code 3; what was fetched is kept sealed, and opened once the right key is given."""
    (capture,) = office.seal(1)
    shut = office.pull(tmp_path / "to", key=office.other)
    kept = names(tmp_path / "to" / "sealed"), names(tmp_path / "to" / "pictures")
    report = told(office.pull(tmp_path / "to", "--identity", office.key, "--json"))

    assert (3, ["1 capture(s) were not sealed to your key"]) == (shut.code, shut.errors)
    assert ({f"{capture}.age"}, set()) == kept
    assert ([], [capture]) == (report["fetched"], report["opened"])


def test_only_sealed_files_when_asked(office: Office, tmp_path: Path) -> None:
    """`--sealed` needs no key to open with, and makes no pictures and no sheet."""
    (capture,) = office.seal(1)
    done = office.pull(tmp_path / "to", "--sealed")

    assert (0, []) == (done.code, done.errors)
    assert {f"{capture}.age"} == names(tmp_path / "to" / "sealed")
    assert set() == names(tmp_path / "to" / "pictures")
    assert not (tmp_path / "to" / "contact-sheet.html").exists()


def test_the_lost_key_drill(office: Office, tmp_path: Path) -> None:
    """Two recipients, one key lost: the other opens everything; with both lost, nothing does."""
    make_identity(tmp_path / "lost.txt")
    spare = make_identity(tmp_path / "spare.txt")
    public = office.key.with_name("key.pub").read_text()
    spool = Spool(office.box.spool, EvidenceSettings(recipients=(public, spare)), SystemClock(), jpeg).open()
    stored = spool.store([make_shot(0)], {}, NOW)
    lost = office.pull(tmp_path / "none", "--identity", tmp_path / "lost.txt")
    opened = office.pull(tmp_path / "to", "--identity", tmp_path / "spare.txt")

    assert (3, 0) == (lost.code, opened.code)
    assert {stored.id} == names(tmp_path / "to" / "pictures")
    assert set() == names(tmp_path / "none" / "pictures")


def test_one_folder_is_filled_by_one_call_at_a_time(office: Office, tmp_path: Path) -> None:
    """A second call into the same folder says so, and waits for nobody."""
    office.seal(1)
    with PulledFolder(tmp_path / "to"):
        refusal = office.pull(tmp_path / "to").refusal

    assert (8, f"somebody else is fetching into {tmp_path / 'to'}") == refusal


def test_a_full_disk_here_is_said_and_resumed_from(
    office: Office, put: Callable[[bytes], str], tmp_path: Path
) -> None:
    """Said before anything is begun when it is known; nothing of what was there is lost."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("may not mount a small file system here")
    try:
        put(os.urandom(3_000_000))
        refusal = office.pull(disk / "to", "--sealed").refusal
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)

    assert 8 == refusal[0]
    assert "MB are free here" in refusal[1]


def test_a_sheet_that_cannot_be_written_is_said_with_what_was_done(office: Office, tmp_path: Path) -> None:
    """A full disk, or a folder where it should be: no traceback, and the report of what is here."""
    office.seal(2)
    into = tmp_path / "captures"
    (into / "contact-sheet.html").mkdir(parents=True)
    done = office.pull(into)
    again = call("captures", "sheet", "--into", into)

    assert (8, 8) == (done.code, again.code)
    assert "the contact sheet was not made: the folder here cannot be written: Is a directory" in done.err
    assert "2 new of 2 fetched, 2 opened" in done.out
    assert "cannot be written" in again.refusal[1]


def test_pictures_that_cannot_be_written_are_the_disks_fault(office: Office, tmp_path: Path) -> None:
    """Not the capture's: it says so, tells what was opened before, and the next call opens the rest."""
    ids = office.seal(2)
    into = tmp_path / "captures"
    (into / ".arriving").mkdir(parents=True)
    (into / ".arriving" / ids[1]).write_bytes(b"in the way")
    stopped = office.pull(into)
    (into / ".arriving" / ids[1]).unlink()
    again = office.pull(into)

    assert (8, 0) == (stopped.code, again.code)
    assert "the folder here cannot be written: File exists" in stopped.err
    assert "2 new of 2 fetched, 1 opened" in stopped.out
    assert set(ids) == names(into / "pictures")
    with pytest.raises(RetrievalError, match="the disk here is full"), disk_here():
        raise OSError(errno.ENOSPC, "No space left on device")


class LittleRoom(PulledFolder):
    """A folder on a disk with 1,040 MiB free."""

    def free_bytes(self) -> int:
        """As said."""
        return 1040 << 20


def test_rows_that_claim_too_much_do_not_keep_the_others(office: Office, tmp_path: Path) -> None:
    """More than fits here, by the index: what fits is fetched, then it stops before the disk is full."""
    ids = office.seal(2)
    with (office.box.spool / INDEX_NAME).open("ab") as file:
        for number in range(20):
            late = random_ids(NOW + timedelta(days=1, seconds=number))
            file.write(came(IndexRow(late, 1 << 26, hashlib.sha256(b"").hexdigest())))
    box = office.box
    target = Target.parse(box.host, account=box.account, key=office.key, config=box.config)
    with LittleRoom(tmp_path / "to") as folder:
        pull = Pull(lambda: SftpSession(target, folder.arriving), folder, [], lambda _: {})
        with pytest.raises(
            RetrievalError, match="67 MB, all that are new 1,342 MB, and 1,091 MB are"
        ) as stopped:
            pull.run()

    assert "disk_full" == stopped.value.fault
    assert ids == pull.report.fetched


def test_pictures_that_do_not_decode_are_kept_and_shown_as_such(office: Office, tmp_path: Path) -> None:
    """What was sealed is kept as it is; the sheet has no preview of it and is made all the same."""

    def broken(picture: object, quality: int) -> bytes:
        return b"\xff\xd8 no picture"

    settings = EvidenceSettings(recipients=(office.key.with_name("key.pub").read_text(),))
    stored = Spool(office.box.spool, settings, SystemClock(), broken).open().store([make_shot(0)], {}, NOW)
    done = office.pull(tmp_path / "to")

    assert (0, []) == (done.code, done.errors)
    assert b"\xff\xd8 no picture" == (tmp_path / "to" / "pictures" / stored.id / "face-1.jpg").read_bytes()
    assert 2 == (tmp_path / "to" / "contact-sheet.html").read_text().count("no preview")


def test_a_sheet_of_some_days(office: Office, tmp_path: Path) -> None:
    """Made anew without asking the box."""
    office.seal(2)
    office.pull(tmp_path / "to")
    before = call("captures", "sheet", "--into", tmp_path / "to", "--until", "2026-01-01")
    then = call(
        "captures", "sheet", "--into", tmp_path / "to", "--since", "2026-01-04", "--until", "2026-01-06"
    )

    assert "0 capture(s)" in before.out
    assert "2 capture(s)" in then.out


def test_the_box_is_as_it_was(office: Office, tmp_path: Path) -> None:
    """Fetching changes nothing there, to the byte."""
    office.seal(2)

    def state() -> dict[str, tuple[str, int]]:
        return {
            path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in office.box.spool.iterdir()
        }

    before = state()
    office.pull(tmp_path / "to")

    assert before == state()
