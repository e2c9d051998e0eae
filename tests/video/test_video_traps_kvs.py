"""The traps of Kinesis Video Streams that lie in the service and on the way there, a test named after each.

Those that lie in a camera's packets (4 to 8, and the clock's part of 13) are in test_video_traps_packets.
"""

import asyncio
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from kvs_box import NOON_MS, STREAM, Box, clip, kvs_box
from kvs_script import OK, Line, chunk, head_for, scripted
from swift_loop import LoopClock, run_swiftly

from appliance.video.kvs.sending import MAX_FLYING
from appliance.video.kvs.still import STILL_MS, still
from appliance.video.kvs.upload_state import UploadState
from appliance.video.kvs_server.faults import Cut, Refuse
from appliance.video.kvs_server.server import Manners
from appliance.video.matroska import END_OF_FRAGMENT, stream_fragment


def test_trap_01_a_stream_is_made_with_retention(tmp_path: Path) -> None:
    """The service's own default is 0 hours, which stores nothing: ours never asks for that."""

    async def story(clock: LoopClock) -> int:
        async with kvs_box(clock, tmp_path, retention_hours=48) as box:
            await asyncio.to_thread(box.control.create, STREAM, 0)
            facts = await asyncio.to_thread(box.control.describe, STREAM)
            assert facts is not None
            return facts.retention_hours

    assert run_swiftly(story) == 1


@pytest.mark.parametrize("may_raise", [False, True])
def test_trap_01_a_stream_that_keeps_nothing_is_not_sent_to(tmp_path: Path, may_raise: bool) -> None:  # noqa: FBT001
    """Told in words with what to do, and everything waits; raised by the box itself where it may."""

    async def story(clock: LoopClock) -> tuple[Box, str, list[int]]:
        async with kvs_box(clock, tmp_path, raise_retention=may_raise) as box, box.sending():
            await box.make_stream(0)
            box.offer(clip(NOON_MS, 2))
            await box.until(lambda: box.uploader.state.state == "stopped" or not box.uploader.state.waiting)
            return box, box.uploader.state.reason, box.stored

    box, reason, stored = run_swiftly(story)

    assert ("" if may_raise else "retention") == reason
    assert ([NOON_MS, NOON_MS + STILL_MS] if may_raise else []) == stored
    assert (24 if may_raise else None) == box.uploader.state.retention_hours


def test_trap_02_the_first_answer_is_heard_before_the_clip_ends(tmp_path: Path) -> None:
    """Full duplex: what is stored leaves the spool while the next fragments are still being recorded."""

    async def story(clock: LoopClock) -> tuple[int, int]:
        async with kvs_box(clock, tmp_path) as box, box.sending():
            box.offer(clip(NOON_MS, 6)[:2])
            await asyncio.sleep(2)
            return box.uploader.state.persisted, box.uploader.state.connections

    assert run_swiftly(story) == (2, 1)


def test_trap_03_a_fragment_is_stored_at_its_own_time(tmp_path: Path) -> None:
    """ABSOLUTE, and the cluster holds milliseconds since the epoch: it is found when it was recorded."""

    async def story(clock: LoopClock) -> list[int]:
        async with kvs_box(clock, tmp_path) as box, box.sending():
            box.offer(clip(NOON_MS, 3))
            await box.emptied()
            return box.stored

    assert run_swiftly(story) == [NOON_MS + place * STILL_MS for place in range(3)]
    assert ("x-amzn-fragment-timecode-type", "ABSOLUTE") in head_for("https://s").headers


def test_trap_09_the_end_of_a_clip_is_stored_before_the_connection_is_let_go(tmp_path: Path) -> None:
    """End tag, last chunk, and then the wait for PERSISTED, however late that comes."""

    async def story(clock: LoopClock) -> tuple[int, int, int]:
        async with kvs_box(clock, tmp_path, manners=Manners(settle_s=5.0)) as box, box.sending():
            box.offer(clip(NOON_MS, 3))
            await box.emptied()
            return box.uploader.state.persisted, box.uploader.state.resent, box.uploader.state.connections

    assert run_swiftly(story) == (3, 0, 1)


