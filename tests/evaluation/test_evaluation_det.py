"""The trade-off curve, and its pictures."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.evaluation.det import Curve, curve, thinned
from appliance.evaluation.identification import Searches
from appliance.evaluation.plots import Panel, Trade, draw_det
from appliance.evaluation.rates import plain_rate

PNG = b"\x89PNG\r\n\x1a\n"


def searches(nonmated: list[float], mated: list[float], first: list[bool] | None = None) -> Searches:
    """Searches with these scores, each by somebody else."""
    return Searches(
        np.array(nonmated, np.float64),
        np.arange(len(nonmated)),
        np.zeros(len(nonmated), np.int64),
        np.array(mated, np.float64),
        np.arange(len(mated)),
        np.array(first or [True] * len(mated), np.bool_),
        1,
        5,
    )


SCORES = st.lists(st.integers(-8, 8).map(lambda step: step / 8), min_size=1, max_size=40)


@given(SCORES, SCORES, st.data())
def test_every_point_of_the_curve_is_what_counting_gives(
    nonmated: list[float], mated: list[float], data: st.DataObject
) -> None:
    """Its rates are those of the searches at its thresholds; one falls while the other rises."""
    first = data.draw(st.lists(st.booleans(), min_size=len(mated), max_size=len(mated)))
    found = searches(nonmated, mated, first)
    line = curve(found)

    for threshold, fpir, fnir in zip(line.thresholds, line.fpir, line.fnir, strict=True):
        assert pytest.approx(found.false_positives(threshold).mean()) == fpir
        assert pytest.approx(found.false_negatives(threshold).mean()) == fnir
    assert (np.diff(line.thresholds) > 0).all()
    assert (np.diff(line.fpir) < 0).all()
    assert (np.diff(line.fnir) >= 0).all()
    assert (1.0, 0.0) == (line.fpir[0], line.fpir[-1])


def test_a_curve_needs_both_kinds_of_search() -> None:
    """Without strangers, or without anybody enrolled, there is no trade-off."""
    for nonmated, mated in (([], [0.5]), ([0.5], [])):
        with pytest.raises(ValueError, match="needs searches"):
            curve(searches(nonmated, mated))


@given(st.integers(2, 400), st.integers(2, 60))
def test_a_thinned_curve_keeps_its_ends_and_no_more_than_asked(size: int, points: int) -> None:
    """Its points are points of the whole, in their order; both ends are always among them."""
    rng = np.random.default_rng(size)
    whole = curve(searches(rng.normal(size=size).tolist(), rng.normal(size=size).tolist()))
    thin = thinned(whole, points)

    assert len(thin.thresholds) <= points + 2
    assert (whole.thresholds[0], whole.thresholds[-1]) == (thin.thresholds[0], thin.thresholds[-1])
    kept = np.isin(whole.thresholds, thin.thresholds)
    assert whole.fpir[kept].tolist() == thin.fpir.tolist()
    assert whole.fnir[kept].tolist() == thin.fnir.tolist()


def test_a_curve_has_two_ends() -> None:
    """One point is no curve."""
    with pytest.raises(ValueError, match="two ends"):
        thinned(curve(searches([0.1, 0.2], [0.3])), 1)


# ---------------------------------------------------------------- pictures


def panel(*compositions: str) -> Panel:
    """A panel with a line for each composition."""
    rng = np.random.default_rng(1)
    lines = []
    for each in compositions:
        found = searches(rng.normal(0, 1, 300).tolist(), rng.normal(3, 1, 300).tolist())
        lines.append(Trade(each, curve(found), found.fpir(2.0, seed=1), found.fnir(2.0, seed=1)))
    return Panel("1 reference each, 1 probe", lines)


def test_a_plot_is_a_picture_as_wide_as_a_page_and_names_every_line() -> None:
    """PNG of at least 1,200 pixels; SVG that parses, without a date, whose text is drawn as outlines."""
    png, svg = draw_det([panel("fused", "sface"), panel("dlib", "dlib-mirror")], wanted=0.01, title="T")
    root = ET.fromstring(svg)  # noqa: S314 - we drew it

    assert png.startswith(PNG)
    assert int.from_bytes(png[16:20], "big") >= 1200
    assert "svg" == root.tag.rpartition("}")[2]
    assert b"<text" not in svg
    assert not re.search(rb"20\d\d-\d\d-\d\dT", svg)


def test_every_composition_looks_different() -> None:
    """Colour and dashes are not shared: each of the four gives another picture."""
    pictures = {
        draw_det([Panel("p", [Trade(each, LINE, RATE, RATE)])], wanted=0.01, title="T")[1]
        for each in ("fused", "sface", "dlib-mirror", "dlib")
    }

    assert 4 == len(pictures)


LINE = Curve(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.1, 0.0]), np.array([0.0, 0.1, 1.0]))
RATE = plain_rate(3, 60)


def test_the_same_curves_give_the_same_bytes() -> None:
    """No random ids, no date, no settings of the process."""
    import matplotlib as mpl  # noqa: PLC0415 - it is what the module under test loads late

    first = draw_det([panel("fused")], wanted=0.01, title="T", note="n")
    before = mpl.rcParams["font.size"]
    mpl.rcParams["font.size"] = 3
    try:
        second = draw_det([panel("fused")], wanted=0.01, title="T", note="n")
        assert 3 == mpl.rcParams["font.size"]
    finally:
        mpl.rcParams["font.size"] = before

    assert first == second


def test_rates_of_zero_and_unmeasured_ones_can_be_drawn() -> None:
    """A log axis has no zero: the mark stands at the edge, and without a rate there is none."""
    perfect = Curve(np.array([0.0, 1.0]), np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    for rate in (plain_rate(0, 50), plain_rate(0, 0)):
        png, _ = draw_det([Panel("p", [Trade("fused", perfect, rate, rate)])], wanted=0.001, title="T")
        assert png.startswith(PNG)


@pytest.mark.parametrize("count", [0, 4])
def test_only_what_fits_beside_each_other_is_drawn(count: int) -> None:
    """One to three panels."""
    with pytest.raises(ValueError, match="one to three"):
        draw_det([panel("fused")] * count, wanted=0.01, title="T")
