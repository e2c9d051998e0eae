"""Lines that rules have the office screen show: for their time, and of nobody who is not to be shown."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stores
from captures import NOW
from desk_box import DeskBox, desk_box
from pydantic import ValidationError
from rule_bodies import LINE, SONG, asked_line, rule

from appliance.actions.screen import ScreenAction
from appliance.app.desk.screen_lines import LONGEST_LINE_S, MOST_LINES, Lines
from appliance.clock import ManualClock
from appliance.deliveries import Delivery
from appliance.events import Event, ScreenAsked, parse_event
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Consent, KeptRule, NewEvent, Store

GREETED = Consent(purposes=("identify", "greet"), text_version="1", given_by="paper")


def asked(text: str = "hello {alias}", seconds: float = 8.0, subject: str | None = None) -> Event:
    """A line of a rule whose id is the line itself; see `kept`."""
    return ScreenAsked(rule=text, rule_version=1, number=0, seconds=seconds, subject=subject, cause="e")


def kept(text: str) -> KeptRule:
    """A rule that shows its own id as a line."""
    body = rule("door_opened", {**LINE, "text": text}).body()
    return KeptRule(text, 0, True, 1, body, stores.NOON, stores.NOON)  # noqa: FBT003 - in the record's order


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A log."""
    with stores.store(f"sqlite:///{tmp_path / 's.sqlite3'}") as made:
        yield made


def lines(store: Store, events: list[Event], called: Any, *, seconds: float = 100.0) -> Lines:
    """What a screen makes of these."""
    made = Lines(called, kept)
    for stored in store.append_all([NewEvent(each, at=stores.NOON) for each in events]):
        made.take(stored, stores.NOON, seconds)
    return made


def test_a_line_stays_for_its_time(store: Store) -> None:
    """And no longer than a minute, whatever asks for it."""
    shown = lines(store, [asked("cheers", 8), asked("for ever", 1e9)], {}.get)

    assert [("cheers", 8.0), ("for ever", LONGEST_LINE_S)] == [
        (each["text"], each["left_s"]) for each in shown.shown(100.0)
    ]
    assert ["for ever"] == [each["text"] for each in shown.shown(108.0)]
    assert [] == shown.shown(100.0 + LONGEST_LINE_S)


def test_the_newest_few_are_shown(store: Store) -> None:
    """A crowd at the door does not fill the screen."""
    shown = lines(store, [asked(f"line {number}") for number in range(9)], {}.get).shown(100.0)

    assert [f"line {number}" for number in range(9 - MOST_LINES, 9)] == [each["text"] for each in shown]


def test_a_line_that_is_late_has_less_time(store: Store) -> None:
    """A screen that comes back shows what is left of it."""
    made = Lines({}.get, kept)
    (stored,) = store.append_all([NewEvent(asked("cheers", 8), at=stores.NOON)])
    made.take(stored, stores.NOON + timedelta(seconds=5), 100.0)

    assert [3.0] == [each["left_s"] for each in made.shown(100.0)]


def test_nobody_is_named_who_is_not_greeted(store: Store) -> None:
    """A line with their alias in it is not shown; about nobody it says so."""
    events = [asked(subject="ann"), asked(subject="ben"), asked("cheers", subject="ben"), asked()]
    names = {"ann": "AA"}
    made = lines(store, events[:3], names.get)
    before = [each["text"] for each in made.shown(100.0)]
    names.clear()
    made.changed()

    assert ["hello AA", "cheers"] == before
    assert ["cheers"] == [each["text"] for each in made.shown(100.0)]
    assert ["hello somebody"] == [each["text"] for each in lines(store, events[3:], names.get).shown(100.0)]


def test_a_line_of_a_rule_that_says_something_else_is_not_shown(store: Store) -> None:
    """Of another version, of an action that is not there or shows none, of a rule that is gone: nothing."""
    said = rule("door_opened", {**LINE, "text": "cheers"}, SONG).body()
    rules = {
        "r": KeptRule("r", 0, True, 3, said, stores.NOON, stores.NOON),  # noqa: FBT003
        "newer": KeptRule("newer", 1, True, 3, "{}", stores.NOON, stores.NOON),  # noqa: FBT003
    }
    places = [
        ("r", 3, 0),
        ("r", 2, 0),
        ("r", 4, 0),
        ("r", 3, 1),
        ("r", 3, 2),
        ("gone", 3, 0),
        ("newer", 3, 0),
    ]
    made = Lines({}.get, rules.get)
    shown = []
    for name, version, number in places:
        event = ScreenAsked(rule=name, rule_version=version, number=number, seconds=8)
        (stored,) = store.append_all([NewEvent(event, at=stores.NOON)])
        made.take(stored, stores.NOON, 100.0)
        shown.append([each["text"] for each in made.shown(100.0)])
    rules.clear()
    made.changed()

    assert ["cheers"] == shown[0]
    assert [["cheers"]] * 2 + [[]] * 4 == shown[1:]
    assert [] == made.shown(100.0)


