"""The site on a box after its first boot, with somebody of each role."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import live_cinema
import pytest
import stores
import web_clients
from browser import installed, open_browser, open_page
from logged import Day, a_day
from models_process import models_process
from playwright.sync_api import Browser, Page
from ruled import SETTINGS_FILE, Ruled
from running_web import Running, run_web
from web_site import Site, open_site

from appliance.permissions import Role
from appliance.services import Layout


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Role, str]]:
    """A state directory with somebody of each role, to be copied, and their secrets."""
    state = tmp_path_factory.mktemp("site") / "state"
    with open_site(Layout(state)) as opened:
        return state, opened.secrets


@pytest.fixture
def site(tmp_path: Path, filled: tuple[Path, dict[Role, str]]) -> Iterator[Site]:
    """An admin (Ada), a viewer (Vera) and a screen (Hall) are let in."""
    shutil.copytree(filled[0], tmp_path / "state", ignore=shutil.ignore_patterns("run"))
    with open_site(Layout(tmp_path / "state"), secrets=filled[1]) as opened:
        yield opened


@pytest.fixture(scope="module")
def all_that_rules_name(
    tmp_path_factory: pytest.TempPathFactory, filled: tuple[Path, dict[Role, str]]
) -> Iterator[Ruled]:
    """A site with a camera, a door, a webhook, a lock, a command and a broker; Ann and Ben."""
    state = tmp_path_factory.mktemp("ruled") / "state"
    shutil.copytree(filled[0], state, ignore=shutil.ignore_patterns("run"))
    layout = Layout(state)
    layout.settings_file.write_text(SETTINGS_FILE, encoding="utf-8")
    with open_site(layout, secrets=filled[1]) as opened:
        add = opened.services.store.add_subject
        ann, ben = (str(add(name, consent=stores.AGREED).id) for name in ("Ann Archer", "Ben Bauer"))
        yield Ruled(opened, ann, ben)


@pytest.fixture
def ruled(all_that_rules_name: Ruled) -> Ruled:
    """The same without rules and groups; what was logged and done stays."""
    return all_that_rules_name.emptied()


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Site]:
    """Nobody is let in yet."""
    with open_site(Layout(tmp_path / "state"), empty=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Tests that use it carry `@pytest.mark.debian(reason="chromium")`."""
    if not installed():
        pytest.skip("Debian package chromium")
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def models_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a models process, for every test that hands in pictures."""
    with models_process(tmp_path_factory.mktemp("models") / "state") as socket:
        yield socket


@pytest.fixture(scope="session")
def running_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Desk and web as processes, with an admin: one box for every test that needs no other.

    A test finds what others left there, and ends none of its processes.
    """
    with run_web(tmp_path_factory.mktemp("running-web") / "state") as running:
        yield running


@pytest.fixture(scope="session")
def at_the_door(running_web: Running) -> Day:
    """A morning on that box."""
    with running_web.context.services() as services:
        return a_day(services, datetime.now(UTC))


@pytest.fixture
def page(browser: Browser, running_web: Running) -> Iterator[Page]:
    """A page of the admin, signed in, at `running_web`; its console must stay silent."""
    with open_page(browser, running_web.url, secret=running_web.secret()) as (opened, _):
        yield opened


layout = pytest.fixture(live_cinema.layout)
cinema = pytest.fixture(live_cinema.cinema)
views = pytest.fixture(live_cinema.views)

counting = pytest.fixture(web_clients.counting)
logged = pytest.fixture(web_clients.logged)
