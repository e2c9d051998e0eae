"""What goes with time on a box: planned as it is done, and never because of a clock that was set wrongly."""

import os
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import stores
from captures import make_shot

from appliance.app import retention
from appliance.app.adoption import adopt_captures
from appliance.app.retention import Retention
from appliance.camera import encode_jpeg
from appliance.clock import ManualClock
from appliance.events import StrangerCaptured
from appliance.evidence import Spool, make_identity
from appliance.services import Layout, Services, open_services
from appliance.settings import EvidenceSettings, RetentionSettings, S3Settings, ScreenSettings, Settings
from appliance.sinks.naming import target_of
from appliance.store import GREETINGS, SEGMENT, Consent, NewEvent
from appliance.store.pruning import AT_ONCE
from appliance.values import CopyState, RemoteCopy

NOON = stores.NOON
LATER = NOON + timedelta(days=100)
SETTINGS = RetentionSettings(events_days=30, counters_days=30)
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="2026-01", given_by="Ann herself")


@pytest.fixture
def clock() -> ManualClock:
    """Stands at noon."""
    return ManualClock(NOON)


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """A box where a greeting was counted, then much happened at the door."""
    settings = Settings(screen=ScreenSettings(leaderboard="greetings"))
    with open_services(settings, Layout(tmp_path / "state"), create=True, clock=clock) as opened:
        ann = opened.store.add_subject("Ann", consent=COUNTED)
        opened.store.append(stores.identified(ann.id))
        opened.store.append_all([NewEvent(stores.OPENED)] * (2 * SEGMENT))
        yield opened


@pytest.fixture
def spool(services: Services, tmp_path: Path) -> Spool:
    """An empty spool; captures expire after 50 days."""
    recipient = make_identity(tmp_path / "identity.txt")
    chosen = EvidenceSettings(recipients=(recipient,), expire_days=50)
    return Spool(services.layout.spool, chosen, services.clock, encode_jpeg).open()


def seal(services: Services, spool: Spool, at: datetime) -> str:
    """A capture of that time, in the spool and in the log."""
    sealed = spool.store([make_shot()], {}, at)
    os.utime(services.layout.spool / sealed.file, (at.timestamp(), at.timestamp()))
    event = StrangerCaptured(
        encounter="c",
        capture=sealed.id,
        file=sealed.file,
        sha256=sealed.sha256,
        size_bytes=sealed.size_bytes,
        frames=1,
        recipients=sealed.recipients,
        expires_at=sealed.expires_at,
    )
    services.store.append(event, at=at)
    services.store.append_all([NewEvent(stores.OPENED, at=at)] * SEGMENT)
    return sealed.id


def test_what_is_planned_is_what_goes(services: Services, spool: Spool) -> None:
    """Of every class, with its reason; planning changes nothing, and afterwards nothing is due."""
    capture = seal(services, spool, NOON)
    box = Retention(SETTINGS, services, spool)
    planned = box.plan(LATER)
    untouched = services.store.verify().first, len(spool.list())
    went = box.run(LATER)

    assert (1, 1) == untouched
    assert planned == went
    assert [("captures", capture, "expired")] == [
        (each.of, each.what, each.reason) for each in went if each.of == "captures"
    ]
    assert [("events", 256), ("events", 256), ("events", 256)] == [
        (each.of, each.many) for each in went if each.of == "events"
    ]
    assert [("counters", 1)] == [(each.of, each.many) for each in went if each.of == "counters"]
    assert [] == box.plan(LATER)
    assert 3 * SEGMENT + 1 == services.store.verify().first
    assert [] == services.store.standings(GREETINGS, since=NOON.date())


def test_events_of_a_capture_that_stays_stay_and_it_is_not_adopted_again(
    services: Services, spool: Spool
) -> None:
    """Events are older than they may be, the capture is not: start-up finds spool and log agreed."""
    seal(services, spool, LATER - timedelta(days=40))
    box = Retention(SETTINGS, services, spool)
    held = [each.held for each in box.plan(LATER) if each.of == "events"]
    box.run(LATER)

    assert [None, None, "capture"] == held
    assert 2 * SEGMENT + 1 == services.store.verify().first
    assert 0 == adopt_captures(services.store, spool)


def test_of_a_database_that_is_too_large_as_much_goes_as_was_planned(
    services: Services, spool: Spool
) -> None:
    """The oldest take less room than others, so that too few go; nothing is estimated anew meanwhile."""
    for number in range(40):
        services.store.append_all([NewEvent(stores.OPENED if number < 20 else wordy())] * SEGMENT)
    for _ in range(3):
        seal(services, spool, NOON)
    sized = RetentionSettings(events_days=None, events_max_mib=16, counters_days=None)
    box = Retention(sized, services, spool)
    planned = box.plan(LATER)
    went = box.run(LATER)

    assert 3 == sum(each.of == "captures" for each in planned)
    assert AT_ONCE < sum(each.of == "events" for each in planned)
    assert planned == went
    assert services.store.verify().first == 1 + sum(each.many for each in went if each.of == "events")


