"""The office screen in a real Chromium: it greets, stays through restarts and lost lines, and can be read."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser import Console, axe, open_page, overflow, shots
from playwright.sync_api import Browser, Page, Route, expect
from rule_bodies import asked_line
from running_web import Running, run_web
from stores import OPENED, SHUT, identified

from appliance.services import Services
from appliance.store import Consent, Subject

pytestmark = [pytest.mark.debian(reason="chromium"), pytest.mark.slow]

SETTINGS = """
[web]
port = 0
[[cameras]]
id = "entrance"
source = "scene:door"
[[doors]]
id = "main"
camera = "entrance"
[screen]
leaderboard = "greetings"
greeting_s = 4
[encounters]
repeat_after_s = 4
"""
NAMES = (("Ann Archer", "Annie"), ("Ben Bauer", None), ("Cem Celik", "Dora the Explorer"))
STAYS = ("/", "/log", "/live")
"""Pages that show what is, and stay open."""
LINES = (
    "hello {alias}",
    "Fire drill at eleven: leave by the stairs and meet in the yard, please bring nobody's coffee along",
)
"""Lines of rules, the longest allowed among them."""
_A_DAY = timedelta(days=1)
LETTER_SHARE = 0.037
"""Least height of a letter's line as a share of the screen's: 40 of 1080 pixels, read from three metres."""


class Hall:
    """Desk and web as processes, and the log they read.

    Attributes:
        running: The processes.
        services: The database, opened here too.
        people: Who is enrolled.
    """

    def __init__(self, running: Running, services: Services, people: list[Subject]) -> None:
        self.running = running
        self.services = services
        self.people = people
        self._stays = 0

    def greet(self, *who: int) -> None:
        """Some of the people come in."""
        for each in who:
            self._stays += 1
            self.services.store.append(identified(self.people[each].id, encounter=f"stay-{self._stays}"))

    def code(self) -> str:
        """A code that pairs a screen."""
        made = self.running.desk.ask(
            "screens.begin_pairing", {"label": "Hall"}, credential=self.running.secret()
        )
        return str(made.result["code"])

    def revoke_all(self) -> None:
        """Unpair every screen."""
        secret = self.running.secret()
        for each in self.running.desk.ask("screens.list", {}, credential=secret).result:
            self.running.desk.ask("screens.revoke", {"screen": each["id"]}, credential=secret)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """A box whose door is shut, with three people who agreed to everything."""
    people: list[Subject] = []

    def prepare(services: Services) -> None:
        agreed = Consent(("identify", "greet", "leaderboard"), "1", "paper")
        for name, alias in NAMES:
            people.append(services.store.add_subject(name, consent=agreed, alias=alias))
        services.store.append(SHUT)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = SETTINGS.replace("port = 0", f"port = {port}")  # the same one after a restart
    with (
        run_web(
            Path(tmp_path_factory.mktemp("hall")) / "state", settings=settings, prepare=prepare
        ) as running,
        running.context.services() as services,
    ):
        for stay in range(6):
            for who, person in enumerate(people[: 1 + stay % 3]):
                earlier = identified(person.id, encounter=f"before-{stay}-{who}")
                services.store.append(earlier, at=services.clock.wall() - _A_DAY)
        yield Hall(running, services, people)


Tv = Callable[..., AbstractContextManager[tuple[Page, Console]]]


@pytest.fixture
def tv(browser: Browser, hall: Hall) -> Tv:
    """A television that is paired by its link."""

    @contextmanager
    def turn_on(
        *, width: int = 1920, height: int = 1080, wound: bool = False, **more: Any
    ) -> Iterator[tuple[Page, Console]]:
        with open_page(browser, hall.running.url, **more) as (page, console):
            if wound:
                page.clock.install()  # it goes on by itself, and can be wound forward
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"/screen/pair#{hall.code()}")
            expect(page.locator(".door")).to_have_text("The door is shut")
            yield page, console

    return turn_on


def quiet(page: Page) -> None:
    """Wait until nobody is greeted any more, and may be greeted again."""
    expect(page.locator("[data-greeting-now]")).to_have_count(0, timeout=15_000)
    expect(page.locator("[data-names] li")).to_have_count(0)
    time.sleep(0.5)


def test_it_greets_who_comes_in_and_nobody_twice(hall: Hall, tv: Tv) -> None:
    """By alias or initials, several at once, for a few seconds; then the clock is back."""
    with tv() as (page, _):
        quiet(page)
        count = page.locator(".places li").filter(has_text="Annie").locator(".count")
        before = int(count.inner_text())
        hall.greet(0)
        expect(page.locator("[data-names] li")).to_have_text(["Annie"])
        hall.greet(0, 1)
        expect(page.locator("[data-names] li")).to_have_text(["Annie", "BB"])
        expect(page.locator("[data-greeting]")).to_have_text(re.compile("Good|Hello"))
        quiet(page)

        expect(page.locator("[data-clock]")).to_be_visible()
        assert before + 2 == int(count.inner_text())
        assert "/screen" == page.evaluate("location.pathname + location.hash")


def test_the_door_is_told_as_it_moves(hall: Hall, tv: Tv) -> None:
    """In words, within a moment."""
    with tv() as (page, _):
        hall.services.store.append(OPENED)
        expect(page.locator(".door")).to_have_text("The door is open")
        hall.services.store.append(SHUT)
        expect(page.locator(".door")).to_have_text("The door is shut")


def test_it_outlives_the_desk_and_the_web(hall: Hall, tv: Tv) -> None:
    """It says since when it has heard nothing, its clock goes on, and it comes back as the same page."""
    with tv(wound=True) as (page, console):
        console.expect("Failed to load resource|ERR_CONNECTION_REFUSED|503|ERR_")
        quiet(page)
        page.evaluate("window.sameAsBefore = true")
        hall.running.stop("desk", kill=True)
        expect(page.locator("[data-line]")).to_have_text("")
        page.clock.fast_forward(20_000)
        expect(page.locator("[data-line]")).to_have_text(
            re.compile("No word from the door since"), timeout=40_000
        )
        findings = axe(page)
        shots(page, "screen-lost", widths=("tv",))
        hall.running.start("desk")
        expect(page.locator("[data-line]")).to_have_text("", timeout=20_000)
        expect(page.locator(".door")).to_have_text("The door is shut")
        hall.running.stop("web")
        expect(page.locator("[data-clock]")).to_be_visible()
        hall.running.start("web")
        hall.greet(1)
        expect(page.locator("[data-names] li")).to_have_text(["BB"], timeout=20_000)

        assert [] == findings
        assert page.evaluate("window.sameAsBefore")


def test_pages_of_the_present_say_when_they_are_cut_off(hall: Hall, browser: Browser) -> None:
    """Since when, until a word comes again; whoever was signed out meanwhile is led to sign in."""
    running, gone = hall.running, hall.running.secret()
    cut = "No word from the box since"
    with ExitStack() as stack:
        opened = []
        stays = running.secret()
        for path, secret in (("/", stays), ("/log", stays), *((path, gone) for path in STAYS)):
            page, console = stack.enter_context(open_page(browser, running.url, secret=secret))
            console.expect("Failed to load resource|ERR_|MIME type")
            page.goto(path)
            opened.append(page)
        home, log, *left = opened
        expect(home.locator(".home-statement")).to_have_text("The door is shut.")
        running.stop("web", kill=True)
        running.desk.ask("session.close", {}, credential=gone)
        for page in (home, log):
            expect(page.get_by_text(cut)).to_be_visible(timeout=15_000)
            assert [] == axe(page)
        shots(home, "cut-off", widths=("phone", "desktop"))
        running.start("web")
        for page in (home, log):
            expect(page.get_by_text(cut)).to_have_count(0, timeout=15_000)
        for page, path in zip(left, STAYS, strict=True):
            page.wait_for_url(f"**/sign-in?next={quote(path, safe='')}")


def test_a_new_version_is_fetched_by_itself(hall: Hall, browser: Browser) -> None:
    """The page of an older version loads itself anew, once the appliance answers with another."""
    loads: list[str] = []

    def older(route: Route) -> None:
        response = route.fetch()
        text = response.text()
        if not loads:
            text = re.sub(r'data-build="\w+"', 'data-build="older"', text)
        if route.request.is_navigation_request():
            loads.append(route.request.url)
        route.fulfill(response=response, body=text)

    with open_page(browser, hall.running.url) as (page, _):
        page.goto(f"/screen/pair#{hall.code()}")
        expect(page.locator(".door")).to_have_text("The door is shut")
        page.route(re.compile("/screen$"), older)
        page.clock.install()
        page.goto("/screen")
        expect(page.locator(".door")).to_have_text("The door is shut")
        page.clock.fast_forward(6_000)  # it lets an appliance that has just started be for so long
        wait_for_loads(page, loads, 2)
        expect(page.locator(".door")).to_have_text("The door is shut")

        assert "older" != page.evaluate("document.body.dataset.build")


def wait_for_loads(page: Page, loads: list[str], many: int) -> None:
    """Wait until the page was loaded so often."""
    for _ in range(200):
        if len(loads) >= many:
            return
        page.wait_for_timeout(100)
    raise TimeoutError(f"loaded {len(loads)} times")


def test_an_unpaired_screen_says_so(hall: Hall, tv: Tv) -> None:
    """Its stream ends, and it shows the form for a code instead of what it knew."""
    with tv() as (page, console):
        console.expect("Failed to load resource.*401")
        hall.revoke_all()
        hall.greet(0)
        page.wait_for_url(re.compile("/screen/pair"), timeout=40_000)

        expect(page.get_by_text("This screen is not paired any more.")).to_be_visible()
        assert 0 == page.get_by_text("Annie").count()


def test_it_can_be_read_from_three_metres(hall: Hall, tv: Tv) -> None:
    """On each size, idle, greeting, with a rule's lines: none under a 27th of the shorter side or cut off."""
    sizes = [(1280, 800), (1920, 1080), (3840, 2160), (1080, 1920)]

    def wrong(page: Page) -> list[Any]:
        found: list[Any] = []
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            share = _smallest(page) / min(width, height)
            if share < LETTER_SHARE * 0.94 or overflow(page) > 0 or _cut_off(page):
                found.append((width, height, share, overflow(page), _cut_off(page)))
        return found

    with tv(reduced_motion="reduce") as (page, _):
        quiet(page)
        idle = wrong(page)
        hall.greet(0, 1, 2)
        expect(page.locator("[data-names] li")).to_have_count(3)
        greeting = wrong(page)
        for text in LINES:
            hall.services.store.append(asked_line(hall.services.store, text, 30))
        expect(page.locator("[data-said] li")).to_have_text(
            [LINES[0].replace("{alias}", "somebody"), LINES[1]]
        )
        lines = wrong(page)

        assert [] == idle
        assert [] == greeting
        assert [] == lines


