"""Makes the README's pictures of pages, when run as a script: python tests/support/page_pictures.py.

They are what Chromium shows of `appliance demo`, so it is the demo's portraits who come in: `home.png` at the
moment somebody is recognised, and `office-screen.png` while it greets. Takes two minutes.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import cv2
from browser import open_browser, open_page
from on_terminal import Terminal, typed
from playwright.sync_api import Page, ViewportSize, expect

FOLDER: Final = Path(__file__).parents[2] / "data" / "pictures"
_SCENE_S: Final = 90.0
"""Twice round the demo's scene, and more."""
_PASSWORD: Final = "three quiet words more"  # noqa: S105 - of an account that lives for two minutes
_SHOWN: Final[dict[str, Any]] = {"locale": "en-GB", "device_scale_factor": 1.25}
_HOME: Final[ViewportSize] = {"width": 1280, "height": 660}
_TV: Final[ViewportSize] = {"width": 1280, "height": 720}


def make(folder: Path) -> list[Path]:
    """Make both, into this folder."""
    command = [sys.executable, "-m", "appliance", "demo", "--port", "0", "--folder"]
    with (
        tempfile.TemporaryDirectory(prefix="appliance-pictures-") as box,
        open_browser() as browser,
        typed([*command, str(Path(box) / "demo")]) as terminal,
    ):
        link = terminal.read(r"first admin, once, within 24 h: (https://\S+)\n", within_s=_SCENE_S)
        url = link.partition("/first-run")[0]
        with open_page(browser, url, **_SHOWN) as (page, _), open_page(browser, url, **_SHOWN) as (tv, _):
            page.set_viewport_size(_HOME)
            tv.set_viewport_size(_TV)
            sign_up(page, link)
            pair(page, tv)
            terminal.read(r"a stranger came in", within_s=_SCENE_S)
            return [home(page, terminal, folder), greeting(tv, folder)]


def sign_up(page: Page, link: str) -> None:
    """Make the first admin's account; the demo did the rest of setting up."""
    page.goto(link)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("A password").fill(_PASSWORD)
    page.get_by_label("The same once more").fill(_PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    page.get_by_role("button", name=re.compile("Done|Later")).click()
    page.wait_for_url(re.compile(r"/$"))


def pair(page: Page, tv: Page) -> None:
    """Let the television in."""
    page.goto("/devices")
    page.get_by_label("Where it hangs").fill("Kitchen")
    page.get_by_role("button", name="Make a link").click()
    tv.goto(page.get_by_label("The link").input_value())
    tv.wait_for_url("**/screen")


def home(page: Page, terminal: Terminal, folder: Path) -> Path:
    """The first page, with somebody before the camera who was just recognised."""
    page.goto("/")
    before = len(re.findall("Eileen Collins came in", terminal.text))
    terminal.read(rf"(?s)(?:Eileen Collins came in.*){{{before}}}Eileen Collins came in", within_s=_SCENE_S)
    page.reload()
    expect(page.locator(".home-live img")).to_be_visible()
    page.wait_for_timeout(500)
    return shown(page, folder / "home.png")


def greeting(tv: Page, folder: Path) -> Path:
    """The office screen: one person is greeted."""
    expect(tv.locator("[data-names]")).to_have_text("Barack", timeout=_SCENE_S * 1000)
    tv.wait_for_timeout(1500)  # for what moves in
    return shown(tv, folder / "office-screen.png")


def shown(page: Page, path: Path) -> Path:
    """A picture of a page, small enough for a repository."""
    page.screenshot(path=path)
    picture = cv2.imread(str(path))
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return path


if __name__ == "__main__":
    for made in make(FOLDER):
        sys.stdout.write(f"{made.relative_to(Path.cwd()) if made.is_relative_to(Path.cwd()) else made}\n")
