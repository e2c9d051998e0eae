"""The networks as the loop opens them, and as OpenCV reads the published files."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.app.detecting import opened_detector
from appliance.models.folder import ModelFolder
from appliance.models.install import install
from appliance.objects import NetworkDetector
from appliance.values import ImageArray

ROOT = Path(__file__).parents[2]
LEAST = 0.25
"""The least score that the published VOC network tells of."""

Reference = Callable[[ImageArray], list[tuple[int, float, tuple[float, float, float, float]]]]
"""Finds number, score and corners, as fractions of the frame, in a picture."""


@pytest.fixture(scope="session")
def model_folder() -> ModelFolder:
    """The checkout's models; fetched now if CI did not do it before."""
    folder = ModelFolder()
    install(folder)
    return folder


@pytest.fixture(scope="session")
def detectors(model_folder: ModelFolder) -> Mapping[str, NetworkDetector]:
    """Both networks that are installed everywhere."""
    return {name: opened_detector(model_folder, name, LEAST) for name in ("voc", "coco")}


@pytest.fixture(scope="session")
def pictures() -> Mapping[str, ImageArray]:
    """A cat, a cup on a table, a portrait; BGR."""
    files = {
        "cat": ROOT / "data" / "things" / "chelsea.png",
        "cup": ROOT / "data" / "things" / "coffee.png",
        "person": ROOT / "data" / "portraits" / "enrol" / "astronaut.jpg",
    }
    return {name: cv2.imread(str(path)).astype(np.uint8) for name, path in files.items()}


@pytest.fixture(scope="session")
def references(model_folder: ModelFolder) -> Mapping[str, Reference]:
    """OpenCV's own networks on the published files, with the preparation that each was trained with."""
    caffe = cv2.dnn.readNetFromCaffe(
        str(model_folder.path("voc-ssd-prototxt")), str(model_folder.path("voc-ssd-caffe"))
    )
    tensorflow = cv2.dnn.readNetFromTensorflow(
        str(model_folder.path("coco-ssd-graph")), str(model_folder.path("coco-ssd-pbtxt"))
    )

    def voc(picture: ImageArray) -> list[tuple[int, float, tuple[float, float, float, float]]]:
        caffe.setInput(cv2.dnn.blobFromImage(picture, 0.007843, (300, 300), (127.5, 127.5, 127.5)))
        return _rows(caffe.forward())

    def coco(picture: ImageArray) -> list[tuple[int, float, tuple[float, float, float, float]]]:
        tensorflow.setInput(cv2.dnn.blobFromImage(picture, size=(300, 300), swapRB=True))
        return _rows(tensorflow.forward())

    return {"voc": voc, "coco": coco}


def _rows(found: ImageArray) -> list[tuple[int, float, tuple[float, float, float, float]]]:
    return [
        (int(row[1]), float(row[2]), (float(row[3]), float(row[4]), float(row[5]), float(row[6])))
        for row in found[0, 0]
        if row[2] >= LEAST
    ]


@pytest.fixture(scope="session")
def material() -> Path:
    """The folder of clips and weights that are not in the repository."""
    folder = os.environ.get("APPLIANCE_TEST_MATERIAL")
    if not folder:
        pytest.skip("APPLIANCE_TEST_MATERIAL names no folder")
    return Path(folder)
