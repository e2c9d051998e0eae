"""`appliance captures pull`: a real OpenSSH server on loopback, the system's sftp, the admin's own key."""

import errno
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from captures import NOW, head, jpeg, make_shot
from commands import Ended, call
from PIL import Image
from ssh_server import SshBox, Wire, free_port, make_key, needs_server, ssh_box

from appliance.clock import SystemClock
from appliance.errors import RetrievalError
from appliance.evidence import Spool, make_identity, parse_recipients, seal
from appliance.evidence.index import INDEX_NAME, IndexRow, came
from appliance.evidence.pull import Pull, disk_here
from appliance.evidence.pulled_folder import PulledFolder
from appliance.evidence.sftp import SftpSession
from appliance.evidence.sftp_target import Target
from appliance.evidence.spool_folder import SpoolFolder
from appliance.ids import random_ids
from appliance.settings import EvidenceSettings

pytestmark = pytest.mark.debian(reason="openssh-server")

BIG = "019b8d9e-5d80-7000-8000-0000000000ff"
FACTS = {"rule": "below_threshold", "score": 0.11, "threshold": 0.35}


@dataclass(frozen=True)
class Office:
    """A box with a server, and an admin with a key.

    Attributes:
        box: The box.
        key: The admin's private key; captures are sealed to it, and it signs in.
        other: Another admin's: signs in, and nothing is sealed to it.
        spool: Seals to the first.
    """

    box: SshBox
    key: Path
    other: Path
    spool: Spool

    def seal(self, count: int) -> list[str]:
        """Seal so many strangers; their ids."""
        about = {"door": "entrance", "camera": "lobby", "facts": FACTS}
        return [self.spool.store([make_shot(n)], about, NOW + timedelta(minutes=n)).id for n in range(count)]

    def pull(self, into: Path, *more: object, host: str | None = None, key: Path | None = None) -> Ended:
        """Fetch as the admin."""
        where = ("--account", self.box.account, "--ssh-config", self.box.config, "--key", key or self.key)
        return call("captures", "pull", host or self.box.host, "--into", into, *where, *more)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One server for all tests of the module."""
    needs_server()
    admin = tmp_path_factory.mktemp("admin") / 'their "own" keys, 100%h \\'  # as OpenSSH would not like it
    admin.mkdir()
    public, other = make_key(admin / "key"), make_key(admin / "other")
    with ssh_box([public, other]) as box:
        settings = EvidenceSettings(recipients=(public,))
        yield Office(
            box, admin / "key", admin / "other", Spool(box.spool, settings, SystemClock(), jpeg).open()
        )


@pytest.fixture
def office(running: Office) -> Iterator[Office]:
    """The office with an empty spool."""
    yield running
    running.box.know_right()
    for path in running.box.spool.iterdir():
        path.unlink()


@pytest.fixture
def put(office: Office) -> Callable[[bytes], str]:
    """Puts bytes into the spool that are no real capture."""

    def write(content: bytes) -> str:
        SpoolFolder(office.box.spool).write(BIG, content, NOW)
        return BIG

    return write


def hostile() -> dict[str, bytes]:
    """What whoever has the public key may have sealed, by its fault."""

    def tar(said: bytes, picture: bytes = b"") -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in (("metadata.json", said), ("frame-1.jpg", picture)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return packed.getvalue()

    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 2
    high = io.BytesIO()
    Image.new("RGB", (1, 70_000)).save(high, "PNG")
    endless = {**FACTS, "score": int("1" + "0" * 400)}
    return {
        "headers": (long_name.tobuf(tarfile.USTAR_FORMAT) + b"a".ljust(512, b"\0")) * 3000 + tar(b"{}"),
        "text": tar(b'{"metadata": {"door": "\\ud800"}}'),
        "number": tar(json.dumps({"metadata": {"facts": endless}}).encode()),
        "nesting": tar(b"[" * 200_000),
        "picture": tar(b"{}", high.getvalue()),
    }


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def told(ended: Ended) -> dict[str, list[str]]:
    """The report, as JSON."""
    report: dict[str, list[str]] = json.loads(ended.out)
    return report


def test_what_is_new_is_fetched_opened_and_shown(office: Office, tmp_path: Path) -> None:
    """Sealed files as they were, pictures beside, one contact sheet; all of it the owner's alone."""
    ids = office.seal(3)
    into = tmp_path / "captures"
    done = office.pull(into)
    files = [path for path in into.rglob("*") if path.is_file()]

    assert (0, []) == (done.code, done.errors)
    assert "3 new of 3 fetched, 3 opened" in done.out
    for each in ids:
        sealed = (office.box.spool / f"{each}.age").read_bytes()
        assert sealed == (into / "sealed" / f"{each}.age").read_bytes()
        assert {"metadata.json", "frame-1.jpg", "face-1.jpg"} == names(into / "pictures" / each)
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}
    assert 0o700 == stat.S_IMODE(into.stat().st_mode)
    html = (into / "contact-sheet.html").read_text()
    assert 6 == html.count("data:image/jpeg;base64,")
    assert "entrance · unlike everybody enrolled (likeness 0.11, 0.35 wanted)" in html


