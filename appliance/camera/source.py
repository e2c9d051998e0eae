"""What every source of pictures promises, and the two small things all of them need.

The kinds of source are in `container`, `folder` and `scene_source`; `opening` chooses one;
`capture` runs one as a camera and `replay` reads one from beginning to end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appliance.camera.pictures import Picture
from appliance.camera.ring import RingPacket
from appliance.values import FrameStamp, ImageArray, Region

OnPacket = Callable[[RingPacket], None]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture from a source.

    Attributes:
        picture: Not decoded further than the source had to.
        media_s: Position in the recording, seconds from its first picture, never falling; None
            for a live source that does not say.
    """

    picture: Picture
    media_s: float | None


class Source(Protocol):
    """A sequence of pictures. Used from one thread; a closed source can be opened again."""

    @property
    def address(self) -> str:
        """What it reads, fit to be shown: no user, password or query."""

    @property
    def live(self) -> bool:
        """Whether pictures come in their own time; False for recordings, which wait to be read."""

    @property
    def damaged(self) -> int:
        """Pictures or packets lost to damage since it was last opened, and a cut-off end."""

    def open(self, on_packet: OnPacket | None = None) -> None:
        """Get ready to read.

        Args:
            on_packet: Told of every packet in the source's own codec; sources without packets never call it.

        Raises:
            CameraLostError: It does not answer now; trying again makes sense.
            CameraRefusedError: It can never work as configured.
        """

    def read(self) -> Shot | None:
        """The next picture, waiting for it as long as the source's time limit; None at the end.

        Raises:
            CameraLostError: The source failed, or sent nothing within its time limit.
        """

    def close(self) -> None:
        """Let go of it; may be called twice, and on a source that was never opened."""


class CapturedFrame:
    """A picture with its stamp: what `appliance.values.Frame` asks for."""

    def __init__(self, stamp: FrameStamp, picture: Picture) -> None:
        self._stamp = stamp
        self._picture = picture

    @property
    def stamp(self) -> FrameStamp:
        """When and where it was taken."""
        return self._stamp

    @property
    def width(self) -> int:
        """Width of the full frame, pixels."""
        return self._picture.width

    @property
    def height(self) -> int:
        """Height of the full frame, pixels."""
        return self._picture.height

    def bgr(self) -> ImageArray:
        """The full picture, uint8, (height, width, 3), blue first; decoded once and kept.

        Raises:
            CameraLostError: Its data is damaged in a way that showed only now.
        """
        return self._picture.bgr()

    def gray(self, region: Region) -> ImageArray:
        """Luma of a region, uint8, (h, w), maybe reduced, the same every time.

        Raises:
            CameraLostError: Its data is damaged in a way that showed only now.
        """
        return self._picture.gray(region)


class FrameLimit:
    """Lets through at most so many frames a second, evenly, without drifting."""

    _EARLY = 0.25
    """Share of the interval by which a frame may come early, at most: live frames arrive unevenly."""

    def __init__(self, fps: float) -> None:
        """Note the rate, frames a second, > 0."""
        self._interval = 1.0 / fps
        self._due: float | None = None
        self._last = 0.0

    def admits(self, at_s: float) -> bool:
        """Whether the frame at that time, seconds, never falling, is wanted.

        Of a recording with several frames to choose from it is the one nearest to when a frame is due.
        """
        step, self._last = at_s - self._last, at_s
        if self._due is None or step < 0:
            # The first frame, or time began anew (a recording played again).
            self._due = at_s + self._interval
            return True
        if at_s < self._due - min(self._EARLY * self._interval, step / 2):
            return False
        self._due = max(self._due + self._interval, at_s + self._interval / 2)
        return True
