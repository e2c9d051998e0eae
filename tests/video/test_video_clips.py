"""Clips on the disk: sealed, whole or not at all, found again at the next start, and gone when they are."""

import os
import resource
from pathlib import Path

import pytest
from footage import BEGIN_MS, Kept, opened_vault
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UnknownClipError, VaultError, VideoError, VideoFullError
from appliance.events import ClipBegun, ClipDeleted, ClipEnded
from appliance.video.clip import About, Clip, FragmentNote
from appliance.video.clip_folder import ClipFolder
from appliance.video.retention import Limits, due


def filled(kept: Kept, count: int = 3, *, at_ms: int = BEGIN_MS, camera: str = "hall", size: int = 8) -> str:
    """A clip of some fragments of two seconds; it grows still."""
    clip = kept.clips.begin(camera, 640, 360, About(causes=("e1",)), at_ms)
    for number in range(count):
        kept.clips.add(clip.id, at_ms + number * 2_000, 2_000, bytes([number]) * size)
    return clip.id


def ended(kept: Kept, count: int = 3, *, at_ms: int = BEGIN_MS, size: int = 8) -> str:
    """One that has ended."""
    clip = filled(kept, count, at_ms=at_ms, size=size)
    kept.clips.end(clip, "complete")
    return clip


def test_what_is_kept_comes_back_piece_by_piece(kept: Kept) -> None:
    """Each fragment is read in clear, while the clip grows and after."""
    clip = filled(kept)
    before = [kept.clips.read(clip, number)[1] for number in range(3)]
    kept.clips.end(clip, "complete")

    assert [b"\0" * 8, b"\1" * 8, b"\2" * 8] == before
    assert b"\2" * 8 == kept.clips.read(clip, 2)[1]
    assert (BEGIN_MS, BEGIN_MS + 6_000) == (kept.clips.clip(clip).begin_ms, kept.clips.clip(clip).end_ms)


def test_nothing_of_a_picture_stands_in_clear(kept: Kept) -> None:
    """No file of the folder holds what was recorded; names are numbers and times."""
    filled(kept, 2, size=64)
    files = [path for path in kept.folder.rglob("*") if path.is_file()]

    assert not [path for path in files if b"\1" * 64 in path.read_bytes()]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}
    assert f"000001-{BEGIN_MS + 2_000}-2000.sealed" in {path.name for path in files}


def test_a_clip_is_told_with_its_first_fragment_and_with_its_end(kept: Kept) -> None:
    """One without a picture is never heard of, and leaves nothing on the disk."""
    empty = kept.clips.begin("hall", 640, 360, About(), BEGIN_MS)
    kept.clips.end(empty.id, "camera_lost")
    clip = ended(kept)
    size = kept.clips.clip(clip).size_bytes

    assert [
        ClipBegun(camera="hall", clip=clip, begin_ms=BEGIN_MS, cause="e1"),
        ClipEnded(
            camera="hall",
            clip=clip,
            begin_ms=BEGIN_MS,
            end_ms=BEGIN_MS + 6_000,
            fragments=3,
            size_bytes=size,
            why="complete",
            causes=("e1",),
        ),
    ] == kept.told
    assert [clip] == [path.name for path in kept.folder.iterdir()]


def test_another_start_finds_what_was_there(kept: Kept) -> None:
    """Everything that is known of a clip survives, and it reads as before."""
    clip = ended(kept)
    before = kept.clips.clip(clip)
    again = kept.again()

    assert [before] == again.clips()
    assert b"\1" * 8 == again.read(clip, 1)[1]


def test_a_crash_costs_no_fragment_that_was_written(kept: Kept) -> None:
    """A clip that grew is ended at the next start, says so, and is tidied of what was half-written."""
    clip = filled(kept)
    half = kept.folder / clip / ".000003-1-2000.sealed.abc"
    half.write_bytes(b"half")
    kept.told.clear()
    again = kept.again()

    assert "interrupted" == again.clip(clip).ended
    assert 3 == len(again.clip(clip).fragments)
    assert ["clip_ended"] == kept.types()
    assert not half.exists()


