"""What can happen: frozen, versioned facts, named in the past tense, append-only names.

An event names people by opaque id only. What is personal travels beside it in `Personal`
and is sealed under the subject's own key by the store, so that destroying the key erases
it while the chain of hashes stands. A type's fields may grow with defaults; any other
change is a new version.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from appliance.errors import EvidenceReason
from appliance.values import DoorState, Grade, Verdict


class Event(BaseModel):
    """What all events share. `type` and `version` are part of what is hashed.

    Attributes:
        camera: Where it was seen, if anywhere.
        door: At which door.
        visit: Groups what happened between a door's opening and its shutting.
        by: Who did it, by the opaque id of an operator, of an API token or of a screen; None: the box, or a
            command on it. The store writes it, see `Store.acting`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = 1
    camera: str | None = None
    door: str | None = None
    visit: str | None = None
    by: str | None = None

    #: Event types whose outbox rows an action with a `grade` filters.
    graded: ClassVar[bool] = False


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

    model_config = ConfigDict(frozen=True, extra="forbid")
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

    model_config = ConfigDict(frozen=True, extra="forbid")
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

    model_config = ConfigDict(frozen=True, extra="forbid")
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


class DoorChanged(Event):
    """The door is now open, shut, or cannot be told."""

    type: Literal["door_opened", "door_shut", "door_unsure"]
    state: DoorState
    fraction: float
    """Share of the region that the flood fill covered, 0 to 1."""


class DoorHeldOpen(Event):
    """The door has not been shut for longer than `held_open_s` of its settings; said once per opening.

    What a door does while the camera is blind or lost is not known: whatever is open afterwards counts anew.
    """

    type: Literal["door_held_open"] = "door_held_open"
    open_s: float
    """Seconds since it was first seen open after it was shut, or after the camera saw nothing."""


class CameraDisturbed(Event):
    """The camera sends pictures, but not of what it used to see; or it does again.

    `camera_moved` has no end: it is said once, and the new view is what it sees from then on.
    """

    type: Literal["camera_moved", "camera_covered", "camera_dark", "camera_frozen", "camera_clear"]
    lasted_s: float | None = None
    """For `camera_clear`: how long it had been disturbed, seconds."""


class StrangerCaptured(Event):
    """Images of a stranger were sealed to the spool; the box cannot open them."""

    type: Literal["stranger_captured"] = "stranger_captured"
    encounter: str | None
    capture: str
    file: str
    sha256: str
    size_bytes: int
    frames: int
    recipients: tuple[str, ...]
    """Fingerprints, never whole keys."""
    expires_at: datetime
    adopted: bool = False
    """Found in the spool at start-up without an event: a crash came in between."""


class CaptureSkipped(Event):
    """A stranger was seen and no image stored."""

    type: Literal["capture_skipped"] = "capture_skipped"
    encounter: str
    reason: EvidenceReason
    """`replay`: a replay that keeps nothing seals nothing."""


class CaptureRemoved(Event):
    """A capture left the spool."""

    type: Literal["capture_removed"] = "capture_removed"
    capture: str
    reason: Literal["retracted", "expired", "cap", "room", "missing", "by_admin", "copied"]


class CameraChanged(Event):
    """A source of frames was lost, or is back."""

    type: Literal["camera_lost", "camera_recovered"]
    reason: str
    """Redacted: never an address with a password."""
    outage_s: float | None = None


class ProcessChanged(Event):
    """One of our processes started, stopped or died and was restarted."""

    type: Literal["process_started", "process_stopped", "process_restarted"]
    process: str
    reason: str = ""
    restarts: int = 0


class SubjectChanged(Event):
    """Somebody was enrolled, renamed, paused, resumed or removed."""

    type: Literal[
        "subject_enrolled", "subject_renamed", "subject_paused", "subject_resumed", "subject_removed"
    ]
    subject: str


class SubjectMerged(Event):
    """Two enrolments were of one person: `subject` took over what `merged` had, who is removed."""

    type: Literal["subject_merged"] = "subject_merged"
    subject: str
    merged: str


class StrictnessChanged(Event):
    """How many times rarer than usual a stranger may be taken for this person."""

    type: Literal["subject_strictness_changed"] = "subject_strictness_changed"
    subject: str
    strictness: float
    """1 is the ordinary threshold; 10 asks for a tenth of the false matches."""


class ReferenceChanged(Event):
    """A reference was added to a subject or removed."""

    type: Literal["reference_added", "reference_removed"]
    subject: str
    reference: str
    models: tuple[str, ...] = ()


