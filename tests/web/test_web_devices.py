"""Screens and tokens as an admin sees them: made once, shown once, shut out at once."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from browser import axe, overflow, shots
from playwright.sync_api import Page, expect
from web_site import Site

from appliance.clock import ManualClock
from appliance.permissions import Role
from web import cookies
from web.shown_once import LASTS_S, MOST, ShownOnce


def test_a_screen_is_paired_by_the_link(site: Site) -> None:
    """The code stands in the fragment; posted by the screen it becomes a cookie, once."""
    made = site.client("admin").post("/devices/screens", {"label": "Kitchen"}, follow_redirects=True).text
    link = re.search(r'value="(https://[^"]+/screen/pair)#([^"]+)"', made)
    assert link is not None
    tv = site.client()
    response = tv.post("/screen/pair", {"code": link.group(2)})
    again = site.client().post("/screen/pair", {"code": link.group(2)})

    assert (303, "/screen") == (response.status_code, response.headers["Location"])
    assert tv.cookie(cookies.SCREEN)
    assert 200 == tv.get("/screen/state").status_code
    assert 422 == again.status_code
    assert "Kitchen" in site.client("admin").get("/devices").text


def test_a_code_may_be_typed_as_it_is_shown(site: Site) -> None:
    """In small letters and with spaces around it, too."""
    made = site.client("admin").post("/devices/screens", {"label": "Kitchen"}, follow_redirects=True).text
    code = re.search(r"data-code>([^<]+)<", made)
    assert code is not None

    assert 303 == site.client().post("/screen/pair", {"code": f" {code.group(1).lower()} "}).status_code


def test_a_wrong_code_says_so_and_too_many_have_to_wait(site: Site) -> None:
    """On the page itself, without a traceback; after a few the desk slows down."""
    tv = site.client()
    told = [tv.post("/screen/pair", {"code": "WRON-GONE"}).text for _ in range(40)]

    assert "no good" in told[0] or "not" in told[0]
    assert told[0] != told[-1]


def test_an_unpaired_screen_sees_nothing_any_more(site: Site) -> None:
    """Neither its state nor its stream; the page itself, which holds nothing, stays."""
    (screen,) = site.ask("screens.list")
    tv = site.client("screen")
    before = tv.get("/screen/state").status_code
    site.client("admin").post(f"/devices/screens/{screen['id']}/revoke")

    assert 200 == before
    assert [401, 401, 200] == [
        tv.get(path, headers={"Accept": "application/json"}).status_code
        for path in ("/screen/state", "/screen/stream", "/screen")
    ]
    assert "Hall" not in site.client("admin").get("/devices").text


def test_a_token_is_shown_once_and_works(site: Site) -> None:
    """Its secret stands on the page that answers, and on no later one."""
    admin = site.client("admin")
    form = {"purpose": "kiosk", "scopes": ["people", "log"], "lasts": "30"}
    made = admin.post("/devices/tokens", form, follow_redirects=True)
    found = re.search(r'id="token-secret"[^>]*value="([^"]+)"', made.text)
    assert found is not None
    secret = found.group(1)
    page = admin.get("/devices").text

    assert secret not in page
    assert "kiosk" in page
    assert "Read the log, See who is enrolled" in page
    bearer = {"Authorization": f"Bearer {secret}"}
    assert 200 == site.client().get("/api/v1/people", headers=bearer).status_code
    (token,) = site.ask("tokens.list")
    admin.post(f"/devices/tokens/{token['id']}/revoke")
    assert 401 == site.client().get("/api/v1/people", headers=bearer).status_code
    assert "kiosk" not in admin.get("/devices").text


MAKING = (
    ("/devices/screens", {"label": "Kitchen"}, 'id="pair-link"'),
    ("/devices/tokens", {"purpose": "kiosk", "scopes": ["log"], "lasts": "30"}, 'id="token-secret"'),
)


@pytest.mark.parametrize(("path", "form", "shown"), MAKING)
def test_loading_the_page_again_makes_nothing(
    site: Site, path: str, form: dict[str, Any], shown: str
) -> None:
    """The form leads to the page that shows what was made; again, or to another, it says that it is gone."""
    admin = site.client("admin")
    there = admin.post(path, form).headers["Location"]
    stranger = site.client("viewer").get(there).status_code
    head = admin.send("HEAD", there).status_code
    pages = [admin.get(there).text for _ in range(2)]

    assert (403, 200) == (stranger, head)
    assert [True, False] == [shown in page for page in pages]
    assert [False, True] == ["shown once only" in page for page in pages]
    assert 1 >= len(site.ask("tokens.list"))


def test_what_is_shown_once_waits_for_who_made_it_and_not_for_long() -> None:
    """Nobody else takes it, whoever tries; a minute later nobody does; and never more wait than fit."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    kept = ShownOnce(clock)
    first = kept.put("ada", {"a": 1})
    tried = [kept.take("eve", first), kept.take("ada", first), kept.take("ada", first)]
    late = kept.put("ada", {"b": 2})
    clock.advance(LASTS_S)
    names = [kept.put("ada", {"n": n}) for n in range(MOST + 1)]

    assert [None, {"a": 1}, None] == tried
    assert kept.take("ada", late) is None
    assert [None, {"n": 1}] == [kept.take("ada", name) for name in names[:2]]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"purpose": "", "scopes": ["log"], "lasts": ""}, "f-purpose-told"),
        ({"purpose": "x", "lasts": ""}, "A token needs"),
        ({"purpose": "x", "scopes": ["operators"], "lasts": ""}, "A token needs"),
        ({"purpose": "x", "scopes": ["log"], "lasts": "many"}, "Choose"),
        ({"purpose": "x", "scopes": ["log"], "lasts": "0"}, "f-lasts-told"),
    ],
)
def test_a_token_that_cannot_be_is_told_by_field(site: Site, form: dict[str, str], words: str) -> None:
    """The form comes back with what was filled in; nothing was made."""
    response = site.client("admin").post("/devices/tokens", form)

    assert 422 == response.status_code
    assert words in response.text
    assert [] == site.ask("tokens.list")


