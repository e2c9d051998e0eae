"""A reader with every model, the portraits of the repository, and LFW where it is at hand."""

import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.faces.align import ShapePredictor
from appliance.faces.photo import decode_photo
from appliance.faces.reader import FaceReader
from appliance.models.folder import ModelFolder
from appliance.models.install import install
from appliance.settings.model import FaceSettings
from appliance.values import DLIB, DLIB_MIRROR, SFACE, ImageArray

PORTRAITS = Path(__file__).parents[2] / "data" / "portraits"


@pytest.fixture(scope="session")
def model_folder() -> ModelFolder:
    """The checkout's models; fetched now if CI did not do it before."""
    folder = ModelFolder()
    install(folder)
    return folder


@pytest.fixture(scope="session")
def reader(model_folder: ModelFolder) -> Iterator[FaceReader]:
    """Detector and both embedders, as the loop has them."""
    with FaceReader.open(model_folder, FaceSettings(), [DLIB, DLIB_MIRROR, SFACE]) as opened:
        yield opened


@pytest.fixture(scope="session")
def predictor(model_folder: ModelFolder) -> ShapePredictor:
    """The 5-point predictor."""
    found = ShapePredictor(model_folder.path("dlib-shape-5"))
    found.open()
    return found


@pytest.fixture(scope="session")
def portraits() -> Mapping[str, ImageArray]:
    """The portraits by `enrol/obama` and the like, BGR. Obama's two are different photos."""
    return {
        f"{path.parent.name}/{path.stem}": decode_photo(path.read_bytes())
        for path in sorted(PORTRAITS.glob("*/*"))
        if path.suffix in {".jpg", ".png"}
    }


@pytest.fixture
def obama(portraits: Mapping[str, ImageArray]) -> ImageArray:
    """One face, frontal, well lit."""
    return portraits["enrol/obama"]


@pytest.fixture(scope="session")
def lfw() -> Mapping[str, tuple[ImageArray, ...]]:
    """Four photos each of 100 people of LFW, BGR, by opaque number; read from the archive in memory."""
    folder = os.environ.get("APPLIANCE_TEST_MATERIAL")
    path = Path(folder or "none") / "testdata" / "faces" / "lfw_subset_100x4.tar"
    if not path.is_file():
        pytest.skip("APPLIANCE_TEST_MATERIAL does not name a folder with testdata/faces/lfw_subset_100x4.tar")
    people: dict[str, list[ImageArray]] = {}
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            file = archive.extractfile(member) if member.name.endswith(".jpg") else None
            if file is not None:
                picture = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
                people.setdefault(Path(member.name).parent.name, []).append(picture)
    return {f"{number:03}": tuple(found) for number, found in enumerate(people.values())}
