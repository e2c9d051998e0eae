"""COMPATIBILITY.md holds: every row names a test that exists, and every call has a row."""

import ast
import re
from pathlib import Path

import pytest

from appliance.deeplens.guest import awscam, greengrasssdk, kinesis_video, local_display, mo, shadows
from appliance.deeplens.guest.messages import GuestSaid

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "appliance/deeplens/COMPATIBILITY.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| Call", "| What"))
]
NAMED = re.compile(r"`(\w+)::(\w+)`")


def written_in(file: str) -> set[str]:
    """Names of the tests in a file of this folder."""
    path = Path(__file__).parent / f"test_deeplens_{file}.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], type_ignores=[])
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


class Deaf:
    """Hears nothing."""

    def put(self, message: GuestSaid) -> None:
        """Forget it."""


def calls() -> list[str]:
    """Every public name of the modules that a function imports."""
    made = {
        **awscam.modules(None, None),  # type: ignore[arg-type]
        **mo.modules(None, None),  # type: ignore[arg-type]
        **greengrasssdk.modules(Deaf(), shadows.Shadows()),
        **kinesis_video.modules(Deaf()),
        **local_display.modules(),
    }
    names = [f"{name}" for name in made if "." not in name]
    for name in ("awscam", "mo", "DeepLens_Kinesis_Video", "local_display"):
        names += made[name].__all__
    for each in (
        awscam.Model,
        greengrasssdk.IoTDataPlane,
        greengrasssdk.LambdaClient,
        kinesis_video.Producer,
        kinesis_video.VideoStream,
    ):
        names += [key for key in vars(each) if not key.startswith("_")]
    return sorted(set(names))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_every_row_names_a_test_that_exists(row: list[str]) -> None:
    """Four cells, none empty, and in the last stand tests of this folder."""
    found = [NAMED.fullmatch(each) for each in row[-1].split(", ")]

    assert (4, True) == (len(row), all(row))
    assert [] == [each for each in found if each is None or f"test_{each[2]}" not in written_in(each[1])]


@pytest.mark.parametrize("name", calls())
def test_every_call_has_a_row(name: str) -> None:
    """Each module, function, class and method that a function can reach is in the first column."""
    first = " ".join(row[0] for row in ROWS) + " ".join(re.findall(r"^## .*$", TEXT, re.MULTILINE))

    assert re.search(rf"\b{name}\b", first)


def test_the_page_has_rows() -> None:
    """The tables are found at all."""
    assert len(ROWS) > 60
