"""The whole story in a browser: from the link that `appliance run` prints to somebody greeted on the screen.

Debian's Chromium drives the real appliance, all its processes, on the rendered office door. Whoever is
enrolled here is the first to come in there; the door swings every dozen seconds, so nothing is waited for
longer than that.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import installed, open_browser, open_page, shots
from captures import ssh_pair
from cryptography.hazmat.primitives.asymmetric import ed25519
from on_terminal import Terminal, typed
from playwright.sync_api import Browser, Page, expect

from appliance.cli.context import Context
from appliance.evidence import load_identities, open_capture
from appliance.store import StoredEvent

PORTRAIT = Path(__file__).parents[2] / "data" / "portraits" / "enrol" / "obama.jpg"
NAME, ALIAS = "Barack Obama", "Barry"
PASSWORD = "three quiet words more"  # noqa: S105 - of an account that lives for one test
SCENE_MS = 45_000
"""Once round the scene, and some."""
LOOKS_AWAY_MS = 5_000
"""So long somebody takes to put a file away, or to look something up; nothing may be lost meanwhile."""
TRIES = 3
"""Times that the door is shown until what was shown is good: people walk through the picture meanwhile."""
APART = "Shut and open are told apart"
SEED = (0.45, 0.15)
"""A point on the scene's shut door, in fractions of the picture."""
SETTINGS = """
[web]
port = 0

# The scene is shorter than half a minute: somebody who comes in each time round is to be greeted each time.
[encounters]
repeat_after_s = 5

[log]
level = "warning"
"""

