"""What is written beside the program is true of it: reference pages, command lines, trees, paths."""

import ast
import importlib.util
import itertools
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import pytest
import reference
from stores import identified

from appliance import errors
from appliance.cli import appliance
from appliance.dispatch.wording import describe
from appliance.errors import ApplianceError
from appliance.events import AnyEvent, DecisionFacts, Event, ScreenAsked, event_types

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("appliance", "enroll", "web", "migrations")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))],
    key=str,
)
WRITTEN = [page for page in PAGES if page not in reference.pages()]
"""Pages that people write; the others are made from the program."""

LEAD = re.compile(r"^\s*(?:\$ )?(?:\.venv/bin/|python -m )?(appliance(?: .*)?)$")
ADVICE = re.compile(r"""(?:with|see|try|is|FILE|or|again):? (appliance [a-z][^"`;)]*)""")


def name(page: Path) -> str:
    """A page as the tests' names show it."""
    return str(page.relative_to(ROOT))


# ---------------------------------------------------------------- reference pages


@pytest.mark.parametrize("page", reference.pages(), ids=name)
def test_a_reference_page_is_what_the_program_says(page: Path) -> None:
    """Made from settings, commands and events; never edited."""
    assert reference.pages()[page]() == page.read_text(encoding="utf-8"), (
        f"{name(page)} is stale: run python tests/support/reference.py"
    )


# ---------------------------------------------------------------- command lines


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command there is, with its whole name."""

    def below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            context = reference.context_of(command)
            for each in command.list_commands(context):
                inner = command.get_command(context, each)
                assert inner is not None
                yield from below(f"{path} {each}", inner)

    yield from below("appliance", appliance)


def in_help() -> Iterator[tuple[str, str, bool]]:
    """Examples in the help of commands."""
    for path, command in commands():
        for line in (command.help or "").splitlines():
            if found := LEAD.match(line):
                yield path, re.split(r"\s{3,}", found[1])[0], True


def in_pages() -> Iterator[tuple[str, str, bool]]:
    """Lines of code blocks, and mentions between backticks."""
    for page in WRITTEN:
        fenced = False
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif fenced and (found := LEAD.match(line)):
                yield name(page), found[1], True
            elif not fenced:
                for mention in re.findall(r"`(appliance [^`]+)`", line):
                    yield name(page), mention, False


def in_hints() -> Iterator[tuple[str, str, bool]]:
    """What messages of the program say to do."""
    for folder in FOLDERS:
        for source in sorted((ROOT / folder).rglob("*.py")):
            text = source.read_text(encoding="utf-8")
            for advice in (*ADVICE.findall(text), *re.findall(r"`(appliance [a-z][^`]+)`", text)):
                yield name(source), advice, False


def examples() -> Iterator[tuple[str, str, bool]]:
    """Command lines that people are shown: where, the line, and whether it is whole or only a mention."""
    yield from in_help()
    yield from in_pages()
    yield from in_hints()


def words(line: str) -> list[str]:
    """The words of a command line, without comments, dots and what the shell or the sentence makes of it."""
    for cut in (" (", ", ", " > ", " | "):
        line = line.partition(cut)[0]
    quoted = line if line.count("'") % 2 == 0 else line.replace("'", "")
    return [word for word in shlex.split(quoted, comments=True)[1:] if word != "…"]


def parsed(given: list[str]) -> tuple[click.Command, dict[str, Any]]:
    """The command that a line names, and its options and arguments as they were written.

    Raises:
        click.UsageError: There is no such command or option, or an argument is too many.
    """
    command: click.Command = appliance
    context = reference.context_of(appliance, "appliance")
    while True:
        values, rest, _ = command.make_parser(context).parse_args(list(given))
        for parameter in command.params:
            value = values.get(parameter.name)
            for each in value if isinstance(value, tuple | list) else (value,):
                if isinstance(parameter.type, click.Choice) and isinstance(each, str):
                    parameter.type.convert(each, parameter, context)
        if not isinstance(command, click.Group):
            if rest:
                raise click.UsageError(f"too many arguments: {rest}")
            return command, values
        if not rest:
            return command, values
        inner = command.get_command(context, rest[0])
        if inner is None:
            raise click.UsageError(f"no command {rest[0]!r}")
        context = click.Context(inner, info_name=rest[0], parent=context)
        command, given = inner, rest[1:]


def test_every_command_line_that_people_are_shown_is_one() -> None:
    """Command, options, choices and the number of arguments; whole examples lack nothing required."""
    wrong = []
    seen = list(examples())
    for where, line, whole in seen:
        try:
            command, values = parsed(words(line))
        except (click.UsageError, ValueError) as error:
            wrong.append(f"{where}: {line}: {error}")
            continue
        lacks = [each.name for each in command.params if each.required and not values.get(each.name or "")]
        if whole and lacks:
            wrong.append(f"{where}: {line}: lacks {lacks}")

    assert [] == wrong
    assert len(seen) > 60


def hinted_options() -> Iterator[tuple[str, str]]:
    """Options that the hints of our errors name, with the file they stand in."""
    for folder in FOLDERS:
        for source in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "hint":
                    for option in re.findall(r"--[a-z][a-z-]+", ast.unparse(node.value)):
                        yield name(source), option


def test_every_option_that_a_hint_names_is_one() -> None:
    """Nobody is sent to try what no command takes."""
    known = {each for _, command in commands() for option in command.params for each in option.opts}
    hinted = list(hinted_options())

    assert [] == [(where, option) for where, option in hinted if option not in known]
    assert len(hinted) > 5


def test_a_wrong_command_line_would_be_found() -> None:
    """The test above sees a misspelt command, option or choice, and an argument too many."""
    for line in (
        "appliance evnts list",
        "appliance events lsit",
        "appliance events list --limti 3",
        "appliance events list --type door_openned",
        "appliance doctor now",
    ):
        with pytest.raises(click.UsageError):
            parsed(words(line))


def test_every_command_has_help_and_every_option_is_explained() -> None:
    """Nobody has to read the source."""
    assert [] == [path for path, command in commands() if not (command.help or "").strip()]
    assert [] == [
        f"{path} {option.opts[0]}"
        for path, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]


# ---------------------------------------------------------------- errors


def drawn() -> dict[str, tuple[str | None, int]]:
    """The tree in the docstring of `appliance.errors`: class → (class above, exit code)."""
    found: dict[str, tuple[str | None, int]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([\s│├└─]*)([A-Z]\w*Error)(?:\s+(?:exit code )?(\d+))?(?:\s|$)", line)
        if match is None:
            continue
        depth, cls, code = len(match[1]), match[2], match[3]
        while above and above[-1][0] >= depth:
            above.pop()
        parent = above[-1][1] if above else None
        found[cls] = (parent, int(code) if code else found[parent or cls][1])
        above.append((depth, cls))
    return found


def family(cls: type[ApplianceError] = ApplianceError) -> Iterator[type[ApplianceError]]:
    """Every error class of ours that `appliance.errors` defines."""
    yield cls
    for below in cls.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from family(below)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    """Every class, below its parent, with the exit code it has."""
    parents = {cls: cls.__mro__[1].__name__ if cls is not ApplianceError else None for cls in family()}

    assert {cls.__name__: (parents[cls], cls.exit_code) for cls in family()} == drawn()


def test_every_family_of_errors_has_an_exit_code_of_its_own() -> None:
    """None of them is 2's grammar of the command line in disguise, or 130, which is Ctrl-C."""
    codes = [cls.exit_code for cls in ApplianceError.__subclasses__() if cls.__module__ == errors.__name__]

    assert sorted(set(codes)) == sorted(codes)
    assert {0, 1, 130}.isdisjoint(codes)


