"""Songs made of files: as loud as each other, faded, as long as said; and files that want to do harm."""

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from song_sounds import as_wav, music, tone

from appliance.actions import song_files
from appliance.actions.song_files import RATE, Samples, read_part
from appliance.actions.song_loudness import TARGET_LUFS, TRUE_PEAK_DBTP, even_out, measure
from appliance.actions.song_preparing import faded, prepare
from appliance.errors import SongError


def encoded(samples: Samples, container: str, codec: str, rate: int = RATE, *, cover: bool = False) -> bytes:
    """A file of another kind; with a broken cover picture beside the sound if `cover`."""
    written = io.BytesIO()
    with av.open(written, "w", format=container) as opened:
        stream = opened.add_stream(codec, rate=rate, layout="stereo")
        wanted = stream.codec_context.format.name
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=wanted, layout="stereo", rate=rate, frame_size=stream.codec_context.frame_size or 0
        )
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            opened.mux(stream.encode(each))
        opened.mux(stream.encode(None))
    content = written.getvalue()
    if cover:
        picture = b"\x00image/png\x00\x03\x00" + b"\x89PNG\r\n\x1a\n" + b"\xff" * 4000
        size = len(picture)
        body = b"APIC" + size.to_bytes(4, "big") + b"\0\0" + picture
        n = len(body)
        tag = bytes([n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127])
        content = b"ID3\x03\x00\x00" + tag + body + content
    return content


@pytest.mark.parametrize("loud", [0.01, 0.05, 1.0, 8.0])
def test_what_is_prepared_is_as_loud_as_everything_else(loud: float) -> None:
    """Whispered, ordinary, at full scale, cut off: within 1 LU of the target once decoded, no peak above."""
    made = prepare(as_wav(music(8, loud=loud)), 1.0, 6.0)
    heard = measure(read_part(made.audio, 0, 60).samples)

    assert abs(heard.lufs - TARGET_LUFS) < 1
    assert heard.peak_dbtp <= TRUE_PEAK_DBTP
    assert abs(made.lufs - heard.lufs) < 0.1
    assert 6.0 == made.seconds


def test_the_gain_is_constant_and_not_a_ride() -> None:
    """What was twice as loud in the file is twice as loud in the song: nothing is pumped up and down."""
    samples = np.concatenate([tone(3, loud=0.1), tone(3, loud=0.2)], axis=1)
    evened = even_out(samples)
    quiet, loud = (np.abs(evened[:, begin : begin + RATE]).max() for begin in (RATE, 4 * RATE))

    assert 2.0 == pytest.approx(loud / quiet, rel=0.02)


