"""From a camera's frame to the card on the page of visual search, with 10,000 things in the catalogue.

    python tests/benchmarks/bench_search_page.py [--json]

A real box: `appliance run` with all its processes and the settings as they come, a network camera over
loopback HTTP (640 x 480 MJPEG, 25 frames a second, of which the loop looks at 10), and Chromium on `/search`
with the live picture. Photographs are held before the camera one after the other; each is in the catalogue.
The other things have a small picture, and features of 1,280 numbers that are mixed from those of rendered
things: as near to each other as features are. The threshold is set, so that nothing is calibrated meanwhile.

`search_page` runs from when the frame that is looked up was captured (the camera's thread has it, whole but
not decoded) until its card is in the page. In it are decoding, what the loop does with a frame, sharing it,
describing it, searching, and the way over desk and web to the page. Painting the card and its picture come
after that and are told beside. What is not in it: holding still (`hold_s`, 0.4 s as it comes), which is a
choice and no delay. `search_page_shown` has that in it, too: it begins when the first frame that shows the
thing is handed to the camera's socket, and ends when the card is painted. `search_page_weight` is
what comes over the connection of somebody who opens the page after all that.

Every clock is this machine's, on the wall. The parts are told by who is there: this process reads the shared
frames and waits for matches as the desk does; the page notes when a message, the card and its picture come.
It takes some two minutes.
"""

import hashlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bench_rows
import cv2
import numpy as np
from bench_rows import Row, limit, main
from measure_pages import GOAL_BYTES, Weighing
from onlookers import admin_of
from running import Box, bare
from streaming import MJPEG_TYPE, StreamServer, mjpeg

