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

_STYLES: Mapping[str, tuple[str, str, str]] = {
    "fused": ("#0072B2", "-", "o"),
    "sface": ("#D55E00", (0, (5, 1.5)), "s"),  # type: ignore[dict-item]
    "dlib-mirror": ("#009E73", (0, (3, 1.2, 1, 1.2)), "D"),  # type: ignore[dict-item]
    "dlib": ("#6B6B6B", (0, (1, 1.2)), "^"),  # type: ignore[dict-item]
}
"""Colours after Okabe and Ito (2008), told apart by colour-blind people; dashes and marks tell them
apart in grey, too."""

_LABELS = {"fused": "fused", "sface": "SFace", "dlib-mirror": "dlib + mirror", "dlib": "dlib"}
_POINTS = 300
_DPI = 160
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
    if not 1 <= len(panels) <= 3:  # noqa: PLR2004 - what fits beside each other
        raise ValueError(f"one to three panels fit beside each other, not {len(panels)}")
    import matplotlib as mpl  # noqa: PLC0415 - half a second, and only this function draws
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    style = {
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
    with mpl.rc_context({**mpl.rcParamsDefault, **style}):
        width = 5.4 if len(panels) == 1 else 4.1 * len(panels)
        figure = Figure(figsize=(width, 4.5), dpi=_DPI, facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        low = _lowest(panels)
        for axis, panel in zip(axes, panels, strict=True):
            _draw_panel(axis, panel, wanted, low)
        axes[0].set_ylabel("FNIR: enrolled, not named")
        figure.suptitle(title, fontsize=11.5, fontweight="bold", x=0.012, ha="left")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower left", ncols=len(labels), frameon=False, handlelength=3.2
        )
        if note:
            figure.supxlabel(note, fontsize=7.5, x=0.012, ha="left", color="#555555")
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return png.getvalue(), svg.getvalue()


def _lowest(panels: Sequence[Panel]) -> tuple[float, float]:
    """Where the axes begin: a decade below which there is nothing to see, for FPIR and FNIR."""
    curves = [trade.curve for panel in panels for trade in panel.trades]
    found = []
    for values in ([c.fpir for c in curves], [c.fnir for c in curves]):
        above = np.concatenate([each[each > 0] for each in values]) if values else np.empty(0)
        least = float(above.min()) if len(above) else 0.001
        found.append(float(10 ** np.floor(np.log10(min(max(least, 1e-5), 0.05)))))
    return found[0], found[1]


def _draw_panel(axis: Any, panel: Panel, wanted: float, low: tuple[float, float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415

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
    colour, dashes, mark = _STYLES.get(trade.composition, ("#CC79A7", "-", "v"))
    line = thinned(trade.curve, _POINTS)
    # Points at zero stay at the edge: the line runs off the picture there instead of ending short.
    axis.plot(
        np.maximum(line.fpir, low[0] / 10),
        np.maximum(line.fnir, low[1] / 10),
        color=colour,
        linestyle=dashes,
        linewidth=1.7,
        drawstyle="steps-post",
        label=_LABELS.get(trade.composition, trade.composition),
        zorder=3,
    )
    if trade.fpir.value is None or trade.fnir.value is None:
        return
    x, y = max(trade.fpir.value, low[0]), max(trade.fnir.value, low[1])
    across = (max(trade.fpir.lower, low[0]), max(trade.fpir.upper, low[0]))
    along = (max(trade.fnir.lower, low[1]), max(trade.fnir.upper, low[1]))
    axis.plot(across, (y, y), color=colour, linewidth=1.0, alpha=0.75, zorder=4)
    axis.plot((x, x), along, color=colour, linewidth=1.0, alpha=0.75, zorder=4)
    axis.plot(
        x,
        y,
        marker=mark,
        markersize=6.5,
        markerfacecolor=colour,
        markeredgecolor="white",
        markeredgewidth=1.0,
        linestyle="none",
        clip_on=False,
        zorder=5,
    )
