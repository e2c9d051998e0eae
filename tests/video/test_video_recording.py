"""What becomes a clip: pre-trigger, extension, whole fragments, never two at once, whatever clocks do."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from footage import (
    BEGIN_MS,
    OTHER_TRACK,
    Kept,
    document,
    fragment,
    fragments,
    wish,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.backoff import BackOff
from appliance.errors import VideoFullError
from appliance.events import ClipEnded, ClipFailed
from appliance.video.clip_folder import ClipFolder
from appliance.video.fragment import Fragment
from appliance.video.recording import Recording
from appliance.video.retention import Limits
from appliance.video.wishes import Wish, tags

AT_ONCE = BackOff(first_s=0.0, cap_s=0.0)


def spans(kept: Kept) -> list[tuple[int, int]]:
    """Of all clips, the oldest first: begin and end after the beginning of the story, seconds."""
    return [
        ((clip.begin_ms - BEGIN_MS) // 1000, (clip.end_ms - BEGIN_MS) // 1000)
        for clip in reversed(kept.clips.clips())
    ]


def taken(recording: Recording, pieces: list[Fragment]) -> None:
    """Hand them over for as long as they are wanted."""
    for piece in pieces:
        if not recording.take(piece) and recording.finish_if_done():
            return


def test_a_clip_begins_before_what_set_it_off_and_ends_with_a_whole_fragment(kept: Kept) -> None:
    """Five seconds before, ten after: the fragments that hold them, whole, and no other."""
    recording = kept.recording()
    assert "began" == recording.ask(wish(10, BEGIN_MS + 20_000, back_ms=5_000))
    taken(recording, fragments(BEGIN_MS, 40))

    assert [(14, 30)] == spans(kept)
    assert "complete" == kept.clips.clips()[0].ended
    assert [False] * 7 + [True] == [piece.last for piece, _ in kept.sent]


def test_asking_again_extends_and_the_same_event_does_not(kept: Kept) -> None:
    """One clip, until the time after the last trigger is over; an event that is told twice counts once."""
    recording = kept.recording()
    first = [recording.ask(wish(10, cause="e1")), recording.ask(wish(10, cause="e1"))]
    taken(recording, fragments(BEGIN_MS, 4))
    again = recording.ask(wish(10, BEGIN_MS + 8_000, cause="e2"))
    taken(recording, fragments(BEGIN_MS + 8_000, 20))

    assert ["began", "known"] == first
    assert "extended" == again
    assert [(0, 18)] == spans(kept)
    assert ("e1", "e2") == kept.clips.clips()[0].about.causes
    assert ("e1", "e2") == next(each for each in kept.told if isinstance(each, ClipEnded)).causes


def test_two_clips_never_overlap(kept: Kept) -> None:
    """What a clip has already is no pre-trigger of the next, though the camera's memory holds it still."""
    recording = kept.recording()
    recording.ask(wish(10))
    taken(recording, fragments(BEGIN_MS, 20))
    recording.ask(wish(10, BEGIN_MS + 11_000, back_ms=5_000))
    taken(recording, fragments(BEGIN_MS + 5_000, 20))

    # Cut anew, the pieces begin at other seconds: the one that overlaps goes whole.
    assert [(0, 10), (11, 21)] == spans(kept)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(1, 30), st.integers(0, 9)), min_size=1, max_size=8),
    st.lists(st.integers(1_000, 10_000), min_size=5, max_size=40),
)
def test_whatever_is_asked_clips_lie_apart_and_hold_what_was_asked(
    tmp_path_factory: pytest.TempPathFactory,
    asked: list[tuple[int, int, int]],
    lengths: list[int],
) -> None:
    """Fragments of any length, wishes at any time: no overlap, every wished second that came is kept."""
    folder = tmp_path_factory.mktemp("kept")
    kept = Kept(folder / "clips", _Plain())
    recording = kept.recording()
    wishes = sorted(asked)
    begin, came = BEGIN_MS, []
    for length in lengths:
        while wishes and BEGIN_MS + wishes[0][0] * 1000 < begin + length:
            at, seconds, back = wishes.pop(0)
            recording.ask(wish(seconds, BEGIN_MS + at * 1000, back_ms=back * 1000))
        piece = fragment(begin, length)
        came.append(piece)
        if not recording.take(piece):
            recording.finish_if_done()
        begin += length
    recording.finish("stopped")
    notes = [note for clip in reversed(kept.clips.clips()) for note in clip.fragments]
    held = {note.begin_ms for note in notes}
    until = max(BEGIN_MS + (at + seconds) * 1000 for at, seconds, _ in asked)

    assert all(one.end_ms <= two.begin_ms for one, two in pairwise(notes))
    for at, seconds, _ in asked:
        start, end = BEGIN_MS + at * 1000, BEGIN_MS + (at + seconds) * 1000
        wanted = {p.timecode_ms for p in came if p.timecode_ms < end and p.end_ms > start}
        assert wanted <= held
    assert all(note.begin_ms < until + 12_000 for note in notes)