def test_a_screen_needs_a_name(site: Site) -> None:
    """Or nobody could tell later which to unpair."""
    assert 422 == site.client("admin").post("/devices/screens", {"label": " "}).status_code


def test_screens_and_tokens_are_for_admins(site: Site) -> None:
    """A viewer is told so, and the account page of theirs does not lead there."""
    viewer = site.client(Role.VIEWER)

    assert 403 == viewer.get("/devices").status_code
    assert "/devices" not in viewer.get("/account").text
    assert "/devices" in site.client("admin").get("/account").text


def test_the_screen_s_cookie_is_renewed(site: Site) -> None:
    """It lasts as long as browsers keep one, counted from the last use; nobody is given one by looking."""
    renewed = site.client("screen").get("/screen").headers.get_all("Set-Cookie")

    assert any(each.startswith(cookies.SCREEN) and "Max-Age=34560000" in each for each in renewed)
    given = site.client().get("/screen").headers.get_all("Set-Cookie")
    assert [] == [each for each in given if not each.startswith("__Host-form=")]


def test_the_page_is_shown_while_the_desk_is_away(site: Site) -> None:
    """A television that is switched on meanwhile gets the page, which then waits."""
    site.desk.away = True

    assert 200 == site.client("screen").get("/screen").status_code
    state = site.client("screen").get("/screen/state", headers={"Accept": "application/json"})
    assert 503 == state.status_code


def test_the_page_holds_nothing_of_anybody(site: Site) -> None:
    """It is the same for who is paired and for who is not, but for the time and the form's own token."""
    pages = [
        re.sub(r'data-at="[^"]*"|csrf-token" content="[^"]*"', "", site.client(role).get("/screen").text)
        for role in ("screen", None)
    ]

    assert pages[0] == pages[1]


@pytest.mark.slow
@pytest.mark.debian(reason="chromium")
def test_the_pages_in_a_browser(page: Page) -> None:
    """Made by keyboard; nothing serious in the way; no wider than a phone."""
    page.goto("/devices")
    page.get_by_label("Where it hangs").fill("Kitchen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Pair “Kitchen”")).to_be_visible()
    page.reload()
    expect(page.get_by_text("shown once only")).to_be_visible()
    page.get_by_label("What it is for").fill("kiosk")
    page.get_by_label("Read the log").press("Space")
    page.get_by_role("button", name="Make the token").press("Enter")
    expect(page.get_by_role("textbox", name="The token")).to_have_value(re.compile("^o"))
    found = axe(page)
    wide = overflow(page)
    shots(page, "devices")
    page.goto("/api")
    page.get_by_text("Another name", exact=True).click()
    expect(page.get_by_text("Another name; initials")).to_be_visible()
    found += axe(page)
    shots(page, "api", widths=("phone", "desktop"))
    page.set_viewport_size({"width": 390, "height": 844})

    assert [] == found
    assert 0 >= max(wide, overflow(page))
