"""DET plots, as PNG and SVG.

The only module that draws, and matplotlib is loaded when it does. Draws on a canvas of its own:
nothing of the process's matplotlib settings gets in, and the same curves give the same bytes.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from appliance.evaluation.det import Curve, thinned
from appliance.evaluation.rates import Rate

_Dashes = tuple[int, tuple[float, ...] | None]
_STYLES: Mapping[str, tuple[str, _Dashes, str]] = {
    "fused": ("#0072B2", (0, None), "o"),
    "sface": ("#D55E00", (0, (5, 1.5)), "s"),
    "dlib-mirror": ("#009E73", (0, (3, 1.2, 1, 1.2)), "D"),
    "dlib": ("#6B6B6B", (0, (1, 1.2)), "^"),
}
"""Colours after Okabe and Ito (2008), told apart by colour-blind people; dashes and marks tell them
apart in grey, too."""

_LABELS = {"fused": "fused", "sface": "SFace", "dlib-mirror": "dlib + mirror", "dlib": "dlib"}
_OTHER_STYLE: tuple[str, _Dashes, str] = ("#CC79A7", (0, None), "v")
_POINTS = 160
_DPI = 160
_MOST_PANELS = 3
"""What fits beside each other on a page."""
_ONE_PANEL_IN, _PANEL_IN, _HEIGHT_IN = 6.0, 4.1, 4.8
"""Inches: the width of a panel alone, of one among others, and the height."""
_LEFT_IN, _RIGHT_IN, _TEXT_IN, _LEGEND_IN = 0.74, 0.22, 0.12, 0.06
"""Inches from the edges: panels on the left and on the right, words, the legend."""
_TOP, _BOTTOM, _BETWEEN = 0.855, 0.235, 0.19
"""Shares of the height at which panels end and begin; between two, a share of a panel's width."""
_TITLE_Y, _LEGEND_Y, _NOTE_Y = 0.975, 0.055, 0.022
"""Shares of the height."""
_FNIR_SHOWN = (1e-4, 0.01)
"""The axis of FNIR begins nowhere below the one and nowhere above the other."""
_LAST_BIT = 1e-9
"""Of a decade: 0.001 is a power of ten although its logarithm is not quite -3."""
_INK, _FAINT = "#222222", "#D9D9D9"


