"""Sound into a WAV file as it plays, in its own time: for boxes without loudspeakers, and for proof.

One song comes behind the other. The file is whole after each piece; what a crash leaves can be played.
"""

import os
import struct
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

from appliance.actions.audio_output import BYTES_A_SECOND, CHANNELS, FRAME_BYTES, SAMPLE_BYTES
from appliance.actions.song_files import RATE
from appliance.errors import NoAudioError

_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MOST_BYTES: Final = 256 << 20
"""Above it a song begins the file anew: more than twenty minutes."""
_LONGEST_WAIT_S: Final = 0.05


class WavFile:
    """A WAV file as an output.

    Args:
        path: It; made if it is missing, with its folder.
        seconds: A monotonic clock.
        sleep: Waits.
        most_bytes: Above which the next song begins the file anew.
    """

    def __init__(
        self,
        path: Path,
        *,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._path = path
        self._seconds = seconds
        self._sleep = sleep
        self._most_bytes = most_bytes

    def play(
        self, pieces: Iterable[bytes], stopped: Callable[[], bool], began: Callable[[], None] = lambda: None
    ) -> None:
        """See `AudioOutput.play`: the first piece is written at once, each other when its time has come."""
        try:
            with self._opened() as file:
                self._write(file, pieces, stopped, began)
        except OSError as error:
            raise NoAudioError(
                f"the file {self._path.name} cannot be written: {error.strerror}",
                hint="see whether the disk is full, and who may write in the state directory",
            ) from error

    def _write(
        self, file: BinaryIO, pieces: Iterable[bytes], stopped: Callable[[], bool], began: Callable[[], None]
    ) -> None:
        size = file.seek(0, os.SEEK_END) - _HEADER.size
        start, played = None, 0
        for piece in pieces:
            if stopped():
                return
            if start is None:
                start = self._seconds()
            while (early := start + played / BYTES_A_SECOND - self._seconds()) > 0:
                if stopped():
                    return
                self._sleep(min(early, _LONGEST_WAIT_S))
            file.write(piece)
            played += len(piece)
            self._sized(file, size + played)
            if played == len(piece):
                began()
        while start is not None and (left := start + played / BYTES_A_SECOND - self._seconds()) > 0:
            if stopped():
                return
            self._sleep(min(left, _LONGEST_WAIT_S))

    def _opened(self) -> BinaryIO:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        file: BinaryIO = os.fdopen(descriptor, "r+b")
        size = file.seek(0, os.SEEK_END)
        if size < _HEADER.size or size > self._most_bytes:
            file.truncate(0)
            self._sized(file, 0)
        elif spare := (size - _HEADER.size) % FRAME_BYTES:  # a crash left half a frame
            file.truncate(size - spare)
        return file

    def _sized(self, file: BinaryIO, size: int) -> None:
        """Write the header for so many bytes of sound, and go to the end."""
        file.seek(0)
        file.write(
            _HEADER.pack(
                b"RIFF",
                _HEADER.size - 8 + size,
                b"WAVE",
                b"fmt ",
                16,
                1,
                CHANNELS,
                RATE,
                BYTES_A_SECOND,
                FRAME_BYTES,
                8 * SAMPLE_BYTES,
                b"data",
                size,
            )
        )
        file.seek(0, os.SEEK_END)
        file.flush()
