"""An account on the box from which sealed captures can be fetched, and nothing else be done.

Works out everything that makes it: the lines of `useradd`, the files, the read-only view. `sftp`
(recommended) is confined by OpenSSH itself: chroot, read-only, no shell, no forwarding. `rsync` is a
forced command and has a shell behind it. Nothing is changed here: the plan is printed for review or
carried out by `account_setup`. No text of anybody's becomes a word of a shell or a line of a file:
names and paths are of few characters or refused, and of keys only type and key are taken.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.errors import InputError, RecipientError
from appliance.evidence.recipients import RecipientKind, parse_recipient

AccountKind = Literal["sftp", "rsync"]

_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_PATH = re.compile(r"(?:/[A-Za-z0-9_+@=.-]*[A-Za-z0-9_+@=-])+")
"""Characters that neither sshd_config nor systemd nor a shell reads anything into."""
_SSHD_FOLDER = Path("/etc/ssh/sshd_config.d")
_KEYS_FOLDER = Path("/etc/ssh")
_UNITS = Path("/etc/systemd/system")
VIEW = "sealed"
"""The folder in the chroot that shows the spool."""


@dataclass(frozen=True, slots=True)
class AccountFile:
    """A file of the plan, owned by root.

    Attributes:
        path: Absolute.
        content: ASCII text.
        why: What it is for, in a few words.
    """

    path: Path
    content: str
    why: str


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """Everything that makes the account.

    Attributes:
        name: Of the account and its group.
        kind: How captures are fetched.
        spool: The folder with the sealed captures.
        chroot: What the account sees as `/`; root's.
        create: Command that makes the account.
        files: To be written, mode 0644, before `after` is run.
        confined: What the SSH server is to hold the account to: keyword and value, as its file says it.
        share: Commands that let the account's group read the spool.
        after: Commands that put files and view in force.
        keys: How many SSH keys may sign in.
        left_out: Fingerprints of recipients that cannot sign in: age keys.
    """

    name: str
    kind: AccountKind
    spool: Path
    chroot: Path
    create: tuple[str, ...]
    files: tuple[AccountFile, ...]
    confined: tuple[str, ...]
    share: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...]
    keys: int
    left_out: tuple[str, ...]

    @property
    def view(self) -> Path:
        """Where the spool shows, read-only."""
        return self.chroot / VIEW


def plan_account(
    recipients: Sequence[str],
    spool: Path,
    *,
    name: str = "captures",
    kind: AccountKind = "sftp",
    chroot: Path = Path("/srv/captures"),
) -> AccountPlan:
    """Work out the account.

    Args:
        recipients: Public keys as the settings have them.
        spool: The folder with the sealed captures, absolute.
        name: Of the account and its group.
        kind: How captures are fetched.
        chroot: What the account is to see as `/`.

    Raises:
        InputError: A name or a path has characters that are read into, or no recipient is an SSH key.
        RecipientError: A recipient is no public key.
    """
    if not _ACCOUNT.fullmatch(name) or name == "root":
        raise InputError(
            "this cannot be the account's name", hint="up to 31 small letters, digits, - and _; not root"
        )
    for path in (spool, chroot):
        if not _PATH.fullmatch(str(path)) or ".." in path.parts:
            raise InputError(
                f"{path!s:.200} cannot stand in the files of an account".replace("\n", " "),
                hint="choose a path of letters, digits and / . _ - only",
            )
    if chroot == spool or chroot.is_relative_to(spool) or spool.is_relative_to(chroot):
        raise InputError("the view and the spool lie in each other", hint="leave --view as it is")
    keys, left_out = _keys(recipients)
    if not keys:
        raise InputError(
            "no recipient in the settings is an SSH key, so nobody could sign in",
            hint="add the ssh-ed25519 or ssh-rsa key of an admin to the recipients; age keys open captures, "
            "but do not sign in",
        )
    view = chroot / VIEW
    keys_file = _KEYS_FOLDER / f"{name}.authorized_keys"
    unit = f"{unit_name(view)}.mount"
    confined = _confined(kind, chroot, keys_file)
    files = (
        AccountFile(
            keys_file, _authorized(keys, kind, view), "who may sign in: the SSH keys among the recipients"
        ),
        AccountFile(_SSHD_FOLDER / f"10-{name}.conf", _sshd(name, confined), "what the account may do"),
        AccountFile(_UNITS / unit, _mount(spool, view), "the read-only view of the spool"),
    )
    shell = "/usr/sbin/nologin" if kind == "sftp" else "/bin/sh"
    return AccountPlan(
        name=name,
        kind=kind,
        spool=spool,
        chroot=chroot,
        create=(
            *("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"),
            *("--shell", shell, "--password", "*", name),
        ),
        files=files,
        confined=confined,
        share=(
            # Neither follows a link that whoever took the appliance's account may have laid there.
            ("chgrp", "-R", "--no-dereference", name, str(spool)),
            ("chmod", "-R", "u=rwX,g=rX,o=", str(spool)),
            ("chmod", "g+s", str(spool)),
            ("install", "-d", "-o", "root", "-g", "root", "-m", "755", str(chroot), str(view)),
        ),
        after=(
            ("sshd", "-t"),
            ("systemctl", "daemon-reload"),
            ("systemctl", "enable", "--now", unit),
            ("systemctl", "reload", "ssh"),
        ),
        keys=len(keys),
        left_out=left_out,
    )


def printed(plan: AccountPlan) -> str:
    """The plan for whoever reviews it: commands and files in the order they are needed."""
    parts = [
        f"# The account {plan.name}: fetches sealed captures by {plan.kind}, and can do nothing else.",
        "# Review it, then give the same command as root, with --apply,",
        "# or carry out by hand, in this order.",
        "",
        "# 1. The account: no password and no home" + ("" if plan.kind == "rsync" else ", no shell"),
        shlex.join(plan.create),
        "",
        "# 2. Its group may read the spool, and what comes into it; nobody else may.",
        *map(shlex.join, plan.share),
        "",
        "# 3. Files, all of them root's, mode 644",
    ]
    for file in plan.files:
        parts += [f"#    {file.why}", f"# ---- {file.path}", file.content.rstrip("\n"), "# ----", ""]
    parts += [
        "# 4. In force; sshd -t first, which finds faults before they lock anybody out",
        *map(shlex.join, plan.after),
    ]
    parts += ["", f"# {plan.keys} SSH key(s) may sign in. After a change of recipients, do this again."]
    parts += [
        f"# {fingerprint} is an age key: it opens captures, and cannot sign in."
        for fingerprint in plan.left_out
    ]
    return "\n".join(parts) + "\n"


def unit_name(path: Path) -> str:
    """A path as systemd names the unit of its mount (`systemd-escape --path`)."""
    text = str(path).strip("/")
    escaped = "".join(
        "-" if each == "/" else each if each.isalnum() or each in ":_." else f"\\x{ord(each):02x}"
        for each in text
    )
    return f"\\x2e{escaped[1:]}" if escaped.startswith(".") else escaped


def _keys(recipients: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Type and key of each SSH recipient, without its comment; and the fingerprints of the others."""
    keys: dict[str, str] = {}
    left_out: list[str] = []
    for number, line in enumerate(recipients, start=1):
        recipient = parse_recipient(line, where=f"recipient {number}")
        if recipient.kind is RecipientKind.AGE:
            left_out.append(recipient.fingerprint)
            continue
        kind, key = line.split()[:2]
        if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", key):  # it was read as base64 before; this is the belt
            raise RecipientError(f"recipient {number} is no public key")
        keys.setdefault(recipient.fingerprint, f"{kind} {key}")
    return tuple(keys.values()), tuple(left_out)


