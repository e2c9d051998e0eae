"""What is in the database: the events' chain, the people and how safe they are, what was not done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from appliance.app.embedding import ENROLLED_MODELS
from appliance.app.examining.finding import Finding
from appliance.app.safety import gallery_safety
from appliance.evaluation.safety_words import promise
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import OutboxState, Store, StoredEvent

_SLACK = timedelta(minutes=5)
_LATELY = timedelta(days=7)
_MANY = 10_000
"""Rows counted, at most."""
_SIGHT = ("camera_moved", "camera_covered", "camera_dark", "camera_frozen", "camera_clear")


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
        report = services.store.verify()
        yield Finding("log", "ok", f"the chain of {report.last} event(s) holds")
        yield from _time(services.store)
        yield from _sight(services.store)
        yield from _people(services.store, settings)
        yield from _outbox(services.store)


def _time(store: Store) -> Iterator[Finding]:
    """An event from the future says that the clock was set back."""
    newest = store.events(limit=1, newest_first=True)
    if newest and newest[0].at > datetime.now(UTC) + _SLACK:
        yield Finding(
            "clock",
            "problem",
            f"the newest event is of {newest[0].at:%Y-%m-%d %H:%M} UTC, which is still to come",
            "set the clock, or let NTP do it",
        )


def _sight(store: Store) -> Iterator[Finding]:
    """What the loop last said of each camera's sight."""
    latest: dict[str, StoredEvent] = {}
    for stored in store.events(types=_SIGHT, limit=_MANY, newest_first=True):
        if stored.event is not None and stored.event.camera is not None:
            latest.setdefault(stored.event.camera, stored)
    for camera, stored in sorted(latest.items()):
        since = f"{stored.at:%Y-%m-%d %H:%M} UTC"
        if stored.type == "camera_moved":
            if stored.at > datetime.now(UTC) - _LATELY:
                yield Finding(
                    f"camera {camera}",
                    "note",
                    f"it was moved on {since}: is each door still where its region says?",
                    "look: appliance view --out frame.jpg; anew: appliance door calibrate",
                )
        elif stored.type != "camera_clear":
            what = stored.type.removeprefix("camera_")
            yield Finding(
                f"camera {camera}",
                "problem",
                f"it has been {what} since {since}, as far as the log goes",
                "look: appliance view --out frame.jpg",
            )


def _people(store: Store, settings: Settings) -> Iterator[Finding]:
    people = store.subjects()
    if not any(person.references for person in people):
        yield Finding(
            "people", "note", "nobody is enrolled", 'appliance enroll add "Name" photo.jpg --consent "…"'
        )
    else:
        yield Finding("people", "ok", f"{len(people)} enrolled")
        yield from _recognition(store, settings)
    for person in people:
        if person.name is None:
            yield Finding(
                "people",
                "problem",
                f"the name of {person.id} is damaged: they are recognised, but by nothing people can read",
                f"appliance enroll rename {person.id} NAME",
            )
    for reference in store.gallery(ENROLLED_MODELS).damaged:
        yield Finding(
            "people",
            "problem",
            f"reference {reference} is damaged and left out: nobody is recognised by it",
            f"appliance enroll remove-reference {reference}, and add the photo again",
        )


def _recognition(store: Store, settings: Settings) -> Iterator[Finding]:
    """What the gallery promises, and who spoils it: counted, for names are the report's business."""
    report = gallery_safety(store, settings.recognition)
    if not report.people:
        yield Finding(
            "recognition",
            "problem",
            f"nobody has a reference that {settings.recognition.composition} can compare",
            "set recognition.composition back, or add the photos again",
        )
        return
    yield Finding("recognition", "ok", promise(report))
    alike = sum(pair.confusable for pair in report.pairs)
    if alike:
        yield Finding(
            "recognition",
            "note",
            f"{alike} pair(s) of people look so alike that they may be left undecided",
            "who they are, and what helps: appliance enroll report",
        )
    if report.single:
        yield Finding(
            "recognition",
            "note",
            f"{len(report.single)} of {report.people} people have a single reference: more often missed",
            "add a second and third photo of other days; who: appliance enroll report",
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
            f"{len(dead)} action(s) failed for good, {len(lately)} of them in the last week: {names}",
            "why: appliance outbox list --state dead; again: appliance outbox retry NUMBER",
        )
    unknown = store.outbox(states=[OutboxState.UNKNOWN], limit=_MANY)
    if unknown:
        yield Finding(
            "outbox",
            "note",
            f"{len(unknown)} action(s) were cut off; whether they happened is not known",
            "which: appliance outbox list --state unknown",
        )
    if not dead and not unknown:
        yield Finding("outbox", "ok", "no action has failed for good")
