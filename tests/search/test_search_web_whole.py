"""Visual search as a whole, in Chromium: added by a camera, shown again, found; a thousand imported; curl.

Every process is a real one. The camera is a real one in the network, whose picture a test chooses.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser import axe, open_page, overflow, shots
from camera_servers import MjpegCamera
from playwright.sync_api import Browser, Page, expect
from running_web import Running, run_web, wait_for
from search_items import picture, rendered
from shop_things import jpeg

from appliance.wire import Client
from appliance.wire.messages import FeaturizePicture, PictureFeaturized

pytestmark = pytest.mark.debian(reason="chromium")

README = Path(__file__).parents[2] / "web" / "README.md"
MODEL = "efficientnet-lite0"
_PATIENCE_MS = 90_000


@dataclass
class Box:
    """A box that searches before a camera.

    Attributes:
        running: All its processes.
        show: Changes what the camera sees: a picture, None for the bare desk.
        secret: Of the admin's session.
    """

    running: Running
    show: Callable[[np.ndarray | None], None]
    secret: str

    def ask(self, operation: str, **arguments: Any) -> Any:
        """An operation of the desk, as the admin."""
        return self.running.desk.ask(operation, arguments, credential=self.secret).result


def frame(thing: np.ndarray | None) -> bytes:
    """What the camera sees: a desk, and a thing in its middle."""
    ground = cv2.resize(picture("skimage/gravel.png"), (640, 480))
    seen = cv2.cvtColor(ground, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, axis=2)
    seen = cv2.GaussianBlur(seen, (0, 0), 3)
    if thing is not None:
        scale = 340 / max(thing.shape[:2])
        small = cv2.resize(thing, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = (480 - small.shape[0]) // 2, (640 - small.shape[1]) // 2
        seen[top : top + small.shape[0], left : left + small.shape[1]] = small
    return jpeg(seen)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, session: object) -> Iterator[Box]:
    """It, with nothing in its catalogue."""
    assert session is not None
    shown = [frame(None)]
    camera = MjpegCamera(interval_s=0.08)
    camera.spoil = lambda _number, _data: shown[0]
    with ExitStack() as stack:
        camera.start()
        stack.callback(camera.stop)
        settings = f"""
