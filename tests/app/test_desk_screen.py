"""The office screen's operations: what is to be seen now, and nothing that enumerates people."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_box import DeskBox, desk_box
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import NOON, OPENED, SHUT, identified

from appliance.clock import ManualClock
from appliance.errors import DeniedError, NotSignedInError
from appliance.events import DoorHeldOpen, ProcessChanged, StrangerSeen
from appliance.services import Layout, Services, open_services
from appliance.settings import CameraSettings, DoorSettings, ScreenSettings, Settings
from appliance.store import Consent, NewEvent, Subject
from appliance.values import Grade

SETTINGS = Settings(
    cameras=(CameraSettings(id="entrance", source="scene:door"),),
    doors=(DoorSettings(id="main", camera="entrance"),),
    screen=ScreenSettings(leaderboard="greetings"),
)
GREET, BOARD = "greet", "leaderboard"


class Hall:
    """A box with a screen in the hall.

    Args:
        box: Its desk.
    """

    def __init__(self, box: DeskBox) -> None:
        self.box = box
        self.store = box.services.store
        self.admin = box.first_admin()
        self.screen = box.screen(self.admin)

    def enrol(self, name: str, *purposes: str, alias: str | None = None) -> Subject:
        """Somebody who agreed to this, besides being recognised."""
        consent = Consent(purposes=("identify", *purposes), text_version="1", given_by="paper")
        return self.store.add_subject(name, consent=consent, alias=alias)

    def now(self) -> Any:
        """What is to be seen."""
        return self.box.ask("screen.now", self.screen)["state"]

    def greeted(self) -> list[str]:
        """Who is greeted."""
        return [each["text"] for each in self.now()["greetings"]]

    def places(self) -> list[tuple[int, str, int]]:
        """The leaderboard."""
        return [(row["place"], row["text"], row["count"]) for row in self.now()["leaderboard"]["rows"]]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box, with the machine's own clock."""
    with open_services(SETTINGS, Layout(tmp_path / "state"), create=True) as opened:
        yield opened


@pytest.fixture
def hall(services: Services) -> Iterator[Hall]:
    """Its desk with a paired screen."""
    with desk_box(services, SETTINGS) as box:
        yield Hall(box)


def stranger(encounter: str) -> StrangerSeen:
    """A decision that it was nobody enrolled."""
    facts = identified().facts
    return StrangerSeen(encounter=encounter, grade=Grade.CONFIRMED, facts=facts)


def test_who_comes_in_is_greeted_by_alias_or_initials(hall: Hall) -> None:
    """Several at once, those who came last at the end; never by their name."""
    ann = hall.enrol("Ann Archer", GREET, alias="Annie")
    ben = hall.enrol("Ben Bauer", GREET)
    hall.store.append_all([NewEvent(identified(each.id, encounter=each.id)) for each in (ann, ben)])

    assert ["Annie", "BB"] == hall.greeted()


def test_who_did_not_agree_is_not_greeted(hall: Hall) -> None:
    """To be greeted, that is: being recognised or counted is another purpose."""
    cem = hall.enrol("Cem Celik", BOARD)
    hall.store.append(identified(cem.id))

    assert [] == hall.greeted()
    assert [(1, "CC", 1)] == hall.places()


@pytest.mark.parametrize("how", ["withdrawn", "paused", "removed"])
def test_a_greeting_goes_with_the_consent(hall: Hall, how: str) -> None:
    """At once, even while it is on the screen; and so does the place on the leaderboard."""
    ann = hall.enrol("Ann Archer", GREET, BOARD)
    hall.store.append(identified(ann.id))
    assert (["AA"], [(1, "AA", 1)]) == (hall.greeted(), hall.places())
    {
        "withdrawn": lambda: hall.store.withdraw_purposes(ann.id, [GREET, BOARD]),
        "paused": lambda: hall.store.pause(ann.id),
        "removed": lambda: hall.store.remove_subject(ann.id),
    }[how]()

    assert ([], []) == (hall.greeted(), hall.places())


def test_a_repeated_sighting_greets_nobody_again(hall: Hall) -> None:
    """Later grades, a decision marked as repeated, and another camera's greeting a moment later."""
    ann = hall.enrol("Ann Archer", GREET)
    events = [identified(ann.id, grade=grade) for grade in Grade]
    hall.store.append_all([NewEvent(each) for each in events])
    first = hall.now()["greetings"]
    hall.store.append(identified(ann.id, encounter="f", repeated=True))
    hall.store.append(identified(ann.id, encounter="g"))

    assert ["AA"] == hall.greeted()
    assert [each["key"] for each in first] == [each["key"] for each in hall.now()["greetings"]]


