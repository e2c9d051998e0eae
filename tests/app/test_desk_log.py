"""The log for whoever may read it: pages, groups, filters, explanations."""

import json
from datetime import timedelta
from typing import Any

import decided
import pytest
import stores
from captures import NOW
from rule_bodies import rule

from appliance.app.desk.corrections import Corrections
from appliance.app.desk.entries import kind_of
from appliance.app.desk.feed import Feed, feed_operations
from appliance.app.desk.log import Log
from appliance.app.desk.naming import LAST_SEEN, SOMEBODY
from appliance.app.desk.operations import Desk
from appliance.app.explaining import explained
from appliance.decision import DECIDED
from appliance.errors import DeniedError, FormError, NotSignedInError, StoreError
from appliance.events import CaptureSkipped, CoffeeTaken, Event, ProcessChanged, StrangerCaptured, event_types
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.services import Services
from appliance.store import Consent, NewEvent, StoredEvent, Subject

CALLERS = {
    "ada": Caller("operator", "ada", Role.ADMIN, GRANTED[Role.ADMIN], "ada", "s"),
    "vera": Caller("operator", "vera", Role.VIEWER, GRANTED[Role.VIEWER], "vera", "s"),
    "screen": Caller("screen", "hall", Role.SCREEN, GRANTED[Role.SCREEN]),
    "token": Caller("token", "t", Role.VIEWER, frozenset({Permission.LOG}), "vera"),
    "reader": Caller("token", "r", Role.ADMIN, frozenset({Permission.LOG, Permission.PEOPLE}), "ada"),
}


@pytest.fixture
def ann(services: Services) -> Subject:
    """Ann is enrolled."""
    return services.store.add_subject("Ann", consent=stores.AGREED)


@pytest.fixture
def ben(services: Services) -> Subject:
    """So is Ben."""
    return services.store.add_subject("Ben", consent=stores.AGREED)


@pytest.fixture
def desk(services: Services) -> Desk:
    """The log's operations, asked by whoever is named."""
    log, corrections = Log(services, ["main"]), Corrections(services)
    feed = feed_operations(services, Feed(services.store.position))
    return Desk(CALLERS.get, [*log.operations(), *corrections.operations(), *feed], services.store.acting)


def ask(desk: Desk, operation: str, who: str = "ada", **arguments: Any) -> Any:
    """What an operation answers."""
    return desk.ask(operation, arguments, credential=who).result


def happen(
    services: Services, *events: Event, visit: str | None = None, seconds: float = 0
) -> list[StoredEvent]:
    """Log these, one second after the other, at the door, in this visit."""
    return services.store.append_all(
        [
            NewEvent(
                event.model_copy(update={"visit": visit, "door": event.door or "main"}),
                at=NOW + timedelta(seconds=seconds + i),
            )
            for i, event in enumerate(events)
        ]
    )


def stay(name: str, rule: str, *people: Subject) -> list[Event]:
    """Every decision of an encounter that ended by this rule, between the first two of these people."""
    first, second = (*[each.id for each in people], "ann", "ben")[:2]
    return [decided.event_of(each, name) for each in decided.encounters(str(first), str(second))[rule]]


def entries(page: Any) -> list[Any]:
    """All entries of a page, group by group."""
    return [entry for group in page["groups"] for entry in group["entries"]]


def test_every_kind_of_event_has_its_place() -> None:
    """No type falls through to where nobody looks for it."""
    processes = {each for each in event_types() if kind_of(each) == "processes"}

    assert {"process_started", "process_stopped", "process_restarted"} == processes
    assert "enrolment" == kind_of("consent_given")
    assert "access" == kind_of("sign_in_throttled")


