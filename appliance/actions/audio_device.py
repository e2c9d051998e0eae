"""Sound out of the machine's loudspeakers, through miniaudio: PulseAudio (PipeWire), ALSA, JACK.

Miniaudio and not PortAudio: its wheel brings all that is needed and finds the system's own drivers at run
time, where `sounddevice` wants a Debian package; both are kept up. It is loaded with the first song.
Not run on hardware: tried with miniaudio's device without sound, and with ALSA writing to a file.
"""

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final

from appliance.actions.audio_output import CHANNELS, FRAME_BYTES
from appliance.actions.song_files import RATE
from appliance.errors import NoAudioError

if TYPE_CHECKING:
    import miniaudio

_PERIOD_MS: Final = 40
_PERIODS: Final = 3
"""Of silence behind a song, so that its end was heard before the device is closed."""
_POLL_S: Final = 0.04
_STALLED_S: Final = 3.0
"""A device that takes nothing for so long has gone away."""
_HINT: Final = "plug loudspeakers in, or choose another output in the settings; everything else goes on"

DEFAULT: Final = "default"


class AudioDevice:
    """A device of this machine as an output.

    Args:
        name: `default`, or part of its name.
        backends: Names of miniaudio's backends, in the order in which they are tried.
    """

    def __init__(
        self, name: str = DEFAULT, *, backends: Iterable[str] = ("PULSEAUDIO", "ALSA", "JACK")
    ) -> None:
        self._name = name
        self._backends = tuple(backends)

    def play(
        self, pieces: Iterable[bytes], stopped: Callable[[], bool], began: Callable[[], None] = lambda: None
    ) -> None:
        """See `AudioOutput.play`."""
        feed = _Feed(pieces)
        with self._opened() as device:
            frames = feed.frames()
            next(frames)
            device.start(frames)
            said = False
            while not (over := feed.over.wait(_POLL_S)) or not said:
                if feed.begun and not said:
                    said = True
                    began()
                if over:
                    break
                if stopped():
                    feed.cut.set()
                if time.monotonic() - feed.asked_s > _STALLED_S:
                    raise NoAudioError("the audio device takes no more sound", hint=_HINT)
        if feed.error is not None:
            raise feed.error

    def probe(self) -> str:
        """Open it and let it go; what it is called.

        Raises:
            NoAudioError: There is none.
        """
        with self._opened() as device:
            return str(device.backend)

    @contextlib.contextmanager
    def _opened(self) -> "Iterator[miniaudio.PlaybackDevice]":
        """The device, playing nothing yet.

        Raises:
            NoAudioError: There is none.
        """
        import miniaudio  # noqa: PLC0415 - a box without loudspeakers never loads it

        _Quiet.hold()
        backends, identity = [miniaudio.Backend[each] for each in self._backends], None
        if self._name != DEFAULT:
            backend, identity = self._found(miniaudio, backends)
            backends = [backend]
        try:
            device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.SIGNED16,
                nchannels=CHANNELS,
                sample_rate=RATE,
                buffersize_msec=_PERIOD_MS,
                device_id=identity,
                backends=backends,
                app_name="office door",
            )
        except miniaudio.MiniaudioError as error:
            raise NoAudioError("there is no audio device", hint=_HINT) from error
        try:
            yield device
        except miniaudio.MiniaudioError as error:
            raise NoAudioError("the audio device does not play", hint=_HINT) from error
        finally:
            device.close()

    def _found(self, library: Any, backends: list[Any]) -> tuple[Any, Any]:
        """The backend and the id of the device whose name holds the one that is wanted.

        Raises:
            NoAudioError: There is none.
        """
        for backend in backends:
            with contextlib.suppress(library.MiniaudioError):
                for each in library.Devices([backend]).get_playbacks():
                    if self._name.casefold() in str(each["name"]).casefold():
                        return backend, each["id"]
        raise NoAudioError("there is no audio device of the name in the settings", hint=_HINT)


class _Feed:
    """Pieces of sound, as many frames at a time as the device asks for.

    Attributes:
        begun: The device took the first samples.
        over: All were taken and heard, or the rest was cut.
        cut: Set it to leave the rest.
        error: What the pieces came to grief with.
        asked_s: When the device asked last, monotonic seconds.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.begun = False
        self.over = threading.Event()
        self.cut = threading.Event()
        self.error: Exception | None = None
        self.asked_s = time.monotonic()
        self._pieces = iter(pieces)
        self._rest = b""

    def frames(self) -> Generator[bytes, int, None]:
        """In the device's own thread: takes a number of frames, gives them, silence behind the end."""
        silent = 0
        wanted = yield b""
        while silent < _PERIODS:
            self.asked_s = time.monotonic()
            sound = b"" if self.cut.is_set() else self._taken(wanted * FRAME_BYTES)
            self.begun = self.begun or bool(sound)
            silent = 0 if sound else silent + 1
            if self.cut.is_set():
                break
            wanted = yield sound.ljust(wanted * FRAME_BYTES, b"\0")
        self.over.set()
        yield b""

    def _taken(self, size: int) -> bytes:
        while len(self._rest) < size:
            try:
                piece = next(self._pieces, b"")
            except Exception as error:  # noqa: BLE001 - it would end in the library's thread; raised in ours
                self.error, piece = error, b""
            if not piece:
                break
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


_Handler = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)


class _Quiet:
    """Keeps ALSA's library from writing twenty lines into the journal whenever there is no device."""

    _handler: ClassVar[Any] = _Handler(lambda *_: None)
    _held: ClassVar[bool] = False

    @classmethod
    def hold(cls) -> None:
        """Once; a machine without the library has nothing to be kept quiet."""
        if cls._held:
            return
        cls._held = True
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(cls._handler)
