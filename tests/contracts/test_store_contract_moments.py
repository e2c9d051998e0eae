"""Moments, on both databases: the log once, stays by the last word, pages without gaps, bars that add up."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from moments_of_a_box import ALL, HOURS, follow, pages, seen, stranger
from stores import AGREED, NOON, OPENED, SHUT, identified, sql

from appliance.events import (
    ClipBegun,
    ClipDeleted,
    ClipEnded,
    DecisionCorrected,
    ObjectSeen,
)
from appliance.store import SEGMENT, MomentsWanted, NewEvent, Seen, Store
from appliance.values import Grade, Verdict

MakeStore = Callable[..., Store]
DOG = ObjectSeen(
    camera="entrance",
    trigger="dogs",
    label="dog",
    score=0.8125,
    track=7,
    dwell_s=1.5,
    box=(1.0, 2.0, 3.0, 4.0),
    model="voc",
)


def kinds(box: Store) -> list[str]:
    """What there is, the oldest first."""
    return [each.kind for each in reversed(pages(box, ALL, 100))]


def test_what_a_frame_showed_is_found_again(make_store: MakeStore) -> None:
    """Its labels with their scores, its camera, its time to the millisecond, and who saw it."""
    box = make_store()
    box.note_seen([Seen(NOON + timedelta(microseconds=1_234_567), "entrance", {"dog": 0.97}, "dogs")])
    (found,) = pages(box, ALL, 10)

    assert (NOON + timedelta(milliseconds=1234), "entrance", {"dog": 0.97}, "dogs", "seen", "box") == (
        found.at,
        found.camera,
        dict(found.labels),
        found.source,
        found.kind,
        found.device,
    )


def test_the_log_is_followed_once(make_store: MakeStore) -> None:
    """Each event makes one document, however often and in whatever portions it is followed, by whomever."""
    box, other = make_store(), make_store(seed=2)
    for event in (OPENED, DOG, SHUT):
        box.append(event)
    follow(box, limit=1)
    follow(other)
    box.append(OPENED)
    follow(other, limit=2)
    follow(box)

    assert ["door_opened", "object_seen", "door_shut", "door_opened"] == kinds(box)
    assert (5 - 1, 4) == next((each.position, each.many) for each in box.cursors() if each.name == "log")


def test_a_transaction_that_fails_leaves_cursor_and_documents_together(
    make_store: MakeStore, address: str
) -> None:
    """Neither is written without the other: what failed is followed again, once."""
    box = make_store()
    box.append(OPENED)
    follow(box)
    box.append(DOG)
    sql(address, "ALTER TABLE moment_counts RENAME TO gone")
    with pytest.raises(Exception, match="refused"):
        box.follow_log()
    sql(address, "ALTER TABLE gone RENAME TO moment_counts")
    before = kinds(box)
    follow(box)

    assert (["door_opened"], ["door_opened", "object_seen"]) == (before, kinds(box))


def test_a_stay_is_one_document_with_the_last_word(make_store: MakeStore) -> None:
    """Greeting, confirmed, final: one document at the time of the first; a later verdict takes its place."""
    box = make_store()
    ann = str(box.add_subject("Ann", consent=AGREED).id)
    box.append(stranger("e"))
    follow(box)
    box.append(identified(ann), at=NOON + timedelta(seconds=9))
    follow(box)
    (found,) = pages(box, ALL, 10)

    assert ("encounter", "identified", ann, NOON, "e") == (
        found.kind,
        found.verdict,
        found.subject,
        found.at,
        found.id,
    )


def test_a_correction_stands_and_can_be_taken_back(make_store: MakeStore) -> None:
    """Who knows has the last word, whatever the box says later; what they take back is the box's."""
    box = make_store()
    ann, bob = (str(box.add_subject(name, consent=AGREED).id) for name in ("Ann", "Bob"))
    event = box.append(identified(ann)).id

    def correct(verdict: str, subject: str | None) -> None:
        box.append(
            DecisionCorrected.model_validate(
                {
                    "encounter": "e",
                    "corrects": event,
                    "was": Verdict.IDENTIFIED,
                    "was_subject": ann,
                    "verdict": verdict,
                    "subject": subject,
                }
            )
        )
        follow(box)

    def now() -> list[tuple[str | None, str | None]]:
        return [(each.verdict, each.subject) for each in pages(box, ALL, 9)]

    correct("identified", bob)
    box.append(identified(ann, grade=Grade.FINAL))
    follow(box)
    corrected = now()
    correct("unknown", None)
    unknown = now()
    correct("identified", ann)

    assert [("identified", bob)] == corrected
    assert [("unknown", None)] == unknown
    assert [("identified", ann)] == now()


