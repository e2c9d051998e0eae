"""The published table of error rates: it is what the tables, the weights and, on LFW, a new run say."""

import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from commands import call

from appliance.decision import ErrorTables
from appliance.models.folder import ModelFolder

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "appliance" / "ACCURACY.md").read_text(encoding="utf-8")
ENROLLED, WANTED = 50, 0.01
RATE = re.compile(r"^([\d.]+) % \(([\d.]+) to ([\d.]+)\)$")
NONE = re.compile(r"^0 of (\d+), at most ([\d.]+) %$")


def published() -> list[dict[str, str]]:
    """The rows of the first table of rates, by the names of their columns; FNIR there is the later one."""
    lines = PAGE.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| composition | references"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    names = [cell.strip() for cell in lines[start].strip("|").split("|")]
    return [dict(zip(names, row, strict=True)) for row in rows]


def interval(words: str) -> tuple[float, float]:
    """The bounds of a published rate, as shares."""
    if none := NONE.match(words):
        return 0.0, float(none[2]) / 100
    found = RATE.match(words)
    assert found, words
    return float(found[2]) / 100, float(found[3]) / 100


ROWS = published()


@pytest.fixture(scope="module")
def tables() -> ErrorTables:
    """The measured error rates that thresholds are set by."""
    return ErrorTables.from_json(json.loads((ROOT / "data" / "score-tails.json").read_text(encoding="utf-8")))


def test_every_composition_is_published_with_every_combination_of_four_photos() -> None:
    """Four compositions, and 1 + 1, 1 + 3, 2 + 2, 3 + 1."""
    kinds = {(row["composition"], int(row["references"]), int(row["probes"])) for row in ROWS}

    assert 16 == len(ROWS) == len(kinds)
    assert {"fused", "sface", "dlib-mirror", "dlib"} == {kind[0] for kind in kinds}
    assert {(1, 1), (1, 3), (2, 2), (3, 1)} == {kind[1:] for kind in kinds}


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row['composition']}-{row['references']}-{row['probes']}"
)
def test_published_thresholds_are_those_the_appliance_sets(row: dict[str, str], tables: ErrorTables) -> None:
    """A change of the tables, or of how they are read, makes the page stale."""
    point = tables.operating_point(
        row["composition"],
        references=int(row["references"]),
        probes=int(row["probes"]),
        gallery_size=ENROLLED,
        fpir=WANTED,
    )

    assert f"{point.threshold:.3f}" == row["threshold"].rstrip("†")
    assert ((point.references, point.probes) != (int(row["references"]), int(row["probes"]))) == (
        row["threshold"].endswith("†")
    )
    assert point.fnmr is not None
    assert abs(float(row["FNIR by the tables"].removesuffix(" %")) - 100 * point.fnmr) <= 0.05
    lower, upper = interval(row["FPIR"])
    assert row["as wanted?"] == (
        "yes" if lower <= WANTED <= upper else "no, lower" if upper < WANTED else "no, higher"
    )


def test_the_page_counts_its_rows_rightly() -> None:
    """What is said in words under the table is what stands in it."""
    agreeing = sum(row["as wanted?"] == "yes" for row in ROWS)

    assert f"In {agreeing} of {len(ROWS)} rows" in PAGE
    exact = [row for row in ROWS if not row["threshold"].endswith("†")]
    predicted = [float(row["FNIR by the tables"].removesuffix(" %")) / 100 for row in exact]
    bounds = [interval(row["FNIR"]) for row in exact]
    held = sum(low <= rate <= high for rate, (low, high) in zip(predicted, bounds, strict=True))
    assert f"in the measured interval in {held} of {len(exact)}." in PAGE


def test_the_published_weights_are_those_of_the_manifest() -> None:
    """Other weights need new figures."""
    manifest = ModelFolder().manifest
    named = dict(re.findall(r"^\| ([\w-]+) \| `([0-9a-f]{12})` \|$", PAGE, re.MULTILINE))

    assert {"yunet", "dlib-shape-5", "dlib-resnet", "sface"} == set(named)
    assert {name: manifest.model(name).sha256[:12] for name in named} == named


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """A smaller run on LFW: the first two photos of each of the 100 people, one reference and one probe."""
    material = os.environ.get("APPLIANCE_TEST_MATERIAL")
    path = Path(material or "none") / "testdata" / "faces" / "lfw_subset_100x4.tar"
    if not path.is_file():
        pytest.skip("APPLIANCE_TEST_MATERIAL does not name a folder with testdata/faces/lfw_subset_100x4.tar")
    folder = tmp_path_factory.mktemp("lfw")
    photos = folder / "photos"
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            picture = Path(member.name)
            if picture.name.endswith(("_0001.jpg", "_0002.jpg")):
                (photos / picture.parent.name).mkdir(parents=True, exist_ok=True)
                taken = archive.extractfile(member)
                assert taken is not None
                (photos / picture.parent.name / picture.name).write_bytes(taken.read())
    ended = call(
        *("--state", folder / "state", "evaluate", photos, "--people", ENROLLED, "--json"),
        *("--fpir", WANTED, "--rounds", 40, "--seed", 2),
    )
    assert 0 == ended.code, ended.err
    return {row["composition"]: row for row in json.loads(ended.out)["rows"]}


@pytest.mark.material
@pytest.mark.slow
@pytest.mark.parametrize("composition", ["fused", "sface", "dlib-mirror", "dlib"])
def test_a_new_run_agrees_with_what_is_published(
    composition: str, repeated: dict[str, dict[str, Any]]
) -> None:
    """Half the photos and other splits: intervals meet, and rates lie near the published ones."""
    [row] = [
        each
        for each in ROWS
        if (each["composition"], each["references"], each["probes"]) == (composition, "1", "1")
    ]
    again = repeated[composition]
    for name, key in (("FPIR", "fpir"), ("FNIR", "fnir")):
        lower, upper = interval(row[name])
        assert again[key]["lower"] <= upper, name
        assert again[key]["upper"] >= lower, name
        assert lower - 0.03 <= again[key]["rate"] <= upper + 0.03, name
    assert pytest.approx(float(row["threshold"]), abs=0.0006) == again["threshold"]


@pytest.mark.material
@pytest.mark.slow
def test_a_new_run_finds_the_same_order(repeated: dict[str, dict[str, Any]]) -> None:
    """What the page is for: both networks together miss far fewer than dlib alone."""
    missed = {name: row["fnir"]["rate"] for name, row in repeated.items()}

    assert missed["fused"] <= missed["sface"] + 0.005
    assert missed["sface"] < missed["dlib-mirror"] < missed["dlib"]
