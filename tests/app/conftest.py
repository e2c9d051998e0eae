"""A box after its first boot, at a clock that a test sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from captures import NOW
from desk_box import DeskBox, desk_box
from desk_setting_up import FILE, Here
from footage import opened_vault
from watching_box import WatchingBox, supervised, watching

from appliance.clock import ManualClock
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.vault import Vault


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Where a box's things will lie; nothing is there yet."""
    return Layout(tmp_path / "state")


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at nine in the morning."""
    return ManualClock(NOW)


@pytest.fixture
def services(layout: Layout, clock: ManualClock) -> Iterator[Services]:
    """A box after its first boot."""
    with open_services(Settings(), layout, create=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file with one camera."""
    path = tmp_path / "appliance.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def here(services: Services, layout: Layout, file: Path) -> Iterator[Here]:
    """A desk beside a loop that films a door."""
    with watching(layout) as box:
        yield Here(services, box, file)


@pytest.fixture
def quiet(services: Services, layout: Layout, file: Path) -> Iterator[Here]:
    """A desk beside a supervisor that notes who is to restart, and nothing else."""
    with supervised(layout, WatchingBox()) as box:
        yield Here(services, box, file)


@pytest.fixture
def alone(services: Services, file: Path) -> Here:
    """A desk beside nothing."""
    return Here(services, WatchingBox(), file)


@pytest.fixture
def box(services: Services) -> Iterator[DeskBox]:
    """A desk after its first boot: no operator yet."""
    with desk_box(services) as made:
        yield made


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Keys of a box, for tests that put nothing else behind them."""
    return opened_vault(tmp_path_factory.mktemp("vault"))