def wordy() -> StrangerCaptured:
    """An event of a capture that is long gone, of some three thousand bytes."""
    return StrangerCaptured(
        encounter="c",
        capture="gone",
        file="gone.age",
        sha256="0" * 64,
        size_bytes=1,
        frames=1,
        recipients=("age1" + "q" * 3000,),
        expires_at=NOON,
    )


def test_what_stays_for_ever_stays(services: Services, spool: Spool) -> None:
    """Empty settings let nothing go."""
    box = Retention(
        RetentionSettings(events_days=None, events_max_mib=None, counters_days=None), services, spool
    )

    assert [] == box.plan(LATER)
    assert [] == box.run(LATER)


def test_a_plan_says_which_captures_are_copied_nowhere(
    services: Services, spool: Spool, clock: ManualClock
) -> None:
    """Those that were verified in the bucket that is set now; without one nothing is said."""
    bucket = S3Settings(bucket="ours")
    ids = [seal(services, spool, NOON + timedelta(seconds=number)) for number in range(3)]
    for target, capture, state in (
        (target_of(bucket), ids[0], CopyState.VERIFIED),
        (target_of(bucket), ids[1], CopyState.BEGUN),
        ("another", ids[2], CopyState.VERIFIED),
    ):
        services.store.note_copy(target, RemoteCopy(capture, state, "ab" * 32, 1, clock.wall()))

    def said(box: Retention) -> dict[str, bool | None]:
        return {each.what: each.copied for each in box.plan(LATER) if each.of == "captures"}

    assert dict.fromkeys(ids) == said(Retention(SETTINGS, services, spool))
    assert dict.fromkeys(ids) == said(Retention(SETTINGS, services, spool, S3Settings()))
    box = Retention(SETTINGS, services, spool, bucket)
    assert dict(zip(ids, (True, False, False), strict=True)) == said(box)
    assert {ids[0]} == box.copied()
    assert box.plan(LATER) == box.run(LATER)


class Turns(threading.Event):
    """Stops a sweep after some turns; between two of them, time passes.

    Args:
        clock: Moved on.
        turns: So many.
        jump: The first pause takes the wall clock so much further than the monotonic one.
    """

    def __init__(self, clock: ManualClock, turns: int, jump: timedelta) -> None:
        super().__init__()
        self._clock = clock
        self._left = turns
        self._jump = jump

    def wait(self, timeout: float | None = None) -> bool:
        """Let the time pass that is to be waited for."""
        assert timeout == retention.PRUNE_S
        self._clock.set(
            wall=self._clock.wall() + timedelta(seconds=timeout) + self._jump,
            monotonic=self._clock.monotonic() + timeout,
        )
        self._jump = timedelta()
        self._left -= 1
        return self._left <= 0


def test_a_clock_that_was_set_wrongly_drops_nothing(
    services: Services, spool: Spool, clock: ManualClock
) -> None:
    """A jump of a hundred days is believed once the clock has run evenly for an hour, not before."""
    box = Retention(SETTINGS, services, spool)
    box.sweep(Turns(clock, 2, timedelta(days=100)))
    kept = services.store.verify().first
    box.sweep(Turns(clock, 2, timedelta()))

    assert (1, 2 * SEGMENT + 1) == (kept, services.store.verify().first)


def test_free_space_is_made_of_the_oldest_captures(
    services: Services, tmp_path: Path, clock: ManualClock
) -> None:
    """As many as bring the disk above the floor, if one is set; otherwise none. What is copied goes first."""
    recipient = make_identity(tmp_path / "identity.txt")
    mib = 1024 * 1024
    free = 500 * mib

    def spool(floor: int) -> Spool:
        chosen = EvidenceSettings(recipients=(recipient,), make_room_mib=floor)
        return Spool(services.layout.spool, chosen, clock, encode_jpeg, free=lambda _: free).open()

    made = [spool(0).store([make_shot()], {}, NOON + timedelta(seconds=number)) for number in range(4)]
    for number, each in enumerate(made):
        at = NOON.timestamp() + number
        os.utime(services.layout.spool / each.file, (at, at))
    free = 300 * mib - max(each.size_bytes for each in made) - 1

    assert () == spool(0).due(NOON)
    assert [(each.id, "room") for each in made[:2]] == [
        (each.entry.id, each.reason) for each in spool(300).due(NOON)
    ]
    there = {made[2].id, made[3].id}
    assert [each.id for each in made[2:]] == [
        each.entry.id for each in spool(300).due(NOON, copied=lambda: there)
    ]
    assert [made[3].id, made[0].id] == [
        each.entry.id for each in spool(300).due(NOON, copied=lambda: {made[3].id})
    ]
    assert [each.id for each in made[:2]] == [each.id for each in spool(300).expire(NOON)]