def test_hostile_captures_do_not_keep_the_good_ones(office: Office, tmp_path: Path) -> None:
    """Sealed to the admin's key by whoever took the box: what is none is said, all good ones open.

    Each hostile one comes before a good one, in the next call as well.
    """
    recipients = parse_recipients([office.key.with_name("key.pub").read_text().strip()])
    folder, of_fault, good = SpoolFolder(office.box.spool), {}, []
    for fault, content in hostile().items():
        at = NOW + timedelta(hours=len(good))
        of_fault[fault] = random_ids(at)
        folder.write(of_fault[fault], seal(content, recipients), at)
        about = {"door": f"door {len(good)}"}
        good.append(office.spool.store([make_shot()], about, at + timedelta(minutes=1)).id)
    into = tmp_path / "captures"
    ends = [
        office.pull(into, "--json"),
        office.pull(into, "--json"),
        call("captures", "sheet", "--into", into),
    ]
    opened = call(
        *("captures", "open", office.box.spool / f"{of_fault['headers']}.age"),
        *("--identity", office.key, "--out", tmp_path / "opened"),
    )

    assert [8, 8, 0] == [ended.code for ended in ends]
    assert set(good) <= set(told(ends[0])["opened"])
    assert [of_fault["headers"]] == told(ends[0])["damaged"] == told(ends[1])["damaged"]
    html = (into / "contact-sheet.html").read_text(encoding="utf-8")
    assert 9 == html.count("<li>")
    assert all(f"door {number}" in html for number in range(len(good)))
    assert 8 == opened.code


def test_what_was_fetched_is_not_fetched_again(office: Office, tmp_path: Path) -> None:
    """Nothing new; then only the one that came; what the admin deleted stays deleted."""
    office.seal(2)
    office.pull(tmp_path / "to")
    again = office.pull(tmp_path / "to")
    shutil.rmtree(tmp_path / "to" / "pictures")
    shutil.rmtree(tmp_path / "to" / "sealed")
    (new,) = office.seal(1)
    third = told(office.pull(tmp_path / "to", "--json"))

    assert (0, True) == (again.code, "nothing new: 2 capture(s) on the box" in again.out)
    assert ([new], [new]) == (third["fetched"], third["opened"])
    assert {f"{new}.face.jpg", f"{new}.frame.jpg"} == names(tmp_path / "to" / "thumbnails")
    assert {new} == names(tmp_path / "to" / "pictures")


def test_heads_of_the_log_come_along_and_none_is_ever_lost(office: Office, tmp_path: Path) -> None:
    """Each line once; what the box denies later stays here, before what it says instead."""
    office.seal(1)
    heads = office.box.spool / "heads.jsonl"
    without = told(office.pull(tmp_path / "to", "--json"))["heads"]
    first, second, third, another = (head(number) for number in range(4))
    heads.write_text(f"{first}\n{second}\n")
    came = told(office.pull(tmp_path / "to", "--json"))["heads"]
    heads.write_text(f"{first}\n{second}\n{third}\n")
    more = told(office.pull(tmp_path / "to", "--json"))["heads"]
    heads.write_text(f"{first}\n{another}\n")
    denied = told(office.pull(tmp_path / "to", "--json"))["heads"]

    assert [0, 2, 1, 1] == [without, came, more, denied]
    assert [first, second, third, another] == (tmp_path / "to" / "heads.jsonl").read_text().splitlines()


