"""Thresholds from measured error rates."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.decision import ErrorTables

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
compositions = st.sampled_from(["fused", "dlib", "dlib-mirror", "sface"])


def test_a_measured_point_is_met_exactly() -> None:
    """One person, FPIR 0.1 %: FMR 0.1 %, the threshold the table lists."""
    point = TABLES.operating_point("fused", references=1, probes=1, gallery_size=1, fpir=0.001)

    assert 0.0364 == pytest.approx(point.threshold)
    assert 0.0119 == pytest.approx(point.fnmr)
    assert not point.extrapolated


def test_more_references_need_less() -> None:
    """Averages of several references spread less, so strangers reach less high."""
    one, three = (
        TABLES.operating_point("fused", references=n, probes=1, gallery_size=100, fpir=0.001).threshold
        for n in (1, 3)
    )

    assert three < one


def test_counts_between_tables_use_the_stricter_one() -> None:
    """Two references are judged as one."""
    one, two = (
        TABLES.operating_point("fused", references=n, probes=1, gallery_size=10, fpir=0.001) for n in (1, 2)
    )

    assert one == two


def test_beyond_the_tables_is_said() -> None:
    """Ten thousand people at FPIR 0.1 % need an FMR that nobody measured."""
    point = TABLES.operating_point("fused", references=1, probes=1, gallery_size=10_000, fpir=0.001)

    assert point.extrapolated
    assert point.fnmr is None
    assert point.threshold > 0.2438


def test_an_unmeasured_composition_is_refused() -> None:
    """No error rates, no threshold."""
    with pytest.raises(ValueError, match="no error rates"):
        TABLES.operating_point("arcface", references=1, probes=1, gallery_size=1, fpir=0.001)


def test_a_garbled_table_is_refused() -> None:
    """A missing key is named."""
    with pytest.raises(ValueError, match="points"):
        ErrorTables.from_json({"tables": [{"composition": "a", "references": 1, "probes": 1}]})


@given(compositions, st.integers(1, 5000), st.integers(1, 5000), st.floats(1e-5, 0.1))
def test_more_people_never_lower_the_threshold(composition: str, size: int, more: int, fpir: float) -> None:
    """The threshold rises with the gallery."""
    small, large = (
        TABLES.operating_point(composition, references=1, probes=1, gallery_size=n, fpir=fpir).threshold
        for n in (size, size + more)
    )

    assert small <= large


@given(compositions, st.integers(1, 5000), st.floats(1e-5, 0.1), st.floats(1e-5, 0.1))
def test_a_stricter_wish_never_lowers_the_threshold(composition: str, size: int, a: float, b: float) -> None:
    """The threshold rises as the wanted FPIR falls."""
    strict, lax = (
        TABLES.operating_point(composition, references=3, probes=1, gallery_size=size, fpir=fpir).threshold
        for fpir in (min(a, b), max(a, b))
    )

    assert strict >= lax
