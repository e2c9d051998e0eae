"""Clips made on the spot: frame i of n shows one gray level that tells its number.

A bright square sits in the upper left corner, so that a turned, mirrored or shifted
picture shows.
"""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from appliance.values import ImageArray, Region

WIDTH = 320
HEIGHT = 192
LOW, STEP = 40, 12
MIDDLE = Region(0.4, 0.4, 0.6, 0.6)


def numbered_picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> ImageArray:
    """The picture of frame `index`, 0 to 15: uint8, (height, width, 3)."""
    picture = np.full((height, width, 3), LOW + STEP * (index % 16), np.uint8)
    picture[: height // 4, : width // 4] = 255
    return picture


def number_of(gray: ImageArray) -> int:
    """Which frame a gray cut from the middle belongs to; allows for full and limited range."""
    level = float(np.median(gray))
    return round((level - LOW) / STEP)


def write_clip(
    path: Path,
    *,
    frames: int = 12,
    fps: int = 10,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    container_format: str | None = None,
) -> Path:
    """A clip with full-range luma, so that gray levels survive in every codec."""
    with av.open(str(path), "w", format=container_format, options=container or {}) as out:
        stream = out.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.codec_context.color_range = 2
        stream.codec_context.time_base = Fraction(1, fps)
        for index in range(frames):
            picture = numbered_picture(index, *size)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame = frame.reformat(format=pixel_format, dst_color_range=2)
            frame.pts = index
            frame.time_base = Fraction(1, fps)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path


def jpeg(index: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Frame `index` as a JPEG."""
    sound, data = cv2.imencode(".jpg", numbered_picture(index, width, height), [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not sound:
        raise ValueError("could not encode")
    return bytes(data)


def write_pictures(folder: Path, *, frames: int = 12, suffix: str = ".jpg") -> Path:
    """A folder of numbered pictures."""
    folder.mkdir()
    for index in range(frames):
        cv2.imwrite(str(folder / f"{index:04d}{suffix}"), numbered_picture(index))
    return folder
