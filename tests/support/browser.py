"""Debian's Chromium, driven by Playwright: pages whose console stays silent, axe, and pictures to look at.

Set `APPLIANCE_SHOTS` to a folder to have `shots` leave pictures there.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from web import cookies

PATIENCE_MS: Final = 45_000
expect.set_options(timeout=PATIENCE_MS)

CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WIDTHS: Final = {"phone": (390, 844), "desktop": (1280, 800), "tv": (1920, 1080)}
SHOTS: Final = "APPLIANCE_SHOTS"

Scheme = Literal["light", "dark"]


def installed() -> bool:
    """Whether Debian's Chromium is there."""
    return shutil.which(CHROMIUM) is not None


_running: list[Playwright] = []


@contextmanager
def _driver() -> Iterator[Playwright]:
    """Playwright; the one that runs, since it runs once in a process."""
    if _running:
        yield _running[-1]
        return
    with sync_playwright() as playwright:
        _running.append(playwright)
        try:
            yield playwright
        finally:
            _running.remove(playwright)


@contextmanager
def open_browser(*arguments: str) -> Iterator[Browser]:
    """Chromium, without a window.

    Args:
        arguments: More of its own, e.g. a fake webcam's.
    """
    with _driver() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


class Console:
    """What a page's console said that it should not have.

    Attributes:
        said: Errors, in order.
    """

    def __init__(self) -> None:
        self.said: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def expect(self, pattern: str) -> None:
        """Some errors are the test's own doing, e.g. `status of 422`."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """What nobody reckoned with."""
        return [each for each in self.said if not any(known.search(each) for known in self._expected)]

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(f"{message.text} ({message.location.get('url', '')})")


@contextmanager
def open_page(
    browser: Browser,
    url: str,
    *,
    secret: str = "",
    scheme: Scheme = "light",
    width: str = "desktop",
    **more: Any,
) -> Iterator[tuple[Page, Console]]:
    """A page of a new visitor; at the end its console must have been silent.

    Args:
        browser: Chromium.
        url: Where the pages are.
        secret: Of a session; signed in with it.
        scheme: Light or dark.
        width: A key of `WIDTHS`.
        more: For the browser's context, e.g. permissions.

    Raises:
        AssertionError: An error or a warning stood in the console.
    """
    context = browser.new_context(
        base_url=url, ignore_https_errors=True, color_scheme=scheme, viewport=_size(width), **more
    )
    context.set_default_timeout(PATIENCE_MS)
    console = Console()
    try:
        sign_in(context, url, secret)
        page = context.new_page()
        console.watch(page)
        yield page, console
    finally:
        context.close()

    unexpected = console.unexpected()
    assert [] == unexpected, unexpected


def sign_in(context: BrowserContext, url: str, secret: str) -> None:
    """Have a context carry a session's cookie."""
    if secret:
        context.add_cookies(
            [
                {
                    "name": cookies.SESSION,
                    "value": secret,
                    "url": url,
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Strict",
                }
            ]
        )


_AT_REST = """Promise.all(
    document.getAnimations()
        .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime))
        .map((each) => each.finished.catch(() => null))
).then(() => null)"""


def axe(page: Page) -> list[str]:
    """What axe-core finds serious on a page once nothing moves in it: rule and where.

    What fades in has too little contrast for a moment.
    """
    page.evaluate(_AT_REST)
    results = Axe().run(page).response
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for each in results["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def overflow(page: Page) -> float:
    """CSS pixels by which a page is wider than the window; a page is never scrolled sideways."""
    found: float = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found


def shots(page: Page, name: str, *, widths: tuple[str, ...] = ("phone", "desktop", "tv")) -> list[Path]:
    """Pictures of a page at each width in both themes, if a folder for them is named; else nothing."""
    folder = os.environ.get(SHOTS)
    if not folder:
        return []
    Path(folder).mkdir(parents=True, exist_ok=True)
    made = []
    schemes: tuple[Scheme, Scheme] = ("light", "dark")
    before = page.viewport_size
    for width in widths:
        page.set_viewport_size(_size(width))
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(250)
            path = Path(folder) / f"{name}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=width != "tv")
            made.append(path)
    page.emulate_media(color_scheme="light")
    if before is not None:
        page.set_viewport_size(before)
    return made


def _size(width: str) -> Any:
    across, down = WIDTHS[width]
    return {"width": across, "height": down}
