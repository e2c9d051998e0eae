"""Bringing what a function hands over to what a network takes. Knows no network and no file.

A DeepLens resized nothing and scaled nothing, so neither is done for a model that its owner installed: a
wrong size is an error that names both. The appliance's own networks stand in for models of many sizes and
ranges; for them (`adapts`) a picture is stretched to their size, and its range is taken from its numbers.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.deeplens.guest.descriptors import MAX_SIDE, ModelFaultError, ModelInput

Array = NDArray[Any]

_MIDDLE: Final = 127.5
_BYTE: Final = 255.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as a network takes it.

    Attributes:
        batch: With one picture, of the network's type and layout.
        width: Of what the function handed over, pixels.
        height: Likewise.
    """

    batch: Array
    width: int
    height: int


def prepared(frame: object, wanted: ModelInput) -> Prepared:
    """Bring a picture to a network.

    Args:
        frame: An array of numbers, (height, width, 3), or channels first, (3, height, width); for a gray
            network also (height, width). A batch of one is taken as that one.
        wanted: What the network takes. Where it adapts, the range of floating-point pixels is told from their
            least and largest number: within 0 to 1 they are bytes divided by 255; within -0.5 to 0.5 the same
            less a half; within -1 to 1 bytes less 127.5, divided by that; otherwise negative ones mean that
            about half a byte was subtracted, and all else are bytes. A picture brighter than its middle
            everywhere, less a half, cannot be told from a dark one. Otherwise they go in as they are.

    Raises:
        ModelFaultError: It is no picture, or of a size that the network does not take.
    """
    channels = 1 if wanted.colour == "GRAY" else 3
    picture = _rows_of_pixels(frame, channels, adapts=wanted.adapts)
    height, width = picture.shape[:2]
    if wanted.adapts:
        picture = _resized(_bytes_of(picture), wanted)
    else:
        _check_size(width, height, wanted)
    if wanted.colour == "RGB":
        picture = picture[:, :, ::-1]
    return Prepared(_as_taken(picture, wanted)[None], width, height)


def _rows_of_pixels(frame: object, channels: int, *, adapts: bool) -> Array:
    """The picture as (height, width, channels), whatever way round it came."""
    if not isinstance(frame, np.ndarray) or frame.dtype.kind not in "uif":
        raise ModelFaultError(
            f"doInference takes a picture as a numpy array of numbers, not {type(frame).__name__}"
        )
    picture = frame[0] if frame.ndim == 4 and frame.shape[0] == 1 else frame  # noqa: PLR2004 - a batch of one
    if picture.ndim == 2:  # noqa: PLR2004 - rows and columns
        picture = picture[:, :, None]
    if picture.ndim == 3 and picture.shape[2] not in {1, 3} and picture.shape[0] in {1, 3}:  # noqa: PLR2004
        picture = picture.transpose(1, 2, 0)
    if picture.ndim != 3 or picture.shape[2] not in {1, 3} or not picture.size:  # noqa: PLR2004
        raise ModelFaultError(f"an array of the shape {frame.shape} is no picture")
    if max(picture.shape[:2]) > MAX_SIDE:
        raise ModelFaultError(f"a picture of {picture.shape[1]}x{picture.shape[0]} pixels is too large")
    if picture.shape[2] == channels:
        return picture
    if not adapts:
        raise ModelFaultError(
            f"the model takes {channels} channel(s), and was given {picture.shape[2]}: shape {frame.shape}"
        )
    return np.repeat(picture, 3, axis=2)


def _check_size(width: int, height: int, wanted: ModelInput) -> None:
    if wanted.width not in {0, width} or wanted.height not in {0, height}:
        raise ModelFaultError(
            f"the model takes pictures of {wanted.width}x{wanted.height} pixels (width x height), and was "
            f"given one of {width}x{height}"
        )


def _bytes_of(picture: Array) -> Array:
    """A picture of any range as uint8."""
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype.kind != "f":
        return np.clip(picture, 0, _BYTE).astype(np.uint8)
    # What is no number at all would spread over the whole answer.
    values = np.nan_to_num(picture.astype(np.float32), nan=0.0, posinf=_BYTE, neginf=0.0)
    least, most = float(values.min()), float(values.max())
    if least >= 0 and most <= 1:
        values = values * _BYTE
    elif least >= -0.5 and most <= 0.5:  # noqa: PLR2004 - see `prepared`
        values = (values + 0.5) * _BYTE
    elif least >= -1 and most <= 1:
        values = (values + 1) * _MIDDLE
    elif least < 0:
        values = values + _MIDDLE
    return np.clip(np.rint(values), 0, _BYTE).astype(np.uint8)


def _resized(picture: Array, wanted: ModelInput) -> Array:
    height, width = picture.shape[:2]
    size = (wanted.width or width, wanted.height or height)
    if size == (width, height):
        return picture
    return cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_LINEAR).reshape(
        size[1], size[0], picture.shape[2]
    )


def _as_taken(picture: Array, wanted: ModelInput) -> Array:
    mean, scale = np.asarray(wanted.mean, np.float32), np.asarray(wanted.scale, np.float32)
    if mean.any() or (scale != 1).any():
        picture = (picture.astype(np.float32) - mean) * scale
    if wanted.dtype == "uint8" and picture.dtype != np.uint8:
        picture = np.clip(np.rint(picture), 0, _BYTE).astype(np.uint8)
    if wanted.layout == "NCHW":
        picture = picture.transpose(2, 0, 1)
    return np.ascontiguousarray(picture, np.uint8 if wanted.dtype == "uint8" else np.float32)
