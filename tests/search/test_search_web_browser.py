"""The pages of visual search in Chromium: cards come by themselves, each once; asking by a picture."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Scheme, axe, open_page, overflow, shots
from playwright.sync_api import Browser, Page, Route, expect
from running_web import SETTINGS, Running, run_web
from search_box import png
from search_items import picture
from searching_at_hand import Searching, searching_at_hand
from shop_things import jpeg, stock

from appliance.wire.messages import MatchTold, SearchWork

pytestmark = pytest.mark.debian(reason="chromium")

_CAMERA = """
[[cameras]]
id = "entrance"
source = "scene:things"
when = "always"
"""
_CUT = "(all) => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.ariaLabel)"
_COPY = """async (text) => {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const picture = new Blob([bytes], {type: "image/png"});
  await navigator.clipboard.write([new ClipboardItem({"image/png": picture})]);
}"""


@dataclass(frozen=True)
class Shop:
    """A box with a catalogue, on which a test says what is found.

    Attributes:
        running: Desk and web as processes.
        searching: What answers in the place of the process that searches.
        things: What is in the catalogue, as matches, by id.
        secret: Of the admin's session.
    """

    running: Running
    searching: Searching
    things: dict[str, MatchTold]
    secret: str


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """It."""
    with ExitStack() as stack:
        running = stack.enter_context(
            run_web(tmp_path_factory.mktemp("shop") / "state", settings=SETTINGS + _CAMERA)
        )
        services = stack.enter_context(running.context.services())
        things = stock(services.store)
        searching = stack.enter_context(searching_at_hand(services.layout, services.store))
        yield Shop(running, searching, things, running.secret())


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    """A page of the admin."""
    with open_page(browser, shop.running.url, secret=shop.secret) as (opened, _):
        yield opened


def test_what_is_found_comes_as_a_card_once(page: Page, shop: Shop) -> None:
    """The newest first, with picture, price and where its link leads; told again it is not shown again."""
    cup, cat, rocket = (shop.things[name] for name in ("coffee", "chelsea", "rocket"))
    page.goto("/search")
    shop.searching.found(cat)
    expect(page.locator(".found h3").first).to_have_text("Chelsea, the office cat")
    shop.searching.found(cup, rocket.model_copy(update={"score": 0.56}))
    first = page.locator(".found > li").first
    expect(first.locator("h3")).to_have_text("Coffee cup")
    expect(first.get_by_text("4.50 €")).to_be_visible()
    expect(first.get_by_text("As good as the same")).to_be_visible()
    link = first.get_by_role("link", name="shop.example")
    wide = first.locator("img").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    page.reload()
    expect(page.locator(".found > li")).to_have_count(2)

    assert "noopener noreferrer" == link.get_attribute("rel")
    assert "https://shop.example/cups/coffee" == link.get_attribute("href")
    assert wide > 100


def test_why_a_camera_gives_nothing_is_said_while_it_lasts(page: Page, shop: Shop) -> None:
    """On a page that is open all the time: it comes, and goes once the camera is back."""
    page.goto("/search")
    said = page.locator("[data-lost]")
    before = said.is_visible()
    shop.searching.lost = {"entrance": "the camera gives nothing"}
    expect(said).to_have_text("The camera gives nothing.")
    expect(said).to_be_visible()
    shop.searching.lost = {}
    expect(said).to_be_hidden()

    assert not before


def test_nothing_like_it_is_an_answer(page: Page, shop: Shop, tmp_path: Path) -> None:
    """To a picture that was chosen; with what is nearest, and what was asked with."""
    file = tmp_path / "grass.jpg"
    file.write_bytes(jpeg(picture("skimage/grass.png")))
    shop.searching.answer = ()
    page.goto("/search")
    page.locator("[data-file]").set_input_files(file)
    expect(page.get_by_role("heading", name="Nothing like it")).to_be_visible()
    expect(page.get_by_alt_text("The picture that you asked with")).to_be_visible()
    shop.searching.answer = (shop.things["coins"],)
    page.locator("[data-file]").set_input_files(file)
    expect(page.get_by_role("heading", name="Box of old coins")).to_be_visible()
    page.get_by_label("Put away what you asked").click()

    assert file.read_bytes() in shop.searching.asked
    expect(page.locator("[data-asked]")).to_be_hidden()


def test_a_picture_is_dropped_or_pasted(browser: Browser, shop: Shop, tmp_path: Path) -> None:
    """A file that is let go anywhere on the page, and what the clipboard holds, are asked with."""
    file, coins = tmp_path / "coins.jpg", picture("skimage/coins.png")
    file.write_bytes(jpeg(coins))
    rights = ["clipboard-read", "clipboard-write"]
    with open_page(browser, shop.running.url, secret=shop.secret, permissions=rights) as (page, _):
        page.goto("/search")
        shop.searching.answer = (shop.things["coins"],)
        drop(page, file)
        expect(page.get_by_role("heading", name="Box of old coins")).to_be_visible()
        dropped = shop.searching.asked[-1]
        shop.searching.answer = (shop.things["rocket"],)
        page.evaluate(_COPY, base64.b64encode(png(coins)).decode())
        page.locator("body").press("Control+V")
        expect(page.get_by_role("heading", name="Model rocket")).to_be_visible()
        pasted = shop.searching.asked[-1]

    assert file.read_bytes() == dropped
    assert isinstance(pasted, bytes)
    assert (cv2.imdecode(np.frombuffer(pasted, np.uint8), cv2.IMREAD_COLOR) == coins).all()


def drop(page: Page, file: Path) -> None:
    """Let go of a file over a page, as the browser has it from the desktop."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


