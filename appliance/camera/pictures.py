"""Pictures decoded no further than somebody asks: JPEG, packed YUYV, decoded video, plain arrays.

A picture is content only; `frames` adds when and where. Every array given out is
read-only, and asking twice gives the same pixels. Not safe to use from two threads at once.
"""

from collections.abc import Callable
from typing import Protocol

import av
import cv2
import numpy as np

from appliance.camera.jpeg_header import parse_jpeg
from appliance.errors import CameraLostError
from appliance.values import MAX_PIXELS, ImageArray, Region

_LEAST_GRAY_WIDTH = 320
"""A reduced picture stays at least this wide; the door's edges are still sharp enough there."""

_REDUCED_GRAY = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}

_LUMA_FIRST = frozenset(
    {
        "gray",
        "nv12",
        "nv21",
        "nv16",
        "yuv410p",
        "yuv411p",
        "yuv420p",
        "yuv422p",
        "yuv440p",
        "yuv444p",
        "yuvj411p",
        "yuvj420p",
        "yuvj422p",
        "yuvj440p",
        "yuvj444p",
    }
)
"""Pixel formats whose first plane is 8-bit luma, one byte a pixel."""

_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


class Picture(Protocol):
    """Content of one frame."""

    @property
    def width(self) -> int:
        """Full width, pixels."""

    @property
    def height(self) -> int:
        """Full height, pixels."""

    def bgr(self) -> ImageArray:
        """Full picture, uint8, (height, width, 3), blue first; kept."""

    def gray(self, region: Region) -> ImageArray:
        """Luma of a region, uint8, (h, w), maybe reduced, the same every time."""


def reduction(width: int) -> int:
    """By how much a JPEG of that width is reduced for its gray picture: 1, 2, 4 or 8."""
    return next((by for by in (8, 4, 2) if width >= by * _LEAST_GRAY_WIDTH), 1)


class JpegPicture:
    """A JPEG, decoded when asked: reduced and gray, or in full."""

    def __init__(self, data: bytes, *, upright: bool = False) -> None:
        """Read the header.

        Args:
            data: The whole JPEG.
            upright: Turn it by its EXIF orientation, as photographs want; video frames have none.

        Raises:
            ValueError: It is no JPEG, cut off, or of more than `MAX_PIXELS`.
        """
        header = parse_jpeg(data)
        if header.width * header.height > MAX_PIXELS:
            raise ValueError(f"has {header.width} x {header.height} pixels, more than {MAX_PIXELS:,}")
        swap = upright and header.sideways
        self._width, self._height = (header.height, header.width) if swap else (header.width, header.height)
        self._data = data
        self._upright = upright
        self._bgr: ImageArray | None = None
        self._gray: ImageArray | None = None

    @property
    def width(self) -> int:
        """Full width, pixels."""
        return self._width

    @property
    def height(self) -> int:
        """Full height, pixels."""
        return self._height

    def bgr(self) -> ImageArray:
        """Decode in full, once.

        Raises:
            CameraLostError: The data cannot be decoded after all.
        """
        if self._bgr is None:
            self._bgr = self._decode(cv2.IMREAD_COLOR)
        return self._bgr

    def gray(self, region: Region) -> ImageArray:
        """Decode gray at a half, quarter or eighth, once, and cut the region out of it.

        Raises:
            CameraLostError: The data cannot be decoded after all.
        """
        if self._gray is None:
            self._gray = self._decode(_REDUCED_GRAY[reduction(self._width)])
        return crop(self._gray, region)

    def _decode(self, how: int) -> ImageArray:
        flags = how if self._upright else how | cv2.IMREAD_IGNORE_ORIENTATION
        try:
            picture = cv2.imdecode(np.frombuffer(self._data, np.uint8), flags)
        except cv2.error as error:
            raise CameraLostError("a frame could not be decoded; the next may be sound") from error
        if picture is None:
            raise CameraLostError("a frame could not be decoded; the next may be sound")
        return read_only(np.asarray(picture, np.uint8))


