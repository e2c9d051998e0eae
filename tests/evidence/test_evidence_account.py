"""The account that fetches: what it may do, on a real OpenSSH server, and above all what it may not."""

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from captures import NOW
from ssh_server import SshBox, free_port, make_key, needs_server, ssh_box

from appliance.evidence.index import INDEX_NAME
from appliance.evidence.spool_folder import SpoolFolder

CAPTURE = "019b8d9e-5d80-7000-8000-000000000001"
SEALED = b"sealed bytes"

server = pytest.mark.debian(reason="openssh-server")


# ---------------------------------------------------------------- on a real server


@dataclass(frozen=True)
class Admin:
    """A box, and an admin's key that signs in."""

    box: SshBox
    key: Path


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    """One server for all tests; one capture in its spool."""
    needs_server()
    folder = tmp_path_factory.mktemp("admin")
    with ssh_box([make_key(folder / "key")]) as box:
        SpoolFolder(box.spool).write(CAPTURE, SEALED, NOW)
        yield Admin(box, folder / "key")


@server
def test_it_reads_what_is_sealed(admin: Admin, tmp_path: Path) -> None:
    """Captures and their index lie where it arrives."""
    admin.box.sftp(admin.key, [f"get {CAPTURE}.age", f"get {INDEX_NAME}"], tmp_path)

    assert SEALED == (tmp_path / f"{CAPTURE}.age").read_bytes()
    assert (admin.box.spool / INDEX_NAME).read_bytes() == (tmp_path / INDEX_NAME).read_bytes()


@server
@pytest.mark.parametrize("command", [(), ("id",), ("rsync", "--server")])
def test_it_has_no_shell_and_runs_nothing(admin: Admin, command: Sequence[str]) -> None:
    """Neither a shell nor a command, whatever is asked for: only sftp answers."""
    ran = admin.box.ssh(admin.key, *command)

    assert (1, "This service allows sftp connections only.") == (ran.returncode, ran.stdout.strip())


@server
def test_it_gets_no_terminal(admin: Admin) -> None:
    """Asked for with force, it is refused."""
    assert "PTY allocation request failed" in admin.box.ssh(admin.key, "-tt").stderr


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A service of the box's own loopback, and who called it."""
    called: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    caller, _ = listening.accept()
                except TimeoutError:
                    continue
                called.append("called")
                caller.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], called
        ended.set()
        thread.join()


@server
def test_it_reaches_nothing_behind_the_box(admin: Admin, listener: tuple[int, list[str]]) -> None:
    """A connection onward is refused, and nobody is called."""
    port, called = listener
    ran = admin.box.ssh(admin.key, options=["-W", f"127.0.0.1:{port}"])

    assert "administratively prohibited" in ran.stderr
    assert [] == called


