"""`LocalDisplay`: the thread that writes what a function drew to the project stream.

AWS gave it to authors as text to copy; where a function imports it and its package lacks it, this one stands
in, as the module `local_display`, `utils` or `display`. Writes; who reads is the hosting side's.
"""

import contextlib
import os
from pathlib import Path
from threading import Event, Lock, Thread
from types import ModuleType
from typing import Any, Final

import cv2
import numpy as np

RESULTS: Final = "/tmp/results.mjpeg"  # noqa: S108 - the device's path, in a /tmp of the function's own
RESOLUTIONS: Final = {"1080p": (1920, 1080), "720p": (1280, 720), "480p": (858, 480)}
_SMALLEST: Final = "480p"
_PERIOD_S: Final = 1 / 24


class LocalDisplay(Thread):
    """Writes the newest picture it was given, as JPEG, again and again.

    Args:
        resolution: `1080p`, `720p` or `480p`; what a picture is scaled to.
    """

    def __init__(self, resolution: str) -> None:
        super().__init__(name="local-display")
        if resolution not in RESOLUTIONS:
            raise Exception("Invalid resolution")  # noqa: TRY002 - as AWS's text had it
        self.resolution = RESOLUTIONS[resolution]
        self.stop_request = Event()
        self._lock = Lock()
        self._jpeg = b""
        self.reset_frame_data()

    def run(self) -> None:
        """Write until told to stop."""
        with contextlib.suppress(FileExistsError):
            os.mkfifo(RESULTS)
        with Path(RESULTS).open("wb") as fifo:
            while not self.stop_request.wait(_PERIOD_S):
                with self._lock:
                    jpeg = self._jpeg
                with contextlib.suppress(OSError):  # nobody reads just now
                    fifo.write(jpeg)

    def set_frame_data(self, frame: Any) -> None:
        """Show this picture from now on: (height, width, 3), BGR."""
        done, jpeg = cv2.imencode(".jpg", cv2.resize(frame, self.resolution))
        if not done:
            raise Exception("Failed to set frame data")  # noqa: TRY002 - as AWS's text had it
        with self._lock:
            self._jpeg = jpeg.tobytes()

    def reset_frame_data(self) -> None:
        """Show a white picture again."""
        self.set_frame_data(np.full((480, 640, 3), 255, np.uint8))

    def join(self, timeout: float | None = None) -> None:
        """Stop; waits until the thread ends only if it is given a time."""
        self.stop_request.set()
        if timeout is not None:
            super().join(timeout)


def modules() -> dict[str, ModuleType]:
    """Modules to stand in for those that a function's package lacks, by name."""
    made = {}
    for name in ("local_display", "utils", "display"):
        made[name] = ModuleType(name, __doc__)
        vars(made[name]).update(LocalDisplay=LocalDisplay, __file__=__file__, __all__=["LocalDisplay"])
    return made
