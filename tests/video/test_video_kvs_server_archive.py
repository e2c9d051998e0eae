"""What archives of the local server promise, in memory and in a folder; and what the folder alone does."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kvs_footage import BEGIN_MS, footage
from kvs_local import local_kvs
from kvs_producer import send_all

from appliance.clock import ManualClock
from appliance.errors import VideoError
from appliance.vault import Vault
from appliance.video.kvs_server.archive import Archive, FragmentMedia, FragmentRow, MemoryArchive
from appliance.video.kvs_server.archive_folder import FolderArchive
from appliance.video.kvs_server.server import KvsServer, Listener
from appliance.video.kvs_server.streams import StreamBook, StreamRow

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
MEDIA = FragmentMedia(b"header", b"cluster of pictures", b"tags")
MakeArchive = Callable[[], Archive]


@pytest.fixture(params=["memory", "folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path, vault: Vault) -> MakeArchive:
    """Makes archives of one kind."""
    if request.param == "memory":
        return MemoryArchive
    return lambda: FolderArchive(tmp_path / "archive", vault)


def stream(name: str = "office") -> StreamRow:
    """A stream's row."""
    return StreamRow(name, f"arn:{name}", NOW, 24, "v1", tags={"k": "v"})


def row(number: int, server_ms: int = BEGIN_MS) -> FragmentRow:
    """A fragment's row."""
    return FragmentRow(str(number), BEGIN_MS + number, server_ms, 2000, MEDIA.size_bytes, "tracks")


def test_what_was_added_is_listed_by_number_and_given_back(make: MakeArchive) -> None:
    """Whatever the order in which it came; other streams' fragments are others."""
    archive = make()
    archive.keep_stream(stream())
    for number in (10, 9, 11):
        archive.add("office", row(number), MEDIA)

    assert [row(9), row(10), row(11)] == list(archive.fragments("office"))
    assert MEDIA == archive.media("office", "10")
    assert archive.media("office", "12") is None
    assert archive.media("porch", "10") is None
    assert [] == list(archive.fragments("porch"))


def test_streams_are_kept_replaced_and_dropped_with_what_they_hold(make: MakeArchive) -> None:
    """A stream that is made again begins empty."""
    archive = make()
    archive.keep_stream(stream())
    changed = StreamRow("office", "arn:office", NOW, 48, "v2")
    archive.keep_stream(changed)
    archive.add("office", row(1), MEDIA)

    assert [changed] == list(archive.streams())
    archive.drop_stream("office")
    archive.drop_stream("never")
    assert [] == list(archive.streams())
    archive.keep_stream(stream())
    assert [] == list(archive.fragments("office"))
    assert archive.media("office", "1") is None


def test_what_the_server_had_before_a_moment_can_be_forgotten(make: MakeArchive) -> None:
    """That moment itself is kept."""
    archive = make()
    archive.keep_stream(stream())
    for number, server_ms in ((1, 100), (2, 200), (3, 300)):
        archive.add("office", row(number, server_ms), MEDIA)
    archive.forget("office", before_ms=200)

    assert ["2", "3"] == [each.number for each in archive.fragments("office")]
    assert archive.media("office", "1") is None


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    """Three fit; the fourth takes the place of the first; one larger than everything is refused."""
    archive = MemoryArchive(max_bytes=3 * MEDIA.size_bytes)
    for number in range(4):
        archive.add("office", row(number), MEDIA)
    large = FragmentMedia(b"", b"x" * 4 * MEDIA.size_bytes, b"")

    assert ["1", "2", "3"] == [each.number for each in archive.fragments("office")]
    with pytest.raises(VideoError, match="larger than the whole archive"):
        archive.add("office", FragmentRow("9", 0, 0, 0, large.size_bytes, ""), large)
    assert 3 == len(archive.fragments("office"))


def test_a_folder_is_found_again_and_says_nothing_in_the_clear(tmp_path: Path, vault: Vault) -> None:
    """Another start finds everything; neither names nor pictures can be read from the disk."""
    before = FolderArchive(tmp_path, vault)
    before.keep_stream(stream("front-door"))
    before.add("front-door", row(7), MEDIA)
    after = FolderArchive(tmp_path, vault)
    on_disk = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert [stream("front-door")] == list(after.streams())
    assert [row(7)] == list(after.fragments("front-door"))
    assert MEDIA == after.media("front-door", "7")
    assert 3 == len(on_disk)
    assert not any(b"pictures" in path.read_bytes() or b"front-door" in path.read_bytes() for path in on_disk)
    assert not any("front-door" in str(path) for path in on_disk)


