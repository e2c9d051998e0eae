"""Decisions about encounters, what they were made of, and what was said of them afterwards."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from appliance.events.event import Event
from appliance.values import Grade, Verdict


class CandidateScore(BaseModel):
    """A subject in a decision's ranked list.

    Attributes:
        subject: Who, by opaque id.
        score: The composition's score, a similarity: mean over references and frames.
        references: References it is a mean over.
        by_model: The same per model.
        strictness: By what the wanted false-match rate is divided for this person.
        threshold: The ordinary one for so many references; None in decisions of policy 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    subject: str
    score: float
    references: int
    by_model: Mapping[str, float]
    strictness: float = 1.0
    threshold: float | None = None


class FrameScore(BaseModel):
    """One frame that a decision used, with what a what-if needs to recompute it.

    Attributes:
        sequence: The camera's frame number.
        at_s: Monotonic seconds; differences tell which frames count as probes of their own.
        media_s: Position in the recording, seconds, if it was one.
        quality: Total quality, 0 to 100.
        box: Left, top, width, height of the face in the full frame, pixels.
        scores: subject → model → comparison score, for the leading subjects.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    sequence: int
    at_s: float
    media_s: float | None
    quality: float
    box: tuple[float, float, float, float]
    scores: Mapping[str, Mapping[str, float]]


class DecisionFacts(BaseModel):
    """Why a decision came out as it did.

    Attributes:
        rule: The policy line that decided. Identified: `score_and_margin`. Stranger: `below_threshold`,
            `empty_gallery`. Undecided: `near_threshold`, `stricter_person`, `look_alike`, `tie`,
            `contradicted`, `too_few_frames`.
        score: Best score of the composition; None with an empty gallery.
        threshold: What it was held against: the ordinary threshold of the leading person.
        margin: Lead over the second person; None when there is no second.
        margin_wanted: The lead that was needed.
        stranger_band: A score this close below the threshold was undecided.
        fpir: The false-positive identification rate that was wanted of the whole encounter.
        looks: Tries so far at least a second apart, among which that rate was divided.
        table: References and probes of the table of error rates that was used.
        fnmr: Share of mated comparisons below the threshold, by that table; None beyond it.
        extrapolated: The threshold lies beyond the measured tables.
        gallery_size: Subjects searched.
        gallery_version: Version of the gallery searched.
        references: References of the leading subject.
        frames_seen: Good frames of the encounter so far; those used are in `frames`.
        candidates: The leading people, best first; the first two are who the margin is between.
        frames: The frames that were used, in order.
        strictness: By what the wanted false-match rate is divided for the leading person.
        stricter_threshold: What that makes of the threshold; None when the strictness is 1.
        confirm_frames: Good frames that a confirmation needed.
        greeted: Who had been greeted in this encounter before.
        repeats_confirmed: A final decision that repeats the confirmed one, whose facts these are: at
            the end by itself it would have been undecided.
        tables: Which tables of error rates: the beginning of their digest.
        policy_version: Of the rule. 1 counted all frames alike and cannot be recomputed exactly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    rule: str
    composition: str
    score: float | None
    threshold: float
    margin: float | None
    margin_wanted: float
    stranger_band: float
    fpir: float
    looks: int
    table: tuple[int, int]
    fnmr: float | None
    extrapolated: bool
    gallery_size: int
    gallery_version: int
    references: int
    frames_seen: int
    candidates: tuple[CandidateScore, ...]
    frames: tuple[FrameScore, ...]
    strictness: float = 1.0
    stricter_threshold: float | None = None
    confirm_frames: int | None = None
    greeted: str | None = None
    repeats_confirmed: bool = False
    tables: str = ""
    policy_version: Literal[1, 2] = 2


class _Decided(Event):
    """A decision about an encounter."""

    graded: ClassVar[bool] = True
    encounter: str
    grade: Grade
    facts: DecisionFacts


class SubjectIdentified(_Decided):
    """Somebody enrolled was recognised."""

    type: Literal["subject_identified"] = "subject_identified"
    subject: str
    repeated: bool = False
    """Seen again soon after an encounter: logged, not greeted again."""


class StrangerSeen(_Decided):
    """Somebody who is not enrolled; said at confirmed or final only."""

    type: Literal["stranger_seen"] = "stranger_seen"


class PersonUndecided(_Decided):
    """An encounter ended without an answer; no image is kept."""

    type: Literal["person_undecided"] = "person_undecided"


class DecisionCorrected(Event):
    """Somebody who knows says who it really was. The decision stays as it was; nothing is learned from it.

    The newest one of an encounter holds. One that says what the decision said takes an earlier one back.
    """

    type: Literal["decision_corrected"] = "decision_corrected"
    encounter: str
    corrects: str
    """Id of the decision's event."""
    was: Verdict
    was_subject: str | None = None
    """Who the decision named, if anybody."""
    verdict: Literal["identified", "stranger", "unknown"]
    """What it was: somebody enrolled, somebody who is not, or nobody can say."""
    subject: str | None = None
    """Who it was, if enrolled."""


class StrangerRetracted(Event):
    """Called a stranger before, and now identified; the capture is dropped."""

    type: Literal["stranger_retracted"] = "stranger_retracted"
    encounter: str
    retracts: str
    """Id of the `stranger_seen` event."""