from appliance.camera import encode_jpeg
from appliance.errors import ApplianceError, InputError
from appliance.frames import FrameReader
from appliance.models.folder import ModelFolder
from appliance.networks import open_session
from appliance.search import EFFICIENTNET_LITE0, Featurizer, featurizer_id
from appliance.services import open_services
from appliance.store import ItemEntry, NewPicture
from appliance.values import FloatArray, ImageArray
from appliance.wire import Client
from appliance.wire.messages import (
    AskNewest,
    AskSearch,
    FoundTold,
    FramesShared,
    NewestTold,
    SearchTold,
    WatchFrames,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from browser import installed, open_browser, open_page
from playwright.sync_api import Page
from search_items import photographs, picture, rendered

ITEMS = 10_000
LOOK_UPS = 64
BEFORE = 4
"""Look-ups that do not count: the first ones open networks and connections."""
CARDS = 12
FPS = 25
GOAL_MS = 150.0
SHOWN_MS = 1000.0
THRESHOLD = 0.5
SHOWN = ("coffee", "chelsea", "rocket", "astronaut", "coins", "china", "flower", "hubble_deep_field")
"""Photographs of packages; no two look alike from afar."""
_MODEL = "efficientnet-lite0"
_SETTINGS = """
[search]
enabled = true
cameras = ["entrance"]

[video]
enabled = false

[web]
port = 0

[log]
level = "error"
"""
_PATIENCE_S = 60.0
_WATCH = """() => {
  const seen = window.seen = {};
  const of = (key) => (seen[key.split(" ").at(-1)] ??= {});
  const plain = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (name, listener, ...more) {
    const heard = (event) => {
      if (name === "found") of(JSON.parse(event.data).key).heard = Date.now();
      return listener.call(this, event);
    };
    return plain.call(this, name, heard, ...more);
  };
  const come = (node) => {
    const card = of(node.dataset.key);
    card.title = node.querySelector("h3").textContent;
    card.there = Date.now();
    requestAnimationFrame(() => setTimeout(() => {
      card.painted = Date.now();
      node.querySelector("img").decode().finally(() => {
        card.pictured = Date.now();
        window.dispatchEvent(new Event("card"));
      });
    }));
  };
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.dataset?.key) come(node);
  }).observe(document, {childList: true, subtree: true});
  window.cardOf = (title, before) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error(`no card of ${title} came`)), 20_000);
    const look = () => {
      const whole = ([number, each]) => number > before && each.title === title && each.pictured;
      const found = Object.entries(seen).find(whole);
      if (found) done([Number(found[0]), found[1]]);
      else window.addEventListener("card", look, {once: true});
    };
    look();
  });
}"""


@dataclass
class Times:
    """When what happened of one look-up, milliseconds since 1970.

    Attributes:
        shown: The first frame with the thing was handed to the camera's socket.
        captured: The frame that was looked up was taken.
        shared: Others could read it; not a number if this process missed it.
        matched: Its matches were known.
        heard: The page had the message.
        there: The card was in the page.
        painted: It had been painted.
        pictured: Its picture was there, too.
        searching: Milliseconds that the index and the items took.
    """

    shown: float
    captured: float
    shared: float
    matched: float
    heard: float
    there: float
    painted: float
    pictured: float
    searching: float


LEGS = (
    ("captured", "shared", "capture to shared memory"),
    ("shared", "matched", "to the matches"),
    ("matched", "heard", "to the page"),
    ("heard", "there", "to the card in it"),
    ("there", "painted", "to the card painted"),
    ("painted", "pictured", "to its picture"),
)


class Hand:
    """What is before the camera: a desk, and a thing that is held there."""

    def __init__(self) -> None:
        self._pictures = {"": _frame(None)}
        self._now = self._made = self._sent = ""
        self.began_ms: dict[str, float] = {}

    def know(self, name: str, bgr: ImageArray) -> None:
        """A thing that may be held there."""
        self._pictures[name] = _frame(bgr)

    def hold(self, name: str) -> None:
        """Hold it there from now on."""
        self._now = name

    def server(self) -> StreamServer:
        """The camera."""
        return StreamServer(MJPEG_TYPE, lambda: mjpeg(self._stream()), fps=FPS, sent=self._noted)

    def _stream(self) -> Iterator[bytes]:
        while True:
            self._made = self._now
            yield self._pictures[self._made]

    def _noted(self, number: int, at: float) -> None:
        del number, at
        if self._made != self._sent:
            self._sent = self._made
            self.began_ms[self._made] = _now_ms()


@dataclass
class Onlooker:
    """Notes when frames are in shared memory, and when matches are known.

    Attributes:
        shared_ms: By the time of capture, microseconds since 1970.
        found: By number, with the time.
    """

    box: Box
    shared_ms: dict[int, float] = field(default_factory=dict)
    found: dict[int, tuple[FoundTold, float]] = field(default_factory=dict)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look on to the end of the block."""
        stop = threading.Event()
        threads = [threading.Thread(target=each, args=(stop,)) for each in (self._frames, self._matches)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def match(self, number: int) -> tuple[FoundTold, float]:
        """What was found, and when that was known.

        Raises:
            TimeoutError: Nobody told of it.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while number not in self.found:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing was heard of look-up {number}")
            time.sleep(0.01)
        return self.found[number]

    def _frames(self, stop: threading.Event) -> None:
        loop = Client(self.box.layout.socket("loop"))
        with ExitStack() as stack:
            asked_s, reader, sequence = 0.0, None, -1
            while not stop.is_set():
                if time.monotonic() - asked_s > 3:
                    fd = loop.call(WatchFrames(camera="entrance"), FramesShared).fds[0]
                    asked_s = time.monotonic()
                    if reader is None:
                        reader = stack.enter_context(FrameReader(fd))
                    os.close(fd)
                assert reader is not None
                frame = reader.wait_newer(sequence, 0.5)
                if frame is not None:
                    sequence = frame.stamp.sequence
                    self.shared_ms[_us(frame.stamp.wall)] = _now_ms()

    def _matches(self, stop: threading.Event) -> None:
        search, number = Client(self.box.layout.socket("search")), 0
        while not stop.is_set():
            told = search.call(AskNewest(after=number, wait_s=1), NewestTold, timeout_s=10).message
            at = _now_ms()
            number = told.number
            self.found |= {each.number: (each, at) for each in told.found}


def measure() -> Sequence[Row]:
    """One row for the goal, one for what whoever holds something sees."""
    if not installed():
        raise InputError("this needs Debian's Chromium", hint="install the package chromium")
    load = os.getloadavg()[0]
    hand = Hand()
    with bare() as box, hand.server().serving() as address:
        box.configure(address, _SETTINGS, when="approach")
        stocked(box, hand)
        with box.running(configured=True):
            ready(box)
            secret = admin_of(box.layout)
            onlooker = Onlooker(box)
            url = f"https://localhost:{json.loads(box.layout.web_file.read_text())['port']}"
            with (
                open_browser() as browser,
                open_page(browser, url, secret=secret) as (page, _),
                onlooker.looking(),
            ):
                page.add_init_script(f"({_WATCH})()")
                page.goto("/search")
                page.wait_for_function("() => document.querySelector('[data-picture]').naturalWidth > 0")
                taken = list(held(page, hand, onlooker))[BEFORE:]
                page.goto("about:blank")
                with open_page(browser, url, secret=secret) as (anew, _):
                    weight = weighed(anew)
    return [*rows(taken, load), weight]


def weighed(page: Page) -> Row:
    """What somebody's first visit weighs, with as many cards as a page begins with."""
    weighing = Weighing(page)
    page.goto("/search")
    page.locator(".found > li").nth(CARDS - 1).wait_for()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.found img')].every((each) => each.complete)"
    )
    page.wait_for_timeout(500)
    many = page.locator(".found img").count()
    return limit(
        "search_page_weight",
        weighing.total() / 1000,
        "kB",
        goal=GOAL_BYTES / 1000,
        against=f"a first visit, before pictures; {CARDS} cards bring {many} pictures of "
        f"{weighing.pictures() / 1000:.0f} kB together, and the live picture flows on",
    )


