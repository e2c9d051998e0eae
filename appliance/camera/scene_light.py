"""What a rendered scene's camera does to its picture: dark corners, brightness, the sensor's noise."""

import cv2
import numpy as np

from appliance.values import ImageArray

_NOISE_MARGIN = 96


class Exposure:
    """A camera of one frame size.

    Args:
        size: Width and height, pixels.
        noise: Standard deviation of the noise, gray levels, 0 for none.
        seed: Another seed, other noise.
    """

    def __init__(self, size: tuple[int, int], noise: float, seed: int) -> None:
        width, height = size
        self._seed = seed
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
        falloff = 1.0 - 0.16 * (x * x + 0.7 * y * y) ** 1.2 / 1.9
        self._vignette = cv2.cvtColor((falloff * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        self._grain: tuple[ImageArray, ImageArray] | None = None
        if noise > 0:
            rng = np.random.default_rng([seed, 2])
            shape = (height + _NOISE_MARGIN, width + _NOISE_MARGIN, 3)
            grain = rng.standard_normal(shape, np.float32) * noise
            grain = np.rint(grain).astype(np.int16)
            self._grain = (
                np.clip(grain, 0, 255).astype(np.uint8),
                np.clip(-grain, 0, 255).astype(np.uint8),
            )

    def expose(self, picture: ImageArray, light: float, index: int) -> ImageArray:
        """Vignette, brightness and noise of frame number `index`, in place."""
        cv2.multiply(picture, self._vignette, dst=picture, scale=light / 255)
        if self._grain is not None:
            height, width = picture.shape[:2]
            y, x = np.random.default_rng([self._seed, 3, index]).integers(0, _NOISE_MARGIN, 2)
            brighter, darker = (g[y : y + height, x : x + width] for g in self._grain)
            cv2.add(picture, brighter, dst=picture)
            cv2.subtract(picture, darker, dst=picture)
        return picture
