"""People in a browser once they are enrolled: found, removed, looked into; pages left or loaded again."""

import people_pages
import pytest
from people_pages import ASTRONAUT, BIDEN, accessible, beside, finish, give, people, to_pictures
from playwright.sync_api import Dialog, Page, expect
from portrait_clip import ENROL
from running_web import Running, wait_for

from appliance.store import Consent
from enroll.consent import TEXT_VERSION

pytestmark = [pytest.mark.debian(reason="chromium"), pytest.mark.slow]

running = pytest.fixture(scope="module")(people_pages.running)
box = pytest.fixture(people_pages.box)
page = pytest.fixture(people_pages.page)


def consent() -> Consent:
    """Somebody's yes."""
    return Consent(("identify",), TEXT_VERSION, "signed form")


def test_a_file_that_is_too_large_is_not_sent(page: Page) -> None:
    """The browser says so itself; the appliance is not asked."""
    to_pictures(page, "Ann")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        """() => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(25_000_001)], "huge.jpg", { type: "image/jpeg" }));
          const input = document.querySelector("[data-files]");
          input.files = files.files;
          input.dispatchEvent(new Event("change"));
        }"""
    )
    words = page.locator(".tile.refused").inner_text()

    assert "larger than 25 MB" in words
    assert [] == [each for each in asked if "/photos" in each]


def test_a_page_that_is_left_leaves_nothing(page: Page, box: Running) -> None:
    """The draft is let go of with the page, not a quarter of an hour later; nobody was enrolled."""
    to_pictures(page, "Ann")
    with page.expect_request("**/photos") as sent:
        give(page, ENROL)
    draft = sent.value.url.removesuffix("/photos")
    before = page.request.get(draft).status
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/people")
    wait_for(lambda: page.request.get(draft).status == 422, "the draft to be let go of")

    assert 200 == before
    assert [] == people(box)


def test_a_page_that_is_loaded_again_goes_on(page: Page, box: Running) -> None:
    """It asks first; what was found is there again, and is enrolled; what became of the pictures is said."""
    to_pictures(page, "Ann")
    give(page, ENROL)
    give(page, beside(ASTRONAUT, BIDEN))
    dialogs: list[str] = []

    def accept(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    expect(page.get_by_role("heading", name="Pictures of Ann")).to_be_focused()
    states = page.locator(".tile").evaluate_all("tiles => tiles.map((each) => each.dataset.state)")
    expect(page.get_by_text("Its pictures are kept nowhere")).to_be_visible()
    expect(page.locator(".tile").nth(1)).to_contain_text("Leave it out, and add it again")
    accessible(page, "enrol-came-back")
    finish(page, "Enrol Ann")

    assert ["beforeunload"] == dialogs
    assert ["accepted", "question"] == states
    assert [("Ann", 1)] == [(each.name, each.references) for each in people(box)]


def test_people_are_found_as_one_types(page: Page, box: Running) -> None:
    """By any part of name or alias, whatever case and marks, without asking for each key; and filtered."""
    with box.context.services() as services:
        for name, alias in (("Éva Székely", None), ("Eve Stone", None), ("Grace Hopper", "Admiral")):
            subject = services.store.add_subject(name, consent=consent(), alias=alias)
        services.store.pause(subject.id)
    page.goto("/people")
    shown = page.locator("[data-card]:visible")
    expect(shown).to_have_count(3)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    found = {}
    for words in ("eva", "ev s", "ADM", "nobody"):
        page.get_by_label("Find somebody").fill(words)
        found[words] = shown.locator("strong").all_inner_texts()
    empty = page.get_by_role("heading", name="Nobody like that").is_visible()
    page.get_by_label("Find somebody").fill("")
    page.get_by_role("button", name="Paused").click()
    expect(shown).to_have_count(1)
    accessible(page, "people")

    assert {
        "eva": ["Éva Székely"],
        "ev s": ["Éva Székely", "Eve Stone"],
        "ADM": ["Grace Hopper"],
        "nobody": [],
    } == found
    assert empty
    assert [] == asked


def test_a_person_is_removed_after_a_question(page: Page, box: Running) -> None:
    """Which says what remains; Escape and Cancel leave everything as it is."""
    with box.context.services() as services:
        services.store.add_subject("Ann", consent=consent())
    page.goto("/people")
    page.get_by_role("link", name="Ann").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="What remains, and for how long")).to_be_visible()
    accessible(page, "person-remove")
    page.keyboard.press("Escape")
    kept = len(people(box))
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove Ann").click()
    expect(page.get_by_text("Their key, their name and all that was measured")).to_be_visible()

    assert (1, []) == (kept, people(box))


def test_safety_and_merge_can_be_read_by_everybody(page: Page, box: Running) -> None:
    """By whoever cannot see well, uses the dark, or has a phone."""
    with box.context.services() as services:
        subjects = [services.store.add_subject(name, consent=consent()) for name in ("Ann", "Ben")]
    page.goto("/people/safety")
    accessible(page, "people-safety")
    page.goto(f"/people/{subjects[0].id}/merge?other={subjects[1].id}")
    accessible(page, "people-merge")