# ---------------------------------------------------------------- events


def event_classes() -> tuple[type[Event], ...]:
    """Every class of event."""
    classes: tuple[type[Event], ...] = get_args(get_args(AnyEvent)[0])
    return classes


def values_of(annotation: Any) -> list[Any]:
    """Every value of an enumeration or a literal; one of anything else."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)
    if get_origin(annotation) is tuple and ... not in get_args(annotation):
        return [tuple(values_of(each)[0] for each in get_args(annotation))]
    for kind, value in (
        (bool, True),
        (int, 3),
        (float, 0.5),
        (str, "entrance"),
        (datetime, datetime(2026, 1, 5, tzinfo=UTC)),
        (DecisionFacts, identified().facts),
    ):
        if annotation is kind or kind in get_args(annotation):
            return [("entrance",)] if get_origin(annotation) is tuple else [value]
    raise AssertionError(f"no value of {annotation} is known here")


NOT_IN_VERSION = {(ScreenAsked, 1): {"rule_version", "number"}, (ScreenAsked, 2): {"text"}}
"""Fields that a version of an event does not have."""


def every(cls: type[Event]) -> Iterator[Event]:
    """Events of a class, with every combination of what its enumerations and literals allow."""
    fields = {each: values_of(field.annotation) for each, field in cls.model_fields.items()}
    fields["version"] = list(cls.versions)
    for chosen in itertools.product(*fields.values()):
        given = dict(zip(fields, chosen, strict=True))
        absent = NOT_IN_VERSION.get((cls, given["version"]), set())
        yield cls.model_validate({name: value for name, value in given.items() if name not in absent})


@pytest.mark.parametrize("cls", event_classes(), ids=lambda cls: cls.__name__)
def test_every_event_has_words_of_its_own(cls: type[Event]) -> None:
    """Whatever its reason, grade or state; not just its type with spaces."""
    for event in every(cls):
        kind = str(event.model_dump()["type"])
        said = describe(event)

        assert said
        assert "\n" not in said
        assert kind.replace("_", " ") != said


def test_every_event_type_is_on_the_page_of_events() -> None:
    """By the name that settings and `--type` take."""
    page = (ROOT / "appliance" / "EVENTS.md").read_text(encoding="utf-8")

    assert [] == [kind for kind in event_types() if f"`{kind}`" not in page]


# ---------------------------------------------------------------- paths and links


def test_what_the_architecture_names_is_there() -> None:
    """Files and folders in backticks, from the root or from `appliance/`; modules, too."""
    text = (ROOT / "appliance" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+)`", text))
    paths = {each for each in named if "/" in each or re.search(r"\.(py|md|toml|json)$", each)}
    modules = {each for each in named - paths if re.fullmatch(r"appliance(\.\w+)+", each)}

    assert len(paths) > 20
    assert [] == sorted(
        each for each in paths if not any((base / each).exists() for base in (ROOT, ROOT / "appliance"))
    )
    assert [] == sorted(each for each in modules if importlib.util.find_spec(each) is None)


def test_every_room_is_on_the_map() -> None:
    """Each package and module of `appliance` has its line in the architecture's code map."""
    text = (ROOT / "appliance" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    there = [each for each in (ROOT / "appliance").iterdir() if not each.name.startswith("_")]
    rooms = [f"{each.name}/" for each in there if (each / "__init__.py").exists()]
    modules = [each.name for each in there if each.suffix == ".py"]

    named = {each.removeprefix("appliance/") for each in re.findall(r"`([\w./]+)`", text)}

    assert [] == sorted({*rooms, *modules} - named)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Relative ones, from the page they stand on."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))

    assert [] == [each for each in targets if "://" not in each and not (page.parent / each).exists()]
