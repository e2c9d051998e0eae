"""From a picture to features: a unit vector that is alike for alike pictures.

Any ONNX network that takes pictures and gives numbers for each will do; what it takes is said by a small
value, as the manifest of models says it. Opens no file, and knows no item.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

import cv2
import numpy as np

from appliance.errors import ModelError
from appliance.values import FloatArray, ImageArray

Fit = Literal["stretched", "letterboxed", "cropped"]
"""Stretched: the whole picture, out of proportion. Letterboxed: the whole, in proportion, on gray. Cropped:
the middle, in proportion."""

LEAST_SIZE: Final = 2
MOST_SIZE: Final = 8192
"""Most numbers that features may have; more would be a picture, no description of one."""
_GRAY = 114
_BATCH = 16
"""Pictures at once: more are no faster on one thread, and take 60 MB for every sixteen."""
_TYPES: Final = {"uint8": "tensor(uint8)", "float32": "tensor(float)"}


@dataclass(frozen=True, slots=True)
class FeatureNetwork:
    """What a network takes and which of its outputs are the features.

    Attributes:
        width: Width of the picture it takes, pixels.
        height: Height of it.
        colour: Order of its channels.
        layout: NHWC: channels last; NCHW: channels first.
        dtype: Of its numbers.
        mean: What is subtracted of each channel, in the network's order; with float32 only.
        spread: What the rest is divided by, in the network's order, above 0; with float32 only.
        output: Name of the output that is the features; "" where there is but one.
        fit: How a picture is brought to the size.
    """

    width: int = 224
    height: int = 224
    colour: Literal["BGR", "RGB"] = "BGR"
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    dtype: Literal["uint8", "float32"] = "uint8"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spread: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: str = ""
    fit: Fit = "stretched"

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: A size or a spread is not above 0, or a network of bytes is to have scaled numbers.
        """
        if self.width < 1 or self.height < 1 or min(self.spread) <= 0:
            raise ValueError("width, height and spread have to be above 0")
        if self.dtype == "uint8" and (any(self.mean) or self.spread != (1.0, 1.0, 1.0)):
            raise ValueError("a network that takes bytes takes them as they are: no mean and no spread")


EFFICIENTNET_LITE0: Final = FeatureNetwork(output="features")
"""The appliance's own; its scale and its colours' order are in the converted file."""


def featurizer_id(model: str, sha256: str, network: FeatureNetwork | None = None) -> str:
    """What stands on every row of features: the model's name and the beginning of a hash.

    Args:
        model: Its name.
        sha256: Of its file, hexadecimal digits.
        network: What somebody says of it, which is hashed with the file: the same file makes other features
            of a picture that is brought to it otherwise. None: it belongs to the file.
    """
    if network is not None:
        # What is left at its default is not written, so that a field more some day changes no name.
        said = {
            each.name: _plain(getattr(network, each.name))
            for each in fields(network)
            if getattr(network, each.name) != each.default
        }
        sha256 = hashlib.sha256(json.dumps([sha256, said], sort_keys=True).encode()).hexdigest()
    return f"{model}:{sha256[:12]}"


def _plain(said: str | int | tuple[float, ...]) -> str | int | list[float]:
    """The same for 1 and 1.0."""
    return [float(each) for each in said] if isinstance(said, tuple) else said


class Featurizer:
    """A network in onnxruntime that describes pictures. Not for two threads at once.

    Args:
        session: The open network (`onnxruntime.InferenceSession`).
        network: What it takes and gives.

    Attributes:
        size: How many numbers features have.

    Raises:
        ModelError: It takes or gives something else.
    """

    def __init__(self, session: Any, network: FeatureNetwork = EFFICIENTNET_LITE0) -> None:
        self._session = session
        self._network = network
        self._input, self._one_by_one = _checked_input(session, network)
        self._output = _checked_output(session, network)
        # A network says of itself what it likes; what it gives for a picture is what counts.
        tried = self._run(np.full((1, network.height, network.width, 3), _GRAY, np.uint8))
        if not LEAST_SIZE <= tried.shape[1] <= MOST_SIZE:
            raise _not_features(f"it gives {tried.shape[1]} numbers for a picture", self._output)
        self.size = int(tried.shape[1])

    def featurize(self, bgr: ImageArray) -> FloatArray:
        """Describe a picture.

        Args:
            bgr: uint8, (h, w, 3), blue first, at least one pixel.

        Returns:
            float32, (size,), of length 1.

        Raises:
            ValueError: It is no such picture.
            ModelError: The network gave no finite numbers, or only zeros.
        """
        features: FloatArray = self.featurize_many([bgr])[0]
        return features

    def featurize_many(self, pictures: Sequence[ImageArray]) -> FloatArray:
        """Describe several pictures, of any sizes; see `featurize`.

        Returns:
            float32, (pictures, size), each row of length 1.
        """
        found = np.empty((len(pictures), self.size), np.float32)
        for at in range(0, len(pictures), _BATCH):
            some = pictures[at : at + _BATCH]
            found[at : at + len(some)] = self._run(np.stack([fitted(each, self._network) for each in some]))
        return found

    def _run(self, chips: ImageArray) -> FloatArray:
        """Features of pictures of the right size, uint8 (n, h, w, 3), blue first."""
        prepared = _prepared(chips, self._network)
        groups = [prepared[at : at + 1] for at in range(len(prepared))] if self._one_by_one else [prepared]
        try:
            given = [self._session.run([self._output], {self._input: each})[0] for each in groups]
        except Exception as error:  # onnxruntime's own errors share no base class
            raise _not_features("it fails on a picture", self._output) from error
        found = np.concatenate([np.asarray(each) for each in given])
        # Many networks leave the picture's two dimensions of one pixel in place: (n, d, 1, 1).
        if (
            found.dtype != np.float32
            or found.shape[0] != len(chips)
            or max(found.shape[1:], default=0) != found[0].size
        ):
            raise _not_features(
                f"it gives {found.dtype} {found.shape} for {len(chips)} pictures", self._output
            )
        return unit(found.reshape(len(chips), -1).astype(np.float32), self._output)


