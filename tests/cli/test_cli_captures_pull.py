"""`appliance captures pull`: a real OpenSSH server on loopback, the system's sftp, the admin's own key."""

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from captures import NOW, head, make_shot
from commands import call
from PIL import Image
from pull_office import BIG, FACTS, Office, names, told
from ssh_server import Wire

from appliance.evidence import parse_recipients, seal
from appliance.evidence.index import INDEX_NAME, IndexRow, came
from appliance.evidence.spool_folder import SpoolFolder
from appliance.ids import random_ids

pytestmark = pytest.mark.debian(reason="openssh-server")


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
