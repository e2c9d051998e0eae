"""What is said of a fault fits where it is said: a hint goes to pages too, so it names no command."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from appliance.cli import appliance
from appliance.errors import ApplianceError, SettingsError
from appliance.wire.failures import to_error, to_failure

ROOT = Path(__file__).parents[1]
PACKAGES = ("appliance", "enroll", "web")
OF_A_TERMINAL = ("appliance/cli/", "appliance/deploy/")
NAMES = appliance.list_commands(click.Context(appliance))
COMMAND = re.compile(rf"(?<!the )\bappliance (?:{'|'.join(NAMES)})\b")


def said(node: ast.expr) -> str:
    """The text of a string in the source, f-strings without what is filled in."""
    return "".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def hints(tree: ast.AST) -> Iterator[ast.expr]:
    """What is given as `hint=`, and the hint of a finding, which is its fourth argument."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or "_log" in ast.unparse(node.func):
            continue  # diagnostics are read on the machine
        yield from (each.value for each in node.keywords if each.arg == "hint")
        if ast.unparse(node.func) == "Finding":
            yield from node.args[3:4]


def test_no_hint_names_a_command() -> None:
    """Errors, findings and camera states are shown in the browser, which has no shell to type it into."""
    found = []
    for path in (each for package in PACKAGES for each in (ROOT / package).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if not name.startswith(OF_A_TERMINAL):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [f"{name}:{hint.lineno}" for hint in hints(tree) if COMMAND.search(said(hint))]

    assert "doctor" in NAMES
    assert [] == found


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({}, ""),
        ({"hint": "add one"}, "add one"),
        ({"command": "appliance run"}, "appliance run"),
        ({"hint": "add one", "command": "or: appliance demo"}, "add one; or: appliance demo"),
    ],
)
def test_a_terminal_is_told_both_and_a_page_the_hint_alone(given: dict[str, Any], advice: str) -> None:
    """What to type crosses no socket, and pages hear of faults through one only."""
    error = SettingsError("no camera", **given)
    told: ApplianceError = to_error(to_failure(error))

    assert advice == error.advice
    assert (given.get("hint", ""), "") == (told.hint, told.command)
