"""`appliance enroll add`: one person from some pictures, or some more pictures of one person."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from appliance.app.reopening import Reopening
from appliance.cli.context import Context
from appliance.errors import EnrolmentError
from appliance.picture_files import Embeds
from appliance.values import SubjectId
from enroll.asking import as_json_option, checked_consent, consent_options, face_choice
from enroll.files import photos as read_photos
from enroll.files import picture_files
from enroll.keeping import keep, known_photos, meant
from enroll.likeness import examine
from enroll.names import checked_name
from enroll.photos import FaceChoice, Verdict, judge, need_accepted
from enroll.reporting import after
from enroll.telling import Names, verdict_json, verdict_lines

_SHOW_PROGRESS_FROM = 5
"""Pictures; fewer are done before anybody looks up."""


@click.command("add")
@click.argument("name")
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@consent_options
@click.option("--initials", help="At most four letters for small screens.")
@click.option("--to", metavar="ID", help="Add the photos to this person, who is enrolled and has that name.")
@click.option("--namesake", is_flag=True, help="Enrol somebody else of a name that is enrolled already.")
@click.option(
    "--face",
    type=face_choice,
    metavar="N|largest",
    help="Which face of a picture that shows several: its number from the left, or the largest.",
)
@click.option("--although-alike", is_flag=True, help="Go on although a face looks like somebody enrolled.")
@click.option(
    "--although-different",
    is_flag=True,
    help="Go on although a face does not look like the other pictures of this person.",
)
@as_json_option
@click.pass_obj
def add(
    context: Context,
    *,
    name: str,
    photos: tuple[Path, ...],
    given_by: str,
    purposes: tuple[str, ...],
    initials: str | None,
    to: str | None,
    namesake: bool,
    face: FaceChoice,
    although_alike: bool,
    although_different: bool,
    as_json: bool,
) -> None:
    """Enrol NAME from PHOTOS (files, or folders of files); with --to, add photos to somebody enrolled.

    A picture is refused with its reason: no face, too small, blurred, too dark or too bright, turned away,
    given before. Where it shows several faces, says whom else it looks like, or does not look like the
    person's other pictures, that is a question, and an option answers it.

    \b
    Examples:
      appliance enroll add "Ann Example" ann1.jpg ann2.jpg --consent "signed form 2026-01-05"
      appliance enroll add "Ann Example" party.jpg --face 2 --to 0190a5 --consent "the same form"
    """
    # Late, so that `enroll list` does not load the networks' runtime.
    from appliance.app.embedding import photo_models
    from appliance.app.enrolled_faces import EnrolledFaces
    from appliance.app.error_tables import read_tables

    files = picture_files(photos)
    label = checked_name(name)
    if to is not None and (namesake or initials is not None):
        raise EnrolmentError(
            "--to is for somebody enrolled already; it goes with neither --namesake nor --initials"
        )
    if isinstance(face, int) and len(files) > 1:
        raise EnrolmentError(
            "--face N is for one picture: the numbers are other faces in another",
            hint="give the pictures one by one, or say --face largest",
        )
    consent = checked_consent(given_by, purposes)
    with context.services(create=True) as services:
        store = services.store
        subject = meant(store, label, to=to, namesake=namesake)
        with Reopening(lambda: photo_models(context.layout, context.process_command("models"))) as models:
            verdicts = judged(files, models, known_photos(store), choice=face)
        verdicts = examine(
            verdicts,
            EnrolledFaces.of(store, context.settings.recognition, read_tables()),
            to=None if subject is None else subject.id,
            although_alike=although_alike,
            although_different=although_different,
        )
        names = Names.of(store)
        if not any(verdict.accepted for verdict in verdicts):
            _tell(None, verdicts, names, as_json=as_json)
            need_accepted(verdicts)
        kept = keep(store, subject, label, initials, consent, verdicts)
        safety = after(context, store)
    if as_json:
        _tell(kept, verdicts, safety.names, as_json=True, safety=safety.as_json())
        return
    _tell(kept, verdicts, safety.names, as_json=False)
    accepted = sum(verdict.accepted for verdict in verdicts)
    click.echo(f"{label} is enrolled with {accepted} new reference(s); the running loop knows in a second")
    safety.say()


def judged(
    files: list[Path], models: Embeds, known: dict[str, SubjectId], *, choice: FaceChoice
) -> list[Verdict]:
    """Read and judge each picture, with a progress bar when there is more than a handful."""
    with progress("looking at pictures", len(files)) as bar:
        verdicts = []
        for verdict in judge(read_photos(files), models, known=known, choice=choice):
            verdicts.append(verdict)
            bar.update(1)
    return verdicts


@contextmanager
def progress(what: str, length: int) -> Iterator[Any]:
    """A bar on standard error, hidden for a few."""
    with click.progressbar(
        length=length, label=what, hidden=length < _SHOW_PROGRESS_FROM, file=sys.stderr
    ) as bar:
        yield bar


def _tell(
    subject: SubjectId | None,
    verdicts: list[Verdict],
    names: Names,
    *,
    as_json: bool,
    safety: dict[str, Any] | None = None,
) -> None:
    """What became of each picture."""
    if as_json:
        photos = [verdict_json(verdict, names) for verdict in verdicts]
        click.echo(json.dumps({"subject": subject, "photos": photos, "safety": safety}, indent=1))
        return
    for verdict in verdicts:
        for line in verdict_lines(verdict, names):
            click.echo(f"  {line}")
