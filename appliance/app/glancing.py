"""What the models process answers for a webcam's guide: how somebody stands before it, at a glance.

Finds faces and judges the largest; embeds nothing, keeps nothing. It never makes a picture wait that is to be
enrolled from: while one is looked at, a glance is answered with `busy`.
"""

import threading
from typing import Final

from appliance.errors import PhotoError
from appliance.faces import FaceReader, decode_photo
from appliance.faces.quality import turn
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import FacesGlanced, GlanceAtFaces, GlancedFace

MOST_BYTES: Final = 200_000
"""Of a picture for a glance: 480 by 360 pixels of JPEG have a quarter of it."""
_MOST_PX: Final = 1280
_BESIDE: Final = 0.4
"""A face narrower than this share of the largest is somebody in the background."""


class GlanceHandlers:
    """What the models process answers about a webcam.

    Args:
        reader: Opened; no template is made with it here.
        lock: Held by whoever works with the reader.
    """

    def __init__(self, reader: FaceReader, lock: threading.Lock) -> None:
        self._reader = reader
        self._lock = lock

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {GlanceAtFaces: self.glance}

    def glance(self, request: Request[GlanceAtFaces]) -> Reply[FacesGlanced]:
        """Find the faces of the picture in the blob.

        Raises:
            PhotoError: It cannot be used as a picture, or is no small one.
        """
        if len(request.blob) > MOST_BYTES:
            raise PhotoError("the picture is too large for a glance", reason="too_many_bytes")
        if not self._lock.acquire(blocking=False):
            return Reply(FacesGlanced(busy=True))
        try:
            return Reply(self._seen(request.blob))
        finally:
            self._lock.release()

    def _seen(self, content: bytes) -> FacesGlanced:
        bgr = decode_photo(content)
        height, width = bgr.shape[:2]
        if max(height, width) > _MOST_PX:
            raise PhotoError("the picture is too large for a glance", reason="too_many_pixels")
        found = self._reader.detect(bgr)
        if not found:
            return FacesGlanced(width=width, height=height)
        sample, judgement = self._reader.assess(bgr, found[0])
        box = found[0].box
        return FacesGlanced(
            width=width,
            height=height,
            faces=sum(each.box.width >= _BESIDE * box.width for each in found),
            largest=GlancedFace(
                box=(box.x, box.y, box.width, box.height),
                turn=turn(sample.face.points),
                reasons=tuple(reason.value for reason in judgement.reasons),
            ),
        )
