"""Keeping the spool and the log agreed: at start-up after a crash, and as captures expire."""

import threading
from functools import partial

import structlog

from appliance.clock import Clock
from appliance.events import CaptureRemoved, Event, StrangerCaptured
from appliance.evidence import Spool
from appliance.evidence.expiry import Copied
from appliance.pipeline.records import Recording, captured
from appliance.store import NewEvent, Store

_log = structlog.get_logger()

SWEEP_S = 600.0
"""How often captures are looked through for expired ones."""
_PAGE = 1000


def known_captures(store: Store) -> set[str]:
    """Ids of the captures that, by the log, are in the spool."""
    known: set[str] = set()
    after = 0
    while page := store.events(after=after, types=("stranger_captured", "capture_removed"), limit=_PAGE):
        for stored in page:
            if isinstance(stored.event, StrangerCaptured):
                known.add(stored.event.capture)
            elif isinstance(stored.event, CaptureRemoved):
                known.discard(stored.event.capture)
        after = page[-1].position
    return known


def adopt_captures(store: Store, spool: Spool) -> int:
    """Log what a crash left: sealed files without an event, and events without their file.

    Returns:
        How many events were written.

    Raises:
        StoreError: The log cannot be read or written.
        EvidenceError: The spool cannot be read.
    """
    known = known_captures(store)
    events: list[Event] = [captured(found, encounter=None, adopted=True) for found in spool.orphans(known)]
    events += [CaptureRemoved(capture=capture, reason="missing") for capture in spool.missing(known)]
    if events:
        store.append_all([NewEvent(event) for event in events])
        _log.warning("spool_and_log_agreed_again", events=len(events))
    return len(events)


def sweep_captures(
    records: Recording, spool: Spool, clock: Clock, stop: threading.Event, *, copied: Copied = frozenset
) -> None:
    """Have expired captures deleted and logged every `SWEEP_S`, until `stop` is set.

    The thread that seals captures and logs them does it, in its turn; this one keeps the time. Where there
    has to be room, those go first of which `copied` says that there is a verified copy.
    """
    while True:
        records.sweep(partial(spool.expire, copied=copied), clock.wall())
        if stop.wait(SWEEP_S):
            return
