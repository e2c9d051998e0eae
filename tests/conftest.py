"""What holds for every test: each begins with the log as structlog sets it up, and none is timed."""

import hypothesis
import pytest
import structlog

# An example that took long on a busy machine is no finding; benchmarks measure.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _log_of_its_own() -> None:
    """A command sets how much is logged for its process, which here is everybody's."""
    structlog.reset_defaults()
