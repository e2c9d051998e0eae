"""Recording on a thread: in order, never lost, never twice."""

import time
from datetime import timedelta

import numpy as np
from factories import START, evidence, face, stamp
from fakes import MemoryLog, MemorySpool
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.decision import ErrorTables, Policy
from appliance.events import DoorChanged, Event, StrangerSeen
from appliance.pipeline import Records, RecordsThread
from appliance.pipeline.records import Picture
from appliance.settings import RecognitionSettings
from appliance.values import DoorState, Grade

TABLE = {("fused", 1, 1): ((0.01, 0.0, 0.0), (0.001, 0.1, 0.0))}
FACTS = Policy(RecognitionSettings(), ErrorTables(TABLE)).conclude([evidence(0, {"ann": -1.0})], seen=3).facts


def door() -> Event:
    """Any event."""
    return DoorChanged(type="door_opened", state=DoorState.OPEN, fraction=0.1)


def stranger(encounter: str = "x") -> StrangerSeen:
    """A stranger."""
    return StrangerSeen(encounter=encounter, grade=Grade.CONFIRMED, facts=FACTS)


def picture() -> Picture:
    """A small picture."""
    return Picture(stamp(), np.zeros((4, 4, 3), np.uint8), face().box, 80.0)


def test_everything_is_kept_in_order() -> None:
    """What was asked first is first on record."""
    log = MemoryLog()
    with RecordsThread(Records(log, MemorySpool())) as records:
        for i in range(50):
            records.log([door()], START + timedelta(seconds=i))

    assert [START + timedelta(seconds=i) for i in range(50)] == [kept.at for kept in log.kept]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3), st.integers(1, 4))
def test_a_full_disk_loses_nothing_and_doubles_nothing(failures: int, people: int) -> None:
    """Each step is tried until it holds; a capture is sealed once however often its event is refused."""
    log, spool = MemoryLog(), MemorySpool()
    log.full = failures
    with RecordsThread(Records(log, spool)) as records:
        for i in range(people):
            records.stranger(stranger(str(i)), START)
            records.capture(stranger(str(i)), [picture()], START)

    assert ["stranger_seen", "stranger_captured"] * people == log.types()
    assert people == spool.sealed


def test_pictures_are_let_go_before_the_memory_is() -> None:
    """With too many captures waiting, the stranger is still logged."""
    log, spool = MemoryLog(), MemorySpool()
    records = RecordsThread(Records(log, spool), max_waiting_pictures=2)
    for i in range(5):
        records.stranger(stranger(str(i)), START)
        records.capture(stranger(str(i)), [picture()], START)
    with records:
        pass

    assert 5 == log.types().count("stranger_seen")
    assert 2 == spool.sealed
    assert 3 == log.types().count("capture_skipped")


def test_a_retraction_names_the_event_and_drops_the_capture() -> None:
    """The event retracted and the capture removed are those of the encounter."""
    log, spool = MemoryLog(), MemorySpool()
    with RecordsThread(Records(log, spool)) as records:
        records.stranger(stranger("a"), START)
        records.capture(stranger("a"), [picture()], START)
        records.retract("a", {"camera": "c"}, START)
        records.retract("a", {"camera": "c"}, START)
        records.retract("unknown", {}, START)

    assert ["stranger_seen", "stranger_captured", "stranger_retracted", "capture_removed"] == log.types()
    assert "e0" == log.kept[2].event.retracts  # type: ignore[attr-defined]
    assert {} == spool.stored


def test_a_fault_in_one_job_does_not_keep_the_others_from_the_log() -> None:
    """A spool that cannot delete, a picture that cannot be encoded: said aloud, and the log goes on."""
    log, spool = MemoryLog(), MemorySpool()
    with RecordsThread(Records(log, spool)) as records:
        records.stranger(stranger("a"), START)
        records.capture(stranger("a"), [picture()], START)
        records.forget("b")
        spool_job_done(records)
        spool.broken = True
        records.retract("a", {}, START)
        records.stranger(stranger("c"), START)
        records.capture(stranger("c"), [picture()], START)
        records.log([door()], START)

    assert [
        "stranger_seen",
        "stranger_captured",
        "stranger_retracted",
        "stranger_seen",
        "door_opened",
    ] == log.types()


def spool_job_done(records: RecordsThread) -> None:
    """Wait until the thread has done what was asked so far."""
    while records.waiting:
        time.sleep(0.001)
    time.sleep(0.05)


def test_what_was_lost_is_counted_by_its_events() -> None:
    """Three events before a database that never takes them; what carries none is not counted."""
    log = MemoryLog()
    log.full = 1_000_000
    with RecordsThread(Records(log, MemorySpool())) as records:
        for _ in range(3):
            records.log([door()], START)
        records.forget("a")

    assert 3 == records.lost
