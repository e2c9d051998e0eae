"""An evaluation's report as a page for people: Markdown whose tables can be read as they stand.

Puts into words what `report` holds; measures nothing. Nothing is ever said to be 0 % or 100 %: what
did not happen is given with the number of searches it did not happen in.
"""

from collections.abc import Sequence

from appliance.evaluation.rates import CONFIDENCE, FEWEST_PEOPLE, Rate, per_cent
from appliance.evaluation.report import Report

_ROW_HEAD = (
    *("composition", "references", "probes", "threshold", "FPIR", "as wanted?", "FNIR", "FNIR by the tables"),
    *("threshold measured here", "FNIR there"),
)
_VERDICT_HEAD = (
    *("composition", "references", "probes", "enrolled: named", "undecided", "stranger", "wrong name"),
    *("strangers: named", "undecided", "stranger"),
)
_AGREES = {"inside": "yes", "below": "no, lower", "above": "no, higher", "not measured": "-"}


def page(report: Report) -> str:
    """As Markdown; what is printed, too."""
    lines = [*_about(report), "", *_rows(report), "", *_legend(report), ""]
    if report.verdicts:
        lines += [*_verdicts(report), ""]
    for each in report.impossible:
        lines.append(
            f"Not possible: {each.references} reference(s) and {each.probes} probe(s) need "
            f"{each.photos_needed} usable photos of each of {report.enrolled} people; "
            f"{each.people_with_enough} have them."
        )
    return "\n".join(lines).rstrip() + "\n"


def _about(report: Report) -> list[str]:
    material = report.material
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(material.unusable.items()))
    models = ", ".join(f"{name} {digest[:12]}" for name, digest in sorted(report.models.items()))
    drawn = (
        f"{report.date}. N = {report.enrolled} enrolled, {report.strangers} strangers, drawn anew in "
        f"{report.rounds} round(s) (seed {report.seed}) from {material.people_used} people; "
        f"wanted FPIR {100 * report.fpir:g} %."
    )
    photos = (
        f"{material.used} of {material.files} photos used; {material.several_faces} of them show several "
        "faces, of which the largest was taken."
    )
    without = f"Left out: {left_out or 'none'}; that is {report.unusable.words}."
    if material.unreadable_folders:
        without += f" {material.unreadable_folders} people's folders cannot be read."
    if material.every_face:
        without += " Faces that enrolment would refuse were used."
    return ["# Open-set identification", "", drawn, photos, without, f"Models: {models}."]


def _rows(report: Report) -> list[str]:
    cells = [
        (
            row.composition,
            str(row.references),
            str(row.probes),
            f"{row.threshold:.3f}{'†' if row.fewer else ''}{'‡' if row.extrapolated else ''}",
            row.fpir.words,
            _AGREES[row.agreement(report.fpir)],
            row.fnir.words,
            "beyond them" if row.predicted_fnir is None else f"{per_cent(row.predicted_fnir)} %",
            "too few searches" if row.measured_threshold is None else f"{row.measured_threshold:.3f}",
            "-" if row.measured_fnir is None else row.measured_fnir.words,
        )
        for row in report.rows
    ]
    return _table(_ROW_HEAD, cells)


def _legend(report: Report) -> list[str]:
    if not report.rows:
        return ["Nothing could be measured: see below how many photos are needed."]
    strangers = [row.fpir.people for row in report.rows]
    mated = [row.fnir.people for row in report.rows]
    first = report.rows[0]
    threshold = (
        f"*threshold*: what the appliance sets for a wanted FPIR of {100 * report.fpir:g} % among "
        f"N = {report.enrolled} (`data/score-tails.json`); FPIR and FNIR are measured at it."
    )
    searches = (
        f"FPIR: of {first.fpir.trials} searches by {_span(strangers)} people not enrolled, those that "
        f"return somebody. FNIR: of {first.fnir.trials} searches by {_span(mated)} people enrolled, those "
        "that miss them or rank somebody else first."
    )
    lines = [
        threshold,
        searches,
        "*as wanted?*: whether the interval of the measured FPIR holds the wanted one.",
        "*threshold measured here*: the lowest that keeps the wanted FPIR in these very searches.",
    ]
    if report.rounds == 1:
        lines.append(f"Intervals: {100 * CONFIDENCE:g} %, Wilson's.")
    else:
        lines.append(
            f"Intervals: {100 * CONFIDENCE:g} %, bootstrap over people ({report.replicates} replicates), as "
            "searches by the same people are not independent; where fewer than "
            f"{FEWEST_PEOPLE} people had the outcome, Wilson's for as many searches as people."
        )
    if any(row.fewer for row in report.rows):
        lines.append("†: from a table of fewer photos, so stricter than the wanted FPIR asks for.")
    if any(row.extrapolated for row in report.rows):
        lines.append("‡: beyond what the tables measured.")
    return [line for each in lines for line in ("", each)][1:]


def _verdicts(report: Report) -> list[str]:
    cells = [
        (
            each.composition,
            str(each.references),
            str(each.probes),
            each.named.words,
            _share(each.undecided),
            _share(each.stranger),
            each.wrong.words,
            each.strangers_named.words,
            _share(each.strangers_undecided),
            _share(each.strangers_stranger),
        )
        for each in report.verdicts
    ]
    said = (
        f"By the whole rule, with margin {report.margin:g} and stranger band {report.stranger_band:g} "
        f"({report.verdict_rounds} of the rounds):"
    )
    return [said, "", *_table(_VERDICT_HEAD, cells)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose columns stand below each other, to be read as it is, too."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (head, *rows)
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _share(rate: Rate) -> str:
    """Without the interval, for what is neither right nor wrong; none is said with the number tried."""
    if rate.value is None:
        return "-"
    if rate.count == 0:
        return f"0 of {rate.trials}"
    return f"all of {rate.trials}" if rate.count == rate.trials else f"{per_cent(rate.value)} %"


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"