def test_a_visit_stands_together(desk: Desk, services: Services, ann: Subject, ben: Subject) -> None:
    """Door, and each encounter once with what it came to; what belongs to no visit stands by itself."""
    happen(services, stores.OPENED, *stay("e1", "score_and_margin", ann, ben), visit="v1")
    happen(services, ProcessChanged(type="process_restarted", process="models", restarts=1))
    happen(services, *stay("e2", "below_threshold", ann, ben), stores.SHUT, visit="v1", seconds=10)
    page = ask(desk, "log.page", kinds=["people", "door", "processes"])
    group = next(each for each in page["groups"] if each["visit"])
    people = [each for each in group["entries"] if each["kind"] == "people"]

    assert ["stranger", "identified"] == [each["decision"]["verdict"] for each in people]
    assert ("Ann", "final") == (people[1]["decision"]["person"]["name"], people[1]["decision"]["grade"])
    assert 3 == len(people[1]["history"])
    assert ("v1", "main", 12.0) == (
        group["visit"]["id"],
        group["visit"]["door"],
        group["visit"]["lasted_s"],
    )
    assert [None] == [each["visit"] for each in page["groups"] if each is not group]
    assert page["next"] is None


def test_what_the_office_does_is_found_by_its_kind(desk: Desk, services: Services, ann: Subject) -> None:
    """A coffee stands in the entry of whoever took it, a visitor's too; a rule is told of by its name."""
    happen(services, *stay("e1", "score_and_margin", ann), CoffeeTaken(encounter="e1", subject=str(ann.id)))
    happen(services, *stay("e2", "score_and_margin", ann), CoffeeTaken(encounter="v", visitor=7), seconds=10)
    services.store.add_rule(rule().body())
    coffees = entries(ask(desk, "log.page", kinds=["coffee"]))
    changed = {
        who: entries(ask(desk, "log.page", who, kinds=["actions"]))[0]["words"] for who in ("ada", "vera")
    }

    assert [("v", None), ("e1", "identified")] == [
        (each["encounter"], each["decision"] and each["decision"]["verdict"]) for each in coffees
    ]
    assert [["visitor 7 took a coffee"], ["Ann took a coffee"]] == [each["also"] for each in coffees]
    assert {"ada": "a rule, “Greet”, was made", "vera": "a rule was made"} == changed


def seen_by(desk: Desk, who: str, decision: StoredEvent) -> str:
    """All that somebody is told of the log, as one text."""
    told = [ask(desk, "log.page", who), ask(desk, "log.choices", who)]
    told += [ask(desk, operation, who, event=decision.id) for operation in ("log.entry", "log.explain")]
    told.append(ask(desk, "feed.wait", who, after=0, timeout_s=0))
    return json.dumps(told)


@pytest.mark.parametrize("rule", ["score_and_margin", "look_alike", "tie", "contradicted", "stricter_person"])
@pytest.mark.parametrize("who", ["vera", "token", "reader"])
def test_who_came_by_is_told_to_admins_alone(
    desk: Desk, services: Services, ann: Subject, ben: Subject, *, who: str, rule: str
) -> None:
    """A viewer, and a token that may not enrol, hear of somebody enrolled: no name, no id, nor its end.

    Nor by a correction, and not by asking for one person's comings; that somebody erred is seen nonetheless.
    """
    logged = happen(services, *stay("e1", rule, ann, ben), visit="v1")
    decision = next(each for each in reversed(logged) if each.type in DECIDED)
    ask(desk, "log.correct", event=decision.id, verdict="identified", person=ben.id)
    told, admins = seen_by(desk, who, decision), seen_by(desk, "ada", decision)
    words = [part for each in (ann, ben) for part in (each.name or "", each.id, each.id[-6:])]

    assert [] == [each for each in words if each in told]
    assert [] == [each for each in words if each not in admins]
    assert ask(desk, "log.entry", who, event=decision.id)["wrong"]
    with pytest.raises(FormError, match="not told when"):
        ask(desk, "log.page", who, person=ann.id)


def test_the_exact_account_keeps_apart_whom_it_does_not_name(
    desk: Desk, services: Services, ann: Subject, ben: Subject
) -> None:
    """A viewer reads every score that an admin does, of people by number: the same throughout the answer."""
    (decision,) = happen(services, *stay("e1", "tie", ann, ben)[-1:])
    viewers, admins = (ask(desk, "log.explain", who, event=decision.id) for who in ("vera", "ada"))
    facts = [told["detail"]["event"]["body"]["facts"] for told in (viewers, admins)]
    called = {
        each["subject"]: told["subject"] for told, each in zip(*(f["candidates"] for f in facts), strict=True)
    }
    scores = [[frame["scores"] for frame in each["frames"]] for each in facts]

    assert {SOMEBODY, f"{SOMEBODY} (2)"} == set(called.values())
    assert scores[0] == [{called[who]: each for who, each in frame.items()} for frame in scores[1]]
    assert f"{SOMEBODY} and {SOMEBODY} (2)" in str(viewers["reasons"])


