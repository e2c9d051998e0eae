"""`appliance bench`: speed and memory, against the library most people would use, in one run.

Only collects: each benchmark is a script of its own in `tests/benchmarks/`, which prints its
rows as JSON and can be run alone.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import Context
from appliance.errors import ApplianceError, InputError

FOLDER = Path(__file__).parents[2] / "tests" / "benchmarks"
_LONGEST_S = 600


@click.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def bench(context: Context, *, names: tuple[str, ...], as_json: bool) -> None:
    """Measure; NAMES choose rows by key, all by default. Takes a few minutes.

    \b
    Examples:
      appliance bench
      appliance bench embed_dlib --json
    """
    del context
    scripts = {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}
    scripts.pop("rows", None)  # what the others share
    if not scripts:
        raise InputError("there are no benchmarks here", hint="bench runs from a checkout, not from a wheel")
    if unknown := sorted(set(names) - set(scripts)):
        raise InputError(f"no row {unknown[0]!r}", hint=f"there are: {', '.join(scripts)}")
    rows: list[dict[str, Any]] = []
    about: dict[str, Any] = {}
    with click.progressbar(names or list(scripts), label="measuring", file=sys.stderr) as bar:
        for name in bar:
            document = _run(scripts[name])
            about = about or {"machine": document["machine"], "versions": document["versions"]}
            rows.extend(document["rows"])
    if as_json:
        click.echo(json.dumps({**about, "rows": rows}, indent=1))
        return
    for part in about.values():
        click.echo(", ".join(f"{key} {value}" for key, value in part.items()))
    for row in rows:
        ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else "-"
        peer = f"{row['peer']:.4g}" if row["peer"] is not None else "-"
        reached = "reached" if row["reached"] else "NOT reached"
        figures = f"{row['ours']:>10.4g} {row['unit']:<5} peer {peer:>8}  ratio {ratio:>7}"
        click.echo(f"{row['name']:<22} {figures}  {row['goal']}: {reached}")


def _run(script: Path) -> dict[str, Any]:
    """Run one benchmark and read its rows.

    Raises:
        ApplianceError: It failed; its own words stand above.
    """
    done = subprocess.run(
        [sys.executable, str(script), "--json"], stdout=subprocess.PIPE, check=False, timeout=_LONGEST_S
    )
    if done.returncode != 0:
        raise ApplianceError(f"the benchmark {script.name} failed (exit {done.returncode})")
    document: dict[str, Any] = json.loads(done.stdout)
    return document
