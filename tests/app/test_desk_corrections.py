"""Setting a decision right: a new event beside it, counted, and nothing else."""

from datetime import timedelta
from typing import Any

import decided
import pytest
import stores
from captures import NOW

from appliance.app.desk.corrections import Corrections
from appliance.app.desk.log import Log
from appliance.app.desk.operations import Desk
from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, StoreError, UnknownSubjectError
from appliance.events import DecisionCorrected
from appliance.permissions import GRANTED, Caller, Role
from appliance.services import Services
from appliance.store import NewEvent, StoredEvent, Subject

CALLERS = {
    "ada": Caller("operator", "ada", Role.ADMIN, GRANTED[Role.ADMIN], "ada", "s"),
    "vera": Caller("operator", "vera", Role.VIEWER, GRANTED[Role.VIEWER], "vera", "s"),
}
NONE_WRONG = {"wrong": 0, "wrong_person": 0, "greeted_stranger": 0, "missed": 0, "left_open": 0}


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
    """Reading and correcting."""
    operations = [*Log(services).operations(), *Corrections(services).operations()]
    return Desk(CALLERS.get, operations, services.store.acting)


def ask(desk: Desk, operation: str, who: str = "ada", **arguments: Any) -> Any:
    """What an operation answers."""
    return desk.ask(operation, arguments, credential=who).result


def seen(services: Services, name: str, rule: str, first: Subject, second: Subject) -> list[StoredEvent]:
    """An encounter that ended by this rule."""
    decisions = decided.encounters(str(first.id), str(second.id))[rule]
    place = {"door": "main", "camera": "entrance", "visit": "v"}
    return services.store.append_all(
        [NewEvent(decided.event_of(each, name).model_copy(update=place), at=NOW) for each in decisions]
    )


def counted(desk: Desk) -> dict[str, int]:
    """The mistakes of the last thirty days, by kind."""
    said = ask(desk, "log.accuracy", "vera")
    return {name: said[name] for name in NONE_WRONG}


def test_somebody_else(desk: Desk, services: Services, ann: Subject, ben: Subject) -> None:
    """Said of the greeting, it holds for the encounter; who said so and where it was are in the event."""
    greeting, *_, final = seen(services, "e1", "score_and_margin", ann, ben)
    before = services.store.events()
    answer = ask(desk, "log.correct", event=greeting.id, verdict="identified", person=ben.id)
    after = services.store.events()

    assert before == after[:-1]
    assert (
        DecisionCorrected(
            encounter="e1",
            corrects=final.id,
            was="identified",
            was_subject=ann.id,
            verdict="identified",
            subject=ben.id,
            door="main",
            camera="entrance",
            visit="v",
            by="ada",
        )
        == after[-1].event
    )
    assert ("Ben", after[-1].id) == (answer["person"]["name"], answer["event"])
    assert services.store.verify().last == len(after)
    entry = ask(desk, "log.entry", event=greeting.id)
    assert ("Ann", "Ben", True) == (
        entry["decision"]["person"]["name"],
        entry["correction"]["person"]["name"],
        entry["wrong"],
    )


def test_nothing_is_learned(desk: Desk, services: Services, ann: Subject, ben: Subject) -> None:
    """No reference, no other gallery, no changed enrolment."""
    (stored, *_) = seen(services, "e1", "below_threshold", ann, ben)
    before = (services.store.gallery_version(), services.store.references(), services.store.subjects())
    ask(desk, "log.correct", event=stored.id, verdict="identified", person=ann.id)

    assert before == (
        services.store.gallery_version(),
        services.store.references(),
        services.store.subjects(),
    )


@pytest.mark.parametrize(
    ("rule", "verdict", "who", "mistake"),
    [
        ("score_and_margin", "identified", "ben", "wrong_person"),
        ("score_and_margin", "stranger", None, "greeted_stranger"),
        ("score_and_margin", "unknown", None, "left_open"),
        ("below_threshold", "identified", "ann", "missed"),
        ("tie", "identified", "ben", "missed"),
        ("tie", "stranger", None, None),
        ("below_threshold", "unknown", None, None),
    ],
)
def test_mistakes_are_counted_by_kind(
    desk: Desk,
    services: Services,
    ann: Subject,
    ben: Subject,
    *,
    rule: str,
    verdict: str,
    who: str | None,
    mistake: str | None,
) -> None:
    """Each once; that nobody can say who a stranger was is no mistake of the box."""
    stored = seen(services, "e1", rule, ann, ben)[-1]
    people = {"ann": ann.id, "ben": ben.id, None: None}
    ask(desk, "log.correct", event=stored.id, verdict=verdict, person=people[who])
    wanted = NONE_WRONG if mistake is None else {**NONE_WRONG, mistake: 1, "wrong": 1}

    assert wanted == counted(desk)
    assert 1 == ask(desk, "log.accuracy")["encounters"]


