"""`appliance evaluate`: error rates of the recognition on a folder of photos."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.cli.context import Context
from appliance.cli.files import make_folder, write_file
from appliance.cli.parameters import Finite

if TYPE_CHECKING:
    from appliance.app.embedded_folder import EmbeddedFolder

_SHOW_PROGRESS_FROM = 5
"""Pictures; fewer are done before anybody looks up."""
_FILES_SHOWN = 20
_NO_FACE = "--every-face also takes faces that enrolment would refuse"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--people", type=click.IntRange(1), help="How many are enrolled (N). [default: half of those there are]"
)
@click.option(
    "--strangers", type=click.IntRange(0), help="How many are not (M). [default: the rest of the people]"
)
@click.option(
    "--fpir",
    default=0.01,
    show_default=True,
    type=Finite(0.00001, 0.1),
    help="Share of strangers that may be taken for somebody enrolled.",
)
@click.option(
    "--rounds",
    default=100,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Random divisions into enrolled, strangers, references and probes.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="Of the random divisions and of the intervals.",
)
@click.option(
    "--every-face", is_flag=True, help="Also use faces that enrolment would refuse (blurred, turned)."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for results.json, results.md, det.png and det.svg.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON; rates are shares, 0 to 1.")
@click.pass_obj
def evaluate(
    context: Context,
    *,
    folder: Path,
    people: int | None,
    strangers: int | None,
    fpir: float,
    rounds: int,
    seed: int,
    every_face: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure how often strangers are taken for somebody and people are not named, on photos.

    FOLDER holds a folder for each person with photos of them: FOLDER/person/photo.jpg. Some of the people
    are enrolled, the others are strangers, drawn anew in each round. Nothing is kept of the photos.

    \b
    Examples:
      appliance evaluate photos/
      appliance evaluate photos/ --people 50 --strangers 50 --fpir 0.01 --out evaluation/
      appliance evaluate photos/ --seed 7 --json > results.json
    """
    # Late, so that `appliance --help` does not load the networks' runtime.
    from appliance.app.error_tables import read_tables
    from appliance.app.evaluating import Plan, draw, embedding_weights, measure, steps
    from appliance.evaluation.page import page
    from appliance.evaluation.report import as_json as document

    settings, tables = context.settings, read_tables()
    if out is not None:
        make_folder(out)
    photos = embedded(context, folder, every_face=every_face, hint=_NO_FACE)
    plan = Plan(people, strangers, fpir, rounds, seed, every_face=every_face)
    with click.progressbar(
        length=steps(),
        label="searching",
        show_pos=True,
        hidden=photos.files < _SHOW_PROGRESS_FROM,
        file=sys.stderr,
    ) as bar:
        found = measure(
            photos,
            tables,
            settings.recognition,
            plan,
            date=datetime.now(UTC).date().isoformat(),
            models=embedding_weights(settings),
            tell=lambda: bar.update(1),
        )
    if out is not None:
        write_file(out / "results.json", (json.dumps(document(found.report), indent=1) + "\n").encode())
        write_file(out / "results.md", page(found.report).encode())
        plots = draw(found)
        if plots is not None:
            write_file(out / "det.png", plots[0])
            write_file(out / "det.svg", plots[1])
    click.echo(json.dumps(document(found.report), indent=1) if as_json else page(found.report), nl=as_json)


def embedded(
    context: Context, folder: Path, *, every_face: bool = False, hint: str | None = None
) -> "EmbeddedFolder":
    """A folder's photos, embedded by the models process, with a bar; names what was left out.

    Args:
        context: Where the models process and its settings are.
        folder: Holds a folder for each person.
        every_face: Also take faces that enrolment would refuse.
        hint: What the command's user can try when no face can be used.

    Raises:
        InputError: The folder holds no photos of people, or no face that can be used.
        ModelError: The models process did not start.
    """
    from appliance.app.embedded_folder import embed_folder, photo_files
    from appliance.app.embedding import photo_models
    from appliance.app.reopening import Reopening

    files = photo_files(folder)
    with (
        # One picture that kills the models process costs itself, and not what was embedded before it.
        Reopening(lambda: photo_models(context.layout, context.process_command("models"))) as models,
        click.progressbar(
            length=files.count,
            label="looking at pictures",
            show_pos=True,
            hidden=files.count < _SHOW_PROGRESS_FROM,
            file=sys.stderr,
        ) as bar,
    ):
        more = {} if hint is None else {"hint": hint}
        photos = embed_folder(files, models, every_face=every_face, tell=lambda: bar.update(1), **more)
    if photos.unreadable:
        click.echo(f"{photos.unreadable} folder(s) of people cannot be read and were left out", err=True)
    _say_refused(photos.refused)
    return photos


def _say_refused(refused: tuple[tuple[str, str], ...]) -> None:
    """Name the files left out to whoever sits at the terminal; a file's name may be a person's."""
    if not sys.stderr.isatty():
        return
    for name, reason in refused[:_FILES_SHOWN]:
        click.echo(f"  left out: {click.format_filename(name)} ({reason})", err=True)
    if len(refused) > _FILES_SHOWN:
        click.echo(f"  … and {len(refused) - _FILES_SHOWN} more", err=True)
