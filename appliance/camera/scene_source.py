"""A rendered scene as a recording: pictures are drawn only when somebody looks at them."""

from functools import partial
from typing import Protocol

from appliance.camera.pictures import MadePicture
from appliance.camera.source import OnPacket, Shot
from appliance.errors import CameraLostError
from appliance.values import ImageArray


class Rendered(Protocol):
    """A scene that can be played."""

    @property
    def width(self) -> int:
        """Of a frame, pixels."""

    @property
    def height(self) -> int:
        """Likewise."""

    @property
    def fps(self) -> float:
        """Frames a second."""

    @property
    def frame_count(self) -> int:
        """Frames of the whole scene."""

    def render(self, index: int) -> ImageArray:
        """A frame."""


class SceneSource:
    """Plays a scene once from beginning to end. It has no packets."""

    def __init__(self, scene: Rendered, *, name: str) -> None:
        """Note what to play.

        Args:
            scene: What.
            name: Shown as the address, `scene:NAME`.
        """
        self.scene = scene
        self._name = name
        self._next: int | None = None

    @property
    def address(self) -> str:
        """`scene:` and its name."""
        return f"scene:{self._name}"

    @property
    def live(self) -> bool:
        """Never."""
        return False

    @property
    def damaged(self) -> int:
        """Never any."""
        return 0

    def open(self, on_packet: OnPacket | None = None) -> None:
        """Go to the beginning, and draw the first frame, which loads the portraits.

        Raises:
            CameraRefusedError: The portraits that come with the appliance are not there.
        """
        del on_packet
        self.scene.render(0)
        self._next = 0

    def read(self) -> Shot | None:
        """The next frame, not drawn yet; None after the last.

        Raises:
            CameraLostError: It is not open.
        """
        if self._next is None:
            raise CameraLostError(f"{self.address} is not open")
        index = self._next
        if index >= self.scene.frame_count:
            return None
        self._next = index + 1
        scene = self.scene
        return Shot(MadePicture(scene.width, scene.height, partial(scene.render, index)), index / scene.fps)

    def close(self) -> None:
        """Nothing is held open."""
        self._next = None