def test_a_line_that_an_older_program_logged_is_shown(store: Store) -> None:
    """It held the words itself; it is read as it was written."""
    body = {"type": "screen_asked", "version": 1, "rule": "r", "text": "hello {alias}", "seconds": 8.0}
    old = parse_event(body)

    assert ["hello AA"] == [
        each["text"]
        for each in lines(store, [old.model_copy(update={"subject": "ann"})], {"ann": "AA"}.get).shown(100.0)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 1, "rule_version": 1, "number": 0},
        {"version": 2, "text": "x"},
        {"version": 2, "rule_version": 1, "number": 0, "text": "x"},
        {"version": 2, "rule_version": 1},
        {"version": 3, "rule_version": 1, "number": 0},
    ],
)
def test_a_line_is_of_one_version(wrong: dict[str, Any]) -> None:
    """Either the words, or where they stand; nothing else is read."""
    with pytest.raises(ValidationError):
        parse_event({"type": "screen_asked", "rule": "r", "seconds": 8.0, **wrong})


@pytest.fixture
def box(tmp_path: Path) -> Iterator[DeskBox]:
    """A desk at a clock that stands."""
    clock = ManualClock(NOW)
    with (
        open_services(Settings(), Layout(tmp_path / "state"), create=True, clock=clock) as services,
        desk_box(services) as made,
    ):
        yield made


def test_a_paired_screen_is_told_of_lines(box: DeskBox) -> None:
    """At once, by alias; asked anew, those of the last minute; consent taken back ends it."""
    store, screen = box.services.store, box.screen(box.first_admin())
    ann = store.add_subject("Ann Archer", consent=GREETED, alias="Ace")
    before = box.ask("screen.now", screen)
    store.append(asked_line(store, subject=ann.id))
    told = box.ask("screen.wait", screen, after=before["position"], timeout_s=5)["events"][0]["state"][
        "lines"
    ]
    with desk_box(box.services) as another:
        again = another.ask("screen.now", screen)["state"]["lines"]
    store.withdraw_purposes(ann.id, ["greet"])

    assert [] == before["state"]["lines"]
    assert [{"key", "text", "left_s"}] == [set(each) for each in told]
    assert ["hello Ace"] == [each["text"] for each in told]
    assert [each["key"] for each in told] == [each["key"] for each in again]
    assert [] == box.ask("screen.now", screen)["state"]["lines"]


def test_a_line_goes_with_its_rule(box: DeskBox) -> None:
    """Changed, switched off or removed, what it said before is not on the screen any more; moved, it is."""
    store, screen = box.services.store, box.screen(box.first_admin())

    def shown(change: Callable[[str], object]) -> list[str]:
        event = asked_line(store, "cheers")
        store.append(event)
        before = box.ask("screen.now", screen)
        change(event.rule)
        told = box.ask("screen.wait", screen, after=before["position"], timeout_s=0)["events"]
        left = [each["text"] for each in (told[0] if told else before)["state"]["lines"]]
        store.remove_rule(event.rule) if event.rule in {each.id for each in store.rules()} else None
        return left

    assert ["cheers"] == shown(lambda kept: store.move_rule(kept, 0))
    assert [] == shown(lambda kept: store.change_rule(kept, enabled=True))
    assert [] == shown(store.remove_rule)


def test_what_a_line_says_is_nowhere_in_the_log(box: DeskBox) -> None:
    """Made, tried and removed, no event and no row of the outbox holds the words."""
    store, admin = box.services.store, box.first_admin()
    ann = store.add_subject("Ann Archer", consent=GREETED)
    body = rule("subject_identified", {**LINE, "text": "hello Zebedee"}).model_dump(mode="json")
    made = box.ask("rules.add", admin, body=body)
    box.ask("rules.try", admin, rule=made["id"], subject=ann.id)
    (row,) = store.outbox()
    ScreenAction(store).perform(
        Delivery(
            row.action,
            row.event.id,
            stores.OPENED,
            NOW,
            1,
            row.idempotency_key,
            row.parameters,
            rule=row.rule,
        )
    )
    (asked_for,) = store.events(types=["screen_asked"])
    box.ask("rules.remove", admin, rule=made["id"])
    logged = json.dumps(
        [each.event.model_dump(mode="json") for each in store.events() if each.event is not None]
    )

    assert "Zebedee" not in json.dumps(dict(row.parameters))
    assert "Zebedee" not in logged
    assert ("screen_asked", 2) == (asked_for.type, asked_for.version)