def test_beginning_and_end_are_faded() -> None:
    """From and to silence, in the middle as it was; at the file's own beginning only a click is prevented."""
    samples = tone(6)
    inside, from_start = faded(samples, abrupt=False), faded(samples, abrupt=True)
    level = np.abs(samples[0]).max()

    assert 0 == inside[0, 0]
    assert abs(inside[0, -1]) < 0.001
    assert np.abs(inside[0, : RATE // 20]).max() < 0.5 * level < np.abs(from_start[0, : RATE // 20]).max()
    assert np.array_equal(inside[:, 2 * RATE : 4 * RATE], samples[:, 2 * RATE : 4 * RATE])
    assert np.abs(inside[0, -RATE // 10 :]).max() < 0.2 * level


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("flac", "flac", 44_100),
        ("ogg", "libopus", 48_000),
        ("mp3", "libmp3lame", 22_050),
        ("wav", "pcm_s24le", 96_000),
        ("wav", "pcm_f32le", 8_000),
    ],
)
def test_every_kind_of_file_is_read(container: str, codec: str, rate: int) -> None:
    """Of any rate and depth: the same tone comes out, at the one rate that all songs have."""
    content = encoded(tone(3, rate=rate), container, codec, rate)
    part = read_part(content, 1.0, 1.5)
    crossings = np.count_nonzero(np.diff(np.signbit(part.samples[0])))

    assert 1.5 == pytest.approx(part.samples.shape[1] / RATE, abs=0.001)
    assert 440 == pytest.approx(crossings / 2 / 1.5, rel=0.01)


def test_the_part_is_the_one_that_was_chosen() -> None:
    """To the millisecond: a click at 2.5 s lies at 0.5 s of the part that begins at 2 s."""
    samples = np.zeros((2, 4 * RATE), np.float32)
    samples[:, round(2.5 * RATE)] = 1
    part = read_part(as_wav(samples), 2.0, 1.0)

    assert 0.5 == pytest.approx(int(np.argmax(np.abs(part.samples[0]))) / RATE, abs=0.001)


def test_a_cover_picture_is_left_alone_and_left_behind() -> None:
    """An MP3 with a broken picture in it is read for its sound; nothing of its tags is in the song."""
    made = prepare(encoded(tone(3), "mp3", "libmp3lame", cover=True), 0, 2)

    assert 2.0 == made.seconds
    assert b"PNG" not in made.audio
    assert b"ID3" not in made.audio


def _video() -> bytes:
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as opened:
        stream = opened.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            opened.mux(stream.encode(frame))
        opened.mux(stream.encode(None))
    return written.getvalue()


def _ten_hours() -> bytes:
    """A FLAC of a few hundred kilobytes that says it holds ten hours of silence."""
    short = bytearray(encoded(tone(0.5, loud=0), "flac", "flac"))
    head = int.from_bytes(short[18:26], "big")
    whole = 36_000 * RATE
    short[18:26] = ((head & ~0xFFFFFFFFF) | whole).to_bytes(8, "big")
    return bytes(short)


_GOOD = as_wav(music(3))
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "zip renamed": (lambda: b"PK\x03\x04" + zlib.compress(b"song" * 999), "ZIP archive"),
    "video": (_video, "save its sound as MP3"),
    "text": (lambda: b"a song about text files\n" * 99, "no sound file"),
    "head alone": (lambda: _GOOD[:44], "no sound"),
    "head cut": (lambda: _GOOD[:20], "damaged"),
    "zeros as ogg": (lambda: b"OggS" + bytes(5000), "damaged"),
    "noise as flac": (lambda: b"fLaC" + bytes(range(256)) * 50, "damaged"),
    "noise as mp3": (lambda: b"\xff\xfb" + bytes(range(256)) * 50, "damaged"),
    "silence": (lambda: as_wav(tone(3, loud=0)), "nothing is to be heard"),
    "ten hours of nothing": (_ten_hours, "seconds are left|nothing is to be heard|damaged"),
    "no samples": (lambda: as_wav(tone(0)), "no sound"),
    "too large": (lambda: b"RIFF" + bytes(song_files.MOST_BYTES), "20 at most"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_that_is_no_song_is_refused_in_words(what: str) -> None:
    """A typed error that says what is wrong and what to do, whatever it is, and soon."""
    make, words = HOSTILE[what]

    with pytest.raises(SongError) as refused:
        prepare(make(), 0, 20)

    told = f"{refused.value.message} {refused.value.hint}"
    assert any(each in told for each in words.split("|")), told


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_of_a_file_that_was_cut_off_what_is_there_is_taken(share: float) -> None:
    """A download that broke off plays as far as it came."""
    whole = encoded(music(6), "ogg", "libopus")
    part = read_part(whole[: round(len(whole) * share)], 0, 60)

    assert 0.5 * share * 6 < part.samples.shape[1] / RATE < 6


def test_numbers_that_are_none_do_not_get_through() -> None:
    """A file of floating numbers with infinities and what is no number is as loud as any, and finite."""
    samples = tone(3)
    samples[0, 1000:1010], samples[1, 2000:2010] = np.inf, np.nan
    made = prepare(encoded(samples, "wav", "pcm_f32le"), 0, 3)
    heard = read_part(made.audio, 0, 60).samples

    assert np.isfinite(heard).all()
    assert measure(heard).peak_dbtp <= TRUE_PEAK_DBTP


def test_work_on_one_file_is_bounded() -> None:
    """A file that takes for ever is given up, by the clock, in words."""
    times: Iterator[float] = iter(range(0, 1000, 7))

    with pytest.raises(SongError, match="takes too long"):
        read_part(_GOOD, 0, 60, clock=lambda: next(times))


def test_only_what_is_needed_is_read() -> None:
    """Of a long file the beginning is decoded and nothing behind it."""
    samples = tone(4)
    content = as_wav(np.concatenate([samples] * 20, axis=1))
    spent: list[int] = []

    def clock() -> float:
        spent.append(1)
        return 0.0

    read_part(content, 0, 2, clock=clock)
    few = len(spent)
    spent.clear()
    read_part(content, 0, 60, clock=clock)

    assert few * 5 < len(spent)


@pytest.mark.parametrize(("start", "seconds"), [(-1, 5), (0, 0.5), (0, 61), (4000, 5)])
def test_a_part_has_its_bounds(start: float, seconds: float) -> None:
    """One to sixty seconds, within the first hour."""
    with pytest.raises(SongError):
        prepare(_GOOD, start, seconds)


@pytest.mark.debian(reason="fretsonfire-songs-sectoid")
@pytest.mark.slow
def test_real_songs_become_songs() -> None:
    """Debian's free songs of Frets on Fire: each is taken, within 1 LU of the target."""
    found = sorted(Path("/usr/share/games/fretsonfire").rglob("guitar.ogg"))[:1]
    if not found:
        pytest.skip("Debian package fretsonfire-songs-sectoid")
    made = [prepare(each.read_bytes()[: song_files.MOST_BYTES], 20, 20) for each in found]

    assert all(abs(each.lufs - TARGET_LUFS) < 1 for each in made)
    assert all(each.peak_dbtp <= TRUE_PEAK_DBTP for each in made)
