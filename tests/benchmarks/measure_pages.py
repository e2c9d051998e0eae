"""What a page weighs on the wire, and how soon it can be used, in a real Chromium over TLS on loopback.

    python tests/benchmarks/measure_pages.py [ROUNDS]

Loop, models, search, desk and web run as on a box, on the rendered door with a day in the log and fifteen
things in the catalogue. The browser runs
already. "first": a visitor whose browser has nothing of ours yet, connection and handshake included; "again":
the same visitor's next time. Weight is what came over the connection, compressed as it came, without pictures
and without what keeps streaming. A page can be used when its document is read and its scripts have run
(`domContentLoadedEventEnd`, counted from the start of the navigation). Prints medians and the worst.

How soon an event stands on the office screen: `measure_screen.py`.
"""

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from browser import open_browser, sign_in
from logged import a_day
from playwright.sync_api import Browser, BrowserContext, Page
from ruled import a_failure
from running_web import run_web
from shop_things import stock

from appliance.services import Services
from web import cookies

GOAL_BYTES = 150_000
GOAL_MS = 300
SETTINGS = """
[[cameras]]
id = "entrance"
source = "scene:door"
when = "door"

[[doors]]
id = "front"
camera = "entrance"
region = [0.34, 0.05, 0.66, 0.3]
seed = [0.45, 0.15]
shut_fraction = 0.93

[search]
enabled = true
cameras = ["entrance"]

[web]
port = 0

[log]
level = "error"
"""
PATHS = (
    *("/", "/live", "/log", "/log/{event}", "/captures", "/recipients", "/moments", "/clips"),
    *("/people", "/people/{person}", "/people/enrol", "/people/safety"),
    *("/cameras", "/cameras/entrance", "/doors", "/doors/front"),
    *(
        "/settings",
        "/settings/recognition",
        "/system",
        "/operators",
        "/devices",
        "/api",
        "/account",
        "/set-up",
    ),
    *("/search", "/search/catalogue", "/search/catalogue/how", "/search/item?item=coffee"),
    *("/search/items/new", "/search/import"),
    *("/rules", "/rules/new", "/rules/{rule}", "/rules/{rule}/dry-run", "/groups", "/outbox"),
    "/screen",
)
_TIMES = """() => {
  const it = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return [it.domContentLoadedEventEnd, paint ? paint.startTime : null];
}"""
_UNCOUNTED = frozenset({"Image", "Media", "EventSource"})


@dataclass
class Weighed:
    """What one page took, over all rounds.

    Attributes:
        weights: Bytes of first visits.
        first: Milliseconds of first visits.
        again: Of the visits after them.
    """

    weights: list[int] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


def main(rounds: int) -> None:
    """Measure and print."""
    places: dict[str, str] = {}
    load = os.getloadavg()[0]  # before: this adds to it

    def prepare(services: Services) -> None:
        day = a_day(services, datetime.now(UTC))
        rule, _ = a_failure(services)
        stock(services.store)
        places.update(person=str(day.ann.id), event=day.identified.id, rule=rule)

    folder = tempfile.TemporaryDirectory()
    with (
        folder as state,
        run_web(
            Path(state) / "state",
            settings=SETTINGS,
            processes=("models", "desk", "web", "loop", "search"),
            prepare=prepare,
        ) as running,
        open_browser() as browser,
    ):
        secrets = {cookies.SESSION: running.secret()}
        asked = running.desk.ask("screens.begin_pairing", {"label": "S"}, credential=secrets[cookies.SESSION])
        paired = running.desk.ask("screens.pair", {"code": asked.result["code"]})
        secrets[cookies.SCREEN] = str(paired.result["secret"])
        found = {path: Weighed() for path in PATHS}
        visit(browser, running.url, secrets, "/", Weighed())  # the server's own first time
        for _ in range(rounds):
            for path, weighed in found.items():
                visit(browser, running.url, secrets, path.format(**places), weighed)
        version = browser.version
    tell(found, rounds)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f} before", end=", ")
    print(f"Python {platform.python_version()}, Chromium {version}")