[web]
port = 0
[search]
enabled = true
cameras = ["desk"]
[[cameras]]
id = "desk"
source = "{camera.url}"
when = "approach"
"""
        names = ("models", "loop", "desk", "search", "web")
        running = stack.enter_context(
            run_web(tmp_path_factory.mktemp("whole") / "state", settings=settings, processes=names)
        )
        secret = running.secret()

        def show(thing: np.ndarray | None) -> None:
            shown[0] = frame(thing)

        found = Box(running, show, secret)
        wait_for(lambda: found.ask("search.state")["there"], "the process that searches")
        wait_for(
            lambda: all(each["state"] == "ok" for each in found.ask("live.cameras")["cameras"]), "the camera"
        )
        yield found


@pytest.fixture
def page(browser: Browser, box: Box) -> Iterator[Page]:
    """A page of the admin; waits are long, for the machine may have much else to do."""
    with open_page(browser, box.running.url, secret=box.secret) as (opened, _):
        opened.set_default_timeout(_PATIENCE_MS)
        yield opened


def test_shown_added_shown_again_found(page: Page, box: Box) -> None:
    """Added by the camera, its card comes when it is held there; of what is not there it is said so."""
    cup, cat = picture("skimage/coffee.png"), picture("skimage/chelsea.png")
    page.goto("/search")
    page.get_by_role("link", name="Add the first item").click()
    box.show(cup)
    page.get_by_label("Title").fill("Coffee cup")
    page.get_by_label("Price").fill("4.50 €")
    page.wait_for_timeout(1500)
    shots(page, "search-shown")
    page.get_by_role("button", name="Take it", exact=True).click()
    expect(page.get_by_role("heading", name="Pictures", exact=True)).to_be_visible(timeout=_PATIENCE_MS)
    shots(page, "search-added", widths=("desktop",))
    box.show(None)
    page.goto("/search")
    wait_for(lambda: box.ask("search.state")["indexed"] == 1, "the item to be searched")
    page.wait_for_timeout(1500)
    cards = page.locator(".found > li")
    before = cards.count()  # it may have been found while it was still held there
    began = time.monotonic()
    box.show(cup)
    expect(cards).to_have_count(before + 1, timeout=_PATIENCE_MS)
    took_s = time.monotonic() - began
    expect(page.locator(".found h3").first).to_have_text("Coffee cup")
    shots(page, "search-found")
    box.show(None)
    page.wait_for_timeout(1500)
    box.show(cat)
    expect(page.locator("[data-says]")).to_contain_text("Nothing like it", timeout=_PATIENCE_MS)
    page.get_by_role("button", name="What is this?").click()
    expect(page.get_by_role("heading", name="Nothing like it")).to_be_visible(timeout=_PATIENCE_MS)
    wrong = axe(page)
    shots(page, "search-nothing")
    print(f"from the first frame of it to its card: {1000 * took_s:.0f} ms")

    assert [] == wrong
    assert 0 == overflow(page)


def test_taken_in_three_seconds(page: Page, box: Box) -> None:
    """There is time to hold it there: what is taken is what is before the camera when the count is over."""
    box.show(None)
    page.goto("/search/items/new")
    later = page.get_by_role("button", name="Take it in 3 seconds")
    later.click()
    expect(page.locator("[data-shot-count]")).to_be_hidden()  # it has no title yet, and that is said first
    page.get_by_label("Title").fill("Model rocket")
    later.click()
    expect(page.locator("[data-shot-count]")).to_have_text(re.compile("[123]"))
    box.show(picture("skimage/rocket.jpg"))
    expect(page.get_by_role("heading", name="Pictures", exact=True)).to_be_visible(timeout=_PATIENCE_MS)
    page.goto("/search")
    page.get_by_role("button", name="What is this?").click()
    expect(page.locator("[data-asked] h3").first).to_have_text("Model rocket", timeout=_PATIENCE_MS)


def test_a_thousand_items_are_imported(page: Page, box: Box, tmp_path: Path) -> None:
    """With progress; rows that cannot be taken are told of by their numbers, the others are there."""
    folder = tmp_path / "shop"
    (folder / "pictures").mkdir(parents=True)
    lines = ["id,title,link,pictures"]
    for number, thing in enumerate(rendered(1000)):
        small = cv2.resize(thing.bgr, (96, 96), interpolation=cv2.INTER_AREA)
        (folder / "pictures" / f"{number}.jpg").write_bytes(jpeg(small))
        lines.append(
            f"{thing.id},{thing.kind.title()} {number},https://shop.example/{number},pictures/{number}.jpg"
        )
    lines[8] = "seven,Seventh,javascript:alert(1),pictures/7.jpg"
    lines[10] = "nine,Ninth,,pictures/none.jpg"
    (folder / "items.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    before = box.ask("catalogue.size")["items"]
    page.goto("/search/import")
    page.get_by_label("Table", exact=True).set_input_files(folder / "items.csv")
    page.get_by_label("Folder of the pictures").set_input_files(folder)
    page.get_by_role("button", name="Import").click()
    bar = page.locator("[data-bar]")
    seen = set()
    until = time.monotonic() + 900
    while not page.locator("[data-over]").is_visible() and time.monotonic() < until:
        seen.add(bar.evaluate("(bar) => bar.value"))
        page.wait_for_timeout(250)
    shots(page, "search-imported", widths=("phone", "desktop"))
    faults = page.locator("[data-fault-rows] tr").all_inner_texts()

    assert len(seen) > 5
    assert 998 == box.ask("catalogue.size")["items"] - before
    assert 2 == len(faults)
    assert {"9", "11"} == {each.split("\t")[0].strip() for each in faults}
    expect(page.locator("[data-words]")).to_contain_text("998 added")


def test_the_documented_curl_lines_work(box: Box, tmp_path: Path) -> None:
    """Each line of the page for whoever writes programs, one after the other, as it stands there."""
    text = README.read_text(encoding="utf-8")
    block = text.partition("## Visual search")[2].partition("```sh\n")[2].partition("```")[0]
    lines = [each for each in block.splitlines() if each.startswith("curl")]
    made = box.ask("tokens.create", label="curl", scopes=["search", "catalogue"])["secret"]
    (tmp_path / "token.header").write_text(f"Authorization: Bearer {made}")
    content = jpeg(picture("skimage/coffee.png"))
    (tmp_path / "picture.jpg").write_bytes(content)
    models = Client(box.running.context.layout.socket("models"))
    made_of = models.call(FeaturizePicture(models=(MODEL,)), PictureFeaturized, blob=content, timeout_s=60)
    (features,) = made_of.message.features.values()
    (tmp_path / "features.json").write_text(json.dumps({"features": features}))
    certificate = box.running.context.layout.certificate.read_bytes()
    (tmp_path / "web.certificate.pem").write_bytes(certificate)
    answers = []
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", f"{line} --silent --show-error --fail-with-body"],
            cwd=tmp_path,
            env={**os.environ, "BOX": box.running.url},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert 0 == done.returncode, (line, done.stdout, done.stderr)
        answers.append(json.loads(done.stdout))
        if line.partition("/items/")[2].startswith("17/pictures"):
            wait_for(lambda: _all_indexed(box), "what was added to be searched")

    assert len(lines) == 9
    assert ["17", "17"] == [each["matches"][0]["item"] for each in answers[2:4]]
    assert answers[2]["known"]
    assert "features" == answers[3]["source"]
    assert "desk" == answers[4]["name"]
    assert "17" in {each["item"] for each in answers[6]["items"]}
    assert isinstance(answers[7]["matches"], list)
    assert json.loads(answers[8]["body"])["items"] == answers[8]["items"]


def _all_indexed(box: Box) -> bool:
    return bool(box.ask("search.state")["indexed"] == box.ask("catalogue.size")["pictures"])
