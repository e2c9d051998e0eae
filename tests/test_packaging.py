"""What pyproject.toml says of the package is true of an installed one, wherever it is called from."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("appliance", "enroll", "web", "migrations")


def locked(*names: str) -> dict[str, str]:
    """Package → version of lock files."""
    text = "".join((ROOT / each).read_text(encoding="utf-8") for each in names)
    return dict(re.findall(r"^([a-z0-9.-]+)==([^\s;\\]+)", text, re.MULTILINE))


def elsewhere(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in another folder, without the checkout on any path of this test run."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [*command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def program() -> str:
    """The installed program, beside this interpreter."""
    found = Path(sys.executable).with_name("appliance")
    if not found.exists():
        pytest.skip("the project is not installed: pip install -e .")
    return str(found)


@pytest.mark.parametrize("text", PROJECT["project"]["dependencies"])
def test_a_dependency_is_locked_to_a_version_that_is_asked_for(text: str) -> None:
    """A range raised in pyproject.toml and not in the lock would be a promise nobody keeps."""
    wanted = Requirement(text)

    assert wanted.specifier.contains(locked("requirements.lock")[canonicalize_name(wanted.name)])


@pytest.mark.parametrize(
    "text",
    [*PROJECT["dependency-groups"]["test"], *PROJECT["project"]["optional-dependencies"]["postgresql"]],
)
def test_a_test_tool_is_locked_to_a_version_that_is_asked_for(text: str) -> None:
    """In the second lock, or in the first."""
    wanted = Requirement(text)
    versions = locked("requirements.lock", "tests/requirements.lock")

    assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)])


def test_the_two_locks_agree() -> None:
    """What both pin they pin alike, or one of the two could not be installed beside the other."""
    one, two = locked("requirements.lock"), locked("tests/requirements.lock")

    assert {} == {each: (one[each], two[each]) for each in one.keys() & two.keys() if one[each] != two[each]}


def test_entry_points_load() -> None:
    """The program, and every command that another package brings."""
    brought = PROJECT["project"]["entry-points"]["appliance.commands"]
    found = {each.name: each for each in entry_points(group="appliance.commands")}
    (script,) = entry_points(group="console_scripts", name="appliance")

    assert callable(script.load())
    assert set(brought) <= set(found)
    for name in brought:
        assert brought[name] == found[name].value
        assert isinstance(found[name].load(), click.Command)


def test_the_program_tells_its_version(program: str, tmp_path: Path) -> None:
    """That of pyproject.toml, from any folder."""
    done = elsewhere(tmp_path, program, "--version")

    assert (0, f"appliance, version {PROJECT['project']['version']}\n", "") == (
        done.returncode,
        done.stdout,
        done.stderr,
    )


def test_migrations_and_data_are_found_from_any_folder(program: str, tmp_path: Path) -> None:
    """A first boot, the measured tables, the manifest and the scene need no checkout to stand in."""
    code = """
from pathlib import Path
from appliance.app.examining import examine
from appliance.app.loop import read_policy
from appliance.camera import Scene
from appliance.models.folder import ModelFolder
from appliance.services import Layout, open_services
from appliance.settings import Settings

with open_services(Settings(), Layout(Path("state")), create=True) as services:
    print(services.store.is_empty())
print(bool(read_policy(Settings()).models), bool(ModelFolder().manifest.models), Scene().render(0).shape)
"""
    done = elsewhere(tmp_path, sys.executable, "-c", code)
    listed = elsewhere(tmp_path, program, "--state", "state", "events", "verify")

    assert ("True\nTrue True (720, 1280, 3)\n", "") == (done.stdout, done.stderr)
    assert 0 == listed.returncode
    assert (tmp_path / "state" / "appliance.db").is_file()


def imported(path: Path) -> set[str]:
    """The first word of every module that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_nothing_is_imported_from_the_tests() -> None:
    """The packages that are installed are those that are listed, and none of them needs the tests."""
    assert [f"{each}*" for each in PACKAGES] == PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    helpers = {path.stem for path in (ROOT / "tests" / "support").glob("*.py")}
    wrong = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in imported(path)
        if name in helpers or name == "tests"
    ]

    assert [] == wrong
