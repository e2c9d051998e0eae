"""What goes into a camera's ring: its packets, or, where a source has none, its pictures.

A rendered scene, a folder and a webcam that gives raw pictures send no packets that could be kept as they
come. Few of their pictures are kept while nobody follows the ring, for that is paid day and night, and all
while somebody does: raw ones as they are, which costs a copy, others as JPEGs, small ones at first. Encoding
them as video is not done here.
"""

from fractions import Fraction

import structlog

from appliance.camera.jpeg import encode_jpeg, shrunk
from appliance.camera.pictures import JpegPicture, Picture, YuyvPicture
from appliance.camera.ring import CodecParameters, PacketRing, RingPacket
from appliance.camera.source import FrameLimit
from appliance.errors import CameraLostError
from appliance.values import FrameStamp

_UNFOLLOWED_FPS = 5.0
"""JPEGs a second that are made in case something happens."""
_UNFOLLOWED_RAW_FPS = 2.0
"""Raw pictures a second that are kept for that: they are large."""
_UNFOLLOWED_WIDTH = 640
"""Width to which these are reduced, pixels, or up to twice that: by a whole number."""
_QUALITY = 85
PACKED_YUYV = b"YUY2"
"""What stands for the header of a stream of raw pictures: how their pixels are packed."""
_TIME_BASE = Fraction(1, 1000)
"""Of packets that carry no times."""

_log = structlog.get_logger()


class RingFeed:
    """Fills a ring from one opening of a source, on the thread that reads it.

    Args:
        ring: What to fill.
        pictures: Keep pictures where there are no packets; otherwise the ring of such a source stays empty.
    """

    def __init__(self, ring: PacketRing, *, pictures: bool = True) -> None:
        self._ring = ring
        self._pictures = pictures
        self._limit: FrameLimit | None = None
        self._parameters: CodecParameters | None = None

    def packet(self, packet: RingPacket) -> None:
        """A packet of the source's own: from now on its pictures are not kept beside them."""
        self._pictures = False
        self._ring.append(packet)

    def picture(self, picture: Picture, stamp: FrameStamp) -> None:
        """A picture that the loop is about to be given, if it came without a packet.

        One whose data turns out to be damaged is left out: the loop will say so.
        """
        if not self._pictures or not self._ring.keeps:
            return
        raw = isinstance(picture, YuyvPicture)
        if self._limit is None:
            self._limit = FrameLimit(_UNFOLLOWED_RAW_FPS if raw else _UNFOLLOWED_FPS)
        followed = self._ring.followed
        if not followed and not self._limit.admits(stamp.monotonic_s):
            return
        try:
            data = (
                picture.packed if isinstance(picture, YuyvPicture) else _jpeg(picture, reduced=not followed)
            )
        except CameraLostError as error:
            _log.debug("picture_not_kept", camera=str(stamp.camera), reason=error.message)
            return
        parameters = self._parameters
        if parameters is None or (parameters.width, parameters.height) != (picture.width, picture.height):
            # The size of the picture, also of those kept smaller: it is what they are pictures of.
            codec, pixels = ("rawvideo", PACKED_YUYV) if raw else ("mjpeg", b"")
            parameters = CodecParameters(codec, pixels, picture.width, picture.height, _TIME_BASE)
            self._parameters = parameters
        self._ring.append(
            RingPacket(data, True, None, None, stamp.monotonic_s, stamp.wall, parameters)  # noqa: FBT003
        )


def _jpeg(picture: Picture, *, reduced: bool) -> bytes:
    """The picture as a JPEG: its own if it is one, made otherwise.

    Raises:
        CameraLostError: Its data is damaged.
    """
    if isinstance(picture, JpegPicture) and picture.coded is not None:
        return picture.coded
    by = max(1, picture.width // _UNFOLLOWED_WIDTH) if reduced else 1
    return encode_jpeg(shrunk(picture.bgr(), picture.width // by), _QUALITY)
