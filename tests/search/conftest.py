"""The network that describes pictures, boxes with a site and a catalogue, and a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import installed, open_browser
from playwright.sync_api import Browser
from searching_at_hand import Searching, searching_at_hand
from shop_things import stock
from web_site import Site, open_site

from appliance.models.folder import ModelFolder
from appliance.models.install import install
from appliance.networks import open_session
from appliance.permissions import Role
from appliance.services import Layout
from appliance.wire.messages import MatchTold


@pytest.fixture(scope="session")
def session() -> Any:
    """EfficientNet-Lite0; fetched now if CI did not do it before."""
    folder = ModelFolder()
    install(folder)
    return open_session(folder.path("efficientnet-lite0"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Tests that use it carry `@pytest.mark.debian(reason="chromium")`."""
    if not installed():
        pytest.skip("Debian package chromium")
    with open_browser() as opened:
        yield opened


Filled = tuple[Path, dict[Role, str], dict[str, MatchTold]]


@pytest.fixture(scope="session")
def empty_shop(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A state directory with somebody of each role, to be copied, and their secrets."""
    state = tmp_path_factory.mktemp("shop") / "state"
    with open_site(Layout(state)) as opened:
        return state, opened.secrets, {}


@pytest.fixture(scope="session")
def full_shop(tmp_path_factory: pytest.TempPathFactory, empty_shop: Filled) -> Filled:
    """The same with fifteen things in its catalogue; these as matches, by id."""
    state = tmp_path_factory.mktemp("full") / "state"
    shutil.copytree(empty_shop[0], state, ignore=shutil.ignore_patterns("run"))
    with open_site(Layout(state), secrets=empty_shop[1]) as opened:
        return state, opened.secrets, stock(opened.services.store)


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A box on which nobody searches; its catalogue is empty unless `things` are wanted, too."""
    wanted = "full_shop" if "things" in request.fixturenames else "empty_shop"
    state, secrets, _ = request.getfixturevalue(wanted)
    shutil.copytree(state, tmp_path / "state", ignore=shutil.ignore_patterns("run"))
    with open_site(Layout(tmp_path / "state"), secrets=secrets) as opened:
        yield opened


@pytest.fixture
def things(site: Site, full_shop: Filled) -> dict[str, MatchTold]:
    """What is in the catalogue of that box."""
    assert site.services.store.item_count() == len(full_shop[2])
    return full_shop[2]


@pytest.fixture
def searching(site: Site) -> Iterator[Searching]:
    """Who searches there, and finds what a test says."""
    with searching_at_hand(site.services.layout, site.services.store) as found:
        yield found
