"""`appliance calibrate`: the threshold for a wanted error rate, and whether the tables fit this gallery."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.cli.context import Context
from appliance.cli.parameters import Finite
from appliance.evaluation.safety import PROBES, Expected, SafetyReport
from appliance.evaluation.table_check import as_json as check_json
from appliance.evaluation.table_check import words as check_words

if TYPE_CHECKING:
    from appliance.app.calibrating import Calibration

_FEW = 0.005
"""Measured on some thousand mated comparisons, a smaller FNMR says only that it is small."""


@click.command()
@click.option(
    "--fpir",
    type=Finite(0.00001, 0.1),
    help="Share of strangers that may be taken for somebody enrolled. [default: as set]",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Photos of other people, FOLDER/person/photo.jpg: are the tables true of them?",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON; rates are shares, 0 to 1.")
@click.pass_obj
def calibrate(context: Context, *, fpir: float | None, folder: Path | None, as_json: bool) -> None:
    """Say what an error rate costs with the people enrolled now, and how to set it.

    Shows the threshold for it by number of references, how many of the enrolled would not be named, how
    that compares with what is set, and whether the people enrolled are as unlike each other as those
    whom the tables were measured on. Writes nothing: the lines for the settings are printed.

    \b
    Examples:
      appliance calibrate --fpir 0.001
      appliance calibrate --fpir 0.0005 --folder photos/
      appliance calibrate --json
    """
    # Late, so that `appliance --help` does not load the networks' runtime.
    from appliance.app.calibrating import calibrate as look
    from appliance.cli.evaluate import embedded

    settings = context.settings
    with context.services() as services:
        photos = None if folder is None else embedded(context, folder)
        found = look(services.store, settings.recognition, fpir=fpir, folder=photos)
    if as_json:
        click.echo(json.dumps(_document(found), indent=1))
        return
    for line in _words(found, context.settings_file):
        click.echo(line)


def _words(found: "Calibration", settings_file: Path | None) -> Iterator[str]:
    from appliance.app.calibrating import meaning

    yield meaning(found)
    yield ""
    wanted, current = found.wanted, found.current
    yield f"With {found.composition}, FPIR {100 * wanted.rule.fpir:g} %:"
    yield from _levels(wanted, current if found.changes else None)
    yield "not named: share of looks at somebody enrolled, by measurements of other people (LFW)."
    if wanted.stricter:
        yield f"{len(wanted.stricter)} of them have a stricter threshold of their own."
    yield ""
    yield "Are the tables true of these people?"
    yield from check_words(found.gallery.checks, found.gallery.pairs, "the people enrolled")
    if found.folder is not None:
        yield from check_words(found.folder.checks, found.folder.pairs, "the folder's people")
    yield (
        f"The FPIR itself asks for 1 match in {1 / found.fmr:,.0f} comparisons; only the tables, measured on "
        "millions, show so little."
    )
    yield ""
    if not found.changes:
        yield f"That is what is set now (recognition.fpir = {_toml(current.rule.fpir)})."
        return
    yield f"Set now: recognition.fpir = {_toml(current.rule.fpir)}. For the other, put into " + (
        f"{settings_file}:" if settings_file is not None else "appliance.toml in the state directory:"
    )
    yield ""
    yield from _lines(found)


def _levels(wanted: SafetyReport, current: SafetyReport | None) -> Iterator[str]:
    head = ["references", "people", *(f"threshold, {_probes(each)}" for each in PROBES)]
    head += [f"not named, {_probes(each)}" for each in PROBES]
    rows = []
    for place, level in enumerate(wanted.levels):
        cells = [str(level.references), str(level.people)]
        for kind in ("thresholds", "expected"):
            for look in range(len(PROBES)):
                text = _cell(getattr(level, kind)[look])
                if current is not None:
                    text += f" (now {_cell(getattr(current.levels[place], kind)[look])})"
                cells.append(text)
        rows.append(cells)
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        yield "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def _cell(value: float | Expected) -> str:
    if isinstance(value, Expected):
        if value.fnir is not None and value.fnir < _FEW:
            return f"under {100 * _FEW:g} %"
        return f"{'' if value.fnir is not None else 'over '}{100 * value.at_least:.2g} %"
    return f"{value:.3f}"


def _probes(count: int) -> str:
    return f"{count} probe{'s' * (count > 1)}"


def _lines(found: "Calibration") -> list[str]:
    return ["[recognition]", f"fpir = {_toml(found.wanted.rule.fpir)}"]


def _toml(number: float) -> str:
    """A number as TOML writes it: 0.00005 and not 5e-05."""
    return f"{number:.10f}".rstrip("0")


def _document(found: "Calibration") -> dict[str, Any]:
    from appliance.app.calibrating import meaning

    return {
        "composition": found.composition,
        "people": found.wanted.people,
        "references": found.wanted.references,
        "meaning": meaning(found),
        "fmr": found.fmr,
        "wanted": _point(found.wanted),
        "current": _point(found.current),
        "gallery": check_json(found.gallery.checks, found.gallery.pairs),
        "folder": None if found.folder is None else check_json(found.folder.checks, found.folder.pairs),
        "toml": "\n".join(_lines(found)) + "\n",
    }


def _point(report: SafetyReport) -> dict[str, Any]:
    return {
        "fpir": report.rule.fpir,
        "expected_fnir": [
            _expected(probes, each) for probes, each in zip(PROBES, report.expected, strict=True)
        ],
        "levels": [
            {
                "references": level.references,
                "people": level.people,
                "points": [
                    {**_expected(probes, each), "threshold": round(threshold, 6)}
                    for probes, threshold, each in zip(PROBES, level.thresholds, level.expected, strict=True)
                ],
            }
            for level in report.levels
        ],
    }


def _expected(probes: int, expected: Expected) -> dict[str, Any]:
    return {"probes": probes, "fnir": expected.fnir, "fnir_at_least": expected.at_least}
