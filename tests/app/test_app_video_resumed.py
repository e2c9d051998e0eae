"""What was being recorded when the process died is recorded on by the next, and nothing twice."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from footage import BEGIN_MS, Kept, PlayedFeed, fragments

from appliance.app.video_process import go_on, recording_of
from appliance.backoff import BackOff
from appliance.events import ClipEnd
from appliance.settings import VideoSettings
from appliance.vault import Vault
from appliance.video.recorder import Recorder
from appliance.video.wishes import Wish

AT = datetime.fromtimestamp(BEGIN_MS / 1000, UTC)


def resumed(kept: Kept, feed: PlayedFeed) -> list[tuple[int, int, tuple[str, ...]]]:
    """What another start makes of it, and what clips there are then, the oldest first: seconds and causes."""
    kept.again()
    make = partial(recording_of, kept.clips, kept, VideoSettings(), kept.clock)
    recorder = Recorder(make, feed, clock=kept.clock, again=BackOff(first_s=0, cap_s=0))
    go_on(kept.clips, recorder, None, kept.clock)
    feed.begin.set()  # what is owed is all known by then
    for thread in threading.enumerate():
        if thread.name.startswith("record-"):
            thread.join(60)
    recorder.close()
    return [
        ((clip.begin_ms - BEGIN_MS) // 1_000, (clip.end_ms - BEGIN_MS) // 1_000, clip.about.causes)
        for clip in reversed(kept.clips.clips())
    ]


def cut_short(kept: Kept, why: ClipEnd | None = None) -> None:
    """A clip of twenty wanted seconds of which four are there; the process ends, a second later."""
    recording = kept.recording()
    for cause in ("e1", "e2"):
        recording.ask(Wish(20, BEGIN_MS, 0, cause))
    for piece in fragments(BEGIN_MS, 2):
        recording.take(piece)
    if why is not None:
        recording.finish(why)
    kept.clock.advance(5)


@pytest.mark.parametrize("why", [None, "stopped"])
def test_what_was_wanted_when_the_process_died_is_recorded_by_the_next(
    tmp_path: Path, vault: Vault, why: ClipEnd | None
) -> None:
    """From where the clip broke off, as long as it was to be, and nothing twice; events are known again."""
    kept = Kept(tmp_path / "clips", vault)
    cut_short(kept, why)
    feed = PlayedFeed(fragments(BEGIN_MS + 2_000, 12), stays=True, held=True)
    found = resumed(kept, feed)

    assert [(0, 4, ("e1", "e2")), (4, 20, ("e1", "e2"))] == found
    assert [("hall", 1.0)] == feed.asked
    assert [why or "interrupted", "complete"] == [clip.ended for clip in reversed(kept.clips.clips())]


def test_two_clips_do_not_overlap_when_the_process_died_between_them(tmp_path: Path, vault: Vault) -> None:
    """Whatever the next wish reaches back to, and wherever the camera's groups are cut then."""
    kept = Kept(tmp_path / "clips", vault)
    recording = kept.recording()
    recording.ask(Wish(4, BEGIN_MS, 0))
    for piece in fragments(BEGIN_MS, 2):
        recording.take(piece)
    kept.clock.advance(6)
    kept.again()
    after = recording_of(kept.clips, kept, VideoSettings(), kept.clock, "hall")
    after.ask(Wish(4, BEGIN_MS + 6_000, 5_000))
    for piece in fragments(BEGIN_MS + 1_000, 8):
        after.take(piece)
    after.finish_if_done()

    assert [(0, 4_000), (5_000, 11_000)] == [
        (clip.begin_ms - BEGIN_MS, clip.end_ms - BEGIN_MS) for clip in reversed(kept.clips.clips())
    ]


@pytest.mark.parametrize(
    ("why", "later_s"), [(None, 20), (None, -3_600), ("camera_lost", 0), ("complete", 0)]
)
def test_what_is_over_or_was_over_is_not_gone_on_with(
    tmp_path: Path, vault: Vault, why: ClipEnd | None, later_s: int
) -> None:
    """Its time has passed, the clock was set back, or the clip did not end with the process."""
    kept = Kept(tmp_path / "clips", vault)
    cut_short(kept, why)
    kept.clock.set(wall=kept.clock.wall() + timedelta(seconds=later_s), monotonic=kept.clock.monotonic() + 1)
    feed = PlayedFeed(fragments(BEGIN_MS + 2_000, 12))

    assert [(0, 4, ("e1", "e2"))] == resumed(kept, feed)
    assert [] == feed.asked


# ---------------------------------------------------------------- the whole
