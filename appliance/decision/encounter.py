"""One encounter: which frames count, and which grade of decision is due when.

An encounter is one person's stay in the picture: a track, or the part of one until somebody else's face is
in it (`continuity`). It is a state machine over good frames: a greeting after the first that identifies, a
confirmation after enough of them, a final word at the end. Time comes with the frames. It follows no face
from frame to frame and begins no other encounter.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.decision.continuity import same_face
from appliance.decision.policy import FrameEvidence, Policy
from appliance.decision.recompute import repeated
from appliance.decision.rule import Conclusion, at_grade
from appliance.decision.weighing import INDEPENDENT_S
from appliance.settings import EncounterSettings
from appliance.values import Grade, SubjectId, SubjectScores, Templates, Verdict

_SECOND_LOOK_S = 1.0
"""Somebody confirmed is looked at again this often: a stranger for a retraction, anybody because another may
have stepped into their place."""

Sighting = tuple[FrameEvidence, Templates]
"""A good frame with the templates of its face."""


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
        self._kept: list[Sighting] = []
        self._latest: Templates | None = None
        self._held: Sighting | None = None
        self._newcomer: tuple[Sighting, ...] = ()
        self._seen = 0
        self._looks = 0
        self._last_look_s: float | None = None
        self._greeted: SubjectId | None = None
        self._confirmed: Conclusion | None = None
        self._last_frame_s: float | None = None
        self._compared_s: float | None = None
        self._lost_sight = False

    @property
    def good_frames(self) -> int:
        """Good frames seen so far."""
        return self._seen

    @property
    def identified(self) -> bool:
        """Confirmed as somebody enrolled; further frames only tell whether it is still them."""
        return self._confirmed is not None and self._confirmed.verdict is Verdict.IDENTIFIED

    @property
    def kept(self) -> tuple[Sighting, ...]:
        """The best good frames so far, best first."""
        return tuple(self._kept)

    @property
    def held(self) -> Sighting | None:
        """The latest frame, if its face is not the one before: held back until the next says whose it is."""
        return self._held

    @property
    def newcomer(self) -> tuple[Sighting, ...]:
        """The frames, two and earliest first, of somebody who has taken this person's place; usually none.

        With them this encounter is over: to be finished, and another begun with them.
        """
        return self._newcomer

    def wants_frame(self, now_s: float) -> bool:
        """Whether another frame could still change anything."""
        if self._confirmed is None or self._held is not None or self._lost_sight:
            return True
        last_s = self._compared_s if self.identified else self._last_frame_s
        return last_s is None or now_s - last_s >= _SECOND_LOOK_S

    def lose_sight(self) -> None:
        """The face was out of sight for a moment: whoever is seen next is to be looked at."""
        self._lost_sight = True

    def add(self, frame: FrameEvidence, templates: Templates) -> list[GradedDecision]:
        """Take a good frame in; returns the decisions that are now due, usually none or one.

        A frame whose face is not the one before is held back and counts for nothing: it was a bad frame, if
        the next is like those before it; if the next is like it, they are a `newcomer`'s. Of somebody
        identified there is enough to decide upon: their frames only tell that it is still them.
        """
        self._compared_s, self._lost_sight = frame.at_s, False
        if not self._same(templates, self._known()):
            if self._held is not None and self._same(templates, [self._held[1]]):
                self._newcomer, self._held = (self._held, (frame, templates)), None
            else:
                self._held = (frame, templates)
            return []
        self._held, self._latest = None, templates
        return [] if self.identified else self._take(frame, templates)

    def _known(self) -> list[Templates]:
        """This person's face, as far as it is known: the kept frames, and the latest that was like them."""
        return [*(templates for _, templates in self._kept), *([self._latest] if self._latest else [])]

    def _same(self, templates: Templates, known: list[Templates]) -> bool:
        return same_face(templates, known, self._policy.models)

    def _take(self, frame: FrameEvidence, templates: Templates) -> list[GradedDecision]:
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
        if self._held is not None:
            frame, templates = self._held
            self._held = (replace(frame, scores=compare(templates)), templates)
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
