"""The room in one object: a frame in; faces, samples and templates out.

Holds the opened networks of one process. It decides nothing: which faces are worth embedding is the
caller's to say, by `min_quality` and by need. One thread at a time.
"""

from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np

from appliance.errors import ModelError
from appliance.faces.align import ShapePredictor, dlib_chip, sface_chip
from appliance.faces.detect import FaceDetector, HogDetector, YuNetDetector
from appliance.faces.embed import (
    ChipEmbedder,
    DlibEmbedder,
    DlibReferenceEmbedder,
    SFaceEmbedder,
    dlib_templates,
)
from appliance.faces.quality import Judgement, judge
from appliance.networks import return_memory
from appliance.settings.model import FaceSettings
from appliance.values import (
    DLIB,
    DLIB_MIRROR,
    SFACE,
    DetectedFace,
    FaceSample,
    FaceTemplate,
    ImageArray,
    ModelId,
    Templates,
)


class ModelPaths(Protocol):
    """Where the weights are: `appliance.models.folder.ModelFolder`, or a test's folder."""

    def path(self, name: str) -> Path:
        """The file of a model, with its bytes checked.

        Raises:
            ModelError: It is missing or damaged.
        """


class FaceReader:
    """Detector, aligner and embedders of one process; make it with `open`.

    Args:
        detector: Opened.
        predictor: Opened.
        embedders: Opened, by what they make: `DLIB` stands for both dlib models.
        models: The templates that `templates` makes.
    """

    def __init__(
        self,
        detector: FaceDetector,
        predictor: ShapePredictor,
        embedders: dict[ModelId, ChipEmbedder],
        models: frozenset[ModelId],
    ) -> None:
        self._detector = detector
        self._predictor = predictor
        self._embedders = embedders
        self.models = models

    @classmethod
    def open(
        cls,
        model_folder: ModelPaths,
        settings: FaceSettings,
        models: Collection[ModelId],
        *,
        reference: bool = False,
    ) -> Self:
        """Load everything that is needed for the models, and nothing else.

        Args:
            model_folder: Where the weights are.
            settings: Which detector, how wide its copy, how certain it must be.
            models: Which templates will be made: of `DLIB`, `DLIB_MIRROR`, `SFACE`; none: detection only.
            reference: Run dlib's network in dlib itself instead of onnxruntime.

        Raises:
            ModelError: Weights are missing, damaged or unreadable, or a model is unknown.
        """
        if unknown := set(models) - {DLIB, DLIB_MIRROR, SFACE}:
            raise ModelError(f"no embedder makes {min(unknown)!r} templates")
        # The loop shares two cores with video and the web; OpenCV would start a thread for each.
        cv2.setNumThreads(1)
        predictor = ShapePredictor(model_folder.path("dlib-shape-5"))
        predictor.open()
        detector = _detector(model_folder, settings, predictor)
        embedders: dict[ModelId, ChipEmbedder] = {}
        if DLIB in models or DLIB_MIRROR in models:
            embedders[DLIB] = (
                DlibReferenceEmbedder(model_folder.path("dlib-resnet-dat"))
                if reference
                else DlibEmbedder(model_folder.path("dlib-resnet"))
            )
        if SFACE in models:
            embedders[SFACE] = SFaceEmbedder(model_folder.path("sface"))
        for embedder in embedders.values():
            embedder.open()
        return_memory()
        return cls(detector, predictor, embedders, frozenset(models))

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the networks."""
        self.close()

    def close(self) -> None:
        """Let go of the embedders' memory; the reader is of no further use."""
        self._embedders.clear()

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """Faces in a frame, largest first.

        Args:
            bgr: uint8, (height, width, 3), blue first.
        """
        return self._detector.detect(bgr)

    def sample(self, bgr: ImageArray, face: DetectedFace) -> FaceSample:
        """Cut a face out, align it for both embedders and judge it.

        Args:
            bgr: The frame it was found in.
            face: One of `detect`'s.
        """
        return self.assess(bgr, face)[0]

    def assess(self, bgr: ImageArray, face: DetectedFace) -> tuple[FaceSample, Judgement]:
        """Like `sample`, with what is wrong with the face in codes.

        The sample's face has its points as exact as the picture allows, see `FaceDetector.refine`.
        """
        face = self._detector.refine(bgr, face)
        chip = dlib_chip(bgr, face.box, self._predictor)
        judgement = judge(face, chip)
        return FaceSample(face, chip, sface_chip(bgr, face.points), judgement.quality), judgement

    def templates(self, sample: FaceSample) -> Templates:
        """The templates of a sample, one for each model that the reader was opened with."""
        made: dict[ModelId, FaceTemplate] = {}
        if DLIB in self._embedders:
            made.update(dlib_templates(self._embedders[DLIB], sample.dlib_chip, self.models))
        if SFACE in self._embedders:
            vector = self._embedders[SFACE].embed(sample.sface_chip[np.newaxis])[0]
            made[SFACE] = FaceTemplate(SFACE, vector)
        return made


def _detector(model_folder: ModelPaths, settings: FaceSettings, predictor: ShapePredictor) -> FaceDetector:
    """The detector of the settings, opened."""
    if settings.detector == "hog":
        hog = HogDetector(predictor, min_score=settings.min_score)
        hog.open()
        return hog
    yunet = YuNetDetector(
        model_folder.path("yunet"), width_px=settings.detect_width_px, min_score=settings.min_score
    )
    yunet.open()
    return yunet
