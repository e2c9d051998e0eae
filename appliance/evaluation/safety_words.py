"""A safety report in words that need no book, and as JSON with stable names.

Whom an id means is told by whoever prints it; nothing here goes to a log.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from appliance.evaluation.leave_one_out import Outcome, Pair, Trial
from appliance.evaluation.safety import PROBES, Expected, SafetyReport
from appliance.values import SubjectId

Names = Callable[[SubjectId], str]
"""What to call somebody."""

_Each = TypeVar("_Each")

_LISTED = 10
"""Of each kind that words name; JSON names them all."""
_NEARLY_ALL = 0.005
"""Measured on some thousand mated comparisons, an FNMR below this says no more than that it is small."""
_ENOUGH = 3
"""References from which on the tables promise little from another."""
_OFTEN = 0.02
"""Share of looks missed above which more references are advised."""


def short(report: SafetyReport, name: Names) -> list[str]:
    """A few lines, for after each change: the promise, and the worst there is to know."""
    if not report.people:
        return ["nobody can be recognised yet"]
    lines = [promise(report)]
    sure = [pair for pair in report.pairs if pair.confusable]
    if sure:
        lines.append(f"{_alike(sure[0], name)}; {_count(len(sure), 'such pair')} in all")
    mistaken = report.outcomes.get(Outcome.MISTAKEN, 0)
    if mistaken:
        lines.append(f"{_count(mistaken, 'enrolled picture')} would be taken for somebody else")
    if report.single:
        lines.append(f"{_people(len(report.single))} with one picture only; a second and third help most")
    if len(lines) > 1:
        lines.append("see: appliance enroll report")
    return lines


def words(report: SafetyReport, name: Names) -> list[str]:
    """The whole report, line by line."""
    if not report.people:
        without = f" ({_people(len(report.without))} without a picture)" if report.without else ""
        return [
            f"nobody can be recognised yet{without}",
            'begin with: appliance enroll add "Name" photo.jpg …',
        ]
    return [
        promise(report),
        *_figures(report),
        *_left_out(report, name),
        *_pairs(report, name),
        *_persons(report, name),
    ]


def promise(report: SafetyReport) -> str:
    """The one sentence: who passes wrongly, and who is recognised."""
    first, later = report.expected
    recognised = f"we expect to recognise {_recognised(first)} of the enrolled at first look"
    if _percent(later) != _percent(first):
        recognised += f", {_recognised(later)} after three good looks"
    return (
        f"with {_people(report.people)} and {_count(report.references, 'picture')}, "
        f"1 in {_thousands(1 / report.rule.fpir)} strangers would pass; {recognised}"
    )


def _figures(report: SafetyReport) -> Iterator[str]:
    yield ""
    yield "pictures each   people   threshold (first look, three)   recognised (first look, three)"
    for level in report.levels:
        thresholds = "  ".join(f"{each:7.3f}" for each in level.thresholds)
        shares = "  ".join(f"{_recognised(each):>12}" for each in level.expected)
        yield f"{level.references:>13}   {level.people:>6}   {thresholds:>29}   {shares:>30}"
    yield "Measured on photographs of other people (LFW). Light and camera at your door are others: see what"
    yield "`appliance events list` says after a week."
    single = next((level for level in report.levels if level.references == 1), None)
    if single is not None and single.expected[0].at_least > _OFTEN:
        yield "With one picture each, more looks are missed; two more of other days help most."


def _left_out(report: SafetyReport, name: Names) -> Iterator[str]:
    tried = sum(report.outcomes.values())
    yield ""
    if not tried:
        yield "Own pictures: nobody has two, so none can be tried against the others."
        return
    said = {
        Outcome.IDENTIFIED: "recognised",
        Outcome.UNDECIDED: "undecided",
        Outcome.NOT_RECOGNISED: "taken for a stranger",
        Outcome.MISTAKEN: "taken for somebody else",
    }
    ended = ", ".join(f"{report.outcomes.get(outcome, 0)} {word}" for outcome, word in said.items())
    yield f"Own pictures, each left out and looked up: {tried} tried, {ended}."
    if tried >= _LISTED:
        yield "(They were often taken on one day; at the door it is harder.)"
    yield from _listed(report.trials, lambda trial: _trial(trial, said[trial.outcome], name))
    if report.trials:
        yield "One of somebody else, or a poor one, goes with: appliance enroll remove-reference REFERENCE"


def _trial(trial: Trial, ended: str, name: Names) -> str:
    lead = "" if trial.margin is None else f", lead {trial.margin:.3f}"
    whom = "" if trial.nearest == trial.subject else f" nearest {name(trial.nearest)},"
    return (
        f"a picture of {name(trial.subject)} ({trial.reference}): {ended};{whom} score {trial.score:.3f}, "
        f"threshold {trial.threshold:.3f}{lead}"
    )


def _pairs(report: SafetyReport, name: Names) -> Iterator[str]:
    if not report.pairs:
        return
    yield ""
    yield "People who look alike:"
    yield from _listed(report.pairs, lambda pair: _alike(pair, name))
    yield "One person twice: appliance enroll merge KEEP OTHER. Two people: give both more pictures, and make"
    yield "it stricter: appliance enroll strictness PERSON 10"


def _alike(pair: Pair, name: Names) -> str:
    how = "could be taken for" if pair.confusable else "comes close to"
    return (
        f"{name(pair.one)} {how} {name(pair.other)} (score {pair.score:.3f}, threshold {pair.threshold:.3f})"
    )


def _persons(report: SafetyReport, name: Names) -> Iterator[str]:
    if report.single or report.poor or report.without or report.stricter:
        yield ""
    if report.without:
        yield f"No picture, so never recognised: {_names(report.without, name)}"
    if report.single:
        yield f"One picture only: {_names(report.single, name)}"
    if report.poor:
        poor = [f"{name(subject)} (quality {quality:.0f})" for subject, quality in report.poor]
        yield f"Poor pictures only; take one that is sharp, frontal and well lit: {_some(poor)}"
    if report.stricter:
        strict = [f"{name(subject)} ({factor:g} times)" for subject, factor in report.stricter]
        yield f"Stricter than usual: {_some(strict)}"


def as_json(report: SafetyReport, name: Names) -> dict[str, Any]:
    """The whole report, with ids and names; rates from 0 to 1, scores as they are compared."""

    def person(subject: SubjectId) -> dict[str, str]:
        return {"subject": subject, "name": name(subject)}

    return {
        "people": report.people,
        "references": report.references,
        "fpir": report.rule.fpir,
        "margin": report.rule.margin,
        "expected": [
            {"probes": probes, "fnir": each.fnir, "fnir_at_least": each.at_least}
            for probes, each in zip(PROBES, report.expected, strict=False)
        ],
        "levels": [
            {
                "references": level.references,
                "people": level.people,
                "points": [
                    {
                        "probes": probes,
                        "threshold": threshold,
                        "fnir": each.fnir,
                        "fnir_at_least": each.at_least,
                    }
                    for probes, threshold, each in zip(PROBES, level.thresholds, level.expected, strict=True)
                ],
            }
            for level in report.levels
        ],
        "leave_one_out": {
            "tried": sum(report.outcomes.values()),
            **{outcome.value: report.outcomes.get(outcome, 0) for outcome in Outcome},
            "not_identified": [
                {
                    **person(trial.subject),
                    "reference": trial.reference,
                    "outcome": trial.outcome.value,
                    "nearest": person(trial.nearest),
                    "score": trial.score,
                    "threshold": trial.threshold,
                    "margin": trial.margin,
                }
                for trial in report.trials
            ],
        },
        "alike": [
            {
                "one": person(pair.one),
                "other": person(pair.other),
                "score": pair.score,
                "threshold": pair.threshold,
                "confusable": pair.confusable,
            }
            for pair in report.pairs
        ],
        "one_reference": [person(subject) for subject in report.single],
        "low_quality": [{**person(subject), "quality": quality} for subject, quality in report.poor],
        "no_reference": [person(subject) for subject in report.without],
        "stricter": [{**person(subject), "strictness": factor} for subject, factor in report.stricter],
    }


def _listed(found: Sequence[_Each], line: Callable[[_Each], str]) -> Iterator[str]:
    for each in found[:_LISTED]:
        yield f"  {line(each)}"
    if len(found) > _LISTED:
        yield f"  and {len(found) - _LISTED} more, see: --json"


def _names(subjects: tuple[SubjectId, ...], name: Names) -> str:
    return _some([name(subject) for subject in subjects])


def _some(named: list[str]) -> str:
    more = f" and {len(named) - _LISTED} more" if len(named) > _LISTED else ""
    return ", ".join(named[:_LISTED]) + more


def _recognised(expected: Expected) -> str:
    if expected.fnir is None:
        return f"less than {_percent(expected)} %"
    if expected.fnir < _NEARLY_ALL:
        return "more than 99 %"
    return f"{_percent(expected)} %"


def _percent(expected: Expected) -> str:
    return f"{100 * (1 - max(expected.at_least, _NEARLY_ALL)):.3g}"


def _thousands(number: float) -> str:
    return f"{number:,.0f}"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