@pytest.mark.parametrize("damage", ["cut", "moved", "empty"])
@pytest.mark.parametrize(("kind", "listed"), [("row", ["1", "3"]), ("media", ["1", "2", "3"])])
def test_a_file_that_does_not_open_is_as_if_it_were_not_there(
    tmp_path: Path, vault: Vault, damage: str, kind: str, listed: list[str]
) -> None:
    """Cut short, put in another's place or emptied: the others are found, and it is not deleted."""
    before = FolderArchive(tmp_path, vault)
    before.keep_stream(stream())
    for number in (1, 2, 3):
        before.add("office", row(number), MEDIA)
    path, other = (next(tmp_path.rglob(f"{number}.{kind}.sealed")) for number in (2, 3))
    content = {"cut": path.read_bytes()[:-1], "moved": other.read_bytes(), "empty": b""}[damage]
    path.write_bytes(content)
    after = FolderArchive(tmp_path, vault)

    assert listed == [each.number for each in after.fragments("office")]
    assert [MEDIA, None, MEDIA] == [after.media("office", number) for number in ("1", "2", "3")]
    assert content == path.read_bytes()


def test_what_a_crash_left_between_the_two_files_of_a_fragment_is_gone(tmp_path: Path, vault: Vault) -> None:
    """Its producer was never told that it is kept, and sends it again."""
    before = FolderArchive(tmp_path, vault)
    before.keep_stream(stream())
    for number in (1, 2):
        before.add("office", row(number), MEDIA)
    next(tmp_path.rglob("2.row.sealed")).unlink()
    after = FolderArchive(tmp_path, vault)

    assert ["1"] == [each.number for each in after.fragments("office")]
    assert [] == list(tmp_path.rglob("2.*"))


def test_what_cannot_be_written_is_an_error_and_nothing_of_it_is_kept(tmp_path: Path, vault: Vault) -> None:
    """A folder that is a file, and a stream without a folder."""
    (tmp_path / "taken").write_bytes(b"")
    archive = FolderArchive(tmp_path / "taken", vault)
    with pytest.raises(VideoError, match="does not work"):
        archive.keep_stream(stream())
    gone = FolderArchive(tmp_path / "gone", vault)
    with pytest.raises(VideoError, match="does not work"):
        gone.add("office", row(1), MEDIA)

    assert [] == list(gone.fragments("office"))


def test_a_name_of_a_stream_never_becomes_a_path(tmp_path: Path, vault: Vault) -> None:
    """`..` is a name that the service takes."""
    book = StreamBook(FolderArchive(tmp_path / "a" / "b", vault), region="us-west-2")
    book.create("..", NOW)

    assert [".."] == [each.name for each in book.sorted()]
    assert {"a"} == {path.name for path in tmp_path.iterdir()}
    assert {"b"} == {path.name for path in (tmp_path / "a").iterdir()}


def test_a_server_that_starts_again_goes_on_where_it_was(tmp_path: Path, vault: Vault) -> None:
    """Streams, fragments and tags are there, and numbers grow although the clock was set back meanwhile."""
    clock = ManualClock(NOW)
    for _ in range(2):
        with local_kvs(FolderArchive(tmp_path, vault), clock=clock) as kvs:
            if not kvs.server.streams.sorted():
                kvs.server.streams.create("office", NOW, retention_hours=24)
            send_all(kvs.port, "office", footage(1), at=NOW)
            [kept] = kvs.server.streams.sorted()
            numbers = [int(each.number) for each in kvs.archive.fragments("office")]
        clock.set(wall=NOW - timedelta(seconds=60), monotonic=10)

    assert ("office", 24) == (kept.name, kept.retention_hours)
    assert 2 == len(numbers)
    assert sorted(numbers) == numbers


def test_a_port_that_is_taken_is_an_error_of_ours() -> None:
    """With what to do about it; what was begun is ended."""
    with local_kvs() as first:
        second = KvsServer(MemoryArchive(), credentials=(), listeners=(Listener(), Listener(port=first.port)))
        with pytest.raises(VideoError, match="nothing can listen") as caught:
            asyncio.run(second.start())

    assert "another port" in caught.value.hint
