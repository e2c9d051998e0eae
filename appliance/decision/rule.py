"""The rule: what was observed and what is asked for in, one conclusion with its reasons out.

A pure function of numbers that are all stored with the decision, rounded before they are used,
in a fixed order of float64 arithmetic: recomputing from a stored event gives the same score,
threshold, verdict and rule to the last bit. The rule's names are stored too; what a rule means
changes only with a new `policy_version` of `DecisionFacts`. Which people and frames get here is
for `policy`, when a decision is due for `encounter`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.decision.tables import ErrorTables, OperatingPoint
from appliance.decision.weighing import effective_probes, frame_weight
from appliance.events import CandidateScore, DecisionFacts, FrameScore
from appliance.values import DLIB, DLIB_MIRROR, SFACE, Grade, ModelId, SubjectId, Verdict

WEIGHTS: Mapping[str, Mapping[ModelId, float]] = {
    "fused": {SFACE: 1.0, DLIB_MIRROR: 0.5},
    "dlib": {DLIB: 1.0},
    "dlib-mirror": {DLIB_MIRROR: 1.0},
    "sface": {SFACE: 1.0},
}
"""Composition → model → weight of its similarity. A dlib similarity is the negative distance,
so `fused` is SFace cosine - 0.5 x dlib distance, as the tables were measured."""

DIGITS = 6
"""Digits after the point of every stored score, threshold and margin: float32 has seven in all."""

FINAL_STRANGER_FRAMES = 2
"""A stranger at the end of an encounter needs this many good frames; one frame of somebody
enrolled is too easily a bad one, and calling them a stranger stores their picture."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a decision.

    Attributes:
        composition: A key of `WEIGHTS`.
        fpir: Wanted false-positive identification rate of the encounter, above 0 and below 1.
        margin: Wanted lead over the second person.
        stranger_band: A score this close below the threshold is undecided.
        threshold: Instead of the measured one, for a what-if. A stricter person's own threshold is
            then the larger of this and the measured one.
    """

    composition: str
    fpir: float
    margin: float
    stranger_band: float
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the shortlist.

    Attributes:
        subject: Who.
        references: How many references they have.
        strictness: By what the wanted FMR is divided for them, at least 1.
    """

    subject: SubjectId
    references: int
    strictness: float = 1.0


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known about one encounter when a decision is due; all of it is stored.

    Attributes:
        people: The shortlist, in any order.
        frames: The frames to use, at least one, with the scores of everybody on the shortlist.
        frames_seen: Good frames so far, those not kept included.
        looks: How often the rule has been tried on this encounter at least `INDEPENDENT_S` apart,
            this time included. The wanted FPIR is of the encounter, so each look gets its share of
            it (Bonferroni): staying longer must not make a stranger likelier to pass.
        gallery_size: Subjects searched.
        gallery_version: Version of the gallery searched.
        confirm_frames: Good frames that a confirmed decision needs; None outside of an encounter.
        greeted: Who was greeted in this encounter before, if anybody.
    """

    people: Sequence[Person]
    frames: Sequence[FrameScore]
    frames_seen: int
    looks: int
    gallery_size: int
    gallery_version: int
    confirm_frames: int | None = None
    greeted: SubjectId | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What the rule says, and why.

    Attributes:
        verdict: Identified, stranger or undecided.
        subject: Who, when identified; else None.
        facts: The reasons, as stored with the event.
    """

    verdict: Verdict
    subject: SubjectId | None
    facts: DecisionFacts


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A person of the shortlist with what the rule holds against each other; all rounded."""

    person: Person
    score: float
    by_model: Mapping[ModelId, float]
    point: OperatingPoint
    threshold: float
    stricter_threshold: float


def judge(observed: Observed, asked: Asked, tables: ErrorTables) -> Conclusion:
    """Apply the rule; `at_grade` then says what the grade makes of it.

    Candidates are ranked by score; of equal scores the smaller id comes first, but equal scores of
    two people never name anybody (`tie`).

    Raises:
        ValueError: No frame, a score that is missing, or no table of this composition.
    """
    if not observed.frames:
        raise ValueError("a conclusion needs at least one frame")
    at = _Points(tables, asked, observed)
    ranked = _ranked(observed, asked, at)
    best = ranked[0] if ranked else None
    margin = round(ranked[0].score - ranked[1].score, DIGITS) if len(ranked) > 1 else None
    verdict, rule = _apply(ranked, margin, asked)
    subject = best.person.subject if verdict is Verdict.IDENTIFIED and best is not None else None
    if observed.greeted is not None and (
        verdict is Verdict.STRANGER or (subject is not None and subject != observed.greeted)
    ):
        # Whoever is greeted as Ann and then looks like Ben, or like nobody, was taken for the wrong
        # one once: which time is not known.
        verdict, subject, rule = Verdict.UNDECIDED, None, "contradicted"
    point = best.point if best is not None else at.point(references=1)
    strict = best is not None and best.person.strictness > 1
    facts = DecisionFacts(
        rule=rule,
        composition=asked.composition,
        score=best.score if best is not None else None,
        threshold=best.threshold if best is not None else _threshold(point, asked),
        margin=margin,
        margin_wanted=asked.margin,
        stranger_band=asked.stranger_band,
        fpir=asked.fpir,
        looks=observed.looks,
        table=(point.references, point.probes),
        fnmr=None if point.fnmr is None else round(point.fnmr, DIGITS),
        extrapolated=point.extrapolated,
        gallery_size=observed.gallery_size,
        gallery_version=observed.gallery_version,
        references=best.person.references if best is not None else 0,
        frames_seen=observed.frames_seen,
        candidates=tuple(
            CandidateScore(
                subject=candidate.person.subject,
                score=candidate.score,
                references=candidate.person.references,
                by_model={str(model): score for model, score in candidate.by_model.items()},
                strictness=candidate.person.strictness,
                threshold=candidate.threshold,
            )
            for candidate in ranked
        ),
        frames=tuple(observed.frames),
        strictness=best.person.strictness if best is not None else 1.0,
        stricter_threshold=best.stricter_threshold if best is not None and strict else None,
        confirm_frames=observed.confirm_frames,
        greeted=observed.greeted,
        tables=tables.fingerprint,
    )
    return Conclusion(verdict, subject, facts)


def at_grade(conclusion: Conclusion, grade: Grade) -> Conclusion:
    """The conclusion as this grade may say it: nobody is called a stranger on too few frames.

    Never at a greeting; at a confirmation from `confirm_frames` on; at the end from
    `FINAL_STRANGER_FRAMES` on, for the encounter brings no more.
    """
    if conclusion.verdict is not Verdict.STRANGER:
        return conclusion
    facts = conclusion.facts
    needed = {
        Grade.GREETING: math.inf,
        Grade.CONFIRMED: facts.confirm_frames or 0,
        Grade.FINAL: FINAL_STRANGER_FRAMES,
    }[grade]
    if facts.frames_seen >= needed:
        return conclusion
    return Conclusion(Verdict.UNDECIDED, None, facts.model_copy(update={"rule": "too_few_frames"}))


def _apply(ranked: Sequence[_Candidate], margin: float | None, asked: Asked) -> tuple[Verdict, str]:
    """The line of the policy that decides, by name."""
    if not ranked:
        return Verdict.STRANGER, "empty_gallery"
    best = ranked[0]
    if best.score < best.threshold:
        # Somebody with more references has a lower threshold and may be nearer to it than the first.
        band = asked.stranger_band
        near = any(candidate.score >= round(candidate.threshold - band, DIGITS) for candidate in ranked)
        return (Verdict.UNDECIDED, "near_threshold") if near else (Verdict.STRANGER, "below_threshold")
    if margin is not None and margin <= 0:
        return Verdict.UNDECIDED, "tie"
    if best.score < best.stricter_threshold:
        return Verdict.UNDECIDED, "stricter_person"
    if margin is not None and margin < asked.margin:
        return Verdict.UNDECIDED, "look_alike"
    return Verdict.IDENTIFIED, "score_and_margin"


class _Points:
    """Operating points of one decision, by references and strictness."""

    def __init__(self, tables: ErrorTables, asked: Asked, observed: Observed) -> None:
        self._tables = tables
        self._composition = asked.composition
        self._probes = effective_probes(observed.frames)
        self._size = max(1, observed.gallery_size)
        self._fpir = asked.fpir / max(1, observed.looks)

    def point(self, references: int, strictness: float = 1.0) -> OperatingPoint:
        """The measured one."""
        return self._tables.operating_point(
            self._composition,
            references=references,
            probes=self._probes,
            gallery_size=self._size,
            fpir=self._fpir,
            strictness=strictness,
        )


def _ranked(observed: Observed, asked: Asked, at: _Points) -> list[_Candidate]:
    """The shortlist with scores and thresholds, best first."""
    weights = WEIGHTS[asked.composition]
    shares = [frame_weight(frame.quality) for frame in observed.frames]
    total = math.fsum(shares)
    found: list[_Candidate] = []
    for person in observed.people:
        by_model = {
            model: round(
                math.fsum(
                    share * _score(frame, person, model)
                    for share, frame in zip(shares, observed.frames, strict=True)
                )
                / total,
                DIGITS,
            )
            for model in sorted(weights)
        }
        score = round(math.fsum(weight * by_model[model] for model, weight in weights.items()), DIGITS)
        point = at.point(person.references)
        threshold = stricter = _threshold(point, asked)
        if person.strictness > 1:  # of everybody else a threshold that is asked for holds, lower ones too
            strict = at.point(person.references, person.strictness)
            stricter = max(threshold, round(strict.threshold, DIGITS))
        found.append(_Candidate(person, score, by_model, point, threshold, stricter))
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.person.subject))


def _score(frame: FrameScore, person: Person, model: ModelId) -> float:
    try:
        return frame.scores[person.subject][model]
    except KeyError:
        raise ValueError(
            f"frame {frame.sequence} has no {model} score of somebody on the shortlist"
        ) from None


def _threshold(point: OperatingPoint, asked: Asked) -> float:
    """The ordinary one: measured, unless another is asked for."""
    return round(point.threshold if asked.threshold is None else asked.threshold, DIGITS)
