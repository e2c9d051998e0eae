"""Coffees in a real Chromium: the leaderboard and the countdown on the screen, and the page as it happens."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import axe, open_page, overflow, shots
from playwright.sync_api import Browser, Page, expect
from running_web import Running, run_web
from stores import SHUT

from appliance.app.coffee_showing import CoffeeShowing
from appliance.coffee import Shown
from appliance.events import CoffeeTaken
from appliance.services import Services
from appliance.store import Consent, Subject
from appliance.wire import Server

pytestmark = [pytest.mark.debian(reason="chromium"), pytest.mark.slow]

SETTINGS = """
[web]
port = 0
[[cameras]]
id = "corner"
source = "scene:coffee"
when = "always"
[coffee]
cameras = ["corner"]
[screen]
leaderboard = "coffee"
leaderboard_rows = 9
theme = "light"
"""


@dataclass
class Kitchen:
    """Desk and web as processes, and the loop's end of the countdown.

    Attributes:
        running: The processes.
        services: The database, opened here too.
        people: Who is enrolled, with as many coffees as their number.
        showing: What the loop shows.
    """

    running: Running
    services: Services
    people: list[Subject]
    showing: CoffeeShowing

    def take(self, who: int) -> None:
        """Somebody takes a coffee."""
        self.services.store.append(CoffeeTaken(encounter="e", subject=self.people[who].id))


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    """Twelve people, who have had coffees today."""
    people: list[Subject] = []

    def prepare(services: Services) -> None:
        agreed = Consent(("identify", "leaderboard"), "1", "paper")
        for number in range(12):
            person = services.store.add_subject(f"P{number} Q", consent=agreed, alias=f"Person {number}")
            people.append(person)
            for _ in range(number):
                services.store.append(CoffeeTaken(encounter="e", subject=person.id))
        services.store.append(SHUT)

    showing = CoffeeShowing()
    state = Path(tmp_path_factory.mktemp("kitchen")) / "state"
    with (
        run_web(state, settings=SETTINGS, prepare=prepare) as running,
        Server(running.context.layout.socket("loop"), showing.handlers()),
        running.context.services() as services,
    ):
        yield Kitchen(running, services, people, showing)


@contextmanager
def television(browser: Browser, kitchen: Kitchen) -> Iterator[Page]:
    """A paired screen."""
    made = kitchen.running.desk.ask(
        "screens.begin_pairing", {"label": "Kitchen"}, credential=kitchen.running.secret()
    )
    with open_page(browser, kitchen.running.url) as (page, _):
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.goto(f"/screen/pair#{made.result['code']}")
        expect(page.locator(".places li")).to_have_count(7)
        yield page


def test_the_leaderboard_is_shown_page_after_page(browser: Browser, kitchen: Kitchen) -> None:
    """Seven of nine, then two, of how many people; nothing sticks out or stands in the way."""
    with television(browser, kitchen) as page:
        expect(page.locator("[data-leaders-title]")).to_have_text("Coffee today")
        expect(page.locator(".places .who").first).to_have_text("Person 11")
        findings = axe(page)
        shots(page, "screen-coffee", widths=("tv", "phone"))
        page.set_viewport_size({"width": 1920, "height": 1080})
        expect(page.locator(".places li")).to_have_count(2, timeout=15_000)
        expect(page.locator("[data-leaders-of]")).to_have_text(re.compile("^8.9 of 11 people$"))
        expect(page.locator("[data-leaders-page]")).to_have_text("2/2")
        sticking_out = page.evaluate(
            """() => [...document.querySelectorAll(".leaders, .places li, .of")].filter((each) => {
              const {left, top, right, bottom} = each.getBoundingClientRect();
              return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight; }).length"""
        )

        assert [] == findings
        assert 0 == sticking_out


def test_a_new_coffee_is_on_the_screen_at_once(browser: Browser, kitchen: Kitchen) -> None:
    """Whose it is is shown, on whichever page that is."""
    with television(browser, kitchen) as page:
        kitchen.take(3)
        fresh = page.locator(".places li.fresh")
        expect(fresh.locator(".who")).to_have_text("Person 3", timeout=3000)
        expect(fresh.locator(".count")).to_have_text("4")


def test_a_coffee_behind_the_last_place_is_told_too(browser: Browser, kitchen: Kitchen) -> None:
    """Beside the board, with its place; on the board nobody is shown as if it were theirs."""
    with television(browser, kitchen) as page:
        kitchen.take(1)  # of eleven, on a board of nine
        line = page.locator("[data-just-now]")
        expect(line).to_contain_text("Person 1")
        expect(line).to_contain_text("2nd coffee today, place 10")
        shots(page, "screen-just-now", widths=("tv", "phone"))
        expect(line).to_be_hidden(timeout=30_000)


def test_namesakes_are_not_taken_for_one_another(browser: Browser, kitchen: Kitchen) -> None:
    """The row of whoever took the coffee is shown, and no other that looks like it."""
    with television(browser, kitchen) as page:
        fresh = page.evaluate(
            """async () => {
              const {Leaders} = await import(document.querySelector("script[src*='screen.js']").src
                .replace("screen.js", "screen-leaders.js"));
              const root = document.querySelector("[data-screen]").cloneNode(true);
              const leaders = new Leaders(root, (name) => root.querySelector(`[data-${name}]`));
              const board = (count, newest) => ({kind: "coffee", newest, boards: [{period: "day", more: 0,
                coffees: 9, rows: [["a", 5], ["b", count], ["c", 2]].map(([key, count], i) =>
                  ({key, place: i + 1, text: "AB", count}))}]});
              leaders.show(board(3, null), 1000);
              const row = {key: "b", place: 2, text: "AB", count: 4};
              leaders.show(board(4, {key: "n", left_s: 20, row}), 2000);
              return [...root.querySelectorAll(".places li")].map((row) => row.classList.contains("fresh"));
            }"""
        )

        assert [False, True, False] == fresh


def test_three_two_one(browser: Browser, kitchen: Kitchen) -> None:
    """For whom, by alias; then that it counted; then the leaderboard is back."""
    ann = str(kitchen.people[5].id)
    with television(browser, kitchen) as page:
        page.wait_for_timeout(1500)  # the desk's conversation with the loop has begun
        until_s = time.monotonic() + 60
        kitchen.showing.tell("corner", [Shown("s", ann, "counting", 3.0, until_s)])
        numbers = []
        for number in ("3", "2", "1"):
            expect(page.locator(".cups .big")).to_have_text(number, timeout=4000)
            numbers.append(number)
        expect(page.locator(".cups .who")).to_have_text("Person 5")
        findings = axe(page)
        kitchen.showing.tell("corner", [Shown("s", ann, "counted", 0.0, time.monotonic() + 2)])
        expect(page.locator(".cups .big")).to_have_text("+1")
        findings += axe(page)
        shots(page, "screen-counted", widths=("tv",))
        kitchen.showing.tell("corner", [])
        expect(page.locator("[data-coffee-now]")).to_have_count(0)
        expect(page.locator(".places li").first).to_be_visible()

        assert [] == findings


def test_the_page_follows(browser: Browser, kitchen: Kitchen) -> None:
    """A coffee is on it without loading anew; it can be put right with the keyboard; axe finds nothing."""
    with open_page(browser, kitchen.running.url, secret=kitchen.running.secret()) as (page, _):
        page.goto("/coffee")
        lately = page.locator(".coffee-lately > li")
        expect(page.locator(".coffee-place")).to_have_count(11)
        page.wait_for_timeout(500)
        kitchen.take(0)
        expect(page.locator(".coffee-place")).to_have_count(12, timeout=10_000)
        findings = axe(page)
        lately.first.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(lately.first.locator("option")).to_have_count(13)
        lately.first.locator("select").select_option(label="P11 Q")
        lately.first.get_by_role("button", name="Put right").press("Enter")
        expect(page.locator(".notice.good")).to_contain_text("Put right")
        expect(lately.first).to_contain_text("P11 Q")
        expect(page.locator(".coffee-place")).to_have_count(11)
        findings += axe(page)
        sticks_out = overflow(page)
        page.set_viewport_size({"width": 390, "height": 844})
        tabs = page.locator(".coffee-board .tabs")
        cut_off = tabs.evaluate("(each) => each.scrollWidth - each.clientWidth")
        page.set_viewport_size({"width": 1280, "height": 800})
        shots(page, "coffee")

        assert [] == findings
        assert (0, 0) == (sticks_out, cut_off)