def test_what_was_cut_is_resumed(office: Office, put: Callable[[bytes], str], tmp_path: Path) -> None:
    """The network breaks for good in the middle: the next call fetches the rest, and only that."""
    content = os.urandom(3_000_000)
    put(content)
    with Wire(office.box.port, [2_000_000], then_shut=True) as wire:
        cut = office.pull(tmp_path / "to", "--sealed", host=f"127.0.0.1:{wire.port}")
    partial = (tmp_path / "to" / ".arriving" / f"{BIG}.age").stat().st_size
    with Wire(office.box.port) as wire:
        done = office.pull(tmp_path / "to", "--sealed", host=f"127.0.0.1:{wire.port}")
        carried = wire.carried

    assert (8, True) == (cut.code, "was lost" in cut.errors[0])
    assert 500_000 < partial < 3_000_000
    assert (0, []) == (done.code, done.errors)
    assert carried < 3_000_000 - partial + 200_000
    assert content == (tmp_path / "to" / "sealed" / f"{BIG}.age").read_bytes()


def test_a_connection_that_breaks_is_made_again(
    office: Office, put: Callable[[bytes], str], tmp_path: Path
) -> None:
    """A network that breaks every megabyte: one call is enough, as long as something arrives each time."""
    content = os.urandom(3_000_000)
    put(content)
    with Wire(office.box.port, [1_000_000] * 3) as wire:
        done = office.pull(tmp_path / "to", "--sealed", host=f"127.0.0.1:{wire.port}")
        connections = wire.connections

    assert (0, []) == (done.code, done.errors)
    assert 4 == connections
    assert content == (tmp_path / "to" / "sealed" / f"{BIG}.age").read_bytes()


def test_a_rest_of_something_else_is_fetched_anew(office: Office, tmp_path: Path) -> None:
    """What lay there of an earlier try does not fit: the file is fetched from its beginning."""
    (capture,) = office.seal(1)
    arriving = tmp_path / "to" / ".arriving"
    arriving.mkdir(parents=True)
    (arriving / f"{capture}.age").write_bytes(b"of another time")
    done = office.pull(tmp_path / "to")

    assert (0, []) == (done.code, done.errors)
    assert {capture} == names(tmp_path / "to" / "pictures")


def test_a_damaged_file_does_not_keep_the_others(office: Office, tmp_path: Path) -> None:
    """A byte was changed on the box: not kept, named, exit code 8; the others are fetched and opened."""
    first, bad, last = office.seal(3)
    path = office.box.spool / f"{bad}.age"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    done = office.pull(tmp_path / "to")

    assert 8 == done.code
    assert ["1 capture(s) on the box cannot be relied on; the others were fetched"] == done.errors
    assert f"{bad}: damaged, and not kept" in done.err
    assert {first, last} == names(tmp_path / "to" / "pictures")
    assert {f"{first}.age", f"{last}.age"} == names(tmp_path / "to" / "sealed")


def test_a_file_without_end_fills_no_disk(
    office: Office, put: Callable[[bytes], str], tmp_path: Path
) -> None:
    """A box that sends more than any capture has: cut off, said to be damaged, and the others are fetched."""
    big = put(b"sealed")
    os.truncate(office.box.spool / f"{big}.age", 70 * 1024 * 1024)
    (capture,) = office.seal(1)
    report = json.loads(office.pull(tmp_path / "to", "--json").out)

    assert ([big], [capture]) == (report["damaged"], report["fetched"])
    assert {"lock", INDEX_NAME} == names(tmp_path / "to" / ".arriving")


@pytest.mark.debian(reason="age")
def test_what_was_fetched_opens_with_age(office: Office, tmp_path: Path) -> None:
    """With the ordinary program and the admin's own SSH key, without anything of ours."""
    program = shutil.which("age")
    if program is None:
        pytest.skip("needs the program age")
    (capture,) = office.seal(1)
    office.pull(tmp_path / "to")
    sealed = tmp_path / "to" / "sealed" / f"{capture}.age"
    opened = subprocess.run([program, "-d", "-i", office.key, sealed], capture_output=True, check=True).stdout

    assert (tmp_path / "to" / "pictures" / capture / "face-1.jpg").read_bytes() in opened


