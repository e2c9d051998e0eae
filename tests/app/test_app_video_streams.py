"""To whom the process that records sends video: which fragments, what waits, and what is deleted."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from footage import BEGIN_MS, fragment, spooled

from appliance.app.stream_folders import OutsideStream, drop_at_rest, folder_of
from appliance.app.video_streams import SpoolSealing, VideoStreams, event_of
from appliance.errors import StreamReason, VaultError
from appliance.vault import Vault
from appliance.video.fragment import Fragment
from appliance.video.kvs.telling import StreamNews
from appliance.video.kvs.upload_state import UploadState

AT = datetime.fromtimestamp(BEGIN_MS / 1000, UTC)


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


def test_a_clip_that_is_deleted_is_sent_nowhere_any_more(tmp_path: Path) -> None:
    """It goes from every stream that is sent to, and from the disk where one is not sent to just now."""
    out, made = streams(tmp_path)
    out.open(["hall", "yard"])
    out.want("deeplens-dog", 2.0)
    gone, other = spooled(tmp_path, "office-attic", "c1"), spooled(tmp_path, "office-attic", "c2")

    assert 4 == out.drop("c1")
    assert {name: ["c1"] for name in made} == {name: sent.dropped for name, sent in made.items()}
    assert (False, True) == (gone.exists(), other.exists())


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
