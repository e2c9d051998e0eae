"""The process that records video: what it answers, and what rules ask of it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from footage import BEGIN_MS, Kept, PlayedFeed, document, fragment, fragments, spooled

from appliance.app.stream_folders import drop_at_rest
from appliance.app.video_answers import VideoAnswers
from appliance.app.video_process import clip_document, run_video
from appliance.app.video_wishes import RECORD, RecordAction, record_plans
from appliance.backoff import BackOff
from appliance.clock import ManualClock, SystemClock
from appliance.deliveries import Delivery
from appliance.errors import ActionError, UnknownClipError, VideoError
from appliance.events import Event, ObjectSeen
from appliance.services import Layout, Services
from appliance.settings import Settings, VideoSettings
from appliance.vault import Vault
from appliance.video.clip import About
from appliance.video.matroska_reader import read_document
from appliance.video.recorder import Recorder
from appliance.wire import Client, Server
from appliance.wire.messages import (
    AskClip,
    AskVideo,
    ClipShown,
    ClipsListed,
    DeleteClip,
    Done,
    FragmentRead,
    ListClips,
    ReadFragment,
    Record,
    RecordTaken,
    ReleaseRecording,
    VideoTold,
)

AT = datetime.fromtimestamp(BEGIN_MS / 1000, UTC)


@dataclass
class Box:
    """A process that records, at its socket, without a camera.

    Attributes:
        feed: What its camera gives.
    """

    kept: Kept
    feed: PlayedFeed
    video: Client

    def recorded(self) -> None:
        """Wait until nothing is recorded any more."""
        for thread in threading.enumerate():
            if thread.name.startswith("record-"):
                thread.join(5)


@pytest.fixture
def box(tmp_path: Path, vault: Vault) -> Iterator[Box]:
    """With a camera that gives fourteen seconds, from two before the story on, and then stays."""
    kept = Kept(tmp_path / "clips", vault)
    feed = PlayedFeed(fragments(BEGIN_MS - 2_000, 7), stays=True)
    recorder = Recorder(lambda _: kept.recording(), feed, clock=kept.clock, again=BackOff(first_s=0, cap_s=0))
    drop = partial(drop_at_rest, Layout(tmp_path).kvs)
    answers = VideoAnswers(VideoSettings(), kept.clips, recorder, outside=None, drop=drop, clock=kept.clock)
    socket = Layout(tmp_path).socket("video")
    with Server(socket, answers.handlers()):
        yield Box(kept, feed, Client(socket))
    recorder.close()


def test_what_is_recorded_is_listed_shown_read_and_deleted(box: Box) -> None:
    """One after the other, over the socket; a clip that is gone is said to be gone."""
    asked = Record(camera="hall", seconds=10, cause="e1", at_ms=BEGIN_MS, labels=(("dog", 0.9),))
    states = [box.video.call(asked, RecordTaken).message.state for _ in range(2)]
    box.recorded()
    listed = box.video.call(ListClips(), ClipsListed).message
    clip = listed.clips[0]
    shown = box.video.call(AskClip(clip=clip.clip), ClipShown).message
    read = box.video.call(ReadFragment(clip=clip.clip, number=2), FragmentRead)

    assert ["began", "known"] == states
    assert (1, False) == (len(listed.clips), listed.more)
    assert ("hall", "ended", "complete", 6, (("dog", 0.9),)) == (
        *(clip.camera, clip.state, clip.why, clip.fragments, clip.labels),
    )
    assert (BEGIN_MS - 2_000, BEGIN_MS + 10_000) == (clip.begin_ms, clip.end_ms)
    assert clip.end_ms + 24 * 3_600_000 == clip.keep_until_ms
    assert [0, 1, 2, 3, 4, 5] == [each.number for each in shown.fragments]
    assert document(box.kept.sent[2][0], clip.clip) == read.blob
    assert shown.fragments[2] == read.message.fragment
    box.video.call(DeleteClip(clip=clip.clip, by="o1"), Done)
    with pytest.raises(UnknownClipError):
        box.video.call(ReadFragment(clip=clip.clip, number=0))
    assert () == box.video.call(ListClips(), ClipsListed).message.clips


def test_clips_are_found_however_many_others_there_are(box: Box) -> None:
    """By what was seen, in whatever letters, and by the end of an id: of what fits, the newest so many."""
    ids = []
    for place, label in enumerate(("dog", "cat", "cat")):
        at_ms = BEGIN_MS + 60_000 * place
        ids.append(box.kept.clips.begin("hall", 16, 16, About(labels=((label, 0.9),)), at_ms).id)
        box.kept.clips.add(ids[-1], at_ms, 1_000, b"not looked at")

    def found(**asked: str) -> tuple[list[str], bool]:
        told = box.video.call(ListClips.model_validate({"most": 1, **asked}), ClipsListed).message
        return [each.clip for each in told.clips], told.more

    assert ([ids[0]], False) == found(label="Dog")
    assert ([ids[2]], True) == found(label="cat")
    assert ([], False) == found(label="do")
    assert [([each], False) for each in ids] == [found(ending=each[-12:]) for each in ids]


def test_a_clip_that_grows_is_told_piece_by_piece(box: Box) -> None:
    """Whoever plays it asks for what is newer than it has, and is not answered before there is something."""
    box.video.call(Record(camera="hall", seconds=60, at_ms=BEGIN_MS), RecordTaken)
    assert box.feed.over.wait(5)
    clip = box.video.call(ListClips(), ClipsListed).message.clips[0]
    newer = box.video.call(AskClip(clip=clip.clip, after=4, wait_s=5), ClipShown).message
    told = box.video.call(AskVideo(), VideoTold).message

    assert "recording" == newer.clip.state
    assert [5, 6] == [each.number for each in newer.fragments]
    assert [("hall", clip.clip, 48.0)] == [(each.camera, each.clip, each.left_s) for each in told.recording]
    assert (1, newer.clip.size_bytes) == (told.clips, told.size_bytes)
    with pytest.raises(VideoError, match="being recorded"):
        box.video.call(DeleteClip(clip=clip.clip))


def test_a_stream_that_is_released_ends_with_what_has_come(box: Box) -> None:
    """What a function recorded is kept for its own hours, and says whose it is."""
    asked = Record(
        camera="hall", seconds=60, at_ms=BEGIN_MS, stream="deeplens-dog", retention_hours=2, back_s=0
    )
    box.video.call(asked, RecordTaken)
    assert box.feed.over.wait(5)
    box.video.call(ReleaseRecording(camera="hall", stream="deeplens-dog"), Done)
    clip = box.video.call(ListClips(), ClipsListed).message.clips[0]

    assert ("deeplens-dog",) == clip.streams
    assert clip.end_ms + 2 * 3_600_000 == clip.keep_until_ms
    assert BEGIN_MS == clip.begin_ms


def test_deleting_a_clip_deletes_what_waits_of_it_to_be_sent(box: Box, tmp_path: Path) -> None:
    """Also where sending is off just now, and of one whose own time was over while it waited."""
    box.video.call(Record(camera="hall", seconds=10, at_ms=BEGIN_MS), RecordTaken)
    box.recorded()
    clip = box.video.call(ListClips(), ClipsListed).message.clips[0].clip
    waits = [spooled(Layout(tmp_path).kvs, "office-hall", each) for each in (clip, "old", "other")]
    box.video.call(DeleteClip(clip=clip), Done)
    box.video.call(DeleteClip(clip="old"), Done)

    assert [False, False, True] == [path.exists() for path in waits]
    with pytest.raises(UnknownClipError):
        box.video.call(DeleteClip(clip="old"), Done)


@pytest.mark.parametrize("at_ms", [0, BEGIN_MS + 86_400_000])
def test_what_set_it_off_long_ago_or_tomorrow_is_recorded_from_now_on(box: Box, at_ms: int) -> None:
    """A clock that was set between event and wish moves nothing."""
    box.video.call(Record(camera="hall", seconds=10, at_ms=at_ms), RecordTaken)
    box.recorded()

    assert [(BEGIN_MS - 2_000, BEGIN_MS + 10_000)] == [
        (clip.begin_ms, clip.end_ms) for clip in box.kept.clips.clips()
    ]


# ---------------------------------------------------------------- rules

SEEN = ObjectSeen(
    camera="hall",
    trigger="dogs",
    label="dog",
    score=0.87654,
    track=1,
    dwell_s=1.0,
    box=(0, 0, 1, 1),
    model="voc",
)


def delivery(event: Event, **asked: object) -> Delivery:
    """An event on its way."""
    return Delivery(RECORD, "e1", event, AT, 1, "e1:r:0", asked, rule="r")


def action(box: Box) -> RecordAction:
    """What a rule does."""
    return RecordAction(box.video, 12.0, box.kept.clock, patience_s=0.0)


def test_a_rule_records_the_camera_that_saw_it_with_what_was_seen(box: Box) -> None:
    """For as long as the settings say where the rule does not; the event is the clip's cause."""
    action(box).perform(delivery(SEEN, camera="", seconds=None))
    box.recorded()
    clip = box.kept.clips.clips()[0]

    assert ("hall", ("e1",), (("dog", 0.877),)) == (clip.camera, clip.about.causes, clip.about.labels)
    assert BEGIN_MS + 12_000 == clip.end_ms