def test_who_is_removed_has_no_documents(make_store: MakeStore, address: str) -> None:
    """They go with the person, and neither following nor making the index anew brings them back."""
    box = make_store()
    ann, bob = (box.add_subject(name, consent=AGREED) for name in ("Ann", "Bob"))
    box.append(identified(str(ann.id), encounter="a"))
    box.append(identified(str(bob.id), encounter="b"))
    follow(box)
    box.append(identified(str(ann.id), encounter="c"))
    box.remove_subject(ann.id)
    follow(box)
    while box.forget_log_moments():
        pass
    follow(box)

    assert ["b"] == [each.id for each in pages(box, ALL, 9)]
    assert str(ann.id) not in json.dumps(
        [list(map(str, row)) for row in sql(address, "SELECT * FROM moments")]
    )
    assert 1 == box.moment_count()


def test_of_two_who_were_one_the_stays_are_the_ones_of_who_is_kept(make_store: MakeStore) -> None:
    """Merging moves the documents; none is lost with who is removed."""
    box = make_store()
    ann, double = (box.add_subject(name, consent=AGREED) for name in ("Ann", "Anne"))
    for i, who in enumerate((ann, double)):
        box.append(identified(str(who.id), encounter=f"e{i}"))
    follow(box)
    box.merge(str(ann.id), str(double.id))
    follow(box)

    assert ["e1", "e0"] == [each.id for each in pages(box, MomentsWanted(subject=str(ann.id)), 9)]


def test_a_moment_knows_the_clip_that_shows_it(make_store: MakeStore) -> None:
    """From its first picture to its end, of that camera alone; one that is deleted is nobody's any more."""
    box = make_store()
    begin = int(NOON.timestamp() * 1000)
    box.note_seen([seen(0, dog=0.5), seen(0.5, dog=0.5), seen(0.5, "yard", dog=0.5), seen(1, dog=0.5)])
    box.append(ClipBegun(camera="entrance", clip="c", begin_ms=begin))
    follow(box)

    def clips() -> list[str | None]:
        return [each.clip and each.clip.id for each in reversed(pages(box, ALL, 9))]

    recording = clips()
    ended = {"fragments": 9, "size_bytes": 9, "why": "complete"}
    box.append(
        ClipEnded.model_validate(
            {"camera": "entrance", "clip": "c", "begin_ms": begin, "end_ms": begin + 60_000, **ended}
        )
    )
    follow(box)
    whole = clips()
    box.append(ClipDeleted(camera="entrance", clip="c", reason="age"))
    follow(box)

    assert ["c", "c", None, "c"] == recording
    assert ["c", "c", None, None] == whole
    assert [None] * 4 == clips()


def test_a_moment_knows_the_clip_that_it_set_off_elsewhere(make_store: MakeStore) -> None:
    """A rule records the drive for what is seen at the gate; what the same clip shows by chance is no cause.

    A stay's cause is any of its decisions; and what extended a clip is known once that has ended.
    """
    box = make_store()
    at_ms = int(NOON.timestamp() * 1000)
    alone = {"camera": "drive", "clip": "c", "begin_ms": at_ms - 5_000}
    ann = str(box.add_subject("Ann", consent=AGREED).id)
    cause = box.append(DOG)
    box.append(DOG.model_copy(update={"camera": "yard"}))
    box.append(ClipBegun.model_validate({**alone, "cause": cause.id}))
    came = box.append(identified(ann))
    box.append(identified(ann, grade=Grade.FINAL))
    follow(box)

    def clips() -> dict[tuple[str, str], str | None]:
        return {(each.kind, each.camera): each.clip and each.clip.id for each in pages(box, ALL, 9)}

    recording = clips()
    over = {"end_ms": at_ms + 60_000, "fragments": 9, "size_bytes": 9, "why": "complete"}
    box.append(ClipEnded.model_validate({**alone, **over, "causes": (cause.id, came.id)}))
    follow(box)
    whole = clips()
    box.append(ClipDeleted(camera="drive", clip="c", reason="age"))
    follow(box)
    by_dogs = {("object_seen", "entrance"): "c", ("object_seen", "yard"): None}

    assert {**by_dogs, ("encounter", ""): None} == recording
    assert {**by_dogs, ("encounter", ""): "c"} == whole
    assert {None} == set(clips().values())


