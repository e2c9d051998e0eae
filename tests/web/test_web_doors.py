"""A door set up in a real browser, on the running appliance: from no camera to a door that is watched."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import axe, open_page, overflow, shots
from playwright.sync_api import Browser, Locator, Page
from running_web import ADMIN, SETTINGS, wait_for
from web_site import CHEAP, PASSWORD

from appliance.app.desk.passwords import Passwords
from appliance.app.shut_pictures import read_picture
from appliance.cli.context import Context
from appliance.door import ShutPicture
from appliance.settings import DoorSettings, Settings
from web.desk import DeskClient

PATIENCE_MS = 120_000


class Appliance:
    """The whole appliance, started by its own command, with an admin.

    Attributes:
        url: Where its pages are.
        secret: Of the admin's session.
    """

    def __init__(self, context: Context) -> None:
        layout = context.layout
        wait_for(lambda: layout.web_file.exists() and layout.socket("desk").exists(), "the pages")
        self.url = f"https://localhost:{json.loads(layout.web_file.read_text())['port']}"
        self._desk = DeskClient(layout.socket("desk"))
        asked = {"name": ADMIN, "password": PASSWORD}
        self.secret = str(self._desk.ask("session.open", asked).result["secret"])
        self._context = context

    @property
    def settings(self) -> Settings:
        """As a process that starts now reads them."""
        return self._context.renewed()

    def picture(self, door: DoorSettings) -> ShutPicture | None:
        """What is kept of a door, shut."""
        return read_picture(self._context.layout, door)

    def ask(self, operation: str) -> object:
        """An operation, as the admin."""
        return self._desk.ask(operation, {}, credential=self.secret).result


@contextmanager
def started(state: Path) -> Iterator[Appliance]:
    """`appliance run` on a new state without any camera."""
    state.mkdir(mode=0o700)
    (state / "appliance.toml").write_text(SETTINGS, encoding="utf-8")
    context = Context(None, state)
    with context.services(create=True) as services:
        code = services.store.first_run_code()
        services.store.add_first_admin(code, ADMIN, Passwords(CHEAP).hash(PASSWORD))
    command = [*context.process_command("dispatch")[:-2], "run"]
    with (state / "run.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield Appliance(context)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    """The running appliance."""
    with started(tmp_path / "state") as running:
        yield running


def share(page: Page) -> int:
    """How much of the watched area is tinted, in percent; -1 before the first picture."""
    words = page.locator("[data-share]").inner_text().split()[0]
    return int(words) if words.isdigit() else -1


def steady(page: Page, met: Callable[[int], bool]) -> None:
    """Wait until the tinted share is as wanted, and has been for a while: nobody stands in the doorway."""
    since, deadline = time.monotonic(), time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() - since < 0.6:
        page.wait_for_timeout(100)
        if not met(share(page)):
            since = time.monotonic()
        assert time.monotonic() < deadline, "the door was never seen like that"


def shown(page: Page, state: str) -> str:
    """Say how the door is now; what the page answers."""
    page.locator(f"[data-show={state}]").click()
    answer = page.locator(f"[data-show={state}] .badge:is(.good, .warn, .bad)")
    answer.wait_for()
    return answer.inner_text()


def words(of: Locator, met: Callable[[str], bool]) -> str:
    """The words of an element, once they are as wanted."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not met(text := of.inner_text()):
        assert time.monotonic() < deadline, f"it still says {text!r}"
        of.page.wait_for_timeout(100)
    return text


