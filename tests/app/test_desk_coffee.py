"""Coffees at the desk: places, who is told what, corrections, the screen's leaderboard and its countdown."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_box import DeskBox, desk_box
from hypothesis import given
from hypothesis import strategies as st

from appliance.app.coffee_showing import CoffeeShowing
from appliance.app.desk.coffee_line import CoffeeLine, asking
from appliance.app.desk.leaderboard import PERIODS, Counted, Period, first_day, places, set_apart
from appliance.clock import ManualClock
from appliance.coffee import Shown
from appliance.errors import DeniedError, FormError, PeerGoneError
from appliance.events import CoffeeTaken
from appliance.services import Layout, Services, open_services
from appliance.settings import CameraSettings, CoffeeSettings, ScreenSettings, Settings
from appliance.store import Consent, Subject
from appliance.wire import Client, Request, Server
from appliance.wire.address import Peer
from appliance.wire.messages import CoffeeTold, WatchCoffee

SETTINGS = Settings(
    cameras=(CameraSettings.model_validate({"id": "corner", "source": "scene:coffee", "when": "always"}),),
    coffee=CoffeeSettings(cameras=("corner",), visitors=True),
    screen=ScreenSettings(leaderboard="coffee", leaderboard_rows=3),
)
FRIDAY = datetime(2026, 7, 31, 9, 30, tzinfo=UTC)
"""The last day of a month, in the middle of a week."""
BOARD = "leaderboard"


class Kitchen:
    """A box with a coffee corner, an admin, a viewer and a screen.

    Args:
        box: Its desk.
    """

    def __init__(self, box: DeskBox) -> None:
        self.box = box
        self.store = box.services.store
        self.admin = box.first_admin()
        self.viewer = box.admit(self.admin, "vera")
        self.screen = box.screen(self.admin)

    def enrol(self, name: str, *purposes: str, alias: str | None = None) -> Subject:
        """Somebody who agreed to this, besides being recognised."""
        consent = Consent(purposes=("identify", *purposes), text_version="1", given_by="paper")
        return self.store.add_subject(name, consent=consent, alias=alias)

    def coffees(
        self, whose: Subject | None, many: int = 1, *, ago: timedelta = timedelta(0), **more: Any
    ) -> str:
        """Somebody takes some; the id of the last one's event."""
        at, last = self.box.services.clock.wall() - ago, ""
        for _ in range(many):
            subject = None if whose is None else whose.id
            last = self.store.append(CoffeeTaken(encounter="e", subject=subject, **more), at=at).id
        return last

    def places(self, period: Period = "day") -> list[tuple[int, str, int]]:
        """A leaderboard of the page."""
        rows = self.box.ask("coffee.board", self.admin, period=period)["rows"]
        return [(row["place"], row["text"], row["count"]) for row in rows]

    def shown(self) -> Any:
        """What is on the screen."""
        return self.box.ask("screen.now", self.screen)["state"]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box whose clock stands."""
    with open_services(
        SETTINGS, Layout(tmp_path / "state"), create=True, clock=ManualClock(FRIDAY)
    ) as opened:
        yield opened


@pytest.fixture
def kitchen(services: Services) -> Iterator[Kitchen]:
    """Its desk."""
    with desk_box(services, SETTINGS) as box:
        yield Kitchen(box)


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(1, 5)), max_size=40))
def test_who_is_level_shares_a_place(people: list[tuple[str, int]]) -> None:
    """A place is one more than how many have more; all are there; the order is always the same."""
    counted = [Counted(text, count, str(i)) for i, (text, count) in enumerate(people)]
    found = places(counted)

    assert found == places(counted[::-1])
    assert sorted(map(str, counted)) == sorted(str(each.counted) for each in found)
    for each in found:
        assert each.place == 1 + sum(other.count > each.counted.count for other in counted)


@given(st.lists(st.text("aA 2", max_size=4), max_size=20))
def test_no_two_are_called_the_same(texts: list[str]) -> None:
    """Whoever comes first keeps what they are called; all others have a number."""
    found = set_apart((str(who), text) for who, text in enumerate(texts))
    called = list(found.values())

    assert [str(who) for who in range(len(texts))] == sorted(found, key=int)
    assert len(texts) == len({each.casefold() for each in called})
    for who, text in enumerate(texts):
        first = text.casefold() not in [each.casefold() for each in texts[:who]]
        assert first == (text == found[str(who)])
        assert found[str(who)].startswith(text)


@given(st.dates(min_value=date(1, 2, 1)))
def test_periods_hold_their_day_and_one_another(today: date) -> None:
    """Weeks begin on Monday, months on the first; the day is in all of them, and all time in none."""
    first = {period: first_day(period, today) for period in PERIODS}

    assert first["day"] == today
    assert 0 == first["week"].weekday()
    assert 0 <= (today - first["week"]).days < 7
    assert (1, today.month) == (first["month"].day, first["month"].month)
    assert first["all"] <= min(first.values())


def test_a_leaderboard_for_each_period(kitchen: Kitchen) -> None:
    """What was yesterday is of the week, what was last week of the month, and what was before of all time."""
    ann, ben = kitchen.enrol("Ann Archer", BOARD, alias="Annie"), kitchen.enrol("Ben Bauer", BOARD)
    kitchen.coffees(ann, 2)
    kitchen.coffees(ben, 2, ago=timedelta(days=1))
    kitchen.coffees(ben, 1, ago=timedelta(days=9))
    kitchen.coffees(ann, 5, ago=timedelta(days=60))

    assert [(1, "Annie", 2)] == kitchen.places("day")
    assert [(1, "Annie", 2), (1, "BB", 2)] == kitchen.places("week")
    assert [(1, "BB", 3), (2, "Annie", 2)] == kitchen.places("month")
    assert [(1, "Annie", 7), (2, "BB", 3)] == kitchen.places("all")


def test_a_new_month_begins_anew(kitchen: Kitchen, services: Services) -> None:
    """On the screen as well, though nothing happened."""
    ann = kitchen.enrol("Ann Archer", BOARD)
    kitchen.coffees(ann)
    before = {each["period"]: len(each["rows"]) for each in kitchen.shown()["leaderboard"]["boards"]}
    assert isinstance(services.clock, ManualClock)
    services.clock.advance(24 * 3600)
    after = {each["period"]: len(each["rows"]) for each in kitchen.shown()["leaderboard"]["boards"]}

    assert {"day": 1, "week": 1, "month": 1, "all": 1} == before
    assert {"day": 0, "week": 1, "month": 0, "all": 1} == after


def test_only_who_agreed_is_on_it(kitchen: Kitchen) -> None:
    """Not who took it back, is paused, or never did; by alias or initials, never by name."""
    ann, ben, cem = (kitchen.enrol(name, BOARD) for name in ("Ann Archer", "Ben Bauer", "Cem Celik"))
    shy = kitchen.enrol("Shy")
    for each in (ann, ben, cem, shy):
        kitchen.coffees(each)
    kitchen.store.pause(ben.id)
    kitchen.store.withdraw_purposes(cem.id, [BOARD])
    told = str(kitchen.shown()) + str(kitchen.box.ask("coffee.board", kitchen.viewer))

    assert [(1, "AA", 1)] == kitchen.places()
    assert not any(name in told for name in ("Archer", "Bauer", "Celik", "Shy", ann.id))


def test_a_visitor_is_on_the_day_s_alone(kitchen: Kitchen) -> None:
    """By number; afterwards nobody knows who it was."""
    kitchen.coffees(None, 2, visitor=7)

    assert [(1, "Visitor 7", 2)] == kitchen.places("day")
    assert [] == kitchen.places("week")


def test_of_many_the_first_are_shown_and_the_others_counted(kitchen: Kitchen) -> None:
    """As many as set; who has none is not on it."""
    for number in range(8):
        kitchen.coffees(kitchen.enrol(f"P{number} Q", BOARD, alias=f"P{number}"), number)
    (board, *_) = kitchen.shown()["leaderboard"]["boards"]

    assert ["P7", "P6", "P5"] == [row["text"] for row in board["rows"]]
    assert (4, 28) == (board["more"], board["coffees"])


def test_namesakes_are_told_apart(kitchen: Kitchen, services: Services) -> None:
    """By who was enrolled first, on every leaderboard the same, and by keys that hold nothing of anybody."""
    assert isinstance(services.clock, ManualClock)
    people = []
    for name in ("Ann Berg", "Alf Brandt", "Ada Busch"):
        people.append(kitchen.enrol(name, BOARD))
        services.clock.advance(1)
    kitchen.coffees(people[1], 3)
    kitchen.coffees(people[0], 2)
    kitchen.coffees(people[2], 1, ago=timedelta(days=1))
    (day, week, *_) = kitchen.shown()["leaderboard"]["boards"]
    keys = {row["text"]: row["key"] for row in week["rows"]}

    assert [(1, "AB 2", 3), (2, "AB", 2)] == kitchen.places()
    assert ["AB 2", "AB"] == [row["text"] for row in day["rows"]]
    assert [(1, "AB 2", 3), (2, "AB", 2), (3, "AB 3", 1)] == kitchen.places("week")
    assert 3 == len(set(keys.values()))
    assert {row["text"]: row["key"] for row in day["rows"]}.items() <= keys.items()
    assert not [each.id for each in people if each.id in str(week)]


def test_keys_of_rows_are_others_tomorrow(kitchen: Kitchen, services: Services) -> None:
    """Nobody can be followed by them; on one day they stay."""
    kitchen.coffees(kitchen.enrol("Ann Berg", BOARD))

    def key() -> str:
        rows = kitchen.shown()["leaderboard"]["boards"][1]["rows"]
        return str(rows[0]["key"])

    before, same = key(), key()
    page = kitchen.box.ask("coffee.board", kitchen.admin, period="week")["rows"][0]["key"]
    assert isinstance(services.clock, ManualClock)
    services.clock.advance(24 * 3600)

    assert (before, 3) == (same, len({before, page, key()}))


def test_the_newest_coffee_is_told_wherever_it_is(kitchen: Kitchen) -> None:
    """With its place, though that is not shown; not after it was put right, nor of who is not on it."""
    people = [kitchen.enrol(f"P{number} Q", BOARD, alias=f"P{number}") for number in range(6)]
    for number, each in enumerate(people):
        kitchen.coffees(each, 9 - number, ago=timedelta(minutes=9))
    before = kitchen.shown()["leaderboard"]["newest"]
    coffee = kitchen.coffees(people[5])
    told = kitchen.shown()["leaderboard"]
    kitchen.box.ask("coffee.correct", kitchen.admin, coffee=coffee)
    undone = kitchen.shown()["leaderboard"]["newest"]
    kitchen.coffees(None, visitor=4)
    visitor = kitchen.shown()["leaderboard"]["newest"]
    kitchen.coffees(people[0])
    kitchen.store.withdraw_purposes(people[0].id, [BOARD])

    assert before is None
    assert ("P5", 5, 5) == tuple(told["newest"]["row"][each] for each in ("text", "place", "count"))
    assert "P5" not in [row["text"] for row in told["boards"][0]["rows"]]
    assert {"key", "row", "left_s"} == set(told["newest"])
    assert not [each for each in (coffee, people[5].id) if each in str(told)]
    assert undone is None
    assert "Visitor 4" == visitor["row"]["text"]
    assert kitchen.shown()["leaderboard"]["newest"] is None


def test_a_correction_moves_the_coffee(kitchen: Kitchen) -> None:
    """On the page and on the screen; what it was is seen beside it."""
    ann, ben = kitchen.enrol("Ann Archer", BOARD), kitchen.enrol("Ben Bauer", BOARD)
    coffee = kitchen.coffees(ann)
    kitchen.box.ask("coffee.correct", kitchen.admin, coffee=coffee, person=ben.id)
    moved = kitchen.places()
    (told,) = kitchen.box.ask("coffee.lately", kitchen.admin)
    kitchen.box.ask("coffee.correct", kitchen.admin, coffee=coffee)
    gone = kitchen.places()
    (nobody,) = kitchen.box.ask("coffee.lately", kitchen.admin)
    kitchen.box.ask("coffee.correct", kitchen.admin, coffee=coffee, person=ann.id)

    assert [(1, "BB", 1)] == moved
    assert ("Ben Bauer", True, True) == (told["person"]["name"], told["moved"], told["holds"])
    assert [] == gone
    assert (None, "nobody", False) == (nobody["person"], nobody["text"], nobody["holds"])
    assert [(1, "AA", 1)] == kitchen.places()
    assert "AA" == kitchen.shown()["leaderboard"]["boards"][0]["rows"][0]["text"]


def test_one_that_was_missed_is_added(kitchen: Kitchen) -> None:
    """It counts like any other."""
    ann = kitchen.enrol("Ann Archer", BOARD)
    kitchen.box.ask("coffee.add", kitchen.admin, person=ann.id)

    assert [(1, "AA", 1)] == kitchen.places()


def test_what_cannot_be_said_is_refused(kitchen: Kitchen) -> None:
    """Of somebody who did not agree, of nobody, of no coffee, and what it says already."""
    ann, shy = kitchen.enrol("Ann Archer", BOARD), kitchen.enrol("Shy")
    coffee = kitchen.coffees(ann)
    for field, arguments in (
        ("person", {"coffee": coffee, "person": shy.id}),
        ("person", {"coffee": coffee, "person": "nobody"}),
        ("person", {"coffee": coffee, "person": ann.id}),
        ("coffee", {"coffee": "none", "person": ann.id}),
    ):
        with pytest.raises(FormError) as refused:
            kitchen.box.ask("coffee.correct", kitchen.admin, **arguments)

        assert [field] == list(refused.value.fields)
    with pytest.raises(FormError):
        kitchen.box.ask("coffee.add", kitchen.admin, person=shy.id)
    assert [(1, "AA", 1)] == kitchen.places()


def test_viewers_are_told_no_more_than_the_log_tells_them(kitchen: Kitchen) -> None:
    """Who took a coffee when: of those alone who agreed that others see that; and they put nothing right."""
    ann, ben = kitchen.enrol("Ann Archer", BOARD), kitchen.enrol("Ben Bauer", BOARD, "last_seen")
    for each in (ann, ben):
        kitchen.coffees(each)
    told = kitchen.box.ask("coffee.lately", kitchen.viewer)

    assert {None, "Ben Bauer"} == {each["person"] and each["person"]["name"] for each in told}
    assert ann.id not in str(told)
    assert "Archer" not in str(told)
    for operation in ("coffee.correct", "coffee.add", "coffee.people"):
        with pytest.raises(DeniedError):
            kitchen.box.ask(operation, kitchen.viewer)


def test_the_last_24_hours_hour_by_hour(kitchen: Kitchen) -> None:
    """The present hour last; what there was not, by somebody's word, is not in it."""
    ann = kitchen.enrol("Ann Archer", BOARD)
    kitchen.coffees(ann, 2)
    kitchen.coffees(ann, 3, ago=timedelta(hours=3))
    wrong = kitchen.coffees(ann, 1, ago=timedelta(hours=3))
    kitchen.coffees(ann, 9, ago=timedelta(hours=24))
    kitchen.box.ask("coffee.correct", kitchen.admin, coffee=wrong)
    counts = [each["count"] for each in kitchen.box.ask("coffee.hours", kitchen.admin)]

    assert [0] * 20 + [3, 0, 0, 2] == counts


