"""Half an hour with a line that is cut again and again, days offline, and how much memory all of it takes."""

import asyncio
import random
import weakref
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from kvs_box import CLIP_MS, NOON_MS, Box, clip, credentials_file, kvs_box
from swift_loop import LoopClock, run_swiftly

from appliance.video.fragment import Fragment
from appliance.video.kvs.spool import Spool
from appliance.video.kvs.spool_files import SpoolEntry
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.upload_state import UploadState
from appliance.video.kvs_server.archive import MemoryArchive
from appliance.video.kvs_server.faults import Cut, ErrorAck, Fault, Mute, Refuse
from appliance.video.kvs_server.quotas import Quotas
from appliance.video.kvs_server.server import Manners
from appliance.video.kvs_server.signatures import Credential

MINUTES = 30
EACH_MS = 10_000
MORE_BYTES = 4_000


def troubles(chance: random.Random) -> list[Fault]:
    """A cut every 20 to 60 seconds of video, at any moment of a fragment, and sometimes something worse.

    Every third or so falls into the middle of a fragment's bytes.
    """
    found: list[Fault] = []
    fragment = 0
    while fragment < 2 * MINUTES * CLIP_MS // EACH_MS:
        fragment += chance.randint(20_000 // EACH_MS, 60_000 // EACH_MS)
        moment = chance.choice(["buffering", "within", "within", "received", "stored", "persisted"])
        held_s = chance.choice([0.0, 0.0, 5.0, 20.0])
        found.append(Cut(moment, fragment, held_s, after_bytes=chance.randint(1, MORE_BYTES)))
    for at in range(3):
        place = fragment * at // 3
        found += [Mute(place + 2), ErrorAck(5000, place + 9), ErrorAck(4003, place + 15)]
        found += [Refuse("InternalFailureException"), Refuse("ThrottlingException", "GetDataEndpoint")]
    return found


def test_thirty_flaky_minutes_lose_no_fragment(tmp_path: Path) -> None:
    """Clips recorded in their own time, cut every 20 to 60 seconds: all stored, in order, the spool empty."""
    wrong = troubles(random.Random(8))

    def within(faults: Iterable[Fault]) -> int:
        return sum(isinstance(each, Cut) and each.when == "within" for each in faults)

    async def story(clock: LoopClock) -> tuple[list[int], list[int], UploadState, int]:
        sent, most = [], 0
        async with kvs_box(clock, tmp_path, *wrong) as box, box.sending():
            for minute in range(MINUTES):
                begin_ms, count = NOON_MS + minute * CLIP_MS, CLIP_MS // EACH_MS
                for fragment in clip(begin_ms, count, each_ms=EACH_MS, more_bytes=MORE_BYTES):
                    await asyncio.sleep(EACH_MS / 1000)
                    assert box.uploader.offer(f"clip-{minute}", fragment)
                    sent.append(fragment.timecode_ms)
                    most = max(most, box.uploader.state.waiting)
            await box.emptied()
            assert within(wrong) - within(box.server.faults.waiting) >= 10
            return sent, box.stored, box.uploader.state, most

    sent, stored, state, most = run_swiftly(story)

    assert (sent, 0) == (sorted(set(stored)), state.lost)
    assert state.connections > 50
    assert len(stored) - len(sent) <= state.resent
    assert most * EACH_MS < 10 * 60_000, "it never falls far behind"


class Watched(SpooledFragment):
    """A fragment whose end is noticed."""

    __slots__ = ("__weakref__",)


class WatchedSpool(Spool):
    """A spool that knows how many of the fragments it gave out are in somebody's hands."""

    alive: ClassVar[weakref.WeakSet[Watched]] = weakref.WeakSet()
    most: ClassVar[int] = 0

    def read(self, entry: SpoolEntry) -> SpooledFragment | None:
        """See `Spool`."""
        found = super().read(entry)
        if found is None:
            return None
        watched = Watched(found.timecode_ms, found.end_ms, found.header, found.body)
        WatchedSpool.alive.add(watched)
        WatchedSpool.most = max(WatchedSpool.most, len(WatchedSpool.alive))
        return watched


def test_a_backlog_is_sent_without_being_held_in_memory(tmp_path: Path) -> None:
    """Of days that waited on the disk, the fragment that is sent and the next are in memory, and no other."""

    async def story(clock: LoopClock) -> int:
        async with kvs_box(clock, tmp_path, Mute(5), Cut("stored", 15)) as box:
            for number in range(5):
                box.offer(clip(NOON_MS + number * CLIP_MS, 6, each_ms=EACH_MS), f"clip-{number}")
            box.renew(WatchedSpool)
            async with box.sending():
                await box.emptied()
            return len(set(box.stored))

    stored = run_swiftly(story)

    assert (30, 0) == (stored, len(WatchedSpool.alive))
    assert 0 < WatchedSpool.most <= 2


def test_credentials_that_are_rotated_in_the_middle_of_a_clip_are_taken_up(tmp_path: Path) -> None:
    """The old key ends while a clip grows: said in words, and all is stored once the file is renewed."""

    async def story(clock: LoopClock) -> tuple[list[int], list[int], str]:
        archive = MemoryArchive()
        async with kvs_box(clock, tmp_path, archive=archive) as box, box.sending():
            fragments = clip(NOON_MS, 6)
            box.offer(fragments[:3])
            await box.emptied()
            port = int(box.settings.endpoint.rpartition(":")[2]) if box.settings.endpoint else 0
            await box.server.stop()
            new = Credential("AKIDNEW", "another secret", "a token")
            async with kvs_box(clock, tmp_path, archive=archive, port=port, credentials=(new,)):
                box.offer(fragments[3:])
                await box.until(lambda: box.uploader.state.reason == "credentials", within_s=120)
                hint = box.uploader.state.hint
                credentials_file(tmp_path, new.secret_key, key=new.access_key, token=new.session_token or "")
                await box.emptied(within_s=60)
                return [each.timecode_ms for each in fragments], box.stored, hint

    sent, stored, hint = run_swiftly(story)

    assert sent == sorted(set(stored))
    assert "read anew" in hint


def test_a_recording_of_fifty_minutes_never_meets_the_age_at_which_the_service_ends_a_connection(
    tmp_path: Path,
) -> None:
    """At forty minutes it is let go at a fragment's end and another goes on: no error, nothing resent."""

    async def story(clock: LoopClock) -> tuple[int, UploadState]:
        async with kvs_box(clock, tmp_path) as box, box.sending():
            fragments = clip(NOON_MS, 160, each_ms=EACH_MS)
            for fragment in fragments:
                await asyncio.sleep(19)
                box.uploader.offer("clip-1", fragment)
            await box.emptied()
            return len(fragments), box.uploader.state

    count, state = run_swiftly(story)

    assert (count, 2, 0, 0) == (state.persisted, state.connections, state.resent, state.lost)
    assert "ERROR" not in state.acks


def test_offline_for_longer_than_there_is_room_costs_the_oldest_clips_whole(tmp_path: Path) -> None:
    """What is dropped is counted and told; the newest clips arrive when the service is back."""

    async def story(clock: LoopClock) -> tuple[Box, list[int]]:
        async with kvs_box(clock, tmp_path, Refuse("AccessDeniedException", times=2)) as box:
            one = clip(NOON_MS, 4, more_bytes=50_000)
            box.renew(max_bytes=3 * 4 * 52_000)
            async with box.sending():
                for number in range(5):
                    moved = [later(fragment, number * CLIP_MS) for fragment in one]
                    box.offer(moved, f"clip-{number}")
                await box.emptied()
            return box, box.stored

    box, stored = run_swiftly(story)
    state = box.uploader.state

    assert [NOON_MS + minute * CLIP_MS + place * 2000 for minute in (2, 3, 4) for place in range(4)] == stored
    assert (8, 2) == (state.lost, state.lost_clips)
    assert 8 == sum(each.lost for each in box.news)


def test_what_waited_is_sent_no_faster_than_the_service_takes_it(tmp_path: Path) -> None:
    """Five fragments a second, over several connections: a strict service never refuses it for its haste."""

    async def story(clock: LoopClock) -> tuple[float, int]:
        async with kvs_box(clock, tmp_path, manners=Manners(quotas=Quotas())) as box:
            for number in range(3):
                box.offer(clip(NOON_MS + number * CLIP_MS, 20), f"clip-{number}")
            begun = clock.monotonic()
            async with box.sending():
                await box.emptied()
            return clock.monotonic() - begun, box.uploader.state.failures

    took, failures = run_swiftly(story)

    assert 59 / 5 < took < 30
    assert failures == 0


def later(fragment: Fragment, by_ms: int) -> Fragment:
    """A fragment that begins later."""
    frames = tuple(replace(frame, timecode_ms=frame.timecode_ms + by_ms) for frame in fragment.frames)
    return replace(fragment, timecode_ms=fragment.timecode_ms + by_ms, frames=frames)
