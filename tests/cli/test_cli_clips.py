"""`appliance clips …`: what there is, one file out of a clip, deleting; while nobody records, and while."""

import json
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from commands import Ended, call
from recorded import clips_of, recording_at_hand
from video_pieces import BEGIN_MS, FPS, fragments

from appliance.app.video_process import clip_document
from appliance.events import ClipDeleted, ClipExported
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.video.clip import About

SECONDS = 4


@dataclass(frozen=True)
class Filmed:
    """A box at rest with a clip of a moving picture.

    Attributes:
        state: Its state directory.
        clip: Id of the clip.
    """

    state: Path
    clip: str

    def call(self, *arguments: object) -> Ended:
        """A command on this box."""
        return call("--state", self.state, "clips", *arguments)

    def listed(self) -> list[str]:
        """Ids of the clips."""
        return [row["clip"] for row in json.loads(self.call("list", "--json").out)]


@pytest.fixture
def filmed(tmp_path: Path) -> Filmed:
    """Four seconds, set off by a dog."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        clips = clips_of(services)
        about = About(causes=("e1",), labels=(("dog", 0.9),))
        pieces = fragments(seconds=SECONDS)
        clip = clips.begin("hall", pieces[0].track.width, pieces[0].track.height, about, BEGIN_MS)
        for piece in pieces:
            content = clip_document(piece, clip.id)
            clips.add(clip.id, piece.timecode_ms, piece.duration_ms, content)
        clips.end(clip.id, "complete")
    return Filmed(tmp_path / "state", clip.id)


def test_what_there_is_is_listed_and_shown(filmed: Filmed) -> None:
    """With when, whose, how long, how large, and what set it off; an id's end is enough."""
    listed = filmed.call("list")
    shown = filmed.call("show", filmed.clip[-6:])
    row = json.loads(filmed.call("show", filmed.clip, "--json").out)

    assert 0 == listed.code
    assert [filmed.clip, "hall", "4", "s"] == [listed.out.split()[place] for place in (0, 3, 4, 5)]
    assert "seen: dog (90%)" in shown.out
    assert "set off by the event e1" in shown.out
    assert [0, 1, 2, 3] == [each["number"] for each in row["pieces"]]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_clip_becomes_one_file_that_plays(filmed: Filmed, tmp_path: Path, suffix: str) -> None:
    """Every picture of it, in a file that only its owner reads."""
    out = tmp_path / f"dog.{suffix}"
    done = filmed.call("export", filmed.clip, "--out", out, "--yes")
    with av.open(str(out)) as container:
        pictures = sum(1 for _ in container.decode(video=0))

    with open_services(Settings(), Layout(filmed.state)) as services:
        told = [stored.event for stored in services.store.events(types=("clip_exported",))]

    assert 0 == done.code
    assert [ClipExported(camera="hall", clip=filmed.clip)] == told
    assert SECONDS * FPS == pictures
    assert 0o600 == out.stat().st_mode & 0o777


def test_nothing_leaves_or_goes_before_somebody_says_so(filmed: Filmed, tmp_path: Path) -> None:
    """Where nobody can be asked both are refused, and say what is missing."""
    out = tmp_path / "dog.mp4"
    exported = filmed.call("export", filmed.clip, "--out", out)
    deleted = filmed.call("delete", filmed.clip)

    with open_services(Settings(), Layout(filmed.state)) as services:
        told = list(services.store.events(types=("clip_exported",)))

    assert (3, 3) == (exported.refusal[0], deleted.refusal[0])
    assert [] == told
    assert "in the clear" in exported.errors[0]
    assert ["say that you know: --yes"] == exported.hints == deleted.hints
    assert not out.exists()
    assert [filmed.clip] == filmed.listed()


def test_a_deleted_clip_is_gone_and_the_log_says_so(filmed: Filmed) -> None:
    """Its key, too; what is not there cannot be deleted."""
    done = filmed.call("delete", filmed.clip[-8:], "--yes")
    with open_services(Settings(), Layout(filmed.state)) as services:
        told = [stored.event for stored in services.store.events(types=("clip_deleted",))]

    assert f"{filmed.clip} is deleted\n" == done.out
    assert [ClipDeleted(camera="hall", clip=filmed.clip, reason="asked")] == told
    assert [] == filmed.listed()
    assert (3, f"{filmed.clip!r}: no clip has this id") == filmed.call("show", filmed.clip).refusal


def test_while_somebody_records_it_is_asked(filmed: Filmed, tmp_path: Path) -> None:
    """The process that records answers, with what grows as well; another reader would be behind."""
    with open_services(Settings(), Layout(filmed.state)) as services, recording_at_hand(services) as at_hand:
        grows = at_hand.clips.begin("hall", 16, 16, About(), BEGIN_MS + 60_000)
        at_hand.clips.add(grows.id, BEGIN_MS + 60_000, 1_000, b"not looked at")
        listed = filmed.call("list")
        out = tmp_path / "dog.mp4"
        exported = filmed.call("export", filmed.clip, "--out", out, "--yes")

    assert [grows.id, filmed.clip] == [line.split()[0] for line in listed.out.splitlines()]
    assert "being recorded" in listed.out.splitlines()[0]
    assert (0, True) == (exported.code, out.exists())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "abc"), "too short"),
        (("export", "CLIP", "--out", "dog.avi", "--yes"), "neither .mp4 nor .mkv"),
        (("record", "attic"), "there is no camera 'attic'"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(filmed: Filmed, arguments: tuple[str, ...], words: str) -> None:
    """And nothing is done."""
    named = [filmed.clip if each == "CLIP" else each for each in arguments]

    assert words in filmed.call(*named).refusal[1]
