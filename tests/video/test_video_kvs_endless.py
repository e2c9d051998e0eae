"""Nothing is sent for ever: a service, a file or an answer that is always wrong costs little, and is told."""

import asyncio
from pathlib import Path

import pytest
from kvs_box import NOON_MS, Box, clip, kvs_box
from kvs_script import OK, Line, chunk, scripted
from swift_loop import LoopClock, run_swiftly

from appliance.video.kvs.upload_state import UploadState
from appliance.video.kvs_server.faults import ErrorAck
from appliance.video.kvs_server.server import Manners

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (b'{"EventType":"ERROR","ErrorId":4006,"FragmentTimecode":1}', 2),
        (b'{"EventType":"ERROR","ErrorId":4006,"FragmentNumber":"77"}', 2),
        (b'{"EventType":"ERROR","ErrorId":4006}', 2),
        (b'{"EventType":"ERROR","ErrorId":4999}', 5),
        (b'{"EventType":"ERROR"}', 5),
        (b'{"EventType":"ERROR","ErrorCode":"SOMETHING_NEW","FragmentTimecode":1}', 5),
        (b'{"EventType":"ERROR","ErrorCode":"MIN_FRAGMENT_DURATION_REACHED","ErrorId":4013}', 2),
    ],
)
def test_an_error_that_fits_no_fragment_ends_all_the_same(tmp_path: Path, error: bytes, tries: int) -> None:
    """Its time is unknown, or it has none: each fragment is tried so often, given up and told; then quiet."""

    async def script(line: Line) -> None:
        await line.take(10)
        await line.say(OK + chunk(error + b"\r\n"))
        await line.take(100_000_000)

    async def story(clock: LoopClock) -> tuple[Box, UploadState]:
        async with scripted(script) as endpoint, kvs_box(clock, tmp_path) as box:
            box.signpost.to = endpoint
            async with box.sending():
                box.offer(clip(NOON_MS, 3))
                await box.emptied()
                await asyncio.sleep(HOUR_S)
                return box, box.uploader.state

    box, state = run_swiftly(story)

    assert (3, 0, 3 * tries) == (state.lost, state.waiting, state.connections)
    assert 3 == sum(each.lost for each in box.news)
    assert ("idle", "", None) == (state.state, state.reason, state.next_try_at)


def test_an_error_after_all_was_received_costs_the_first(tmp_path: Path) -> None:
    """The service has all of them whole, stores none, and names none: the first is tried, and the next."""

    async def script(line: Line) -> None:
        await line.take(10)
        said = b"".join(
            b'{"EventType":"RECEIVED","FragmentTimecode":%d}\r\n' % each.timecode_ms
            for each in clip(NOON_MS, 2)
        )
        await asyncio.sleep(1)
        await line.say(OK + chunk(said) + chunk(b'{"EventType":"ERROR","ErrorId":4006}\r\n'))
        await line.take(100_000_000)

    async def story(clock: LoopClock) -> UploadState:
        async with scripted(script) as endpoint, kvs_box(clock, tmp_path) as box:
            box.signpost.to = endpoint
            async with box.sending():
                box.offer(clip(NOON_MS, 2))
                await box.emptied()
                return box.uploader.state

    state = run_swiftly(story)

    assert (2, 4) == (state.lost, state.connections)


@pytest.mark.parametrize(("settle_s", "times"), [(20.0, 1), (40.0, 2), (150.0, 4)])
def test_a_service_that_stores_slowly_is_waited_for(tmp_path: Path, settle_s: float, times: int) -> None:
    """PERSISTED comes later than the service may be silent otherwise: it is waited for longer each time."""

    async def story(clock: LoopClock) -> tuple[list[int], list[int], UploadState]:
        async with kvs_box(clock, tmp_path, manners=Manners(settle_s=settle_s)) as box, box.sending():
            sent = box.offer(clip(NOON_MS, 3))
            await box.emptied()
            sent += box.offer(clip(NOON_MS + 60_000, 3), "clip-2")
            await box.emptied()
            return sent, box.stored, box.uploader.state

    sent, stored, state = run_swiftly(story)

    assert (sent, 0) == (sorted(set(stored)), state.lost)
    assert state.acks["BUFFERING"] == 3 * times + 3, "what the first clip taught holds for the second"


def test_a_clip_that_is_refused_whole_is_told_and_leaves_nothing_to_wait_for(tmp_path: Path) -> None:
    """After one that arrived: both fragments are told as lost, and the stream is idle, not about to try."""

    async def story(clock: LoopClock) -> tuple[Box, UploadState]:
        faults = (ErrorAck(4006, 2), ErrorAck(4006, 3))
        async with kvs_box(clock, tmp_path, *faults) as box, box.sending():
            box.offer(clip(NOON_MS, 1))
            await box.emptied()
            box.offer(clip(NOON_MS + 60_000, 2), "clip-2")
            await box.emptied()
            await asyncio.sleep(HOUR_S)
            return box, box.uploader.state

    box, state = run_swiftly(story)

    assert [("lost", 1), ("lost", 1)] == [(each.reason, each.lost) for each in box.news]
    assert ("idle", "", None, 0) == (state.state, state.reason, state.next_try_at, state.failures)
    assert (2, 1) == (state.lost, state.persisted)


@pytest.mark.parametrize("bad", [0, 2, 5])
def test_a_file_that_cannot_be_read_stops_no_other(tmp_path: Path, bad: int) -> None:
    """A worn-out disk under one of six: five are stored, each sent once; it is told."""

    async def story(clock: LoopClock) -> tuple[list[int], Box, UploadState]:
        async with kvs_box(clock, tmp_path, manners=Manners(settle_s=5.0)) as box:
            sent = box.offer(clip(NOON_MS, 6))
            path = sorted((tmp_path / "spool" / "clip-1").iterdir())[bad]
            content = path.read_bytes()
            path.unlink()
            path.mkdir()
            async with box.sending():
                await box.until(lambda: box.uploader.state.persisted == 5)
                await asyncio.sleep(HOUR_S)
                state = box.uploader.state
            assert sorted(box.stored) == sent[:bad] + sent[bad + 1 :]
            path.rmdir()
            path.write_bytes(content)
            box.renew()
            async with box.sending():
                await box.emptied()
            return sent, box, state

    sent, box, state = run_swiftly(story)

    assert 0 == state.resent
    assert sent == sorted(box.stored), "a disk that recovered gives it up at the next start"
    if bad == 5:
        assert (1, 0, "spool") == (state.waiting, state.lost, state.reason), "it stands in nobody's way"
        assert "spool" in [each.reason for each in box.news]
    else:
        assert (0, 1, "idle") == (state.waiting, state.lost, state.state)
        assert 1 == sum(each.lost for each in box.news)
