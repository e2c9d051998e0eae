"""Where the pages are, and how the first admin is told: on a terminal only, once they are served."""

import json
import os
import socket
import subprocess
import sys
import threading

import pytest
from structlog.testing import capture_logs

from appliance.app.reach import FIRST_RUN, announce, answers, reach
from appliance.errors import NotSignedInError
from appliance.permissions import Role
from appliance.services import Layout, Services
from appliance.settings import WebSettings
from appliance.wire import Server


def tell(layout: Layout, **told: object) -> None:
    """What the web process would tell of itself."""
    layout.web_file.parent.mkdir(parents=True, exist_ok=True)
    layout.web_file.write_text(
        json.dumps({"host": "127.0.0.1", "port": 4711, "fingerprint": "AB:CD", "pid": os.getpid(), **told}),
        encoding="utf-8",
    )


def web(**given: object) -> WebSettings:
    """Settings of the web."""
    return WebSettings.model_validate(given)


EVERYWHERE = "0.0.0.0"  # noqa: S104 - looked at, not bound to


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (web(), "https://127.0.0.1:8443"),
        (web(port=443), "https://127.0.0.1"),
        (web(host="::1"), "https://[::1]:8443"),
        (web(host=EVERYWHERE), f"https://{socket.gethostname()}:8443"),
        (web(host=EVERYWHERE, names=["door.example.org", "door"]), "https://door.example.org:8443"),
        (
            web(tls="proxy", trusted_proxies=["127.0.0.1"], names=["door.example.org"]),
            "https://door.example.org",
        ),
    ],
)
def test_by_the_settings(layout: Layout, settings: WebSettings, url: str) -> None:
    """Where nothing is served yet: host, port and names as they are set."""
    assert (url, "") == (reach(settings, layout).url, reach(settings, layout).fingerprint)


def test_as_the_web_process_tells(layout: Layout) -> None:
    """A port that it chose itself, and its certificate's fingerprint; the code stands in the fragment."""
    tell(layout)
    found = reach(web(port=0), layout)

    assert ("https://127.0.0.1:4711", "AB:CD") == (found.url, found.fingerprint)
    assert "https://127.0.0.1:4711/first-run#CODE" == found.link(FIRST_RUN, "CODE")


def test_what_a_killed_process_told_counts_for_nothing(layout: Layout) -> None:
    """Nor does what cannot be read."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    tell(layout, pid=ended.pid)
    stale = reach(web(), layout)
    layout.web_file.write_text("[1", encoding="utf-8")

    assert ["https://127.0.0.1:8443"] * 2 == [stale.url, reach(web(), layout).url]


def test_the_first_admin_is_told_on_the_terminal(services: Services) -> None:
    """Once the pages are served, with a code that works and that no log has; one made before is void."""
    said: list[str] = []
    before = services.store.first_run_code()
    with capture_logs() as logs:
        thread = announce(web(port=0), services, said.append, terminal=True)
        assert [] == said
        tell(services.layout)
        thread.join(10)
    code = said[-1].partition("#")[2]

    assert "admin pages: https://127.0.0.1:4711" == said[0]
    assert "AB:CD" in said[1]
    assert f"https://127.0.0.1:4711/first-run#{code}" in said[2]
    assert code not in str(logs)
    with pytest.raises(NotSignedInError):
        services.store.add_first_admin(before, "eve", "$")
    assert services.store.add_first_admin(code, "ann", "$")


def test_nothing_is_told_before_a_page_would_come(services: Services) -> None:
    """The link is pressed at once: whoever is behind the pages is waited for, too."""
    said: list[str] = []
    there = threading.Event()
    asked = threading.Event()

    def ready() -> bool:
        asked.set()
        return there.is_set()

    tell_after = announce(web(), services, said.append, terminal=True, ready=ready)
    tell(services.layout)
    asked.wait(10)
    before = list(said)
    there.set()
    tell_after.join(10)

    assert [] == before
    assert 3 == len(said)


def test_whether_a_process_answers(layout: Layout) -> None:
    """Nobody at the socket: no; somebody: yes."""
    away = answers(layout, "desk")
    with Server(layout.socket("desk"), {}):
        there = answers(layout, "desk")

    assert (False, True) == (away, there)


def test_no_code_is_told_to_what_may_be_a_journal(services: Services) -> None:
    """Where it is no terminal: the address, and the command that makes a link; a link made before is good."""
    said: list[str] = []
    before = services.store.first_run_code()
    with capture_logs() as logs:
        thread = announce(web(), services, said.append, terminal=False)
        tell(services.layout)
        thread.join(10)
    (line,) = logs

    assert [] == said
    assert ("https://127.0.0.1:4711", "appliance operators link") == (line["url"], line["first_admin"])
    assert services.store.first_run_code_is_good(before)


def test_who_has_an_admin_is_told_the_address_only(services: Services) -> None:
    """There is nothing else to tell."""
    services.store.add_operator("ann", Role.ADMIN, password_hash="$")  # noqa: S106 - no password
    said: list[str] = []
    thread = announce(web(), services, said.append, terminal=True)
    tell(services.layout)
    thread.join(10)

    assert ["admin pages: https://127.0.0.1:4711", "  certificate made here, SHA-256 AB:CD"] == said
