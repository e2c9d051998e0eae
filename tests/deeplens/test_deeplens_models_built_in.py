"""AWS's own models: each name leads to a network that finds what is there, with the numbers AWS's had."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hosted_models import CAT, CUP, PERSON, boxes_of, picture, shared

from appliance.deeplens.guest.descriptors import ModelMissingError, Models
from appliance.deeplens.guest.heads import Network, open_network

ARTIFACTS = "/opt/awscam/artifacts"
FACE = (108.0, 28.0, 156.0, 106.0)
"""The astronaut's, in the picture made 300 x 300."""


@pytest.fixture(scope="module")
def objects(built_in: Models) -> Network:
    """AWS's object detection."""
    return open_network(built_in.find(f"{ARTIFACTS}/mxnet_deploy_ssd_resnet50_300_FP16_FUSED.xml"))


@pytest.fixture(scope="module")
def faces(built_in: Models) -> Network:
    """AWS's face detection."""
    return open_network(built_in.find(f"{ARTIFACTS}/mxnet_deploy_ssd_FP16_FUSED.xml"))


@pytest.mark.parametrize(
    ("file", "label", "place"),
    [(CAT, 8, (0.0, 0.0, 280.0, 300.0)), (PERSON, 15, (10.0, 5.0, 210.0, 300.0))],
)
def test_things_are_found_where_they_are(
    objects: Network, file: Path, label: int, place: tuple[float, ...]
) -> None:
    """VOC's numbers count from 1, as the sample project's table has them, and boxes are in its 300 pixels."""
    number, certainty, box = boxes_of(objects, picture(file))[0]

    assert label == number
    assert certainty > 0.9
    assert shared(place, box) > 0.8


def test_one_face_is_found_where_it_is(faces: Network) -> None:
    """`{1: 'face'}`, above the sample's 0.25 and nothing else above it."""
    [(number, certainty, box)] = boxes_of(faces, picture(PERSON))

    assert number == 1
    assert certainty > 0.6
    assert shared(FACE, box) > 0.6


@pytest.mark.parametrize("file", [CAT, CUP])
def test_no_face_is_found_where_none_is(faces: Network, file: Path) -> None:
    """A cat's is none."""
    assert [] == boxes_of(faces, picture(file))


def test_a_cat_is_a_cat(built_in: Models) -> None:
    """`{0: 'dog', 1: 'cat'}`: a probability for both, together 1, the likelier first."""
    network = open_network(built_in.find("mxnet_resnet18-catsvsdogs_FP32_FUSED.xml"))
    first, second = network.parsed("classification", network.infer(picture(CAT, 224, 224)))

    assert (1, 0) == (first["label"], second["label"])
    assert first["prob"] > 0.95
    assert first["prob"] + second["prob"] == pytest.approx(1, abs=1e-5)


def test_the_hot_dog_models_classes_are_imagenets(built_in: Models) -> None:
    """A thousand, each once, in the order in which 934 is a hot dog: a cup of coffee is 967."""
    network = open_network(built_in.find(f"{ARTIFACTS}/mxnet_squeezenet.xml"))
    found = network.parsed("classification", network.infer(picture(CUP, 224, 224)))

    assert list(range(1000)) == sorted(each["label"] for each in found)
    assert (967, "espresso") == (found[0]["label"], network.descriptor.labels[found[0]["label"]])
    assert network.descriptor.labels[934] == "hotdog"
    assert sorted((each["prob"] for each in found), reverse=True) == [each["prob"] for each in found]


def test_the_featurizer_gives_one_layer_of_numbers(built_in: Models) -> None:
    """Visual search takes the only value there is; what looks alike is alike in it, other things are not."""
    network = open_network(built_in.find("featurizer-v1"))

    def features(frame: np.ndarray) -> np.ndarray:
        [values] = network.infer(frame).values()
        return values / np.linalg.norm(values)

    cat = picture(CAT, 224, 224)
    same, other = features(cat[:, ::-1].copy()), features(picture(CUP, 224, 224))

    assert features(cat).shape == (1280,)
    assert float(features(cat) @ same) > 0.85
    assert float(features(cat) @ other) < 0.3


@pytest.mark.parametrize(
    "spelling",
    [
        "mxnet_deploy_ssd_FP16_FUSED.xml",
        "mxnet_deploy_ssd_FP32_FUSED.xml",
        f"{ARTIFACTS}/mxnet_deploy_ssd_FP16_FUSED.xml",
        f"{ARTIFACTS}/mxnet_deploy_ssd_FP16_FUSED.bin",
        "deploy_ssd",
        "deploy_ssd.xml",
        "deploy_ssd-symbol.json",
        "deploy_ssd-symbol",
        "deploy_ssd-0000.params",
        f"{ARTIFACTS}/deploy_ssd/",
        "DEPLOY_SSD",
    ],
)
def test_a_model_answers_to_every_spelling(built_in: Models, spelling: str) -> None:
    """Of the first optimizer, of later ones, of the files as trained, of Neo's folders."""
    assert built_in.find(spelling).name == "deploy_ssd"


@pytest.mark.parametrize(
    ("spelling", "about"),
    [
        ("mxnet_action_recognition_v2.0_FP16_FUSED.xml", "action recognition"),
        ("mxnet_style_FP32_FUSE.xml", "style transfer"),
        ("frozen_model", "head pose"),
        ("bird_classification_resnet-18", "bird"),
        ("nobodys_model", "models install nobodys_model"),
        ("mxnet_ssd_FP16_FUSED.xml", "AWS's own is 'deploy_ssd'"),
    ],
)
def test_what_is_not_to_be_had_is_said_by_name(built_in: Models, spelling: str, about: str) -> None:
    """The function publishes this text, so it names the model and what its owner can do."""
    with pytest.raises(ModelMissingError) as caught:
        built_in.find(spelling)

    assert about in str(caught.value)
    assert spelling in str(caught.value)


@pytest.mark.parametrize("spelling", ["", "/", ".xml", "mxnet__FP16_FUSED.xml", "x" * 10_000])
def test_a_name_that_is_none_finds_nothing(built_in: Models, spelling: str) -> None:
    """And not by accident the first model."""
    with pytest.raises(ModelMissingError):
        built_in.find(spelling)


def test_artefacts_lie_where_functions_look_for_them(built_in: Models, tmp_path: Path) -> None:
    """Some look whether the file is there before they load it; what lies there already stays."""
    root = tmp_path / "artifacts"
    root.mkdir()
    (root / "models.json").write_bytes((built_in.root / "models.json").read_bytes())
    (root / "deploy_ssd.xml").write_text("the author's own")
    Models(root).lay_out()

    assert (root / "mxnet_deploy_ssd_FP16_FUSED.xml").is_file()
    assert (root / "mxnet_deploy_ssd_FP16_FUSED.bin").is_file()
    assert (root / "deploy_ssd.xml").read_text() == "the author's own"


@pytest.mark.material
def test_the_dog_of_the_clip_is_found_in_most_frames(objects: Network, material: Path) -> None:
    """As the seed's function sees it: label 12, above its threshold of 0.25."""
    capture = cv2.VideoCapture(str(material / "testdata" / "videos" / "dog.mp4"))
    found = []
    for number in range(240):
        there, frame = capture.read()
        if there and number % 24 == 0:
            frame = cv2.resize(cv2.resize(frame, (2688, 1520)), (300, 300))
            found.append({label for label, _, _ in boxes_of(objects, frame)})
    capture.release()

    assert len(found) == 10
    assert sum(12 in labels for labels in found) >= 8
