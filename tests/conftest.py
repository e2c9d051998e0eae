"""What holds for every test: none leaves the log's settings behind for the next."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command sets how much is logged for its process, which here is everybody's."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