@pytest.mark.parametrize("left", [0, 1, 29, 37])
def test_a_torn_last_fragment_is_dropped_and_no_other(kept: Kept, left: int) -> None:
    """A disk that lost the end of the newest file costs that one."""
    clip = filled(kept)
    newest = kept.folder / clip / f"000002-{BEGIN_MS + 4_000}-2000.sealed"
    newest.write_bytes(newest.read_bytes()[:left])
    again = kept.again()

    assert [0, 1] == [each.number for each in again.clip(clip).fragments]
    assert not newest.exists()


def test_what_cannot_be_read_now_is_not_taken_for_torn(kept: Kept, tmp_path: Path) -> None:
    """Neither a disk that refuses once nor another device key costs a fragment; later all of it is there."""
    clip = filled(kept)
    newest = kept.folder / clip / f"000002-{BEGIN_MS + 4_000}-2000.sealed"
    sealed = newest.read_bytes()
    newest.unlink()
    newest.symlink_to(newest.name)  # which reads as an error of the system
    one = ClipFolder(kept.folder, clip, kept.keys)
    with pytest.raises(VideoError, match="cannot be read"):
        one.is_damaged(FragmentNote(2, BEGIN_MS + 4_000, 2_000, len(sealed)))
    newest.unlink()
    newest.write_bytes(sealed)
    kept.told.clear()
    other = Kept(kept.folder, opened_vault(tmp_path / "other"))

    assert ([], []) == (other.clips.clips(), other.told)
    assert [0, 1, 2] == [each.number for each in kept.again().clip(clip).fragments]
    assert b"\2" * 8 == kept.clips.read(clip, 2)[1]


def test_a_folder_without_a_key_is_deleted_and_one_of_tomorrow_is_not(kept: Kept) -> None:
    """Without its key a clip is noise; what a newer program wrote, or somebody else's folder, is let be."""
    lost, newer = ended(kept), ended(kept, at_ms=BEGIN_MS + 60_000)
    (kept.folder / lost / "key").unlink()
    (kept.folder / newer / "clip.json").write_text('{"format": 2}')
    (kept.folder / "holiday").mkdir()
    kept.told.clear()
    again = kept.again()

    assert [] == again.clips()
    assert [ClipDeleted(clip=lost, reason="damaged")] == kept.told
    assert {newer, "holiday"} == {path.name for path in kept.folder.iterdir()}


def test_a_fragment_opens_in_its_own_place_only(kept: Kept) -> None:
    """Renamed to another number or time, or moved to another clip, it is refused in words."""
    one, two = ended(kept), ended(kept, at_ms=BEGIN_MS + 60_000)
    path = kept.folder / one / f"000000-{BEGIN_MS}-2000.sealed"
    first = path.read_bytes()
    (kept.folder / one / f"000001-{BEGIN_MS + 2_000}-2000.sealed").write_bytes(first)
    (kept.folder / two / f"000000-{BEGIN_MS + 60_000}-2000.sealed").write_bytes(first)

    for clip, number in ((one, 1), (two, 0)):
        with pytest.raises(VideoError, match="does not open"):
            kept.clips.read(clip, number)
    assert b"\0" * 8 == kept.clips.read(one, 0)[1]


def test_deleting_forgets_the_key_first(kept: Kept, tmp_path: Path) -> None:
    """What is left of the key's file says nothing, a copy of the fragments opens no more, and it is told."""
    clip = ended(kept)
    folder = kept.folder / clip
    link = tmp_path / "key"
    os.link(folder / "key", link)
    kept.clips.delete(clip, "asked", by="o1")

    assert not any(link.read_bytes())
    assert not folder.exists()
    assert ClipDeleted(camera="hall", clip=clip, reason="asked", by="o1") == kept.told[-1]
    with pytest.raises(UnknownClipError):
        kept.clips.clip(clip)


def test_a_clip_that_grows_is_not_deleted(kept: Kept) -> None:
    """Neither by somebody nor by age."""
    clip = filled(kept)

    with pytest.raises(VideoError, match="being recorded"):
        kept.clips.delete(clip, "asked")
    assert [] == due([kept.clips.clip(clip)], Limits(1.0, 0, 0), now_ms=BEGIN_MS * 2, free_bytes=0)


