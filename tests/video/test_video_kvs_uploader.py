"""Sending clips to a service that does not always want them: stories against the local server."""

import asyncio
from pathlib import Path

import pytest
from kvs_box import NOON_MS, Box, clip, kvs_box
from swift_loop import LoopClock, run_swiftly

from appliance.errors import StoreError, StreamError, VaultError
from appliance.video.kvs.connecting import Connecting
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.put_media import Ears
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.still import STILL_MS
from appliance.video.kvs.telling import StreamNews
from appliance.video.kvs.upload_state import UploadState, read_state
from appliance.video.kvs_server.faults import Cut, ErrorAck, Fault, Mute, Refuse, SlowReader
from appliance.video.kvs_server.server import Manners


@pytest.mark.parametrize(
    "faults",
    [
        (),
        (Cut("buffering", 2),),
        (Cut("received", 3), Cut("persisted", 5)),
        (Cut("stored", 2, held_s=8.0),),
        (ErrorAck(5000, 4),),
        (ErrorAck(4003, 3), ErrorAck(4000, 6, bare=True)),
        (Refuse("ConnectionLimitExceededException", times=3),),
        (Refuse("InternalFailureException", times=2), Refuse("InternalFailureException", "DescribeStream")),
        (Refuse("ThrottlingException", "GetDataEndpoint", times=2), Refuse("InvalidEndpointException")),
        (Mute(3),),
        (ErrorAck(4999, 2, times=2),),
        (SlowReader(400),),
    ],
)
def test_whatever_breaks_every_fragment_is_stored(tmp_path: Path, faults: tuple[Fault, ...]) -> None:
    """Cut, silent, slow, refused or failing: nothing of a clip is missing in the end, and nothing waits."""

    async def story(clock: LoopClock) -> tuple[list[int], list[int], UploadState]:
        async with kvs_box(clock, tmp_path, *faults) as box, box.sending():
            sent = box.offer(clip(NOON_MS, 6))
            await box.emptied()
            return sent, box.stored, box.uploader.state

    sent, stored, state = run_swiftly(story)

    assert (sent, 0, 0) == (sorted(set(stored)), state.lost, state.waiting)
    assert ("", 6) == (state.trouble, state.persisted)


@pytest.mark.parametrize(
    ("faults", "lost"),
    [
        ((ErrorAck(4006, 3),), [2]),
        ((ErrorAck(4002, 1),), [0]),
        ((ErrorAck(4004, 6),), [5]),
        ((ErrorAck(4009, 2), ErrorAck(4010, 5)), [1, 4]),
        ((ErrorAck(4006, 3, bare=True),), []),
    ],
)
def test_a_fragment_that_is_refused_costs_no_other(
    tmp_path: Path, faults: tuple[Fault, ...], lost: list[int]
) -> None:
    """It is given up and told, and the clip goes on; an error that names none costs nothing at first."""

    async def story(clock: LoopClock) -> tuple[list[int], Box]:
        async with kvs_box(clock, tmp_path, *faults) as box:
            async with box.sending():
                sent = box.offer(clip(NOON_MS, 6))
                await box.emptied()
            return sent, box

    sent, box = run_swiftly(story)
    news = [each.reason for each in box.news]

    assert [at for place, at in enumerate(sent) if place not in lost] == sorted(set(box.stored))
    assert len(lost) == box.uploader.state.lost == sum(each.lost for each in box.news)
    assert set(news) <= {"lost"}
    assert bool(news) == bool(lost)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Refuse("AccessDeniedException", times=2), "denied"),
        (Refuse("NotAuthorizedException", times=2), "denied"),
        (Refuse("ResourceNotFoundException", times=2), "no_stream"),
        (ErrorAck(4008, 1, times=1), "not_active"),
        (ErrorAck(4500, 1, times=1), "key"),
    ],
)
def test_what_needs_somebody_is_told_and_goes_on_by_itself_afterwards(
    tmp_path: Path, fault: Fault, reason: str
) -> None:
    """A missing right, stream or key: told in words, tried every few minutes, and nothing is given up."""

    async def story(clock: LoopClock) -> tuple[list[int], list[int], Box, float]:
        async with kvs_box(clock, tmp_path, fault) as box, box.sending():
            sent = box.offer(clip(NOON_MS, 3))
            await box.until(lambda: box.uploader.state.state == "stopped")
            told = box.uploader.state
            assert (reason, 3) == (told.reason, told.waiting)
            assert told.trouble
            assert told.hint
            stopped = clock.monotonic()
            await box.emptied()
            return sent, box.stored, box, clock.monotonic() - stopped

    sent, stored, box, took = run_swiftly(story)

    assert sent == stored
    assert [reason, ""] == [each.reason for each in box.news]
    assert took > 30


