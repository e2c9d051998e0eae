"""Recordings of each kind, and a source in memory with its failures built in.

The latter passes the contract suite of the real ones.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from camera_clips import HEIGHT, WIDTH, numbered_picture, write_clip, write_pictures

from appliance.camera import Shot
from appliance.camera.pictures import MadePicture
from appliance.camera.source import OnPacket
from appliance.errors import CameraError, CameraLostError
from appliance.settings import CameraSettings


def settings_for(source: object, **more: object) -> CameraSettings:
    """Settings of a camera with that source."""
    return CameraSettings.model_validate({"id": "entrance", "source": str(source), "stall_s": 2.0, **more})


RECORDINGS: dict[str, Callable[[Path], Path]] = {
    "h264_mp4": lambda folder: write_clip(folder / "clip.mp4"),
    "mpeg4_mkv": lambda folder: write_clip(folder / "clip.mkv", codec="mpeg4"),
    "mjpeg_avi": lambda folder: write_clip(folder / "clip.avi", codec="mjpeg", pixel_format="yuvj420p"),
    "mjpeg_raw": lambda folder: write_clip(
        folder / "clip.mjpeg", codec="mjpeg", pixel_format="yuvj420p", container_format="mjpeg"
    ),
    "yuyv_nut": lambda folder: write_clip(folder / "clip.nut", codec="rawvideo", pixel_format="yuyv422"),
    "rgb_nut": lambda folder: write_clip(folder / "clip.nut", codec="rawvideo", pixel_format="rgb24"),
    "jpeg_folder": lambda folder: write_pictures(folder / "pictures"),
    "png_folder": lambda folder: write_pictures(folder / "pictures", suffix=".png"),
}


class ScriptedSource:
    """Numbered pictures, so many; `live` ones end by being lost.

    Attributes:
        refusals: Errors for the next openings, first to last; then it opens.
        before_read: Called before each picture is given, with its number; may raise or wait.
    """

    def __init__(self, pictures: int, *, live: bool = False, fps: float = 10.0) -> None:
        self.refusals: list[CameraError] = []
        self.before_read: Callable[[int], None] = lambda _: None
        self.opened = 0
        self._pictures = pictures
        self._live = live
        self._fps = fps
        self._next: int | None = None

    @property
    def address(self) -> str:
        """What it says it is."""
        return "scripted"

    @property
    def live(self) -> bool:
        """As asked for."""
        return self._live

    @property
    def damaged(self) -> int:
        """Never any."""
        return 0

    def open(self, on_packet: OnPacket | None = None) -> None:
        """Open, or refuse as told."""
        self.opened += 1
        if self.refusals:
            raise self.refusals.pop(0)
        self._next = 0

    def read(self) -> Shot | None:
        """The next numbered picture."""
        if self._next is None:
            raise CameraLostError("scripted is not open")
        index = self._next
        if index >= self._pictures:
            if self._live:
                raise CameraLostError("scripted ended")
            return None
        self.before_read(index)
        self._next = index + 1
        picture = MadePicture(WIDTH, HEIGHT, lambda: np.array(numbered_picture(index)))
        return Shot(picture, None if self._live else index / self._fps)

    def close(self) -> None:
        """Close."""
        self._next = None
