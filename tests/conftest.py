"""What holds for every test: each begins with the log as structlog sets it up."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _log_of_its_own() -> None:
    """A command sets how much is logged for its process, which here is everybody's."""
    structlog.reset_defaults()
