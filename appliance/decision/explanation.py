"""Why a stored decision came out as it did: the numbers behind it, under stable names.

Reads nothing but the decision's facts, and knows people by id only. `reasons` says the same in
words; what another setting would have made of it is for `recompute`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from appliance.decision.rule import (
    DIGITS,
    FINAL_STRANGER_FRAMES,
    WEIGHTS,
)
from appliance.decision.weighing import effective_probes, frame_weight
from appliance.events import CandidateScore, DecisionFacts, FrameScore
from appliance.values import DLIB, DLIB_MIRROR, Grade, Verdict

FAMILIAR_DISTANCE = 0.6
"""dlib's and face_recognition's customary tolerance, shown beside the distance, never decided by."""

_UNIT = 10.0**-DIGITS
"""The last stored digit: the least lead that is no tie."""


@dataclass(frozen=True, slots=True)
class Need:
    """What would have had to be different for another verdict.

    Attributes:
        what: `score`: the leading person's score; `lead`: their lead over the second; `frames`: good
            frames; `greeting`: nobody greeted before.
        by: How much more, or less if negative; of `greeting` 0.
        beyond: It takes more than `by`: exactly as much changes nothing yet.
        verdict: What it would have been.
        subject: Who, if identified.
    """

    what: Literal["score", "lead", "frames", "greeting"]
    by: float
    beyond: bool
    verdict: Verdict
    subject: str | None = None


def needs(facts: DecisionFacts, verdict: Verdict, grade: Grade) -> list[Need]:
    """What would have had to be different: the least change first.

    The leading person's score is thought to change in all frames alike and everything else to stay.
    """
    if not facts.candidates or facts.score is None:
        return []
    if facts.rule == "contradicted":
        return [_without_greeting(facts)]
    if facts.rule == "too_few_frames":
        wanted = (facts.confirm_frames or 0) if grade is Grade.CONFIRMED else FINAL_STRANGER_FRAMES
        missing = max(1, wanted - facts.frames_seen)
        return [Need("frames", missing, beyond=False, verdict=Verdict.STRANGER), _more(facts, facts.score)]
    if verdict is Verdict.IDENTIFIED:
        return [_less(facts, facts.score)]
    found = [_more(facts, facts.score)]
    if facts.rule == "near_threshold":
        found += _to_stranger(facts)
    elif facts.rule == "below_threshold":
        found += _to_undecided(facts, found[0])
    return sorted(found, key=lambda need: abs(need.by))


def explained(facts: DecisionFacts, verdict: Verdict, grade: Grade) -> dict[str, Any]:
    """The decision's reasons as plain values, for JSON.

    Scores, thresholds and margins are similarities without a unit; times are seconds; shares and
    rates run from 0 to 1.
    """
    return {
        "verdict": verdict.value,
        "grade": grade.value,
        "rule": facts.rule,
        "policy_version": facts.policy_version,
        "composition": facts.composition,
        "score": facts.score,
        "threshold": facts.threshold,
        "stricter_threshold": facts.stricter_threshold,
        "strictness": facts.strictness,
        "stranger_band": facts.stranger_band,
        "margin": facts.margin,
        "margin_wanted": facts.margin_wanted,
        "people": [_person(candidate) for candidate in facts.candidates],
        "frames": _frames(facts),
        "frames_seen": facts.frames_seen,
        "confirm_frames": facts.confirm_frames,
        "looks": facts.looks,
        "greeted_before": facts.greeted,
        "repeats_confirmed": facts.repeats_confirmed,
        "error_rates": {
            "fpir": facts.fpir,
            "fnmr": facts.fnmr,
            "references": facts.table[0],
            "probes": facts.table[1],
            "extrapolated": facts.extrapolated,
            "tables": facts.tables,
        },
        "gallery": {"size": facts.gallery_size, "version": facts.gallery_version},
        "needed": [
            {
                "what": need.what,
                "by": need.by,
                "beyond": need.beyond,
                "verdict": need.verdict.value,
                "subject": need.subject,
            }
            for need in needs(facts, verdict, grade)
        ],
    }


def worth(facts: DecisionFacts) -> int:
    """How many independent photographs the frames counted for."""
    if facts.policy_version == 1:
        return facts.table[1]
    return effective_probes(facts.frames)


def shares(facts: DecisionFacts) -> list[float]:
    """What share of the score each frame has, 0 to 1."""
    alike = facts.policy_version == 1
    weights = [1.0 if alike else frame_weight(frame.quality) for frame in facts.frames]
    return [weight / math.fsum(weights) for weight in weights]


def frame_score(facts: DecisionFacts, frame: FrameScore, subject: str) -> float | None:
    """The composition's score of one frame with one person; None if it was not kept."""
    weights = WEIGHTS[facts.composition]
    found = frame.scores.get(subject, {})
    if not set(weights) <= set(found):
        return None
    return round(math.fsum(weight * found[model] for model, weight in weights.items()), DIGITS)


