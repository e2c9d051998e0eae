"""The rules' pages in Chromium: by keyboard, at every width, and what the scripts add to the forms."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import stores
from browser import Scheme, axe, open_page, overflow, shots
from playwright.sync_api import Browser, Page, expect
from rule_bodies import LINE, SONG, body
from ruled import a_failure, kept
from running_web import Running

from appliance.services import Services
from appliance.store import NewEvent, OutboxState
from appliance.values import Grade

pytestmark = pytest.mark.debian(reason="chromium")

_SMALL = """() => [...document.querySelectorAll('button, input, select, .pick, .day, summary, a.button')]
  .filter((each) => each.checkVisibility() && !['checkbox', 'radio', 'hidden'].includes(each.type))
  .filter((each) => !each.classList.contains('unseen') && each.getBoundingClientRect().height < 43.5)
  .map((each) => each.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def services(running_web: Running) -> Iterator[Services]:
    """What is behind the pages; the rules that these tests leave go with them."""
    with running_web.context.services() as opened:
        yield opened
        for rule in opened.store.rules():
            opened.store.remove_rule(rule.id)


@pytest.fixture(scope="module")
def ann(services: Services) -> str:
    """Somebody with many colleagues; called as nobody is whom other tests leave on this box."""
    names = ["Anna Sandringham", *(f"Colleague {number}" for number in range(14))]
    people = [services.store.add_subject(name, consent=stores.AGREED) for name in names]
    return str(people[0].id)


def test_a_rule_is_made_by_keyboard(page: Page, services: Services) -> None:
    """The parts of the sentence open and follow what is chosen; it is saved without a mouse."""
    page.goto("/rules/new")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Strangers at night")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("When", exact=True)).to_be_focused()
    page.keyboard.type("a stranger")
    expect(page.locator("#c-event [data-phrase]")).to_have_text("a stranger is seen for sure")
    expect(page.locator("#c-who")).to_be_hidden()
    page.locator("#c-time summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Only at certain hours").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Monday")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#c-time [data-phrase]")).to_contain_text("Tue")
    page.locator("#c-action-0 summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Show a line")
    expect(page.locator("#c-action-0 [data-phrase]")).to_contain_text("Welcome, {alias}")
    page.get_by_label("Text", exact=True).fill("Who goes there?")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Strangers at night")).to_be_visible()
    made = services.store.rules()[-1].body

    assert '"on":"stranger_seen"' in made
    assert '"days":[1,2,3,4]' in made
    assert "Who goes there?" in made