def test_who_agreed_to_it_is_told_to_viewers_by_name(
    desk: Desk, services: Services, ann: Subject, ben: Subject
) -> None:
    """The purpose `last_seen`, person by person, until it is taken back; the others stay somebody."""
    (decision,) = happen(services, *stay("e1", "score_and_margin", ann, ben)[-1:])
    services.store.give_consent(ann.id, Consent((LAST_SEEN,), "1", "on paper"))
    agreed = seen_by(desk, "vera", decision)
    found = ask(desk, "log.page", "vera", person=ann.id, kinds=["people"])
    words = ask(desk, "log.explain", "vera", event=decision.id)
    services.store.withdraw_purposes(ann.id, (LAST_SEEN,))

    assert [True, True, False, False] == [part in agreed for part in ("Ann", ann.id, "Ben", ben.id)]
    assert "Ann" == entries(found)[0]["decision"]["person"]["name"]
    assert [{"id": ann.id, "name": "Ann"}] == json.loads(agreed)[1]["people"]
    assert SOMEBODY in str(words["reasons"])
    assert "Ann" not in seen_by(desk, "vera", decision)


def test_pages_follow_each_other(desk: Desk, services: Services, ann: Subject) -> None:
    """Each entry once, whatever the size; the cursor is where the page ended."""
    for i in range(7):
        happen(services, *stay(f"e{i}", "tie", ann), visit=f"v{i}")
    seen: list[str] = []
    before = None
    while True:
        page = ask(desk, "log.page", kinds=["people"], limit=2, before=before)
        seen += [each["encounter"] for each in entries(page)]
        before = page["next"]
        if before is None:
            break

    assert [f"e{i}" for i in reversed(range(7))] == seen


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"verdict": "stranger"}, ["e2"]),
        ({"verdict": "undecided"}, ["e3"]),
        ({"kinds": ["people"], "door": "back"}, ["e3"]),
        ({"kinds": ["people"], "since": (NOW + timedelta(seconds=100)).isoformat()}, ["e3", "e2"]),
        ({"kinds": ["people"], "until": (NOW + timedelta(seconds=100)).isoformat()}, ["e1"]),
        ({"corrected": True}, []),
    ],
)
def test_filters(
    desk: Desk, services: Services, ann: Subject, ben: Subject, *, filters: Any, expected: list[str]
) -> None:
    """By what was said last, by door, by time, by whether somebody set it right."""
    happen(services, *stay("e1", "score_and_margin", ann, ben))
    happen(services, *stay("e2", "below_threshold", ann, ben), seconds=100)
    back = [each.model_copy(update={"door": "back"}) for each in stay("e3", "tie", ann, ben)]
    happen(services, *back, seconds=200)

    assert expected == [each["encounter"] for each in entries(ask(desk, "log.page", **filters))]


def test_of_one_person(desk: Desk, services: Services, ann: Subject, ben: Subject) -> None:
    """Where they were named, and what was done to their enrolment; not where they merely came second."""
    happen(services, *stay("e1", "score_and_margin", ann, ben), *stay("e2", "score_and_margin", ben, ann))
    found = entries(ask(desk, "log.page", person=ann.id))

    assert ["e1"] == [each["encounter"] for each in found if each["kind"] == "people"]
    assert {"subject_enrolled", "consent_given"} == {e["type"] for e in found if e["kind"] == "enrolment"}


def test_a_time_that_ends_before_it_begins(desk: Desk) -> None:
    """Said at the field."""
    with pytest.raises(FormError) as caught:
        ask(desk, "log.page", since=NOW.isoformat(), until=NOW.isoformat())

    assert ["until"] == list(caught.value.fields)