def test_a_capture_that_is_another_one_now_is_told(office: Office, tmp_path: Path) -> None:
    """File and line were replaced on the box after it was fetched: what was fetched is kept, exit code 8."""
    (capture,) = office.seal(1)
    office.pull(tmp_path / "to")
    before = (tmp_path / "to" / "sealed" / f"{capture}.age").read_bytes()
    SpoolFolder(office.box.spool).remove(capture)
    SpoolFolder(office.box.spool).write(capture, b"another", NOW)
    done = office.pull(tmp_path / "to")

    assert 8 == done.code
    assert f"{capture}: changed on the box since it was fetched" in done.err
    assert before == (tmp_path / "to" / "sealed" / f"{capture}.age").read_bytes()


def test_a_capture_that_went_meanwhile_is_no_fault(office: Office, tmp_path: Path) -> None:
    """Expired between the reading of the index and its own turn."""
    gone, there = office.seal(2)
    (office.box.spool / f"{gone}.age").unlink()
    report = told(office.pull(tmp_path / "to", "--json"))

    assert ([gone], [there]) == (report["gone"], report["fetched"])


def test_an_empty_capture_costs_that_capture_alone(office: Office, tmp_path: Path) -> None:
    """A box of an earlier version lists it, as long as nothing: it is said, and all the others arrive."""
    ids = office.seal(2)
    for lengths in ((0, 0), (0, 1)):  # as the index says, and as it is
        empty = random_ids(NOW - timedelta(days=1))
        (office.box.spool / f"{empty}.age").write_bytes(b"x" * lengths[1])
        with (office.box.spool / INDEX_NAME).open("ab") as file:
            file.write(came(IndexRow(empty, lengths[0], hashlib.sha256(b"").hexdigest())))
    into = tmp_path / "captures"
    ends = [office.pull(into, "--json"), office.pull(into, "--json")]

    assert [8, 8] == [end.code for end in ends]
    assert [ids, []] == [told(end)["opened"] for end in ends]
    assert [2, 2] == [len(told(end)["damaged"]) for end in ends]


def test_a_damaged_line_costs_that_capture_alone(office: Office, tmp_path: Path) -> None:
    """The others are fetched; exit code 8 says that there may be more than is known."""
    bad, good = office.seal(2)
    path = office.box.spool / INDEX_NAME
    path.write_bytes(path.read_bytes().replace(bad.encode(), bad.encode().upper(), 1))
    done = office.pull(tmp_path / "to")

    assert (8, {good}) == (done.code, names(tmp_path / "to" / "pictures"))
    assert "the index on the box cannot be relied on" in done.errors[0]


@pytest.mark.parametrize("content", [None, b"", b"\x00" * 4096, b"<html>not an index</html>\n"])
def test_without_an_index_nothing_is_guessed(office: Office, tmp_path: Path, content: bytes | None) -> None:
    """None, an empty one, rubbish: one sentence, exit code 8, nothing fetched."""
    office.seal(1)
    (office.box.spool / INDEX_NAME).unlink()
    if content is not None:
        (office.box.spool / INDEX_NAME).write_bytes(content)
        (office.box.spool / INDEX_NAME).chmod(0o644)
    refusal = office.pull(tmp_path / "to").refusal

    assert 8 == refusal[0]
    assert "index" in refusal[1]
    assert set() == names(tmp_path / "to" / "sealed")


def test_a_changed_host_key_stops_everything(office: Office, tmp_path: Path) -> None:
    """Somebody else may be answering: said so, with the next step, and nothing is fetched."""
    office.seal(1)
    office.box.know(" ".join(make_key(tmp_path / "other_host").split()[:2]))
    done = office.pull(tmp_path / "to")

    assert 8 == done.refusal[0]
    assert "shows another host key than before" in done.refusal[1]
    assert "ssh-keygen -R" in done.hints[0]
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
        subprocess.run(["umount", str(disk)], check=True)

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