def test_a_correction_moves_the_place_and_takes_the_greeting_away(hall: Hall) -> None:
    """Said at the log's page: the count is theirs whose stay it was, once; taken back, it is as it was."""
    ann, ben = hall.enrol("Ann Archer", GREET, BOARD), hall.enrol("Ben Bauer", GREET, BOARD)
    seen = hall.store.append(identified(ann.id))
    first = (hall.greeted(), hall.places())

    def say(verdict: str, **who: str) -> tuple[list[str], list[tuple[int, str, int]]]:
        hall.box.ask("log.correct", hall.admin, event=seen.id, verdict=verdict, **who)
        return hall.greeted(), hall.places()

    told = [
        say("identified", person=ben.id),
        say("stranger"),
        say("identified", person=ben.id),
        say("identified", person=ann.id),
    ]

    bens, nobodys, anns = ([], [(1, "BB", 1)]), ([], []), ([], [(1, "AA", 1)])
    assert (["AA"], [(1, "AA", 1)]) == first
    assert [bens, nobodys, bens, anns] == told


@pytest.mark.parametrize("mended", ["somebody else", "a stranger"])
def test_a_mistaken_greeting_is_taken_away(hall: Hall, mended: str) -> None:
    """When the same stay turns out to be somebody else's."""
    ann, ben = hall.enrol("Ann Archer", GREET), hall.enrol("Ben Bauer", GREET)
    hall.store.append(identified(ann.id))
    assert ["AA"] == hall.greeted()
    hall.store.append(identified(ben.id) if mended == "somebody else" else stranger("e"))

    assert (["BB"] if mended == "somebody else" else []) == hall.greeted()


def test_a_greeting_lasts_as_long_as_the_settings_say(tmp_path: Path) -> None:
    """From when the person came in: a desk that begins later shows it for the rest; one after that, not."""
    clock = ManualClock(NOON)
    with open_services(SETTINGS, Layout(tmp_path / "state"), create=True, clock=clock) as services:
        with desk_box(services, SETTINGS) as box:
            hall = Hall(box)
            ann = hall.enrol("Ann Archer", GREET)
            hall.store.append(identified(ann.id))
            first = hall.now()["greetings"]
        clock.advance(5)
        with desk_box(services, SETTINGS) as box:
            later = box.ask("screen.now", hall.screen)["state"]["greetings"]
        clock.advance(8)
        with desk_box(services, SETTINGS) as box:
            gone = box.ask("screen.now", hall.screen)["state"]["greetings"]

    assert [first[0]["key"]] == [each["key"] for each in later]
    assert pytest.approx(7, abs=1) == later[0]["left_s"]
    assert [] == gone


def test_doors_are_as_the_log_says_last(hall: Hall) -> None:
    """Open, held open, shut; not known after the loop stopped; doors of others are none of the screen's."""
    seen = [hall.now()["doors"]]
    yard = OPENED.model_copy(update={"door": "yard"})
    stopped = ProcessChanged(type="process_stopped", process="loop")
    for event in (OPENED, DoorHeldOpen(door="main", open_s=130), SHUT, yard, stopped):
        hall.store.append(event)
        seen.append(hall.now()["doors"])

    states = ["unknown", "open", "held_open", "shut", "shut", "unknown"]
    assert [[{"id": "main", "state": each}] for each in states] == seen


def test_a_desk_that_begins_knows_the_doors(services: Services) -> None:
    """From the log, whatever else was logged since."""
    services.store.append_all([NewEvent(SHUT), NewEvent(OPENED)])
    with desk_box(services, SETTINGS) as box:
        assert [{"id": "main", "state": "open"}] == Hall(box).now()["doors"]


def test_the_leaderboard_has_five_places_and_shares_them(hall: Hall) -> None:
    """Most first; who is level shares a place; nobody behind the fifth line is told of."""
    names = ["Ann A", "Ben B", "Cem C", "Dora D", "Eve E", "Finn F"]
    for many, name in enumerate(names[:5], start=2):
        person = hall.enrol(name, BOARD)
        for stay in range(min(many, 5)):
            hall.store.append(identified(person.id, encounter=f"{person.id[-20:]}-{stay}"))
    last = hall.enrol(names[5], BOARD)
    hall.store.append(identified(last.id, encounter="last"))

    places = hall.places()
    assert [1, 1, 3, 4, 5] == [place for place, _, _ in places]
    assert [5, 5, 4, 3, 2] == [count for _, _, count in places]
    assert "FF" not in [text for _, text, _ in places]


