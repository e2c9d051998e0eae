"""What several commands take of a function: the hosts that it may reach, and variables of its own."""

import os
from collections.abc import Sequence

import click

may_reach = click.option(
    "--allow-network",
    "network",
    multiple=True,
    metavar="HOST[:PORT]",
    help="A host that it may reach; of this box or its network, the address itself.",
)
has_variables = click.option(
    "--env",
    "variables",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A variable of its own; without a value, what it is here.",
)


def own_variables(given: Sequence[str]) -> dict[str, str]:
    """Variables as they are given to commands, NAME=VALUE or NAME alone.

    Raises:
        UsageError: One without a value is not set here, or one may not be given.
    """
    from pydantic import TypeAdapter, ValidationError

    from appliance.deeplens.project import Variables
    from appliance.deeplens.project_fault import fault_of

    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals and name not in os.environ:
            raise click.UsageError(f"--env {name}: it is not set here", click.get_current_context())
        found[name] = value if equals else os.environ[name]
    try:
        TypeAdapter(Variables).validate_python(found)
    except ValidationError as error:
        raise click.UsageError(f"--env: {fault_of(error)[1]}", click.get_current_context()) from None
    return found
