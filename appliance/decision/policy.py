"""The rule: scores of an encounter's frames in, one conclusion with its reasons out.

Pure, and the same for the running loop, a replay and a later what-if: nothing but the
arguments decides. The rule's names are stored with each decision; change what a rule means
only with a new `POLICY_VERSION`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from appliance.decision.tables import ErrorTables
from appliance.events import CandidateScore, DecisionFacts, FrameScore
from appliance.settings import RecognitionSettings
from appliance.values import (
    DLIB,
    DLIB_MIRROR,
    SFACE,
    Box,
    FloatArray,
    ModelId,
    SubjectId,
    SubjectScores,
    Verdict,
)

WEIGHTS: Mapping[str, Mapping[ModelId, float]] = {
    "fused": {SFACE: 1.0, DLIB_MIRROR: 0.5},
    "dlib": {DLIB: 1.0},
    "dlib-mirror": {DLIB_MIRROR: 1.0},
    "sface": {SFACE: 1.0},
}
"""Composition → model → weight of its similarity. A dlib similarity is the negative distance,
so `fused` is SFace cosine - 0.5 x dlib distance, as the tables were measured."""

INDEPENDENT_S = 1.0
"""Frames closer together than this count as one probe when the threshold is chosen: the tables'
probes are photographs of different days, and frames 0.1 s apart are nearly one photograph."""

_DIGITS = 6
"""Stored digits: float32 has seven, so that a what-if decides what was decided."""

LISTED = 5
"""Candidates kept with a decision."""


@dataclass(frozen=True, slots=True)
class FrameEvidence:
    """One good frame of an encounter, as the decision sees it.

    Attributes:
        sequence: The camera's frame number.
        at_s: Monotonic seconds.
        media_s: Position in the recording, or None.
        quality: Total quality, 0 to 100.
        box: Where the face is in the full frame.
        scores: Its comparison with the gallery.
    """

    sequence: int
    at_s: float
    media_s: float | None
    quality: float
    box: Box
    scores: SubjectScores


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


class Policy:
    """The rule with its settings.

    Args:
        settings: Composition, wanted FPIR, margin, stranger band.
        tables: Measured error rates.
    """

    def __init__(self, settings: RecognitionSettings, tables: ErrorTables) -> None:
        self._settings = settings
        self._tables = tables
        self.weights = WEIGHTS[settings.composition]

    @property
    def models(self) -> tuple[ModelId, ...]:
        """The models whose templates this composition needs, sorted."""
        return tuple(sorted(self.weights))

    def conclude(self, frames: Sequence[FrameEvidence], *, seen: int, looks: int = 1) -> Conclusion:
        """Decide from the good frames of one encounter.

        Args:
            frames: The frames to use, at least one, all compared with the same gallery.
            seen: Good frames seen so far, those not kept included.
            looks: How often the rule has been tried on this encounter at least `INDEPENDENT_S`
                apart, this time included. The wanted FPIR is of the encounter, so each look
                gets its share of it (Bonferroni): staying longer must not make a stranger
                likelier to pass.

        Raises:
            ValueError: No frame, or frames compared with different galleries.
        """
        if not frames or len({frame.scores.gallery_version for frame in frames}) != 1:
            raise ValueError("a conclusion needs frames, all compared with the same gallery")
        gallery = frames[0].scores
        by_model = {
            model: np.mean([frame.scores.by_model[model] for frame in frames], axis=0)
            for model in self.models
        }
        fused = self._fuse(by_model, len(gallery.subjects))
        order = _leaders(fused, LISTED)
        best = order[0] if order else None
        size = len(gallery.subjects)
        point = self._tables.operating_point(
            self._settings.composition,
            references=int(gallery.references[best]) if best is not None else 1,
            probes=_independent(frames),
            gallery_size=max(1, size),
            fpir=self._settings.fpir / max(1, looks),
        )
        score = float(fused[best]) if best is not None else None
        margin = float(fused[best] - fused[order[1]]) if best is not None and len(order) > 1 else None
        verdict, rule = self._rule(score, point.threshold, margin)
        facts = DecisionFacts(
            rule=rule,
            composition=self._settings.composition,
            score=_round(score),
            threshold=round(point.threshold, _DIGITS),
            margin=_round(margin),
            margin_wanted=self._settings.margin,
            stranger_band=self._settings.stranger_band,
            fpir=self._settings.fpir,
            looks=looks,
            table=(point.references, point.probes),
            fnmr=_round(point.fnmr),
            extrapolated=point.extrapolated,
            gallery_size=size,
            gallery_version=gallery.gallery_version,
            references=int(gallery.references[best]) if best is not None else 0,
            frames_seen=seen,
            candidates=tuple(
                CandidateScore(
                    subject=gallery.subjects[i],
                    score=round(float(fused[i]), _DIGITS),
                    references=int(gallery.references[i]),
                    by_model={model: round(float(by_model[model][i]), _DIGITS) for model in self.models},
                )
                for i in order
            ),
            frames=tuple(self._frame_score(frame, order) for frame in frames),
        )
        subject = gallery.subjects[best] if verdict is Verdict.IDENTIFIED and best is not None else None
        return Conclusion(verdict, subject, facts)

    def _rule(self, score: float | None, threshold: float, margin: float | None) -> tuple[Verdict, str]:
        """The policy line that decides, by name."""
        if score is None:
            return Verdict.STRANGER, "empty_gallery"
        if score < threshold - self._settings.stranger_band:
            return Verdict.STRANGER, "below_threshold"
        if score < threshold:
            return Verdict.UNDECIDED, "near_threshold"
        if margin is not None and margin < self._settings.margin:
            return Verdict.UNDECIDED, "look_alike"
        return Verdict.IDENTIFIED, "score_and_margin"

    def _fuse(self, by_model: Mapping[ModelId, FloatArray], size: int) -> FloatArray:
        """The composition's score per subject, float32 (n,)."""
        fused = np.zeros(size, np.float32)
        for model, weight in self.weights.items():
            fused += np.float32(weight) * by_model[model]
        return fused

    def _frame_score(self, frame: FrameEvidence, leaders: Sequence[int]) -> FrameScore:
        box = frame.box
        return FrameScore(
            sequence=frame.sequence,
            at_s=round(frame.at_s, 3),
            media_s=frame.media_s,
            quality=round(frame.quality, 1),
            box=(round(box.x, 1), round(box.y, 1), round(box.width, 1), round(box.height, 1)),
            scores={
                frame.scores.subjects[i]: {
                    model: round(float(frame.scores.by_model[model][i]), _DIGITS) for model in self.models
                }
                for i in leaders
            },
        )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _leaders(scores: FloatArray, count: int) -> list[int]:
    """Indices of the highest scores, highest first; equal scores in the subjects' order."""
    left = scores.copy()
    found: list[int] = []
    for _ in range(min(count, len(scores))):
        best = int(left.argmax())
        found.append(best)
        left[best] = -np.inf
    return found


def _independent(frames: Sequence[FrameEvidence]) -> int:
    """How many frames lie at least `INDEPENDENT_S` after the one counted before."""
    count, last = 0, -np.inf
    for at in sorted(frame.at_s for frame in frames):
        if at - last >= INDEPENDENT_S:
            count += 1
            last = at
    return count