def test_trap_10_a_place_that_is_taken_is_waited_for(tmp_path: Path) -> None:
    """After a cut the service holds the stream's only place for a while: one to thirty seconds each time."""

    async def story(clock: LoopClock) -> tuple[int, float]:
        async with kvs_box(clock, tmp_path, Cut("received", 1, held_s=25.0)) as box, box.sending():
            sent = box.offer(clip(NOON_MS, 3))
            begun = clock.monotonic()
            await box.emptied()
            assert sent == sorted(set(box.stored))
            return box.uploader.state.lost, clock.monotonic() - begun

    lost, took = run_swiftly(story)

    assert lost == 0
    assert 25 <= took < 90


def test_trap_10_a_place_that_is_taken_is_tried_every_one_to_thirty_seconds(tmp_path: Path) -> None:
    """Never sooner, which the first pause of any other failure is; nor later, however long it is taken."""
    refused = Refuse("ConnectionLimitExceededException", times=12)

    async def story(clock: LoopClock) -> list[float]:
        tried = [clock.monotonic()]
        async with kvs_box(clock, tmp_path, refused) as box, box.sending():
            box.offer(clip(NOON_MS, 1))
            while box.spool.state().fragments:
                if box.uploader.state.failures == len(tried):
                    tried.append(clock.monotonic())
                await asyncio.sleep(0.05)
        return tried[1:]

    tried = run_swiftly(story)
    pauses = [later - sooner for sooner, later in pairwise(tried)]

    assert len(pauses) == 11
    assert all(0.9 <= pause <= 31 for pause in pauses)
    assert max(pauses) > 3, "the pauses grow"


def test_trap_10_one_stream_has_one_connection_at_a_time(tmp_path: Path) -> None:
    """Clips that wait are sent one after the other: the service never sees a second sender."""

    async def story(clock: LoopClock) -> tuple[int, int]:
        async with kvs_box(clock, tmp_path, manners=Manners(calls_per_s=5)) as box, box.sending():
            for number in range(6):
                box.offer(clip(NOON_MS + number * 60_000, 2), f"clip-{number}")
            await box.emptied()
            return box.uploader.state.failures, box.uploader.state.connections

    assert run_swiftly(story) == (0, 6)


def test_trap_11_nine_tags_and_the_one_that_ends_the_fragment(tmp_path: Path) -> None:
    """The service takes ten: all nine of ours arrive, the end tag is last, and a tenth is refused before."""
    tags = tuple((f"name-{place}", f"value {place}") for place in range(9))
    written = stream_fragment(still(NOON_MS, tags=tags))

    async def story(clock: LoopClock) -> tuple[int, int]:
        async with kvs_box(clock, tmp_path) as box, box.sending():
            box.offer(clip(NOON_MS, 2, tags=tags))
            await box.emptied()
            return len(box.stored), box.uploader.state.lost

    assert run_swiftly(story) == (2, 0)
    assert written.rstrip(b"\x00").endswith(END_OF_FRAGMENT.encode() + b"\x44\x87\x80")
    with pytest.raises(ValueError, match="9 tags at most"):
        still(NOON_MS, tags=(*tags, ("one", "more")))


def test_trap_12_a_fragment_that_arrived_twice_is_one_fragment(tmp_path: Path) -> None:
    """Stored, and the answer lost: it is sent again, stored twice, and read once."""

    async def story(clock: LoopClock) -> tuple[dict[int, int], int, int]:
        async with kvs_box(clock, tmp_path, Cut("stored", 2)) as box, box.sending():
            box.offer(clip(NOON_MS, 3))
            await box.emptied()
            read = await asyncio.to_thread(box.reader.fragments, STREAM, NOON_MS, NOON_MS + 9000)
            return Counter(box.stored), len(read), box.uploader.state.resent

    stored, read, resent = run_swiftly(story)

    assert (1, 2) == (stored[NOON_MS], stored[NOON_MS + STILL_MS])
    assert read == 3
    assert 1 <= resent <= MAX_FLYING


