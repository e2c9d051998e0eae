"""A song made of a part of a sound file: trimmed, of even loudness, faded, as an MP3 without anything else.

MP3 with 160 kbit/s: the one form that every browser, Home Assistant's players and our own decoder play from
the first packet on; FLAC would be five times as large and Ogg is not played by Safari. Tags and pictures of
the file are left behind. Runs in the models process, since files come from outside.
"""

import io
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame

from appliance.actions.song_files import LONGEST_S, RATE, Samples, read_part
from appliance.actions.song_loudness import TARGET_LUFS, even_out, measure
from appliance.errors import SongError

DEFAULT_S: Final = 20.0
SHORTEST_S: Final = 1.0
MEDIA_TYPE: Final = "audio/mpeg"

_BIT_RATE: Final = 160_000
_FADE_IN_S: Final = 0.25
_ATTACK_S: Final = 0.005
"""At a file's own beginning only a click is prevented: it begins as it was made."""
_FADE_OUT_S: Final = 1.5
_NEAR_LU: Final = 0.2
_ENCODER_LU: Final = 3.0
"""The encoder takes half a unit of everything, and more of hiss; what misses more than this are clicks."""
_SHARE: Final = 0.25
"""Of a short song, that a fade may take."""


@dataclass(frozen=True, slots=True)
class PreparedSong:
    """A song that can be played.

    Attributes:
        audio: The MP3.
        seconds: How long it lasts.
        lufs: Its integrated loudness.
        peak_dbtp: Its true peak.
    """

    audio: bytes
    seconds: float
    lufs: float
    peak_dbtp: float


def prepare(content: bytes, start_s: float = 0.0, seconds: float = DEFAULT_S) -> PreparedSong:
    """Make a song of a part of a file.

    Args:
        content: The file.
        start_s: Where it begins, seconds.
        seconds: How long it is to be, 1 to 60; shorter if the file ends before.

    Raises:
        SongError: It cannot be made; says why, and what to do.
    """
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise SongError(f"a song has {SHORTEST_S:.0f} to {LONGEST_S:.0f} seconds")
    samples = read_part(content, start_s, seconds).samples
    lasts_s = samples.shape[1] / RATE
    if lasts_s < SHORTEST_S:
        raise SongError(
            f"only {lasts_s:.1f} seconds are left of the file there; a song has {SHORTEST_S:.0f} at least",
            hint="choose an earlier beginning, or another file",
        )
    # Faded first, and measured as it comes out of the decoder: what is measured is what will be heard.
    shaped = faded(samples, abrupt=start_s == 0)
    audio = encode(even_out(shaped))
    made = measure(read_part(audio, 0, LONGEST_S).samples)
    missing = TARGET_LUFS - made.lufs
    if _NEAR_LU < abs(missing) < _ENCODER_LU:
        audio = encode(even_out(shaped, TARGET_LUFS + missing))
        made = measure(read_part(audio, 0, LONGEST_S).samples)
    return PreparedSong(audio, round(lasts_s, 3), round(made.lufs, 2), round(made.peak_dbtp, 2))


def faded(samples: Samples, *, abrupt: bool) -> Samples:
    """The same with its beginning and end faded.

    Args:
        samples: Of the whole song.
        abrupt: It begins where its file does, as whoever made it wanted.
    """
    count = samples.shape[1]
    most = int(count * _SHARE)
    rise = min(round((_ATTACK_S if abrupt else _FADE_IN_S) * RATE), most)
    fall = min(round(_FADE_OUT_S * RATE), most)
    curve = np.ones(count, np.float32)
    # A quarter of a sine: what is heard changes evenly.
    curve[:rise] = np.sin(np.linspace(0, np.pi / 2, rise, endpoint=False))
    curve[count - fall :] = np.cos(np.linspace(0, np.pi / 2, fall))
    return samples * curve


def encode(samples: Samples) -> bytes:
    """As an MP3 without tags."""
    written = io.BytesIO()
    with av.open(written, "w", format="mp3", options={"id3v2_version": "0", "write_id3v1": "0"}) as container:
        stream = container.add_stream(
            "libmp3lame", rate=RATE, layout="stereo", options={"flags": "+bitexact"}
        )
        stream.bit_rate = _BIT_RATE
        whole = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        whole.sample_rate, whole.pts = RATE, 0
        for packet in (*stream.encode(whole), *stream.encode(None)):
            container.mux(packet)
    return written.getvalue()
