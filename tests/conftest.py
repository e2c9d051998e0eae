"""What holds for every test: a log as structlog sets it up, no timing of examples, slow files apart."""

import os
from pathlib import Path

import hypothesis
import pytest
import structlog

# Read when moto is imported, by whichever test comes first: a part may be as small as a test wants.
os.environ.setdefault("S3_UPLOAD_PART_MIN_SIZE", "256")

# An example that took long, or was long in the making, on a busy machine is no finding; benchmarks measure.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _log_of_its_own() -> None:
    """A command sets how much is logged for its process, which here is everybody's."""
    structlog.reset_defaults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread files with slow tests among the others, the last of them well before the end.

    Side by side whole appliances wait for each other; begun last, each keeps one core busy while others stand
    idle.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [path for path in files if any(each.get_closest_marker("slow") for each in files[path])]
    others = [path for path in files if path not in set(slow)]
    between = len(others) * 4 // 5 // (len(slow) or 1)
    order: list[Path] = []
    for path in slow:
        order += [path, *others[:between]]
        del others[:between]
    items[:] = [item for path in [*order, *others] for item in files[path]]
