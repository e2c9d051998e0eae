"""A small picture of each camera, again and again, to the broker: off until an admin switches it on.

The loop shares its frames, the models process makes JPEGs of them; here nothing is decoded, drawn on or kept.
The broker is told never to keep one either.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from appliance.errors import ApplianceError
from appliance.services import Layout
from appliance.wire import Client
from appliance.wire.framing import close_fds
from appliance.wire.messages import FramesShared, RenderView, ViewRendered, WatchFrames

_log = structlog.get_logger()

WIDTH_PX: Final = 640
_QUALITY: Final = 75
_TIMEOUT_S: Final = 8.0
_LEAVE_S: Final = 2.0


class Pictures:
    """Takes and publishes them.

    Args:
        layout: Where loop and models listen.
        topics: Camera → where its pictures go.
        every_s: Seconds from one round to the next.
    """

    def __init__(self, layout: Layout, topics: Mapping[str, str], every_s: float) -> None:
        self._loop = Client(layout.socket("loop"), timeout_s=_TIMEOUT_S)
        self._models = Client(layout.socket("models"), timeout_s=_TIMEOUT_S)
        self._topics = dict(topics)
        self._every_s = every_s

    def run(
        self, connected: Callable[[], bool], offer: Callable[[str, bytes, float], bool], stop: threading.Event
    ) -> None:
        """Go round until `stop` is set; nobody is asked for a picture while there is no broker.

        Args:
            connected: Whether there is one.
            offer: Publishes to a topic without a receipt, within so many seconds.
            stop: Ends it.
        """
        while not stop.wait(self._every_s):
            for camera, topic in self._topics.items() if connected() else ():
                try:
                    offer(topic, self.taken(camera), _LEAVE_S)
                except ApplianceError as error:  # the camera or a process is away: the next round tries again
                    _log.debug("picture_not_published", camera=camera, reason=error.message)

    def taken(self, camera: str) -> bytes:
        """The newest picture of a camera, as a JPEG.

        Raises:
            CameraLostError: There is no such camera, or it gives no picture.
            WireError: The loop or the models process is away.
        """
        shared = self._loop.call(WatchFrames(camera=camera), FramesShared)
        try:
            asked = RenderView(kind="device", width_px=WIDTH_PX, quality=_QUALITY)
            return self._models.call(asked, ViewRendered, fds=shared.fds).blob
        finally:
            close_fds(shared.fds)
