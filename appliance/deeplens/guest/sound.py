"""`playsound`, and pygame's mixer, for functions that made a noise: nothing sounds in a function's view.

A few functions bark back or warn by a spoken sentence. Where their package lacks the library, these modules
stand in, so that they go on seeing and publishing; each file that would have been played is told in the log.
Has no sound, no windows and no events, and does not look whether a file is there.
"""

import threading
from types import ModuleType
from typing import Any, Final

_told: Final[set[str]] = set()
_lock: Final = threading.Lock()


def playsound(sound: Any, block: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's signature
    """Return at once.

    Args:
        sound: The file that is not played.
        block: Whether to wait for its end, which is now.
    """
    del block
    _tell(sound)


class Sound:
    """One sound of pygame's mixer."""

    def __init__(self, file: Any = None, **_: Any) -> None:
        """Note the file; it is not opened."""
        self._file = file

    def play(self, *_: Any, **__: Any) -> None:
        """Return at once; there is no channel."""
        _tell(self._file)

    def stop(self) -> None:
        """Nothing plays."""

    def set_volume(self, volume: float) -> None:
        """Accepted."""

    def get_length(self) -> float:
        """Nothing lasts."""
        return 0.0


class Music:
    """The one piece of music of pygame's mixer, `pygame.mixer.music`."""

    def __init__(self) -> None:
        """No piece."""
        self._file: Any = ""

    def load(self, file: Any, *_: Any) -> None:
        """Note the file; it is not opened."""
        self._file = file

    def play(self, *_: Any, **__: Any) -> None:
        """Return at once."""
        _tell(self._file)

    def get_busy(self) -> bool:
        """It is over."""
        return False

    def stop(self) -> None:
        """Nothing plays."""

    pause = unpause = rewind = stop

    def set_volume(self, volume: float) -> None:
        """Accepted."""


def modules() -> dict[str, ModuleType]:
    """Modules to stand in for those that a function's package lacks, by name."""
    small = _module("playsound", playsound=playsound, PlaysoundException=RuntimeError)
    mixer = _module(
        "pygame.mixer",
        init=_nothing,
        pre_init=_nothing,
        quit=_nothing,
        stop=_nothing,
        get_init=lambda: (44100, -16, 2),
        get_busy=lambda: False,
        Sound=Sound,
        music=Music(),
    )
    pygame = _module("pygame", init=lambda: (1, 0), quit=_nothing, mixer=mixer, error=RuntimeError)
    pygame.__path__ = []
    return {"playsound": small, "pygame": pygame, "pygame.mixer": mixer}


def _module(name: str, **names: Any) -> ModuleType:
    module = ModuleType(name, __doc__)
    vars(module).update(names, __file__=__file__)
    return module


def _nothing(*_: Any, **__: Any) -> None:
    """Accepted."""


def _tell(sound: Any) -> None:
    name = str(sound)[:200]
    with _lock:
        if name in _told or len(_told) >= 100:  # noqa: PLR2004 - a log, not a diary
            return
        _told.add(name)
    print(f"no sound here: {name!r} is not played", flush=True)  # noqa: T201 - the function's log