def _smallest(page: Page) -> float:
    """Font size of the smallest text that is seen, in pixels."""
    found: float = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll(".screen *")]
          .filter((each) => each.checkVisibility({checkVisibilityCSS: true}) && !each.closest(".unseen")
            && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
          .map((each) => parseFloat(getComputedStyle(each).fontSize)))"""
    )
    return found


def _cut_off(page: Page) -> list[str]:
    """Texts that stick out of the screen."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".clock, .date, .leaders, .names li, .greeting, li")]
          .filter((each) => each.checkVisibility({checkVisibilityCSS: true}))
          .filter((each) => { const box = each.getBoundingClientRect();
            return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight; })
          .map((each) => each.className + each.textContent)"""
    )
    return found


def test_nothing_serious_stands_in_the_way(hall: Hall, tv: Tv) -> None:
    """In light and in dark, idle and greeting."""
    with tv(reduced_motion="reduce") as (page, _):
        quiet(page)
        _force(page, "light")
        found = axe(page)
        _force(page, "dark")
        found += axe(page)
        hall.greet(0, 1)
        expect(page.locator("[data-names] li")).to_have_count(2)
        found += axe(page)
        _force(page, "light")
        found += axe(page)

        assert [] == found


def _force(page: Page, theme: str) -> None:
    """Hold a theme against the page's own choice, as the setting would."""
    page.evaluate(
        """(theme) => {
          const root = document.documentElement;
          window.holding?.disconnect();
          window.holding = new MutationObserver(() => {
            if (root.dataset.theme !== theme) root.dataset.theme = theme;
          });
          window.holding.observe(root, {attributes: true});
          root.dataset.theme = theme;
        }""",
        theme,
    )
    page.wait_for_timeout(100)