def rows(taken: Sequence[Times], load: float) -> Sequence[Row]:
    """How soon it is there."""
    to_card = [each.there - each.captured for each in taken]
    painted = [each.painted - each.captured for each in taken]
    shown = [each.painted - each.shown for each in taken]
    parts = [
        f"{words} {spread([getattr(each, end) - getattr(each, begin) for each in taken])}"
        for begin, end, words in LEGS
    ]
    parts.insert(2, f"(the index and its items {spread([each.searching for each in taken])} of that)")
    about = f"median, p95 and most of {len(taken)} look-ups in ms; load {load:.1f} before it began"
    return [
        limit(
            "search_page",
            quantile(to_card, 0.95),
            "ms",
            goal=GOAL_MS,
            against=f"p95, {ITEMS:,} items: frame to card {spread(to_card)}, to its being "
            f"painted {spread(painted)}; {', '.join(parts)}; {about}",
        ),
        limit(
            "search_page_shown",
            quantile(shown, 0.95),
            "ms",
            goal=SHOWN_MS,
            against=f"p95: shown to the camera to card painted {spread(shown)}, 400 ms held still included",
        ),
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many are not above."""
    ordered = sorted(each for each in values if not math.isnan(each))
    return ordered[min(len(ordered) - 1, int(np.ceil(share * len(ordered))) - 1)]


def spread(values: Sequence[float]) -> str:
    """Median, p95 and the most."""
    return "/".join(f"{quantile(values, each):.0f}" for each in (0.5, 0.95, 1.0))


def held(page: Page, hand: Hand, onlooker: Onlooker) -> Iterator[Times]:
    """Hold things there, one after the other, at times that have nothing to do with the camera's."""
    random = np.random.default_rng(9)
    number, order = 0, [""]
    while len(order) <= BEFORE + LOOK_UPS:
        order += [str(each) for each in random.permutation(SHOWN) if each != order[-1]]
    for name in order[1 : BEFORE + LOOK_UPS + 1]:
        hand.began_ms.pop(name, None)
        hand.hold(name)
        number, card = page.evaluate("([title, before]) => window.cardOf(title, before)", [name, number])
        time.sleep(float(random.uniform(0.1, 0.3)))
        told, matched = onlooker.match(number)
        yield Times(
            shown=hand.began_ms[name],
            captured=_us(told.at) / 1000,
            shared=onlooker.shared_ms.get(_us(told.at), math.nan),
            matched=matched,
            searching=told.took_ms,
            **{each: card[each] for each in ("heard", "there", "painted", "pictured")},
        )


def stocked(box: Box, hand: Hand) -> None:
    """Fill the catalogue."""
    folder = ModelFolder()
    featurizer = Featurizer(open_session(folder.path(_MODEL)), EFFICIENTNET_LITE0)
    name = featurizer_id(_MODEL, folder.manifest.model(_MODEL).sha256)
    things = {each.id: _small(each.bgr, 512) for each in photographs() if each.id in SHOWN}
    for each, bgr in things.items():
        hand.know(each, bgr)
    made = [_small(each.bgr, 96) for each in rendered(200)]
    own = featurizer.featurize_many([*things.values(), *made])
    random = np.random.default_rng(10)
    with open_services(box.settings, box.layout, create=True) as services:
        for (item, bgr), features in zip(things.items(), own, strict=False):
            _put(services.store, item, bgr, {name: features})
        for number in range(ITEMS - len(things)):
            mixed = _mixed(own[len(things) :], random)
            _put(services.store, f"Thing {number}", made[number % len(made)], {name: mixed})
        services.store.set_featurizer(name)
        services.store.set_threshold(name, THRESHOLD)


def _put(store: Any, title: str, bgr: ImageArray, features: dict[str, FloatArray]) -> None:
    height, width = bgr.shape[:2]
    kept = NewPicture(
        sha256=hashlib.sha256(title.encode()).hexdigest(),
        jpeg=encode_jpeg(bgr, 90),
        width_px=width,
        height_px=height,
        features=features,
    )
    entry = ItemEntry(title.replace(" ", "-"), title, "https://shop.example/things", "12.00 €")
    store.put_item(entry, [kept])


def _mixed(features: FloatArray, random: np.random.Generator) -> FloatArray:
    """Features between some, as different from them as they are from each other."""
    some = features[random.integers(len(features), size=4)]
    mixed = random.dirichlet(np.ones(4)) @ some
    mixed += np.abs(random.normal(0, mixed.mean(), mixed.shape))
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def ready(box: Box) -> None:
    """Wait until all is searched in and the camera is watched.

    Raises:
        TimeoutError: It never is.
    """
    client, told = Client(box.layout.socket("search"), timeout_s=_PATIENCE_S), None
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(ApplianceError):
            told = client.call(AskSearch(), SearchTold).message
            watched = [each for each in told.sources if each.state == "watching"]
            idle = not told.work and not told.trouble
            served = box.layout.web_file.exists() and box.layout.socket("desk").exists()
            if told.indexed == ITEMS and watched and idle and served:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing was searched within {_PATIENCE_S:g} s: {told}")


def _frame(thing: ImageArray | None) -> bytes:
    """What the camera sees."""
    ground = cv2.GaussianBlur(cv2.resize(picture("skimage/gravel.png"), (640, 480)), (0, 0), 3)
    if thing is not None:
        small = _small(thing, 340)
        top, left = (480 - small.shape[0]) // 2, (640 - small.shape[1]) // 2
        ground[top : top + small.shape[0], left : left + small.shape[1]] = small
    return encode_jpeg(ground, 90)


def _small(bgr: ImageArray, side: int) -> ImageArray:
    scale = side / max(bgr.shape[:2])
    return np.asarray(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _now_ms() -> float:
    return time.time() * 1000


def _us(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


if __name__ == "__main__":
    bench_rows.PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "numkong", "playwright")
    main(measure, __doc__)