class _Plain:
    """Keys that seal nothing: for properties, which write thousands of files."""

    def new_subject_key(self, subject: str) -> bytes:
        """Its name."""
        return subject.encode()

    def seal(self, wrapped_key: bytes, subject: str, plaintext: bytes, *, row: str) -> bytes:
        """In clear."""
        return plaintext

    def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
        """As it lies."""
        return sealed


def test_another_size_of_picture_is_another_clip(kept: Kept) -> None:
    """A clip plays with one decoder's header from beginning to end."""
    recording = kept.recording()
    recording.ask(wish(10))
    taken(recording, [*fragments(BEGIN_MS, 2), fragment(BEGIN_MS + 4_000, 6_000, track=OTHER_TRACK)])

    assert [(0, 4), (4, 10)] == spans(kept)
    assert ["complete", "camera_changed"] == [clip.ended for clip in kept.clips.clips()]
    assert [640, 1280] == [clip.width for clip in reversed(kept.clips.clips())]


def test_a_clip_becomes_no_longer_than_one_may_be(kept: Kept) -> None:
    """A dog that stays for an hour makes several clips, without a gap between them."""
    recording = kept.recording(longest_ms=20_000)
    recording.ask(wish(50))
    taken(recording, fragments(BEGIN_MS, 30))

    assert [(0, 20), (20, 40), (40, 50)] == spans(kept)
    assert ["complete", "longest", "longest"] == [clip.ended for clip in kept.clips.clips()]


def test_a_clock_that_is_set_meanwhile_changes_nothing_of_how_much_is_kept(kept: Kept) -> None:
    """A trigger an hour ahead, or behind, extends by its own seconds from what was seen last."""
    recording = kept.recording()
    recording.ask(wish(10))
    taken(recording, fragments(BEGIN_MS, 2))
    recording.ask(wish(10, BEGIN_MS + 3_600_000))
    recording.ask(wish(10, BEGIN_MS - 3_600_000))
    taken(recording, fragments(BEGIN_MS + 4_000, 40))

    # An event is no more than a fragment and a little ahead of the pictures that have come whole.
    assert [(0, 26)] == spans(kept)


@pytest.mark.parametrize("step_s", [-7200, -30, 7200])
def test_after_a_clock_was_set_the_next_clip_is_recorded_whole(kept: Kept, step_s: int) -> None:
    """Stamps that lie before those of the last clip are not mistaken for it."""
    recording = kept.recording()
    recording.ask(wish(10))
    taken(recording, fragments(BEGIN_MS, 20))
    clock = kept.clock
    clock.set(wall=clock.wall() + timedelta(seconds=step_s + 60), monotonic=clock.monotonic() + 60)
    now = round(clock.wall().timestamp() * 1000)
    recording.ask(wish(10, now))
    taken(recording, fragments(now, 20))

    assert 2 == len(kept.clips.clips())
    assert {10_000} == {clip.end_ms - clip.begin_ms for clip in kept.clips.clips()}


