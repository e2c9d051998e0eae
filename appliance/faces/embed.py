"""From chips to embeddings: dlib's network and SFace in onnxruntime, and dlib itself as the reference.

Takes chips in exactly the form `align` cuts them.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

import dlib
import numpy as np

from appliance.errors import ModelError
from appliance.faces.network import open_session
from appliance.values import (
    DLIB,
    DLIB_MIRROR,
    EMBEDDING_SIZE,
    FaceTemplate,
    FloatArray,
    ImageArray,
    Templates,
)

MAX_BATCH = 8
"""Most chips handed to a network at once; bounds its memory."""


class ChipEmbedder(Protocol):
    """Turns aligned chips into vectors."""

    def open(self) -> None:
        """Load the weights.

        Raises:
            ModelError: They cannot be read, or are of another network.
        """

    def embed(self, chips: ImageArray) -> FloatArray:
        """Embed chips, uint8, (N, side, side, 3).

        Returns:
            float32, (N, 128).
        """


class _Network:
    """An ONNX network `chips` -> `embeddings`, run a few chips at a time."""

    def __init__(self, weights: Path, side: int) -> None:
        self._weights = weights
        self._side = side
        self._session: Any = None

    def open(self) -> None:
        """Load and check the network."""
        self._session = open_session(self._weights, side=self._side, last_axes=[EMBEDDING_SIZE])

    def embed(self, chips: ImageArray) -> FloatArray:
        """Run it, a few chips at a time."""
        parts = [
            self._session.run(None, {"chips": chips[start : start + MAX_BATCH]})[0]
            for start in range(0, len(chips), MAX_BATCH)
        ]
        found: FloatArray = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return found


class DlibEmbedder:
    """dlib's ResNet in onnxruntime; takes RGB chips of 150 px. Vectors are not of unit length.

    Args:
        weights: The converted file.
    """

    def __init__(self, weights: Path) -> None:
        self._network = _Network(weights, 150)

    def open(self) -> None:
        """Load the weights, as `ChipEmbedder.open` says."""
        self._network.open()

    def embed(self, chips: ImageArray) -> FloatArray:
        """Embed RGB chips, uint8, (N, 150, 150, 3), N >= 1."""
        return self._network.embed(chips)


class SFaceEmbedder:
    """SFace in onnxruntime; takes BGR chips of 112 px. Vectors have unit length.

    Args:
        weights: The converted file.
    """

    def __init__(self, weights: Path) -> None:
        self._network = _Network(weights, 112)

    def open(self) -> None:
        """Load the weights, as `ChipEmbedder.open` says."""
        self._network.open()

    def embed(self, chips: ImageArray) -> FloatArray:
        """Embed BGR chips, uint8, (N, 112, 112, 3), N >= 1."""
        raw = self._network.embed(chips)
        scaled: FloatArray = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        return scaled


class DlibReferenceEmbedder:
    """dlib's own implementation: the same vectors as `DlibEmbedder`, slower, and it holds the GIL.

    Args:
        weights: `dlib_face_recognition_resnet_model_v1.dat`.
    """

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._network: Any = None

    def open(self) -> None:
        """Load the weights, as `ChipEmbedder.open` says."""
        try:
            self._network = dlib.face_recognition_model_v1(str(self._weights))
        except RuntimeError as error:
            raise ModelError(
                f"{self._weights} cannot be read by dlib", command="check it with: appliance models verify"
            ) from error

    def embed(self, chips: ImageArray) -> FloatArray:
        """Embed RGB chips, uint8, (N, 150, 150, 3), N >= 1."""
        vectors = [self._network.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips]
        return np.array(vectors, dtype=np.float32)


def dlib_templates(embedder: ChipEmbedder, chip: ImageArray, models: Collection[str]) -> Templates:
    """The wanted templates of one dlib chip, from a single run of the network.

    Args:
        embedder: Either dlib embedder.
        chip: uint8, (150, 150, 3), RGB.
        models: `DLIB`, `DLIB_MIRROR` or both; others are left out.

    Returns:
        By model; `DLIB_MIRROR` is the mean of the vectors of the chip and of its mirror image.
    """
    if DLIB_MIRROR not in models:
        if DLIB not in models:
            return {}
        return {DLIB: FaceTemplate(DLIB, embedder.embed(chip[None])[0])}
    plain, mirrored = embedder.embed(np.stack([chip, chip[:, ::-1]]))
    templates = {DLIB_MIRROR: FaceTemplate(DLIB_MIRROR, (plain + mirrored) / np.float32(2))}
    if DLIB in models:
        templates[DLIB] = FaceTemplate(DLIB, plain)
    return templates