def test_only_ids_of_clips_become_paths(kept: Kept) -> None:
    """What somebody sends as an id leads nowhere."""
    for name in ("..", "../../etc", "", "key", "0190A5BC-0000-7000-8000-00000000dead/.."):
        with pytest.raises(UnknownClipError):
            ClipFolder(kept.folder, name, kept.keys)
        with pytest.raises(UnknownClipError):
            kept.clips.read(name, 0)


def test_a_disk_without_room_takes_the_oldest_clip_first(kept: Kept) -> None:
    """Below the floor the oldest goes; when nothing is left that could go, nothing is written."""
    kept.limits, kept.disk = Limits(24.0, 1 << 30, min_free_bytes=1_000), 4_000
    kept.again()
    old, new = ended(kept, 1, size=900), ended(kept, 1, at_ms=BEGIN_MS + 60_000, size=900)
    clip = filled(kept, 2, at_ms=BEGIN_MS + 120_000, size=900)

    assert [clip, new] == [each.id for each in kept.clips.clips()]
    assert [("room", old)] == [(e.reason, e.clip) for e in kept.told if isinstance(e, ClipDeleted)]
    kept.disk = 3_200
    kept.clips.add(clip, BEGIN_MS + 124_000, 2_000, bytes(50))
    assert [clip] == [each.id for each in kept.clips.clips()]
    with pytest.raises(VideoFullError, match="no room for video"):
        kept.clips.add(clip, BEGIN_MS + 126_000, 2_000, bytes(900))
    assert 3 == len(kept.clips.clip(clip).fragments)


def test_a_disk_that_something_else_has_filled_takes_no_clip_along(kept: Kept) -> None:
    """What could go would not make enough room: everything stays, nothing is recorded, and that is said."""
    kept.limits, kept.disk = Limits(24.0, 1 << 30, min_free_bytes=1_000), 10_000
    kept.again()
    clips = [ended(kept, 1, at_ms=BEGIN_MS + n * 60_000, size=90) for n in range(2)]
    grows = filled(kept, 1, at_ms=BEGIN_MS + 120_000, size=90)
    assert "" == kept.clips.trouble
    kept.disk = 1_100

    with pytest.raises(VideoFullError, match="no room for video"):
        kept.clips.add(grows, BEGIN_MS + 122_000, 2_000, bytes(90))
    with pytest.raises(VideoFullError, match="no room for video"):
        kept.clips.begin("yard", 640, 360, About(), BEGIN_MS + 122_000)
    kept.clips.end(grows, "disk_full")
    kept.disk = 900
    assert 0 == kept.clips.tend()
    assert [grows, *reversed(clips)] == [each.id for each in kept.clips.clips()]
    assert "no room for video" in kept.clips.trouble
    assert not [event for event in kept.told if isinstance(event, ClipDeleted)]


def test_clips_take_no_more_together_than_they_may(kept: Kept) -> None:
    """The oldest go for a new one; one clip that alone is too large ends where it is."""
    kept.limits = Limits(24.0, max_bytes=2_000, min_free_bytes=0)
    kept.again()
    ended(kept, 1, size=900)
    clip = filled(kept, 2, at_ms=BEGIN_MS + 60_000, size=900)

    assert ["size"] == [event.reason for event in kept.told if isinstance(event, ClipDeleted)]
    with pytest.raises(VideoFullError):
        kept.clips.add(clip, BEGIN_MS + 64_000, 2_000, bytes(900))
    assert 2 == len(kept.clips.clip(clip).fragments)


