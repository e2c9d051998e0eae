"""What the security page promises is held by tests that there are."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "appliance" / "SECURITY.md").read_text(encoding="utf-8")
NO_PROMISES = {"Who is trusted", "Who attacks", "What does not", "Keys", "Drills"}
"""Sections that promise nothing."""
PROMISES = {
    *("What holds", "At rest", "Accounts", "Pages"),
    *("Fetching captures", "Copies in a bucket", "Broker and webhooks", "Search service and AWS IoT"),
}
"""Sections whose every point is a promise; a heading that is in neither set fails."""
NAMED = re.compile(r"`(test_[a-z0-9_]+)`")


def sections() -> dict[str, str]:
    """Heading → text."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def promises() -> list[tuple[str, str]]:
    """The words that each promise begins with, and all of it."""
    found = []
    for heading, text in sections().items():
        if heading in PROMISES:
            found += [(line.split("**")[1], line) for line in text.splitlines() if line.startswith("* **")]
    return found


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """Every test function there is."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {
            each.name
            for each in ast.walk(tree)
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
        }
    return found


def test_the_page_has_its_parts() -> None:
    """Each once and no other: a heading that is renamed, even to one of those, drops no promise."""
    headings = re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)

    assert sorted(NO_PROMISES | PROMISES) == sorted(headings)
    assert len(promises()) > 40


@pytest.mark.parametrize("heading", sorted(PROMISES))
def test_every_point_of_a_section_that_promises_is_a_promise(heading: str) -> None:
    """It has some, and each begins with what it promises: none is passed over for how it is written."""
    points = re.findall(r"^ *[*+-] .*", sections()[heading], flags=re.MULTILINE)

    assert len(points) >= 5
    assert [] == [point for point in points if not point.startswith("* **")]


@pytest.mark.parametrize("promise", [text for _, text in promises()], ids=[lead for lead, _ in promises()])
def test_each_promise_names_a_test_that_there_is(promise: str, tests: set[str]) -> None:
    """One at least; and none that was renamed or never written."""
    named = set(NAMED.findall(promise))

    assert named
    assert set() == named - tests


def test_whatever_test_the_page_names_exists(tests: set[str]) -> None:
    """In any section."""
    assert set() == set(NAMED.findall(PAGE)) - tests
