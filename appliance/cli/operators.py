"""`appliance operators …`: who may sign in, for the admin on the box: the first link, or another password."""

import json

import click

from appliance.app.reach import FIRST_RUN, PASSWORD, reach
from appliance.cli.context import Context
from appliance.errors import UnknownAccountError
from appliance.store import Operator, Store
from appliance.store.operators import folded


@click.group()
def operators() -> None:
    """Who may sign in to the admin pages.

    \b
    Examples:
      appliance operators list
      appliance operators link
      appliance operators link ann@example.org
    """


@operators.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List who may sign in."""
    with context.services() as services:
        found = services.store.operators()
    if as_json:
        click.echo(json.dumps([_described(each) for each in found], indent=1))
        return
    if not found:
        click.echo("nobody may sign in yet; begin with: appliance operators link")
    for each in found:
        state = each.state.value if each.has_password else "invited"
        click.echo(f"{each.id}  {each.role.value:<6}  {state:<8}  {each.login or '(name damaged)'}")


@operators.command("link")
@click.argument("name", required=False)
@click.pass_obj
def link(context: Context, *, name: str | None) -> None:
    """Print a link that lets somebody in once: the first admin, or NAME who lost the password.

    Without NAME it makes the first admin, or is for the only operator there is. A link made before for the
    same is void. Whoever has it gets in: hand it over yourself, and not through a log.

    \b
    Examples:
      appliance operators link
      appliance operators link ann@example.org
    """
    with context.services() as services:
        store = services.store
        where = reach(context.settings.web, context.layout)
        if name is None and not store.has_operators():
            click.echo(where.link(FIRST_RUN, store.first_run_code()))
            click.echo("good once, for 24 hours: it makes the first admin", err=True)
            return
        chosen = _chosen(store, name)
        click.echo(where.link(PASSWORD, store.password_code(chosen.id)))
        click.echo("good once, for 72 hours: it sets another password", err=True)


def _chosen(store: Store, name: str | None) -> Operator:
    """Who is meant.

    Raises:
        UnknownAccountError: Nobody, or it cannot be told.
    """
    everybody = store.operators()
    found = [
        each
        for each in everybody
        if name is None or each.id == name or (each.login is not None and folded(each.login) == folded(name))
    ]
    if len(found) != 1:
        raise UnknownAccountError(
            "nobody signs in as that" if name is not None else "there are several operators",
            hint="name one of: appliance operators list",
        )
    return found[0]


def _described(operator: Operator) -> dict[str, object]:
    return {
        "id": operator.id,
        "login": operator.login,
        "role": operator.role.value,
        "state": operator.state.value,
        "has_password": operator.has_password,
    }
