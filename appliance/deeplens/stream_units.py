"""A stream in units that stand or fall as a whole, and the two ways to make them of a camera's pictures.

The device stream is H.264 as an elementary stream with Annex B start codes, its parameter sets before every
key frame, so that a reader can begin at any of them; beside it there are JPEGs. The video is encoded by
libx264, by way of PyAV, behind `Encoder`. Nothing is written anywhere here.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

import av
import cv2
import numpy as np
from av.video.frame import PictureType

from appliance.deeplens.frame_fit import fit
from appliance.values import ImageArray

VIDEO_WIDTH = 1920
VIDEO_HEIGHT = 1080
KEY_EVERY_S = 2.0
_JPEG_QUALITY = 85
_BITS_PER_S = 6_000_000
_OPTIONS = {
    # The fastest there is: on a small box the picture is worth less than the core.
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": "26",
    "maxrate": str(_BITS_PER_S),
    "bufsize": str(_BITS_PER_S),
    "forced-idr": "1",
    # OpenCV's conversion is BT.601; players take high definition for BT.709 unless told.
    "x264-params": "aud=1:repeat-headers=1:colormatrix=bt470bg:range=tv",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a stream.

    Attributes:
        data: An access unit of H.264, or a JPEG.
        key: It builds on none before it.
        at: When it was made, aware UTC.
    """

    data: bytes
    key: bool
    at: datetime


class Encoder(Protocol):
    """Makes a stream of pictures."""

    def encode(self, picture: ImageArray, at: datetime, *, key: bool = False) -> Unit:
        """The next unit.

        Args:
            picture: uint8, (h, w, 3), blue first, any size.
            at: When.
            key: It shall build on none before it.
        """


class VideoEncoder:
    """H.264 at 1920 x 1080, black beside pictures of another shape, a key frame every two seconds at least.

    Args:
        fps: Pictures a second, as the stream will say and players will play.
    """

    def __init__(self, fps: float) -> None:
        rate = Fraction(fps).limit_denominator(1000)
        codec = av.CodecContext.create("libx264", "w")
        codec.width, codec.height = VIDEO_WIDTH, VIDEO_HEIGHT
        codec.pix_fmt = "yuv420p"
        codec.framerate = rate
        codec.time_base = 1 / rate
        codec.gop_size = max(1, round(KEY_EVERY_S * fps))
        codec.thread_count = 1
        codec.options = _OPTIONS
        self._codec = codec
        self._canvas: ImageArray = np.zeros((VIDEO_HEIGHT, VIDEO_WIDTH, 3), np.uint8)
        self._count = 0

    def encode(self, picture: ImageArray, at: datetime, *, key: bool = False) -> Unit:
        """See `Encoder`."""
        fit(picture, self._canvas)
        frame = av.VideoFrame.from_ndarray(
            np.asarray(cv2.cvtColor(self._canvas, cv2.COLOR_BGR2YUV_I420), np.uint8), "yuv420p"
        )
        frame.pts = self._count
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._count += 1
        packets = self._codec.encode(frame)
        data = b"".join(bytes(packet) for packet in packets)
        return Unit(data, any(packet.is_keyframe for packet in packets), at)


class PictureEncoder:
    """JPEGs at the camera's own size."""

    def encode(self, picture: ImageArray, at: datetime, *, key: bool = True) -> Unit:  # noqa: ARG002 - all are
        """See `Encoder`."""
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise ValueError(f"a picture of shape {picture.shape} cannot be written as JPEG")
        return Unit(data.tobytes(), key=True, at=at)
