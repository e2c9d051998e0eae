"""`appliance enroll import`: hundreds of people from a folder of folders, or from a table.

One person after the other, each in a transaction of their own: whatever stops it, whoever is enrolled is
whole, and running it again goes on where it ended. One picture is held at a time.
"""

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import click

from appliance import private_files
from appliance.cli.context import Context
from appliance.errors import EnrolmentError, InputError, PeerGoneError, PhotoError
from appliance.store import Consent, Store, Subject
from appliance.values import EmbeddedPhoto, SubjectId, Templates
from enroll.adding import keep, known_photos, progress
from enroll.asking import as_json_option, checked_consent, consent_options
from enroll.files import digest, photos
from enroll.likeness import Compares, examine
from enroll.photos import Embeds, FaceChoice, Verdict, judge
from enroll.reporting import safety_now
from enroll.roster import FAULTS, Entry, Roster, read_roster
from enroll.telling import Names, safety_json, say_safety, verdict_json, verdict_lines

REFUSED = EnrolmentError.exit_code
"""Exit code when something was refused, and everything else was enrolled."""

Ended = Literal["enrolled", "extended", "unchanged", "refused"]


@dataclass(slots=True)
class Outcome:
    """What became of one person.

    Attributes:
        entry: Who.
        subject: Their id; None: they are not enrolled.
        fault: Why nothing of theirs was looked at, by code of `enroll.roster.FAULTS`, or in words.
        verdicts: Of their pictures.
        already: Pictures that were theirs before; no refusal.
    """

    entry: Entry
    subject: SubjectId | None = None
    fault: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    already: int = 0

    @property
    def accepted(self) -> int:
        """New references."""
        return sum(verdict.accepted for verdict in self.verdicts)

    @property
    def refused(self) -> list[Verdict]:
        """Pictures that did not become references, and were not theirs already."""
        return [
            verdict
            for verdict in self.verdicts
            if not verdict.accepted and not (verdict.same_as is not None and verdict.same_as == self.subject)
        ]

    @property
    def ended(self) -> Ended:
        """How."""
        if self.subject is None:
            return "refused"
        if not self.accepted:
            return "unchanged"
        return "extended" if self.already else "enrolled"


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
            except EnrolmentError as error:
                return Outcome(entry, fault=error.message)
            self.add(outcome.subject, [verdict.templates for verdict in accepted])
            self.known.update({verdict.sha256: outcome.subject for verdict in accepted})
        outcome.already = len(verdicts) - len(accepted) - len(outcome.refused)
        return outcome

    def _before(self, entry: Entry, same: list[Subject]) -> Subject | None:
        """Who of those with this name was enrolled from one of these pictures: the same person, then."""
        if not same:
            return None
        owners = {self.known.get(sha256 or "") for sha256 in map(digest, entry.files)}
        found = [subject for subject in same if subject.id in owners]
        return found[0] if len(found) == 1 else None


