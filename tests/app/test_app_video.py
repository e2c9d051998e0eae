"""The process that records video: what it answers, what rules ask of it, and to whom it sends video."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from footage import BEGIN_MS, Kept, PlayedFeed, document, fragment, fragments, opened_vault

from appliance.app.stream_folders import OutsideStream, drop_at_rest, folder_of
from appliance.app.video_answers import VideoAnswers
from appliance.app.video_process import clip_document, go_on, recording_of, run_video
from appliance.app.video_streams import SpoolSealing, VideoStreams, event_of
from appliance.app.video_wishes import RECORD, RecordAction, record_plans
from appliance.backoff import BackOff
from appliance.clock import ManualClock, SystemClock
from appliance.deliveries import Delivery
from appliance.errors import ActionError, StreamReason, UnknownClipError, VaultError, VideoError
from appliance.events import ClipEnd, Event, ObjectSeen
from appliance.services import Layout, Services
from appliance.settings import Settings, VideoSettings
from appliance.vault import Vault
from appliance.video.clip import About
from appliance.video.fragment import Fragment
from appliance.video.kvs.spool import Spool
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.telling import StreamNews
from appliance.video.kvs.upload_state import UploadState
from appliance.video.matroska_reader import read_document
from appliance.video.recorder import Recorder
from appliance.video.wishes import Wish
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


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """One for all."""
    return opened_vault(tmp_path_factory.mktemp("vault"))


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


@dataclass
class Sent:
    """A sender; see `video_streams.Sender`."""

    stream: OutsideStream
    taken: list[tuple[str, int]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    open: bool = False
    dropped: list[str] = field(default_factory=list)

    def offer(self, clip: str, piece: Fragment) -> bool:
        """Note it."""
        self.taken.append((clip, (piece.timecode_ms - BEGIN_MS) // 1000))
        return True

    def end(self, clip: str) -> None:
        """Note it."""
        self.ended.append(clip)

    def drop(self, clip: str) -> int:
        """Note it."""
        self.dropped.append(clip)
        return 1

    @property
    def state(self) -> UploadState:
        """Idle."""
        return UploadState(self.stream.name, waiting=len(self.taken))

    def start(self) -> None:
        """Begin."""
        self.open = True

    def close(self) -> None:
        """End."""
        self.open = False


def streams(folder: Path, *, functions: bool = True) -> tuple[VideoStreams, dict[str, Sent]]:
    """Senders that note what they are given, by stream."""
    made: dict[str, Sent] = {}

    def make(stream: OutsideStream) -> Sent:
        return made.setdefault(stream.name, Sent(stream))

    own = "office-{}".format
    return VideoStreams(folder, own, functions=functions, retention_hours=24, make=make), made


def test_each_stream_gets_the_fragments_that_are_for_it(tmp_path: Path) -> None:
    """The camera's own what rules want, a function's what it wants; who wants no more hears of the end."""
    out, made = streams(tmp_path)
    out.open(["hall", "yard"])
    out.want("deeplens-dog", 2.0)
    out.take("hall", "c1", fragment(BEGIN_MS), frozenset({"", "deeplens-dog"}))
    out.take("hall", "c1", fragment(BEGIN_MS + 2_000), frozenset({""}))
    out.end("c1")

    assert {
        "office-hall": [("c1", 0), ("c1", 2)],
        "office-yard": [],
        "deeplens-dog": [("c1", 0)],
    } == {name: sent.taken for name, sent in made.items()}
    assert (["c1"], ["c1"]) == (made["office-hall"].ended, made["deeplens-dog"].ended)
    assert 2 == made["deeplens-dog"].stream.retention_hours
    out.close()
    assert not any(sent.open for sent in made.values())


def test_what_functions_record_leaves_only_where_an_admin_lets_it(tmp_path: Path) -> None:
    """Otherwise no stream is made for them, and nothing is sent; nor to what is no name of a stream."""
    out, made = streams(tmp_path / "off", functions=False)
    out.want("deeplens-dog", 2.0)
    out.take("hall", "c1", fragment(BEGIN_MS), frozenset({"deeplens-dog"}))
    wide, there = streams(tmp_path / "on")
    wide.want("../x", 2.0)

    assert ({}, {}) == (made, there)


def test_what_waited_for_a_stream_is_sent_after_the_next_start(tmp_path: Path) -> None:
    """Also of a camera that is not in the settings any more."""
    first, _ = streams(tmp_path)
    first.open(["hall"])
    first.want("deeplens-dog", 2.0)
    for name in ("office-hall", "deeplens-dog"):
        spooled(tmp_path, name, "c1")
    again, made = streams(tmp_path)
    again.open([])

    assert {"office-hall", "deeplens-dog"} == set(made)
    assert ["deeplens-dog", "office-hall"] == [each.stream for each in again.told()]
    assert {"deeplens-dog": 2, "office-hall": 24} == {
        name: sent.stream.retention_hours for name, sent in made.items()
    }


def test_a_stream_for_which_nothing_waits_is_left_alone_once_its_camera_is_gone(tmp_path: Path) -> None:
    """It would be made again at the service, where somebody may have deleted it; one that is named is not."""
    first, _ = streams(tmp_path)
    first.open(["hall", "yard"])
    first.want("deeplens-dog", 2.0)
    spooled(tmp_path, "office-yard", "c1")
    drop_at_rest(tmp_path, "c1")
    again, made = streams(tmp_path)
    again.open(["hall"])

    assert {"office-hall"} == set(made)


def spooled(streams: Path, stream: str, clip: str) -> Path:
    """A fragment of a clip that waits for a stream; its file."""
    kept = Spool(
        folder_of(streams, stream) / "spool",
        lambda _, content: content,
        lambda _, content: content,
        max_bytes=1 << 20,
    )
    entry = kept.add(clip, SpooledFragment.of(clip, fragment(BEGIN_MS)))
    return folder_of(streams, stream) / "spool" / clip / entry.name


def test_a_clip_that_is_deleted_is_sent_nowhere_any_more(tmp_path: Path) -> None:
    """It goes from every stream that is sent to, and from the disk where one is not sent to just now."""
    out, made = streams(tmp_path)
    out.open(["hall", "yard"])
    out.want("deeplens-dog", 2.0)
    gone, other = spooled(tmp_path, "office-attic", "c1"), spooled(tmp_path, "office-attic", "c2")

    assert 4 == out.drop("c1")
    assert {name: ["c1"] for name in made} == {name: sent.dropped for name, sent in made.items()}
    assert (False, True) == (gone.exists(), other.exists())


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


@pytest.mark.parametrize("name", [".", "..", "a" * 256, "a.b-c_d"])
def test_no_name_of_a_stream_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    """Whatever the service would take as a name is one folder, below all others'."""
    folder = folder_of(tmp_path, name)
    folder.mkdir()

    assert tmp_path == folder.resolve().parent


