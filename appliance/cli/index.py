"""`appliance index …`: what was seen, searched; how far the index is; the index made anew of the log."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from appliance.cli.context import Context
from appliance.cli.parameters import Finite
from appliance.store import Cursor, Moment, MomentsWanted

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def index() -> None:
    """Moments: what cameras, functions and the log say was seen, kept to be searched.

    \b
    Examples:
      appliance index search --label dog --min-score 0.8 --since 2026-01-05
      appliance index search --kind encounter --verdict stranger --json
      appliance index status
      appliance index rebuild
      appliance index template > template.json
    """


@index.command("search")
@click.option("--label", "labels", multiple=True, help="What was seen: dog; may be repeated.")
@click.option("--min-score", default=0.0, type=Finite(0, 1), help="How certain, at least, 0 to 1.")
@click.option("--camera", "cameras", multiple=True, help="Id of a camera; may be repeated.")
@click.option("--door", "doors", multiple=True, help="Id of a door; may be repeated.")
@click.option("--kind", "kinds", multiple=True, help="encounter, or a type of event; may be repeated.")
@click.option(
    "--verdict",
    "verdicts",
    multiple=True,
    type=click.Choice(["identified", "stranger", "undecided", "unknown"]),
    help="Of somebody's stay; may be repeated.",
)
@click.option("--person", help="Stays of this person, by id.")
@click.option("--since", type=_TIME, help="By this machine's clock: 2026-01-05 or 2026-01-05T14:30.")
@click.option("--until", type=_TIME, help="Likewise.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="The newest so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def search(
    context: Context,
    *,
    labels: Sequence[str],
    min_score: float,
    cameras: Sequence[str],
    doors: Sequence[str],
    kinds: Sequence[str],
    verdicts: Sequence[str],
    person: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List moments, the newest first. People stand here by id alone."""
    from appliance.app.desk.moments import percent
    from appliance.store.moment_events import KINDS

    if unknown := set(kinds) - set(KINDS):
        raise click.BadParameter(f"{min(unknown)} is none of: {', '.join(KINDS)}", param_hint="--kind")
    wanted = MomentsWanted(
        since=None if since is None else since.astimezone(UTC),
        until=None if until is None else until.astimezone(UTC),
        labels=tuple(labels),
        min_percent=percent(min_score),
        cameras=tuple(cameras),
        doors=tuple(doors),
        verdicts=tuple(verdicts),
        kinds=tuple(kinds),
        subject=person,
    )
    with context.services() as services:
        found = [moment for _, moment in services.store.moments_page(wanted, limit=limit)]
    for each in found:
        click.echo(json.dumps(_row(each)) if as_json else _line(each))
    if not found and not as_json:
        click.echo("no such moment is kept")


@index.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """Tell how much is kept, how far the log was followed, and how far a search service is."""
    with context.services() as services:
        store = services.store
        told: dict[str, Any] = {
            "moments": store.moment_count(),
            "newest": store.newest_moment(),
            "log": store.position(),
            "cursors": [_cursor(each) for each in store.cursors()],
            "labels": [
                {"label": each.label, "camera": each.camera, "many": each.many}
                for each in store.label_counts()
            ],
        }
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return
    click.echo(f"{told['moments']} moments")
    for row in told["cursors"]:
        of = told["log"] if row["name"] == "log" else told["newest"]
        click.echo(_told(row, of))
    for row in told["labels"]:
        click.echo(f"{row['many']:>9} {row['label']:<24} {row['camera']}")


@index.command("rebuild")
@click.pass_obj
def rebuild(context: Context) -> None:
    """Make what comes of the log anew, and count everything again. The appliance may go on meanwhile.

    What frames showed is in no log: it stays as it is. A search service gets what was made anew, too.
    """
    from appliance.app.indexing import remade

    with context.services() as services:
        gone, moments = remade(services.store)
    click.echo(f"{gone} moments of the log were made anew; there are {moments} now")


@index.command("template")
@click.option("--prefix", help="What the indices' names begin with. [default: that of the settings]")
@click.pass_obj
def template(context: Context, *, prefix: str | None) -> None:
    """Print the index template for OpenSearch or Elasticsearch, for indices that others fill.

    The appliance puts it there by itself where it sends moments. Amazon Data Firehose does not.
    """
    from appliance.sinks.opensearch_documents import index_template

    click.echo(json.dumps(index_template(prefix or context.settings.index.opensearch.index), indent=1))


def _row(each: Moment) -> dict[str, Any]:
    return {
        "id": each.id,
        "at": each.at.isoformat(),
        "camera": each.camera or None,
        "kind": each.kind,
        "source": each.source or None,
        "labels": dict(each.labels),
        "door": each.door,
        "verdict": each.verdict,
        "person": each.subject,
        "event": each.event,
        "clip": each.clip.id if each.clip is not None else None,
    }


def _line(each: Moment) -> str:
    labels = ", ".join(f"{label} {score:.2f}" for label, score in sorted(each.labels.items()))
    told = [labels, each.verdict, each.subject, each.door, each.clip and f"clip {each.clip.id}"]
    what = "  ".join(word for word in told if word)
    # A function's labels may hold anything, also what moves a terminal's cursor.
    what = "".join(char if char.isprintable() else " " for char in what)
    return f"{each.at.astimezone():%Y-%m-%d %H:%M:%S}  {each.camera or '-':<12} {each.kind:<14} {what}"


def _cursor(each: Cursor) -> dict[str, Any]:
    return {
        "name": each.name,
        "position": each.position,
        "many": each.many,
        "trouble": each.trouble,
        "changed_at": each.changed_at.isoformat(),
    }


def _told(row: dict[str, Any], of: int) -> str:
    at = datetime.fromisoformat(row["changed_at"]).astimezone()
    if row["name"] == "log":
        words = f"the log was followed to {row['position']} of {of}"
    elif row["name"] == "kept":
        since = datetime.fromtimestamp(row["position"] / 1000, UTC).astimezone()
        gone = f"kept since {since:%Y-%m-%d %H:%M}, {row['many']} older ones went"
        words = gone if row["position"] else "none went by age or number so far"
    elif row["name"] == "dropped":
        words = f"{row['many']} frames were given up before they could be written"
    else:
        words = f"{row['name']}: {row['many']} sent, {max(of - row['position'], 0)} behind"
    trouble = f"; {row['trouble']}" if row["trouble"] else ""
    return f"{words}{trouble}  ({at:%Y-%m-%d %H:%M:%S})"
