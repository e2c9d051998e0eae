"""Carrying out the plan of an account, as root: makes it, writes its files, puts them in force.

The SSH server is asked whether it takes the files before it is made to read them, and whether it
then does what they say; if not, what stood there before is put back. What is to be done is
`account`'s; running programs and the place of the files are handed in.
"""

import os
import pwd
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import InputError
from appliance.evidence.account import AccountPlan

Run = Callable[[Sequence[str]], str]
"""Runs a program and gives its standard output; raises InputError when it fails."""


@dataclass(frozen=True, slots=True)
class ExistingAccount:
    """An account that is there already.

    Attributes:
        uid: Its number.
        home: Its home directory.
    """

    uid: int
    home: str


FindAccount = Callable[[str], ExistingAccount | None]


def find_account(name: str) -> ExistingAccount | None:
    """An account of this machine."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return ExistingAccount(found.pw_uid, found.pw_dir)


def carry_out(
    plan: AccountPlan, run: Run, *, find: FindAccount = find_account, root: Path = Path("/")
) -> tuple[str, ...]:
    """Make the account and everything around it; doing it again changes nothing but the keys.

    Args:
        plan: What to do.
        run: Runs programs.
        find: Looks accounts up.
        root: What stands before the files' paths.

    Returns:
        What was done, a sentence each.

    Raises:
        InputError: There is an account of that name which is somebody's, a program failed, the SSH server
            does not take the files, or does not read them.
    """
    done: list[str] = []
    existing = find(plan.name)
    if existing is not None and (existing.uid == 0 or existing.home != "/nonexistent"):
        raise InputError(
            f"there is an account {plan.name}, and it was not made for this",
            hint="choose another name with --name",
        )
    if existing is None:
        run(plan.create)
        done.append(f"account {plan.name} made")
    for command in plan.share:
        run(command)
    done.append(f"its group may read {plan.spool}")
    before = {file.path: _content(root, file.path) for file in plan.files}
    check, *others = plan.after
    try:
        for file in plan.files:
            _write(_below(root, file.path), file.content.encode("ascii"))
        run(check)
        _confirm(plan, run)
    except InputError:
        for path, content in before.items():
            _restore(_below(root, path), content)
        raise
    done += [f"{file.path} written" for file in plan.files]
    for command in others:
        run(command)
    done.append(f"{plan.spool} shows read-only at {plan.view}; the SSH server has read its settings")
    return tuple(done)


def _confirm(plan: AccountPlan, run: Run) -> None:
    """Ask the SSH server whether every line would hold for the account.

    Raises:
        InputError: One does not.
    """
    said = run(("sshd", "-T", "-C", f"user={plan.name},host=localhost,addr=127.0.0.1"))
    if not {_as_told(line) for line in plan.confined} <= {_as_told(line) for line in said.splitlines()}:
        raise InputError(
            "the SSH server does not do what the account's file says, so it was taken back",
            hint="/etc/ssh/sshd_config must begin with: Include /etc/ssh/sshd_config.d/*.conf",
        )


def _as_told(line: str) -> str:
    """A line as `sshd -T` writes it: the keyword in small letters, the value as it stands."""
    keyword, _, value = line.strip().partition(" ")
    return f"{keyword.lower()} {value}"


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _content(root: Path, path: Path) -> bytes | None:
    try:
        return _below(root, path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    """Put a file (0644) in its place, whole or not at all."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor, spare = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(spare).replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", hint="run this as root, on the box"
        ) from error


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        _write(path, content)
