"""Command one of the README, as somebody types it, and as a program calls it."""

import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import state_search
from browser import installed, open_browser, open_page
from on_terminal import typed
from playwright.sync_api import Page

from appliance.services import Layout, open_services
from appliance.settings import load
from appliance.values import DLIB, DLIB_MIRROR, SFACE
from appliance.vault.sealing import Kind, open_sealed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

START_S = 120.0
PASSWORD = "four quiet words here"  # noqa: S105 - of a box that lives for one test
COMMAND = [sys.executable, "-m", "appliance", "demo", "--port", "0", "--folder"]


@pytest.mark.debian(reason="chromium")
def test_the_demo_on_a_terminal_serves_its_pages_until_ctrl_c(tmp_path: Path) -> None:
    """Its link makes an account, and who comes in is explained; it says at Ctrl-C what is left of it."""
    if not installed():
        pytest.skip("Debian package chromium")
    with typed([*COMMAND, str(tmp_path / "demo")]) as terminal:
        link = terminal.read(r"first admin, once, within 24 h: (https://\S+)\n", within_s=START_S)
        with open_browser() as browser, open_page(browser, link.partition("/first-run")[0]) as (page, _):
            page.set_default_timeout(START_S * 1000)
            steps, explained = look_around(page, link)
        came = terminal.read(r"Barack Obama came in at front \(.*", within_s=START_S)
        code = terminal.interrupt()
        said = terminal.text

    assert 0 == code
    assert "All set" in steps
    assert "Barack Obama" in explained
    assert "score" in came
    assert "what is left of it" in said.partition(came)[2]
    assert re.search(r"the log holds: events 1 to \d+", said)


def look_around(page: Page, link: str) -> tuple[str, str]:
    """Make the account, see that everything is set up, and have the first coming-in explained.

    Returns:
        What the page of the steps says, and the headline of the account.
    """
    page.goto(link)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("A password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    page.goto("/set-up")
    steps = page.locator("main").inner_text()
    page.goto("/")
    page.locator("a.home-came", has_text="Barack Obama").first.click()
    return steps, page.locator("h1").inner_text()


@dataclass(frozen=True)
class Played:
    """A demo that was played without a terminal, and ended by a SIGTERM.

    Attributes:
        folder: What it made.
        code: Its exit code.
        said: What it printed.
    """

    folder: Path
    code: int
    said: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo, once somebody came in and a stranger was sealed."""
    folder = tmp_path_factory.mktemp("played") / "demo"
    with subprocess.Popen(
        [*COMMAND, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "sealed" in line and "recipient" in line:
                process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    return Played(folder, code, "".join(said))


def test_the_demo_that_no_terminal_waits_for_plays_once_and_ends_when_told(played: Played) -> None:
    """No code is printed where it may be kept; a SIGTERM ends the appliance, then the demo, in good order."""
    assert 0 == played.code
    assert "half a minute; Ctrl-C ends it" in played.said
    assert "/first-run" not in played.said
    assert "what is left of it" in played.said


def test_no_name_no_template_and_no_face_is_in_any_byte_of_its_state(played: Played) -> None:
    """Of who is enrolled, and of the stranger; the whole state directory is looked through, file by file."""
    state = played.folder / "state"
    with open_services(load(played.folder / "appliance.toml"), Layout(state)) as services:
        people = services.store.subjects()
        rows = services.store.gallery((DLIB, DLIB_MIRROR, SFACE)).rows
        keys = services.vault._keys
        events = services.store.verify().last
    wanted = {
        **state_search.of_text(
            "Barack Obama", "Barack", "Eileen Collins", "Eileen", "public-domain portrait"
        ),
        **state_search.of_vectors("template", [row.embedding for row in rows]),
        **state_search.of_secret("signing key", signing_seed(state, keys[0])),
    }
    looked_at = {name.partition("/")[0] for name, _ in state_search.files(state)}

    assert {"Barack Obama", "Eileen Collins"} == {each.name for each in people}
    assert len(rows) >= 6
    assert events > 10
    assert list((state / "spool").glob("*.age"))
    assert {"appliance.db", "spool", "heads", "log.head"} <= looked_at
    assert [] == state_search.places(state, wanted)
    assert [] == state_search.pictures(state)


def signing_seed(state: Path, device_key: bytes) -> bytes:
    """The secret half of the key that signs the log."""
    sealed = (state / "signing.key").read_bytes()
    return open_sealed(device_key, sealed, kind=Kind.DEVICE_VALUE, subject="", row="signing.key")