class ConsentChanged(Event):
    """A consent was given or withdrawn."""

    type: Literal["consent_given", "consent_withdrawn"]
    subject: str
    purposes: tuple[str, ...]
    text_version: str


class SettingsChanged(Event):
    """Settings were changed in the UI; the values stand in the overlay file, not here."""

    type: Literal["settings_changed"] = "settings_changed"
    keys: tuple[str, ...]
    """With dots, elements of lists by their ids: `doors.front.region`."""


class DeviceKeyChanged(Event):
    """The key that wraps all others was changed for a new one; the old one opens nothing any more."""

    type: Literal["device_key_changed"] = "device_key_changed"
    to: Literal["file", "passphrase", "credential"]
    """Where the new one rests."""


class LogPruned(Event):
    """Retention dropped the oldest events; the checkpoint at their end vouches for them.

    The log verifies only if it begins right after `up_to` of the newest of these.
    """

    type: Literal["log_pruned"] = "log_pruned"
    up_to: int
    """Position of the last that was dropped."""
    events: int
    """How many were dropped."""
    reason: Literal["age", "size"]


class ActionOutcome(Event):
    """An action's end that somebody should know of; plain success is in the outbox only."""

    type: Literal["action_unknown", "action_expired", "action_dead"]
    action: str
    event: str
    reason: str


class OperatorChanged(Event):
    """Somebody was admitted to the admin pages, changed or removed."""

    type: Literal["operator_added", "operator_changed", "operator_removed"]
    operator: str
    role: str
    """As it is now."""
    disabled: bool = False


class SignInLinkMade(Event):
    """A link was made with which an operator sets a password, once."""

    type: Literal["sign_in_link_made"] = "sign_in_link_made"
    operator: str


class PasswordChanged(Event):
    """An operator has another password, and every other session of theirs ended."""

    type: Literal["password_changed"] = "password_changed"
    operator: str


class SignInThrottled(Event):
    """Wrong passwords or codes came too often; said once when it begins. Addresses are not kept."""

    type: Literal["sign_in_throttled"] = "sign_in_throttled"
    scope: Literal["login", "address"]
    """`login`: for one name, whoever tries; `address`: from one place, whatever name."""
    operator: str | None = None
    """Whose name it was; None: nobody's, or not about a name."""


class TokenChanged(Event):
    """A token of the API was made or revoked."""

    type: Literal["token_created", "token_revoked"]
    token: str
    operator: str
    """In whose name it acts."""
    scopes: tuple[str, ...]


class ScreenChanged(Event):
    """An office screen was paired, or its link revoked."""

    type: Literal["screen_paired", "screen_revoked"]
    screen: str


class DoorCalibrated(Event):
    """A door was set up in the UI, from being shown shut and open."""

    type: Literal["door_calibrated"] = "door_calibrated"
    separation: float | None = None
    """How far the two states lay apart, in shares of the shut door's fill; None: it was not shown both."""
    usable: bool | None = None
    """Whether shut and open were told apart as it was saved; None: it was not shown both."""


AnyEvent = Annotated[
    SubjectIdentified
    | StrangerSeen
    | PersonUndecided
    | DecisionCorrected
    | StrangerRetracted
    | DoorChanged
    | DoorHeldOpen
    | CameraDisturbed
    | StrangerCaptured
    | CaptureSkipped
    | CaptureRemoved
    | CameraChanged
    | ProcessChanged
    | SubjectChanged
    | SubjectMerged
    | StrictnessChanged
    | ReferenceChanged
    | ConsentChanged
    | SettingsChanged
    | DeviceKeyChanged
    | LogPruned
    | ActionOutcome
    | OperatorChanged
    | SignInLinkMade
    | PasswordChanged
    | SignInThrottled
    | TokenChanged
    | ScreenChanged
    | DoorCalibrated,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyEvent)


def parse_event(body: Mapping[str, Any]) -> Event:
    """Turn a stored body back into its event.

    Raises:
        pydantic.ValidationError: Unknown type, or fields that do not fit it.
    """
    event: Event = _ADAPTER.validate_python(body)
    return event


def event_types() -> tuple[str, ...]:
    """Every event type there is, in the order of this file."""
    found: list[str] = []
    for cls in get_args(get_args(AnyEvent)[0]):
        found.extend(get_args(cls.model_fields["type"].annotation))
    return tuple(found)


class Personal(BaseModel):
    """What is personal about an event: sealed under `subject`'s key, never in the body.

    Attributes:
        subject: Whose key seals it.
        payload: Free of structure for the store; e.g. `{"note": "…"}`.
    """

    model_config = ConfigDict(frozen=True)
    subject: str
    payload: Mapping[str, Any]
