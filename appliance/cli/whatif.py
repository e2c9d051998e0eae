"""`appliance whatif`: which past decisions would differ at another setting?"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click

from appliance.app.explaining import subject_names
from appliance.app.whatif import Difference, Log, Outcome, WhatIf, ends, what_if
from appliance.cli.context import Context
from appliance.cli.parameters import Finite, Moment
from appliance.decision import Changes
from appliance.dispatch.wording import person, plain
from appliance.values import Verdict

_SHOWN = 40
_EVERY = 200
"""Progress is drawn once for so many events."""
_SHOW_PROGRESS_FROM = 2000
"""Fewer events are read before anybody wonders."""

_OBSTACLES = {
    "old_policy": "decided by an earlier version of the rule, which cannot be recomputed exactly",
    "no_frames": "stored without frames",
    "model_not_stored": "a model that this composition needs was not compared then",
    "other_tables": "decided by other tables of error rates than this program has",
    "body_dropped": "their details were dropped by retention",
    "unreadable": "written by another version of the program, or damaged",
}


@click.command()
@click.option(
    "--threshold",
    type=Finite(-2, 2),
    help="This threshold for everybody, instead of the measured one.",
)
@click.option(
    "--fpir",
    type=Finite(0.00001, 0.1),
    help="As recognition.fpir: share of strangers that may pass.",
)
@click.option("--margin", type=Finite(0, 1), help="As recognition.margin: lead over the second person.")
@click.option(
    "--composition",
    type=click.Choice(["fused", "dlib", "dlib-mirror", "sface"]),
    help="As recognition.composition. Only models that were compared then can be asked for.",
)
@click.option(
    "--stranger-band",
    type=Finite(0, 1),
    help="As recognition.stranger_band: this close below the threshold is undecided.",
)
@click.option(
    "--since", type=Moment(), help="From then on: 2026-11-01, 2026-11-01T08:30, or 7d (ago; m h d w)."
)
@click.option("--until", type=Moment(end=True), help="Until then; a day counts whole.")
@click.option(
    "--check", is_flag=True, help="Recompute at unchanged settings; exit code 1 if anything differs."
)
@click.option(
    "--all", "every", is_flag=True, help=f"List all that would differ, not only the first {_SHOWN}."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON: ids instead of names, all that would differ.")
@click.pass_context
def whatif(
    ctx: click.Context,
    *,
    threshold: float | None,
    fpir: float | None,
    margin: float | None,
    composition: str | None,
    stranger_band: float | None,
    since: datetime | None,
    until: datetime | None,
    check: bool,
    every: bool,
    as_json: bool,
) -> None:
    """Recompute past decisions at other settings and list those that would differ.

    Judges again what was stored: the frames that were kept and the people who led then. What was
    never kept cannot come back: a lower threshold finds nobody who was not among the five
    nearest. Each decision keeps its own settings where none is given here. Without any, or with
    --check, every decision must come out exactly as it is stored.

    \b
    Examples:
      appliance whatif --check
      appliance whatif --fpir 0.0001 --since 7d
      appliance whatif --threshold 0.15 --since 2026-11-01 --until 2026-11-07 --all
      appliance whatif --margin 0.1 --json
    """
    from appliance.app.error_tables import read_tables

    context: Context = ctx.obj
    changes = Changes(threshold, fpir, margin, composition, stranger_band)
    if check and changes != Changes():
        raise click.UsageError("--check is without other settings")
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--since is not before --until: there is nothing between them")
    reproducing = changes == Changes()
    # What is shown of each, at once: a hundred thousand decisions with their frames fill the memory.
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    with context.services() as services:
        length = services.store.position()
        names = subject_names(services.store)

        def differs(each: Difference) -> None:
            if as_json:
                rows.append(_row(each))
            elif every or len(lines) < _SHOWN:
                lines.append(plain(_line(each, names, reproducing=reproducing)))

        with click.progressbar(
            length=length, label="recomputing", hidden=length < _SHOW_PROGRESS_FROM, file=sys.stderr
        ) as bar:
            told = 0

            def tell(position: int) -> None:
                nonlocal told
                if position - told >= _EVERY:
                    bar.update(position - told)
                    told = position

            found = what_if(
                services.store,
                read_tables(),
                changes,
                since=since,
                until=until,
                tell=tell,
                differs=differs,
            )
            bar.update(length - told)
        # Beside a document for programs it stands where people look.
        _tell_absent(found, services.store, err=as_json)
    if as_json:
        click.echo(json.dumps({**_document(found, changes), "differences": rows}, indent=1))
    else:
        _print(found, lines, reproducing=reproducing)
    if reproducing and found.differing:
        ctx.exit(1)


def _print(found: WhatIf, lines: Sequence[str], *, reproducing: bool) -> None:
    """For people: the list, then the counts."""
    for text in lines:
        click.echo(text)
    if len(lines) < found.differing:
        click.echo(f"… and {found.differing - len(lines)} more: --all lists them")
    if not found.decisions:
        return
    for text in _reproduced(found) if reproducing else _changed(found):
        click.echo(text)
    for reason, count in sorted(found.obstacles.items()):
        click.echo(f"{count} cannot be recomputed: {_OBSTACLES[reason.value]}")


def _tell_absent(found: WhatIf, log: Log, *, err: bool) -> None:
    """Where there was none, why: the log is empty, or its decisions are of another time."""
    from appliance.app.replaying import REPLAYED

    if found.decisions:
        return
    between = ends(log)
    if between is None:
        click.echo("no decision was ever logged here", err=err)
        return
    first, last = (f"{each.at.astimezone():%Y-%m-%d %H:%M:%S}" for each in between)
    click.echo(f"no decision in that time: those of this log are from {first} to {last}", err=err)
    if between[1].boot == REPLAYED:
        click.echo(
            "this is the log of a replay, whose time begins at the same moment whenever it is run: "
            "give a date instead of how long ago",
            err=err,
        )


def _reproduced(found: WhatIf) -> list[str]:
    """How many were reproduced."""
    examined = f"{found.examined} decision(s) of {found.encounters} encounter(s)"
    if found.differing:
        return [
            (
                f"{found.differing} of {examined} are NOT reproduced from what is stored: "
                "the log was changed, or another program wrote it (see: appliance events verify)"
            )
        ]
    return [f"{examined} are reproduced exactly from what is stored"] if found.examined else []


def _changed(found: WhatIf) -> list[str]:
    """How many would differ, per verdict and per turn."""
    texts = [
        (
            f"{found.differing} of {found.examined} decision(s) would differ, "
            f"in {found.differing_encounters} of {found.encounters} encounter(s)"
        )
    ]
    texts += [
        f"  {verdict.value:<10} {found.was[verdict]:>7} → {found.would[verdict]}" for verdict in Verdict
    ]
    texts += [
        f"  {was.value} → {would.value if was is not would else 'somebody else'}: {count}"
        for (was, would), count in sorted(found.turned.items())
    ]
    if found.other_tables:
        texts.append(f"{found.other_tables} had been decided by other tables of error rates than today's")
    return texts


def _line(each: Difference, names: Callable[[str], str | None], *, reproducing: bool) -> str:
    def said(outcome: Outcome) -> str:
        if outcome.subject is not None:
            return person(outcome.subject, names)
        return outcome.verdict.value

    was, would = each.was.facts, each.would.facts
    score = "no score" if would.score is None else f"score {would.score:+.3f}"
    if would.candidates and each.would.subject is None and each.was.subject is None:
        score = f"nearest {person(would.candidates[0].subject, names)}, {score}"
    text = (
        f"#{each.position:<6} {each.at.astimezone():%Y-%m-%d %H:%M:%S}  {each.grade.value}: "
        f"{said(each.was)} → {said(each.would)}  "
        f"({score}, threshold {_bar(each.was)} → {_bar(each.would)}; {was.rule} → {would.rule})"
    )
    return f"{text}: {', '.join(each.fields)}" if reproducing else text


def _bar(outcome: Outcome) -> str:
    """What had to be reached."""
    facts = outcome.facts
    return f"{facts.threshold if facts.stricter_threshold is None else facts.stricter_threshold:+.3f}"


def _document(found: WhatIf, changes: Changes) -> dict[str, Any]:
    """The counts, for programs."""
    return {
        "reproducing": changes == Changes(),
        "changes": {
            name: value
            for name, value in (
                ("threshold", changes.threshold),
                ("fpir", changes.fpir),
                ("margin", changes.margin),
                ("composition", changes.composition),
                ("stranger_band", changes.stranger_band),
            )
            if value is not None
        },
        "decisions": found.decisions,
        "examined": found.examined,
        "encounters": found.encounters,
        "differing": found.differing,
        "differing_encounters": found.differing_encounters,
        "was": {verdict.value: found.was[verdict] for verdict in Verdict},
        "would": {verdict.value: found.would[verdict] for verdict in Verdict},
        "turned": [
            {"was": was.value, "would": would.value, "count": count}
            for (was, would), count in sorted(found.turned.items())
        ],
        "not_recomputed": {reason.value: count for reason, count in sorted(found.obstacles.items())},
        "other_tables": found.other_tables,
    }


def _row(each: Difference) -> dict[str, Any]:
    """One that would differ, for programs."""
    return {
        "position": each.position,
        "id": each.id,
        "at": each.at.isoformat(),
        "encounter": each.encounter,
        "grade": each.grade.value,
        "was": _outcome(each.was),
        "would": _outcome(each.would),
        "fields": list(each.fields),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    facts = outcome.facts
    return {
        "verdict": outcome.verdict.value,
        "subject": outcome.subject,
        "rule": facts.rule,
        "composition": facts.composition,
        "score": facts.score,
        "threshold": facts.threshold,
        "stricter_threshold": facts.stricter_threshold,
        "margin": facts.margin,
        "margin_wanted": facts.margin_wanted,
    }