def test_a_disk_that_fails_mid_fragment_leaves_nothing_half_written(kept: Kept) -> None:
    """The system takes no more in the middle of a file: what was before stands, and nothing else is read."""
    clip = filled(kept, 2)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        with pytest.raises(VideoFullError, match="cannot be written") as caught:
            kept.clips.add(clip, BEGIN_MS + 4_000, 2_000, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert caught.value.hint
    assert [0, 1] == [each.number for each in kept.clips.clip(clip).fragments]
    assert not list((kept.folder / clip).glob(".*"))
    kept.clips.add(clip, BEGIN_MS + 4_000, 2_000, b"later")
    assert b"later" == kept.clips.read(clip, 2)[1]


def test_another_box_opens_nothing(kept: Kept, tmp_path: Path) -> None:
    """A clip's key is wrapped by the device key of the box that recorded it."""
    clip = ended(kept)
    other = opened_vault(tmp_path / "other")
    folder = ClipFolder(kept.folder, clip, other)

    with pytest.raises(VaultError):
        folder.add(9, 0, 1, b"")
    with pytest.raises(VideoError, match="another box"):
        folder.read(kept.clips.clip(clip).fragments[0])


def test_a_list_is_by_camera_and_time_the_newest_first(kept: Kept) -> None:
    """Those that touch a span of time, and no other camera's."""
    early, late = ended(kept), ended(kept, at_ms=BEGIN_MS + 60_000)
    filled(kept, camera="yard")

    def ids(**asked: int) -> list[str]:
        return [clip.id for clip in kept.clips.clips("hall", **asked)]

    assert [late, early] == ids()
    assert [late] == ids(since_ms=BEGIN_MS + 6_000)
    assert [early] == ids(until_ms=BEGIN_MS + 60_000)


def test_by_age_nothing_goes_until_the_clock_was_steady(kept: Kept) -> None:
    """A clock that jumps a year ahead deletes nothing; an hour later it is believed."""
    clip = ended(kept)
    kept.clips.tend()
    kept.clock.set(wall=kept.clock.wall().replace(year=2027), monotonic=1.0)
    kept.clips.tend()

    assert [clip] == [each.id for each in kept.clips.clips()]
    for _ in range(61):
        kept.clock.advance(60)
        kept.clips.tend()
    assert [] == kept.clips.clips()
    assert ClipDeleted(camera="hall", clip=clip, reason="age") == kept.told[-1]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50), st.booleans()), max_size=12),
    st.integers(0, 200),
    st.integers(0, 200),
    st.integers(0, 100),
    st.integers(0, 40),
)
def test_what_goes_is_the_oldest_and_no_more_than_needed(
    rows: list[tuple[int, int, bool]], most: int, free: int, floor: int, coming: int
) -> None:
    """Each limit holds after it, unless it cannot be made to hold; one clip less would not have done."""
    clips = [_clip(number, begin, size, over=over) for number, (begin, size, over) in enumerate(rows)]
    gone = [
        each.id
        for each in due(clips, Limits(None, most, floor), now_ms=None, free_bytes=free, coming_bytes=coming)
    ]
    sizes = {clip.id: clip.size_bytes for clip in clips}
    may_go = [clip.id for clip in sorted(clips, key=lambda c: (c.begin_ms, c.id)) if clip.ended]

    def holds(after: list[str]) -> tuple[bool, bool]:
        let_go = sum(sizes[each] for each in after)
        return sum(sizes.values()) + coming - let_go <= most, free - coming + let_go >= floor

    can = holds(may_go)
    wanted = can if all(can) or not coming else (False, False)

    def enough(after: list[str]) -> bool:
        return all(held for held, want in zip(holds(after), wanted, strict=True) if want)

    assert may_go[: len(gone)] == gone
    assert enough(gone)
    assert not gone or not enough(gone[:-1])


def test_a_stream_may_have_its_clip_kept_longer_but_not_shorter(kept: Kept) -> None:
    """A clip that only a stream wanted goes by the stream's hours; one that is ours, too, by the longer."""
    theirs = About(streams=("dogs",), ours=False, retention_hours=2.0)
    longer = About(streams=("dogs",), ours=False, retention_hours=48.0)
    hours = {
        name: _clip(0, 1, 1, about=about).keep_until_ms(24.0)
        for name, about in (
            ("theirs", theirs),
            ("both", theirs.joined(About())),
            ("longer", About().joined(longer)),
        )
    }

    assert {"theirs": 2, "both": 24, "longer": 48} == {
        name: (until - 2) / 3_600_000 for name, until in hours.items() if until is not None
    }
    assert _clip(0, 1, 1, about=theirs.joined(About())).keep_until_ms(None) is None


def _clip(number: int, begin: int, size: int, *, over: bool = True, about: About | None = None) -> Clip:
    note = FragmentNote(0, begin, 1, size)
    return Clip(f"c{number:02}", "hall", 1, 1, about or About(), (note,), "complete" if over else None)
