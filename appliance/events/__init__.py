"""What can happen: frozen, versioned facts, named in the past tense, append-only names.

An event names people by opaque id only. What is personal travels beside it in `Personal`
and is sealed under the subject's own key by the store, so that destroying the key erases
it while the chain of hashes stands. A type's fields may grow with defaults; any other
change is a new version.
"""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field, TypeAdapter

from appliance.events.acted import ActionOutcome, GroupChanged, RuleChanged, RuleTried, ScreenAsked
from appliance.events.captured import CaptureRemoved, CaptureSkipped, StrangerCaptured
from appliance.events.clips import (
    ClipBegun,
    ClipDeleted,
    ClipEnd,
    ClipEnded,
    ClipExported,
    ClipFailed,
    NoClip,
    StreamTrouble,
)
from appliance.events.coffee import CoffeeAdded, CoffeeCorrected, CoffeeTaken
from appliance.events.decided import (
    CandidateScore,
    DecisionCorrected,
    DecisionFacts,
    FrameScore,
    PersonUndecided,
    StrangerRetracted,
    StrangerSeen,
    SubjectIdentified,
)
from appliance.events.event import Event, Personal
from appliance.events.hosted import FunctionChanged, FunctionDeployed
from appliance.events.machine import DeviceKeyChanged, LogPruned, ProcessChanged, SettingsChanged
from appliance.events.operators import (
    OperatorChanged,
    PasswordChanged,
    ScreenChanged,
    SignInLinkMade,
    SignInThrottled,
    TokenChanged,
)
from appliance.events.people import (
    ConsentChanged,
    ReferenceChanged,
    StrictnessChanged,
    SubjectChanged,
    SubjectMerged,
)
from appliance.events.searched import ItemChanged, ItemsImported, SearchChanged
from appliance.events.seen import (
    CameraChanged,
    CameraDisturbed,
    DoorCalibrated,
    DoorChanged,
    DoorHeldOpen,
    ObjectSeen,
)
from appliance.events.songs import SongChanged, SongSkipped, SongStarted, SongStopped
from appliance.events.unlocking import KeypadChanged, PinChanged, PinThrottled, UnlockDecided

__all__ = [
    "ActionOutcome",
    "AnyEvent",
    "CameraChanged",
    "CameraDisturbed",
    "CandidateScore",
    "CaptureRemoved",
    "CaptureSkipped",
    "ClipBegun",
    "ClipDeleted",
    "ClipEnd",
    "ClipEnded",
    "ClipExported",
    "ClipFailed",
    "CoffeeAdded",
    "CoffeeCorrected",
    "CoffeeTaken",
    "ConsentChanged",
    "DecisionCorrected",
    "DecisionFacts",
    "DeviceKeyChanged",
    "DoorCalibrated",
    "DoorChanged",
    "DoorHeldOpen",
    "Event",
    "FrameScore",
    "FunctionChanged",
    "FunctionDeployed",
    "GroupChanged",
    "ItemChanged",
    "ItemsImported",
    "KeypadChanged",
    "LogPruned",
    "NoClip",
    "ObjectSeen",
    "OperatorChanged",
    "PasswordChanged",
    "PersonUndecided",
    "Personal",
    "PinChanged",
    "PinThrottled",
    "ProcessChanged",
    "ReferenceChanged",
    "RuleChanged",
    "RuleTried",
    "ScreenAsked",
    "ScreenChanged",
    "SearchChanged",
    "SettingsChanged",
    "SignInLinkMade",
    "SignInThrottled",
    "SongChanged",
    "SongSkipped",
    "SongStarted",
    "SongStopped",
    "StrangerCaptured",
    "StrangerRetracted",
    "StrangerSeen",
    "StreamTrouble",
    "StrictnessChanged",
    "SubjectChanged",
    "SubjectIdentified",
    "SubjectMerged",
    "TokenChanged",
    "UnlockDecided",
    "event_types",
    "parse_event",
]

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
    | DoorCalibrated
    | RuleChanged
    | GroupChanged
    | ScreenAsked
    | ObjectSeen
    | CoffeeTaken
    | CoffeeCorrected
    | CoffeeAdded
    | SongChanged
    | SongStarted
    | SongSkipped
    | SongStopped
    | UnlockDecided
    | PinChanged
    | KeypadChanged
    | PinThrottled
    | RuleTried
    | FunctionDeployed
    | ItemChanged
    | ItemsImported
    | SearchChanged
    | FunctionChanged
    | ClipBegun
    | ClipEnded
    | ClipFailed
    | ClipExported
    | ClipDeleted
    | StreamTrouble,
    Field(discriminator="type"),
]

_CLASSES: Mapping[str, type[Event]] = {
    name: cls
    for cls in get_args(get_args(AnyEvent)[0])
    for name in get_args(cls.model_fields["type"].annotation)
}
"""By every type that each has."""


def parse_event(body: object) -> Event:
    """Turn a stored body back into its event; it may be anything, of whoever wrote into the database.

    Raises:
        pydantic.ValidationError: Unknown type, or fields that do not fit it.
    """
    cls = _CLASSES.get(str(body.get("type"))) if isinstance(body, Mapping) else None
    if cls is not None:
        # By its class alone: to build what reads any of them takes every process long.
        return cls.model_validate(body)
    unknown: Event = TypeAdapter(AnyEvent).validate_python(body)
    return unknown


def event_types() -> tuple[str, ...]:
    """Every event type there is, in the order of this file."""
    return tuple(_CLASSES)
