"""A box with rules, at a clock that a test sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stores
from rule_bodies import SETTINGS, RuleDesk

from appliance.clock import ManualClock
from appliance.services import Layout, Services, open_services
from appliance.store import Subject


@pytest.fixture
def clock() -> ManualClock:
    """A Monday at noon."""
    return ManualClock(stores.NOON)


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """A box after its first boot."""
    with open_services(SETTINGS, Layout(tmp_path / "state"), create=True, clock=clock) as opened:
        yield opened


@pytest.fixture
def ask(services: Services) -> RuleDesk:
    """Whoever asks about rules."""
    return RuleDesk(services)


@pytest.fixture
def ann(services: Services) -> Subject:
    """Ann is enrolled."""
    return services.store.add_subject("Ann", consent=stores.AGREED)


@pytest.fixture
def ben(services: Services) -> Subject:
    """So is Ben."""
    return services.store.add_subject("Ben", consent=stores.AGREED)