class YuyvPicture:
    """Packed YUYV 4:2:2 as webcams give it: `gray` touches only the region's luma bytes."""

    def __init__(self, data: bytes | memoryview, width: int, height: int) -> None:
        """Take a whole frame.

        Args:
            data: Rows of Y0 U Y1 V, at least width * height * 2 bytes, without padding between rows.
            width: Pixels, even.
            height: Pixels.

        Raises:
            ValueError: There are too few bytes, or the width is odd.
        """
        row = width * 2
        if width % 2 or len(data) < row * height:
            raise ValueError(f"has {len(data)} bytes, not {row * height} for {width} x {height}")
        self._packed = np.frombuffer(data, np.uint8, row * height).reshape(height, width, 2)
        self._bgr: ImageArray | None = None

    @property
    def width(self) -> int:
        """Full width, pixels."""
        return int(self._packed.shape[1])

    @property
    def height(self) -> int:
        """Full height, pixels."""
        return int(self._packed.shape[0])

    def bgr(self) -> ImageArray:
        """Convert in full, once."""
        if self._bgr is None:
            self._bgr = read_only(np.asarray(cv2.cvtColor(self._packed, cv2.COLOR_YUV2BGR_YUY2), np.uint8))
        return self._bgr

    def gray(self, region: Region) -> ImageArray:
        """Luma of the region at full resolution, copied out of the packed bytes."""
        left, top, right, bottom = region.pixels(self.width, self.height)
        return read_only(np.ascontiguousarray(self._packed[top:bottom, left:right, 0]))


class DecodedPicture:
    """A frame from a video decoder: luma is there already, colour is converted when asked."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame
        self._turn = _TURNS.get(frame.rotation % 360) if frame.rotation else None
        self._bgr: ImageArray | None = None
        self._luma: ImageArray | None = None

    @property
    def width(self) -> int:
        """Full width as shown, pixels."""
        return self._frame.height if self._sideways else self._frame.width

    @property
    def height(self) -> int:
        """Full height as shown, pixels."""
        return self._frame.width if self._sideways else self._frame.height

    def bgr(self) -> ImageArray:
        """Convert in full, once."""
        if self._bgr is None:
            self._bgr = self._shown(np.asarray(self._frame.to_ndarray(format="bgr24"), np.uint8))
        return self._bgr

    def gray(self, region: Region) -> ImageArray:
        """A view of the decoder's luma plane, at full resolution."""
        if self._luma is None:
            self._luma = self._shown(self._plane())
        return crop(self._luma, region)

    @property
    def _sideways(self) -> bool:
        return self._turn is not None and self._turn != cv2.ROTATE_180

    def _plane(self) -> ImageArray:
        """Luma as decoded, or converted where the format does not have it apart."""
        frame = self._frame
        if frame.format.name not in _LUMA_FIRST:
            frame = frame.reformat(format="gray")
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return rows[: frame.height, : frame.width]

    def _shown(self, picture: ImageArray) -> ImageArray:
        """Turned the way the recording asks to be shown."""
        if self._turn is not None:
            picture = np.asarray(cv2.rotate(np.ascontiguousarray(picture), self._turn), np.uint8)
        return read_only(picture)


class MadePicture:
    """A picture that is made when first asked for: rendered, or read from a file."""

    def __init__(self, width: int, height: int, make: Callable[[], ImageArray]) -> None:
        """Note how to make it.

        Args:
            width: Pixels.
            height: Pixels.
            make: Gives uint8, (height, width, 3), blue first; called once at most.
        """
        self._width = width
        self._height = height
        self._make = make
        self._bgr: ImageArray | None = None

    @property
    def width(self) -> int:
        """Full width, pixels."""
        return self._width

    @property
    def height(self) -> int:
        """Full height, pixels."""
        return self._height

    def bgr(self) -> ImageArray:
        """Make it, once."""
        if self._bgr is None:
            self._bgr = read_only(self._make())
        return self._bgr

    def gray(self, region: Region) -> ImageArray:
        """Luma of the region at full resolution."""
        return read_only(np.asarray(cv2.cvtColor(crop(self.bgr(), region), cv2.COLOR_BGR2GRAY), np.uint8))


def crop(picture: ImageArray, region: Region) -> ImageArray:
    """The region of a picture, as a view."""
    left, top, right, bottom = region.pixels(picture.shape[1], picture.shape[0])
    return picture[top:bottom, left:right]


def read_only(picture: ImageArray) -> ImageArray:
    """The same pixels as an array nobody can write to."""
    view = picture.view()
    view.flags.writeable = False
    return view