pytestmark = [pytest.mark.slow, pytest.mark.debian(reason="chromium"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not installed():
        pytest.skip("Debian package chromium")
    with open_browser() as opened:
        yield opened


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with nothing but a free port in it."""
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    (made / "appliance.toml").write_text(SETTINGS, encoding="utf-8")
    return made


@pytest.fixture
def terminal(state: Path) -> Iterator[Terminal]:
    """`appliance run`, typed on a terminal."""
    with typed([sys.executable, "-m", "appliance", "--state", str(state), "run"]) as opened:
        yield opened


def test_from_the_first_link_to_a_greeting_on_the_screen(
    terminal: Terminal, state: Path, browser: Browser, tmp_path: Path
) -> None:
    """Set up by somebody who never types a command: account, camera, door, key, person; then watch it work.

    Whoever comes in stands on the first page and in the log; who was somebody else is set right there; the
    office screen, paired by its link, greets.
    """
    link = terminal.read(r"first admin, once, within 24 h: (https://\S+)")
    with open_page(browser, link.partition("/first-run")[0]) as (page, console):
        # A camera that starts anew with what was just saved gives no picture for a moment; and who says that
        # the door is open just when it falls shut is told so, and says it again.
        console.expect(r"status of (404|422|503)")
        page.set_default_timeout(SCENE_MS)
        make_the_first_account(page, link)
        set_up_the_camera(page)
        verdict = set_up_the_door_by_clicking_it(page)
        pasted = paste_a_key_for_strangers_pictures(page, tmp_path / "id_ed25519")
        made = make_a_key_for_strangers_pictures(page, tmp_path / "key.txt")
        enrol_the_first_person(page)
        finish_setting_up(page)
        came_in = wait_until_somebody_is_recognised(page)
        corrected = say_that_was_somebody_else(page)
        sealed = fetch_a_sealed_picture(page, tmp_path / "stranger.age")
        with open_page(browser, link.partition("/first-run")[0], width="tv") as (screen, _):
            screen.set_default_timeout(SCENE_MS)
            pair_a_screen(page, screen)
            greeted = wait_for_the_greeting(screen)
    again = opens_a_second_time(browser, link)

    assert verdict.startswith(APART)
    assert NAME in came_in
    assert "It was a stranger." == corrected
    assert ALIAS in greeted
    assert "Already set up" in again
    for identity in (pasted, made):
        assert "metadata.json" in open_capture(sealed.read_bytes(), load_identities(identity))
    assert ["decision_corrected"] == [event.type for event in logged(state, "decision_corrected")]
    assert 0 == terminal.interrupt()


# ---------------------------------------------------------------- setting up


def make_the_first_account(page: Page, link: str) -> None:
    """The link carries the code, so that nothing is to be typed but a name and a password."""
    page.goto(link)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("A password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    shots(page, "story-1-account")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Setting up")).to_be_visible()
    shots(page, "story-2-steps")


def set_up_the_camera(page: Page) -> None:
    """Its address; then there is a picture."""
    next_step(page, "Next: the camera")
    page.get_by_label("Address").fill("scene:door")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-plate]")).to_be_hidden(timeout=SCENE_MS)
    shots(page, "story-3-camera")


def set_up_the_door_by_clicking_it(page: Page) -> str:
    """A click, the fill over the picture, shut, open; what the page says of the two."""
    next_step(page, "Next: the door")
    expect(page.locator("[data-plate]")).to_be_hidden(timeout=SCENE_MS)
    stage = page.locator("[data-stage]").bounding_box()
    assert stage is not None
    page.mouse.click(stage["x"] + stage["width"] * SEED[0], stage["y"] + stage["height"] * SEED[1])
    verdict = ""
    for _ in range(TRIES):
        show_the_door(page, "It is shut now", lambda share: share > 70)
        show_the_door(page, "It is open now", lambda share: share < 40)
        said = page.locator("[data-verdict-words]")
        expect(said).not_to_be_empty(timeout=SCENE_MS)
        verdict = said.inner_text()
        if verdict.startswith(APART):
            break
    shots(page, "story-4-door")
    page.get_by_role("button", name="Save this door").click()
    page.wait_for_url("**/set-up")
    return verdict


def show_the_door(page: Page, button: str, met: Callable[[int], bool]) -> None:
    """Say how the door is, at a moment when it has been so for a while and nobody stands in it."""
    since, until = time.monotonic(), time.monotonic() + SCENE_MS / 1000
    while time.monotonic() - since < 0.6:
        page.wait_for_timeout(100)
        words = page.locator("[data-share]").inner_text().split()[0]
        if not (words.isdigit() and met(int(words))):
            since = time.monotonic()
        assert time.monotonic() < until, f"never a moment for {button!r}"
    pressed = page.get_by_role("button", name=button)
    pressed.click()
    expect(pressed.locator(".badge:is(.good, .warn)")).to_be_visible(timeout=SCENE_MS)


def paste_a_key_for_strangers_pictures(page: Page, identity: Path) -> Path:
    """The public half of an SSH key that somebody has already; they look away before they send it."""
    pair = ssh_pair(ed25519.Ed25519PrivateKey.generate())
    identity.write_bytes(pair.private)
    identity.chmod(0o600)
    next_step(page, "Next: who may open")
    page.get_by_role("textbox", name="Public key").fill(pair.public)
    page.wait_for_timeout(LOOKS_AWAY_MS)
    expect(page.get_by_role("textbox", name="Public key")).to_have_value(pair.public)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("SSH key (Ed25519)", exact=True)).to_be_visible()
    return identity


def make_a_key_for_strangers_pictures(page: Page, identity: Path) -> Path:
    """An age key, made in the page; its private half comes as a download, which takes a while to put away."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Make a key").click()
    download.value.save_as(identity)
    made = page.get_by_label("Public half").input_value()
    page.wait_for_timeout(LOOKS_AWAY_MS)
    expect(page.get_by_label("Public half")).to_have_value(made)
    page.get_by_label("I have the file").check()
    shots(page, "story-5-key")
    page.get_by_role("button", name="Seal to this key").click()
    expect(page.get_by_text("age key", exact=True)).to_be_visible()
    return identity


def enrol_the_first_person(page: Page) -> None:
    """Name, alias, their yes, one photo."""
    next_step(page, "Next: the first person")
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_role("textbox", name="Alias").fill(ALIAS)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("How did they agree?").fill("Public-domain portrait")
    page.get_by_role("button", name="They agree").click()
    expect(page.get_by_role("heading", name=f"Pictures of {NAME}")).to_be_focused()
    page.locator("[data-files]").set_input_files(PORTRAIT)
    page.locator(".tile[data-state=accepted]").wait_for()
    shots(page, "story-6-person")
    page.get_by_role("button", name=f"Enrol {NAME}").click()
    expect(page.locator('[data-step="done"] h2')).to_be_focused()
    page.get_by_role("link", name="Continue").click()


def finish_setting_up(page: Page) -> None:
    """All steps are done, and the first page is there."""
    expect(page.get_by_role("heading", name="All set")).to_be_visible()
    shots(page, "story-7-all-set")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("All set. The door is being watched.")).to_be_visible()