def test_devices_of_one_database_have_their_own(make_store: MakeStore) -> None:
    """Neither pages nor bars nor the log of one show anything of another."""
    one, other = make_store(), make_store(device="second", seed=2)
    one.note_seen([seen(0, dog=0.5)])
    other.note_seen([seen(0, cat=0.5)])
    other.append(OPENED)
    follow(one)

    assert [{"dog": 0.5}] == [dict(each.labels) for each in pages(one, ALL, 9)]
    assert ["dog"] == [bar.key for bar in one.moment_bars(ALL, HOURS, "label")]
    assert (1, 1) == (one.moment_count(), other.moment_count())
    assert [] == one.moments_after(1, 9)


def test_what_is_old_goes_by_the_hour(make_store: MakeStore) -> None:
    """Of what is older nothing is found from the first call on, and at the end nothing is there."""
    box = make_store()
    box.note_seen([seen(i, dog=0.5) for i in range(-100, 100, 10)])
    box.drop_moments(before=NOON + timedelta(minutes=59), most=None)
    left = [each.at for each in pages(box, ALL, 9)]
    late = box.note_seen([seen(-1, dog=0.5)])

    assert left
    assert NOON == min(left)
    assert (0, 10) == (late, box.moment_count())
    assert 10 == sum(bar.many for bar in box.moment_bars(ALL, HOURS))


def test_the_oldest_go_when_there_are_too_many(make_store: MakeStore, address: str) -> None:
    """As many hours as needed, and no more; marks and counts go with them."""
    box = make_store()
    box.note_seen([seen(60 * hour + i, dog=0.5, cat=0.25) for hour in range(4) for i in range(10)])
    box.drop_moments(before=None, most=25)

    assert 20 == box.moment_count() == len(pages(box, ALL, 7))
    assert [(40,)] == sql(address, "SELECT count(*) FROM moment_marks WHERE label > 1")
    assert NOON + timedelta(hours=2) == pages(box, ALL, 100)[-1].at


def test_counting_again_changes_nothing_that_is_right(make_store: MakeStore, address: str) -> None:
    """The counts are made of the marks: whatever they said before, they then say what is there."""
    box = make_store()
    box.note_seen([seen(17 * i, dog=i / 40, cat=0.25) for i in range(40)])
    right = box.moment_bars(ALL, HOURS, "label")
    sql(address, "UPDATE moment_counts SET many = many + 5")
    hour: datetime | None = datetime(1970, 1, 1, tzinfo=UTC)
    while hour is not None:
        hour = box.count_moments_again(hour)

    assert right == box.moment_bars(ALL, HOURS, "label")


def test_labels_are_bounded(make_store: MakeStore) -> None:
    """A frame keeps its 32 best; of made-up labels there is an end; what is no number is none."""
    box = make_store()
    box.note_seen([seen(0, **{f"l{i:03}": i / 100 for i in range(100)})])
    box.note_seen([seen(1, nan=float("nan"))])
    for i in range(34):
        box.note_seen([seen(2, **{f"m{i}-{k}": 0.5 for k in range(32)})])

    assert 32 == len(pages(box, MomentsWanted(until=NOON + timedelta(minutes=1)), 9)[0].labels)
    assert 1000 > len(box.label_counts()) > 900
    assert {"l099", "l068"} <= {each.label for each in box.label_counts()}


def test_many_moments_do_not_push_out_the_log(make_store: MakeStore) -> None:
    """The size that the log is held to is its own: what frames showed takes none of it."""
    box = make_store()
    box.append_all([NewEvent(OPENED)] * (2 * SEGMENT + 1))
    most = box.database_bytes()
    for hour in range(4):
        box.note_seen([seen(60 * hour + i / 20, dog=0.5, cat=0.5) for i in range(1000)])

    assert [] == box.old_segments(before=None, max_bytes=most)
    assert [] != box.old_segments(before=None, max_bytes=most // 4)
