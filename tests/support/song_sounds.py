"""Sounds for tests: WAV files of tones and of something like music, and fakes of what plays them."""

import io
import threading
import wave
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from appliance.actions.song_files import RATE, Samples
from appliance.app.playing import SongHandlers, playing
from appliance.app.song_making import SongFileHandlers
from appliance.errors import NoAudioError
from appliance.services import Services
from appliance.settings import Settings
from appliance.wire import Server


def tone(seconds: float, *, hertz: float = 440.0, loud: float = 0.3, rate: int = RATE) -> Samples:
    """A tone, the same on both sides."""
    t = np.arange(round(seconds * rate)) / rate
    return np.stack([loud * np.sin(2 * np.pi * hertz * t)] * 2).astype(np.float32)


def music(seconds: float, *, loud: float = 0.3, rate: int = RATE, seed: int = 1) -> Samples:
    """Struck notes over some hiss: with peaks, pauses and a spectrum, as music has."""
    t = np.arange(round(seconds * rate)) / rate
    struck = np.exp(-(t % 0.5) * 6)
    notes = sum((np.sin(2 * np.pi * hertz * t) * struck for hertz in (261.6, 329.6, 392.0)), np.zeros_like(t))
    hiss = np.random.default_rng(seed).standard_normal((2, len(t)))
    return (loud * (notes / 3 + 0.02 * hiss)).astype(np.float32)


def as_wav(samples: Samples, *, rate: int = RATE) -> bytes:
    """A WAV file of 16 bits."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(samples.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").T.tobytes())
    return written.getvalue()


class HeldOutput:
    """An output that takes all of a sound at once, and is over when it is told so, or stopped.

    Attributes:
        played: What it took of each sound.
        missing: It is not there.
    """

    def __init__(self) -> None:
        self.played: list[bytes] = []
        self.missing = False
        self._over = threading.Semaphore(0)

    def end(self) -> None:
        """Let one sound be over."""
        self._over.release()

    def play(
        self, pieces: Iterable[bytes], stopped: Callable[[], bool], began: Callable[[], None] = lambda: None
    ) -> None:
        """See `AudioOutput.play`."""
        if self.missing:
            raise NoAudioError("there is no audio device")
        taken = b""
        for piece in pieces:
            if stopped():
                break
            taken += piece
            if taken == piece:
                began()
        self.played.append(taken)
        while not stopped() and not self._over.acquire(timeout=0.01):
            pass


@contextmanager
def song_processes(settings: Settings, services: Services) -> Iterator[None]:
    """What reads sound files and what plays songs, at their sockets, until the end of the block."""
    songs = SongHandlers()
    layout = services.layout
    with (
        Server(layout.socket("models"), SongFileHandlers().handlers()),
        Server(layout.socket("dispatch"), songs.handlers()),
        playing(settings, services, {}) as songs.action,
    ):
        yield