def test_what_waits_to_be_sent_is_sealed_to_its_stream_and_place(tmp_path: Path, vault: Vault) -> None:
    """In another stream's folder, or at another place of its own, it does not open."""
    one, two = (folder_of(tmp_path, name) for name in ("one", "two"))
    for each in (one, two):
        each.mkdir()
    sealed = SpoolSealing(one, vault).seal("kvs/c1/1", b"a dog")

    assert b"a dog" not in sealed
    assert b"a dog" == SpoolSealing(one, vault).unseal("kvs/c1/1", sealed)
    for folder, row in ((one, "kvs/c1/2"), (two, "kvs/c1/1")):
        with pytest.raises(VaultError):
            SpoolSealing(folder, vault).unseal(row, sealed)


@pytest.mark.parametrize("reason", [*StreamReason.__args__, "lost", ""])  # type: ignore[attr-defined]
def test_everything_that_can_be_wrong_with_a_stream_has_a_word_in_the_log(reason: str) -> None:
    """And that it works again."""
    event = event_of(StreamNews("dogs", reason, "words", 3))

    assert ("stream_trouble" if reason else "stream_recovered", 3) == (event.type, event.fragments_lost)
    assert bool(reason) == bool(event.reason)


# ---------------------------------------------------------------- after an earlier run


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
