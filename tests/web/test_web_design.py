"""The pages in Debian's Chromium: by keyboard, at every width, in both themes, with a silent console."""

import re
from collections.abc import Iterator

import pytest
import stores
from browser import Scheme, axe, open_page, overflow, shots
from playwright.sync_api import Browser, Page, expect
from running_web import Running, run_web
from web_site import PASSWORD

from appliance.services import Services
from appliance.store import NewEvent
from appliance.values import Grade

pytestmark = pytest.mark.debian(reason="chromium")

PAGES = ("/", "/account", "/operators", "/set-up", "/nothing-here")
_SMALL = """() => [...document.querySelectorAll('button, input, select, textarea, nav a, a.button')]
  .filter((each) => each.checkVisibility() && !['checkbox', 'radio', 'hidden'].includes(each.type))
  .filter((each) => each.getBoundingClientRect().height < 43.5)
  .map((each) => each.outerHTML.slice(0, 80))"""


def ann_comes_in(services: Services) -> None:
    """Somebody to show."""
    ann = services.store.add_subject("Ann Example", consent=stores.AGREED)
    services.store.append_all(
        [NewEvent(stores.OPENED), NewEvent(stores.identified(ann.id, grade=Grade.CONFIRMED))]
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Desk and web, and a little history."""
    with run_web(tmp_path_factory.mktemp("design") / "state", prepare=ann_comes_in) as started:
        yield started


@pytest.fixture(scope="module")
def secret(running: Running) -> str:
    """Of the admin's session."""
    return running.secret()


def checked(page: Page, path: str) -> list[str]:
    """What is wrong with a page as it stands."""
    wide = overflow(page)
    wrong = [f"{path}: {each}" for each in axe(page)]
    wrong += [f"{path}: {each} is lower than 44 px" for each in page.evaluate(_SMALL)]
    return wrong + ([f"{path}: {wide} px too wide"] if wide else [])


@pytest.mark.parametrize(("scheme", "width"), [("light", "phone"), ("dark", "desktop")])
def test_pages_are_for_everybody(
    browser: Browser, running: Running, secret: str, scheme: Scheme, width: str
) -> None:
    """Axe finds nothing serious, nothing is too small to touch, and nothing is scrolled sideways."""
    wrong = []
    with open_page(browser, running.url, secret=secret, scheme=scheme, width=width) as (page, console):
        console.expect("status of 404")
        for path in PAGES:
            page.goto(path)
            wrong += checked(page, path)
            shots(page, f"core{path.replace('/', '-')}")
    with open_page(browser, running.url, scheme=scheme, width=width) as (page, _):
        for path in ("/sign-in", "/password", "/first-run"):
            page.goto(path)
            wrong += checked(page, path)
            shots(page, f"core{path.replace('/', '-')}")

    assert [] == wrong


def test_signing_in_and_out_by_keyboard(browser: Browser, running: Running) -> None:
    """Without a mouse: the first field has the focus, Tab goes on, Enter sends, the skip link comes first."""
    with open_page(browser, running.url) as (page, _):
        page.goto("/account")
        page.keyboard.type("Ada")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Ada")
        page.reload()
        page.keyboard.press("Tab")
        skip = page.locator(":focus").inner_text()
        page.get_by_role("button", name="Sign out", exact=True).focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/sign-in")

    assert "Skip to the content" == skip


def test_a_wrong_password_is_told(browser: Browser, running: Running) -> None:
    """In an alert, with what was typed as a name still there."""
    with open_page(browser, running.url) as (page, console):
        console.expect("status of 422")
        page.goto("/sign-in")
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Password").fill("not this one at all")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
        expect(page.get_by_label("Name")).to_have_value("Ada")


def test_a_link_admits_somebody(browser: Browser, running: Running, secret: str) -> None:
    """The admin makes a link; whoever opens it chooses a password; the code leaves the address at once."""
    with open_page(browser, running.url, secret=secret) as (page, _):
        page.goto("/operators")
        page.get_by_label("Their name").fill("Otto")
        page.get_by_role("button", name="Make a link").click()
        link = page.get_by_label("The link").input_value()
    with open_page(browser, running.url) as (page, _):
        page.goto(link)
        expect(page.get_by_label("One-time code")).to_be_hidden()
        address = page.url
        page.get_by_label("A password").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        page.get_by_role("button", name="Choose it and sign in").click()
        page.wait_for_url(running.url + "/")
        expect(page.get_by_role("link", name="Otto")).to_be_visible()

    assert f"{running.url}/password" == address
    assert re.search("/password#.{20,}", link)


def test_a_question_comes_before_what_cannot_be_undone(
    browser: Browser, running: Running, secret: str
) -> None:
    """It can be answered with Escape, and then nothing was done."""
    with open_page(browser, running.url, secret=secret) as (page, _):
        running.desk.ask("operators.add", {"name": "Uwe", "role": "viewer"}, credential=secret)
        page.goto("/operators")
        row = page.get_by_role("row").filter(has_text="Uwe")
        row.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("dialog", name="Remove Uwe?")).to_be_visible()
        wrong = axe(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(row).to_be_visible()
        row.get_by_role("button", name="Remove").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_text("They were removed")).to_be_visible()
        expect(page.get_by_text("Uwe")).to_have_count(0)

    assert [] == wrong