@pytest.mark.parametrize("look", [("light", "phone"), ("dark", "desktop"), ("light", "tv")])
def test_the_pages_are_for_everybody(browser: Browser, shop: Shop, look: tuple[Scheme, str]) -> None:
    """Axe finds nothing serious, nothing is scrolled sideways, no tab is cut off."""
    wrong = []
    scheme, width = look
    shop.searching.work = (SearchWork(kind="refeaturizing", done=3_000, total=10_000),)
    things = shop.things
    shop.searching.found(things["rocket"])
    shop.searching.found(
        things["coffee"],
        things["coins"].model_copy(update={"score": 0.62}),
        things["clock_motion"].model_copy(update={"score": 0.55}),
    )
    with open_page(browser, shop.running.url, secret=shop.secret, scheme=scheme, width=width) as (page, _):
        for name, path in {
            "look": "/search",
            "catalogue": "/search/catalogue",
            "item": "/search/item?item=coffee",
            "new": "/search/items/new",
            "import": "/search/import",
            "how": "/search/catalogue/how",
        }.items():
            page.goto(path)
            if name == "look":
                expect(page.locator(".found > li").first).to_be_visible()
            wrong += [f"{path}: {each}" for each in axe(page)]
            wrong += [f"{path}: {overflow(page)} px too wide"] if overflow(page) else []
            wrong += [f"{path}: {each} is cut off" for each in page.locator(".tabs").evaluate_all(_CUT)]
            if width == "phone":
                shots(page, f"search-{name}")
    shop.searching.work = ()

    assert [] == wrong


def test_one_odd_row_does_not_end_an_import(browser: Browser, shop: Shop, tmp_path: Path) -> None:
    """As many as are sent at once are refused, one is not kept at first, one picture is too large."""
    lines = [f"odd-{each},Odd,pot.jpg" for each in range(3)]
    lines += ["again,Sent again,", "large,Large,large.jpg", "last,Last,"]
    (tmp_path / "items.csv").write_text("\n".join(["id,title,pictures", *lines]))
    with (tmp_path / "large.jpg").open("wb") as large:
        large.truncate(26 << 20)
    asked: list[str] = []

    def answer(route: Route) -> None:
        index = route.request.url.rpartition("/")[2]
        asked.append(index)
        if index in "012":
            error = {"message": "its row names no such picture", "fields": {"path": "?"}}
            route.fulfill(status=422, json={"error": error})
        elif asked.count("3") == 1 and index == "3":
            route.fulfill(json={"row_done": False, "not_reached": 99})
        else:
            route.continue_()

    with open_page(browser, shop.running.url, secret=shop.secret) as (page, console):
        console.expect("status of 422")
        page.route("**/search/import/*/rows/*", answer)
        page.goto("/search/import")
        page.locator("[name=table]").set_input_files(tmp_path / "items.csv")
        page.locator("[name=folder]").set_input_files(tmp_path)
        page.locator("[data-begin]").click()
        expect(page.locator("[data-over]")).to_contain_text("some rows want an eye")
        rows = page.locator("[data-fault-rows] tr")
        expect(rows).to_have_count(4)
        expect(page.locator("[data-fault-rows]")).to_contain_text("more than the 25 MiB")

    assert 2 == asked.count("3")
    with shop.running.context.services() as services:
        assert {"again", "last"} == set(services.store.items_by_id(["again", "last", "large", "odd-1"]))