def test_rows_come_and_go_in_place(page: Page) -> None:
    """The page is not loaded anew: what was typed stays, what was open stays open, the focus goes along."""
    page.goto("/rules/new")
    page.evaluate("window.stays = true")
    page.get_by_label("Name", exact=True).fill("Mine")
    page.get_by_role("button", name="And something else").click()
    expect(page.locator("#c-action-1 summary")).to_be_focused()
    expect(page.locator("#c-event")).to_have_attribute("open", "")
    page.locator("#c-action-1").get_by_role("button", name="Earlier").click()
    expect(page.locator("#c-action-0 [data-phrase]")).to_contain_text("show")
    expect(page.locator("#c-action-0 summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#c-action-0").get_by_role("button", name="Remove").click()
    expect(page.locator("#c-action-1")).to_have_count(0)
    expect(page.locator("#c-action-0 [data-phrase]")).to_contain_text("their own song")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")
    expect(page.locator("[data-without-script]:visible")).to_have_count(0)

    assert page.evaluate("window.stays")


def test_what_is_typed_while_it_is_asked_is_not_lost(page: Page) -> None:
    """The answer to an older question is not put over what was typed since."""
    page.goto("/rules/new")
    page.route("**/rules/new", lambda route: (page.wait_for_timeout(400), route.continue_()))
    page.get_by_label("When", exact=True).select_option("coffee_taken")
    page.wait_for_timeout(250)
    page.get_by_label("Name", exact=True).fill("Typed meanwhile")
    expect(page.locator("#c-event [data-phrase]")).to_have_text("somebody takes a coffee")

    expect(page.get_by_label("Name", exact=True)).to_have_value("Typed meanwhile")


def test_somebody_is_found_among_many(page: Page, ann: str) -> None:
    """Typing a part of a name leaves those who have it, and who is ticked; Enter sends nothing."""
    page.goto("/rules/new")
    page.locator("#c-who summary").click()
    page.get_by_role("checkbox", name="Colleague 13").check()
    page.get_by_label("Find in people").fill("SANDring")
    page.keyboard.press("Enter")
    people = page.locator('fieldset[id="f-when.people"] .pick:visible')
    expect(people).to_have_text(["Anna Sandringham", "Colleague 13"])
    page.get_by_role("checkbox", name="Anna Sandringham").check()
    expect(page.locator("#c-who [data-phrase]")).to_contain_text("Anna Sandringham")

    assert page.url.endswith("/rules/new")
    assert ann == page.get_by_role("checkbox", name="Anna Sandringham").get_attribute("value")


@pytest.mark.usefixtures("ann")
def test_what_is_looked_for_stays_when_the_form_is_renewed(page: Page) -> None:
    """Another row comes from the server with the whole form; whom one found before are still those found."""
    page.goto("/rules/new")
    page.locator("#c-who summary").click()
    page.get_by_label("Find in people").fill("SANDring")
    page.get_by_role("button", name="And something else").click()
    expect(page.locator("#c-action-1 summary")).to_be_focused()

    expect(page.locator('fieldset[id="f-when.people"] .pick:visible')).to_have_text(["Anna Sandringham"])
    expect(page.get_by_label("Find in people")).to_have_value("SANDring")


def test_what_becomes_of_a_trial_shows_by_itself(page: Page, services: Services, ann: str) -> None:
    """Each action's outcome appears as it is known, without loading the page anew."""
    rule = kept(services, {**body("subject_identified", LINE, SONG), "name": "Hello"})
    page.goto(f"/rules/{rule}/try")
    page.get_by_label("On whom").select_option(ann)
    page.get_by_role("button", name="Try it now").click()
    outcomes = page.locator(".outcomes .badge")
    expect(outcomes).to_have_text(["Waiting", "Waiting"])
    page.evaluate("window.stays = true")
    store, soon = services.store, services.clock.wall() + timedelta(seconds=1)
    first, second = (row for row in store.claim(soon) if row.event.type == "rule_tried")
    store.finish(first, OutboxState.DELIVERED.value)
    expect(outcomes.first).to_have_text("Done")
    store.finish(second, OutboxState.UNKNOWN.value, error="interrupted by a restart")
    expect(outcomes).to_have_text(["Done", "Interrupted"])

    assert page.evaluate("window.stays")
    assert [] == axe(page)


@pytest.fixture(scope="module")
def addresses(services: Services, ann: str) -> list[str]:
    """Of pages with something of everything on them."""
    group = services.store.add_group("Night shift")
    said = body(
        "subject_identified",
        *(SONG, LINE),
        people=[ann],
        groups=[group.id],
        hours=[{"days": [0, 1], "start": "22:00", "end": "06:00"}],
    )
    rule = kept(services, {**said, "name": "All of it"})
    came = stores.identified(ann, grade=Grade.CONFIRMED).model_copy(update={"door": "main"})
    services.store.append_all([NewEvent(came)])
    a_failure(services)
    return [
        *("/rules", f"/rules/{rule}", "/outbox", f"/rules/{rule}/dry-run", f"/rules/{rule}/try"),
        *(f"/groups/{group.id}", "/groups", "/rules/new?like=stranger", "/office"),
    ]


@pytest.mark.parametrize(("scheme", "width", "many"), [("light", "phone", 9), ("dark", "desktop", 3)])
def test_the_pages_are_for_everybody(
    running_web: Running, browser: Browser, addresses: list[str], *, scheme: Scheme, width: str, many: int
) -> None:
    """Axe finds nothing serious, nothing is too small to touch, and nothing is scrolled sideways."""
    wrong, secret = [], running_web.secret()
    with open_page(browser, running_web.url, secret=secret, scheme=scheme, width=width) as (page, _):
        for number, path in enumerate(addresses[:many]):
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
            wrong += [f"{path}: {each}" for each in (*axe(page), *page.evaluate(_SMALL))]
            wrong += [f"{path}: too wide"] if overflow(page) else []
            shots(page, f"rules-{number}", widths=(width,))

    assert [] == wrong


def test_the_office_is_reached_on_a_phone(browser: Browser, running_web: Running) -> None:
    """The bar holds one place for all of it, whose page leads to each; a desktop's rail has them all."""
    secret = running_web.secret()
    with open_page(browser, running_web.url, secret=secret, width="phone") as (page, _):
        page.goto("/")
        bar = page.get_by_role("navigation", name="Main")
        expect(bar.get_by_role("link", name="Rules")).to_have_count(0)
        bar.get_by_role("link", name="Office").click()
        page.get_by_role("link", name="Rules").click()
        expect(bar.get_by_role("link", name="Office")).to_have_attribute("aria-current", "page")
    with open_page(browser, running_web.url, secret=secret) as (page, _):
        page.goto("/rules")
        bar = page.get_by_role("navigation", name="Main")
        expect(bar.get_by_role("link", name="Office")).to_have_count(0)
        expect(bar.get_by_role("link", name="Rules")).to_have_attribute("aria-current", "page")