def visit(browser: Browser, url: str, secrets: dict[str, str], path: str, weighed: Weighed) -> None:
    """A new visitor loads a page twice."""
    context = browser.new_context(base_url=url, ignore_https_errors=True)
    try:
        signed_in(context, url, secrets)
        page = context.new_page()
        weighing = Weighing(page)
        weighed.first.append(loaded(page, path))
        weighed.weights.append(weighing.total())
        page.goto("about:blank")
        weighed.again.append(loaded(page, path))
    finally:
        context.close()


def signed_in(context: BrowserContext, url: str, secrets: dict[str, str]) -> None:
    """Carry the cookies of an admin and of a screen."""
    sign_in(context, url, secrets[cookies.SESSION])
    screen: Any = {"name": cookies.SCREEN, "value": secrets[cookies.SCREEN], "url": url, "secure": True}
    context.add_cookies([screen])


def loaded(page: Page, path: str) -> float:
    """Load a page; milliseconds until it could be used.

    Raises:
        RuntimeError: It is not there.
    """
    answer = page.goto(path, wait_until="load")
    if answer is None or not answer.ok:
        raise RuntimeError(f"{path}: {answer.status if answer else 'no answer'}")
    ready, _ = page.evaluate(_TIMES)
    return float(ready)


class Weighing:
    """Counts what comes over a page's connections."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._kinds: dict[str, str] = {}
        self._bytes: dict[str, float] = {}
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def total(self) -> int:
        """Bytes so far, headers included, of what counts."""
        self._page.wait_for_timeout(300)  # what scripts fetch by themselves
        return self._sum(frozenset(self._kinds.values()) - _UNCOUNTED)

    def pictures(self) -> int:
        """Bytes so far, headers included, of pictures that came whole."""
        return self._sum(frozenset({"Image"}))

    def _sum(self, kinds: frozenset[str]) -> int:
        return round(sum(size for each, size in self._bytes.items() if self._kinds.get(each) in kinds))

    def _received(self, told: dict[str, Any]) -> None:
        self._kinds[told["requestId"]] = told["type"]

    def _finished(self, told: dict[str, Any]) -> None:
        self._bytes[told["requestId"]] = told["encodedDataLength"]


def tell(found: dict[str, Weighed], rounds: int) -> None:
    """The table, and whether the goals were reached."""
    print(f"{rounds} visitors of each page; kB before pictures; ms until it can be used: median (worst)")
    print(f"{'page':24}{'kB':>8}{'first':>16}{'again':>16}")
    for path, each in found.items():
        print(f"{path:24}{max(each.weights) / 1000:8.1f}{spread(each.first):>16}{spread(each.again):>16}")
    heaviest = max(max(each.weights) for each in found.values())
    print(
        f"heaviest {heaviest / 1000:.1f} kB; goal <= {GOAL_BYTES / 1000:.0f} kB: {met(heaviest, GOAL_BYTES)}"
    )
    for name in ("first", "again"):
        slowest = max(statistics.median(getattr(each, name)) for each in found.values())
        visits = sorted(ms for each in found.values() for ms in getattr(each, name))
        within = sum(ms <= GOAL_MS for ms in visits) / len(visits)
        print(f"{name}: all visits {spread(visits)} ms, {within:.0%} within {GOAL_MS}", end="; ")
        print(f"slowest page {slowest:.0f} ms in the median", end="; ")
        print(f"goal <= {GOAL_MS} ms: {met(slowest, GOAL_MS)}")


def spread(times: Sequence[float]) -> str:
    """Median and worst."""
    return f"{statistics.median(times):.0f} ({max(times):.0f})"


def met(value: float, goal: float) -> str:
    """Whether it was."""
    return "reached" if value <= goal else "MISSED"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
