"""`appliance enroll …`: people from the command line. Consent is asked for here, too.

Who is enrolled, and how somebody is; what changes or ends an enrolment is in `enroll.changes`.
"""

import json
import sys
import unicodedata
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import Context
from appliance.errors import EnrolmentError, InputError
from appliance.store import Consent, Store, Subject
from appliance.store.people import NAME_CHARS
from appliance.values import MAX_PHOTO_BYTES, SubjectId
from enroll.changes import pause, remove, remove_reference, rename, resume, withdraw
from enroll.consent import PURPOSES, TEXT, TEXT_VERSION, checked_purposes
from enroll.photos import Embeds, Photo, Verdict, judge, need_accepted

_PICTURES = (".jpg", ".jpeg", ".png", ".webp")
_MAX_CONSENT = 500
_SHOW_PROGRESS_FROM = 5
"""Pictures; fewer are done before anybody looks up."""


@click.group()
def enroll() -> None:
    """Enrol people: with their consent, from pictures, on this box only.

    \b
    Examples:
      appliance enroll add "Ann Example" ann1.jpg ann2.jpg --consent "signed form 2026-01-05"
      appliance enroll add "Ann Example" ann3.jpg --to 0190a5 --consent "the same form"
      appliance enroll list --json
      appliance enroll withdraw "Ann Example"
    """


for each in (pause, remove, remove_reference, rename, resume, withdraw):
    enroll.add_command(each)


@enroll.command("add")
@click.argument("name")
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--consent", "given_by", required=True, help="How the person agreed, e.g. 'signed form 2026-01-05'."
)
@click.option(
    "--purpose",
    "purposes",
    multiple=True,
    type=click.Choice(list(PURPOSES)),
    default=("identify", "greet"),
    show_default=True,
    help="What the consent covers; may be repeated.",
)
@click.option("--initials", help="At most four letters for small screens.")
@click.option("--to", metavar="ID", help="Add the photos to this person, who is enrolled and has that name.")
@click.option("--namesake", is_flag=True, help="Enrol somebody else of a name that is enrolled already.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
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
    as_json: bool,
) -> None:
    """Enrol NAME from PHOTOS (files, or folders of files); with --to, add photos to somebody enrolled."""
    # Late, so that `enroll list` does not load the networks' runtime.
    from appliance.app.embedding import photo_models

    files = picture_files(photos)
    label = unicodedata.normalize("NFC", name).strip()
    if not label or len(label) > NAME_CHARS or not label.isprintable():
        raise EnrolmentError(f"a name is 1 to {NAME_CHARS} printable characters")
    if to is not None and (namesake or initials is not None):
        raise EnrolmentError(
            "--to is for somebody enrolled already; it goes with neither --namesake nor --initials"
        )
    agreed = given_by.strip()
    if not agreed or len(agreed) > _MAX_CONSENT or not agreed.isprintable():
        raise EnrolmentError(
            f"--consent takes 1 to {_MAX_CONSENT} printable characters",
            hint="say how the person agreed; the text is: appliance enroll text",
        )
    wanted = checked_purposes(purposes)
    with context.services(create=True) as services:
        subject = meant(services.store, label, to=to, namesake=namesake)
        with photo_models(context.layout, context.process_command("models")) as models:
            verdicts = _judged(files, models, _known_photos(services.store, subject))
        accepted = need_accepted(verdicts)
        consent = Consent(purposes=wanted, text_version=TEXT_VERSION, given_by=agreed)
        if subject is None:
            subject_id = services.store.add_subject(label, initials=initials, consent=consent).id
        else:
            subject_id = subject.id
            services.store.give_consent(subject_id, consent)
        for verdict in accepted:
            details = {"origin": "photo", "sha256": verdict.sha256}
            services.store.add_reference(
                subject_id, verdict.templates, quality=verdict.quality, details=details
            )
    _report(subject_id, label, verdicts, as_json=as_json)