@dataclass(frozen=True, slots=True)
class Trade:
    """One line of a plot.

    Attributes:
        composition: Named in the legend; one of the four has a style of its own.
        curve: FPIR against FNIR.
        fpir: At the operating point, with its interval.
        fnir: At the operating point, with its interval.
    """

    composition: str
    curve: Curve
    fpir: Rate
    fnir: Rate


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the plots beside each other.

    Attributes:
        title: Above it.
        trades: Its lines.
    """

    title: str
    trades: Sequence[Trade]


def draw_det(panels: Sequence[Panel], *, wanted: float, title: str, note: str = "") -> tuple[bytes, bytes]:
    """Draw one to three panels beside each other.

    Args:
        panels: What to draw.
        wanted: FPIR, marked by a line.
        title: Above all.
        note: In small letters below.

    Returns:
        The PNG (160 dots per inch, 3.6 to 4.6 inches a panel) and the SVG.

    Raises:
        ValueError: No panel, or more than three.
    """
    if not 1 <= len(panels) <= _MOST_PANELS:
        raise ValueError(f"one to three panels fit beside each other, not {len(panels)}")
    import matplotlib as mpl  # noqa: PLC0415 - half a second, and only this function draws
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - likewise
    from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    style: Any = {
        "svg.hashsalt": "appliance",  # otherwise random ids
        "svg.fonttype": "path",  # legible where the font is not installed
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
        "font.size": 9.5,
        "axes.edgecolor": _INK,
        "axes.linewidth": 0.8,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in style.items():
            mpl.rcParams[name] = value
        width = _ONE_PANEL_IN if len(panels) == 1 else _PANEL_IN * len(panels)
        figure = Figure(figsize=(width, _HEIGHT_IN), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        # In inches, so that any number of panels has the same margins.
        figure.subplots_adjust(
            left=_LEFT_IN / width, right=1 - _RIGHT_IN / width, top=_TOP, bottom=_BOTTOM, wspace=_BETWEEN
        )
        axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        low = _lowest(panels, wanted)
        for axis, panel in zip(axes, panels, strict=True):
            _draw_panel(axis, panel, wanted, low)
        axes[0].set_ylabel("FNIR: enrolled, not named")
        figure.text(_TEXT_IN / width, _TITLE_Y, title, fontsize=11.5, fontweight="bold", va="top")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(_LEGEND_IN / width, _LEGEND_Y),
            ncols=len(labels),
            frameon=False,
            handlelength=3.4,
            columnspacing=1.8,
        )
        figure.text(_TEXT_IN / width, _NOTE_Y, note, fontsize=7.5, color="#555555")
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return png.getvalue(), svg.getvalue()


def _lowest(panels: Sequence[Panel], wanted: float) -> tuple[float, float]:
    """Where the axes of FPIR and FNIR begin: a decade below the wanted, and below the least that is not 0."""
    rates = [trade.curve.fnir for panel in panels for trade in panel.trades]
    above = [float(each[each > 0].min()) for each in rates if (each > 0).any()]
    least = min(max(min(above, default=_FNIR_SHOWN[1]), _FNIR_SHOWN[0]), _FNIR_SHOWN[1])
    return _decade(wanted / 10), _decade(least)


def _decade(value: float) -> float:
    """The power of ten at or below a value; a value like 0.001 is one, whatever its last bit."""
    return float(10 ** np.floor(np.log10(value) + _LAST_BIT))


def _draw_panel(axis: Any, panel: Panel, wanted: float, low: tuple[float, float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415 - loaded by then

    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(low[0], 1)
    axis.set_ylim(low[1], 1)
    axis.axvline(wanted, color="#999999", linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    axis.annotate(
        f"wanted {100 * wanted:g} %",
        (wanted, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, -3),
        textcoords="offset points",
        va="top",
        fontsize=7.5,
        color="#666666",
    )
    for trade in panel.trades:
        _draw_trade(axis, trade, low)
    axis.set_title(panel.title, fontsize=9.5, loc="left", pad=5)
    axis.set_xlabel("FPIR: strangers taken for somebody")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(LogLocator(10))
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
        side.set_minor_formatter(NullFormatter())
    axis.grid(visible=True, which="major", color=_FAINT, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_trade(axis: Any, trade: Trade, low: tuple[float, float]) -> None:
    """The line, and the operating point with both its intervals; nothing on a log axis lies at zero."""
    colour, dashes, mark = _STYLES.get(trade.composition, _OTHER_STYLE)
    line = thinned(trade.curve, _POINTS)
    # Points at zero stay at the edge: the line runs off the picture there instead of ending short.
    axis.plot(
        np.maximum(line.fpir, low[0] / 10),
        np.maximum(line.fnir, low[1] / 10),
        color=colour,
        linestyle=dashes,
        linewidth=1.7,
        drawstyle="steps-post",
        zorder=3,
    )
    look = {"marker": mark, "markersize": 6.5, "markeredgecolor": "white", "color": colour}
    # The legend shows line and mark together, and stands even where there is no operating point.
    axis.plot(
        [],
        [],
        linestyle=dashes,
        linewidth=1.7,
        label=_LABELS.get(trade.composition, trade.composition),
        **look,
    )
    if trade.fpir.value is None or trade.fnir.value is None:
        return
    x, y = max(trade.fpir.value, low[0]), max(trade.fnir.value, low[1])
    across = (max(trade.fpir.lower, low[0]), max(trade.fpir.upper, low[0]))
    along = (max(trade.fnir.lower, low[1]), max(trade.fnir.upper, low[1]))
    axis.plot(across, (y, y), color=colour, linewidth=1.0, alpha=0.75, zorder=4)
    axis.plot((x, x), along, color=colour, linewidth=1.0, alpha=0.75, zorder=4)
    axis.plot(x, y, linestyle="none", clip_on=False, zorder=5, **look)
