"""Moments copied to a search service, in the order in which they were written, as far as it takes them.

A document says which clip shows its moment, and a clip's first fragment may come some seconds after what set
it off: so the newest moments wait `HOLD` first. What waits for a service that is away waits as the moments of
the box themselves, which are bounded; in memory is one batch. The cursor moves once every document of a batch
was judged, so that each arrives at least once, and by its id and version is there once.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile
from typing import Final, Protocol

import structlog

from appliance.backoff import BackOff
from appliance.clock import Clock
from appliance.errors import ApplianceError
from appliance.services import Services
from appliance.settings import OpenSearchSettings
from appliance.sinks.opensearch import BusyError, OpenSearch, Sent
from appliance.sinks.opensearch_documents import IndexDocument, bulk
from appliance.store import Moment
from appliance.store.moment_events import ENCOUNTER

_log = structlog.get_logger()

BACK_OFF: Final = BackOff(first_s=2.0, cap_s=300.0)

HOLD: Final = timedelta(seconds=15)
"""How old a moment is before it is copied: a fragment is 10 s long at most, and then the log is followed."""


class MomentSource(Protocol):
    """The store, as far as it is needed here; see `appliance.store.moments_found`."""

    def moments_after(self, number: int, limit: int) -> list[Moment]:
        """Moments in the order in which they were written."""

    def cursor_position(self, name: str) -> int:
        """How far a sink is; 0: it has nothing yet."""

    def move_cursor(self, name: str, position: int, *, more: int = 0, trouble: str | None = None) -> None:
        """Note how far it is."""


class Search(Protocol):
    """The service; see `appliance.sinks.opensearch.OpenSearch`."""

    def put_template(self) -> None:
        """Tell it what the fields are."""

    def send(self, documents: Sequence[IndexDocument]) -> Sent:
        """Write a batch."""

    def close(self) -> None:
        """Let go of the connection."""


class MomentCopying:
    """Copies moments to one service.

    Args:
        source: Where they are.
        search: Where they go.
        settings: How many at once, and what of them.
        clock: By which moments are old enough.
    """

    def __init__(
        self, source: MomentSource, search: Search, settings: OpenSearchSettings, clock: Clock
    ) -> None:
        self._source = source
        self._search = search
        self._settings = settings
        self._clock = clock
        self._cursor = cursor_of(settings)
        self._told = False
        self._batch = settings.batch
        self._pending: Sequence[IndexDocument] = ()
        self._to = 0
        self._taken = 0
        self._refused: Counter[str] = Counter()

    def turn(self) -> bool:
        """Copy one batch, or what was not taken of the last; whether there may be more.

        Raises:
            BusyError: The service takes nothing now; the next batch is smaller.
            SinkError: Something has to be put right first.
            StoreError: Moments cannot be read, or the cursor not be moved; they are sent again.
        """
        if not self._told:
            self._search.put_template()
            self._told = True
        if not self._pending and not self._fill():
            return False
        sent = self._sent(self._pending) if self._pending else Sent(0)
        self._taken += sent.taken
        for kind, many in sent.refused.items():
            if kind not in self._refused:
                _log.warning("moments_refused", type=kind, many=many)
            self._refused[kind] += many
        self._pending = sent.again
        if self._pending:
            raise BusyError("the search service did not take all of a batch")
        self._source.move_cursor(self._cursor, self._to, more=self._taken, trouble=self._trouble())
        self._taken = 0
        self._batch = min(self._batch * 2, self._settings.batch)
        return True

    def _fill(self) -> bool:
        """Take the next batch from the store; whether there was anything."""
        position = self._source.cursor_position(self._cursor)
        now = self._clock.wall()
        # What lies ahead, since the clock was set back, does not wait: it would for as long as that was.
        found = list(
            takewhile(
                lambda each: not timedelta() <= now - each.at < HOLD,
                self._source.moments_after(position, self._batch),
            )
        )
        if not found:
            return False
        wanted = [document_of(each) for each in found if each.kind != ENCOUNTER or self._settings.encounters]
        self._pending = self._fitting(wanted)
        left = wanted[len(self._pending) :]
        self._to = left[0].version - 1 if left else found[-1].number
        return True

    def run(self, stop: threading.Event) -> None:
        """Copy what comes until `stop` is set; nothing that goes wrong ends it."""
        failures = 0
        while not stop.is_set():
            try:
                pause = 0.0 if self.turn() else self._settings.every_s
                failures = 0
            except ApplianceError as error:
                failures += 1
                pause = BACK_OFF.delay(failures)
                if isinstance(error, BusyError) and error.retry_after_s is not None:
                    pause = max(pause, error.retry_after_s)
                self._failed(error, failures)
            if pause:
                stop.wait(pause)
        self._search.close()

    def _sent(self, documents: Sequence[IndexDocument]) -> Sent:
        """Send them; fewer at once from now on if the service cannot take so many.

        Raises:
            SinkError: None was judged.
        """
        try:
            return self._search.send(documents)
        except BusyError as error:
            self._batch = max(1, len(documents) // 2)
            if not error.too_large or len(documents) > 1:
                self._pending = ()  # read anew, fewer of them
                raise
            # One alone is too large for it: it would be for ever.
            return Sent(0, refused={"too_large": 1})

    def _fitting(self, documents: Sequence[IndexDocument]) -> Sequence[IndexDocument]:
        """As many from the beginning as may be sent at once: one at least."""
        most, size = self._settings.batch_kib << 10, 0
        for i, each in enumerate(documents):
            size += len(bulk([each], self._settings.index))
            if size > most and i:
                return documents[:i]
        return documents

    def _trouble(self) -> str | None:
        """What was refused for good, in words; None: nothing was."""
        if not self._refused:
            return None
        kinds = ", ".join(f"{many} {kind}" for kind, many in sorted(self._refused.items()))
        return f"refused for good since the start: {kinds}"

    def _failed(self, error: ApplianceError, failures: int) -> None:
        if failures == 1:
            _log.warning("moments_not_copied", error=error.message, hint=error.advice)
        try:
            position = self._source.cursor_position(self._cursor)
            self._source.move_cursor(self._cursor, position, trouble=error.message)
        except ApplianceError as second:  # told with the next try
            _log.debug("cursor_not_moved", error=second.message)


def copying_moments(settings: OpenSearchSettings, services: Services) -> MomentCopying:
    """What copies the moments of this box by these settings.

    Raises:
        SinkError: The certificates to check the service against cannot be read.
    """
    return MomentCopying(services.store, OpenSearch(settings), settings, services.clock)


def cursor_of(settings: OpenSearchSettings) -> str:
    """The name of the cursor of a service: another address, or another index, is fed from the beginning."""
    place = f"{settings.url.rstrip('/')} {settings.index}".encode()
    return f"opensearch:{hashlib.sha256(place).hexdigest()[:16]}"


def document_of(found: Moment) -> IndexDocument:
    """A moment as a document: without who it was."""
    fields = {
        "device": found.device,
        "camera": found.camera,
        "kind": found.kind,
        "source": found.source,
        "door": found.door,
        "verdict": found.verdict,
        "clip": found.clip.id if found.clip is not None else None,
    }
    return IndexDocument(found.id, found.number, found.at, fields, found.labels)
