"""The reference pages, made from the program itself: settings, commands, events, operations of the API.

`python tests/support/reference.py` writes them; `tests/test_docs.py` fails when they are stale.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import api_operations
import click

from appliance import events
from appliance.cli import appliance
from appliance.cli.check import described
from appliance.settings import Settings

ROOT = Path(__file__).parents[2]
_MADE = "<!-- Made by tests/support/reference.py from the program; do not edit. -->"


def pages() -> dict[Path, Callable[[], str]]:
    """Every reference page: where it stands, and what makes what it must hold, which takes its time."""
    folder = ROOT / "appliance"
    return {
        folder / "SETTINGS.md": settings_page,
        folder / "CLI.md": commands_page,
        folder / "EVENTS.md": events_page,
        ROOT / "web" / "api" / "operations.json": api_operations.text,
    }


def settings_page() -> str:
    """Every setting with default, meaning and restart scope."""
    lines = [
        "# Settings",
        "",
        _MADE,
        "",
        "One TOML file, written by people, never by the program. `appliance check` finds mistakes.",
        "`[]` stands for one of several: `[[cameras]]` in the file.",
        "",
        "| Setting | Default | Meaning | A change needs |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{row['key']}` | `{_default(row['default'])}` | {row['meaning']} | restart of {row['scope']} |"
        for row in described(Settings)
    ]
    return "\n".join(lines) + "\n"


def _default(value: Any) -> str:
    if isinstance(value, list):
        return str(value)
    if isinstance(value, bool):  # which 0 and 1 equal
        return str(value).lower()
    return "(empty)" if value is None else str(value) or "(empty)"


def commands_page() -> str:
    """The help of every command."""
    parts = ["# Commands", "", _MADE, ""]
    for path, command in _commands((), appliance):
        context = context_of(command, " ".join(("appliance", *path)))
        title = " ".join(("appliance", *path))
        parts += [f"## {title}", "", "```text", command.get_help(context).rstrip(), "```", ""]
    return "\n".join(parts)


def context_of(command: click.Command, name: str | None = None) -> click.Context:
    """A context like the one a command has when it is run; click keeps the help option of the first one."""
    # A width of its own: the page must not depend on the terminal it is made in.
    return click.Context(command, info_name=name, terminal_width=78, **appliance.context_settings)


def _commands(path: tuple[str, ...], command: click.Command) -> list[tuple[tuple[str, ...], click.Command]]:
    """A command and all below it."""
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = context_of(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                found += _commands((*path, name), inner)
    return found


def events_page() -> str:
    """Every event with its fields."""
    lines = [
        "# Events",
        "",
        _MADE,
        "",
        "Facts in the log, in the past tense. Every event has `type`, `version`, and, where they apply,",
        "`camera`, `door`, `visit` (groups what happened between a door's opening and its shutting) and `by`",
        "(who did it, an opaque id of an operator, token or screen; null: the box, or a command on it).",
        "People are opaque ids. Scores are similarities: higher is more alike.",
        "",
    ]
    for cls in get_args(get_args(events.AnyEvent)[0]):
        names = ", ".join(f"`{name}`" for name in get_args(cls.model_fields["type"].annotation))
        lines += [f"## {names}", "", inspect.cleandoc(cls.__doc__ or ""), ""]
        own = [name for name in cls.model_fields if name not in events.Event.model_fields and name != "type"]
        lines += [f"Fields: {', '.join(f'`{name}`' for name in own)}.", ""]
    values = {"A decision's facts": events.DecisionFacts, "A frame of a decision": events.FrameScore}
    for title, cls in values.items():
        lines += [f"## {title}", "", "```text", inspect.cleandoc(cls.__doc__ or ""), "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    for page, made in pages().items():
        page.write_text(made(), encoding="utf-8")
        print(page.relative_to(ROOT))
