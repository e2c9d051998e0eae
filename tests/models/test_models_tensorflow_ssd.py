"""Users' frozen TensorFlow SSDs: converted, they answer what OpenCV's reader of the same nodes answers."""

from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_nets import ANCHORS, CLASSES, SIDE, TensorflowNet, bare, frozen

from appliance.errors import ModelError
from appliance.models import convert_coco_ssd
from appliance.models.artefact import Converted, Kind
from appliance.models.convert_artefact import convert_artefact
from appliance.models.folder import ModelFolder
from appliance.models.tensorflow_constants import worked_out
from appliance.models.tensorflow_graph import FrozenGraph


def found_by_us(made: Converted, data: Any) -> tuple[Any, Any]:
    """Boxes and scores."""
    session = onnxruntime.InferenceSession(made.onnx, providers=["CPUExecutionProvider"])
    boxes, scores = session.run(None, {made.head.input.name: data})
    return boxes[0], scores[0]


def rows_by_opencv(kind: str, width: int, data: Any) -> Any:
    """The rows of both maps."""
    net = cv2.dnn.readNetFromTensorflow(np.frombuffer(bare(), np.uint8))
    rows = []
    for at in (0, 1):
        net.setInput(data)
        found = net.forward(f"BoxPredictor_{at}/{kind}/Conv2D")  # with its offsets
        rows.append(found.transpose(0, 2, 3, 1).reshape(-1, width))
    return np.concatenate(rows)


def decoded(answers: Any, anchors: Any) -> Any:
    """Left, top, right, bottom as the object detection API decodes them: y before x, by 10 and by 5."""
    size = anchors[:, 2:] - anchors[:, :2]
    centre = (anchors[:, 2:] + anchors[:, :2]) / 2 + answers[:, :2] / 10 * size
    half = np.exp(answers[:, 2:] / 5) * size / 2
    return np.concatenate([centre - half, centre + half], axis=1)[:, [1, 0, 3, 2]]


@pytest.fixture(scope="module")
def picture() -> Any:
    """A prepared picture, as planes."""
    return np.random.default_rng(2).uniform(-1, 1, (1, 3, SIDE, SIDE)).astype(np.float32)


