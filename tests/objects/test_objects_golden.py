"""Golden values: the converted networks against OpenCV on the published files, on pictures of the repository.

What raises no error when it is wrong is held here: the colours' order, what is subtracted, how a frame is
brought to the square, the anchors, the numbers of the labels.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.app.detecting import opened_detector
from appliance.app.object_labels import labels_of, object_model
from appliance.models.folder import ModelFolder
from appliance.models.install import install
from appliance.models.manifest import read_manifest
from appliance.objects import NetworkDetector
from appliance.objects.detector import NetworkKind
from appliance.values import DetectedObject, ImageArray

Reference = Callable[[ImageArray], list[tuple[int, float, tuple[float, float, float, float]]]]

SEED_MAP = {
    1: "aeroplane",
    2: "bicycle",
    3: "bird",
    4: "boat",
    5: "bottle",
    6: "bus",
    7: "car",
    8: "cat",
    9: "chair",
    10: "cow",
    11: "dinning table",
    12: "dog",
    13: "horse",
    14: "motorbike",
    15: "person",
    16: "pottedplant",
    17: "sheep",
    18: "sofa",
    19: "train",
    20: "tvmonitor",
}
"""As the DeepLens sample project has it, spelling and all: its rules and indices name these."""

FOUND = [
    ("voc", "cat", "cat", 0.99),
    ("voc", "person", "person", 0.99),
    ("coco", "cat", "cat", 0.90),
    ("coco", "cup", "cup", 0.94),
    ("coco", "person", "person", 0.74),
]
"""Network, picture, label, and the score it reaches."""


def best(things: list[DetectedObject], label: str) -> float:
    """The best score of a label, 0 if it was not found."""
    return max((each.score for each in things if each.label == label), default=0.0)


def swapped(picture: ImageArray) -> ImageArray:
    """Red for blue."""
    return np.ascontiguousarray(picture[..., ::-1])


def smaller(picture: ImageArray, share: float) -> ImageArray:
    """The picture in the upper left corner of a gray one of its size."""
    frame = np.full_like(picture, 114)
    height, width = (int(each * share) for each in picture.shape[:2])
    frame[:height, :width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return frame


@pytest.mark.parametrize("picture", ["cat", "cup", "person"])
@pytest.mark.parametrize("name", ["voc", "coco"])
def test_the_same_things_are_found_as_by_opencv(
    detectors: Mapping[str, NetworkDetector],
    references: Mapping[str, Reference],
    pictures: Mapping[str, ImageArray],
    name: str,
    picture: str,
) -> None:
    """Every thing from a score of 0.25 on, in order: the same label and score, the box within a pixel."""
    frame = pictures[picture]
    height, width = frame.shape[:2]
    wanted = references[name](frame)
    found = detectors[name].detect(frame)
    expected_corners = np.clip(
        [np.multiply(c, (width, height) * 2) for _, _, c in wanted], 0, (width, height) * 2
    )

    assert wanted
    assert [number for number, _, _ in wanted] == [each.label_id for each in found]
    assert pytest.approx([score for _, score, _ in wanted], abs=1e-3) == [each.score for each in found]
    assert np.abs(expected_corners - [each.box.corners for each in found]).max() < 1


@pytest.mark.parametrize("found", FOUND)
def test_what_is_there_is_found_as_certainly_as_published(
    detectors: Mapping[str, NetworkDetector],
    pictures: Mapping[str, ImageArray],
    found: tuple[str, str, str, float],
) -> None:
    """A cat, a cup, a person: the network itself, not only that both readers of it agree."""
    name, picture, label, score = found

    assert best(detectors[name].detect(pictures[picture]), label) >= score


@pytest.mark.parametrize(
    ("name", "picture", "share"), [("voc", "cat", 0.25), ("coco", "cup", 0.5), ("coco", "person", 0.5)]
)
def test_swapped_colours_do_worse(
    detectors: Mapping[str, NetworkDetector],
    pictures: Mapping[str, ImageArray],
    name: str,
    picture: str,
    share: float,
) -> None:
    """Red for blue raises no error. What fills the frame is found all the same; smaller things are not."""
    frame = smaller(pictures[picture], share)
    right = best(detectors[name].detect(frame), picture)

    assert right > 0.8
    assert best(detectors[name].detect(swapped(frame)), picture) < right - 0.05


def test_the_labels_are_the_seeds_map() -> None:
    """VOC counts from 1, and is spelled as the sample project spells it."""
    output = object_model("voc", read_manifest()).output

    assert SEED_MAP == dict(enumerate(output.labels, output.first_label))


def test_cocos_two_networks_know_the_same_things() -> None:
    """One numbers them 1 to 90 with gaps, the other 0 to 79; their words are the same, in one order."""
    manifest = read_manifest()
    ssd, yolox = (object_model(name, manifest).output for name in ("coco", "yolox"))

    assert 80 == len(labels_of("coco", manifest))
    assert labels_of("coco", manifest) == labels_of("yolox", manifest)
    assert {1: "person", 18: "dog", 47: "cup", 90: "toothbrush"}.items() <= dict(
        enumerate(ssd.labels, 1)
    ).items()
    assert {0: "person", 16: "dog", 41: "cup"}.items() <= dict(enumerate(yolox.labels)).items()


def test_numbers_that_are_not_in_use_are_never_found(detectors: Mapping[str, NetworkDetector]) -> None:
    """COCO's number 12 was a street sign once; a network without a name for a score does not tell of it."""
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
    kind = NetworkKind(300, "stretched", ("", "dog"), 1, 0.5)

    assert {"dog": 2} == kind.numbers()
    assert all(each.label for each in detectors["coco"].detect(noise))