def dlib_distance(candidate: CandidateScore) -> tuple[str, float] | None:
    """Model and mean dlib distance to a person, if a dlib model was compared."""
    for model in (DLIB, DLIB_MIRROR):
        if model in candidate.by_model:
            return model, abs(candidate.by_model[model])
    return None


def wanted_score(facts: DecisionFacts) -> float:
    """What the leading person had to reach: the ordinary threshold, or their own stricter one."""
    return facts.threshold if facts.stricter_threshold is None else facts.stricter_threshold


def _person(candidate: CandidateScore) -> dict[str, Any]:
    dlib = dlib_distance(candidate)
    return {
        "subject": candidate.subject,
        "score": candidate.score,
        "by_model": dict(candidate.by_model),
        "threshold": candidate.threshold,
        "references": candidate.references,
        "strictness": candidate.strictness,
        "dlib_distance": None
        if dlib is None
        else {"model": dlib[0], "distance": dlib[1], "familiar": FAMILIAR_DISTANCE},
    }


def _frames(facts: DecisionFacts) -> list[dict[str, Any]]:
    leading = [candidate.subject for candidate in facts.candidates[:2]]
    return [
        {
            "sequence": frame.sequence,
            "at_s": frame.at_s,
            "media_s": frame.media_s,
            "quality": frame.quality,
            "share": round(share, 4),
            "scores": [
                {
                    "subject": subject,
                    "score": frame_score(facts, frame, subject),
                    "by_model": dict(frame.scores.get(subject, {})),
                }
                for subject in leading
            ],
        }
        for frame, share in zip(facts.frames, shares(facts), strict=True)
    ]


def _least_lead(facts: DecisionFacts) -> float:
    """The lead that names somebody: the one wanted, and never none at all."""
    return max(facts.margin_wanted, _UNIT)


def _more(facts: DecisionFacts, score: float) -> Need:
    """How much more names the leading person: to the threshold, and to the lead, which grows with it."""
    lead = 0.0 if facts.margin is None else _least_lead(facts) - facts.margin
    reach = wanted_score(facts) - score
    what: Literal["score", "lead"] = "lead" if lead > reach else "score"
    return Need(
        what,
        round(max(reach, lead), DIGITS),
        beyond=False,
        verdict=Verdict.IDENTIFIED,
        subject=facts.candidates[0].subject,
    )


def _less(facts: DecisionFacts, score: float) -> Need:
    """How much less no longer names them."""
    reach = score - wanted_score(facts)
    lead = math.inf if facts.margin is None else facts.margin - _least_lead(facts)
    what: Literal["score", "lead"] = "lead" if lead < reach else "score"
    if what == "lead" and facts.margin is not None and facts.margin_wanted < _UNIT:
        # Any lead is enough: without one it is a tie, and beyond that somebody else's.
        return Need(what, -facts.margin, beyond=False, verdict=Verdict.UNDECIDED)
    # Without a band, and with nobody else near, just below the threshold begins the stranger.
    stranger = (
        what == "score"
        and facts.stricter_threshold is None
        and facts.stranger_band < _UNIT
        and not _near(facts.candidates[1:], facts)
        and facts.greeted is None
    )
    return Need(
        what,
        round(-min(reach, lead), DIGITS),
        beyond=True,
        verdict=Verdict.STRANGER if stranger else Verdict.UNDECIDED,
    )


def _near(candidates: Sequence[CandidateScore], facts: DecisionFacts) -> bool:
    """Whether one of them keeps the rule from saying stranger."""
    return any(candidate.score >= _band_edge(candidate, facts) for candidate in candidates)


def _band_edge(candidate: CandidateScore, facts: DecisionFacts) -> float:
    threshold = facts.threshold if candidate.threshold is None else candidate.threshold
    return round(threshold - facts.stranger_band, DIGITS)


def _to_stranger(facts: DecisionFacts) -> list[Need]:
    """How much less would have been a stranger, unless others are near as well or were greeted."""
    best, others = facts.candidates[0], facts.candidates[1:]
    if _near(others, facts) or facts.greeted is not None or facts.frames_seen < FINAL_STRANGER_FRAMES:
        return []
    by = round(_band_edge(best, facts) - best.score, DIGITS)
    return [Need("score", by, beyond=True, verdict=Verdict.STRANGER)]


def _to_undecided(facts: DecisionFacts, named: Need) -> list[Need]:
    """How much more would have been too near to call a stranger, if that is less than to be named."""
    best = facts.candidates[0]
    by = round(_band_edge(best, facts) - best.score, DIGITS)
    if by >= named.by:
        return []
    return [Need("score", by, beyond=False, verdict=Verdict.UNDECIDED)]


def _without_greeting(facts: DecisionFacts) -> Need:
    """What the same scores would have said had nobody been greeted before."""
    best = facts.candidates[0]
    named = best.score >= wanted_score(facts)
    return Need(
        "greeting",
        0.0,
        beyond=False,
        verdict=Verdict.IDENTIFIED if named else Verdict.STRANGER,
        subject=best.subject if named else None,
    )
