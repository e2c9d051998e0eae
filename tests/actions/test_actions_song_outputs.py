"""Where sound goes: one contract for the file, the machine's audio library, and the fake of the tests."""

import ctypes.util
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from song_sounds import HeldOutput, as_wav, tone

from appliance.actions.audio_choosing import chosen, trouble
from appliance.actions.audio_device import AudioDevice
from appliance.actions.audio_file import WavFile
from appliance.actions.audio_output import BYTES_A_SECOND, FRAME_BYTES, AudioOutput
from appliance.actions.song_decoding import decoded
from appliance.actions.song_preparing import prepare
from appliance.errors import ActionError, NoAudioError

PIECE = bytes(FRAME_BYTES * 960)
"""20 ms."""


class Pieces:
    """Pieces of a sound, counted as they are taken."""

    def __init__(self, many: int) -> None:
        self.many = many
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        """One after the other."""
        for _ in range(self.many):
            self.taken += 1
            yield PIECE


@dataclass
class Subject:
    """An output under test, and how to let a sound on it be over."""

    output: AudioOutput
    end: Callable[[], None]


@pytest.fixture(params=["file", "device", "fake"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """The WAV file, miniaudio with its device that makes no sound, and what other tests use."""
    if request.param == "file":
        return Subject(WavFile(tmp_path / "audio" / "played.wav"), lambda: None)
    if request.param == "device":
        return Subject(AudioDevice(backends=["NULL"]), lambda: None)
    held = HeldOutput()
    return Subject(held, held.end)


def test_an_output_takes_all_pieces_and_says_once_that_it_began(subject: Subject) -> None:
    """In their order, to the last; `began` comes once, when the first was taken and before the last."""
    pieces, began = Pieces(15), []
    subject.end()
    subject.output.play(pieces, lambda: False, lambda: began.append(pieces.taken))

    assert 15 == pieces.taken
    assert 1 == len(began)


def test_an_output_stops_when_it_is_told(subject: Subject) -> None:
    """In the middle: it returns soon, and leaves the rest."""
    pieces, stop = Pieces(100_000), threading.Event()
    thread = threading.Thread(target=subject.output.play, args=(pieces, stop.is_set))
    thread.start()
    time.sleep(0.2)
    stop.set()
    thread.join(10)

    assert not thread.is_alive()
    assert 0 < pieces.taken < 100_000 or isinstance(subject.output, HeldOutput)


def test_an_output_plays_one_sound_after_the_other(subject: Subject) -> None:
    """The same one again, after an end and after a stop."""
    counts = []
    for stopped in (False, True, False):
        pieces = Pieces(3)
        subject.end()
        subject.output.play(pieces, lambda: stopped)  # noqa: B023 - called within the turn
        counts.append(pieces.taken)

    assert [3, 3] == [counts[0], counts[2]]


def test_what_the_pieces_come_to_grief_with_is_raised(subject: Subject) -> None:
    """An error while decoding reaches whoever plays, as it was."""

    def broken() -> Iterator[bytes]:
        yield PIECE
        raise ActionError("damaged")

    subject.end()
    with pytest.raises(ActionError, match="damaged"):
        subject.output.play(broken(), lambda: False)


def read(path: Path) -> tuple[int, bytes]:
    """Frames of a WAV file, and its samples."""
    with wave.open(str(path)) as file:
        return file.getnframes(), file.readframes(file.getnframes())


class Moved:
    """A clock that is moved by waiting alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def seconds(self) -> float:
        """What it shows."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.now += seconds


def test_the_file_is_written_in_its_own_time(tmp_path: Path) -> None:
    """The first piece at once, without any waiting, and the rest as it would be heard."""
    clock, began = Moved(), []
    output = WavFile(tmp_path / "played.wav", seconds=clock.seconds, sleep=clock.sleep)
    output.play(Pieces(100), lambda: False, lambda: began.append(clock.now))

    assert [0.0] == began
    assert 2.0 == pytest.approx(clock.now)
    assert 100 * len(PIECE) == len(read(tmp_path / "played.wav")[1])


def test_songs_come_one_behind_the_other_in_a_file_that_is_always_whole(tmp_path: Path) -> None:
    """After each piece the file can be read; what a crash left half is mended; too large, it begins anew."""
    path, clock = tmp_path / "played.wav", Moved()
    most = 7 * len(PIECE)
    output = WavFile(path, seconds=clock.seconds, sleep=clock.sleep, most_bytes=most)
    during: list[int] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(5):
            yield PIECE
            during.append(read(path)[0] // 960)

    output.play(pieces(), lambda: False)
    with path.open("ab") as file:
        file.write(b"\1\2\3")
    output.play(pieces(), lambda: False)
    output.play(pieces(), lambda: False)

    assert [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5] == during
    assert 5 * 960 == read(path)[0]
    assert 0o600 == path.stat().st_mode & 0o777


def test_a_file_that_cannot_be_written_is_no_audio(tmp_path: Path) -> None:
    """A name that is a folder, a link to elsewhere: said in words, and what the link leads to stays."""
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "link.wav").symlink_to(tmp_path / "elsewhere")

    for name in ("folder.wav", "link.wav"):
        with pytest.raises(NoAudioError, match="cannot be written"):
            WavFile(tmp_path / name).play([PIECE], lambda: False)
    assert "theirs" == (tmp_path / "elsewhere").read_text()


def test_a_song_is_decoded_from_its_first_packet_and_as_loud_as_wanted(tmp_path: Path) -> None:
    """The volume counts piece by piece: at 100 as prepared, halfway a quarter of the height, at 0 silence."""
    audio = prepare(as_wav(tone(3)), 0, 3).audio
    heights = {}
    for volume in (100, 50, 0):
        sound = np.frombuffer(b"".join(decoded(audio, lambda: volume)), "<i2")  # noqa: B023
        heights[volume] = int(np.abs(sound).max())
        seconds = sound.nbytes / BYTES_A_SECOND
    first = next(iter(decoded(audio, lambda: 100)))

    assert 3.0 == pytest.approx(seconds, abs=0.05)
    assert 0.25 == pytest.approx(heights[50] / heights[100], rel=0.02)
    assert 0 == heights[0]
    assert 0 < len(first) < 0.1 * BYTES_A_SECOND


def test_a_damaged_song_is_an_error_of_the_library() -> None:
    """Not of the box's audio."""
    with pytest.raises(ActionError) as refused:
        list(decoded(b"not a song", lambda: 100))

    assert not isinstance(refused.value, NoAudioError)


def test_the_settings_word_chooses_the_output(tmp_path: Path) -> None:
    """A device, a file in the folder, or none; only a device can be missing."""
    with pytest.raises(NoAudioError, match="switched off"):
        chosen("off", tmp_path)

    assert isinstance(chosen("device:default", tmp_path), AudioDevice)
    assert isinstance(chosen("file:a.wav", tmp_path), WavFile)
    assert "" == trouble("file:a.wav") == trouble("off")


_ALSA = """
import sys
from appliance.actions.audio_device import AudioDevice
from appliance.actions.song_decoding import decoded
from appliance.errors import NoAudioError

try:
    AudioDevice(sys.argv[1], backends=["ALSA"]).play(
        decoded(open(sys.argv[2], "rb").read(), lambda: 100), lambda: False, lambda: print("began")
    )
except NoAudioError as error:
    print(error.message)
"""


def alsa(tmp_path: Path, configuration: str, song: bytes) -> tuple[str, str]:
    """Play on the default device of an ALSA that is configured so; what was said, and on standard error."""
    (tmp_path / "asoundrc").write_text(configuration)
    (tmp_path / "song.mp3").write_bytes(song)
    environment = {**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asoundrc")}
    done = subprocess.run(
        [sys.executable, "-c", _ALSA, "default", str(tmp_path / "song.mp3")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip(), done.stderr.strip()


@pytest.mark.debian(reason="libasound2")
def test_alsa_takes_a_song_through_the_library(tmp_path: Path) -> None:
    """The real driver's library, configured to write what it is given: the song's own samples arrive."""
    if ctypes.util.find_library("asound") is None:
        pytest.skip("Debian package libasound2")
    song = prepare(as_wav(tone(2)), 0, 2).audio
    configuration = f"""
pcm.!default {{ type file; slave.pcm "quiet"; file "{tmp_path / "heard.raw"}"; format "raw" }}
pcm.quiet {{ type null }}
ctl.!default {{ type null }}
"""
    said = alsa(tmp_path, configuration, song)
    wanted = np.frombuffer(b"".join(decoded(song, lambda: 100)), "<i2")
    heard = np.frombuffer((tmp_path / "heard.raw").read_bytes(), "<i2")

    assert ("began", "") == said
    assert np.array_equal(wanted[wanted.nonzero()[0][0] :][:50_000], heard[heard.nonzero()[0][0] :][:50_000])


@pytest.mark.debian(reason="libasound2")
def test_a_machine_without_loudspeakers_says_so_quietly(tmp_path: Path) -> None:
    """An ordinary state: one typed error, and nothing of the driver's complaints in the journal."""
    said = alsa(tmp_path, "pcm.!default { type hw; card 31 }", prepare(as_wav(tone(1)), 0, 1).audio)

    assert ("there is no audio device", "") == said
