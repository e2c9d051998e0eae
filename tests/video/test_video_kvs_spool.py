"""What waits to be sent: sealed on the disk, in order, within its size; through restarts and damage."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kvs_box import NOON_MS, toy_seal, toy_unseal

from appliance.app.video_streams import SpoolSealing
from appliance.errors import ApplianceError, StreamError
from appliance.vault import Vault
from appliance.video.kvs.spool import Spool, discard
from appliance.video.kvs.spool_files import SpoolEntry
from appliance.video.kvs.spooled import SpooledFragment
from appliance.video.kvs.still import STILL_MS, still


def fragment(number: int, size: int = 100) -> SpooledFragment:
    """A fragment of some size."""
    begin = NOON_MS + number * STILL_MS
    return SpooledFragment(begin, begin + STILL_MS, b"header", bytes([number % 256]) * size)


def spool(folder: Path, max_bytes: int = 1_000_000) -> Spool:
    """A spool as after a start."""
    made = Spool(folder, toy_seal, toy_unseal, max_bytes=max_bytes)
    made.load()
    return made


def waiting(found: Spool, *clips: str) -> list[int]:
    """When the fragments of these clips begin, as the first one's number and on."""
    entries = [entry for clip in clips for entry in found.entries(clip)]
    return [(entry.timecode_ms - NOON_MS) // STILL_MS for entry in entries]


@pytest.mark.parametrize("kind", ["toy", "vault"])
def test_what_is_sealed_opens_at_its_place_and_whole_or_not_at_all(
    tmp_path: Path, vault: Vault, kind: str
) -> None:
    """The vault, and the toy that stands in for it: what is cut or moved does not open."""
    sealing = SpoolSealing(tmp_path, vault)
    seal, unseal = (toy_seal, toy_unseal) if kind == "toy" else (sealing.seal, sealing.unseal)
    sealed = seal("kvs/clip/1", b"content")

    assert unseal("kvs/clip/1", sealed) == b"content"
    for row, content in (("kvs/clip/2", sealed), ("kvs/clip/1", sealed[:-1]), ("kvs/clip/1", b"")):
        with pytest.raises(ApplianceError):
            unseal(row, content)


def test_what_waits_outlives_a_restart(tmp_path: Path) -> None:
    """Order and content are as they were; a clip that was being written gets nothing more."""
    before = spool(tmp_path)
    for number in range(4):
        before.add("b" if number < 2 else "a", fragment(number))

    after = spool(tmp_path)

    assert ("b", [0, 1, 2, 3]) == (after.first_clip(), waiting(after, "b", "a"))
    assert after.read(after.entries("a")[1]) == fragment(3)
    assert (before.is_open("a"), after.is_open("a")) == (True, False)


def test_a_fragment_is_sent_as_it_was_recorded(tmp_path: Path) -> None:
    """Header and cluster come back byte for byte; the same clip has the same header."""
    first, second = (SpooledFragment.of("clip", still(NOON_MS + at)) for at in (0, STILL_MS))
    found = spool(tmp_path)
    entry = found.add("clip", first)

    assert (found.read(entry), first.header) == (first, second.header)
    assert SpooledFragment.of("other", still(NOON_MS)).header != first.header


def test_nothing_that_waits_is_readable(tmp_path: Path) -> None:
    """What is handed to the seal is the whole content, and names say nothing but order and times."""
    sealed: list[str] = []
    found = Spool(
        tmp_path, lambda row, _: sealed.append(row) or b"noise", lambda _, content: content, max_bytes=1000
    )
    found.add("clip", fragment(1))

    files = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert [b"noise"] == [path.read_bytes() for path in files]
    assert [f"kvs/clip/{path.name}" for path in files] == sealed
    assert [0o600] == [path.stat().st_mode & 0o777 for path in files]


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "swapped"])
def test_damage_costs_the_fragment_that_is_damaged(tmp_path: Path, damage: str) -> None:
    """Cut short, empty, deleted or in another's place: it is given up, and the others are sent."""
    found = spool(tmp_path)
    entries = [found.add("clip", fragment(number)) for number in range(3)]
    paths = [tmp_path / "clip" / entry.name for entry in entries]
    content = paths[1].read_bytes()
    if damage == "gone":
        paths[1].unlink()
    else:
        other = paths[0].read_bytes() if damage == "swapped" else b""
        paths[1].write_bytes({"cut": content[:-1], "empty": b"", "swapped": other}[damage])

    read = [found.read(entry) for entry in entries]

    assert [fragment(0), None, fragment(2)] == read
    assert ([0, 2], 1) == (waiting(found, "clip"), found.state().lost)


