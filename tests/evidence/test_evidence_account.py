"""The account that fetches: what it may do, on a real OpenSSH server, and above all what it may not."""

import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from captures import NOW
from hypothesis import given
from hypothesis import strategies as st
from ssh_server import SSHD, SshBox, free_port, make_key, needs_server, ssh_box

from appliance.errors import ApplianceError, InputError
from appliance.evidence.account import AccountKind, AccountPlan, plan_account, printed, unit_name
from appliance.evidence.account_setup import ExistingAccount, carry_out
from appliance.evidence.index import INDEX_NAME
from appliance.evidence.spool_folder import SpoolFolder

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHCkqvrBHOLnXjEDCQ2IGPmZFcO5N+RBJN7Z7eM8FOmH"
AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SPOOL = Path("/var/lib/appliance/spool")
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


# ---------------------------------------------------------------- the plan


def test_the_plan_lets_in_the_ssh_keys_alone_and_without_their_comments() -> None:
    """A comment may be a name, an age key signs nobody in, and a key given twice counts once."""
    plan = plan_account([f"{ED25519} ann@desk", AGE, ED25519], SPOOL)

    assert f"restrict {ED25519}\n" == plan.files[0].content
    assert (1, 1) == (plan.keys, len(plan.left_out))
    assert "desk" not in printed(plan)


def test_without_an_ssh_key_nobody_could_sign_in() -> None:
    """Said, rather than an account made that lets nobody in."""
    with pytest.raises(InputError, match="nobody could sign in"):
        plan_account([AGE], SPOOL)


@given(text=st.text(min_size=1, max_size=40), place=st.sampled_from(["name", "spool", "chroot", "key"]))
def test_no_text_becomes_another_line_or_word(text: str, place: str) -> None:
    """Whatever somebody wrote: refused, or in every file exactly the lines there always are."""
    given = {"name": "captures", "chroot": Path("/srv/captures")}
    spool, recipients = SPOOL, [ED25519]
    if place == "key":
        recipients = [f"{ED25519} {text}"]
    elif place == "name":
        given["name"] = text
    elif place == "chroot":
        given["chroot"] = Path("/srv") / text.replace("\0", "\n")
    else:
        spool = Path("/var") / text.replace("\0", "\n")
    try:
        plan = plan_account(recipients, spool, **given)  # type: ignore[arg-type]
    except ApplianceError:
        return
    usual = plan_account([ED25519], SPOOL)

    assert [len(each.content.splitlines()) for each in usual.files] == [
        len(each.content.splitlines()) for each in plan.files
    ]
    assert [len(each.content.split()) for each in usual.files] == [
        len(each.content.split()) for each in plan.files
    ]
    assert len(printed(usual).splitlines()) == len(printed(plan).splitlines())


@pytest.mark.parametrize("name", ["root", "-x", "a b", "a;b", "Ann", "", "a" * 32, "a\n", "*", "x,!y"])
def test_names_that_are_read_into_are_refused(name: str) -> None:
    """`Match User` takes patterns and lists; an account of ours is neither, and never root."""
    with pytest.raises(InputError):
        plan_account([ED25519], SPOOL, name=name)


@pytest.mark.parametrize(
    "path", ["/a b", "/a%h", '/a"b', "/a/../b", "relative", "/a\nb", "/", "/a\\b", "/a:b", "/a/"]
)
def test_paths_that_are_read_into_are_refused(path: str) -> None:
    """Both sshd and systemd expand per cents and split at blanks."""
    with pytest.raises(InputError):
        plan_account(
            [ED25519], Path(path) if path != "/a/" else SPOOL, chroot=Path("/var/lib/appliance/spool/x")
        )


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/srv/captures/sealed", "srv-captures-sealed"),
        ("/srv/my-captures/a_b", r"srv-my\x2dcaptures-a_b"),
        ("/.hidden/x", r"\x2ehidden-x"),
        ("/a+b@c=d", r"a\x2bb\x40c\x3dd"),
    ],
)
def test_a_unit_is_named_as_systemd_names_it(path: str, unit: str) -> None:
    """Of another name it would be refused; these are the answers of `systemd-escape --path`."""
    assert unit == unit_name(Path(path))


@server
@pytest.mark.parametrize("kind", ["sftp", "rsync"])
def test_the_ssh_server_takes_the_file_as_it_is_printed(tmp_path: Path, kind: AccountKind) -> None:
    """Asked with `sshd -T`, it says what the plan wants for the account, and nothing else for others."""
    needs_server()
    plan = plan_account([ED25519], SPOOL, kind=kind)
    make_key(tmp_path / "host")
    config = tmp_path / "sshd_config"

    def holds(text: str, user: str) -> set[str]:
        config.write_text(f"HostKey {tmp_path / 'host'}\n{text}")
        given = [str(SSHD), "-T", "-f", str(config), "-C", f"user={user},host=localhost,addr=127.0.0.1"]
        return set(subprocess.run(given, check=True, capture_output=True, text=True).stdout.splitlines())

    ours = holds(plan.files[1].content, "captures")

    assert holds("", "nobody") == holds(plan.files[1].content, "nobody")
    assert {told(line) for line in plan.confined} <= ours
    assert {
        *("disableforwarding yes", "permittty no", "permituserrc no", "permittunnel no"),
        *("passwordauthentication no", "kbdinteractiveauthentication no", "authenticationmethods publickey"),
        *("authorizedkeysfile /etc/ssh/captures.authorized_keys", "authorizedkeyscommand none"),
    } <= ours
    if kind == "sftp":
        assert {"chrootdirectory /srv/captures", "forcecommand internal-sftp -R -d /sealed"} <= ours
    else:
        assert "forcecommand /usr/bin/rrsync -ro /srv/captures/sealed" in ours