def test_the_loop_s_countdown_is_on_the_screen_at_once(tmp_path: Path) -> None:
    """From the loop's frame to whoever waits, by alias; of who is not on the leaderboard, nothing."""
    showing = CoffeeShowing()
    with (
        open_services(SETTINGS, Layout(tmp_path / "state"), create=True) as services,
        Server(services.layout.socket("loop"), showing.handlers()),
        desk_box(services, SETTINGS) as box,
        ThreadPoolExecutor(1) as pool,
    ):
        kitchen = Kitchen(box)
        ann, shy = kitchen.enrol("Ann Archer", BOARD, alias="Annie"), kitchen.enrol("Shy")
        before = box.ask("screen.now", kitchen.screen)
        waiting = pool.submit(box.ask, "screen.wait", kitchen.screen, after=before["position"], timeout_s=20)
        time.sleep(0.3)
        until_s = time.monotonic() + 1
        showing.tell(
            "corner",
            [
                Shown("e", str(ann.id), "counting", 3.0, until_s),
                Shown("f", str(shy.id), "counting", 2.0, until_s),
                Shown("g", "visitor:7", "too_soon", 240.0, until_s + 3),
            ],
        )
        (told,) = waiting.result()["events"]

        assert [] == before["state"]["coffee"]
        assert [("Annie", "counting"), ("Visitor 7", "too_soon")] == [
            (each["text"], each["phase"]) for each in told["state"]["coffee"]
        ]
        assert 2 < told["state"]["coffee"][0]["left_s"] <= 3
        assert str(ann.id) not in str(told)


