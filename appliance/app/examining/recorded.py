"""What is in the database: the events' chain, the people and how safe they are, what was not done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from appliance.app.embedding import ENROLLED_MODELS
from appliance.app.examining.finding import Finding, found
from appliance.app.examining.machine import SLACK
from appliance.app.safety import gallery_safety
from appliance.app.sights import last_sights
from appliance.evaluation.safety_words import promise
from appliance.phrases import counted
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import OutboxState, Store

_LATELY = timedelta(days=7)
_AT = "%Y-%m-%d %H:%M UTC"
_MANY = 10_000
"""Rows counted, at most."""
_MOST_TRIED = 3_000
"""References that are tried against each other here; with more, that is a matter for a command with a bar."""


def recorded(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Open the database once and look at all that is in it.

    Raises:
        StoreError: It is damaged, or not the one that belongs to this state.
        VaultError: Its key is missing or does not fit.
    """
    if not layout.database.exists() and settings.store.url is None:
        yield Finding("log", "note", "there is no database yet", "the first run makes it")
        return
    with open_services(settings, layout) as services:
        store = services.store
        yield from found("log", _chain(store))
        yield from found("clock", _time(store))
        yield from found("cameras", _sight(store, settings))
        yield from found("people", _people(store, settings))
        yield from found("outbox", _outbox(store))


def _chain(store: Store) -> Iterator[Finding]:
    """Whether every event is there as it was written."""
    yield Finding("log", "ok", f"the chain of {counted(store.verify().last, 'event')} holds")


def _time(store: Store) -> Iterator[Finding]:
    """An event from the future says that the clock was set back."""
    newest = store.events(limit=1, newest_first=True)
    if newest and newest[0].at > datetime.now(UTC) + SLACK:
        yield Finding(
            "clock",
            "problem",
            f"the newest event is of {newest[0].at:{_AT}}, which is still to come",
            "set the clock, or let NTP do it",
        )


def _sight(store: Store, settings: Settings) -> Iterator[Finding]:
    """What the loop last said of the sight of each camera that it watches."""
    sights = last_sights(store)
    watched = [camera.id for camera in settings.cameras if camera.disturbed_after_s]
    for camera, sight in sorted((name, sights[name]) for name in watched if name in sights):
        if sight.ongoing is not None:
            yield Finding(
                f"camera {camera}",
                "problem",
                f"it has been {sight.ongoing.value} since {sight.since:{_AT}}, as far as the log goes",
                "look at what it shows",
                "appliance view --out frame.jpg",
                f"camera:{camera}",
            )
        if sight.moved is not None and sight.moved > datetime.now(UTC) - _LATELY:
            yield Finding(
                f"camera {camera}",
                "note",
                f"it was moved on {sight.moved:{_AT}}: is each door still where its region says?",
                "look at what it shows, and show each door anew if it is not",
                "look: appliance view --out frame.jpg; anew: appliance door calibrate",
                "doors",
            )


def _people(store: Store, settings: Settings) -> Iterator[Finding]:
    people = store.subjects()
    if not any(person.references for person in people):
        yield Finding(
            "people",
            "note",
            "nobody is enrolled",
            "enrol the first person",
            'appliance enroll add "Name" photo.jpg --consent "…"',
            "people",
        )
    else:
        yield Finding("people", "ok", f"{len(people)} enrolled")
        yield from recognition(store, settings)
    for person in people:
        if person.name is None:
            yield Finding(
                "people",
                "problem",
                f"the name of {person.id} is damaged: they are recognised, but by nothing people can read",
                "give them a name again",
                f"appliance enroll rename {person.id} NAME",
                "people",
            )
    for reference in store.gallery(ENROLLED_MODELS).damaged:
        yield Finding(
            "people",
            "problem",
            f"reference {reference} is damaged and left out: nobody is recognised by it",
            "take it away, and add the photo again",
            f"appliance enroll remove-reference {reference}",
            "people",
        )


def recognition(store: Store, settings: Settings, *, most: int = _MOST_TRIED) -> Iterator[Finding]:
    """What the gallery promises, and who spoils it: counted, for names are the report's business.

    Args:
        store: Opened.
        settings: All of them.
        most: References that are tried against each other; of more nothing is promised.
    """
    references = len(store.references())
    if references > most:
        yield Finding(
            "recognition",
            "note",
            f"{references} references are too many to try against each other here",
            "have what they promise worked out, and who spoils it",
            "appliance enroll report",
            "safety",
        )
        return
    report = gallery_safety(store, settings.recognition)
    if not report.people:
        yield Finding(
            "recognition",
            "problem",
            f"nobody has a reference that {settings.recognition.composition} can compare",
            "set recognition.composition back, or add the photos again",
            place="setting:recognition.composition",
        )
        return
    yield Finding("recognition", "ok", promise(report))
    alike = sum(pair.confusable for pair in report.pairs)
    if alike:
        yield Finding(
            "recognition",
            "note",
            f"{counted(alike, 'pair')} of people so alike that they may be left undecided",
            "see who they are, and what helps",
            "appliance enroll report",
            "safety",
        )
    if report.single:
        yield Finding(
            "recognition",
            "note",
            f"{len(report.single)} of {report.people} people have a single reference: more often missed",
            "add a second and third photo of other days",
            "who: appliance enroll report",
            "safety",
        )


def _outbox(store: Store) -> Iterator[Finding]:
    """Actions that failed for good, and those of which nobody knows."""
    dead = store.outbox(states=[OutboxState.DEAD], limit=_MANY)
    lately = [row for row in dead if row.finished_at and row.finished_at > datetime.now(UTC) - _LATELY]
    if dead:
        names = ", ".join(sorted({row.action for row in dead}))
        yield Finding(
            "outbox",
            "problem" if lately else "note",
            f"{counted(len(dead), 'action')} failed for good, {len(lately)} in the last week: {names}",
            "why it failed stands in the log",
            "why: appliance outbox list --state dead; again: appliance outbox retry NUMBER",
            "log",
        )
    unknown = store.outbox(states=[OutboxState.UNKNOWN], limit=_MANY)
    if unknown:
        yield Finding(
            "outbox",
            "note",
            f"{counted(len(unknown), 'action')} cut off; whether they happened is not known",
            "which they are stands in the log",
            "which: appliance outbox list --state unknown",
            "log",
        )
    if not dead and not unknown:
        yield Finding("outbox", "ok", "no action has failed for good")
