"""`appliance bench`: speed and memory, against the library most people would use, in one run.

Only collects: each benchmark is a script of its own in `tests/benchmarks/`, which prints its
rows as JSON and can be run alone.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import Context
from appliance.errors import ApplianceError, InputError

FOLDER = Path(__file__).parents[2] / "tests" / "benchmarks"
ROWS: Mapping[str, str] = {
    "frame_dlib": "bench_frame_dlib",
    "frame_fused": "bench_frame_fused",
    "embed_dlib": "bench_embed_dlib",
    "last_frame": "bench_deeplens",
    "hosted_models": "bench_hosted_models",
    "idle": "bench_idle",
    "index": "bench_index",
    "greet": "bench_greet",
    "confirm": "bench_greet",
    "match_1m": "bench_match_1m",
    "kvs_first": "bench_kvs",
    "matroska": "bench_matroska",
    "objects": "bench_objects",
    "project_stream": "bench_project_stream",
    "remux": "bench_remux",
    "rss_loop": "bench_rss_loop",
    "search": "bench_search",
    "search_demo": "bench_search_demo",
    "search_import": "bench_search_import",
    "search_page": "bench_search_page",
    "start": "bench_start",
    "viewers": "bench_viewers",
}
"""The figures, and the script that measures each; some add rows named `KEY_…` of their own."""
_LONGEST_S = 900
_GOODBYE_S = 40.0
"""An appliance that is being measured takes up to half a minute to stop."""
_WIDTH = 100
_QUIET_LOAD = 0.5
"""Load average above which somebody else was at work."""


@click.command()
@click.option(
    "--row",
    "names",
    multiple=True,
    type=click.Choice(list(ROWS)),
    help="Only this one; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def bench(context: Context, *, names: tuple[str, ...], as_json: bool) -> None:
    """Measure speed and memory. Takes about twenty minutes; other work on the machine falsifies it.

    \b
    Examples:
      appliance bench
      appliance bench --row idle --row greet
      appliance bench --row embed_dlib --json > figures.json
    A row says what ours took, what its peer took, how many times that is, and whether the goal was reached;
    one that was not says by how much and why. Frame, chip and search rows are processor time on one thread.
    """
    del context
    wanted = list(dict.fromkeys(ROWS[name] for name in names or ROWS))
    if missing := [script for script in wanted if not (FOLDER / f"{script}.py").exists()]:
        raise InputError(
            f"the benchmark {missing[0]} is not here", hint="bench runs from a checkout, not from a wheel"
        )
    rows: list[dict[str, Any]] = []
    about: dict[str, Any] = {}
    failed: list[str] = []
    with click.progressbar(
        wanted, label="measuring", file=sys.stderr, item_show_func=lambda script: (script or "")[6:]
    ) as bar:
        for script in bar:
            try:
                document = run_script(FOLDER / f"{script}.py")
            except ApplianceError as error:
                failed.append(error.message)
                continue
            except KeyboardInterrupt:
                # Minutes of measuring are not thrown away with the rest.
                failed.append(f"interrupted at {script}")
                break
            about = about or {"machine": document["machine"], "versions": document["versions"]}
            rows += [row for row in document["rows"] if not names or belongs(row["name"], names)]
    missed = [row["name"] for row in rows if not row["reached"]]
    if as_json:
        click.echo(json.dumps({**about, "rows": rows, "reached": not missed and not failed}, indent=1))
    elif rows:
        _print(about, rows, missed)
    if failed:
        raise ApplianceError("; ".join(failed), hint="what it said itself stands above")


def _print(about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], missed: Sequence[str]) -> None:
    """For people: the machine, the rows, the verdict."""
    for part in about.values():
        click.echo(", ".join(f"{key} {value}" for key, value in part.items()))
    if about["machine"]["load"] > _QUIET_LOAD:
        click.echo("the machine was busy with other work when this began: shares and times are too high")
    click.echo()
    for row in rows:
        click.echo(table_line(row))
        for text in filter(None, (row["against"], row["why"] and f"why not: {row['why']}")):
            click.echo(textwrap.indent(textwrap.fill(text, _WIDTH), "    "))
    click.echo()
    if missed:
        click.echo(f"{len(rows) - len(missed)} of {len(rows)} rows reached; missed: {', '.join(missed)}")
    else:
        click.echo(f"all {len(rows)} rows reached")


def table_line(row: Mapping[str, Any]) -> str:
    """A row's figures on one line; `-` where there is no peer."""
    ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else "-"
    peer = f"{row['peer']:.4g}" if row["peer"] is not None else "-"
    verdict = "reached" if row["reached"] else "MISSED"
    figures = f"{row['ours']:>10.4g}  peer {peer:>8}  ratio {ratio:>6}"
    return f"{row['name']:<22}{figures}  goal {row['sense']} {row['goal']:.4g}: {verdict}  [{row['unit']}]"


def belongs(name: str, wanted: Sequence[str]) -> bool:
    """Whether a row is one of those, or was added to one (`idle_h264` to `idle`)."""
    return any(name == key or (name.startswith(f"{key}_") and name not in ROWS) for key in wanted)


def run_script(script: Path, patience_s: float = _LONGEST_S) -> dict[str, Any]:
    """Run one benchmark and read its document; interrupted, it is ended with all that it started.

    Raises:
        ApplianceError: It failed, its own words stand above; or it did not end in time.
    """
    # A group of its own: an interrupt from the terminal reaches it once, from here.
    with subprocess.Popen(
        [sys.executable, str(script), "--json"], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            out, _ = process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired as error:
            raise ApplianceError(f"{script.name} has not ended in {patience_s:g} s") from error
        finally:
            _end(process)
    if process.returncode != 0:
        raise ApplianceError(f"the benchmark {script.name} failed (exit {process.returncode})")
    try:
        document: dict[str, Any] = json.loads(out)
    except ValueError as error:
        raise ApplianceError(f"{script.name} printed no figures") from error
    return document


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Have it stop in good order, or at once after a while."""
    for sign, patience_s in ((signal.SIGINT, _GOODBYE_S), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