def test_what_waits_is_sent_after_a_restart_and_what_is_damaged_is_not(tmp_path: Path) -> None:
    """Two clips recorded offline, a file cut short: the rest arrives, the oldest first."""

    async def story(clock: LoopClock) -> tuple[list[int], list[int], int]:
        async with kvs_box(clock, tmp_path) as box:
            sent = box.offer(clip(NOON_MS, 3)) + box.offer(clip(NOON_MS + 60_000, 3), "clip-2")
            cut = sorted((tmp_path / "spool" / "clip-1").iterdir())[1]
            cut.write_bytes(cut.read_bytes()[:-7])
            box.renew()
            async with box.sending():
                await box.emptied()
            return sent, box.stored, box.uploader.state.lost

    sent, stored, lost = run_swiftly(story)

    assert ([*sent[:1], *sent[2:]], 1) == (stored, lost)


def test_a_clip_arrives_while_it_is_recorded(tmp_path: Path) -> None:
    """Each fragment is stored before the next is whole, over one connection; a pause breaks nothing."""

    async def story(clock: LoopClock) -> tuple[list[int], UploadState]:
        waited = []
        async with kvs_box(clock, tmp_path) as box, box.sending():
            for place, fragment in enumerate(clip(NOON_MS, 6)):
                await asyncio.sleep(90 if place == 3 else 2)
                waited.append(box.uploader.state.waiting)
                box.uploader.offer("clip-1", fragment)
            await box.emptied()
            return waited, box.uploader.state

    waited, state = run_swiftly(story)

    assert [0] * 6 == waited
    assert (6, 0, 2, 0) == (state.persisted, state.resent, state.connections, state.failures)


@pytest.mark.parametrize(
    ("count", "more_bytes", "arrived"),
    [(12, 100, 8), (1, 20_000_000, 0)],
    ids=["between fragments", "in a fragment"],
)
def test_a_clip_that_is_deleted_is_sent_no_further(
    tmp_path: Path, count: int, more_bytes: int, arrived: int
) -> None:
    """The connection is cut, also in the middle of a fragment: no more of it is stored, the next clip is."""
    slow = SlowReader(4_000_000)

    async def story(clock: LoopClock) -> tuple[list[int], list[int], UploadState]:
        async with kvs_box(clock, tmp_path, slow, manners=Manners(settle_s=1.0)) as box, box.sending():
            box.offer(clip(NOON_MS, count, more_bytes=more_bytes))
            later = box.offer(clip(NOON_MS + 60_000, 2), "clip-2")
            await box.until(lambda: box.uploader.state.state == "sending", within_s=10)
            await asyncio.sleep(0.4)
            assert await asyncio.to_thread(box.uploader.drop, "clip-1")
            await box.emptied(within_s=300)
            await asyncio.sleep(120)
            return later, box.stored, box.uploader.state

    later, stored, state = run_swiftly(story)

    assert later == stored[-2:]
    assert len(stored) - 2 <= arrived, "no more than what was on its way"
    assert (0, 0) == (state.lost, state.waiting)


def test_ending_leaves_in_the_spool_what_is_not_stored(tmp_path: Path) -> None:
    """The box shuts down while the service is mute: nothing is lost, and the next start sends it."""

    async def story(clock: LoopClock) -> tuple[int, list[int], list[int]]:
        async with kvs_box(clock, tmp_path, Mute(2)) as box:
            async with box.sending():
                sent = box.offer(clip(NOON_MS, 5)[:4])
                await box.until(lambda: box.uploader.state.persisted == 1, within_s=10)
            left = box.uploader.state.waiting
            box.renew()
            async with box.sending():
                await box.emptied()
            return left, sent, box.stored

    left, sent, stored = run_swiftly(story)

    assert (3, sent) == (left, sorted(set(stored)))


