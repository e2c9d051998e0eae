"""The site on a box after its first boot, with somebody of each role."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from web_site import Site, open_site

from appliance.services import Layout


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An admin (Ada), a viewer (Vera) and a screen (Hall) are let in."""
    with open_site(Layout(tmp_path / "state")) as opened:
        yield opened


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Site]:
    """Nobody is let in yet."""
    with open_site(Layout(tmp_path / "state"), empty=True) as opened:
        yield opened
