"""What becomes of one camera's encounters, put on record: decisions, retractions, captures when they are due.

Works on the frames' own time. It decides nothing (`decision` does), keeps no pictures (`stays`), and seals
nothing itself: `records` does, when told.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from appliance.decision import GradedDecision
from appliance.events import CaptureSkipped, PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.pipeline.records import Recording
from appliance.pipeline.stays import Stay
from appliance.settings import EncounterSettings, EvidenceSettings
from appliance.values import FrameStamp, Grade, Verdict

_SETTLE_S = 2.0
"""Seconds from calling somebody a stranger to sealing: they come nearer, and the best pictures come last."""


class Outcomes:
    """The outcomes of a camera's encounters.

    Args:
        camera: Its id.
        encounters: `repeat_after_s` is how soon somebody who comes back is not greeted again.
        evidence: Whether anybody could open a capture.
        records: Where events and captures go.
    """

    def __init__(
        self, camera: str, encounters: EncounterSettings, evidence: EvidenceSettings, records: Recording
    ) -> None:
        self._camera = camera
        self._repeat_after_s = encounters.repeat_after_s
        self._evidence = evidence
        self._records = records
        self._last_seen_s: dict[str, float] = {}

    def present(self, subject: str, now_s: float) -> None:
        """Somebody identified is still there."""
        self._last_seen_s[subject] = now_s

    def forget_others(self, enrolled: Collection[str]) -> None:
        """Only these people are enrolled any more: when others were here last is nobody's business."""
        self._last_seen_s = {who: at for who, at in self._last_seen_s.items() if who in enrolled}

    def close(self, stay: Stay, at: datetime, last_s: float) -> None:
        """An encounter is over: its capture, if one is due, and its final decision."""
        if stay.awaits_capture:
            self._capture(stay, at)
        decision = stay.encounter.finish()
        if decision is not None:
            self.decided(stay, decision, at, last_s)
        if stay.awaits_capture:
            self._capture(stay, at)
        self._records.forget(stay.encounter_id)

    def decided(self, stay: Stay, decision: GradedDecision, at: datetime, now_s: float) -> None:
        """Put a decision on record, with what goes with it."""
        place: dict[str, Any] = {"camera": self._camera, "door": stay.door, "visit": stay.visit}
        conclusion, records = decision.conclusion, self._records
        facts: dict[str, Any] = {
            "encounter": stay.encounter_id,
            "grade": decision.grade,
            "facts": conclusion.facts,
            **place,
        }
        stay.score, stay.threshold = conclusion.facts.score, conclusion.facts.threshold
        stay.grade, stay.rule = decision.grade, conclusion.facts.rule
        if conclusion.subject is not None:
            if decision.retracts_stranger:
                records.retract(stay.encounter_id, place, at)
                stay.stranger, stay.captured = None, False
            if stay.label != conclusion.subject:
                stay.label = conclusion.subject
                stay.repeated = self._seen_lately(conclusion.subject, now_s)
            self._last_seen_s[conclusion.subject] = now_s
            identified = SubjectIdentified(subject=conclusion.subject, repeated=stay.repeated, **facts)
            records.log([identified], at)
            if decision.grade is not Grade.GREETING:
                stay.pictures.clear()
        elif conclusion.verdict is Verdict.STRANGER:
            stay.label = None
            seen = StrangerSeen(**facts)
            records.stranger(seen, at)
            if stay.stranger is None:
                stay.stranger, stay.stranger_since_s = seen, now_s
        else:
            records.log([PersonUndecided(**facts)], at)

    def seal_settled(self, stays: Iterable[Stay], stamp: FrameStamp) -> None:
        """Seal the strangers of whom the best pictures have had time to come."""
        for stay in stays:
            if stay.awaits_capture and stamp.monotonic_s - stay.stranger_since_s >= _SETTLE_S:
                self._capture(stay, stamp.wall)

    def _capture(self, stay: Stay, at: datetime) -> None:
        """Have the kept pictures sealed, once per encounter, in the order they were taken."""
        seen = stay.stranger
        if seen is None:
            return
        pictures = sorted(stay.pictures, key=lambda kept: kept.stamp.sequence)
        stay.captured = True
        stay.pictures.clear()
        if pictures:
            self._records.capture(seen, pictures, at)
            return
        skipped = CaptureSkipped(
            encounter=stay.encounter_id,
            reason="no_frame" if self._evidence.recipients else "no_recipient",
            camera=seen.camera,
            door=seen.door,
            visit=seen.visit,
        )
        self._records.log([skipped], at)

    def _seen_lately(self, subject: str, now_s: float) -> bool:
        last = self._last_seen_s.get(subject)
        return last is not None and now_s - last < self._repeat_after_s