def unit(rows: FloatArray, what: str = "features") -> FloatArray:
    """Rows of any length, float32 (n, d), as rows of length 1.

    Raises:
        ModelError: A row has a number that is not finite, or only zeros.
    """
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        raise _not_features("a picture has no finite numbers other than zeros", what)
    ones: FloatArray = (rows / lengths[:, None]).astype(np.float32)
    return ones


def fitted(bgr: ImageArray, network: FeatureNetwork) -> ImageArray:
    """Bring a picture to the size a network takes, still blue first.

    Raises:
        ValueError: It is not uint8 (h, w, 3), or is empty.
    """
    if bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.size == 0:  # noqa: PLR2004
        raise ValueError(f"expected a picture, uint8 (h, w, 3), got {bgr.dtype} {bgr.shape}")
    height, width = bgr.shape[:2]
    if network.fit == "stretched":
        return _resized(bgr, network.width, network.height)
    across, down = network.width / width, network.height / height
    scale = min(across, down) if network.fit == "letterboxed" else max(across, down)
    inner = _resized(bgr, max(1, round(width * scale)), max(1, round(height * scale)))
    high, wide = inner.shape[:2]
    if network.fit == "cropped":
        top, left = (high - network.height) // 2, (wide - network.width) // 2
        return inner[top : top + network.height, left : left + network.width]
    chip: ImageArray = np.full((network.height, network.width, 3), _GRAY, np.uint8)
    top, left = (network.height - high) // 2, (network.width - wide) // 2
    chip[top : top + high, left : left + wide] = inner
    return chip


def _resized(bgr: ImageArray, width: int, height: int) -> ImageArray:
    # Averaging where it becomes smaller: a large picture loses its fine patterns instead of inventing new
    # ones.
    smaller = width * height < bgr.shape[0] * bgr.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(bgr, (width, height), interpolation=how).astype(np.uint8, copy=False)


def _prepared(chips: ImageArray, network: FeatureNetwork) -> Any:
    """Pictures, uint8 (n, h, w, 3), blue first, as the network takes them."""
    turned: Any = chips if network.colour == "BGR" else chips[..., ::-1]
    if network.dtype == "float32":
        turned = (turned - np.asarray(network.mean, np.float32)) / np.asarray(network.spread, np.float32)
    return np.ascontiguousarray(turned if network.layout == "NHWC" else turned.transpose(0, 3, 1, 2))


def _checked_input(session: Any, network: FeatureNetwork) -> tuple[str, bool]:
    """The name of the only input, and whether it takes one picture at a time."""
    inputs = session.get_inputs()
    size = [network.height, network.width]
    wanted = [*size, 3] if network.layout == "NHWC" else [3, *size]
    taken = [(each.type, list(each.shape)) for each in inputs]
    if (
        len(inputs) != 1
        or inputs[0].type != _TYPES[network.dtype]
        or len(inputs[0].shape) != 1 + len(wanted)
        # A dimension may be left open, as a name or None; what is fixed has to be right.
        or any(isinstance(a, int) and a != b for a, b in zip(inputs[0].shape[1:], wanted, strict=True))
    ):
        raise ModelError(
            f"the network is not as described: it takes {taken}, and one picture, "
            f"{_TYPES[network.dtype]} {['n', *wanted]}, is to be given to it",
            hint="describe what it takes, or choose another model",
        )
    return inputs[0].name, isinstance(inputs[0].shape[0], int)


def _checked_output(session: Any, network: FeatureNetwork) -> str:
    """The name of the output that is the features."""
    given = [each.name for each in session.get_outputs()]
    if not network.output and len(given) == 1:
        return str(given[0])
    if network.output not in given:
        raise ModelError(
            f"the network has no output {network.output!r}: it gives {', '.join(given)}",
            hint="name the output that is the features",
        )
    return network.output


def _not_features(what: str, output: str) -> ModelError:
    return ModelError(
        f"the network's output {output!r} cannot be used as features: {what}",
        hint="choose the output before the classes, or another model",
    )
