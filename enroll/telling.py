"""What became of pictures, and what the gallery risks now: said at the terminal, and as JSON.

Names go to whoever typed the command and nowhere else: not into logs, not into errors.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from appliance.evaluation.leave_one_out import Outcome
from appliance.evaluation.safety import PROBES, SafetyReport
from appliance.evaluation.safety_words import short
from appliance.store import Store, Subject
from appliance.values import SubjectId
from enroll.photos import Candidate, Verdict, told

_OPTIONS: Mapping[str, str] = {
    "SEVERAL_FACES": "--face N or --face largest",
    "NO_SUCH_FACE": "--face N or --face largest",
    "LOOKS_LIKE": "--to ID, or --although-alike",
    "DOES_NOT_MATCH": "--although-different",
}
"""How to go on with `appliance enroll add`, by reason."""


class Names:
    """What to call people, as the store has them now.

    Args:
        subjects: Whoever may be spoken of.
    """

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._names = {subject.id: label(subject) for subject in subjects}

    @classmethod
    def of(cls, store: Store) -> "Names":
        """Everybody enrolled."""
        return cls(store.subjects())

    def __call__(self, subject: SubjectId) -> str:
        """A name; the id of whoever has none."""
        return self._names.get(subject, subject)

    def with_id(self, subject: SubjectId) -> str:
        """A name, and the id by which a command takes it."""
        return f"{self(subject)} ({subject})"


def label(subject: Subject) -> str:
    """What to call somebody: by name, unless it is damaged."""
    return subject.name if subject.name is not None else f"{subject.id} (name damaged)"


def say(said: Mapping[str, Any], words: str, *, as_json: bool) -> None:
    """One result, either way."""
    click.echo(json.dumps(said, indent=1) if as_json else words)


def verdict_lines(verdict: Verdict, names: Names) -> Iterator[str]:
    """What became of a picture, and what to do; indented below the first line."""
    yield f"{verdict.label}: {verdict.words}"
    for face in verdict.faces:
        yield f"    face {face.number}: {_face(face)}"
    if verdict.same_as is not None:
        yield f"    it was given for {names.with_id(verdict.same_as)}"
    if "LOOKS_LIKE" in verdict.reasons:
        for each in verdict.alike:
            yield (
                f"    looks like {names.with_id(each.subject)}: "
                f"score {each.score:.3f}, threshold {each.threshold:.3f}"
            )
    if "DOES_NOT_MATCH" in verdict.reasons and verdict.own is not None:
        yield f"    score {verdict.own[0]:.3f} with their own pictures, threshold {verdict.own[1]:.3f}"
    for reason in verdict.reasons:
        option = f" ({_OPTIONS[reason]})" if reason in _OPTIONS else ""
        yield f"    {told(reason).advice}{option}"


def _face(face: Candidate) -> str:
    box = face.face.box
    wrong = f", {'; '.join(told(reason).words for reason in face.face.reasons)}" if face.face.reasons else ""
    return (
        f"{face.place}, {box.width:.0f} x {box.height:.0f} pixels at {box.x:.0f}, {box.y:.0f}, "
        f"quality {face.face.quality:.0f}{wrong}"
    )


def verdict_json(verdict: Verdict, names: Names) -> dict[str, Any]:
    """Likewise with stable names; boxes are x, y, width, height in pixels."""
    return {
        "photo": verdict.label,
        "accepted": verdict.accepted,
        "reasons": list(verdict.reasons),
        "words": verdict.words,
        "advice": verdict.advice,
        "quality": round(verdict.quality, 1),
        "faces": [
            {
                "face": face.number,
                "place": face.place,
                "box": [round(v, 1) for v in (box.x, box.y, box.width, box.height)],
                "quality": round(face.face.quality, 1),
                "reasons": list(face.face.reasons),
            }
            for face in verdict.faces
            for box in [face.face.box]
        ],
        "same_as": None if verdict.same_as is None else _person(verdict.same_as, names),
        "alike": [
            {
                **_person(each.subject, names),
                "score": round(each.score, 4),
                "threshold": round(each.threshold, 4),
            }
            for each in verdict.alike
        ],
        "own": None
        if verdict.own is None
        else {"score": round(verdict.own[0], 4), "threshold": round(verdict.own[1], 4)},
    }


def _person(subject: SubjectId, names: Names) -> dict[str, str]:
    return {"subject": subject, "name": names(subject)}


@dataclass(frozen=True, slots=True)
class Safety:
    """What the gallery risks after a change, in its short form; the whole is `appliance enroll report`.

    Attributes:
        report: Of the gallery as it is now.
        names: Of everybody in it.
    """

    report: SafetyReport
    names: Names

    def say(self) -> None:
        """For people."""
        for line in short(self.report, self.names):
            click.echo(line)

    def as_json(self) -> dict[str, Any]:
        """With stable names."""
        report = self.report
        return {
            "people": report.people,
            "references": report.references,
            "fpir": report.rule.fpir,
            "expected": [
                {"probes": probes, "fnir": each.fnir, "fnir_at_least": each.at_least}
                for probes, each in zip(PROBES, report.expected, strict=False)
            ],
            "confusable_pairs": sum(pair.confusable for pair in report.pairs),
            "mistaken_references": report.outcomes.get(Outcome.MISTAKEN, 0),
            "one_reference": len(report.single),
            "low_quality": len(report.poor),
        }


def say_with(safety: Safety, said: Mapping[str, Any], words: str, *, as_json: bool) -> None:
    """The result of a change, and what the gallery risks after it, either way."""
    say({**said, "safety": safety.as_json()}, words, as_json=as_json)
    if not as_json:
        safety.say()