def test_what_became_of_the_pictures(desk: Desk, services: Services) -> None:
    """Sealed while it is in the spool, gone when it is not, and why none was kept."""
    capture = services.ids(NOW)
    sealed = StrangerCaptured(
        encounter="e1",
        capture=capture,
        file=f"{capture}.age",
        sha256="0" * 64,
        size_bytes=5,
        frames=2,
        recipients=("SHA256:a",),
        expires_at=NOW + timedelta(days=3),
    )
    happen(services, *stay("e1", "below_threshold"), sealed)
    happen(services, *stay("e2", "below_threshold"), CaptureSkipped(encounter="e2", reason="no_recipient"))
    services.layout.spool.mkdir()
    file = services.layout.spool / f"{capture}.age"
    file.write_bytes(b"12345")

    def states() -> list[tuple[str, str | None]]:
        return [
            (each["capture"]["state"], each["capture"].get("reason"))
            for each in entries(ask(desk, "log.page", kinds=["people"]))
        ]

    assert [("skipped", "no_recipient"), ("sealed", None)] == states()
    file.unlink()
    assert ("gone", None) == states()[1]


def test_who_did_it_is_named_to_those_who_admit_operators(services: Services, desk: Desk) -> None:
    """A viewer hears that it was somebody; nobody's id is hidden, for it says nothing."""
    made = services.store.add_first_admin(services.store.first_run_code(), "ada.admin", "$argon2id$x")
    with services.store.acting(made.id):
        services.store.add_subject("Eve", consent=stores.AGREED)

    def doers(who: str) -> set[str | None]:
        return {e["by"]["name"] for e in entries(ask(desk, "log.page", who, kinds=["enrolment"])) if e["by"]}

    assert {"ada.admin"} == doers("ada")
    assert {None} == doers("vera")


def test_somebody_removed_is_not_named(desk: Desk, services: Services, ann: Subject) -> None:
    """What they did stays in the log; who they were does not."""
    happen(services, *stay("e1", "score_and_margin", ann))
    services.store.remove_subject(ann.id)
    found = entries(ask(desk, "log.page", kinds=["people"]))[0]

    assert found["decision"]["person"]["name"] is None
    assert "Ann" not in str(found)


@pytest.mark.parametrize(
    "rule", ["score_and_margin", "tie", "too_few_frames", "empty_gallery", "contradicted"]
)
def test_an_explanation_is_that_of_the_command(
    desk: Desk, services: Services, ann: Subject, ben: Subject, rule: str
) -> None:
    """The exact account is word for word what `appliance events explain` prints, in both its forms."""
    stored = happen(services, *stay("e1", rule, ann, ben))[-1]
    said = ask(desk, "log.explain", event=stored.id)
    names = {ann.id: "Ann", ben.id: "Ben"}

    assert explained(stored) == said["detail"]
    assert (
        explained(stored, lambda who: names.get(ann.id if who == ann.id else ben.id))["reasons"]
        == said["reasons"]
    )
    assert said["headline"].endswith(".")
    assert (rule == "empty_gallery") == (said["nearest"] is None)


def test_only_a_decision_is_explained(desk: Desk, services: Services) -> None:
    """Of a door, there is nothing to explain; of an event that is not there, neither."""
    (stored,) = happen(services, stores.OPENED)
    with pytest.raises(StoreError, match="not a decision"):
        ask(desk, "log.explain", event=stored.id)
    with pytest.raises(StoreError, match="no event"):
        ask(desk, "log.explain", event="0190ffff-0000-7000-8000-000000000000")


def test_choices_name_people_to_those_who_may_see_them(desk: Desk, ann: Subject) -> None:
    """A token that may read the log only is not told who is enrolled."""
    assert [{"id": ann.id, "name": "Ann"}] == ask(desk, "log.choices")["people"]
    assert [] == ask(desk, "log.choices", "vera")["people"]
    assert [] == ask(desk, "log.choices", "token")["people"]
    assert ["main"] == ask(desk, "log.choices", "token")["doors"]


def test_a_screen_reads_no_log(desk: Desk) -> None:
    """Nor does nobody."""
    for operation in ("log.page", "log.explain", "log.choices", "log.entry", "log.accuracy"):
        with pytest.raises(DeniedError):
            ask(desk, operation, "screen", event="x")
        with pytest.raises(NotSignedInError):
            desk.ask(operation, {})
