"""Operations of sealed captures: listing, handing out as they are, removing.

This box cannot look inside: what is told is what stands outside, and what the log says. Opening them is
for the admins, on machines of their own.
"""

import threading
from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.app.desk.times import moment
from appliance.errors import UnknownCaptureError
from appliance.events import CaptureRemoved, StrangerCaptured
from appliance.evidence.spool_folder import SpoolEntry, SpoolFolder
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import NewEvent, Store, StoredEvent

_ID: Final = 36
_BATCH: Final = 500


class CapturePage(Arguments):
    """Attributes: before: the `next` of the page before; None: the newest; limit: at most so many."""

    before: str | None = Field(default=None, max_length=_ID)
    limit: int = Field(default=40, ge=1, le=200)


class OneCapture(Arguments):
    """Attributes: capture: id."""

    capture: str = Field(max_length=_ID)


class Captures:
    """Lists, hands out and removes what is in the spool.

    Args:
        services: The log, and where the spool is.
        settings: How long captures are kept, and how much of them.
    """

    def __init__(self, services: Services, settings: Settings) -> None:
        self._store: Store = services.store
        self._spool = SpoolFolder(services.layout.spool)
        self._expire = timedelta(days=settings.evidence.expire_days)
        self._most_mib = settings.evidence.max_mib
        self._logged = Logged(services.store)

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("captures.list", CapturePage, Permission.CAPTURES, self.list),
            Operation("captures.read", OneCapture, Permission.CAPTURES, self.read),
            Operation("captures.remove", OneCapture, Permission.CAPTURES, self.remove),
        ]

    def list(self, asked: Asked[CapturePage]) -> Answer:
        """What is kept, the newest first, with what is known of each from outside.

        Raises:
            EvidenceError: The spool cannot be read.
        """
        given = asked.arguments
        kept = list(reversed(self._kept()))
        after = next((i + 1 for i, each in enumerate(kept) if each.id == given.before), 0)
        if given.before is not None and not after:
            # It went meanwhile. Ids begin with the time they were made at, so the place is still known.
            after = next((i for i, each in enumerate(kept) if each.id < given.before), len(kept))
        page = kept[after : after + given.limit]
        self._logged.refresh()
        return Answer(
            {
                "captures": [self._row(each) for each in page],
                "next": page[-1].id if page and after + given.limit < len(kept) else None,
                "count": len(kept),
                "size_bytes": sum(each.size_bytes for each in kept),
                "most_mib": self._most_mib,
            }
        )

    def read(self, asked: Asked[OneCapture]) -> Answer:
        """The sealed bytes, in the blob.

        Raises:
            EvidenceError: It is not there.
        """
        capture = asked.arguments.capture
        sealed = self._spool.read(capture)
        return Answer({"file": f"{capture}.age", "size_bytes": len(sealed)}, sealed)

    def remove(self, asked: Asked[OneCapture]) -> Answer:
        """Delete one for good.

        Raises:
            EvidenceError: It is not there, or cannot be deleted.
        """
        capture = asked.arguments.capture
        if not self._spool.remove(capture):
            raise UnknownCaptureError(
                "there is no such capture", hint="it expired, or somebody removed it before"
            )
        # Removed first: a crash in between leaves a capture that start-up finds missing, and says so.
        self._store.append_all([NewEvent(CaptureRemoved(capture=capture, reason="by_admin"))])
        return Answer()

    def _kept(self) -> tuple[SpoolEntry, ...]:
        """Oldest first; before the first run there is no folder."""
        return self._spool.list() if self._spool.path.exists() else ()

    def _row(self, entry: SpoolEntry) -> dict[str, Any]:
        stored = self._logged.of(entry.id)
        event = None if stored is None else stored.event
        known = event if isinstance(event, StrangerCaptured) else None
        return {
            "capture": entry.id,
            "size_bytes": entry.size_bytes,
            "sealed_at": moment(entry.sealed_at),
            "expires_at": moment(known.expires_at if known is not None else entry.sealed_at + self._expire),
            "recipients": list(known.recipients) if known is not None else [],
            "frames": known.frames if known is not None else 0,
            "door": known.door if known is not None else None,
            "camera": known.camera if known is not None else None,
            "adopted": known is not None and known.adopted,
            "event": stored.id if stored is not None else None,
            "encounter": known.encounter if known is not None else None,
        }


class Logged:
    """The events of captures, read on from where it was left: one look at the whole log, then at its end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._after = 0
        self._found: dict[str, StoredEvent] = {}

    def refresh(self) -> None:
        """Read what is new."""
        types = ("stranger_captured", "capture_removed")
        with self._lock:
            while page := self._store.events(after=self._after, types=types, limit=_BATCH):
                for stored in page:
                    if isinstance(stored.event, StrangerCaptured):
                        self._found[stored.event.capture] = stored
                    elif isinstance(stored.event, CaptureRemoved):
                        self._found.pop(stored.event.capture, None)
                self._after = page[-1].position

    def of(self, capture: str) -> StoredEvent | None:
        """The event that a capture was logged by; None: it is just being, or its body was dropped."""
        with self._lock:
            return self._found.get(capture)
