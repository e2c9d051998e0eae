"""`appliance outbox …`: what is to be done about events, what became of it, and dead letters again."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from appliance.app.repeating import may_be_repeated
from appliance.cli.context import Context
from appliance.errors import UnknownDeliveryError
from appliance.store import OutboxRow, OutboxState


@click.group()
def outbox() -> None:
    """Actions on events: what is due, what was done, what failed for good.

    \b
    Examples:
      appliance outbox list
      appliance outbox list --state dead --json
      appliance outbox retry 42
    """


@outbox.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in OutboxState]),
    help="Only these; may be repeated. dead: failed for good; unknown: cut off, and never repeated.",
)
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="The newest so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, states: Sequence[str], limit: int, as_json: bool) -> None:
    """List actions with their state, oldest first."""
    with context.services() as services:
        rows = services.store.outbox(states=[OutboxState(state) for state in states], limit=limit)
    for row in reversed(rows):
        click.echo(json.dumps(_described(row)) if as_json else _line(row))
    if not rows and not as_json:
        click.echo("no such action is in the outbox" if states else "the outbox is empty")


@outbox.command("retry")
@click.argument("numbers", nargs=-1, required=True, type=int)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def retry(context: Context, *, numbers: tuple[int, ...], as_json: bool) -> None:
    """Try the dead letters NUMBERS again, with all their attempts before them.

    What is promised at most once is never repeated.
    """
    with context.services() as services:
        for number in numbers:
            found = next(
                iter(services.store.outbox(states=[OutboxState.DEAD], before=number + 1, limit=1)), None
            )
            if found is not None and found.id == number and not may_be_repeated(context.settings, found):
                raise UnknownDeliveryError(f"number {number} is promised at most once and is never repeated")
            row = services.store.retry_dead(number)
            click.echo(json.dumps(_described(row)) if as_json else _line(row))


def _described(row: OutboxRow) -> dict[str, Any]:
    return {
        "number": row.id,
        "action": row.action,
        "state": row.state.value,
        "delivery": row.delivery.value,
        "attempts": row.attempts,
        "event": {"position": row.event.position, "id": row.event.id, "type": row.event.type},
        "not_before": row.not_before.isoformat(),
        "deadline": row.deadline.isoformat(),
        "started_at": _time(row.started_at),
        "finished_at": _time(row.finished_at),
        "last_error": row.last_error,
        "idempotency_key": row.idempotency_key,
        "rule": row.rule,
    }


def _line(row: OutboxRow) -> str:
    what = f"{row.action} on #{row.event.position} {row.event.type}"
    tries = f"{row.attempts} attempt(s)"
    # A command's last words may hold anything, also what moves a terminal's cursor.
    error = "".join(char if char.isprintable() else " " for char in row.last_error or "")
    return f"{row.id:>5}  {row.state.value:<9}  {what}, {tries}{': ' if error else ''}{error}"


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