def test_the_newest_correction_holds(desk: Desk, services: Services, ann: Subject, ben: Subject) -> None:
    """It was Ben; no, a stranger; no, Ann as the box said: in the end nothing was wrong."""
    stored = seen(services, "e1", "score_and_margin", ann, ben)[-1]
    ask(desk, "log.correct", event=stored.id, verdict="identified", person=ben.id)
    ask(desk, "log.correct", event=stored.id, verdict="stranger")
    assert {**NONE_WRONG, "greeted_stranger": 1, "wrong": 1} == counted(desk)
    ask(desk, "log.correct", event=stored.id, verdict="identified", person=ann.id)

    assert NONE_WRONG == counted(desk)
    assert not ask(desk, "log.entry", event=stored.id)["wrong"]
    assert ["e1"] == [
        entry["encounter"]
        for group in ask(desk, "log.page", corrected=True)["groups"]
        for entry in group["entries"]
    ]


def test_old_mistakes_are_not_counted(
    desk: Desk, services: Services, clock: ManualClock, ann: Subject, ben: Subject
) -> None:
    """The count is of the last days, by the box's clock."""
    stored = seen(services, "e1", "score_and_margin", ann, ben)[-1]
    ask(desk, "log.correct", event=stored.id, verdict="stranger")
    clock.advance(timedelta(days=31).total_seconds())

    assert (0, 0) == tuple(ask(desk, "log.accuracy")[name] for name in ("encounters", "wrong"))
    assert (1, 1) == tuple(ask(desk, "log.accuracy", days=60)[name] for name in ("encounters", "wrong"))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"verdict": "identified"}, "person"),
        ({"verdict": "stranger", "person": "ben"}, "person"),
        ({"verdict": "stranger", "note": "I know her"}, "note"),
        ({"verdict": "identified", "person": "ann"}, "verdict"),
        ({"verdict": "nonsense"}, "verdict"),
        ({"verdict": "unknown", "note": "x" * 501}, "note"),
    ],
)
def test_what_cannot_be_said(
    desk: Desk, services: Services, ann: Subject, ben: Subject, *, arguments: dict[str, Any], field: str
) -> None:
    """Told at its field, and nothing is logged."""
    stored = seen(services, "e1", "score_and_margin", ann, ben)[-1]
    people = {"ann": ann.id, "ben": ben.id}
    given = {k: people.get(v, v) if k == "person" else v for k, v in arguments.items()}
    position = services.store.position()
    with pytest.raises(FormError) as caught:
        ask(desk, "log.correct", event=stored.id, **given)

    assert [field] == list(caught.value.fields)
    assert position == services.store.position()


def test_who_is_not_enrolled_cannot_have_been_it(
    desk: Desk, services: Services, ann: Subject, ben: Subject
) -> None:
    """Nobody by that id, nor by a name, nor somebody who was removed."""
    stored = seen(services, "e1", "below_threshold", ann, ben)[-1]
    services.store.remove_subject(ben.id)
    for person in ("Ann", ben.id, str(ann.id)[:8]):
        with pytest.raises(UnknownSubjectError):
            ask(desk, "log.correct", event=stored.id, verdict="identified", person=person)


def test_a_note_is_sealed_and_goes_with_its_person(
    desk: Desk, services: Services, ann: Subject, ben: Subject
) -> None:
    """It stands nowhere in the clear, admins may read it, and erasing the person erases it."""
    stored = seen(services, "e1", "below_threshold", ann, ben)[-1]
    note = "She had a new haircut"
    made = ask(desk, "log.correct", event=stored.id, verdict="identified", person=ann.id, note=f"  {note} ")[
        "event"
    ]

    assert note == ask(desk, "log.note", event=made)["note"]
    assert ask(desk, "log.entry", "vera", event=stored.id)["correction"]["noted"]
    assert not any(note.encode() in path.read_bytes() for path in services.layout.state.glob("appliance.db*"))
    with pytest.raises(DeniedError):
        ask(desk, "log.note", "vera", event=made)
    with pytest.raises(FormError):
        ask(desk, "log.note", event=stored.id)
    services.store.remove_subject(ann.id)
    assert ask(desk, "log.note", event=made)["note"] is None
    assert services.store.verify().last == services.store.position()


def test_a_viewer_corrects_nothing(desk: Desk, services: Services, ann: Subject, ben: Subject) -> None:
    """That is for those who may change who is enrolled; and what is no decision cannot be corrected."""
    stored = seen(services, "e1", "below_threshold", ann, ben)[-1]
    with pytest.raises(DeniedError):
        ask(desk, "log.correct", "vera", event=stored.id, verdict="unknown")
    door = services.store.append(stores.OPENED)
    with pytest.raises(StoreError, match="not a decision"):
        ask(desk, "log.correct", event=door.id, verdict="unknown")
