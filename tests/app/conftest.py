"""A box after its first boot, at a clock that a test sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from captures import NOW

from appliance.clock import ManualClock
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings


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
