"""What watching the camera's condition costs a frame, on average, at 720p and 10 frames a second.

    python tests/benchmarks/measure_condition.py

For a source whose reduced gray picture is decoded already for the door (MJPEG), one whose luma is a plane of
the decoder's (H.264), and one whose luma has to be picked out (YUYV). The decoding itself is not counted.
"""

import importlib.metadata
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import cv2
import numpy as np
from factories import stamp

from appliance.camera import ConditionWatch, encode_jpeg
from appliance.camera.pictures import JpegPicture, Picture, YuyvPicture
from appliance.camera.source import CapturedFrame
from appliance.settings import CameraSettings
from appliance.values import WHOLE_FRAME, ImageArray, Region

SECONDS, FPS, ROUNDS = 60, 10, 5
WIDTH, HEIGHT = 1280, 720


class LumaPlane:
    """A picture whose luma is there: what a video decoder leaves."""

    width, height = WIDTH, HEIGHT

    def __init__(self, luma: ImageArray) -> None:
        self._luma = luma

    def bgr(self) -> ImageArray:
        """Gray in all three channels."""
        return np.repeat(self._luma[:, :, None], 3, axis=2)

    def gray(self, region: Region) -> ImageArray:
        """A view."""
        left, top, right, bottom = region.pixels(WIDTH, HEIGHT)
        return self._luma[top:bottom, left:right]


def pictures() -> list[ImageArray]:
    """Four pictures of one view, with their own noise."""
    rng = np.random.default_rng(1)
    view = np.full((HEIGHT, WIDTH, 3), 150, np.float32)
    for _ in range(40):
        x, y = rng.integers(0, WIDTH - 100), rng.integers(0, HEIGHT - 100)
        view[y : y + rng.integers(20, 300), x : x + rng.integers(20, 300)] = rng.uniform(20, 235)
    return [np.clip(view + rng.normal(0, 3, view.shape), 0, 255).astype(np.uint8) for _ in range(4)]


def measure(make: Callable[[ImageArray], Picture]) -> float:
    """Milliseconds of processor time a frame, the median of some minutes."""
    shown = [make(each) for each in pictures()]
    for picture in shown:
        if isinstance(picture, JpegPicture):
            picture.gray(WHOLE_FRAME)
    frames = [CapturedFrame(stamp(number), shown[number % len(shown)]) for number in range(SECONDS * FPS)]
    found = []
    for _ in range(ROUNDS):
        watch = ConditionWatch(CameraSettings(id="entrance", source="scene:door"))  # type: ignore[arg-type]
        begun = time.process_time()
        for frame in frames:
            watch.observe(frame)
        found.append((time.process_time() - begun) * 1000 / len(frames))
    return statistics.median(found)


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)

    def jpeg(bgr: ImageArray) -> Picture:
        return JpegPicture(encode_jpeg(bgr, 85))

    def luma(bgr: ImageArray) -> Picture:
        return LumaPlane(np.ascontiguousarray(bgr[:, :, 0]))

    def yuyv(bgr: ImageArray) -> Picture:
        return YuyvPicture(bgr[:, :, :2].tobytes(), WIDTH, HEIGHT)

    print(f"{platform.machine()}  python {platform.python_version()}  opencv {cv2.__version__}", end="")
    print(f"  numpy {importlib.metadata.version('numpy')}")
    for name, make in (("mjpeg", jpeg), ("decoded luma", luma), ("yuyv", yuyv)):
        print(f"{name:<14}{measure(make):.3f} ms a frame")


if __name__ == "__main__":
    main()
