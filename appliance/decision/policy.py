"""From an encounter's comparisons to what the rule is given: the shortlist, and stored digits.

Everybody enrolled is ranked by what was compared; those who lead are kept with the decision, with
each frame's scores rounded as they are stored, and `rule` concludes from nothing else. So the
running loop, a replay and a later what-if conclude alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.decision.rule import (
    DIGITS,
    WEIGHTS,
    Asked,
    Conclusion,
    Observed,
    Person,
    judge,
)
from appliance.decision.tables import ErrorTables
from appliance.decision.weighing import frame_weight
from appliance.events import FrameScore
from appliance.settings import RecognitionSettings
from appliance.values import Box, FloatArray, ModelId, SubjectId, SubjectScores

LISTED = 5
"""People kept with a decision."""


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


class Policy:
    """The rule with its settings.

    Args:
        settings: Composition, wanted FPIR, margin, stranger band.
        tables: Measured error rates.
    """

    def __init__(self, settings: RecognitionSettings, tables: ErrorTables) -> None:
        self._tables = tables
        self._asked = Asked(settings.composition, settings.fpir, settings.margin, settings.stranger_band)
        self.weights = WEIGHTS[settings.composition]

    @property
    def models(self) -> tuple[ModelId, ...]:
        """The models whose templates this composition needs, sorted."""
        return tuple(sorted(self.weights))

    def conclude(
        self,
        frames: Sequence[FrameEvidence],
        *,
        seen: int,
        looks: int = 1,
        confirm_frames: int | None = None,
        greeted: SubjectId | None = None,
    ) -> Conclusion:
        """Decide from the good frames of one encounter; the grade is not looked at.

        Args:
            frames: The frames to use, at least one, all compared with the same gallery.
            seen: Good frames seen so far, those not kept included.
            looks: Tries so far, see `Observed`.
            confirm_frames: Good frames that a confirmation needs.
            greeted: Who was greeted in this encounter before.

        Raises:
            ValueError: No frame, or frames compared with different galleries.
        """
        if not frames or len({frame.scores.gallery_version for frame in frames}) != 1:
            raise ValueError("a conclusion needs frames, all compared with the same gallery")
        gallery = frames[0].scores
        leading = self._shortlist(frames)
        observed = Observed(
            people=[
                Person(gallery.subjects[i], int(gallery.references[i]), float(gallery.strictness[i]))
                for i in leading
            ],
            frames=[self._stored(frame, leading) for frame in frames],
            frames_seen=seen,
            looks=looks,
            gallery_size=len(gallery.subjects),
            gallery_version=gallery.gallery_version,
            confirm_frames=confirm_frames,
            greeted=greeted,
        )
        return judge(observed, self._asked, self._tables)

    def _shortlist(self, frames: Sequence[FrameEvidence]) -> list[int]:
        """Who is kept: those with the highest weighted means over all frames and models, float32.

        The rule ranks again by rounded numbers. Somebody cut off here could have been second there
        only when more than `LISTED` people lie within a few units of the last stored digit, and
        then the margin differs by no more than that.
        """
        shares = np.array([frame_weight(frame.quality) for frame in frames], np.float64)
        shares /= shares.sum()
        fused = np.zeros(len(frames[0].scores.subjects), np.float32)
        for share, frame in zip(shares, frames, strict=True):
            for model, weight in self.weights.items():
                fused += np.float32(share * weight) * frame.scores.by_model[model]
        return _leaders(fused, LISTED)

    def _stored(self, frame: FrameEvidence, leading: Sequence[int]) -> FrameScore:
        """A frame as it is stored: of those who lead, rounded."""
        box, scores = frame.box, frame.scores
        return FrameScore(
            sequence=frame.sequence,
            at_s=round(frame.at_s, 3),
            media_s=frame.media_s,
            quality=round(frame.quality, 1),
            box=(round(box.x, 1), round(box.y, 1), round(box.width, 1), round(box.height, 1)),
            scores={
                scores.subjects[i]: {
                    model: round(float(scores.by_model[model][i]), DIGITS) for model in self.models
                }
                for i in leading
            },
        )


def _leaders(scores: FloatArray, count: int) -> list[int]:
    """Indices of the highest scores, highest first; equal scores in the subjects' order."""
    left = scores.copy()
    found: list[int] = []
    for _ in range(min(count, len(scores))):
        best = int(left.argmax())
        found.append(best)
        left[best] = -np.inf
    return found
