"""The account that fetches: what is written for it, and how that is carried out."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssh_server import SSHD, make_key, needs_server

from appliance.errors import ApplianceError, InputError
from appliance.evidence.account import AccountKind, AccountPlan, plan_account, printed, unit_name
from appliance.evidence.account_setup import ExistingAccount, carry_out

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHCkqvrBHOLnXjEDCQ2IGPmZFcO5N+RBJN7Z7eM8FOmH"
AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SPOOL = Path("/var/lib/appliance/spool")

server = pytest.mark.debian(reason="openssh-server")


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
