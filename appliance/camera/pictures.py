"""Pictures decoded no further than somebody asks: JPEG, packed YUYV, decoded video, plain arrays.

Gray is for the door: every camera's picture gives it reduced to some 320 to 640 pixels of the frame's width,
however it is coded, for it is paid ten times a second, day and night. A picture is content only; `frames`
adds when and where. Every array given out is read-only, and asking twice gives the same pixels. Not safe to
use from two threads at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import av
import cv2
import numpy as np

from appliance.camera.jpeg_header import parse_jpeg, upper_rows
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
    """By how much a camera's picture of that width is reduced for its gray one: 1, 2, 4 or 8."""
    return next((by for by in (8, 4, 2) if width >= by * _LEAST_GRAY_WIDTH), 1)


class _KeptPicture(ABC):
    """A size, and a full picture that is made when first asked for."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._bgr: ImageArray | None = None

    @property
    def width(self) -> int:
        """Full width as shown, pixels."""
        return self._width

    @property
    def height(self) -> int:
        """Full height as shown, pixels."""
        return self._height

    def bgr(self) -> ImageArray:
        """Full picture, uint8, (height, width, 3), blue first; made once.

        Raises:
            CameraLostError: The data cannot be decoded after all.
        """
        if self._bgr is None:
            self._bgr = read_only(self._make())
        return self._bgr

    @abstractmethod
    def _make(self) -> ImageArray:
        """The full picture; called once."""


class JpegPicture(_KeptPicture):
    """A JPEG, decoded when asked: reduced and gray, from the top as far down as wanted, or in full."""

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
        super().__init__(*((header.height, header.width) if swap else (header.width, header.height)))
        self._header = header
        self._data = data
        self._turned = upright and header.orientation != 1
        self._gray: ImageArray | None = None

    @property
    def coded(self) -> bytes | None:
        """The JPEG itself; None if it shows the picture only when turned."""
        return None if self._turned else self._data

    def gray(self, region: Region) -> ImageArray:
        """Decode gray at a half, quarter or eighth, down to the region's end, and cut the region out of it.

        Raises:
            CameraLostError: The data cannot be decoded after all.
        """
        by = reduction(self._width)
        left, top, right, bottom = region.pixels(-(-self._width // by), -(-self._height // by))
        if self._gray is None or self._gray.shape[0] < bottom:
            data = self._data if self._turned else upper_rows(self._data, self._header, bottom * by)
            self._gray = self._decode(data, _REDUCED_GRAY[by])
        return self._gray[top:bottom, left:right]

    def _make(self) -> ImageArray:
        return self._decode(self._data, cv2.IMREAD_COLOR)

    def _decode(self, data: bytes, how: int) -> ImageArray:
        flags = how if self._turned else how | cv2.IMREAD_IGNORE_ORIENTATION
        try:
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error as error:
            raise CameraLostError("a frame could not be decoded; the next may be sound") from error
        if picture is None:
            raise CameraLostError("a frame could not be decoded; the next may be sound")
        return read_only(np.asarray(picture, np.uint8))


class YuyvPicture(_KeptPicture):
    """Packed YUYV 4:2:2 as webcams give it: `gray` touches only the region's bytes."""

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
        super().__init__(width, height)
        self._packed = np.frombuffer(data, np.uint8, row * height).reshape(height, width, 2)

    def gray(self, region: Region) -> ImageArray:
        """Luma of the region, averaged to a half, quarter or eighth of the resolution."""
        return read_only(np.ascontiguousarray(_reduced(self._packed, region)[..., 0]))

    @property
    def packed(self) -> bytes:
        """Its bytes, width * height * 2 of them: a copy."""
        return self._packed.tobytes()

    def _make(self) -> ImageArray:
        return np.asarray(cv2.cvtColor(self._packed, cv2.COLOR_YUV2BGR_YUY2), np.uint8)


class DecodedPicture(_KeptPicture):
    """A frame from a video decoder: luma is there already, colour is converted when asked."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame
        self._turn = _TURNS.get(frame.rotation % 360) if frame.rotation else None
        sideways = self._turn is not None and self._turn != cv2.ROTATE_180
        super().__init__(*((frame.height, frame.width) if sideways else (frame.width, frame.height)))
        self._luma: ImageArray | None = None

    def gray(self, region: Region) -> ImageArray:
        """The decoder's luma of the region, averaged to a half, quarter or eighth of the resolution."""
        if self._luma is None:
            self._luma = self._shown(self._plane())
        return read_only(_reduced(self._luma, region))

    def _make(self) -> ImageArray:
        return self._shown(np.asarray(self._frame.to_ndarray(format="bgr24"), np.uint8))

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
        if self._turn is None:
            return picture
        return np.asarray(cv2.rotate(np.ascontiguousarray(picture), self._turn), np.uint8)


class MadePicture(_KeptPicture):
    """A picture that is made when first asked for: rendered, or read from a file."""

    def __init__(self, width: int, height: int, make: Callable[[], ImageArray]) -> None:
        """Note how to make it.

        Args:
            width: Pixels.
            height: Pixels.
            make: Gives uint8, (height, width, 3), blue first; called once at most.
        """
        super().__init__(width, height)
        self._made_by = make

    def gray(self, region: Region) -> ImageArray:
        """Luma of the region at full resolution."""
        return read_only(np.asarray(cv2.cvtColor(crop(self.bgr(), region), cv2.COLOR_BGR2GRAY), np.uint8))

    def _make(self) -> ImageArray:
        return self._made_by()


def _reduced(picture: ImageArray, region: Region) -> ImageArray:
    """The region of a picture, one or two channels, reduced by averaging squares of pixels.

    The region's corners lie on the reduced picture's grid, as those of a JPEG decoded reduced do: what is
    calibrated on one kind of source holds for the others.
    """
    height, width = picture.shape[:2]
    by = reduction(width)
    left, top, right, bottom = region.pixels(-(-width // by), -(-height // by))
    part = picture[top * by : bottom * by, left * by : right * by]
    if by == 1:
        return part
    size = right - left, bottom - top
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def crop(picture: ImageArray, region: Region) -> ImageArray:
    """The region of a picture, as a view."""
    left, top, right, bottom = region.pixels(picture.shape[1], picture.shape[0])
    return picture[top:bottom, left:right]


def read_only(picture: ImageArray) -> ImageArray:
    """The same pixels as an array nobody can write to."""
    view = picture.view()
    view.flags.writeable = False
    return view