# ---------------------------------------------------------------- carrying it out


@dataclass
class Machine:
    """A machine as root would find it: runs nothing, remembers what was asked of it.

    Attributes:
        fails: The first word of a command that fails.
        answers: What `sshd -T` says.
    """

    fails: str = ""
    answers: str = ""
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, command: Sequence[str]) -> str:
        """Run a program."""
        self.ran.append(tuple(command))
        if " ".join(command).startswith(self.fails or "\0"):
            raise InputError("it failed")
        if tuple(command[:2]) == ("sshd", "-T"):
            return self.answers
        return ""


def told(line: str) -> str:
    """A line of the account's file as `sshd -T` tells it."""
    keyword, _, value = line.partition(" ")
    return f"{keyword.lower()} {value}"


def obeying(plan: AccountPlan, *, but: str | None = None, instead: str = "") -> Machine:
    """A machine whose SSH server does what the plan says, but for one line perhaps."""
    lines = [told(line) if line != but else instead for line in plan.confined]
    return Machine(answers="\n".join(["port 22", *lines, ""]))


def nobody_yet(_: str) -> ExistingAccount | None:
    """No account of that name."""
    return None


def test_carrying_out_writes_the_files_and_runs_the_commands_in_order(tmp_path: Path) -> None:
    """The server is asked before anything is put in force."""
    plan = plan_account([ED25519], SPOOL)
    machine = obeying(plan)
    carry_out(plan, machine, find=nobody_yet, root=tmp_path)

    for file in plan.files:
        path = tmp_path / file.path.relative_to("/")
        assert (file.content, 0o644) == (path.read_text(), path.stat().st_mode & 0o777)
    assert [plan.create, *plan.share, plan.after[0], machine.ran[-4], *plan.after[1:]] == machine.ran
    assert ("sshd", "-T") == machine.ran[-4][:2]


def test_doing_it_again_makes_no_second_account(tmp_path: Path) -> None:
    """The keys are what changes."""
    plan = plan_account([ED25519], SPOOL)
    machine = obeying(plan)
    carry_out(plan, machine, find=lambda _: ExistingAccount(990, "/nonexistent"), root=tmp_path)

    assert plan.create not in machine.ran


@pytest.mark.parametrize("account", [ExistingAccount(1000, "/home/ann"), ExistingAccount(0, "/nonexistent")])
def test_somebodys_account_is_not_taken(tmp_path: Path, account: ExistingAccount) -> None:
    """Nothing is run and nothing written."""
    machine = Machine()
    with pytest.raises(InputError, match="was not made for this"):
        carry_out(plan_account([ED25519], SPOOL), machine, find=lambda _: account, root=tmp_path)

    assert ([], []) == (machine.ran, list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    "machine",
    [
        lambda: Machine(fails="sshd -t"),
        lambda: Machine(fails="sshd -T"),
        lambda: Machine(answers="permittty yes"),
    ],
)
def test_a_file_the_server_does_not_take_is_taken_back(
    tmp_path: Path, machine: Callable[[], Machine]
) -> None:
    """What stood there before stands there again; the server is not made to read anything."""
    asked, plan = machine(), plan_account([ED25519], SPOOL)
    keys = tmp_path / plan.files[0].path.relative_to("/")
    keys.parent.mkdir(parents=True)
    keys.write_text("as before")
    with pytest.raises(InputError):
        carry_out(plan, asked, find=nobody_yet, root=tmp_path)

    assert ["as before"] == [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(command[0] == "systemctl" for command in asked.ran)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (kind, line)
        for kind in ("sftp", "rsync")
        for line in plan_account([ED25519], SPOOL, kind=kind).confined  # type: ignore[arg-type]
    ],
)
def test_a_server_that_leaves_out_one_line_is_not_taken_for_one_that_obeys(
    tmp_path: Path, kind: AccountKind, line: str
) -> None:
    """Of either kind: `forcecommand none`, or other people's keys, is not done what was asked for."""
    plan = plan_account([ED25519], SPOOL, kind=kind)
    for instead in ("", f"{line.split(maxsplit=1)[0].lower()} none-of-it"):
        with pytest.raises(InputError, match="taken back"):
            carry_out(plan, obeying(plan, but=line, instead=instead), find=nobody_yet, root=tmp_path)
    carry_out(plan, obeying(plan), find=nobody_yet, root=tmp_path)

    assert 3 == sum(path.is_file() for path in tmp_path.rglob("*"))