def _authorized(keys: Sequence[str], kind: AccountKind, view: Path) -> str:
    options = "restrict" if kind == "sftp" else f'restrict,command="/usr/bin/rrsync -ro {view}"'
    return "".join(f"{options} {key}\n" for key in keys)


def _confined(kind: AccountKind, chroot: Path, keys_file: Path) -> tuple[str, ...]:
    """What the account is held to. Each line is asked back from the server before it is put in force."""
    place = (
        (f"ChrootDirectory {chroot}", f"ForceCommand internal-sftp -R -d /{VIEW}")
        if kind == "sftp"
        else (f"ForceCommand /usr/bin/rrsync -ro {chroot / VIEW}",)
    )
    return (
        *place,
        f"AuthorizedKeysFile {keys_file}",
        "AuthorizedKeysCommand none",
        "AuthorizedPrincipalsFile none",
        "TrustedUserCAKeys none",
        "AuthenticationMethods publickey",
        "PubkeyAuthentication yes",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "DisableForwarding yes",
        "PermitTunnel no",
        "PermitTTY no",
        "PermitUserRC no",
        "MaxSessions 2",
    )


def _sshd(name: str, confined: Sequence[str]) -> str:
    lines = (
        f"# Account {name} of the office door appliance: sealed captures are fetched, nothing else is done.",
        f"Match User {name}",
        *(f"    {line}" for line in confined),
        "Match all",
    )
    return "\n".join(lines) + "\n"


def _mount(spool: Path, view: Path) -> str:
    return (
        "[Unit]\n"
        "Description=Sealed captures of the office door appliance, for fetching\n"
        f"RequiresMountsFor={spool}\n\n"
        "[Mount]\n"
        f"What={spool}\nWhere={view}\nType=none\nOptions=bind,ro,nosuid,nodev,noexec\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
