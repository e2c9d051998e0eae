"""`appliance search import` and `export`: the catalogue from a table with pictures, and as one.

What becomes of a row is `catalogue_import`'s to say; here are the bar, the report, and what to do next.
"""

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import click

from appliance import private_files
from appliance.app.catalogue_import_models import ImportModels
from appliance.app.catalogue_import_report import ImportReport
from appliance.app.catalogue_import_table import check_size, read_table
from appliance.cli.context import Context
from appliance.cli.search_tuning import opened_models, settle_threshold
from appliance.errors import ApplianceError, InputError
from appliance.events import ItemsImported
from appliance.services import Services
from appliance.store import Store

REFUSED: Final = InputError.exit_code
"""Exit code when something was refused, and everything else was imported."""
_BAR_FROM: Final = 20
_MOST_LEFT_OUT: Final = 20
_NEXT: Final = "try it: appliance search query PICTURE"


@click.command("import")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Let an item have the pictures of its row and no others. [default: added]"
)
@click.option("--pass-over", is_flag=True, help="Pass over columns that are not known.")
@click.option("--no-calibrate", is_flag=True, help="Leave the threshold as it is.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what became of the rows, with all that is wrong, to this file, as JSON.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def import_(
    ctx: click.Context,
    *,
    table: Path,
    replace: bool,
    pass_over: bool,
    no_calibrate: bool,
    report_file: Path | None,
    as_json: bool,
) -> None:
    """Put the items of TABLE into the catalogue: CSV or JSON, with the pictures in its folder.

    Columns are id, title, link, price, notes and pictures; id and title are needed, and pictures are paths
    that begin in the table's folder, with ; between several. An item that is there takes over what its row
    says. A row that cannot be taken is told, and the others are imported. Running it again adds nothing
    twice, so that is how one that was interrupted goes on. Ends with exit code 3 if something was refused.

    \b
    Examples:
      appliance search import items.csv
      appliance search import items.json --replace --report result.json
    """
    from appliance.app.catalogue_import import CatalogueImport
    from appliance.app.catalogue_pictures import FolderPictures

    context: Context = ctx.obj
    rows = read_table(_content(table), pass_over=pass_over)
    if report_file is not None and not report_file.parent.is_dir():
        raise InputError("the folder for --report does not exist")
    report = ImportReport(len(rows))
    explained = ""
    with context.services(create=True) as services, opened_models(context, services.store) as models:
        models.ready()
        work = CatalogueImport(services.store, FolderPictures(table.parent), models, replace=replace)
        failed: ApplianceError | None = None
        try:
            with (
                _recorded(services.store, report),
                _interruption() as stop,
                _bar("importing", len(rows), as_json=as_json) as bar,
            ):
                work.run(rows, report, stop=stop, tell=lambda _: bar.update(1))
        except ApplianceError as error:
            # A full disk, a lost database: what came before is kept, and is told of first.
            if not report.done:
                raise
            report.error, failed = error.message, error
        if report.pictures and not (report.stopped or failed or no_calibrate):
            explained = _settled(context, services, models, report, as_json=as_json)
    _tell(report, explained, report_file, as_json=as_json)
    if failed is not None:
        raise failed
    if report.stopped:
        raise click.Abort
    if report.faults:
        ctx.exit(REFUSED)


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", help="[default: csv]")
@click.option("--json", "as_json", is_flag=True, help="What was written, as JSON.")
@click.pass_obj
def export(context: Context, *, folder: Path, form: Literal["csv", "json"], as_json: bool) -> None:
    """Write the catalogue into FOLDER: a table, and the pictures in a folder beside it.

    They are as they are kept: small, and in the clear. The import takes them back, here or on another box;
    here it changes nothing. A picture that does not open is told and left out.

    \b
    Examples:
      appliance search export catalogue
      appliance search export catalogue --format json
    """
    from appliance.app.catalogue_export import export_catalogue

    left_out: list[dict[str, str]] = []
    with context.services() as services:
        count = services.store.item_count()
        with _bar("exporting", count, as_json=as_json) as bar:
            table, items, pictures = export_catalogue(
                *(services.store, folder, form),
                tell=lambda _items, _pictures: bar.update(1),
                left_out=lambda item, why: left_out.append({"item": item, "why": why}),
            )
    if as_json:
        said = {"table": str(table), "items": items, "pictures": pictures, "left_out": left_out}
        click.echo(json.dumps(said, indent=1, ensure_ascii=False))
        return
    for each in left_out[:_MOST_LEFT_OUT]:
        click.echo(f"a picture of {each['item']} was left out: {each['why']}", err=True)
    if len(left_out) > _MOST_LEFT_OUT:
        click.echo(f"and {len(left_out) - _MOST_LEFT_OUT:,} more", err=True)
    click.echo(f"{items:,} items, {pictures:,} pictures: {table}")
    click.echo(f"put it back with: appliance search import {table}")


def _content(table: Path) -> bytes:
    """The table's bytes.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    try:
        if not table.is_file():
            raise InputError(f"{table} is no ordinary file")
        check_size(table.stat().st_size)
        return table.read_bytes()
    except OSError as error:
        raise InputError(f"{table} cannot be read: {error.strerror}") from error


def _settled(
    context: Context, services: Services, models: ImportModels, report: ImportReport, *, as_json: bool
) -> str:
    """Find the threshold anew, and say what came of it; that it cannot be found ends nothing."""
    try:
        return settle_threshold(context, services, models, quiet=as_json)
    except ApplianceError as error:
        report.error = error.message
        return f"the threshold was not found anew: {error.message}; try: appliance search calibrate"


def _tell(report: ImportReport, explained: str, file: Path | None, *, as_json: bool) -> None:
    """Print the report, and write it.

    Raises:
        InputError: It cannot be written; the items are there all the same.
    """
    said: dict[str, Any] = {**report.as_json(), "threshold": explained or None}
    if as_json:
        click.echo(json.dumps(said, indent=1, ensure_ascii=False))
    else:
        for line in report.lines():
            click.echo(line)
        if explained:
            click.echo(explained)
        if report.added or report.changed:
            click.echo(_NEXT)
    if file is not None:
        try:
            private_files.replace(file, json.dumps(said, indent=1, ensure_ascii=False).encode())
        except OSError as error:
            raise InputError(f"the report could not be written: {error.strerror}") from error


@contextlib.contextmanager
def _recorded(store: Store, report: ImportReport) -> Iterator[None]:
    """Put on record that an import begins, and how it ended unless it was interrupted."""
    store.append(ItemsImported(type="items_import_begun", rows=report.rows))
    yield
    store.append(
        ItemsImported(
            type="items_imported",
            rows=report.rows,
            added=report.added,
            changed=report.changed,
            same=report.same,
            refused=report.refused,
        )
    )


@contextlib.contextmanager
def _bar(what: str, length: int, *, as_json: bool) -> Iterator[Any]:
    """A bar on standard error, hidden for a few."""
    hidden = as_json or length < _BAR_FROM
    with click.progressbar(length=length, label=what, hidden=hidden, show_pos=True, file=sys.stderr) as bar:
        yield bar


@contextlib.contextmanager
def _interruption() -> Iterator[threading.Event]:
    """Ctrl-C sets this event, so that the row under way is told of; a second one ends at once."""
    asked = threading.Event()

    def ask(number: int, frame: object) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)  # type: ignore[arg-type]
        asked.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