@enroll.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List who is enrolled."""
    with context.services() as services:
        people = [_described(subject) for subject in services.store.subjects()]
    if as_json:
        click.echo(json.dumps(people, indent=1))
        return
    if not people:
        click.echo('nobody is enrolled; begin with: appliance enroll add "Name" photo.jpg --consent "…"')
    for person in people:
        click.echo(
            f"{person['id']}  {person['state']:<7} {person['references']:>3} reference(s)  {person['name']}"
        )


@enroll.command("show")
@click.argument("person")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def show(context: Context, person: str, *, as_json: bool) -> None:
    """Show PERSON (id, beginning of an id, or exact name): consents and references."""
    with context.services() as services:
        subject = services.store.subject(person)
        found = _described(subject)
        found["consents"] = [
            {
                "id": consent.id,
                "purposes": list(consent.purposes),
                "text_version": consent.text_version,
                "given_by": consent.given_by,
                "given_at": _time(consent.given_at),
                "withdrawn_at": _time(consent.withdrawn_at),
            }
            for consent in services.store.consents(subject.id)
        ]
        found["reference_list"] = [
            {
                "id": reference.id,
                "created_at": _time(reference.created_at),
                "quality": round(reference.quality, 1),
                "models": list(reference.models),
            }
            for reference in services.store.references(subject.id)
        ]
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    click.echo(f"{found['name']}  ({found['id']}, {found['state']})")
    for consent in found["consents"]:
        ended = f", withdrawn {consent['withdrawn_at']}" if consent["withdrawn_at"] else ""
        click.echo(
            f"  consent {consent['id']} to {', '.join(consent['purposes'])}: {consent['given_by']} "
            f"({consent['given_at']}{ended})"
        )
    for reference in found["reference_list"]:
        click.echo(
            f"  reference {reference['id']}  quality {reference['quality']:.0f}  {reference['created_at']}"
        )


@enroll.command("text")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def text(*, as_json: bool) -> None:
    """Print the text that people agree to, and its version."""
    if as_json:
        click.echo(json.dumps({"text": TEXT, "version": TEXT_VERSION, "purposes": PURPOSES}, indent=1))
        return
    click.echo(f"{TEXT}\nversion {TEXT_VERSION}")


def picture_files(given: tuple[Path, ...]) -> list[Path]:
    """The files, with folders replaced by the pictures directly in them, in order of name.

    Raises:
        InputError: A folder without pictures.
    """
    files: list[Path] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(each for each in path.iterdir() if each.suffix.lower() in _PICTURES and each.is_file())
        if not found:
            raise InputError(f"{path} holds no pictures", hint=f"looked for {', '.join(_PICTURES)}")
        files.extend(found)
    return files


def meant(store: Store, name: str, *, to: str | None, namesake: bool) -> Subject | None:
    """Whose the photos are: somebody enrolled, or None for somebody new.

    A name alone never names somebody enrolled: two people may have one, and a face that is
    added to the wrong person lets the one pass for the other.

    Args:
        store: Who is enrolled.
        name: As given, in NFC.
        to: Id, or the beginning of one, of whoever is enrolled already.
        namesake: It is known that somebody of that name is enrolled; this is another.

    Raises:
        EnrolmentError: Somebody of that name is enrolled and neither is said, or `to` has another name.
        UnknownSubjectError: Nobody is `to`.
    """
    if to is not None:
        subject = store.subject(to)
        if subject.name != name:
            raise EnrolmentError(
                "whoever has the id given with --to has another name", hint="see: appliance enroll list"
            )
        return subject
    same = [subject.id for subject in store.subjects() if subject.name == name]
    if same and not namesake:
        raise EnrolmentError(
            "somebody of that name is enrolled already",
            hint=f"for more pictures of them: --to {' or --to '.join(same[:5])}; "
            "for somebody else of the same name: --namesake",
        )
    return None


def _judged(files: list[Path], models: Embeds, known: dict[str, object]) -> list[Verdict]:
    """Read and judge, with a progress bar when there is more than a handful."""
    photos: list[Photo] = []
    for path in files:
        try:
            if not path.is_file():
                raise InputError(f"{path.name} is no ordinary file")
            # The models process refuses larger files; reading them first would only take memory.
            if path.stat().st_size > MAX_PHOTO_BYTES:
                raise InputError(f"{path.name} is larger than {MAX_PHOTO_BYTES // 10**6} MB")
            photos.append(Photo(path.name, path.read_bytes()))
        except OSError as error:
            raise InputError(f"{path.name} cannot be read: {error.strerror}") from error
    bar: AbstractContextManager[Any] = click.progressbar(
        photos,
        label="looking at pictures",
        hidden=len(photos) < _SHOW_PROGRESS_FROM,
        file=sys.stderr,
    )
    verdicts: list[Verdict] = []
    with bar as shown:
        for photo in shown:
            verdicts.extend(judge([photo], models, known=known))
            known[verdicts[-1].sha256] = None
    return verdicts


def _known_photos(store: Store, subject: Subject | None) -> dict[str, object]:
    """sha256 of the pictures this person's references came from."""
    if subject is None:
        return {}
    details = (reference.details for reference in store.references(subject.id))
    return {str(each["sha256"]): None for each in details if each and "sha256" in each}


def _report(subject: SubjectId, name: str, verdicts: list[Verdict], *, as_json: bool) -> None:
    if as_json:
        photos = [
            {
                "photo": v.label,
                "accepted": v.accepted,
                "reasons": list(v.reasons),
                "quality": round(v.quality, 1),
            }
            for v in verdicts
        ]
        click.echo(json.dumps({"subject": subject, "photos": photos}, indent=1))
        return
    for verdict in verdicts:
        click.echo(f"  {verdict.label}: {verdict.words}")
    accepted = sum(verdict.accepted for verdict in verdicts)
    click.echo(f"{name} is enrolled with {accepted} new reference(s); the running loop knows within a second")


def _described(subject: Subject) -> dict[str, Any]:
    return {
        "id": subject.id,
        "name": subject.name,
        "initials": subject.initials,
        "state": subject.state.value,
        "references": subject.references,
        "purposes": list(subject.purposes),
        "created_at": _time(subject.created_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
