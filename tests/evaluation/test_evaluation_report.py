"""The report: JSON with stable names, a page that says nothing it does not know."""

import json
from dataclasses import replace

import pytest

from appliance.evaluation.page import page
from appliance.evaluation.rates import plain_rate
from appliance.evaluation.report import Impossible, Material, Report, Row, Verdicts, as_json

ROW = Row(
    composition="fused",
    references=1,
    probes=1,
    table=(1, 1),
    threshold=0.0931,
    extrapolated=False,
    fpir=plain_rate(2, 200),
    fnir=plain_rate(0, 100),
    predicted_fnir=0.0179,
    measured_threshold=0.085,
    measured_fnir=plain_rate(0, 100),
)
SAID = Verdicts(
    "fused",
    1,
    1,
    *(plain_rate(count, 100) for count in (98, 1, 1, 0)),
    *(plain_rate(c, 200) for c in (2, 8, 190)),
)
REPORT = Report(
    date="2026-01-05",
    models={"sface": "2209af11e0fdc274cf93e0e6758cdbd1035848dcf4708667e2e6a6838ad4bf7c"},
    material=Material(100, 99, 400, 389, 59, {"NO_FACE": 2, "EXTREME_POSE": 9}, every_face=False),
    unusable=plain_rate(11, 400),
    enrolled=50,
    strangers=50,
    rounds=1,
    verdict_rounds=1,
    seed=1,
    replicates=2000,
    fpir=0.01,
    margin=0.05,
    stranger_band=0.04,
    rows=(ROW,),
    verdicts=(SAID,),
    impossible=(Impossible(3, 3, 6, 4),),
)


def test_the_names_of_the_json_are_stable() -> None:
    """Scripts read them; a rate carries its interval, its searches and its people."""
    document = as_json(REPORT)
    rate = {"rate", "lower", "upper", "count", "searches", "people", "interval"}

    assert {
        *("date", "models", "photos", "enrolled", "strangers", "rounds", "verdict_rounds", "seed"),
        *("replicates", "confidence", "wanted_fpir", "margin", "stranger_band"),
        *("rows", "verdicts", "not_possible"),
    } == set(document)
    assert {
        *("people", "people_used", "unreadable_folders", "files", "used", "several_faces"),
        *("unusable", "unusable_rate", "every_face"),
    } == set(document["photos"])
    assert {
        *("composition", "references", "probes", "table", "threshold", "extrapolated"),
        *("fpir", "fnir", "predicted_fnir", "wanted_fpir_is", "measured"),
    } == set(document["rows"][0])
    assert rate == set(document["rows"][0]["fpir"])
    assert {"threshold", "fnir"} == set(document["rows"][0]["measured"])
    assert {"composition", "references", "probes", "enrolled", "strangers"} == set(document["verdicts"][0])
    assert {"named", "undecided", "stranger", "wrong"} == set(document["verdicts"][0]["enrolled"])
    assert {"named", "undecided", "stranger"} == set(document["verdicts"][0]["strangers"])
    assert {"references", "probes", "photos_needed", "people_with_enough"} == set(document["not_possible"][0])
    assert document == json.loads(json.dumps(document))


@pytest.mark.parametrize(
    ("count", "searches", "agreement"),
    [(2, 200, "inside"), (0, 2000, "below"), (50, 200, "above"), (0, 0, "not measured")],
)
def test_where_the_measured_rate_lies_is_said(count: int, searches: int, agreement: str) -> None:
    """Inside the interval, or on which side of the wanted 1 %."""
    assert agreement == replace(ROW, fpir=plain_rate(count, searches)).agreement(0.01)


def test_the_page_holds_what_the_report_holds() -> None:
    """N, strangers, searches, photos left out with their reasons, models, and what was not possible."""
    text = page(REPORT)

    for said in (
        *("N = 50 enrolled, 50 strangers", "389 of 400 photos used", "9 EXTREME_POSE, 2 NO_FACE"),
        *("sface 2209af11e0fd", "1.0 % (0.27 to 3.6)", "0 of 100, at most 3.7 %", "| yes "),
        *("need 6 usable photos of each of 50 people; 4 have them", "margin 0.05", "Wilson's"),
    ):
        assert said in text


def test_the_page_never_says_nothing_or_everything_without_a_number() -> None:
    """No cell is just 0 % or 100 %."""
    cells = [
        cell.strip() for line in page(REPORT).splitlines() if line.startswith("|") for cell in line.split("|")
    ]

    assert not {"0 %", "0.0 %", "100 %", "100.0 %"} & set(cells)
    assert "0 of 100, at most 3.7 %" in cells


def test_a_row_from_a_table_of_fewer_photos_is_marked() -> None:
    """And so is one beyond the tables; the legend says what the marks mean only where they stand."""
    marked = replace(ROW, probes=2, extrapolated=True, predicted_fnir=None)
    text = page(replace(REPORT, rows=(marked,)))

    assert marked.fewer
    assert "0.093†‡" in text
    assert "†: from a table" in text
    assert "beyond them" in text
    assert "†" not in page(REPORT)


def test_without_a_row_the_page_says_what_is_needed() -> None:
    """No empty tables' legend, no division by nothing."""
    text = page(replace(REPORT, rows=(), verdicts=()))

    assert "Nothing could be measured" in text
    assert "Not possible" in text


def test_where_nothing_was_measured_the_page_says_so() -> None:
    """No strangers: no FPIR, and no threshold measured here."""
    row = replace(ROW, fpir=plain_rate(0, 0), measured_threshold=None, measured_fnir=None)
    text = page(replace(REPORT, strangers=0, rows=(row,)))

    assert "not measured" in text
    assert "too few searches" in text
