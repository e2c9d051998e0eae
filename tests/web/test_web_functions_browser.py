"""A function's page in Chromium: it outlives the process that hosts functions, and no line widens it."""

import re
from collections.abc import Iterator

import pytest
from browser import axe, open_page, overflow, shots
from hosting_at_hand import DIFF, HostedFunctions, hosting_at_hand
from playwright.sync_api import Browser, Page, expect
from running_web import Running

pytestmark = pytest.mark.debian(reason="chromium")

_LONG = "x" * 2000


@pytest.fixture
def hosted(running_web: Running) -> Iterator[HostedFunctions]:
    """Two functions on that box."""
    with hosting_at_hand(running_web.context.layout) as found:
        yield found


def test_a_functions_page_outlives_the_process(browser: Browser, running_web: Running) -> None:
    """While nobody answers it says so and goes on asking; then it shows what is, and nothing of before."""
    layout, secret = running_web.context.layout, running_web.secret()
    with open_page(browser, running_web.url, secret=secret) as (page, console):
        console.expect("status of 503")
        away = page.get_by_text("The part that hosts functions does not run just now.")
        with hosting_at_hand(layout):
            page.goto("/functions/dogs")
            expect(page.locator("[data-messages] li")).to_have_count(3)
            expect(away).to_be_hidden()
        expect(away).to_be_visible()
        expect(page.locator("[data-phase]")).to_have_text("Not known")
        shots(page, "function-away", widths=("phone", "desktop"))
        with hosting_at_hand(layout) as again:
            again.said = ["hello again"]
            expect(away).to_be_hidden()
            expect(page.locator("[data-messages] code")).to_have_text(["hello again"])
            expect(page.locator("[data-phase]")).to_have_text("Running")
            expect(page.locator("[data-picture]")).to_have_attribute("src", re.compile(r"\?since="))


def test_a_page_opened_too_early_comes_by_itself(browser: Browser, running_web: Running) -> None:
    """It says that the process does not run, not that there is no such page, and is loaded again."""
    with open_page(browser, running_web.url, secret=running_web.secret()) as (page, console):
        console.expect("status of 503")
        page.goto("/functions/dogs")
        expect(page.get_by_text("does not run just now")).to_be_visible()
        shots(page, "function-early", widths=("phone", "desktop"))
        with hosting_at_hand(running_web.context.layout):
            expect(page.get_by_role("heading", name="How it is")).to_be_visible()


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_no_line_is_wider_than_the_page(
    browser: Browser, running_web: Running, hosted: HostedFunctions, width: str
) -> None:
    """Long lines of what was changed and printed are scrolled in boxes of their own; axe is content."""
    hosted.diff = f"{DIFF}+{_LONG}\n"
    hosted.printed = [_LONG]
    hosted.said = [_LONG]
    troubles = {
        "fault": _LONG,
        "trouble": _LONG,
        "missing": {_LONG: _LONG},
        "died": (_LONG,),
        "loaded": (_LONG,),
    }
    hosted.functions["dogs"] = hosted.functions["dogs"].model_copy(update=troubles)
    with open_page(browser, running_web.url, secret=running_web.secret(), width=width) as (page, _):
        page.goto("/functions/dogs")
        page.get_by_text("What was changed to run it").click()
        page.get_by_text("What it printed").click()
        expect(page.locator(".diff")).to_have_count(2)
        wide, wrong, scrolled = overflow(page), axe(page), _scrolled(page)
        shots(page, f"function-long-{width}", widths=("phone", "desktop"))

    assert 0 == wide
    assert [True, True] == scrolled
    assert [] == wrong


def _scrolled(page: Page) -> list[bool]:
    """Of each box of lines, whether they are seen and can be moved sideways within it."""
    found: list[bool] = page.locator(".diff").evaluate_all(
        "(boxes) => boxes.map((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth)"
    )
    return found
