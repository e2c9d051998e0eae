"""`appliance replay`: what the loop says of a recording, and of what is none."""

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from camera_clips import write_clip, write_pictures
from commands import Ended, argv

from appliance.camera import Scene, encode_jpeg

STRANGER = range(236, 262)
"""Frames of the bundled scene with the stranger at the door."""


def frames(done: Ended) -> tuple[int, int]:
    """How many frames it says it looked at, and how many were damaged."""
    said = re.search(r"^(\d+) frames, (\d+) damaged, \d+ events$", done.err, re.MULTILINE)
    assert said is not None, done.err
    return int(said[1]), int(said[2])


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stranger's visit as a folder of pictures."""
    folder = tmp_path_factory.mktemp("stranger")
    scene = Scene()
    for number in STRANGER:
        (folder / f"{number:04}.jpg").write_bytes(encode_jpeg(scene.render(number), 90))
    return folder


def test_a_stranger_is_told_in_words_and_as_json(box: Any, stranger: Path) -> None:
    """The same events, with nothing but them on standard output; the box's own log is not touched."""
    before = box.call("events", "head").out.split('"at"')[0]
    words = box.run("replay", stranger)
    rows = [json.loads(line) for line in box.run("replay", stranger, "--json").out.splitlines()]

    assert (0, len(STRANGER)) == (words.code, frames(words)[0])
    assert ["stranger_seen", "capture_skipped", "stranger_seen"] == [row["body"]["type"] for row in rows]
    assert "replay" == rows[1]["body"]["reason"]
    assert len(rows) == len(words.out.splitlines())
    listed = json.loads(box.call("events", "list", "--limit", "1", "--json").out)
    assert set(listed) == set(rows[0])
    assert before == box.call("events", "head").out.split('"at"')[0]


def test_a_replay_can_be_kept_in_an_empty_folder_only(box: Any, stranger: Path, tmp_path: Path) -> None:
    """With --keep the stranger is sealed; a second replay does not write into the first."""
    kept = tmp_path / "kept"
    done = box.run("replay", stranger, "--keep", kept, "--json")
    again = box.run("replay", stranger, "--keep", kept)

    assert "stranger_captured" in done.out
    assert 1 == len(list((kept / "spool").glob("*.age")))
    assert (3, f"{kept} holds a log already") == again.refusal


def test_a_clip_cut_in_the_middle_of_a_frame_replays_what_there_is(box: Any, tmp_path: Path) -> None:
    """Fewer frames than the whole one, more than none, and exit code 0."""
    clip = write_clip(tmp_path / "whole.mkv", frames=20, options={"g": "5", "bf": "0"})
    content = clip.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(content[: int(len(content) * 0.6)])
    done = box.run("replay", cut)

    assert 0 == done.code
    assert 0 < frames(done)[0] < 20
    assert "Traceback" not in done.err


@pytest.mark.parametrize("content", [b"no video" * 100, b"\0\0\0\x18ftypmp42" + b"\0" * 200])
def test_what_is_no_video(box: Any, tmp_path: Path, content: bytes) -> None:
    """Text, or a header without anything behind it: exit code 4, and the file is named."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    done = box.run("replay", path)

    assert 4 == done.code
    assert [True] == [str(path) in error for error in done.errors]
    assert "Traceback" not in done.err
    assert "" == done.out


@pytest.mark.parametrize("source", ["rtsp://viewer:hunter2@camera.example/main", "none.mp4"])
def test_what_cannot_be_replayed(box: Any, source: str) -> None:
    """A live camera, a file that is not there; no password is repeated."""
    done = box.run("replay", source)

    assert 4 == done.code
    assert 1 == len(done.errors)
    assert "Traceback" not in done.err
    assert "hunter2" not in done.err


def test_without_a_state_nobody_is_enrolled(tmp_path: Path, box: Any) -> None:
    """A replay needs no box, and makes none."""
    pictures = write_pictures(tmp_path / "pictures", frames=2)
    done = box.run("--state", tmp_path / "none", "replay", pictures)

    assert (0, 2) == (done.code, frames(done)[0])
    assert not (tmp_path / "none").exists()


def test_events_are_told_as_they_happen_and_stand_when_it_is_interrupted(
    box: Any, stranger: Path, tmp_path: Path
) -> None:
    """The first line comes while most of the recording is still ahead; Ctrl-C then ends it with 130."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, path in enumerate(sorted(stranger.iterdir()) * 40):
        (pictures / f"{number:05}.jpg").symlink_to(path)
    process = subprocess.Popen(
        argv("--state", box.state, "replay", pictures, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=60)

    assert "stranger_seen" == json.loads(first)["body"]["type"]
    assert all(json.loads(row)["position"] > 1 for row in rest.splitlines())
    assert (130, "appliance: stopped") == (process.returncode, said.strip())
