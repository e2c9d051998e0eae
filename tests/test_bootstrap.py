"""The file behind the README's two commands: it helps, and says in one sentence what stands in the way.

The interpreters, `df` and the index that these tests put in its way are programs and
addresses of their own; a real installation is what `.ci/run` does.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = (
    "sh",
    "awk",
    "basename",
    "cat",
    "date",
    "df",
    "dirname",
    "grep",
    "mkdir",
    "mktemp",
    "rm",
    "sed",
    "sort",
)
TOOLS += ("tail", "tr", "uname")

OLD = "sys.version_info = (3, 8, 18, 'final', 0)"
BARE = "sys.modules['ensurepip'] = None"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what `bootstrap` reads, so that no test touches the environment it runs in."""
    folder = tmp_path / "a checkout"  # with a space, as folders have
    for name in ("bootstrap", "pyproject.toml", "requirements.lock", "appliance/deploy/dlib/pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Links to the ordinary tools of this machine, and to no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """What a test puts on the PATH, before the tools; empty at first."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


@pytest.fixture
def run(checkout: Path, programs: Path, tools: Path) -> Run:
    """Run `bootstrap` from another folder, with nothing of this environment."""

    def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [checkout / "bootstrap", *arguments],
            env={"PATH": f"{programs}{os.pathsep}{tools}", "HOME": str(programs), **environment},
            cwd=programs,
            check=False,
            capture_output=True,
            text=True,
        )

    return start


def install_program(folder: Path, name: str, text: str) -> None:
    """Put a program on the PATH. A new file always: writing through a link would change this machine."""
    handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o755)
    with os.fdopen(handle, "w") as file:
        file.write(f"#!/bin/sh\n{text}\n")


def install_python(folder: Path, name: str, change: str = "pass") -> None:
    """Put this interpreter on the PATH, changed in one respect."""
    code = f"import sys; {change}; exec(sys.argv[2])"
    install_program(folder, name, f'exec "{sys.executable}" -c "{code}" "$@"')


def plain_name(requirement: str) -> str:
    """The name of a requirement, as a lock writes it."""
    return re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-")


def sentence(ran: subprocess.CompletedProcess[str]) -> str:
    """The one line that a refusal prints; it is one, it ends the run, and it is no traceback."""
    assert ran.returncode != 0
    (line,) = ran.stderr.splitlines()
    assert line.startswith("bootstrap: ")
    return line


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",), ("-h",)])
def test_without_a_command_it_helps(run: Run, arguments: tuple[str, ...]) -> None:
    """No command is no error: it shows the two that matter, and installs nothing."""
    ran = run(*arguments)

    assert (0, "") == (ran.returncode, ran.stderr)
    assert "./bootstrap demo" in ran.stdout
    assert "./bootstrap test" in ran.stdout


def test_an_unknown_command_is_refused(run: Run) -> None:
    """A slip of the finger shows the help and fails."""
    ran = run("dmeo")

    assert 1 == ran.returncode
    assert ran.stderr.endswith("bootstrap: there is no command dmeo.\n")


@pytest.mark.parametrize("command", ["demo", "test", "install"])
def test_without_python_it_says_what_to_install(run: Run, command: str) -> None:
    """Nothing on the PATH that is Python."""
    said = sentence(run(command))

    assert "Python 3.11 or later is needed and none was found" in said
    assert "apt-get install python3 python3-venv" in said


def test_an_old_python_is_named(run: Run, programs: Path) -> None:
    """The version that is there, and the one that is needed."""
    install_python(programs, "python3", OLD)
    said = sentence(run("demo"))

    assert "3.11 or later is needed and the newest one here is 3.8.18" in said


def test_a_launcher_without_a_python_behind_it_is_passed_over(run: Run, programs: Path) -> None:
    """Version managers leave such ones on the PATH."""
    install_program(programs, "python3.13", 'echo "python3.13: not installed" >&2; exit 127')
    install_python(programs, "python3", OLD)

    assert "the newest one here is 3.8.18" in sentence(run("demo"))


def test_a_python_without_venv_is_named(run: Run, programs: Path, checkout: Path) -> None:
    """Debian ships the module apart; the sentence names its package, and nothing was made."""
    install_python(programs, "python3", BARE)
    said = sentence(run("demo"))

    assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in said
    assert not (checkout / ".venv").exists()


