"""Cameras are followed while something is wanted of them; what is wrong with one is said."""

import threading

import pytest
from footage import (
    BEGIN_MS,
    Kept,
    PlayedFeed,
    fragments,
    wish,
)

from appliance.backoff import BackOff
from appliance.errors import CameraLostError, UnusableVideoError, VideoError
from appliance.events import ClipFailed
from appliance.video.faults import Fault, trouble
from appliance.video.recorder import Recorder

AT_ONCE = BackOff(first_s=0.0, cap_s=0.0)


def spans(kept: Kept) -> list[tuple[int, int]]:
    """Of all clips, the oldest first: begin and end after the beginning of the story, seconds."""
    return [
        ((clip.begin_ms - BEGIN_MS) // 1000, (clip.end_ms - BEGIN_MS) // 1000)
        for clip in reversed(kept.clips.clips())
    ]


def recorder(kept: Kept, feed: PlayedFeed, **more: float) -> Recorder:
    """All cameras', of which one gives what the feed has."""
    return Recorder(lambda _: kept.recording(), feed, clock=kept.clock, again=AT_ONCE, **more)


def waited(recorder: Recorder) -> None:
    """Until nothing is recorded any more."""
    for thread in threading.enumerate():
        if thread.name.startswith("record-"):
            thread.join(5)

    assert [] == recorder.recorded()


def test_a_camera_is_followed_while_something_is_wanted_of_it(kept: Kept) -> None:
    """From before the trigger, however late that was told, until the clip is over; then it is left alone."""
    feed = PlayedFeed(fragments(BEGIN_MS - 10_000, 40))
    kept.clock.advance(3)
    ours = recorder(kept, feed)
    ours.ask("hall", wish(10, back_ms=5_000))
    waited(ours)

    assert [("hall", 8.0)] == feed.asked
    assert [(-6, 10)] == spans(kept)


def test_a_camera_that_is_lost_is_tried_again_and_another_clip_goes_on(kept: Kept) -> None:
    """What came before stands; the reason is in the log; nothing is recorded twice."""
    feed = PlayedFeed(
        [*fragments(BEGIN_MS, 2), CameraLostError("the camera is gone")],
        [CameraLostError("the camera is gone")],
        fragments(BEGIN_MS + 6_000, 40),
    )
    ours = recorder(kept, feed)
    ours.ask("hall", wish(20))
    waited(ours)

    assert [(0, 4), (6, 20)] == spans(kept)
    assert ["complete", "camera_lost"] == [clip.ended for clip in kept.clips.clips()]
    assert 3 == len(feed.asked)
    assert "" == ours.trouble


def test_a_camera_that_gives_nothing_counts_as_lost(kept: Kept) -> None:
    """Silence longer than any fragment; the clock is the test's."""

    class Silent(PlayedFeed):
        """Says that nothing came, and lets ten seconds pass."""

        def __call__(self, camera, back_s, stop):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
            """As its base."""
            for each in super().__call__(camera, back_s, stop):
                if each is None:
                    kept.clock.advance(10)
                yield each

    feed = Silent([*fragments(BEGIN_MS, 2), None, None], [None] * 20)
    ours = recorder(kept, feed)
    ours.ask("hall", wish(20))
    waited(ours)

    assert [(0, 4)] == spans(kept)
    assert "camera_lost" == kept.clips.clips()[0].ended
    assert "no picture came" in ours.trouble
    assert "clip_failed" not in kept.types()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CameraLostError("the camera is gone"), "camera_lost"),
        (UnusableVideoError("no H.264", fault="other_codec"), "unusable"),
        (ValueError("a fault of ours"), "failed"),
    ],
)
def test_a_camera_that_never_gave_a_picture_is_an_event(kept: Kept, error: Exception, reason: str) -> None:
    """Once it is waited for no longer."""

    class Later(PlayedFeed):
        """A minute passes each time."""

        def __call__(self, camera, back_s, stop):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
            """As its base."""
            kept.clock.advance(60)
            yield from super().__call__(camera, back_s, stop)

    ours = recorder(kept, Later([error], [error]))
    ours.ask("hall", wish(20, cause="e1"))
    waited(ours)

    assert [("hall", reason, ("e1",))] == [
        (each.camera, each.reason, each.causes) for each in kept.told if isinstance(each, ClipFailed)
    ]


def test_what_is_wrong_with_a_cameras_stream_is_said_as_long_as_it_is_so(kept: Kept) -> None:
    """Although something comes of it; that the picture once changed is not said for ever."""
    long_group = trouble(Fault.LONG_GROUP)
    ours = Recorder(
        lambda _: kept.recording(),
        PlayedFeed(fragments(BEGIN_MS, 10)),
        clock=kept.clock,
        troubles=lambda _: (long_group, trouble(Fault.SIZE_CHANGED)),
    )
    assert "" == ours.trouble
    ours.ask("hall", wish(4))
    waited(ours)

    assert f"camera hall: {long_group.words} ({long_group.hint})" == ours.trouble


def test_the_end_of_the_appliance_ends_clips_with_what_they_have(kept: Kept) -> None:
    """Recording stops, the clip says why, and nobody can ask any more."""
    feed = PlayedFeed(fragments(BEGIN_MS, 3), stays=True)
    ours = recorder(kept, feed)
    ours.ask("hall", wish(60))
    assert feed.over.wait(5)
    assert ["hall"] == [each.camera for each in ours.recorded()]
    ours.close()

    assert ["stopped"] == [clip.ended for clip in kept.clips.clips()]
    assert [(0, 6)] == spans(kept)
    assert "clip_failed" not in kept.types()
    with pytest.raises(VideoError, match="being stopped"):
        ours.ask("hall", wish(60))