def test_nothing_is_shown_of_a_loop_that_is_gone() -> None:
    """What it said last ends with it, and it is asked again when it is back."""
    showing, away, told = CoffeeShowing(), threading.Event(), threading.Event()
    showing.tell("corner", [Shown("e", "ann", "counting", 3.0, time.monotonic() + 60)])

    def ask(question: WatchCoffee) -> CoffeeTold:
        if away.is_set():
            raise PeerGoneError("nobody listens")
        question = question.model_copy(update={"wait_s": 0.05})
        (handler,) = showing.handlers().values()
        message: CoffeeTold = handler(_request(question)).message
        return message

    with CoffeeLine(ask, told.set) as line:
        line.now()
        assert told.wait(10)
        shown = line.now().people
        told.clear()
        away.set()
        assert told.wait(10)
        gone = line.now().people
        told.clear()
        away.clear()
        assert told.wait(10)

        assert ["counting"] == [each.phase for each in shown] == [each.phase for each in line.now().people]
        assert () == gone


def _request(message: WatchCoffee) -> Any:
    """A request as the server makes it."""
    return Request(message, b"", (), Peer(0, 0))


def test_asking_a_loop_that_is_not_there_says_so(tmp_path: Path) -> None:
    """As one of our errors."""
    with pytest.raises(PeerGoneError):
        asking(Client(tmp_path / "loop.sock"))(WatchCoffee())
