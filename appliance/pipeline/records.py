"""Putting on record what the loop decided: events, and sealed captures of strangers.

A capture is sealed to the spool first and logged after, so that a crash in between leaves
a sealed file that start-up adopts, never an event without its file. `Records` does this at
once, on the caller's thread; `records_thread` does the same on one of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import structlog

from appliance.errors import EvidenceError
from appliance.events import (
    CaptureRemoved,
    CaptureSkipped,
    Event,
    StrangerCaptured,
    StrangerRetracted,
    StrangerSeen,
)
from appliance.values import Box, FrameStamp, ImageArray

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame of a stranger, kept for evidence.

    Attributes:
        stamp: When and where.
        bgr: The full frame as the camera gave it, uint8, (h, w, 3); never drawn on.
        face: Where the face is.
        quality: Total quality, 0 to 100.
    """

    stamp: FrameStamp
    bgr: ImageArray
    face: Box
    quality: float


class Sealed(Protocol):
    """What the spool says of a capture it took."""

    @property
    def id(self) -> str:
        """Opaque id."""

    @property
    def file(self) -> str:
        """File name in the spool."""

    @property
    def sha256(self) -> str:
        """Of the sealed bytes, hex."""

    @property
    def size_bytes(self) -> int:
        """Of the sealed bytes."""

    @property
    def frames(self) -> int:
        """Frames inside."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """Fingerprints it was sealed to."""

    @property
    def expires_at(self) -> datetime:
        """When it will be deleted, aware."""


class Seals(Protocol):
    """The spool, as the loop needs it."""

    def store(self, pictures: Sequence[Picture], metadata: Mapping[str, Any], at: datetime) -> Sealed:
        """Seal pictures to the recipients.

        Raises:
            EvidenceError: Nothing was stored; its `reason` says why.
        """

    def remove(self, capture: str) -> bool:
        """Delete a capture; false when it is not there."""


class Removed(Protocol):
    """A capture that was deleted without being asked for."""

    @property
    def id(self) -> str:
        """Of the capture."""

    @property
    def reason(self) -> Literal["expired", "cap", "room"]:
        """Why, as `capture_removed` says it."""


class Stored(Protocol):
    """What the log says of an event it took."""

    @property
    def id(self) -> str:
        """Opaque id."""


class EventLog(Protocol):
    """The event log, as the loop needs it."""

    def append_all(self, events: Sequence[Event], *, at: datetime) -> Sequence[Stored]:
        """Append in one transaction.

        Raises:
            StoreError: Nothing was kept.
        """


class Recording(Protocol):
    """What the loop calls; `Records` and `RecordsThread` both are."""

    def log(self, events: Sequence[Event], at: datetime) -> None:
        """Append events."""

    def stranger(self, seen: StrangerSeen, at: datetime) -> None:
        """Append a stranger, and remember it for a retraction."""

    def capture(self, seen: StrangerSeen, pictures: Sequence[Picture], at: datetime) -> None:
        """Seal pictures of a stranger and append what became of it."""

    def retract(self, encounter: str, place: Mapping[str, Any], at: datetime) -> None:
        """The stranger of this encounter was somebody enrolled: say so, drop the capture."""

    def forget(self, encounter: str) -> None:
        """The encounter is over; nothing of it will be retracted."""

    def sweep(self, expire: Callable[[], Sequence[Removed]], at: datetime) -> None:
        """Delete what has expired, with `expire`, and append it."""


class Records:
    """Does what is asked at once, on the caller's thread.

    Args:
        log: The event log.
        spool: The spool of captures.
        origin: What every capture says of where it comes from (site, device).
    """

    def __init__(self, log: EventLog, spool: Seals, origin: Mapping[str, str] | None = None) -> None:
        self._log = log
        self._spool = spool
        self._origin = dict(origin or {})
        self._strangers: dict[str, tuple[str, str | None]] = {}
        self._sealed: dict[str, Event] = {}
        self._swept: list[Event] = []

    def log(self, events: Sequence[Event], at: datetime) -> None:
        """Append events in one transaction."""
        self._log.append_all(events, at=at)

    def stranger(self, seen: StrangerSeen, at: datetime) -> None:
        """Append a stranger and remember it for a retraction. May be repeated when it failed."""
        event = self._log.append_all([seen], at=at)[0]
        self._strangers.setdefault(seen.encounter, (event.id, None))

    def capture(self, seen: StrangerSeen, pictures: Sequence[Picture], at: datetime) -> None:
        """Seal pictures and append what became of it. Repeated after a failure, it seals no second time."""
        outcome = self._sealed.get(seen.encounter) or self._seal(seen, pictures, at)
        self._sealed[seen.encounter] = outcome
        self._log.append_all([outcome], at=at)
        del self._sealed[seen.encounter]
        if isinstance(outcome, StrangerCaptured) and seen.encounter in self._strangers:
            self._strangers[seen.encounter] = (self._strangers[seen.encounter][0], outcome.capture)

    def retract(self, encounter: str, place: Mapping[str, Any], at: datetime) -> None:
        """Append the retraction and delete the capture; unknown encounters are ignored."""
        if encounter not in self._strangers:
            return
        event, capture = self._strangers[encounter]
        events: list[Event] = [StrangerRetracted(encounter=encounter, retracts=event, **place)]
        if capture is not None and self._remove(capture):
            events.append(CaptureRemoved(capture=capture, reason="retracted", **place))
        self._log.append_all(events, at=at)
        del self._strangers[encounter]

    def forget(self, encounter: str) -> None:
        """Let go of an encounter."""
        self._strangers.pop(encounter, None)

    def sweep(self, expire: Callable[[], Sequence[Removed]], at: datetime) -> None:
        """Delete what has expired and append it. Repeated after a failure, it forgets nothing deleted."""
        try:
            self._swept += [CaptureRemoved(capture=gone.id, reason=gone.reason) for gone in expire()]
        except EvidenceError as error:
            _log.error("captures_not_swept", error=error.message, hint=error.advice)
        if self._swept:
            self._log.append_all(self._swept, at=at)
            self._swept = []

    def _remove(self, capture: str) -> bool:
        """Delete a capture; when the disk will not, say so: it then goes when it expires."""
        try:
            self._spool.remove(capture)
        except EvidenceError as error:
            _log.error("capture_not_removed", capture=capture, error=error.message, hint=error.advice)
            return False
        return True

    def _seal(self, seen: StrangerSeen, pictures: Sequence[Picture], at: datetime) -> Event:
        place: dict[str, Any] = {
            "camera": seen.camera,
            "door": seen.door,
            "visit": seen.visit,
            "encounter": seen.encounter,
        }
        reasons = {"grade": seen.grade.value, "facts": seen.facts.model_dump(mode="json")}
        metadata = {**self._origin, **place, **reasons}
        try:
            sealed = self._spool.store(pictures, metadata, at)
        except EvidenceError as error:
            if error.reason != "replay":  # what was asked for is no cause for alarm
                _log.warning(
                    "capture_not_stored", reason=error.reason, error=error.message, hint=error.advice
                )
            return CaptureSkipped(reason=error.reason, **place)
        return captured(sealed, **place)


def captured(
    sealed: Sealed, *, encounter: str | None, adopted: bool = False, **place: Any
) -> StrangerCaptured:
    """The event that logs a sealed capture.

    Args:
        sealed: What the spool says of it.
        encounter: Whose; None when a crash made it forgotten.
        adopted: It was found in the spool without its event.
        place: `camera`, `door`, `visit`, as far as known.
    """
    return StrangerCaptured(
        capture=sealed.id,
        file=sealed.file,
        sha256=sealed.sha256,
        size_bytes=sealed.size_bytes,
        frames=sealed.frames,
        recipients=sealed.recipients,
        expires_at=sealed.expires_at,
        encounter=encounter,
        adopted=adopted,
        **place,
    )