def test_how_it_is_stands_in_a_file_for_whoever_asks(tmp_path: Path) -> None:
    """Acks, what is stored, what waits and the retention, also after the process has ended."""

    async def story(clock: LoopClock) -> UploadState:
        async with kvs_box(clock, tmp_path) as box, box.sending():
            box.offer(clip(NOON_MS, 3))
            await box.emptied()
        return box.uploader.state

    state, written = run_swiftly(story), read_state(tmp_path / "state.json")

    assert written is not None
    assert {"BUFFERING": 3, "RECEIVED": 3, "PERSISTED": 3} == written.acks
    assert (3, 0, 24, NOON_MS + 2 * STILL_MS) == (
        written.persisted,
        written.waiting,
        written.retention_hours,
        written.newest_ms,
    )
    assert (state.stream, "idle", 0.0) == (written.stream, written.state, written.lag_s(1e12))


def test_trouble_is_known_before_there_is_anything_to_send(tmp_path: Path) -> None:
    """A box whose credentials do not work says so when it starts, not when the dog comes."""

    async def story(clock: LoopClock) -> tuple[UploadState, UploadState]:
        fault = Refuse("AccessDeniedException", "DescribeStream")
        async with kvs_box(clock, tmp_path, fault) as box, box.sending():
            await box.until(lambda: bool(box.uploader.state.reason), within_s=10)
            before = box.uploader.state
            await box.until(lambda: not box.uploader.state.reason, within_s=600)
            return before, box.uploader.state

    before, after = run_swiftly(story)

    assert ("stopped", "denied") == (before.state, before.reason)
    assert "kinesisvideo:DescribeStream" in before.trouble
    assert ("idle", "", 24) == (after.state, after.trouble, after.retention_hours)


def test_a_log_that_takes_no_news_does_not_end_the_sending(tmp_path: Path) -> None:
    """The database is away when something is told: what waits is sent all the same."""

    def away(_: StreamNews) -> None:
        raise StoreError("the database is away")

    async def story(clock: LoopClock) -> tuple[list[int], list[int]]:
        async with kvs_box(clock, tmp_path, Refuse("AccessDeniedException"), ErrorAck(4006, 2)) as box:
            box.tell = away
            box.renew()
            async with box.sending():
                sent = box.offer(clip(NOON_MS, 3))
                await box.emptied()
                return sent, box.stored

    sent, stored = run_swiftly(story)

    assert [sent[0], sent[2]] == stored


def test_a_fragment_that_cannot_be_kept_is_counted_and_told(tmp_path: Path) -> None:
    """A vault that is locked, a disk that is full: the recorder is told, and the admin of what is lost."""

    def locked(row: str, content: bytes) -> bytes:
        raise VaultError("the vault is locked")

    async def story(clock: LoopClock) -> tuple[list[bool], Box]:
        async with kvs_box(clock, tmp_path) as box:
            box.renew(seal=locked)
            async with box.sending():
                kept = [box.uploader.offer("clip-1", each) for each in clip(NOON_MS, 2)]
                await asyncio.sleep(1)
            return kept, box

    kept, box = run_swiftly(story)

    assert [False, False] == kept
    assert 2 == box.uploader.state.lost == sum(each.lost for each in box.news)


@pytest.mark.parametrize(("named", "reason"), [(True, ""), (False, "endpoint")])
def test_video_is_not_sent_in_the_clear_unless_somebody_named_the_service(
    tmp_path: Path, *, named: bool, reason: str
) -> None:
    """An endpoint without encryption, handed out by a service that the settings do not name, is refused."""

    async def story(clock: LoopClock) -> str:
        async with kvs_box(clock, tmp_path) as box:
            address = box.settings.endpoint
            settings = box.settings if named else box.settings.model_copy(update={"endpoint": None})
            box.signpost.to = address
            source = CredentialSource(settings)
            connecting = Connecting("hall", settings, Endpoints(box.signpost, clock), source, clock)
            ears = Ears(lambda _: None, lambda: False, asyncio.Event())
            try:
                session = await connecting.open(SpooledFragment.of("clip", clip(NOON_MS, 1)[0]), ears)
            except StreamError as error:
                return error.reason
            await session.close()
            return ""

    assert run_swiftly(story) == reason