def next_step(page: Page, button: str) -> None:
    """What setting up proposes next."""
    page.get_by_role("link", name=button).click()


# ---------------------------------------------------------------- at work


def wait_until_somebody_is_recognised(page: Page) -> str:
    """They show on the first page by themselves, then in the log; the log's first entry of them."""
    expect(page.locator(".home-who", has_text=NAME).first).to_be_visible(timeout=SCENE_MS)
    shots(page, "story-8-home")
    page.get_by_role("link", name="The whole log").click()
    entry = page.locator(".came", has_text=NAME).first
    expect(entry).to_be_visible()
    shots(page, "story-9-log")
    return entry.inner_text()


def say_that_was_somebody_else(page: Page) -> str:
    """Open the account of it, and correct it; what then stands there."""
    page.locator(".came", has_text=NAME).get_by_role("link").first.click()
    page.get_by_text("That was somebody else").click()
    page.get_by_label("A stranger").check()
    page.get_by_role("button", name="Note it").click()
    expect(page.locator(".notice", has_text=f"Set right. The box said {NAME}.")).to_be_visible()
    shots(page, "story-10-corrected")
    return page.locator("h1").inner_text()


def fetch_a_sealed_picture(page: Page, to: Path) -> Path:
    """A stranger's, as soon as there is one that was sealed after both keys were there."""
    page.goto("/captures")
    until = time.monotonic() + SCENE_MS / 1000
    to_both = page.locator("tr").filter(has=page.locator(".print:nth-of-type(2)"))
    fetch = to_both.get_by_role("link", name=re.compile("Download|Fetch"))
    while not fetch.count():
        assert time.monotonic() < until, "no stranger was sealed"
        page.wait_for_timeout(1000)
        page.reload()
    shots(page, "story-11-captures")
    with page.expect_download() as download:
        fetch.first.click()
    download.value.save_as(to)
    return to


def pair_a_screen(page: Page, screen: Page) -> None:
    """An admin makes a link; the television opens it, and that is all that is done there."""
    page.goto("/account")
    page.get_by_role("link", name="Screens and programs").click()
    page.get_by_label("Where it hangs").fill("Kitchen")
    page.get_by_role("button", name="Make a link").click()
    shots(page, "story-12-pairing")
    screen.goto(page.get_by_label("The link").input_value())
    screen.wait_for_url("**/screen")
    expect(screen.locator("[data-clock]")).to_have_text(re.compile(r"\d:\d\d"))


def wait_for_the_greeting(screen: Page) -> str:
    """The next time they come in, by themselves; what stands there."""
    greeting = screen.locator("[data-hello]")
    expect(greeting).to_contain_text(ALIAS, timeout=SCENE_MS)
    shots(screen, "story-13-greeting")
    return greeting.inner_text()


def opens_a_second_time(browser: Browser, link: str) -> str:
    """What the link says once it was used."""
    with open_page(browser, link.partition("/first-run")[0]) as (page, _):
        page.goto(link)
        return page.locator("h1").inner_text()


def logged(state: Path, kind: str) -> list[StoredEvent]:
    """Events of a type in the log."""
    with Context(None, state).services() as services:
        return list(services.store.events(types=[kind]))