def test_a_better_python_further_on_is_taken(run: Run, programs: Path) -> None:
    """Neither an old one nor one without venv is in the way of a good one."""
    install_python(programs, "python3.13", BARE)
    install_python(programs, "python3.12", OLD)
    (programs / "python3").symlink_to(sys.executable)
    install_program(programs, "df", "echo header; echo disk 100 99 1 99% /")

    ran = run("demo")

    assert f"[1/6] Python {sys.version.split()[0]}\n" == ran.stdout


def test_the_interpreter_can_be_chosen(run: Run, programs: Path) -> None:
    """PYTHON=… goes before the PATH, and no other is taken in its place."""
    (programs / "python3").symlink_to(sys.executable)
    install_python(programs, "older", OLD)

    assert "the newest one here is 3.8.18" in sentence(run("demo", PYTHON=str(programs / "older")))


def test_too_small_a_disk_is_told_before_anything_is_made(run: Run, programs: Path, checkout: Path) -> None:
    """How much is needed, and how much there is."""
    (programs / "python3").symlink_to(sys.executable)
    install_program(programs, "df", "echo header; echo disk 2000000 1600000 400000 80% /")
    said = sentence(run("demo"))

    assert "1500 MB of free disk are needed" in said
    assert "there are 400 MB" in said
    assert not (checkout / ".venv").exists()


def test_without_a_network_it_says_so(run: Run, programs: Path, checkout: Path) -> None:
    """An index that does not answer: one sentence, no wall of warnings, and the details in a file."""
    (programs / "python3").symlink_to(sys.executable)
    # Port 9 of this machine: refused at once. The machine's own pip settings are left out.
    ran = run("demo", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_CONFIG_FILE=os.devnull)

    assert "the Python package index cannot be reached" in sentence(ran)
    assert "[3/6] Packages" in ran.stdout
    assert "127.0.0.1" in (checkout / ".venv/bootstrap.log").read_text()
    assert not (checkout / ".venv/set-up").exists()


def test_the_locks_name_no_index_and_every_hash() -> None:
    """Fit for whatever index a machine uses: versions and hashes, no address, and no dlib to compile."""
    for name in ("requirements.lock", "tests/requirements.lock"):
        text = (ROOT / name).read_text()
        pins = re.findall(
            r"^[a-z0-9-]+==[^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE
        )

        assert not re.search(r"://|^dlib=|--(index|find|extra)", text, re.MULTILINE)
        assert len(re.findall(r"^[a-z]\S*==", text, re.MULTILINE)) == len(pins) > 10


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """A dependency added to pyproject.toml and not locked would be missing on every new machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    text = (ROOT / "requirements.lock").read_text()
    wanted = set(map(plain_name, project["project"]["dependencies"]))
    assert wanted <= set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))

    text += (ROOT / "tests/requirements.lock").read_text()
    wanted |= set(map(plain_name, project["dependency-groups"]["test"]))
    assert wanted <= set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def test_the_stand_in_asks_for_the_dlib_that_is_locked() -> None:
    """Otherwise `pip check` would stop every installation."""
    stand_in = tomllib.loads((ROOT / "appliance/deploy/dlib/pyproject.toml").read_text())["project"]
    (wanted,) = stand_in["dependencies"]

    assert f"\n{wanted} \\\n" in (ROOT / "requirements.lock").read_text()


def test_every_debian_package_that_a_test_names_is_listed(run: Run) -> None:
    """`.ci/run` installs what `bootstrap packages` prints: a test must not name another one."""
    named = set()
    for path in (ROOT / "tests").rglob("*.py"):
        named |= set(re.findall(r'mark\.debian\(\s*(?:reason=)?"([a-z0-9.+-]+)', path.read_text()))

    assert set() == named - set(run("packages").stdout.split())


@pytest.mark.debian(reason="shellcheck")
@pytest.mark.parametrize("name", ["bootstrap", ".ci/run"])
def test_shellcheck_finds_nothing(name: str) -> None:
    """The shell's traps are left to a program that knows them."""
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("needs the program shellcheck")
    ran = subprocess.run([program, ROOT / name], check=False, capture_output=True, text=True)

    assert "" == ran.stdout