def test_trap_13_a_clock_that_is_wrong_is_told_as_that(tmp_path: Path) -> None:
    """A signature is believed for five minutes; said is how far the clock is off, not that a key is bad."""

    async def script(line: Line) -> None:
        body = b'{"message":"Signature expired: 20200101T000000Z is now earlier than ..."}'
        head = b"HTTP/1.1 403 Forbidden\r\nDate: Wed, 01 Jan 2020 00:00:00 GMT\r\n"
        head += b"x-amzn-ErrorType: InvalidSignatureException\r\n"
        await line.say(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def story(clock: LoopClock) -> tuple[str, str]:
        async with scripted(script) as endpoint, kvs_box(clock, tmp_path) as box:
            box.signpost.to = endpoint
            async with box.sending():
                box.offer(clip(NOON_MS, 1))
                await box.until(lambda: bool(box.uploader.state.reason))
                return box.uploader.state.reason, box.uploader.state.trouble

    reason, trouble = run_swiftly(story)

    assert reason == "clock"
    assert re.search(r"it is \d+ minutes ahead", trouble)


@pytest.mark.parametrize(
    ("said", "reason", "heard"),
    [
        (b'{"EventType":"ERROR","ErrorId":4006}', "fragment", "ERROR"),
        (b'{"EventType":"ERROR","ErrorCode":"INVALID_MKV_DATA"}', "fragment", "ERROR"),
        (b'{"EventType":"ERROR","ErrorCode":"NEW","ErrorId":4999,"More":{"of":"it"}}', "failed", "ERROR"),
        (b'{"EventType":"ERROR"}', "failed", "ERROR"),
        (b'{"Acknowledgement":{"AckEventType":"ERROR","ErrorId":4500}}', "key", "ERROR"),
        (b'{"Acknowledgement":{"AckEventType":"ERROR","ErrorId":4003}}', "", "ERROR"),
        (b'{"EventType":"SOMETHING_NEW","FragmentTimecode":1}', "silent", "SOMETHING_NEW"),
    ],
)
def test_trap_14_an_error_without_timecode_or_name_loses_nothing(
    tmp_path: Path, said: bytes, reason: str, heard: str
) -> None:
    """Once, in the middle of a clip, and the service stays on the line: it is heard, understood and acted on.

    An error ends the connection by itself, and at once; a kind of answer that nobody knows does not, so there
    it is the silence afterwards. Either way what was not stored is sent again.
    """
    lines = [said]

    async def script(line: Line) -> None:
        await line.take(10)
        if lines:
            await line.say(OK + chunk(lines.pop() + b"\r\n"))
        await line.take(100_000_000)

    async def story(clock: LoopClock) -> tuple[list[int], list[int], UploadState, UploadState, float]:
        async with scripted(script) as endpoint, kvs_box(clock, tmp_path) as box:
            box.signpost.to = endpoint
            async with box.sending():
                sent = box.offer(clip(NOON_MS, 3))
                begun = clock.monotonic()
                await box.until(lambda: bool(box.uploader.state.reason) or box.uploader.state.connections > 1)
                after, took = box.uploader.state, clock.monotonic() - begun
                box.signpost.to = None
                await box.emptied()
                return sent, box.stored, after, box.uploader.state, took

    sent, stored, after, state, took = run_swiftly(story)

    assert (reason, {heard: 1}) == (after.reason, after.acks)
    assert (3, 0 if reason == "" else 1) == (after.waiting, after.failures)
    assert took > 12 if reason == "silent" else took < 5
    assert (sent, 0, 3) == (stored, state.lost, state.persisted)
    assert state.acks.get(heard) == 1
