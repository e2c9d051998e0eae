"""The keypad in a browser: paired by a link, a PIN typed, the face recognised, the door open."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import axe, open_page, overflow, shots
from locked_box import AGREED, ANNS, BENS, RULE, SETTINGS, Standing, lock_program
from playwright.sync_api import Browser, Page, Route, expect
from running_web import Running, run_web
from web_site import CHEAP

from appliance.app.desk.passwords import Passwords
from appliance.clock import SystemClock
from appliance.events import UnlockDecided
from appliance.rules import parse_rule
from appliance.services import Services
from appliance.wire import Server
from appliance.wire.messages import DecideAgain

pytestmark = pytest.mark.debian(reason="chromium")


class House:
    """A box with a lock, running, and who stands before its camera."""

    def __init__(self, running: Running, standing: Standing, folder: Path) -> None:
        self.running = running
        self.standing = standing
        self.folder = folder

    def link(self) -> str:
        """To pair a keypad with."""
        code = self.standing.services.store.keypad_code("Front door", "front")
        return f"{self.running.url}/keypad/pair#{code}"

    @property
    def opened(self) -> int:
        """How often the lock's program ran."""
        told = self.folder / "told"
        return len(told.read_text(encoding="utf-8").splitlines()) if told.exists() else 0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Dispatch, desk and web as processes; the loop is the test's."""
    folder = tmp_path_factory.mktemp("keypad")
    argv = json.dumps(list(lock_program(folder)))
    settings = SETTINGS.format(policy="face_and_pin", argv=argv) + "\n[web]\nport = 0\n"
    hashes = Passwords(CHEAP)

    def prepare(services: Services) -> None:
        for name, pin in (("Ann Archer", ANNS), ("Ben Bauer", BENS)):
            person = services.store.add_subject(name, consent=AGREED)
            services.store.set_pin(person.id, hashes.hash(pin))
        services.store.add_rule(parse_rule(RULE).body())

    with ExitStack() as stack:
        running = stack.enter_context(
            run_web(
                folder / "state", settings=settings, processes=("dispatch", "desk", "web"), prepare=prepare
            )
        )
        services = stack.enter_context(running.context.services())
        ann, ben = (each.id for each in services.store.subjects())
        standing = Standing(services, ann, ben, SystemClock())
        stack.enter_context(Server(services.layout.socket("loop"), {DecideAgain: standing.asked_to_look}))
        yield House(running, standing, folder)


@pytest.fixture
def keypad(browser: Browser, house: House) -> Iterator[Page]:
    """A tablet that is paired; its console stays silent."""
    with open_page(browser, house.running.url, has_touch=True) as (page, _):
        page.goto(house.link())
        expect(page.get_by_role("heading", name="Front door")).to_be_visible()
        yield page


def typed(page: Page, digits: str) -> None:
    """Press the keys, and OK."""
    for digit in digits:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="OK").click()


def test_a_door_opens_for_a_pin_and_its_face(keypad: Page, house: House) -> None:
    """From the keys to the lock's own program; then the keypad is as it was, and knows nothing any more."""
    before = house.opened
    house.standing.before = [house.standing.ann]
    typed(keypad, ANNS)
    expect(keypad.get_by_text("Open", exact=True)).to_be_visible()
    found = axe(keypad)
    shots(keypad, "keypad-open", widths=("phone", "desktop"))
    kept = keypad.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.body.innerHTML])"
    )

    assert before + 1 == house.opened
    assert ANNS not in kept
    assert [] == found


def test_digits_are_counted_and_not_shown(keypad: Page) -> None:
    """Whoever looks over a shoulder sees how many there are; by the keyboard, too."""
    keypad.keyboard.type("47")
    keypad.get_by_role("button", name="1", exact=True).press("Enter")
    dots = keypad.locator("[data-dots] i")
    expect(dots).to_have_count(3)
    found = axe(keypad)
    shots(keypad, "keypad-typing", widths=("phone", "desktop"))
    keypad.keyboard.press("Backspace")
    expect(dots).to_have_count(0)
    typed(keypad, "12")
    expect(keypad.get_by_text("4 to 10 digits")).to_be_visible()

    assert [] == found
    assert 0 >= overflow(keypad)


def test_everything_fits_on_small_and_odd_screens(keypad: Page) -> None:
    """A cheap tablet, upright or lying, and an old phone: nothing is cut off, keys are large enough."""
    wrong = []
    for size in ((320, 480), (390, 844), (600, 1024), (1024, 600), (800, 480), (1280, 800)):
        keypad.set_viewport_size({"width": size[0], "height": size[1]})
        boxes = [each.bounding_box() for each in keypad.locator("button").all()]
        for box in boxes:
            assert box is not None
            low, right = box["y"] + box["height"], box["x"] + box["width"]
            if low > size[1] + 0.5 or right > size[0] + 0.5 or min(box["width"], box["height"]) < 44:
                wrong.append((size, box))

    assert [] == wrong


