"""Command one of the README, as somebody types it, and as a program calls it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from browser import installed, open_browser, open_page
from on_terminal import typed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

START_S = 120.0
COMMAND = [sys.executable, "-m", "appliance", "demo", "--port", "0", "--folder"]


@pytest.mark.debian(reason="chromium")
def test_the_demo_on_a_terminal_serves_its_pages_until_ctrl_c(tmp_path: Path) -> None:
    """It prints a link that opens, goes on, and says at Ctrl-C what is left of it."""
    if not installed():
        pytest.skip("Debian package chromium")
    with typed([*COMMAND, str(tmp_path / "demo")]) as terminal:
        link = terminal.read(r"first admin, once, within 24 h: (https://\S+)\n", within_s=START_S)
        with open_browser() as browser, open_page(browser, link.partition("/first-run")[0]) as (page, _):
            page.goto(link)
            page.get_by_label("Your name").wait_for()
        came = terminal.read(r"Barack Obama came in at front \(.*", within_s=START_S)
        code = terminal.interrupt()
        said = terminal.text

    assert 0 == code
    assert "score" in came
    assert "what is left of it" in said.partition(came)[2]
    assert re.search(r"the log holds: events 1 to \d+", said)


def test_the_demo_that_no_terminal_waits_for_plays_once_and_ends_when_told(tmp_path: Path) -> None:
    """No code is printed where it may be kept; a SIGTERM ends the appliance, then the demo, in good order."""
    with subprocess.Popen(
        [*COMMAND, str(tmp_path / "demo")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "door front shut" in line:
                process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    text = "".join(said)

    assert 0 == code
    assert "half a minute; Ctrl-C ends it" in text
    assert "/first-run" not in text
    assert "what is left of it" in text
