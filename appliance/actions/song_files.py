"""Sound files from outside: which kind it is, and its samples, under limits.

Four kinds are taken (WAV, MP3, FLAC, Ogg with Vorbis, Opus or FLAC), told by their first bytes, and each is
handed to its own demuxer alone: nothing else of libav ever sees a file. No picture in one is decoded. What
the samples are made into is for `song_preparing`.
"""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import av
import av.error
import av.logging
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from appliance.errors import SongError

Samples = npt.NDArray[np.float32]
"""Two rows, left and right, at `RATE`; full scale is 1."""

RATE: Final = 48_000
"""Samples a second of everything that is prepared or played."""
MOST_BYTES: Final = 20 << 20
"""Of a file."""
LONGEST_S: Final = 60.0
LATEST_START_S: Final = 3600.0
MOST_WORK_S: Final = 20.0
"""Seconds of work on one file."""

_CODECS: Final = frozenset({"mp3", "mp3float", "flac", "vorbis", "opus", "libopus"})
_RATES: Final = (4_000, 384_000)
_MOST_CHANNELS: Final = 8
_MOST_DAMAGED: Final = 50
"""Packets that cannot be decoded, before a file is given up."""
_LOUDEST: Final = 8.0
"""Beyond full scale; files of floating numbers may hold anything."""
_KINDS: Final = "WAV, MP3, FLAC or Ogg"


@dataclass(frozen=True, slots=True)
class Part:
    """What was taken of a file.

    Attributes:
        samples: Of the part.
        kind: `wav`, `mp3`, `flac` or `ogg`.
    """

    samples: Samples
    kind: str


def read_part(
    content: bytes, start_s: float, seconds: float, *, clock: Callable[[], float] = time.monotonic
) -> Part:
    """Decode a part of a file.

    Args:
        content: The file.
        start_s: Where the part begins, seconds, `LATEST_START_S` at most.
        seconds: Of the part, `LONGEST_S` at most; less comes if the file ends before.
        clock: Seconds, for `MOST_WORK_S`.

    Raises:
        SongError: It is too large, none of the kinds, damaged, holds no sound, or ends before the part.
    """
    if not 0 <= start_s <= LATEST_START_S or not 0 < seconds <= LONGEST_S:
        raise SongError(
            f"a song begins within the first {LATEST_START_S / 60:.0f} minutes of its file and has up to "
            f"{LONGEST_S:.0f} seconds"
        )
    kind = kind_of(content)
    av.logging.set_level(None)  # what it says of a file would stand in our journal
    wanted = round((start_s + seconds) * RATE)
    until = clock() + MOST_WORK_S
    pieces: list[Samples] = []
    skip, had = round(start_s * RATE), 0
    try:
        with av.open(io.BytesIO(content), "r", format=kind, metadata_errors="replace") as container:
            for piece in _decoded(container):
                if clock() > until:
                    raise SongError(
                        "this file takes too long to read",
                        hint="cut the part out that is to be played, or save it as MP3",
                    )
                began, had = had, had + piece.shape[1]
                if had > skip:
                    pieces.append(piece[:, max(0, skip - began) : wanted - began])
                if had >= wanted:
                    break
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        raise SongError(
            "this file is damaged, or not what it is called", hint=f"a {_KINDS} file that other programs play"
        ) from error
    if had == 0:
        raise SongError("there is no sound in this file", hint="choose another file")
    if not pieces:
        raise SongError(
            f"the file ends after {had / RATE:.1f} seconds, before the part that was chosen",
            hint="choose an earlier beginning",
        )
    return Part(_sound(np.concatenate(pieces, axis=1)), kind)


def kind_of(content: bytes) -> str:
    """Which kind of file it is, by its first bytes.

    Raises:
        SongError: None that is taken, nothing, or too much.
    """
    if not content:
        raise SongError("this file is empty", hint="choose another file")
    if len(content) > MOST_BYTES:
        raise SongError(
            f"this file has {len(content) / 2**20:.0f} MiB; {MOST_BYTES >> 20} at most are taken",
            hint="cut the part out that is to be played, or save it as MP3",
        )
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    if content[:4] == b"fLaC":
        return "flac"
    if content[:4] == b"OggS":
        return "ogg"
    # 11 bits of synchronisation, a version and a layer that there are.
    if content[:3] == b"ID3" or (
        content[:1] == b"\xff" and content[1:2] and content[1] & 0xE0 == 0xE0 and content[1] & 0x06 == 0x02  # noqa: PLR2004 - bits of MP3's header
    ):
        return "mp3"
    raise SongError(f"this is no sound file that is taken: {_KINDS}", hint=_other(content))


def _other(content: bytes) -> str:
    """What to do about a file of another kind."""
    if content[4:8] == b"ftyp":
        return "this is MP4 or M4A: save its sound as MP3"
    if content[:4] == b"\x1aE\xdf\xa3":
        return "this is Matroska or WebM: save its sound as MP3"
    if content[:2] == b"PK":
        return "this is a ZIP archive: take the song out of it first"
    return "save it as MP3 with another program"


def _decoded(container: InputContainer) -> Iterator[Samples]:
    """The samples of a file from its beginning, piece by piece."""
    stream = _stream(container)
    resampler = AudioResampler(format="fltp", layout="stereo", rate=RATE)
    damaged = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
            if damaged > _MOST_DAMAGED:
                raise
            continue
        for frame in frames:
            yield from _resampled(resampler, frame)
    yield from _resampled(resampler, None)


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[Samples]:
    if frame is not None:
        frame.pts = None  # a file with gaps and jumps in its times is played as if it had none
    for each in resampler.resample(frame):
        yield np.asarray(each.to_ndarray(), np.float32)


def _stream(container: InputContainer) -> AudioStream:
    """The file's first sound, of a kind that is taken.

    Raises:
        SongError: There is none.
    """
    if not container.streams.audio:
        raise SongError("there is no sound in this file", hint="choose another file")
    stream = container.streams.audio[0]
    context = stream.codec_context
    if not (context.name in _CODECS or context.name.startswith("pcm_")):
        raise SongError(f"the sound in this file is of a kind that is not taken: {context.name}")
    if not _RATES[0] <= context.sample_rate <= _RATES[1] or not 1 <= context.channels <= _MOST_CHANNELS:
        raise SongError(
            f"sound with {context.channels} channels and {context.sample_rate} samples a second is not taken",
            hint="save it in stereo with 44,100 or 48,000",
        )
    context.thread_count = 1
    return stream


def _sound(samples: Samples) -> Samples:
    """Numbers that are some, within bounds."""
    return np.clip(np.nan_to_num(samples, posinf=_LOUDEST, neginf=-_LOUDEST), -_LOUDEST, _LOUDEST)