def test_while_it_looks_it_says_so_and_another_pin_may_be_typed(keypad: Page, house: House) -> None:
    """Ben's PIN with nobody there; then Ann comes, and types hers without waiting."""
    before = house.opened
    house.standing.before = []
    typed(keypad, BENS)
    expect(keypad.get_by_text("Look at the camera", exact=True)).to_be_visible()
    shots(keypad, "keypad-looking", widths=("phone", "desktop"))
    house.standing.before = [house.standing.ann]
    typed(keypad, ANNS)
    expect(keypad.get_by_text("Open", exact=True)).to_be_visible()

    assert before + 1 == house.opened


def test_each_answer_has_its_words(browser: Browser, house: House) -> None:
    """Not opened, failed, too often: in words, and nothing about whom."""
    told: list[tuple[int, dict[str, str], str]] = [
        (200, {"outcome": "not_opened", "turn": "t"}, "It did not open"),
        (200, {"outcome": "failed", "turn": "t"}, "The lock did not answer"),
        (200, {"outcome": "again", "turn": "t"}, "once more"),
        (429, {}, "Wait 2 seconds"),
    ]
    answers = iter(told)

    def answer(route: Route) -> None:
        status, body, _ = next(answers)
        route.fulfill(status=status, json=body, headers={"Retry-After": "2"})

    with open_page(browser, house.running.url) as (page, console):
        console.expect("status of 429")
        page.goto(house.link())
        page.route("**/keypad/enter", answer)
        for _, _, words in told:
            typed(page, "4711")
            expect(page.get_by_text(words)).to_be_visible()
        shots(page, "keypad-wait", widths=("phone", "desktop"))
        expect(page.get_by_text("Type your PIN")).to_be_visible()


def test_a_keypad_that_is_unpaired_asks_for_a_code(browser: Browser, house: House) -> None:
    """Nobody's browser shows the form for a code, and asks for nothing; a wrong one is said to be none."""
    with open_page(browser, house.running.url) as (page, console):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/keypad")
        expect(page.get_by_role("heading", name="Pair this keypad")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert [] == [each for each in asked if each.endswith("/keypad/now")]
        console.expect("status of 422")
        page.get_by_label("Code").fill("0000-0000")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()

        assert [] == axe(page)


def test_a_keypad_whose_link_is_revoked_asks_once_and_no_more(browser: Browser, house: House) -> None:
    """It learns that it is unpaired; until the page for a code is there, nothing is asked again."""
    with open_page(browser, house.running.url) as (page, console):
        console.expect("status of 401")
        store = house.standing.services.store
        before = {each.id for each in store.keypads()}
        page.goto(house.link())
        expect(page.get_by_role("heading", name="Front door")).to_be_visible()
        (mine,) = {each.id for each in store.keypads()} - before
        store.revoke_keypad(mine)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        leaving: list[Route] = []

        def hold(route: Route) -> None:
            leaving.append(route)  # the way there takes long

        page.route(re.compile("/keypad/pair"), hold)
        page.add_init_script(  # whatever it waits for comes soon
            "const later = window.setTimeout; window.setTimeout = (run, ms) => later(run, Math.min(ms, 20));"
        )
        with page.expect_request(re.compile("/keypad/pair")):
            page.reload(wait_until="commit")
        page.wait_for_timeout(300)
        times = len([each for each in asked if each.endswith("/keypad/now")])
        leaving[0].continue_()
        expect(page.get_by_role("heading", name="Pair this keypad")).to_be_visible()

        assert 1 == times


def test_the_page_of_locks_in_a_browser(browser: Browser, house: House) -> None:
    """By keyboard; nothing serious in the way; no wider than a phone."""
    store = house.standing.services.store
    for reason in ("outside_hours", "pin_wrong", "low_score"):
        said = UnlockDecided(type="unlock_refused", lock="front", subject=house.standing.ann, reason=reason)
        store.append(said)
    store.pair_keypad(store.keypad_code("Front door, left", "front"))
    with open_page(browser, house.running.url, secret=house.running.secret()) as (page, _):
        page.goto("/locks")
        shots(page, "locks")
        page.get_by_text("Choose what opens it").press("Enter")
        page.get_by_role("radio", name="Face alone").check()
        expect(page.get_by_label("I have read this").last).to_be_visible()
        found = axe(page)
        shots(page, "locks-choose", widths=("phone", "desktop"))
        page.get_by_role("button", name=re.compile("Another PIN for Ann")).click()
        page.get_by_label("Four to ten digits").first.fill(ANNS)
        shots(page, "locks-pin", widths=("phone", "desktop"))
        page.get_by_role("button", name="Set it").first.click()
        expect(page.get_by_text("The PIN is set")).to_be_visible()
        page.set_viewport_size({"width": 390, "height": 844})

        assert [] == found + axe(page)
        assert 0 >= overflow(page)
        assert time.time() - store.pins()[-1].changed_at.timestamp() < 600
