"""One encounter: which frames count, and which grade of decision is due when.

An encounter is one person's track. It is a state machine over good frames: a greeting
after the first that identifies, a confirmation after enough of them, a final word at the
end. Time comes with the frames.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.decision.policy import FrameEvidence, Policy
from appliance.decision.recompute import repeated
from appliance.decision.rule import Conclusion, at_grade
from appliance.decision.weighing import INDEPENDENT_S
from appliance.settings import EncounterSettings
from appliance.values import Grade, SubjectId, SubjectScores, Templates, Verdict

_SECOND_LOOK_S = 1.0
"""Somebody confirmed as a stranger is looked at again this often, for a retraction."""


@dataclass(frozen=True, slots=True)
class GradedDecision:
    """A conclusion with its grade, to be logged.

    Attributes:
        grade: Greeting, confirmed or final.
        conclusion: What and why.
        retracts_stranger: The person was called a stranger in this encounter before.
    """

    grade: Grade
    conclusion: Conclusion
    retracts_stranger: bool = False


class Encounter:
    """The decision's view of one person's stay.

    Args:
        settings: Frames wanted.
        policy: The rule.
    """

    def __init__(self, settings: EncounterSettings, policy: Policy) -> None:
        self._settings = settings
        self._policy = policy
        self._kept: list[tuple[FrameEvidence, Templates]] = []
        self._seen = 0
        self._looks = 0
        self._last_look_s: float | None = None
        self._greeted: SubjectId | None = None
        self._confirmed: Conclusion | None = None
        self._last_frame_s: float | None = None

    @property
    def good_frames(self) -> int:
        """Good frames seen so far."""
        return self._seen

    @property
    def identified(self) -> bool:
        """Confirmed as somebody enrolled; no further frame is needed."""
        return self._confirmed is not None and self._confirmed.verdict is Verdict.IDENTIFIED

    def wants_frame(self, now_s: float) -> bool:
        """Whether another frame could still change anything."""
        if self._confirmed is None:
            return True
        if self.identified:
            return False
        return self._last_frame_s is None or now_s - self._last_frame_s >= _SECOND_LOOK_S

    def add(self, frame: FrameEvidence, templates: Templates) -> list[GradedDecision]:
        """Take a good frame in; returns the decisions that are now due, usually none or one."""
        self._seen += 1
        self._last_frame_s = frame.at_s
        if self._last_look_s is None or frame.at_s - self._last_look_s >= INDEPENDENT_S:
            self._looks += 1
            self._last_look_s = frame.at_s
        self._kept.append((frame, templates))
        # The best frames are kept; of equals, the earlier.
        self._kept.sort(key=lambda item: (-item[0].quality, item[0].sequence))
        del self._kept[self._settings.keep_frames :]
        conclusion = self._conclude()
        due: list[GradedDecision] = []
        retracts = self._was_stranger()
        if conclusion.verdict is Verdict.IDENTIFIED and conclusion.subject != self._greeted:
            self._greeted = conclusion.subject
            due.append(GradedDecision(Grade.GREETING, conclusion, retracts_stranger=retracts))
        if self._seen >= self._settings.confirm_frames and self._confirms(conclusion):
            self._confirmed = conclusion
            due.append(GradedDecision(Grade.CONFIRMED, conclusion, retracts_stranger=retracts and not due))
        return due

    def rescore(self, compare: Callable[[Templates], SubjectScores]) -> None:
        """The gallery changed: compare the kept frames with the new one."""
        self._kept = [
            (replace(frame, scores=compare(templates)), templates) for frame, templates in self._kept
        ]
        enrolled = set(self._kept[0][0].scores.subjects) if self._kept else set()
        if self._greeted is not None and self._greeted not in enrolled:
            self._greeted = None
        if self.identified and self._confirmed is not None and self._confirmed.subject not in enrolled:
            # Removed or paused meanwhile: whoever stands there is to be looked at anew.
            self._confirmed = None

    def finish(self) -> GradedDecision | None:
        """The encounter is over: its final decision, or None if no frame was ever good."""
        if not self._kept:
            return None
        conclusion = at_grade(self._conclude(), Grade.FINAL)
        if self._confirmed is not None and conclusion.verdict is Verdict.UNDECIDED:
            conclusion = repeated(self._confirmed)
        retracts = self._was_stranger() and conclusion.verdict is Verdict.IDENTIFIED
        return GradedDecision(Grade.FINAL, conclusion, retracts_stranger=retracts)

    def _confirms(self, conclusion: Conclusion) -> bool:
        """Whether this conclusion is the confirmed one, or overturns a stranger's."""
        if self._confirmed is None:
            return conclusion.verdict is not Verdict.UNDECIDED
        return self._was_stranger() and conclusion.verdict is Verdict.IDENTIFIED

    def _was_stranger(self) -> bool:
        return self._confirmed is not None and self._confirmed.verdict is Verdict.STRANGER

    def _conclude(self) -> Conclusion:
        frames = sorted((frame for frame, _ in self._kept), key=lambda frame: frame.sequence)
        return self._policy.conclude(
            frames,
            seen=self._seen,
            looks=self._looks,
            confirm_frames=self._settings.confirm_frames,
            greeted=self._greeted,
        )
