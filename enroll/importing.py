"""`appliance enroll import`: hundreds of people from a folder of folders, or from a table.

One person after the other, each in a transaction of their own: whatever stops it, whoever is enrolled is
whole and told of, and running it again goes on where it ended. One picture is held at a time.
"""

import contextlib
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import click

from appliance.app.reopening import Reopening
from appliance.cli.context import Context
from appliance.errors import ApplianceError, EnrolmentError, InputError, UnknownSubjectError
from appliance.picture_files import Embeds
from appliance.store import Consent, Store, Subject
from appliance.values import SubjectId, Templates
from enroll.adding import progress
from enroll.asking import as_json_option, checked_consent, consent_options
from enroll.files import digest, photos
from enroll.keeping import keep, known_photos
from enroll.likeness import Compares, examine
from enroll.outcomes import Outcome, outcomes_json, table, write
from enroll.photos import FaceChoice, judge
from enroll.reporting import after
from enroll.roster import Entry, Roster, read_roster
from enroll.telling import Names, Safety

REFUSED = EnrolmentError.exit_code
"""Exit code when something was refused, and everything else was enrolled."""


@dataclass(slots=True)
class Import:
    """Everything that an import needs to enrol one person after the other.

    Attributes:
        store: Opened, with a key.
        models: Who embeds.
        enrolled: Everybody enrolled; grows with each person.
        add: Tells `enrolled` of new references.
        consent: What everybody agreed to.
        choice: Which face is meant where there are several.
        known: sha256 of every picture given so far → whose; grows likewise.
    """

    store: Store
    models: Embeds
    enrolled: Compares
    add: Callable[[SubjectId, list[Templates]], None]
    consent: Consent
    choice: FaceChoice
    known: dict[str, SubjectId]

    def one(
        self, entry: Entry, subjects: dict[str, list[Subject]], looked: Callable[[], bool]
    ) -> Outcome | None:
        """Enrol one person, or add to them what is new.

        Args:
            entry: Who.
            subjects: Everybody enrolled before, by name.
            looked: Called after each picture; whether to go on.

        Returns:
            None: it was not to go on, and nothing of theirs was stored.
        """
        if entry.fault:
            return Outcome(entry, fault=entry.fault)
        same = subjects.get(entry.name, [])
        subject = self._before(entry, same)
        if same and subject is None:
            return Outcome(entry, fault="name_taken")
        verdicts = []
        for verdict in judge(photos(entry.files), self.models, known=self.known, choice=self.choice):
            verdicts.append(verdict)
            if not looked():
                return None
        verdicts = examine(verdicts, self.enrolled, to=None if subject is None else subject.id)
        outcome = Outcome(entry, None if subject is None else subject.id, verdicts=verdicts)
        accepted = [verdict for verdict in verdicts if verdict.accepted]
        if accepted:
            try:
                outcome.subject = keep(
                    self.store, subject, entry.name, entry.initials, self.consent, verdicts
                )
            except (EnrolmentError, UnknownSubjectError) as error:  # the latter: removed meanwhile
                return Outcome(entry, fault=error.message)
            self.add(outcome.subject, [verdict.templates for verdict in accepted])
            self.known.update({verdict.sha256: outcome.subject for verdict in accepted})
        outcome.already = len(verdicts) - len(accepted) - len(outcome.refused)
        # Of hundreds of people the words are kept until the end, and not their faces.
        outcome.verdicts = [replace(verdict, templates={}) for verdict in verdicts]
        return outcome

    def _before(self, entry: Entry, same: list[Subject]) -> Subject | None:
        """Who of those with this name was enrolled from one of these pictures: the same person, then."""
        if not same:
            return None
        owners = {self.known.get(sha256 or "") for sha256 in map(digest, entry.files)}
        found = [subject for subject in same if subject.id in owners]
        return found[0] if len(found) == 1 else None


