"""A real OpenSSH server on loopback with the account that `appliance captures account` plans.

It has the chroot and, where mounting is allowed, the read-only view, and lets in `nobody`, who is on
every machine. For that it takes root, as the real one does.
"""

import contextlib
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from appliance.evidence.account import AccountKind, AccountPlan, plan_account
from appliance.evidence.spool_folder import SpoolFolder

SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin")
_STARTED_WITHIN_S = 15.0


def needs_server() -> None:
    """Skip where there is no OpenSSH server, or nobody may start it as it has to be."""
    if os.geteuid() != 0:
        pytest.skip("needs root: the server has a chroot and lets in another account")
    if SSHD is None or shutil.which("sftp") is None:
        pytest.skip("needs the programs sshd and sftp")


def make_key(path: Path, *options: str) -> str:
    """Make an SSH key without a passphrase; its public line."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "somebody@desk", "-f", str(path), *options],
        check=True,
    )
    return path.with_name(f"{path.name}.pub").read_text().strip()


def free_port() -> int:
    """A TCP port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class SshBox:
    """A box with a spool and a server.

    Attributes:
        folder: Root's, for everything of the server.
        spool: The sealed captures.
        account: Who signs in.
        port: Of the server.
        config: An ssh_config that knows the server's key.
        plan: What was planned for the account.
    """

    folder: Path
    spool: Path
    account: str
    port: int
    config: Path
    plan: AccountPlan
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """As `appliance captures pull` takes it."""
        return f"127.0.0.1:{self.port}"

    def ssh(
        self, key: Path, *arguments: str, options: Sequence[str] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """Run the ssh program against it."""
        return subprocess.run(
            [
                *("ssh", "-F", str(self.config), "-p", str(self.port), "-i", str(key), "-l", self.account),
                *("-o", "BatchMode=yes", *options, "127.0.0.1", *arguments),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def sftp(self, key: Path, commands: Sequence[str], cwd: Path) -> str:
        """Run commands in the sftp program, whatever becomes of each; all it says."""
        ran = subprocess.run(
            [
                *("sftp", "-F", str(self.config), "-P", str(self.port), "-i", str(key)),
                *("-o", f"User={self.account}", "-b", "-", "127.0.0.1"),
            ],
            input="".join(f"-{command}\n" for command in commands),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=cwd,
            timeout=30,
        )
        return ran.stdout

    def know(self, public: str) -> None:
        """Have clients expect this host key."""
        self.folder.joinpath("known_hosts").write_text(f"box {public}\n")

    def know_right(self) -> None:
        """Have clients expect the host key that it has."""
        self.know(" ".join(self.folder.joinpath("host_key.pub").read_text().split()[:2]))

    def __enter__(self) -> Self:
        """Start the server and wait until it listens."""
        assert SSHD is not None
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as the system's own unit does
        log = (self.folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")],
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        until = time.monotonic() + _STARTED_WITHIN_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError((self.folder / "log").read_text())
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)


@contextlib.contextmanager
def ssh_box(recipients: Sequence[str], *, kind: AccountKind = "sftp") -> Iterator[SshBox]:
    """A box whose spool is empty, whose account lets in the SSH keys among the recipients."""
    # Below no folder that others may write to, which the server insists on: not below /tmp.
    with tempfile.TemporaryDirectory(prefix="door-ssh-", dir="/run") as name:
        folder = Path(name)
        folder.chmod(0o755)
        spool, chroot = folder / "state" / "spool", folder / "view"
        confined = kind == "sftp"
        # rrsync needs a shell, which `nobody` has not: root signs in.
        account = "nobody" if confined else "root"
        plan = plan_account(recipients, spool, name="nobody", kind=kind, chroot=chroot)
        SpoolFolder(spool).make()
        for each in (chroot, plan.view):
            each.mkdir(mode=0o755)
        if confined:
            group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_gid
            os.chown(spool, os.geteuid(), group)
            spool.chmod(0o2750)
        box = SshBox(folder, spool, account, free_port(), folder / "ssh_config", plan)
        _configure(box)
        with _view(box), box:
            yield box


def _configure(box: SshBox) -> None:
    """The server's settings: what the plan says, on a port of ours with keys of ours."""
    make_key(box.folder / "host_key")
    keys, rules, _ = box.plan.files
    text = rules.content.replace(str(keys.path), str(box.folder / "authorized_keys"))
    text = text.replace("Match User nobody", f"Match User {box.account}")
    (box.folder / "authorized_keys").write_text(keys.content)
    (box.folder / "sshd_config").write_text(
        f"Port {box.port}\nListenAddress 127.0.0.1\nHostKey {box.folder / 'host_key'}\nPidFile none\n"
        "UsePAM no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
        f"MaxStartups 100\n{text}"
    )
    box.config.write_text(
        "Host *\n HostKeyAlias box\n GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking yes\n"
        f" UserKnownHostsFile {box.folder / 'known_hosts'}\n UpdateHostKeys no\n"
        " IdentityAgent none\n IdentitiesOnly yes\n"
    )
    for path in box.folder.iterdir():
        if path.is_file():
            path.chmod(0o600 if path.name == "host_key" else 0o644)
    box.know_right()


@contextlib.contextmanager
def _view(box: SshBox) -> Iterator[None]:
    """The read-only view of the spool; where mounting is not allowed, the folder itself in its place."""
    view = box.plan.view
    options = box.plan.files[2].content.partition("Options=")[2].splitlines()[0]
    mounted = not subprocess.run(
        ["mount", "-o", options, box.spool, view], check=False, capture_output=True
    ).returncode
    if not mounted:
        view.rmdir()
        box.spool.rename(view)
        box.spool.symlink_to(view)
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", view], check=True)


class Wire:
    """A stretch of network before a server: counts what it hands on, and breaks when told.

    Args:
        port: The server's.
        breaks: After how many bytes of the server's each connection in turn is cut; the rest are not, or,
            with `then_shut`, not let through at all.
        then_shut: Nothing is let through after those.
    """

    def __init__(self, port: int, breaks: Sequence[int] = (), *, then_shut: bool = False) -> None:
        self._to = port
        self._breaks = list(breaks)
        self._then_shut = then_shut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.carried = 0
        self.connections = 0
        self._open: list[socket.socket] = []
        self._carriers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for carrier in self._carriers:
            carrier.join(timeout=10)
        for each in self._open:
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if not self._breaks and self._then_shut:
                client.close()
                continue
            limit = self._breaks.pop(0) if self._breaks else None
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open += [client, server]
            for ends in ((client, server, None, False), (server, client, limit, True)):
                self._carriers.append(threading.Thread(target=self._carry, args=ends, daemon=True))
                self._carriers[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket, limit: int | None, counts: bool) -> None:  # noqa: FBT001 - threads pass no names
        """Hand on until one side ends, or the limit is reached."""
        left = limit
        with contextlib.suppress(OSError):
            while left is None or left > 0:
                data = source.recv(65536 if left is None else min(left, 65536))
                if not data:
                    break
                sink.sendall(data)
                if counts:
                    self.carried += len(data)
                left = None if left is None else left - len(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