def test_a_converted_network_finds_what_the_graph_says(picture: Any) -> None:
    """Convolutions of all kinds, both ways of normalising, poolings, joins; then the decoder's formula."""
    made = convert_artefact({"frozen_inference_graph.pb": frozen()})
    boxes, scores = found_by_us(made, picture)
    answers = rows_by_opencv("BoxEncodingPredictor", 4, picture)
    likely = rows_by_opencv("ClassPredictor", CLASSES + 1, picture)

    assert ANCHORS * (64 + 16) == len(boxes)
    np.testing.assert_allclose(decoded(answers, TensorflowNet().anchors()), boxes, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(1 / (1 + np.exp(-likely[:, 1:] / 2)), scores, atol=1e-5)


def test_scores_that_add_up_to_one_are_read_too(picture: Any) -> None:
    """A detector trained with softmax: what is nothing at all takes part in it, and is left out after it."""
    _, scores = found_by_us(convert_artefact({"f.pb": frozen("Softmax")}), picture)
    powers = np.exp(rows_by_opencv("ClassPredictor", CLASSES + 1, picture) / 2)

    np.testing.assert_allclose((powers / powers.sum(axis=1, keepdims=True))[:, 1:], scores, atol=1e-5)


def test_size_classes_and_preparation_are_those_of_the_graph() -> None:
    """What a descriptor is made of."""
    made = convert_artefact({"f.pb": frozen()})

    assert (Kind.TENSORFLOW, "boxes_scores", CLASSES, 1) == (
        made.kind,
        made.head.kind,
        made.head.classes,
        made.head.first_label,
    )
    assert (SIDE, SIDE, "RGB") == (made.head.input.width, made.head.input.height, made.head.input.colour)
    assert pytest.approx((127.5, 127.5, 127.5)) == made.head.input.mean
    assert pytest.approx(2 / 255) == made.head.input.scale
    assert (7, 2) == (made.report.operations["Conv2D"], made.report.operations["DepthwiseConv2dNative"])


def test_the_converted_file_is_valid() -> None:
    """Our own account of the shapes agrees with the checker's, and twice converted is the same file."""
    made = convert_artefact({"f.pb": frozen()})

    onnx.checker.check_model(onnx.load_model_from_string(made.onnx), full_check=True)
    assert made.onnx == convert_artefact({"f.pb": frozen()}).onnx


@pytest.fixture(scope="module")
def published(installed: ModelFolder) -> bytes:
    """The published COCO detector's graph."""
    return installed.path("coco-ssd-graph").read_bytes()


def test_the_published_network_converts_as_a_users_own(published: bytes, installed: ModelFolder) -> None:
    """It finds what the one made for us finds."""
    made = convert_artefact({"f.pb": published})
    small = np.random.default_rng(0).integers(0, 255, (12, 12, 3)).astype(np.uint8)
    pixels = cv2.resize(small, (300, 300))
    source = made.head.input
    planes = (pixels[None, :, :, ::-1] - np.array(source.mean, np.float32)) * np.float32(source.scale)
    boxes, scores = found_by_us(made, np.ascontiguousarray(planes.transpose(0, 3, 1, 2)))
    ours = onnxruntime.InferenceSession(str(installed.path("coco-ssd")), providers=["CPUExecutionProvider"])
    expected_boxes, expected_scores = ours.run(None, {"chips": pixels[None]})

    assert (90, 300, 300) == (made.head.classes, source.width, source.height)
    np.testing.assert_allclose(expected_boxes[0], boxes, atol=1e-5)
    np.testing.assert_allclose(expected_scores[0], scores, atol=1e-5)


def test_the_anchors_of_the_published_graph_are_those_of_its_paper(published: bytes) -> None:
    """A thousand small operations come to the formula that our own converter has."""
    corners = worked_out(FrozenGraph(published), "Concatenate/concat")
    places = np.concatenate([each.boxes() for each in convert_coco_ssd._anchors()])
    centres = (corners[:, [1, 0]] + corners[:, [3, 2]]) / 2
    sizes = corners[:, [3, 2]] - corners[:, [1, 0]]

    np.testing.assert_allclose(places, np.concatenate([centres, sizes], axis=1), atol=1e-6)


def changed(change: str) -> bytes:
    """A graph with something in it that cannot be converted."""
    net = TensorflowNet()
    net.around()
    net.network()
    match change:
        case "operation":
            net.relu("FeatureExtractor/relu2", "FeatureExtractor/norm2/fused", "Swish")
            net.relu("FeatureExtractor/relu3", "FeatureExtractor/norm3/add_1", "Warp")
        case "stages":
            net.number("SecondStagePostprocessor/x", 1.0)
        case "shared":
            net.number("WeightSharedConvolutionalBoxPredictor/x", 1.0)
        case "anchors":
            net.node("Identity", "Concatenate/concat", "Anchors/0")
        case "circle":
            net.node("Identity", "Concatenate/concat", "Postprocessor/ExpandDims")
        case "endless":
            net.node("Identity", "FeatureExtractor/relu2", "FeatureExtractor/relu2")
        case "factor":
            net.number("Postprocessor/Decode/div/y", 0.0)
        case "picture":
            net.node("Cast", "Preprocessor/sub", "image_tensor")
    return net.data


REFUSED = {
    "operation": r"not supported: (Swish|Warp) .*, (Swish|Warp) ",
    "stages": "two stages",
    "shared": "shares its predictors",
    "anchors": "128 anchors for 160 answers",
    "circle": "circles",
    "endless": "contradicts itself",
    "factor": "no number that makes sense",
    "picture": "prepares pictures",
}


@pytest.mark.parametrize("change", REFUSED)
def test_what_cannot_be_converted_is_refused_by_name(change: str) -> None:
    """A sound file of something else, or one that contradicts itself."""
    with pytest.raises(ModelError, match=REFUSED[change]):
        convert_artefact({"f.pb": changed(change)})


def test_another_size_than_the_graphs_is_refused() -> None:
    """Its anchors are for one size."""
    with pytest.raises(ModelError, match="32 x 32 pixels, not 64 x 32"):
        convert_artefact({"f.pb": frozen()}, width=64, height=32)


def check_outcome(data: bytes) -> None:
    """What converts is a valid network; what does not is a typed error."""
    try:
        made = convert_artefact({"f.pb": data})
    except ModelError:
        return
    onnx.checker.check_model(onnx.load_model_from_string(made.onnx), full_check=True)


@pytest.fixture(scope="module")
def small() -> bytes:
    """A small graph."""
    return frozen()


@given(at=st.integers(0, 1_000_000), bit=st.integers(0, 7))
def test_a_flipped_bit_is_a_network_or_a_typed_error(small: bytes, at: int, bit: int) -> None:
    """Anywhere."""
    data = bytearray(small)
    data[at % len(data)] ^= 1 << bit
    check_outcome(bytes(data))


@given(at=st.integers(0, 1_000_000))
def test_a_file_cut_short_is_a_typed_error(small: bytes, at: int) -> None:
    """Wherever a copy stopped."""
    with pytest.raises(ModelError):
        convert_artefact({"f.pb": small[: at % len(small)]})


@given(st.data())
def test_a_number_may_be_any_other(small: bytes, data: st.DataObject) -> None:
    """Shapes, strides and sizes that promise the world."""
    at = data.draw(st.integers(0, len(small) - 10))
    value = data.draw(
        st.sampled_from([b"\0", b"\xff\xff\xff\xff\x07", b"\xff" * 9 + b"\x01", b"\x80\x80\x80\x08"])
    )
    check_outcome(small[:at] + value + small[at + len(value) :])