def test_without_the_setting_there_is_no_leaderboard(tmp_path: Path) -> None:
    """It is off until an admin switches it on."""
    with (
        open_services(Settings(), Layout(tmp_path / "state"), create=True) as services,
        desk_box(services) as box,
    ):
        hall = Hall(box)
        ann = hall.enrol("Ann Archer", BOARD)
        hall.store.append(identified(ann.id))

        assert hall.now()["leaderboard"] is None


def test_waiting_ends_when_something_else_is_to_be_seen(hall: Hall) -> None:
    """Within a moment of the event; what is not to be seen wakes nobody."""
    ann = hall.enrol("Ann Archer", GREET)
    position = hall.box.ask("screen.now", hall.screen)["position"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hall.box.ask, "screen.wait", hall.screen, after=position, timeout_s=20)
        hall.store.append(stranger("nobody"))
        time.sleep(0.3)
        asleep = not waiting.done()
        began = time.monotonic()
        hall.store.append(identified(ann.id))
        answer = waiting.result(10)
        took = time.monotonic() - began

    assert asleep
    assert ["AA"] == [each["text"] for each in answer["events"][0]["state"]["greetings"]]
    assert answer["position"] > position
    assert took < 5


def test_waiting_is_over_when_its_time_is(hall: Hall) -> None:
    """Nothing happened: the same position, and no event; without a position it is told at once."""
    position = hall.box.ask("screen.now", hall.screen)["position"]
    told = [
        hall.box.ask("screen.wait", hall.screen, after=position, timeout_s=0.2),
        hall.box.ask("screen.wait", hall.screen),
    ]

    assert [{"position": position, "events": []}] * 2 == told


def test_positions_rise_across_a_restart(services: Services) -> None:
    """A screen that goes on listening to a desk that began anew is told of what changed meanwhile."""
    with desk_box(services, SETTINGS) as box:
        hall = Hall(box)
        before = box.ask("screen.now", hall.screen)["position"]
    time.sleep(0.01)
    with desk_box(services, SETTINGS) as box:
        answer = box.ask("screen.wait", hall.screen, after=before, timeout_s=1)

    assert answer["position"] > before
    assert 1 == len(answer["events"])


def test_a_revoked_screen_hears_nothing_of_what_it_waited_for(hall: Hall) -> None:
    """It is asked again who waits before anything is told."""
    ann = hall.enrol("Ann Archer", GREET)
    position = hall.box.ask("screen.now", hall.screen)["position"]
    (paired,) = hall.box.ask("screens.list", hall.admin)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hall.box.ask, "screen.wait", hall.screen, after=position, timeout_s=20)
        time.sleep(0.2)
        hall.box.ask("screens.revoke", hall.admin, screen=paired["id"])
        hall.store.append(identified(ann.id))

        with pytest.raises(NotSignedInError):
            waiting.result(10)


def test_a_screen_may_ask_nothing_else(hall: Hall) -> None:
    """Of all operations there are, its own and the public ones."""
    allowed = set()
    for name, operation in hall.box.desk.operations.items():
        try:
            hall.box.desk.ask(name, {"no such": 1}, credential=hall.screen)
        except DeniedError:
            continue
        except Exception:  # noqa: BLE001 - refused for its arguments: it would have been carried out
            allowed.add(name if operation.permission != "public" else "public")

    assert {"screen.now", "screen.wait", "screen.song", "screen.stop_songs", "public"} == allowed


def test_screens_of_many_ask_at_once(hall: Hall) -> None:
    """Twenty at once are told the same."""
    ann = hall.enrol("Ann Archer", GREET)
    position = hall.box.ask("screen.now", hall.screen)["position"]
    begun = threading.Barrier(21)

    def wait() -> Any:
        begun.wait()
        return hall.box.ask("screen.wait", hall.screen, after=position, timeout_s=20)

    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(wait) for _ in range(20)]
        begun.wait()
        hall.store.append(identified(ann.id))
        told = [each.result(20) for each in waiting]

    assert 1 == len({each["position"] for each in told})
    assert {"AA"} == {greeted["text"] for each in told for greeted in each["events"][0]["state"]["greetings"]}


