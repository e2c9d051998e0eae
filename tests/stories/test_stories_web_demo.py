"""Command one of the README, as somebody types it, and as a program calls it."""

import re
import shutil
import signal
import subprocess
import sys
import time
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

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

START_S = 240.0
PASSWORD = "four quiet words here"  # noqa: S105 - of a box that lives for one test
THINGS = ("Green key", "Yellow lamp", "Coffee cup", "Chelsea the cat", "Rocket", "Mug with dots")
"""What is shown to the third camera, and is in the catalogue."""
COMMAND = [sys.executable, "-m", "appliance", "demo", "--port", "0", "--folder"]


@dataclass(frozen=True)
class Played:
    """A demo that was played without a terminal, and ended by a SIGTERM.

    Attributes:
        folder: What it made.
        code: Its exit code.
        said: What it printed.
        while_it_ran: What was in its state that must not be, as it ran.
        looked_at: The files that were looked through then.
    """

    folder: Path
    code: int
    said: str
    while_it_ran: list[str]
    looked_at: set[str]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo, once somebody came in and a stranger was sealed."""
    folder = tmp_path_factory.mktemp("played") / "demo"
    found, looked_at = ["nobody was sealed"], set[str]()
    with subprocess.Popen(
        [*COMMAND, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "sealed" in line and "at front" in line and not looked_at:
                found, looked_at = search(folder)
                assert process.poll() is None
                process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    return Played(folder, code, "".join(said), found, looked_at)


def search(folder: Path) -> tuple[list[str], set[str]]:
    """Names, templates, keys and pictures in the clear in a demo's state, and the files looked through."""
    state = folder / "state"
    with open_services(load(folder / "appliance.toml"), Layout(state)) as services:
        assert {"Barack Obama", "Eileen Collins"} == {each.name for each in services.store.subjects()}
        rows = services.store.gallery((DLIB, DLIB_MIRROR, SFACE)).rows
        keys = services.vault._keys
    assert len(rows) >= 6
    wanted = {
        **state_search.of_text(
            "Barack Obama", "Barack", "Eileen Collins", "Eileen", "public-domain portrait"
        ),
        **state_search.of_vectors("template", [row.embedding for row in rows]),
        **state_search.of_secret("signing key", signing_seed(state, keys[0])),
    }
    looked_at = {name for name, _ in state_search.files(state)}
    return [*state_search.places(state, wanted), *state_search.pictures(state)], looked_at


@pytest.mark.debian(reason="chromium")
def test_the_demo_on_a_terminal_serves_its_pages_until_ctrl_c(tmp_path: Path, played: Played) -> None:
    """Its link makes an account, and who comes in is explained; it says at Ctrl-C what is left of it.

    Once more in a folder where it was played: nobody is enrolled again. A cup that is seen is recorded, found
    among the moments, and played.
    """
    if not installed():
        pytest.skip("Debian package chromium")
    shutil.copytree(played.folder, tmp_path / "demo", ignore=shutil.ignore_patterns("*.sock"))
    with typed([*COMMAND, str(tmp_path / "demo")]) as terminal:
        link = terminal.read(r"first admin, once, within 24 h: (https://\S+)\n", within_s=START_S)
        with open_browser() as browser, open_page(browser, link.partition("/first-run")[0]) as (page, _):
            page.set_default_timeout(START_S * 1000)
            steps, explained = look_around(page, link)
            counted, began, heading = watch_the_cup(page)
            found = terminal.read(r"found (.*) by camera table \(", within_s=START_S)
            page.goto("/search")
            page.locator(".found-card:not(.none)").first.wait_for()
            card = page.locator(".found-card:not(.none)").first.inner_text()
        came = terminal.read(r"Barack Obama came in at front \(.*", within_s=START_S)
        code = terminal.interrupt()
        said = terminal.text

    assert 0 == code
    assert "enrolling" in played.said
    assert "enrolling" not in said
    assert "All set" in steps
    assert "Barack Obama" in explained
    assert "score" in came
    assert "cup" in counted
    assert began > 0
    assert heading.startswith("Cup")
    assert found in THINGS
    assert any(title in card for title in THINGS)
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


def watch_the_cup(page: Page) -> tuple[str, float, str]:
    """From the moments to their list, and from the newest of a cup that was recorded to its clip.

    Returns:
        What the page counts as seen, the second of the clip where it began to play, and its heading.
    """
    page.goto("/moments?days=1")
    plays = page.locator("ol.moments a[href*='/clips/']")
    counted = ""
    until = time.monotonic() + START_S
    while not plays.count():
        assert time.monotonic() < until, "no cup was recorded"
        page.goto("/moments?days=1")
        seen = page.locator("section:has(> header > #labels-title)")
        counted = seen.inner_text()
        if seen.get_by_role("link", name="cup").count():
            seen.get_by_role("link", name="cup").click()
            page.get_by_role("link", name="All of these moments").click()
            page.wait_for_url("**/moments/list?**")
        else:
            page.wait_for_timeout(1000)
    plays.first.click()
    page.wait_for_url("**/clips/*?at=*")
    page.wait_for_function("() => document.querySelector('video').played.length > 0")
    began = page.locator("video").evaluate("(video) => video.played.start(0)")
    return counted, began, page.locator("h1").inner_text()


def test_the_demo_that_no_terminal_waits_for_plays_once_and_ends_when_told(played: Played) -> None:
    """No code is printed where it may be kept; a SIGTERM ends the appliance, then the demo, in good order.

    Doors and faces are told of; how they are, and with which figures, a replay of the scene says.
    """
    assert 0 == played.code
    assert re.search(r"\d\d:\d\d:\d\d  door front opened \(fill \d\d%\)", played.said)
    assert re.search(r"  sealed a stranger's image at front: \d frames?, ", played.said)
    assert "a minute; Ctrl-C ends it" in played.said
    assert "/first-run" not in played.said
    assert "what is left of it" in played.said


def test_while_it_runs_nothing_of_anybody_is_in_any_byte_of_its_state(played: Played) -> None:
    """Nor in the write-ahead log and the folder of sockets, which are there only then."""
    assert {"appliance.db", "appliance.db-wal"} <= played.looked_at
    assert any(name.startswith("spool/") and name.endswith(".age") for name in played.looked_at)
    assert [] == played.while_it_ran


def test_no_name_no_template_and_no_face_is_in_any_byte_of_its_state(played: Played) -> None:
    """Of who is enrolled, and of the stranger; the whole state directory is looked through, file by file."""
    state = played.folder / "state"
    found, files = search(played.folder)
    with open_services(load(played.folder / "appliance.toml"), Layout(state)) as services:
        events = services.store.verify().last

    assert events > 10
    assert list((state / "spool").glob("*.age"))
    assert {"appliance.db", "spool", "heads", "log.head"} <= {name.partition("/")[0] for name in files}
    assert [] == found


def signing_seed(state: Path, device_key: bytes) -> bytes:
    """The secret half of the key that signs the log."""
    sealed = (state / "signing.key").read_bytes()
    return open_sealed(device_key, sealed, kind=Kind.DEVICE_VALUE, subject="", row="signing.key")