def test_a_clip_that_is_dropped_leaves_no_byte_and_is_no_loss(tmp_path: Path) -> None:
    """Nothing of it is sent, now or after a restart; other clips stay, and again there is nothing to drop."""
    kept = spool(tmp_path)
    for number in range(4):
        kept.add("a" if number < 3 else "b", fragment(number))
    held = kept.entries("a")[1]
    counts = [kept.drop("a"), kept.drop("a"), kept.drop("../b")]
    state = kept.state()

    assert ([3, 0, 0], "b", 0) == (counts, kept.first_clip(), state.lost)
    assert (None, 0) == (kept.read(held), kept.state().lost)
    assert ["b"] == [path.name for path in tmp_path.iterdir()]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.sealed")) == state.size_bytes
    assert [3] == waiting(spool(tmp_path), "a", "b")


def test_what_waits_of_a_clip_is_deleted_where_nobody_has_the_spool_open(tmp_path: Path) -> None:
    """Of a stream that is not sent to just now; what is no id leads nowhere."""
    before = spool(tmp_path / "spool")
    for number in range(3):
        before.add("a" if number < 2 else "b", fragment(number))

    counts = [
        discard(tmp_path / name, clip) for name, clip in (("spool", "a"), ("none", "a"), ("", "spool/b"))
    ]

    assert [2, 0, 0] == counts
    assert [2] == waiting(spool(tmp_path / "spool"), "a", "b")


def test_leftovers_of_a_write_that_was_cut_off_are_deleted(tmp_path: Path) -> None:
    """What a power cut left half-written beside its place takes no room for ever."""
    found = spool(tmp_path)
    found.add("clip", fragment(0))
    (tmp_path / "clip" / ".000000000002-1-2.sealed.xyz").write_bytes(b"half")
    (tmp_path / "empty").mkdir()

    after = spool(tmp_path)

    assert [0] == waiting(after, "clip")
    assert ["clip"] == [path.name for path in tmp_path.iterdir()]
    assert 1 == len(list((tmp_path / "clip").iterdir()))


def test_above_the_cap_whole_clips_go_the_oldest_first(tmp_path: Path) -> None:
    """Never a part of one: a clip with a hole is of less use than one clip less."""
    size = len(toy_seal("kvs/a/000000000001-1790000000000-1790000002000.sealed", fragment(0).encode()))
    found = spool(tmp_path, max_bytes=6 * size)
    for number, clip in enumerate("aaabbbc"):
        found.add(clip, fragment(number))

    state = found.state()

    assert ([], [3, 4, 5], [6]) == (waiting(found, "a"), waiting(found, "b"), waiting(found, "c"))
    assert (4, 3, 1) == (state.fragments, state.lost, state.lost_clips)
    assert not (tmp_path / "a").exists()


def test_a_clip_that_is_larger_than_the_cap_keeps_its_beginning(tmp_path: Path) -> None:
    """What does not fit is refused, in words with a remedy; what is there stays."""
    found = spool(tmp_path, max_bytes=2000)
    found.add("a", fragment(0, 1000))

    with pytest.raises(StreamError, match="larger than the room") as caught:
        found.add("a", fragment(1, 1000))

    assert ("spool", [0]) == (caught.value.reason, waiting(found, "a"))
    assert "spool_mib" in caught.value.hint


def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The recorder is told that a fragment is not kept, and nothing is half there."""
    (tmp_path / "spool").write_text("a file where a folder should be")
    found = Spool(tmp_path / "spool", toy_seal, toy_unseal, max_bytes=1000)

    with pytest.raises(StreamError) as caught:
        found.add("clip", fragment(0))

    assert ("spool", 0) == (caught.value.reason, found.state().size_bytes)


@pytest.mark.parametrize("clip", ["", "..", "a/b", "-x", "x" * 65, "é"])
def test_an_id_that_is_no_id_becomes_no_path(tmp_path: Path, clip: str) -> None:
    """What is not letters, digits, - and _ is refused."""
    with pytest.raises(ValueError, match="id of a clip"):
        spool(tmp_path).add(clip, fragment(0))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("abc")),
        st.tuples(st.just("stored"), st.integers(0, 20)),
        st.tuples(st.just("restart"), st.none()),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=25)
def test_a_spool_holds_what_was_added_and_is_not_stored(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]]
) -> None:
    """Whatever the order of adding, storing and restarts: what waits, its order, and its size on the disk."""
    folder = tmp_path_factory.mktemp("spool")
    found, model = spool(folder), list[SpoolEntry]()
    for number, (step, value) in enumerate(steps):
        if step == "add":
            model.append(found.add(str(value), fragment(number)))
        elif step == "stored" and model:
            entry = model.pop(int(str(value)) % len(model))
            assert (True, False) == (found.stored(entry), found.stored(entry))
        elif step == "restart":
            found = spool(folder)
        held = [entry for clip in "abc" for entry in found.entries(clip)]
        on_disk = sum(path.stat().st_size for path in folder.rglob("*.sealed"))

        assert sorted(model, key=lambda entry: entry.sequence) == sorted(
            held, key=lambda entry: entry.sequence
        )
        assert (on_disk, len(model)) == (found.state().size_bytes, found.state().fragments)