class Reopening:
    """Embeds pictures; should the models process die of one, another goes on with the next.

    Args:
        opened: Opens a models process.
    """

    def __init__(self, opened: Callable[[], contextlib.AbstractContextManager[Embeds]]) -> None:
        self._open = opened
        self._stack = contextlib.ExitStack()
        self._models: Embeds | None = None

    def __enter__(self) -> Self:
        """Open."""
        self._models = self._stack.enter_context(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self._stack.close()

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Find and embed the faces of a picture file.

        Raises:
            PhotoError: It cannot be used as a picture, or the process died of it twice.
        """
        for _ in range(2):
            if self._models is None:
                self._models = self._stack.enter_context(self._open())
            try:
                return self._models.embed(content)
            except PeerGoneError:
                self._models = None
                self._stack.close()
        raise PhotoError("the models process died of it", reason="unreadable")


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
    from appliance.app.parts import read_tables

    context: Context = ctx.obj
    roster = read_roster(source)
    consent = checked_consent(given_by, purposes)
    if report_file is not None and not report_file.parent.is_dir():
        raise InputError("the folder for --report does not exist")
    with context.services(create=True) as services:
        store = services.store
        enrolled = EnrolledFaces.of(store, context.settings.recognition, read_tables())
        with (
            Reopening(lambda: photo_models(context.layout, context.process_command("models"))) as models,
            _interruption() as stop,
        ):
            work = Import(store, models, enrolled, enrolled.add, consent, face, known_photos(store))
            outcomes, stopped = _all(work, roster, stop)
        safety = safety_now(context, store)
        names = Names.of(store)
    said = {**_json(roster, outcomes, names), "stopped": stopped, "safety": safety_json(safety)}
    if report_file is not None:
        _write(report_file, said)
    if as_json:
        click.echo(json.dumps(said, indent=1))
    else:
        for line in _table(roster, outcomes, names):
            click.echo(line)
        say_safety(safety, names)
    if stopped:
        raise click.Abort
    if said["refused"]:
        ctx.exit(REFUSED)


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


def _all(work: Import, roster: Roster, stop: threading.Event) -> tuple[list[Outcome], bool]:
    """One after the other; what became of them, and whether it was stopped before all were reached."""
    subjects: dict[str, list[Subject]] = {}
    for subject in work.store.subjects():
        if subject.name is not None:
            subjects.setdefault(subject.name, []).append(subject)
    outcomes: list[Outcome] = []
    with progress("looking at pictures", sum(len(entry.files) for entry in roster.entries)) as bar:

        def looked() -> bool:
            bar.update(1)
            return not stop.is_set()

        for entry in roster.entries:
            outcome = None if stop.is_set() else work.one(entry, subjects, looked)
            if outcome is None:
                return outcomes, True
            outcomes.append(outcome)
    return outcomes, False


def _json(roster: Roster, outcomes: list[Outcome], names: Names) -> dict[str, Any]:
    """Everything, with stable names."""
    return {
        "people": [
            {
                "name": outcome.entry.name,
                "subject": outcome.subject,
                "ended": outcome.ended,
                "fault": outcome.fault,
                "accepted": outcome.accepted,
                "already": outcome.already,
                "refused": len(outcome.refused),
                "photos": [verdict_json(verdict, names) for verdict in outcome.verdicts],
            }
            for outcome in outcomes
        ],
        "enrolled": sum(outcome.ended == "enrolled" for outcome in outcomes),
        "accepted": sum(outcome.accepted for outcome in outcomes),
        "already": sum(outcome.already for outcome in outcomes),
        "refused": sum(len(outcome.refused) + bool(outcome.fault) for outcome in outcomes),
        "not_reached": len(roster.entries) - len(outcomes),
        "files_beside": roster.beside,
    }


def _table(roster: Roster, outcomes: list[Outcome], names: Names) -> Iterator[str]:
    """A line per person, and below it what was refused and why."""
    width = max([len("person"), *(len(outcome.entry.name) for outcome in outcomes)])
    yield f"{'person':<{width}}  {'':<9}  accepted  already  refused"
    for outcome in outcomes:
        counts = f"{outcome.accepted:>8}  {outcome.already:>7}  {len(outcome.refused):>7}"
        yield f"{outcome.entry.name:<{width}}  {outcome.ended:<9}  {counts}"
        if outcome.fault:
            yield f"    {FAULTS.get(outcome.fault, outcome.fault)}"
        for verdict in outcome.refused:
            for line in verdict_lines(verdict, names):
                yield f"    {line}"
    total = _json(roster, outcomes, names)
    yield (
        f"{total['enrolled']} enrolled, {total['accepted']} reference(s) added, "
        f"{total['already']} there already, {total['refused']} refused"
    )
    if roster.beside:
        yield f"{roster.beside} file(s) beside the folders belong to nobody and were not looked at"
    if total["not_reached"]:
        yield f"stopped; {total['not_reached']} person(s) not reached: run it again to go on"


def _write(path: Path, said: dict[str, Any]) -> None:
    try:
        private_files.replace(path, json.dumps(said, indent=1).encode())
    except OSError as error:
        click.echo(f"the report could not be written: {error.strerror}", file=sys.stderr)