# ---------------------------------------------------------------- YOLOX, where it can be had


@pytest.fixture(scope="module")
def yolox_folder(material: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """YOLOX-nano, installed from the local folder that holds it."""
    if not (material / "models" / "yolox_nano.onnx").is_file():
        pytest.skip("no models/yolox_nano.onnx in APPLIANCE_TEST_MATERIAL")
    folder = ModelFolder(tmp_path_factory.mktemp("yolox"))
    install(folder, take_from=material / "models", only=["yolox-nano"], offline=True)
    return folder


def by_hand(published: Path, picture: ImageArray) -> list[tuple[int, float, tuple[float, ...]]]:
    """The best cell of each label of the published network, decoded cell by cell as its authors describe."""
    scale = 416 / max(picture.shape[:2])
    inner = cv2.resize(picture, (round(picture.shape[1] * scale), round(picture.shape[0] * scale)))
    chip = np.full((416, 416, 3), 114, np.float32)
    chip[: inner.shape[0], : inner.shape[1]] = inner
    network = cv2.dnn.readNetFromONNX(str(published))
    network.setInput(chip.transpose(2, 0, 1)[None])
    answers = network.forward()[0]
    strides = [(x, y, s) for s in (8, 16, 32) for y in range(416 // s) for x in range(416 // s)]
    scores = answers[:, 5:] * answers[:, 4:5]
    rows = []
    for label in np.flatnonzero(scores.max(axis=0) >= 0.5):
        at = int(scores[:, label].argmax())
        x, y, step = strides[at]
        middle = (answers[at, :2] + (x, y)) * step
        half = np.exp(answers[at, 2:4]) * step / 2
        corners = np.concatenate([middle - half, middle + half]) / scale
        rows.append((int(label), float(scores[at, label]), tuple(float(each) for each in corners)))
    return sorted(rows, key=lambda row: -row[1])


@pytest.mark.material
@pytest.mark.parametrize("picture", ["cup", "person"])
def test_yolox_finds_what_its_published_file_gives(
    yolox_folder: ModelFolder, pictures: Mapping[str, ImageArray], picture: str
) -> None:
    """The square it wants is letterboxed, its colours are BGR from 0 to 255, and its cells become boxes."""
    frame = pictures[picture]
    height, width = frame.shape[:2]
    detector = opened_detector(yolox_folder, "yolox", 0.5)
    first: dict[int, DetectedObject] = {}
    for each in detector.detect(frame):
        first.setdefault(each.label_id, each)
    wanted = by_hand(yolox_folder.path("yolox-nano-published"), frame)
    expected_corners = np.clip([c for _, _, c in wanted], 0, (width, height) * 2)

    assert [number for number, _, _ in wanted] == list(first)
    assert pytest.approx([score for _, score, _ in wanted], abs=1e-3) == [s.score for s in first.values()]
    assert np.abs(expected_corners - [each.box.corners for each in first.values()]).max() < 1


@pytest.mark.material
def test_yolox_does_worse_with_swapped_colours_and_out_of_proportion(
    yolox_folder: ModelFolder, pictures: Mapping[str, ImageArray]
) -> None:
    """Both mistakes raise no error; the cat is found half as certainly, and a wide frame's things less."""
    model = yolox_folder.manifest.model("yolox-nano")
    right = opened_detector(yolox_folder, "yolox", 0.1)
    wrong = NetworkDetector(
        yolox_folder.path(model.id), NetworkKind(416, "stretched", model.output.labels, 0, 0.45), 0.1
    )
    wrong.open()
    wide = cv2.copyMakeBorder(pictures["cup"], 0, 0, 300, 900, cv2.BORDER_REPLICATE).astype(np.uint8)

    assert best(right.detect(pictures["cup"]), "cup") >= 0.89
    assert (
        best(right.detect(swapped(pictures["cat"])), "cat") < best(right.detect(pictures["cat"]), "cat") - 0.2
    )
    assert best(wrong.detect(wide), "cup") < best(right.detect(wide), "cup") - 0.1