@server
def test_it_reaches_no_socket_of_the_box(admin: Admin, tmp_path: Path) -> None:
    """Nor a Unix socket, as the desk's is one."""
    path = Path("/run") / f"door-test-{os.getpid()}.sock"
    local = tmp_path / "l"
    with socket.socket(socket.AF_UNIX) as desk:
        desk.bind(str(path))
        path.chmod(0o777)
        desk.listen()
        desk.settimeout(0.5)
        forward = subprocess.Popen(
            [
                *("ssh", "-F", str(admin.box.config), "-p", str(admin.box.port), "-i", str(admin.key)),
                *("-l", admin.box.account, "-N", "-L", f"{local}:{path}", "127.0.0.1"),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            while not local.exists():
                assert forward.poll() is None
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(local))
                caller.settimeout(10)
                answer = caller.recv(1)
            with pytest.raises(TimeoutError):
                desk.accept()
        finally:
            path.unlink()
            forward.terminate()
            said = forward.communicate(timeout=10)[1]

    assert b"" == answer
    assert "open failed" in said


@server
@pytest.mark.parametrize("onto", ["{port}:127.0.0.1:1", "/tmp/door-test-{port}.sock:127.0.0.1:1"])
def test_it_opens_no_port_on_the_box(admin: Admin, onto: str) -> None:
    """Neither a port nor a socket is listened on for it."""
    wanted = onto.format(port=free_port())
    ran = admin.box.ssh(admin.key, options=["-N", "-o", "ExitOnForwardFailure=yes", "-R", wanted])

    assert 255 == ran.returncode
    assert "forwarding failed" in ran.stderr


WRITING = [
    f"put harmless {CAPTURE}.age",
    "put harmless new.age",
    "put harmless ../new.age",
    f"reput longer {CAPTURE}.age",
    f"rm {CAPTURE}.age",
    f"rename {CAPTURE}.age other.age",
    f"rename -l {CAPTURE}.age other.age",
    f"ln {CAPTURE}.age other.age",
    f"ln -s {CAPTURE}.age other.age",
    f"chmod 777 {CAPTURE}.age",
    f"chown 0 {CAPTURE}.age",
    f"chgrp 0 {CAPTURE}.age",
    f"cp {CAPTURE}.age other.age",
    "mkdir folder",
    "rmdir ../sealed",
    f"rm {INDEX_NAME}",
]


@server
def test_it_changes_nothing(admin: Admin, tmp_path: Path) -> None:
    """Writing, renaming, linking, deleting, changing modes: each refused, and the spool is as it was."""

    def state() -> set[tuple[str, bytes, int, int]]:
        return {
            (path.name, path.read_bytes(), path.stat().st_mode, path.stat().st_nlink)
            for path in admin.box.spool.iterdir()
        }

    (tmp_path / "harmless").write_text("x")
    (tmp_path / "longer").write_bytes(SEALED + b" and more")
    before = state()
    said = admin.box.sftp(admin.key, WRITING, tmp_path)
    answers = dict(zip(WRITING, said.split("sftp> -")[1:], strict=True))
    refused = re.compile(
        "denied|not permitted|Failure|read-only|unsupported|not support|Couldn't", re.IGNORECASE
    )

    assert [] == [command for command, answer in answers.items() if not refused.search(answer)]
    assert before == state()
    assert ["sealed"] == [path.name for path in admin.box.plan.chroot.iterdir()]


@server
def test_it_sees_nothing_outside(admin: Admin, tmp_path: Path) -> None:
    """No path leads out of the chroot, though the files there may be read by everybody."""
    (admin.box.folder / "state" / "device.key").write_text("not for it")
    (admin.box.folder / "state" / "device.key").chmod(0o644)
    outside = ["/etc/passwd", "../../../../etc/passwd", "/proc/self/environ", "../../state/device.key"]
    said = admin.box.sftp(admin.key, [f"get {path} out" for path in outside], tmp_path)

    assert len(outside) == said.count("not found")
    assert not (tmp_path / "out").exists()


@server
def test_it_sees_one_folder(admin: Admin, tmp_path: Path) -> None:
    """At the root of what it sees there is the view of the spool, and nothing else."""
    said = admin.box.sftp(admin.key, ["pwd", "ls -1a /", "cd ../../..", "pwd"], tmp_path)

    assert ["Remote working directory: /sealed", "Remote working directory: /"] == [
        line for line in said.splitlines() if line.startswith("Remote")
    ]
    assert {"/.", "/..", "/sealed"} >= {line for line in said.splitlines() if line.startswith("/")}


@server
def test_a_link_in_the_spool_leads_nowhere(admin: Admin, tmp_path: Path) -> None:
    """Whoever can write to the spool cannot show it other files of the box."""
    link = admin.box.spool / "link"
    link.symlink_to("/etc/passwd")
    try:
        said = admin.box.sftp(admin.key, ["get link out"], tmp_path)
    finally:
        link.unlink()

    assert "No such file" in said
    assert not (tmp_path / "out").exists()


@server
def test_the_view_is_the_spool_and_nobody_writes_through_it(admin: Admin) -> None:
    """Mounted read-only: not even root writes through it."""
    if str(admin.box.plan.view) not in Path("/proc/self/mountinfo").read_text().split():
        pytest.skip("may not mount here")
    with pytest.raises(OSError, match="Read-only file system"):
        (admin.box.plan.view / "new").touch()


@server
def test_it_signs_in_with_a_key_alone(admin: Admin) -> None:
    """No other way is offered."""
    others = "password,keyboard-interactive,hostbased,gssapi-with-mic,none"
    ran = admin.box.ssh(admin.key, options=["-o", f"PreferredAuthentications={others}"])

    assert "Permission denied (publickey)." in ran.stderr


@server
def test_another_key_is_not_let_in(admin: Admin, tmp_path: Path) -> None:
    """Only the recipients' are."""
    make_key(tmp_path / "stranger")

    assert "Permission denied (publickey)." in admin.box.ssh(tmp_path / "stranger").stderr


@pytest.mark.debian(reason="rsync")
def test_the_rsync_kind_reads_one_folder_and_runs_nothing_else(tmp_path: Path) -> None:
    """Fetches with `rsync`; a command, another folder and writing are refused."""
    needs_server()
    if not Path("/usr/bin/rrsync").exists():
        pytest.skip("needs the program rrsync")

    def rsync(source: str, target: str) -> int:
        shell = f"ssh -F {box.config} -p {box.port} -i {tmp_path / 'key'} -l {box.account}"
        return subprocess.run(
            ["rsync", "-a", "-e", shell, source, target], check=False, capture_output=True
        ).returncode

    with ssh_box([make_key(tmp_path / "key")], kind="rsync") as box:
        SpoolFolder(box.spool).write(CAPTURE, SEALED, NOW)
        fetched = rsync("127.0.0.1:./", f"{tmp_path}/to/")
        written = rsync(f"{tmp_path}/key.pub", "127.0.0.1:./")
        outside = rsync("127.0.0.1:../../host_key.pub", f"{tmp_path}/out/")
        ran = box.ssh(tmp_path / "key", "id")
        left = {path.name for path in box.spool.iterdir()}

    assert (0, SEALED) == (fetched, (tmp_path / "to" / f"{CAPTURE}.age").read_bytes())
    assert 0 not in (written, outside, ran.returncode)
    assert "uid=" not in ran.stdout
    assert {f"{CAPTURE}.age", INDEX_NAME} == left
    assert not (tmp_path / "out" / "host_key.pub").exists()
