"""What options take: numbers that are numbers, whatever command asks for them."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.types import FloatParamType
from commands import call

from appliance.cli import appliance


def numbers(
    command: click.Command, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Parameter]]:
    """Every parameter of a command and those below it that takes a number with a fraction."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from numbers(below, context, (*path, name))
    for parameter in command.params:
        if isinstance(parameter.type, FloatParamType):
            yield " ".join((*path, parameter.name or "")), parameter


@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
def test_what_is_no_number_is_taken_nowhere(word: str) -> None:
    """`nan` lies in every range, since no comparison with it is true; no option of any command lets it in.

    A strictness is refused later, with what a strictness is.
    """
    context = click.Context(appliance)
    found = list(numbers(appliance, context))

    assert {"calibrate fpir", "evaluate fpir", "enroll report fpir"} <= {name for name, _ in found}
    taken = []
    for name, parameter in found:
        try:
            parameter.type.convert(word, parameter, context)
        except click.BadParameter:
            continue
        taken.append(name)
    assert ["enroll strictness factor"] == taken


def test_a_refusal_says_what_is_no_number(tmp_path: Path) -> None:
    """In one sentence with the option's name, and with the exit code of a wrong usage."""
    code, error = call("--state", tmp_path, "calibrate", "--fpir", "nan").refusal

    assert (2, "Invalid value for '--fpir': 'nan' is not a number") == (code, error)