@click.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@consent_options
@click.option(
    "--face",
    type=click.Choice(["largest"]),
    help="Take the largest face of a picture that shows several, instead of asking.",
)
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what became of each picture to this file, as JSON, for your eyes only (it holds names).",
)
@as_json_option
@click.pass_context
def import_(
    ctx: click.Context,
    *,
    source: Path,
    given_by: str,
    purposes: tuple[str, ...],
    face: Literal["largest"] | None,
    report_file: Path | None,
    as_json: bool,
) -> None:
    """Enrol everybody in SOURCE: a folder with a folder of pictures per person, or a table.

    The table is a CSV of name,file or name,file,initials; the files lie beside it, or in folders beside it.

    Everybody in it has agreed in the same way, as --consent says. Whoever cannot be enrolled is reported,
    and the others are enrolled; running it again adds nothing twice. Ends with exit code 11 if something
    was refused.

    \b
    Examples:
      appliance enroll import people/ --consent "signed forms in binder 3"
      appliance enroll import people.csv --consent "signed forms in binder 3" --report result.json
    """
    # Late, so that `enroll list` does not load the networks' runtime.
    from appliance.app.embedding import photo_models
    from appliance.app.enrolled_faces import EnrolledFaces
    from appliance.app.error_tables import read_tables

    context: Context = ctx.obj
    roster = read_roster(source)
    consent = checked_consent(given_by, purposes)
    if report_file is not None and not report_file.parent.is_dir():
        raise InputError("the folder for --report does not exist")
    outcomes: list[Outcome] = []
    stopped, failed = False, None
    with context.services(create=True) as services:
        store = services.store
        enrolled = EnrolledFaces.of(store, context.settings.recognition, read_tables())
        try:
            with (
                Reopening(lambda: photo_models(context.layout, context.process_command("models"))) as models,
                _interruption() as stop,
            ):
                work = Import(store, models, enrolled, enrolled.add, consent, face, known_photos(store))
                stopped = _all(work, roster, stop, outcomes)
        except ApplianceError as error:
            # A full disk, a lost database: whoever was reached before is enrolled, and is told of first.
            if not outcomes:
                raise
            failed = error
        safety = _after(context, store, failed)
    said = _tell(roster, outcomes, safety, (stopped, failed), as_json=as_json)
    try:
        if report_file is not None:
            write(report_file, said)
    finally:
        if failed is not None:
            raise failed
    if stopped:
        raise click.Abort
    if said["refused"]:
        ctx.exit(REFUSED)


def _tell(
    roster: Roster,
    outcomes: list[Outcome],
    safety: Safety | None,
    ended: tuple[bool, ApplianceError | None],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Tell of everybody who was reached, and how safe the gallery is now; what `--report` writes."""
    stopped, failed = ended
    names = Names([]) if safety is None else safety.names
    said = {
        **outcomes_json(roster, outcomes, names),
        "stopped": stopped,
        "error": None if failed is None else failed.message,
        "safety": None if safety is None else safety.as_json(),
    }
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return said
    for line in table(roster, outcomes, names):
        click.echo(line)
    if safety is not None:
        safety.say()
    return said


def _after(context: Context, store: Store, failed: ApplianceError | None) -> Safety | None:
    """What the gallery risks now; None: it cannot be read for the same reason that the import failed for.

    Raises:
        ApplianceError: It cannot be read, and nothing had failed.
    """
    try:
        return after(context, store)
    except ApplianceError:
        if failed is None:
            raise
        return None


@contextlib.contextmanager
def _interruption() -> Iterator[threading.Event]:
    """Ctrl-C sets this event, so that nobody is left between stored and told; a second one ends at once."""
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


def _all(work: Import, roster: Roster, stop: threading.Event, outcomes: list[Outcome]) -> bool:
    """One after the other; whether it was stopped before all were reached.

    Args:
        work: Enrols one.
        roster: Everybody.
        stop: Set when it is to be stopped.
        outcomes: What became of each is added here, so that it is known if the next one fails.
    """
    subjects: dict[str, list[Subject]] = {}
    for subject in work.store.subjects():
        if subject.name is not None:
            subjects.setdefault(subject.name, []).append(subject)
    with progress("looking at pictures", sum(len(entry.files) for entry in roster.entries)) as bar:

        def looked() -> bool:
            bar.update(1)
            return not stop.is_set()

        for entry in roster.entries:
            outcome = None if stop.is_set() else work.one(entry, subjects, looked)
            if outcome is None:
                return True
            outcomes.append(outcome)
    return False
