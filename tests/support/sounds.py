"""Makes the sounds that ship with the appliance: `python tests/support/sounds.py`, with nothing but numpy.

Each is a few notes of a synthesised bell, plucked string, marimba or chord, prepared like any other song.
The same numbers come out on every machine; the files differ with the version of the encoder.
"""

import hashlib
import io
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.actions.song_files import RATE
from appliance.actions.song_preparing import prepare

FOLDER: Final = Path(__file__).parents[2] / "data" / "sounds"
Tone = npt.NDArray[np.float64]
Voice = Callable[[float, float], Tone]
"""Hertz and seconds → one note."""

_HEAD = """\
# Sounds that ship with the appliance, to be chosen on the page of songs; made by tests/support/sounds.py.
licence = "CC0-1.0"
"""


def _times(seconds: float) -> Tone:
    return np.arange(round(seconds * RATE)) / RATE


def bell(hertz: float, seconds: float) -> Tone:
    """A small bell: partials that are no whole multiples, the higher ones gone sooner."""
    t = _times(seconds)
    partials = ((1.0, 1.0, 2.2), (2.76, 0.45, 3.6), (5.4, 0.2, 6.0), (8.93, 0.08, 9.0))
    return sum(
        (loud * np.sin(2 * np.pi * hertz * times * t) * np.exp(-fall * t) for times, loud, fall in partials),
        np.zeros_like(t),
    )


def marimba(hertz: float, seconds: float) -> Tone:
    """A wooden bar: its tone and the one two octaves higher, soon gone."""
    t = _times(seconds)
    body = np.sin(2 * np.pi * hertz * t) * np.exp(-6 * t)
    return body + 0.35 * np.sin(2 * np.pi * 4 * hertz * t) * np.exp(-18 * t)


def plucked(hertz: float, seconds: float) -> Tone:
    """A plucked string, after Karplus and Strong."""
    size = max(2, round(RATE / hertz))
    string = np.random.default_rng(size).uniform(-1, 1, size)
    sound = np.empty(round(seconds * RATE))
    for begin in range(0, len(sound), size):
        piece = string[: len(sound) - begin]
        sound[begin : begin + size] = piece
        string = 0.996 * 0.5 * (string + np.roll(string, 1))
    return sound


def warm(hertz: float, seconds: float) -> Tone:
    """A soft organ pipe that swells and fades."""
    t = _times(seconds)
    shape = np.minimum(1, t / 0.12) * np.exp(-0.9 * t)
    waves = sum((np.sin(2 * np.pi * hertz * k * t) / k**2 for k in (1, 2, 3, 4)), np.zeros_like(t))
    return shape * waves


def square(hertz: float, seconds: float) -> Tone:
    """An old games console, its edges taken off."""
    t = _times(seconds)
    waves = sum((np.sin(2 * np.pi * hertz * k * t) / k for k in (1, 3, 5, 7)), np.zeros_like(t))
    return waves * np.exp(-2.5 * t)


def played(voice: Voice, notes: Sequence[tuple[float, int, float]], seconds: float) -> Tone:
    """Notes as (seconds at which it begins, MIDI number, loudness), left and right a little apart."""
    sound = np.zeros((2, round(seconds * RATE)))
    for number, (at, pitch, loud) in enumerate(notes):
        begin = round(at * RATE)
        tone = loud * voice(440 * 2 ** ((pitch - 69) / 12), seconds - at)
        side = 0.15 * (-1) ** number
        for row, share in ((0, 1 + side), (1, 1 - side)):
            sound[row, begin : begin + len(tone)] += share * tone[: sound.shape[1] - begin]
    return sound


SOUNDS: Final[Sequence[tuple[str, str, Voice, Sequence[tuple[float, int, float]], float]]] = (
    ("ding-dong", "Ding dong", bell, [(0, 76, 1), (0.55, 72, 1)], 2.6),
    ("three-bells", "Three bells", bell, [(0, 72, 0.9), (0.28, 76, 0.9), (0.56, 79, 1)], 2.5),
    (
        "good-morning",
        "Good morning",
        marimba,
        [(0, 67, 1), (0.18, 72, 1), (0.36, 76, 1), (0.54, 79, 1), (0.9, 76, 0.8), (1.08, 84, 1)],
        2.2,
    ),
    (
        "strings",
        "Three strings",
        plucked,
        [(0, 55, 0.9), (0.22, 62, 0.9), (0.44, 67, 1), (0.66, 71, 0.9), (0.88, 74, 1)],
        2.8,
    ),
    (
        "warm-welcome",
        "Warm welcome",
        warm,
        [(0, 60, 0.8), (0.12, 64, 0.7), (0.24, 67, 0.7), (0.36, 72, 0.8)],
        2.6,
    ),
    (
        "level-up",
        "Level up",
        square,
        [(0, 72, 1), (0.09, 76, 1), (0.18, 79, 1), (0.27, 84, 1), (0.45, 79, 0.8), (0.54, 84, 1)],
        1.6,
    ),
    (
        "coffee-time",
        "Coffee time",
        marimba,
        [(0, 64, 1), (0.16, 64, 0.8), (0.32, 67, 1), (0.56, 71, 1), (0.8, 69, 0.9), (1.12, 76, 1)],
        2.2,
    ),
)
"""File, title, voice, notes, seconds."""


def as_wav(sound: Tone) -> bytes:
    """A sound as a WAV file of 16 bits, its loudest moment just below full scale."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((0.9 * sound / np.abs(sound).max() * 32767).astype("<i2").T.tobytes())
    return written.getvalue()


def main() -> None:
    """Write all of them, and the list of them."""
    FOLDER.mkdir(exist_ok=True)
    told = [_HEAD]
    for name, title, voice, notes, seconds in SOUNDS:
        made = prepare(as_wav(played(voice, notes, seconds)), 0.0, 60.0)
        (FOLDER / f"{name}.mp3").write_bytes(made.audio)
        digest = hashlib.sha256(made.audio).hexdigest()
        told.append(
            f'\n[[sounds]]\nid = "{name}"\ntitle = "{title}"\nseconds = {made.seconds}\nsha256 = "{digest}"\n'
        )
        print(name, made.seconds, len(made.audio), made.lufs, made.peak_dbtp)
    (FOLDER / "sounds.toml").write_text("".join(told), encoding="utf-8")


if __name__ == "__main__":
    main()
