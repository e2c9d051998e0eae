"""The command line itself: help, version, and one form for whatever goes wrong."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from commands import call

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("events", "--help"), ("enroll", "add", "-h")])
def test_help_is_no_error(arguments: tuple[str, ...]) -> None:
    """On standard output, with exit code 0."""
    done = call(*arguments)

    assert (0, "") == (done.code, done.err)
    assert done.out.startswith("Usage: appliance")


@pytest.mark.parametrize("arguments", [(), ("events",), ("enroll",)])
def test_half_a_command_shows_the_help(arguments: tuple[str, ...]) -> None:
    """It did nothing, so it does not end with 0."""
    done = call(*arguments)

    assert 2 == done.code
    assert "Usage: appliance" in done.out + done.err
    assert [] == done.errors


def test_the_version_is_that_of_the_project() -> None:
    """Told in one line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert f"appliance, version {project['version']}\n" == call("--version").out


def test_commands_of_other_packages_are_listed_beside_ours() -> None:
    """`enroll` comes from a package of its own."""
    listed = call("--help").out

    assert "  enroll " in listed
    assert "  events " in listed


def test_an_error_of_several_lines_says_so_on_each(box: Any) -> None:
    """Every fault of the settings is a line that begins alike, for whoever greps."""
    box.settings("sitee = 1\n[logg]\nlevel = 1\n")
    done = box.call("check")

    assert 2 == done.code
    assert 2 == len(done.errors)
    assert len(done.err.splitlines()) == len(done.errors) + len(done.hints)


def test_a_missing_choice_is_told_in_one_line(box: Any, tmp_path: Path) -> None:
    """Also where the grammar's own message has a line for each choice."""
    (tmp_path / "source").touch()
    done = box.call("models", "convert", tmp_path / "source", tmp_path / "target")

    assert 2 == done.refusal[0]
    assert "coco-ssd, dlib, efficientnet, sface, voc-ssd, yolox, yunet" in done.errors[0]