@pytest.mark.parametrize("step_s", [-7200, -30, 7200])
@pytest.mark.parametrize("asked_ms", [None, 500])
def test_a_clock_that_is_set_ends_the_clip_and_another_goes_on_by_the_new_time(
    kept: Kept, step_s: int, asked_ms: int | None
) -> None:
    """As much is kept as was wanted; what is seen after the step finds the clip that has its time."""
    recording = kept.recording()
    recording.ask(wish(10, cause="e1"))
    taken(recording, fragments(BEGIN_MS, 2))
    clock = kept.clock
    clock.set(wall=clock.wall() + timedelta(seconds=step_s + 4), monotonic=clock.monotonic() + 4)
    now = BEGIN_MS + 4_000 + step_s * 1_000
    if asked_ms is not None:
        recording.ask(wish(6, now + asked_ms, cause="e2"))
    pieces = fragments(now, 20)
    taken(recording, [replace(pieces[0], clock_set=True), *pieces[1:]])
    # The clip that ended lies later than the other, where the clock was set back.
    first, other = sorted(kept.clips.clips(), key=lambda clip: clip.ended != "clock_set")

    assert ("clock_set", "complete") == (first.ended, other.ended)
    assert (BEGIN_MS, BEGIN_MS + 4_000) == (first.begin_ms, first.end_ms)
    assert (now, now + (6_000 if asked_ms is None else 8_000)) == (other.begin_ms, other.end_ms)
    assert "clip_failed" not in kept.types()


def test_a_step_that_came_with_the_last_fragment_of_a_clip_does_not_hide_the_next(kept: Kept) -> None:
    """The fragment has the old time although it came after the step; that is not mistaken for the new."""
    recording = kept.recording()
    recording.ask(wish(4))
    clock = kept.clock
    clock.set(wall=clock.wall() - timedelta(hours=1), monotonic=clock.monotonic() + 4)
    taken(recording, fragments(BEGIN_MS, 2))
    now = round(clock.wall().timestamp() * 1000)
    recording.ask(wish(4, now))
    taken(recording, fragments(now, 5))

    assert [(now, now + 4_000)] == [
        (clip.begin_ms, clip.end_ms) for clip in kept.clips.clips() if clip.begin_ms < BEGIN_MS
    ]


def test_streams_get_what_they_asked_for_and_no_more(kept: Kept) -> None:
    """A function's stream ends when it says so; what a rule wants of the camera goes on in the same clip."""
    recording = kept.recording()
    recording.ask(Wish(20, BEGIN_MS, 0, stream="dogs", retention_hours=2.0))
    recording.ask(wish(10))
    taken(recording, fragments(BEGIN_MS, 2))
    recording.release("dogs", BEGIN_MS + 5_000)
    taken(recording, fragments(BEGIN_MS + 4_000, 20))

    assert [(0, 10)] == spans(kept)
    assert [{"", "dogs"}] * 3 + [{""}] * 2 == [set(streams) for _, streams in kept.sent]
    assert ("dogs",) == kept.clips.clips()[0].about.streams


def test_a_fragment_says_why_it_was_kept(kept: Kept) -> None:
    """What was seen, how certain that was, and the event; a label that is too long for a tag is left out."""
    recording = kept.recording()
    recording.ask(Wish(4, BEGIN_MS, 0, "e1", labels=(("dog", 0.875), ("x" * 300, 0.5))))
    taken(recording, fragments(BEGIN_MS, 5))

    assert (("label", "dog"), ("score", "0.875"), ("score1", "0.500"), ("event", "e1")) == kept.sent[0][
        0
    ].tags
    many = Wish(1, 0, 0, "e1", labels=tuple((f"l{n}", n / 10) for n in range(8))).about
    assert len(tags(many)) <= 9