def test_all_who_share_the_first_place_are_coloured(hall: Hall, tv: Tv) -> None:
    """Two on place 1 look alike, and unlike the third."""
    with tv() as (page, _):
        quiet(page)
        colours = page.evaluate(
            """async () => {
              const {Scene} = await import(document.querySelector("script[src*='screen.js']").src
                .replace("screen.js", "screen-scene.js"));
              const root = document.querySelector("[data-screen]").cloneNode(true);
              document.body.append(root);
              const rows = [[1, "A"], [1, "B"], [3, "C"]].map(([place, text]) => ({place, text, count: 9}));
              const leaderboard = {days: 30, rows};
              new Scene(root).show({greetings: [], doors: [], theme: "light", leaderboard}, 0);
              const who = [...root.querySelectorAll(".places .who")];
              const found = who.map((each) => getComputedStyle(each).color);
              root.remove();
              return found;
            }"""
        )

        assert colours[0] == colours[1]
        assert colours[0] != colours[2]


def test_it_moves_a_little_and_grows_not_at_all(hall: Hall, tv: Tv) -> None:
    """A day of minutes: the layout wanders by a percent of the height at most, and the page holds no more."""
    with tv() as (page, _):
        quiet(page)
        places = page.evaluate(
            """async () => {
              const {Scene} = await import(document.querySelector("script[src*='screen.js']").src
                .replace("screen.js", "screen-scene.js"));
              const root = document.querySelector("[data-screen]").cloneNode(true);
              document.body.append(root);
              const scene = new Scene(root), seen = new Set();
              const start = Date.UTC(2026, 0, 5);
              let most = 0;
              for (let minute = 0; minute < 1440; minute += 1) {
                scene.show({greetings: [{key: `k${minute}`, text: `P${minute}`, left_s: 2}], doors: [],
                  leaderboard: {days: 30, rows: [{place: 1, text: "A", count: minute}]}, theme: "daylight"},
                  minute * 60000);
                for (const after of [100, 3000, 5000])
                  scene.tick(new Date(start + minute * 60000 + after), minute * 60000 + after, false);
                const style = root.style;
                seen.add(`${style.getPropertyValue("--x")} ${style.getPropertyValue("--y")}`);
                most = Math.max(most, root.querySelectorAll("*").length);
              }
              const reach = [...seen].join(" ").split(" ").map((part) => Math.abs(parseFloat(part)));
              root.remove();
              return {different: seen.size, reach: Math.max(...reach), most};
            }"""
        )

        assert places["different"] > 700
        assert 5 < places["reach"] <= 0.012 * 1080
        assert places["most"] < 60


def test_without_motion_nothing_moves(hall: Hall, tv: Tv) -> None:
    """Who asked their browser for less motion sees the names at once."""
    with tv(reduced_motion="reduce") as (page, _):
        quiet(page)
        hall.greet(2)
        name = page.locator("[data-names] li")
        expect(name).to_have_text(["Dora the Explorer"])

        assert "none" == name.evaluate("(each) => getComputedStyle(each).animationName")


def test_a_television_without_a_link_is_led_to_the_form(browser: Browser, hall: Hall) -> None:
    """Whoever opens /screen unpaired gets the form, and may type the code."""
    with open_page(browser, hall.running.url, width="phone") as (page, console):
        console.expect("Failed to load resource.*401")
        page.clock.install()
        page.goto("/screen")
        page.clock.fast_forward(6_000)
        page.wait_for_url(re.compile("/screen/pair$"), timeout=20_000)
        findings = axe(page)
        shots(page, "screen-pair")
        page.get_by_label("Code").fill(hall.code().lower())
        page.keyboard.press("Enter")
        expect(page.locator(".door")).to_have_text("The door is shut")

        assert [] == findings
