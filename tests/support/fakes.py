"""Small real implementations of what the loop is introduced to, with their failures built in.

Each satisfies the protocol of a room; the contract suites run against these and the real
rooms alike where both exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from factories import sample

from appliance.errors import EvidenceError, StoreFullError
from appliance.events import Event
from appliance.pipeline.records import Picture
from appliance.values import (
    DetectedFace,
    DoorReading,
    DoorState,
    FaceSample,
    Frame,
    ImageArray,
    Templates,
)


@dataclass
class Kept:
    """An event as a log gives it back."""

    id: str
    event: Event
    at: datetime


class MemoryLog:
    """An event log in a list; full for as long as `full` says so.

    Attributes:
        kept: What was appended, in order.
        full: Appends that still fail before one succeeds.
    """

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.full = 0

    def append_all(self, events: Sequence[Event], *, at: datetime) -> Sequence[Kept]:
        """Keep all of them or none."""
        if self.full:
            self.full -= 1
            raise StoreFullError("no space left for the database")
        new = [Kept(f"e{len(self.kept) + i}", event, at) for i, event in enumerate(events)]
        self.kept.extend(new)
        return new

    def types(self) -> list[str]:
        """Types of the events kept, in order."""
        return [str(kept.event.model_dump()["type"]) for kept in self.kept]


@dataclass(frozen=True)
class SealedNote:
    """What the spool says of a capture."""

    id: str
    file: str
    sha256: str
    size_bytes: int
    frames: int
    recipients: tuple[str, ...]
    expires_at: datetime


class MemorySpool:
    """A spool in a dictionary; refuses when told to, and fails like a dying disk when `broken`."""

    def __init__(self) -> None:
        self.stored: dict[str, tuple[Picture, ...]] = {}
        self.refuse: EvidenceError | None = None
        self.broken = False
        self.sealed = 0

    def store(self, pictures: Sequence[Picture], metadata: Mapping[str, Any], at: datetime) -> SealedNote:
        """Keep the pictures as they are."""
        if self.broken:
            raise ValueError("a picture that cannot be encoded")
        if self.refuse is not None:
            raise self.refuse
        name = f"c{self.sealed}"
        self.sealed += 1
        self.stored[name] = tuple(pictures)
        return SealedNote(
            name, f"{name}.age", "0" * 64, 1000, len(pictures), ("SHA256:x",), at + timedelta(days=30)
        )

    def remove(self, capture: str) -> bool:
        """Forget a capture."""
        if self.broken:
            raise EvidenceError("the spool is read-only")
        return self.stored.pop(capture, None) is not None


class ScriptedDoor:
    """A door whose states are told beforehand, per frame; the last one holds."""

    def __init__(self, *states: DoorState) -> None:
        self._states = list(states)
        self._before = DoorState.UNSURE

    def observe(self, frame: Frame) -> DoorReading:
        """The next state."""
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        changed, self._before = state is not self._before, state
        return DoorReading(state, 0.6 if state is DoorState.SHUT else 0.1, changed)


@dataclass
class ToyFaces:
    """Faces that are told beforehand: per frame, a list of (face, quality, templates).

    Attributes:
        script: What each call of `detect` finds; nothing once it is used up.
        embedded: How many faces were embedded.
    """

    script: list[list[tuple[DetectedFace, float, Templates]]]
    embedded: int = 0
    detected: int = 0
    _now: list[tuple[DetectedFace, float, Templates]] = field(default_factory=list)

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """The next frame's faces."""
        self.detected += 1
        self._now = self.script.pop(0) if self.script else []
        return [face for face, _, _ in self._now]

    def sample(self, bgr: ImageArray, face: DetectedFace) -> FaceSample:
        """A black chip with the quality told."""
        return sample(face, next(quality for each, quality, _ in self._now if each is face))

    def templates(self, sample: FaceSample) -> Templates:
        """The templates told."""
        self.embedded += 1
        return next(templates for each, _, templates in self._now if each is sample.face)