def test_a_rule_may_name_another_camera_and_how_long(box: Box) -> None:
    """A door that opens is filmed by the camera on the other side."""
    action(box).perform(delivery(SEEN, camera="yard", seconds=5.0))
    box.recorded()

    assert "yard" == box.feed.asked[0][0]
    assert BEGIN_MS + 6_000 == box.kept.clips.clips()[0].end_ms


def test_what_cannot_be_recorded_is_not_tried_again(box: Box, tmp_path: Path) -> None:
    """An event of no camera, and nobody who records: each in words."""
    gone = Client(Layout(tmp_path / "x").socket("video"))
    nobody = RecordAction(gone, 1.0, SystemClock(), patience_s=0.0)
    with pytest.raises(ActionError, match="of no camera") as nowhere:
        action(box).perform(delivery(SEEN.model_copy(update={"camera": None})))
    with pytest.raises(ActionError, match="did not answer") as away:
        nobody.perform(delivery(SEEN))

    assert (True, True) == (nowhere.value.permanent, away.value.permanent)
    assert (False, False) == (nowhere.value.unknown, away.value.unknown)


def test_nobody_records_for_rules_where_video_is_switched_off(clock: ManualClock, tmp_path: Path) -> None:
    """Then the row says that it does not."""
    video = Client(Layout(tmp_path).socket("video"))

    assert {} == record_plans(Settings(video=VideoSettings(enabled=False)), video, clock)
    assert {RECORD} == set(record_plans(Settings(), video, clock))


# ---------------------------------------------------------------- streams outside


def test_the_process_answers_until_it_is_stopped_and_leaves_its_clips(services: Services) -> None:
    """Where no loop runs nothing can be recorded, which it says; it ends in good order all the same."""
    stop = threading.Event()
    thread = threading.Thread(target=run_video, args=(Settings(), services, stop))
    thread.start()
    video = Client(services.layout.socket("video"))
    try:
        while not services.layout.socket("video").exists() and thread.is_alive():
            thread.join(0.01)
        taken = video.call(Record(camera="hall", seconds=30), RecordTaken).message.state
        told = video.call(AskVideo(), VideoTold).message
    finally:
        stop.set()
        thread.join(10)

    assert not thread.is_alive()
    assert "began" == taken
    assert ["hall"] == [each.camera for each in told.recording]
    assert (0, 0, ()) == (told.clips, told.size_bytes, told.streams)


def test_a_fragment_is_kept_as_a_document_of_its_own() -> None:
    """It is read again without anything besides."""
    piece = replace(fragment(BEGIN_MS), tags=(("label", "dog"),))
    read = read_document(clip_document(piece, "0190a5bc-0000-7000-8000-00000000dead"))

    assert piece == read