def test_a_full_disk_ends_the_clip_and_says_so(kept: Kept) -> None:
    """What was written stands; nothing more is recorded until somebody asks again, when there may be room."""
    kept.limits = Limits(24.0, max_bytes=400, min_free_bytes=0)
    kept.again()
    recording = kept.recording()
    recording.ask(wish(60))
    with pytest.raises(VideoFullError):
        taken(recording, [fragment(BEGIN_MS + n * 2_000, picture=bytes(80)) for n in range(10)])

    assert "disk_full" == kept.clips.clips()[0].ended
    assert not recording.wants_more
    assert "began" == recording.ask(wish(10, BEGIN_MS + 60_000))
    assert "clip_failed" not in kept.types()


def test_video_that_becomes_no_clip_is_an_event(kept: Kept) -> None:
    """With what wanted it, and why; one that is to go on after another as well."""
    kept.limits = Limits(24.0, max_bytes=100, min_free_bytes=0)
    kept.again()
    recording = kept.recording()
    recording.ask(wish(cause="e1"))
    recording.ask(wish(cause="e2"))
    with pytest.raises(VideoFullError):
        taken(recording, [fragment(BEGIN_MS, picture=bytes(200))])
    assert [ClipFailed(camera="hall", reason="disk_full", causes=("e1", "e2"))] == kept.told
    kept.limits = Limits(24.0, max_bytes=400, min_free_bytes=0)
    kept.again()
    recording = kept.recording(longest_ms=2_000)
    recording.ask(wish(cause="e3"))
    with pytest.raises(VideoFullError):
        taken(recording, [fragment(BEGIN_MS), fragment(BEGIN_MS + 2_000, picture=bytes(400))])

    assert ["clip_begun", "clip_ended", "clip_failed"] == kept.types()[1:]
    assert ClipFailed(camera="hall", reason="disk_full", causes=("e3",)) == kept.told[-1]


def test_who_asks_again_and_again_for_video_that_cannot_be_is_told_of_once_a_minute(kept: Kept) -> None:
    """A function does, without an event: the log is not filled. What wants no more is no failure."""
    kept.limits = Limits(24.0, max_bytes=100, min_free_bytes=0)
    kept.again()
    recording = kept.recording()
    for second in range(90):
        recording.ask(Wish(5, BEGIN_MS + second * 1_000, 0, stream="dogs"))
        with pytest.raises(VideoFullError):
            recording.take(fragment(BEGIN_MS + second * 1_000, picture=bytes(200)))
        kept.clock.advance(1)
    assert ["clip_failed"] * 2 == kept.types()
    recording.ask(Wish(5, BEGIN_MS + 200_000, 0, stream="dogs"))
    recording.release("dogs", BEGIN_MS + 200_500)
    kept.clock.advance(100)
    recording.finish("camera_lost", "camera_lost")

    assert ["clip_failed"] * 2 == kept.types()


def test_a_clip_notes_until_when_video_is_wanted_still(kept: Kept) -> None:
    """On the disk: from its beginning, with every extension, and when a stream wants no more."""
    recording = kept.recording()
    recording.ask(wish(10))
    taken(recording, fragments(BEGIN_MS, 1))
    clip = kept.clips.clips()[0].id

    def noted() -> dict[str, int]:
        found = ClipFolder(kept.folder, clip, kept.keys).load()
        assert found is not None
        return {name: (until - BEGIN_MS) // 1_000 for name, until in found.wanted}

    told = [noted()]
    recording.ask(Wish(30, BEGIN_MS + 2_000, 0, stream="dogs"))
    told.append(noted())
    recording.release("dogs", BEGIN_MS + 4_000)

    assert [{"": 10}, {"": 10, "dogs": 32}, {"": 10, "dogs": 4}] == [*told, noted()]


def test_a_document_is_told_whose_it_is(kept: Kept) -> None:
    """It is made with the id of its clip, which its own header carries."""
    recording = kept.recording()
    recording.ask(wish(4))
    taken(recording, fragments(BEGIN_MS, 1))
    clip = kept.clips.clips()[0]
    kept_piece = kept.sent[0][0]

    assert document(kept_piece, clip.id) == kept.clips.read(clip.id, 0)[1]