@pytest.mark.slow
@pytest.mark.debian(reason="chromium")
def test_a_door_is_set_up_by_clicking_it(appliance: Appliance, browser: Browser) -> None:
    """A camera, its door: the fill is painted, shut and open are shown, and the loop says which it is."""
    with open_page(browser, appliance.url, secret=appliance.secret) as (page, _):
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/doors")
        page.get_by_role("link", name="Add a camera").click()
        page.get_by_label("Address").fill("scene:door")
        page.get_by_role("button", name="Save").click()
        page.locator("[data-plate]").wait_for(state="hidden")
        page.get_by_role("link", name="Set up its door").click()
        page.locator("[data-plate]").wait_for(state="hidden")
        stage = page.locator("[data-stage]").bounding_box()
        assert stage is not None
        page.mouse.click(stage["x"] + stage["width"] * 0.45, stage["y"] + stage["height"] * 0.15)

        steady(page, lambda tinted: tinted > 70)
        said = [shown(page, "shut")]
        steady(page, lambda tinted: tinted < 40)
        said.append(shown(page, "open"))
        verdict = words(page.locator("[data-verdict-words]"), lambda text: text != "")
        shots(page, "door-setup")
        faults, too_wide = axe(page), overflow(page)
        page.get_by_role("button", name="Save this door").click()
        page.wait_for_url("**/doors/front")
        unkept = page.get_by_text("No picture of the shut door is kept").count() > 0
        trial = page.locator("[data-trial-state]")
        seen = [words(trial, lambda text, state=state: text == state) for state in ("Open", "Shut")]
        page.goto("/live")
        live = words(page.locator("[data-door-state]"), lambda text: text in {"Open", "Shut"})
        shots(page, "live")

    (door,) = appliance.settings.doors
    assert "not seen" not in said
    assert verdict.startswith("Shut and open are told apart")
    assert ([], 0) == (faults, too_wide)
    assert ["Open", "Shut"] == seen
    assert live in {"Open", "Shut"}
    assert ("front", "entrance") == (door.id, door.camera)
    assert "door" == appliance.settings.cameras[0].when.value
    # The scene's door may have begun to move while it was shown; then the page says that nothing is kept.
    assert unkept == (appliance.picture(door) is None)
    assert not (unkept and said[0] == "shown")


@pytest.mark.slow
@pytest.mark.debian(reason="chromium")
def test_a_door_is_set_up_by_keys_alone_on_a_phone(appliance: Appliance, browser: Browser) -> None:
    """The point and the corners are moved by arrow keys, the point never leaves the area, and it is saved."""
    with open_page(browser, appliance.url, secret=appliance.secret, width="phone") as (page, console):
        console.expect("status of 422")
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/cameras/new?next=/doors/new")
        page.get_by_label("Address").fill("scene:door")
        page.get_by_label("Address").press("Enter")
        page.wait_for_url("**/doors/new")
        page.locator("[data-plate]").wait_for(state="hidden")
        seed = page.locator("[data-seed]")
        seed.focus()
        before = seed.evaluate("(element) => [element.style.left, element.style.top]")
        for key in ("ArrowLeft", "Shift+ArrowLeft", "ArrowUp"):
            page.keyboard.press(key)
        moved = seed.evaluate("(element) => [element.style.left, element.style.top]")
        page.locator("[data-corner='left top']").focus()
        for _ in range(20):
            page.keyboard.press("Shift+ArrowRight")
        inside = seed.evaluate("(element) => parseFloat(element.style.left)")
        edge = page.locator("[data-corner='left top']").evaluate(
            "(element) => parseFloat(element.style.left)"
        )
        too_wide, faults = overflow(page), axe(page)
        page.get_by_label("Name of the door").fill("Side door")
        page.get_by_role("button", name="Save this door").press("Enter")
        wrong = words(page.locator("[data-name-hint]"), lambda text: "front" not in text)
        page.get_by_label("Name of the door").fill("side")
        page.get_by_role("button", name="Save this door").press("Enter")
        page.get_by_role("button", name="Save anyway").press("Enter")
        page.wait_for_url("**/doors/side")
        told = page.get_by_text("No picture of the shut door is kept").inner_text()

    assert before != moved
    assert inside >= edge > 60
    assert ([], 0) == (faults, too_wide)
    assert "ower-case letters and digits" in wrong
    assert "it was not shown shut" in told
    assert ["side"] == [door.id for door in appliance.settings.doors]