PURPOSES = st.sets(st.sampled_from([GREET, BOARD]))
STEPS = st.tuples(
    st.integers(0, 3),
    st.sampled_from(
        ["greet", "again", "final", "stranger", "pause", "resume", "rename", "agree", "withdraw"]
    ),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PURPOSES, min_size=4, max_size=4), st.lists(STEPS, max_size=15))
def test_a_screen_never_tells_more_than_was_agreed_to(
    hall: Hall, agreed: list[set[str]], story: list[tuple[int, str]]
) -> None:
    """Whatever happens: no id, no name; aliases only of who agreed to that very purpose."""
    people = []
    for number, purposes in enumerate(agreed):
        mark = f"Q{number}{int(time.monotonic_ns()) % 10**9}"
        person = hall.enrol(f"Name{mark} Nachname{mark}", *purposes, alias=f"alias{mark}")
        people.append((person, mark))
    stays = []
    for step, (who, what) in enumerate(story):
        person, mark = people[who]
        if what in {"greet", "again", "final"}:
            grade = Grade.FINAL if what == "final" else Grade.GREETING
            stays.append(f"{mark}-{step if what == 'greet' else 'same'}")
            hall.store.append(identified(person.id, grade=grade, encounter=stays[-1]))
        elif what == "stranger":
            hall.store.append(stranger(stays[-1] if stays else "x"))
        elif what == "rename":
            hall.store.set_alias(person.id, f"other{mark}")
        elif what == "agree":
            consent = Consent(purposes=(GREET,), text_version="2", given_by="paper")
            hall.store.give_consent(person.id, consent)
        elif what == "withdraw":
            hall.store.withdraw_purposes(person.id, [GREET, BOARD])
        else:
            getattr(hall.store, what)(person.id)
        state = hall.now()
        text = json.dumps(state)
        now = [(hall.store.subject_by_id(each.id), sign) for each, sign in people]

        assert not [sign for _, sign in people if f"Name{sign}" in text or f"Nachname{sign}" in text]
        assert not [each.id for each, _ in people if each.id in text or each.id[-12:] in text]
        assert not [stay for stay in stays if stay in text]
        for section, purpose in (("greetings", GREET), ("leaderboard", BOARD)):
            shown = json.dumps(state[section])
            assert not [sign for each, sign in now if sign in shown and purpose not in each.purposes]
    for person, _ in people:
        hall.store.remove_subject(person.id)


def test_answers_hold_nothing_that_is_not_shown(hall: Hall) -> None:
    """Field by field: adding one is a decision."""
    ann = hall.enrol("Ann Archer", GREET, BOARD)
    hall.store.append(identified(ann.id))
    answer = hall.box.ask("screen.now", hall.screen)

    assert {"position", "state"} == set(answer)
    assert {"greetings", "doors", "leaderboard", "coffee", "lines", "song", "theme"} == set(answer["state"])
    assert {"key", "text", "left_s"} == set(answer["state"]["greetings"][0])
    assert {"key", "place", "text", "count"} == set(answer["state"]["leaderboard"]["rows"][0])
    assert {"id", "state"} == set(answer["state"]["doors"][0])


def test_the_leaderboard_moves_on_at_midnight(tmp_path: Path) -> None:
    """What is older than it looks back is gone, though nothing happened."""
    clock = ManualClock(NOON)
    short = SETTINGS.model_copy(
        update={"screen": ScreenSettings(leaderboard="greetings", leaderboard_days=1)}
    )
    with (
        open_services(short, Layout(tmp_path / "state"), create=True, clock=clock) as services,
        desk_box(services, short) as box,
    ):
        hall = Hall(box)
        ann = hall.enrol("Ann Archer", BOARD)
        hall.store.append(identified(ann.id))
        before = hall.places()
        clock.advance(timedelta(days=1).total_seconds())

        assert [(1, "AA", 1)] == before
        assert [] == hall.places()


def test_a_board_reads_only_what_matters(hall: Hall) -> None:
    """Events that change nothing on the screen leave the position where it is."""
    position = hall.box.ask("screen.now", hall.screen)["position"]
    hall.store.append_all([NewEvent(stranger(f"e{number}")) for number in range(10)])

    assert position == hall.box.ask("screen.now", hall.screen)["position"]
