"""What `appliance doctor` finds of video: that it is recorded, kept, and arrives where it is sent."""

from pathlib import Path

import pytest

from appliance.app.examining.filmed import filmed
from appliance.services import Layout
from appliance.settings import Settings, VideoSettings
from appliance.wire import Reply, Server
from appliance.wire.messages import (
    AskVideo,
    RecordingTold,
    StreamTold,
    SupervisorStatus,
    SupervisorStatusRequest,
    VideoTold,
)

WELL = VideoTold(recording=(), clips=2, size_bytes=3 << 20, free_bytes=1 << 40)
BUSY = WELL.model_copy(update={"recording": (RecordingTold(camera="hall", clip=None, left_s=9.0),)})
FULL = WELL.model_copy(update={"clips": 0, "size_bytes": 0, "free_bytes": 0})
LOST = WELL.model_copy(update={"trouble": "camera hall: the camera is gone"})


def found(layout: Layout, settings: Settings | None = None) -> list[tuple[str, str, str]]:
    """What was looked at, how it is, and in which words."""
    return [(each.subject, each.health, each.words) for each in filmed(settings or Settings(), layout)]


@pytest.mark.parametrize(
    ("told", "finding"),
    [
        (WELL, ("clips", "ok", "2 clips stored, 3 MiB")),
        (BUSY, ("clips", "ok", "2 clips stored, 3 MiB; recording hall")),
        (FULL, ("clips", "problem", "0 clips stored, 0 MiB; there is no room for any")),
        (LOST, ("clips", "problem", "2 clips stored, 3 MiB; camera hall: the camera is gone")),
    ],
)
def test_how_the_recording_is_is_said_in_a_line(
    tmp_path: Path, told: VideoTold, finding: tuple[str, str, str]
) -> None:
    """What is wrong with it makes it a problem."""
    layout = Layout(tmp_path)
    with Server(layout.socket("video"), {AskVideo: lambda _: Reply(told)}):
        assert [finding] == found(layout)


def test_a_stream_that_nobody_can_mend_but_an_admin_is_a_problem(tmp_path: Path) -> None:
    """One that is tried again by itself is worth knowing; one that works is well."""
    layout = Layout(tmp_path)
    streams = (
        StreamTold(stream="a", state="idle", persisted=30),
        StreamTold(stream="b", state="waiting", waiting=1, trouble="the connection was cut"),
        StreamTold(stream="c", state="stopped", waiting=2, lost=1, trouble="not allowed"),
    )
    told = WELL.model_copy(update={"streams": streams})
    with Server(layout.socket("video"), {AskVideo: lambda _: Reply(told)}):
        rows = found(layout)[1:]

    assert [
        ("stream a", "ok", "nothing waits, 30 stored there since the start"),
        (
            "stream b",
            "note",
            "1 fragment waiting, 0 stored there since the start; in the way: the connection was cut",
        ),
        (
            "stream c",
            "problem",
            "2 fragments waiting, 0 stored there since the start, 1 given up; in the way: not allowed",
        ),
    ] == rows


def test_a_box_whose_recorder_does_not_answer_has_a_problem_while_it_runs(tmp_path: Path) -> None:
    """At rest nothing records, which is as it should be; so is what was switched off."""
    layout = Layout(tmp_path)
    off = Settings(video=VideoSettings(enabled=False))
    status = SupervisorStatus(pid=1, uptime_s=1.0, children=())
    at_rest = found(layout)
    with Server(layout.socket("supervisor"), {SupervisorStatusRequest: lambda _: Reply(status)}):
        runs = found(layout)

    assert [("clips", "ok", "0 clips stored; nothing records now")] == at_rest
    assert [("clips", "problem", "0 clips stored; the part that records does not answer")] == runs
    assert [("clips", "ok", "no video is recorded: that is switched off")] == found(layout, off)
