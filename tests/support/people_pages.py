"""A box where people are enrolled in a browser, and what is done on its pages."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import axe, open_page, overflow, shots
from models_process import lend
from playwright.sync_api import Browser, Page, expect
from portrait_clip import PORTRAITS
from running_web import Running, run_web

from appliance.services import Layout
from appliance.store import Subject

SETTINGS = """
[web]
port = 0
[[cameras]]
id = "entrance"
source = "scene:door"
when = "always"
"""
ASTRONAUT = PORTRAITS / "enrol" / "astronaut.jpg"
BIDEN = PORTRAITS / "scene" / "biden.png"


def running(tmp_path_factory: pytest.TempPathFactory, models_socket: Path) -> Iterator[Running]:
    """Loop, desk and web as processes, with a models process at hand."""
    state = tmp_path_factory.mktemp("people") / "state"
    state.mkdir(mode=0o700)
    lend(models_socket, Layout(state))
    with run_web(state, settings=SETTINGS, processes=("loop", "desk", "web")) as started:
        yield started


def box(running: Running) -> Iterator[Running]:
    """The same with nobody enrolled."""
    yield running
    with running.context.services() as services:
        for subject in services.store.subjects():
            services.store.remove_subject(subject.id)


def page(browser: Browser, box: Running) -> Iterator[Page]:
    """A page of the admin."""
    with open_page(browser, box.url, secret=box.secret()) as (opened, _):
        yield opened


def people(box: Running) -> list[Subject]:
    """Who is enrolled."""
    with box.context.services() as services:
        return services.store.subjects()


def to_pictures(page: Page, name: str) -> None:
    """Go through the first two steps."""
    page.goto("/people/enrol")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("How did they agree?").fill("Signed form")
    page.get_by_role("button", name="They agree").click()
    expect(page.get_by_role("heading", name=f"Pictures of {name}")).to_be_focused()


def give(page: Page, *files: Path | dict[str, object]) -> None:
    """Hand over files, and wait for what becomes of them."""
    page.locator("[data-files]").set_input_files(list(files))  # type: ignore[arg-type]
    settled(page)


def settled(page: Page) -> None:
    """Wait until everything was looked at."""
    expect(page.locator("[data-state=pending]")).to_have_count(0)


def finish(page: Page, button: str) -> None:
    """Commit."""
    page.get_by_role("button", name=button).click()
    expect(page.locator('[data-step="done"] h2')).to_be_focused()


def beside(*portraits: Path) -> dict[str, object]:
    """Several portraits as one picture, as a file."""
    height = 500
    parts = []
    for portrait in portraits:
        found = cv2.imread(str(portrait))
        parts.append(cv2.resize(found, (round(found.shape[1] * height / found.shape[0]), height)))
    encoded = cv2.imencode(".jpg", np.hstack(parts))[1].tobytes()
    return {"name": "party.jpg", "mimeType": "image/jpeg", "buffer": encoded}


def accessible(page: Page, name: str) -> None:
    """Nothing serious for axe in either theme, nothing to scroll sideways on a phone; pictures if wanted."""
    found = []
    page.emulate_media(
        reduced_motion="reduce"
    )  # colours on their way from one theme to the other are neither
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += axe(page)
    page.emulate_media(color_scheme="light")
    before = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    wider = overflow(page)
    if before is not None:
        page.set_viewport_size(before)
    shots(page, name, widths=("phone", "desktop"))

    assert ([], 0) == (found, wider)
