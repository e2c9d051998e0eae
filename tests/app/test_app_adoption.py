"""After a crash, spool and log agree again, whatever came between the two."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pyrage
import pytest
from captures import NOW, jpeg, make_shot
from fakes import MemoryLog, MemorySpool

from appliance.app.adoption import adopt_captures, known_captures, sweep_captures
from appliance.app.parts import LoggedEvents
from appliance.camera import encode_jpeg
from appliance.clock import ManualClock
from appliance.errors import EvidenceError
from appliance.events import CaptureRemoved, DoorChanged, Event, StrangerCaptured
from appliance.evidence import RemovedCapture, SealedCapture, Spool
from appliance.pipeline import Records, RecordsThread
from appliance.services import Services
from appliance.settings import EvidenceSettings
from appliance.values import DoorState


@pytest.fixture
def spool(services: Services, clock: ManualClock) -> Spool:
    """The box's spool, sealing to a key made for the test."""
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    settings = EvidenceSettings(recipients=(recipient,), min_free_mib=0)
    return Spool(services.layout.spool, settings, clock, jpeg, ids=services.ids).open()


@pytest.fixture
def seal(spool: Spool) -> Callable[[], SealedCapture]:
    """Seal a stranger, without a word in the log."""
    return lambda: spool.store([make_shot()], {}, NOW)


def logged(services: Services) -> list[Event]:
    """What the log says of captures."""
    found = services.store.events(types=("stranger_captured", "capture_removed"))
    return [stored.event for stored in found if stored.event is not None]


def test_an_orphan_is_adopted(services: Services, spool: Spool, seal: Callable[[], SealedCapture]) -> None:
    """A crash after sealing and before logging: the log gets what the file shows, and says so."""
    sealed = seal()

    assert 1 == adopt_captures(services.store, spool)
    (event,) = logged(services)
    assert isinstance(event, StrangerCaptured)
    assert (True, None, sealed.id, sealed.sha256, sealed.size_bytes) == (
        event.adopted,
        event.encounter,
        event.capture,
        event.sha256,
        event.size_bytes,
    )


def test_a_capture_that_is_gone_is_logged_as_missing(
    services: Services, spool: Spool, seal: Callable[[], SealedCapture]
) -> None:
    """Fetched with a file manager, say: the log no longer claims that it is there."""
    sealed = seal()
    adopt_captures(services.store, spool)
    (services.layout.spool / sealed.file).unlink()

    assert 1 == adopt_captures(services.store, spool)
    assert CaptureRemoved(capture=sealed.id, reason="missing") == logged(services)[-1]
    assert set() == known_captures(services.store)


def test_agreeing_again_writes_nothing(
    services: Services, spool: Spool, seal: Callable[[], SealedCapture]
) -> None:
    """However often the box starts; and on an empty one as well."""
    assert 0 == adopt_captures(services.store, spool)
    kept, gone = seal(), seal()
    adopt_captures(services.store, spool)
    spool.remove(gone.id)
    adopt_captures(services.store, spool)
    before = logged(services)

    assert [0, 0] == [adopt_captures(services.store, spool) for _ in range(2)]
    assert before == logged(services)
    assert {kept.id} == known_captures(services.store)


def test_half_a_capture_is_deleted_and_not_adopted(services: Services, spool: Spool) -> None:
    """What a kill in the middle of writing leaves is no evidence."""
    partial = services.layout.spool / "019b8d62-7a80-7a46-8b3c-c014e496ec50.age.partial"
    partial.write_bytes(b"half")

    assert 0 == adopt_captures(services.store, spool)
    assert not partial.exists()


def test_an_emptied_capture_is_not_adopted(
    services: Services, spool: Spool, seal: Callable[[], SealedCapture]
) -> None:
    """A disk lost what was in it: it is no evidence, and keeps no other from being adopted."""
    empty, whole = seal(), seal()
    (services.layout.spool / empty.file).write_bytes(b"")

    assert 1 == adopt_captures(services.store, spool)
    assert {whole.id} == known_captures(services.store)


def test_an_expired_capture_is_deleted_and_logged(
    services: Services, spool: Spool, clock: ManualClock, seal: Callable[[], SealedCapture]
) -> None:
    """One sweep: the file goes, the reason is in the log, and a later start finds nothing to mend."""
    sealed = seal()
    adopt_captures(services.store, spool)
    clock.set(wall=NOW + timedelta(days=31), monotonic=clock.monotonic())
    over = threading.Event()
    over.set()
    with RecordsThread(Records(LoggedEvents(services.store, lambda: None), spool)) as records:
        sweep_captures(records, spool, clock, over)

    assert CaptureRemoved(capture=sealed.id, reason="expired") == logged(services)[-1]
    assert () == spool.list()
    assert 0 == adopt_captures(services.store, spool)


def test_a_sweep_of_a_full_spool_takes_what_is_copied_first(
    services: Services, spool: Spool, clock: ManualClock, seal: Callable[[], SealedCapture]
) -> None:
    """Who keeps the time tells the spool of the copies."""
    old, copied = seal(), seal()
    full = Spool(
        services.layout.spool,
        EvidenceSettings(make_room_mib=1),
        clock,
        encode_jpeg,
        free=lambda _: 1024 * 1024 - 1,
    ).open()
    over = threading.Event()
    over.set()
    with RecordsThread(Records(LoggedEvents(services.store, lambda: None), full)) as records:
        sweep_captures(records, full, clock, over, copied=lambda: {copied.id})

    assert CaptureRemoved(capture=copied.id, reason="room") == logged(services)[-1]
    assert [old.id] == [each.id for each in spool.list()]


DOOR = DoorChanged(type="door_opened", state=DoorState.OPEN, fraction=0.1)
EXPIRED, OVER = RemovedCapture("c1", "expired"), RemovedCapture("c2", "cap")


def test_a_removal_that_the_log_refused_is_logged_later() -> None:
    """The files are gone already: each is logged once, however often the database refuses."""
    log, gone = MemoryLog(), [(EXPIRED, OVER)]
    log.full = 2
    with RecordsThread(Records(log, MemorySpool())) as records:
        records.sweep(lambda: gone.pop() if gone else (), NOW)

    assert [
        CaptureRemoved(capture="c1", reason="expired"),
        CaptureRemoved(capture="c2", reason="cap"),
    ] == [kept.event for kept in log.kept]


def test_a_sweep_waits_for_what_is_to_be_logged_before_it() -> None:
    """Nothing is deleted before the event of its capture is in the log."""
    log = MemoryLog()
    log.full = 2
    before: list[list[str]] = []

    def expire() -> tuple[RemovedCapture, ...]:
        before.append(log.types())
        return (OVER,)

    with RecordsThread(Records(log, MemorySpool())) as records:
        records.log([DOOR], NOW)
        records.sweep(expire, NOW)

    assert [["door_opened"]] == before
    assert ["door_opened", "capture_removed"] == log.types()


@pytest.mark.parametrize("error", [EvidenceError("the spool cannot be read"), ValueError("a fault of ours")])
def test_a_sweep_that_fails_is_not_the_last(error: Exception) -> None:
    """Neither the spool's error nor a fault of ours ends the sweeping, or the logging."""
    log, errors = MemoryLog(), [error]

    def expire() -> tuple[RemovedCapture, ...]:
        if errors:
            raise errors.pop()
        return (EXPIRED,)

    with RecordsThread(Records(log, MemorySpool())) as records:
        records.sweep(expire, NOW)
        while errors:
            time.sleep(0.01)
        records.sweep(expire, NOW)
        records.log([DOOR], NOW)

    assert ["capture_removed", "door_opened"] == log.types()