def test_light_and_dark_are_chosen_and_kept(browser: Browser, running: Running, secret: str) -> None:
    """The button turns to the other theme; the next page has it before anything is painted."""
    ground = "getComputedStyle(document.body).backgroundColor"
    with open_page(browser, running.url, secret=secret, scheme="light") as (page, _):
        page.goto("/account")
        light = page.evaluate(ground)
        page.get_by_role("button", name="Light or dark").click()
        dark = page.evaluate(ground)
        page.goto("/")
        kept = page.evaluate(ground)

    assert light != dark
    assert dark == kept


@pytest.mark.parametrize("path", ["/log", "/moments", "/outbox", "/coffee"])
def test_no_tab_is_cut_off_on_a_phone(browser: Browser, running: Running, secret: str, path: str) -> None:
    """All are seen, in two rows if need be, also where it is held sideways."""
    with open_page(browser, running.url, secret=secret, width="phone") as (page, _):
        page.goto(path)
        tabs = page.locator(".tabs").first
        expect(tabs).to_be_visible()
        cut_off = []
        for wide in (390, 560, 700):
            page.set_viewport_size({"width": wide, "height": 800})
            cut_off.append(tabs.evaluate("(each) => each.scrollWidth - each.clientWidth"))

        assert [0, 0, 0] == cut_off


def test_the_first_page_follows_what_happens(browser: Browser, running: Running, secret: str) -> None:
    """Somebody comes in, and the page says so by itself."""
    with open_page(browser, running.url, secret=secret) as (page, _):
        page.goto("/")
        expect(page.get_by_text("Ann Example")).to_have_count(1)
        page.wait_for_timeout(500)
        with running.context.services() as services:
            ann = services.store.subjects()[0]
            again = stores.identified(ann.id, grade=Grade.CONFIRMED).model_copy(
                update={"encounter": "second"}
            )
            services.store.append_all([NewEvent(again)])
        expect(page.get_by_text("Ann Example")).to_have_count(2, timeout=10_000)


def test_the_first_link_leads_through(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """From the link in the terminal to the steps: the code is taken from the address and sent once."""
    state = tmp_path_factory.mktemp("first") / "state"
    with run_web(state, admin=False) as new, open_page(browser, new.url) as (page, _):
        page.goto(f"/first-run#{new.code}")
        expect(page.get_by_label("One-time code")).to_be_hidden()
        address = page.url
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("A password").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        page.get_by_role("button", name="Create the account").click()
        page.wait_for_url("**/set-up")
        expect(page.get_by_role("heading", level=1)).to_have_text("Setting up")
        shots(page, "core-set-up-first")

    assert f"{new.url}/first-run" == address
