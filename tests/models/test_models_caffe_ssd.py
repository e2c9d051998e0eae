"""Users' Caffe SSDs: converted, they find what OpenCV's own reader of the same files finds."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from caffe_nets import CaffeNet, face_like, vgg_like
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ModelError
from appliance.models.artefact import Converted, Kind
from appliance.models.convert_artefact import convert_artefact
from appliance.models.folder import ModelFolder

NETS = {"face-like": face_like, "vgg-like": vgg_like}


def files(net: CaffeNet) -> dict[str, bytes]:
    """A network's two files."""
    return {"deploy.prototxt": net.prototxt, "net.caffemodel": net.caffemodel}


def found_by_opencv(layers: bytes, weights: bytes, blob: Any) -> tuple[Any, Any]:
    """What OpenCV finds: rows of (_, class, score, left, top, right, bottom), and all scores with class 0."""
    net = cv2.dnn.readNetFromCaffe(np.frombuffer(layers, np.uint8), np.frombuffer(weights, np.uint8))
    net.setInput(blob)
    rows = net.forward().reshape(-1, 7).copy()
    name = re.findall(rb'name: "([a-z_]*conf_(?:flat|flatten))"', layers)[-1].decode()
    net.setInput(blob)
    return rows, net.forward(name).copy()


def found_by_us(made: Converted, blob: Any) -> tuple[Any, Any]:
    """Boxes and scores."""
    session = onnxruntime.InferenceSession(made.onnx, providers=["CPUExecutionProvider"])
    boxes, scores = session.run(None, {made.head.input.name: blob})
    return boxes[0], scores[0]


def check_alike(made: Converted, layers: bytes, weights: bytes, blob: Any) -> int:
    """Every score is OpenCV's, and each of its boxes is one of ours; gives how many it found."""
    rows, likely = found_by_opencv(layers, weights, blob)
    boxes, scores = found_by_us(made, blob)
    np.testing.assert_allclose(likely.reshape(-1, made.head.classes + 1)[:, 1:], scores, atol=2e-5)
    for _, label, score, *box in rows:
        of_label = np.abs(scores[:, int(label) - made.head.first_label] - score) < 2e-5
        assert (of_label & (np.abs(boxes - box).max(axis=1) < 2e-4)).any()
    return len(rows)


@pytest.mark.parametrize("name", NETS)
def test_a_converted_network_finds_what_opencv_finds(name: str) -> None:
    """Layers, anchors, variances and classes are read as OpenCV reads them."""
    net = NETS[name]()
    made = convert_artefact(files(net))
    picture = np.random.default_rng(3).integers(0, 255, (net.height, net.width, 3)).astype(np.uint8)
    blob = cv2.dnn.blobFromImage(picture, 1 / 64, (net.width, net.height), (127, 127, 127))

    assert 50 == check_alike(made, net.prototxt, net.caffemodel, blob)
    assert (Kind.CAFFE, "boxes_scores", net.classes - 1, 1) == (
        made.kind,
        made.head.kind,
        made.head.classes,
        made.head.first_label,
    )
    assert (net.width, net.height) == (made.head.input.width, made.head.input.height)
    assert ["detection_out"] * 2 == [each.layer for each in made.head.outputs]


@pytest.mark.parametrize("name", NETS)
def test_the_converted_file_is_valid(name: str) -> None:
    """Our own account of the shapes agrees with the checker's, and twice converted is the same file."""
    given_files = files(NETS[name]())
    made = convert_artefact(given_files)

    onnx.checker.check_model(onnx.load_model_from_string(made.onnx), full_check=True)
    assert made.onnx == convert_artefact(given_files).onnx


def test_the_published_network_converts_as_a_users_own(installed: ModelFolder) -> None:
    """MobileNet-SSD from its two published files, at the size the text says."""
    layers = installed.path("voc-ssd-prototxt").read_bytes()
    layers = layers.replace(b"confidence_threshold: 0.25", b"confidence_threshold: 0.0005")
    weights = installed.path("voc-ssd-caffe").read_bytes()
    made = convert_artefact({"a.prototxt": layers, "a.caffemodel": weights})
    picture = cv2.resize(np.random.default_rng(1).integers(0, 255, (30, 30, 3)).astype(np.uint8), (300, 300))
    blob = cv2.dnn.blobFromImage(picture, 0.007843, (300, 300), (127.5, 127.5, 127.5))

    assert (20, 300, 300) == (made.head.classes, made.head.input.width, made.head.input.height)
    assert check_alike(made, layers, weights, blob) > 10


def test_a_mean_and_scale_that_the_file_still_says_are_handed_on() -> None:
    """As left over from the training; otherwise the report says that the files do not tell."""
    net = face_like()
    said = net.prototxt.replace(
        b'type: "Pooling"',
        b'type: "Pooling" transform_param { scale: 0.5 mean_value: 104 mean_value: 117 mean_value: 123 }',
    )
    source = convert_artefact({"a.prototxt": said, "a.caffemodel": net.caffemodel}).head.input

    assert ((104.0, 117.0, 123.0), 0.5) == (source.mean, source.scale)
    assert "do not say what is subtracted" in convert_artefact(files(net)).report.notes[0]


def test_another_size_can_be_asked_for() -> None:
    """The layers go over a map of any size; the anchors follow it."""
    net = face_like()
    made = convert_artefact(files(net), width=128, height=96)
    net.width, net.height = 128, 96
    blob = cv2.dnn.blobFromImage(np.full((96, 128, 3), 90, np.uint8), 1 / 64, (128, 96))

    assert (128, 96) == (made.head.input.width, made.head.input.height)
    assert check_alike(made, net.prototxt, net.caffemodel, blob) > 10


def test_a_network_of_half_the_precision_is_read(tmp_path: Path) -> None:
    """OpenCV makes networks smaller so; its own for faces came that way."""
    net = face_like()
    whole, half = tmp_path / "whole.caffemodel", tmp_path / "half.caffemodel"
    whole.write_bytes(net.caffemodel)
    cv2.dnn.shrinkCaffeModel(str(whole), str(half))
    made = convert_artefact({"a.prototxt": net.prototxt, "a.caffemodel": half.read_bytes()})
    picture = np.random.default_rng(4).integers(0, 255, (net.height, net.width, 3)).astype(np.uint8)
    blob = cv2.dnn.blobFromImage(picture, 1 / 64, (net.width, net.height), (127, 127, 127))

    assert half.stat().st_size < whole.stat().st_size
    assert check_alike(made, net.prototxt, half.read_bytes(), blob) > 10


CHANGES: dict[str, tuple[bytes, bytes, str]] = {
    "layers nobody knows": (b'type: "Eltwise"', b'type: "Warp"', r"not supported: Warp \(sum1\)"),
    "corners instead of centres": (b"code_type: CENTER_SIZE", b"code_type: CORNER", "code_type CORNER"),
    "boxes for each class": (b"share_location: true", b"share_location: false", "boxes of their own"),
    "another nothing": (b"background_label_id: 0", b"background_label_id: 1", "classes"),
    "another number of classes": (b"num_classes: 2", b"num_classes: 3", "channels|rows"),
    "a convolution of another size": (b"num_output: 12", b"num_output: 13", "conv2"),
    "no weights": (b'name: "res1"', b'name: "res9"', "0 of 2 weights of 'res9'"),
    "anchors of no size": (b"min_size: 10", b"min_size: 0", "sizes"),
    "more anchors than answers": (b"aspect_ratio: 3", b"aspect_ratio: 3 aspect_ratio: 4", "anchors"),
    "no detector": (b'type: "DetectionOutput"', b'type: "Silence"', "0 layers of the kind DetectionOutput"),
    "no input": (b'input: "data"', b"", "without an input"),
    "gray pictures": (b"dim: 1 dim: 3", b"dim: 1 dim: 1", "input has the shape"),
    "an open group": (b"input_shape {", b"input_shape { {", "without a name"),
    "windows without an end": (b"kernel_size: 7", b"kernel_size: 9999999", "window|weights"),
    "no stride": (b"stride: 2 }", b"stride: 0 }", "window"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_cannot_be_converted_is_refused_by_name(change: str) -> None:
    """A sound file of something else, or one that contradicts itself."""
    before, after, said = CHANGES[change]
    net = face_like()

    assert before in net.prototxt
    with pytest.raises(ModelError, match=said):
        convert_artefact({"a.prototxt": net.prototxt.replace(before, after), "a.caffemodel": net.caffemodel})


def test_all_layers_that_are_not_supported_are_told_at_once() -> None:
    """An admin does not want to find them one by one."""
    net = vgg_like()
    text = net.prototxt.replace(b'type: "LRN"', b'type: "Warp"').replace(b'type: "Power"', b'type: "Bend"')
    with pytest.raises(ModelError, match=r"Warp \(lrn\), Bend \(power\)"):
        convert_artefact({"a.prototxt": text, "a.caffemodel": net.caffemodel})


def check_outcome(layers: bytes, weights: bytes) -> None:
    """What converts is a valid network; what does not is a typed error."""
    try:
        made = convert_artefact({"a.prototxt": layers, "a.caffemodel": weights})
    except ModelError:
        return
    onnx.checker.check_model(onnx.load_model_from_string(made.onnx), full_check=True)


@pytest.fixture(scope="module")
def pair() -> tuple[bytes, bytes]:
    """A small network's two files."""
    net = face_like()
    return net.prototxt, net.caffemodel


def _cut(data: bytes, at: int, _bit: int) -> bytes:
    return data[: at % len(data)]


def _flipped(data: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(data)] ^= 1 << bit
    return bytes(changed)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", [_cut, _flipped])
@given(at=st.integers(0, 100_000), bit=st.integers(0, 7))
def test_damage_is_a_network_or_a_typed_error(
    pair: tuple[bytes, bytes], damage: Callable[[bytes, int, int], bytes], which: int, at: int, bit: int
) -> None:
    """Either file, cut short or with a flipped bit."""
    changed = list(pair)
    changed[which] = damage(pair[which], at, bit)
    check_outcome(*changed)


@given(st.data())
def test_any_setting_may_say_anything(pair: tuple[bytes, bytes], data: st.DataObject) -> None:
    """Zero strides, windows as large as the world, words where numbers should be."""
    places = [match.span(1) for match in re.finditer(rb"[a-z_]+: ([A-Za-z0-9._\"]+)", pair[0])]
    start, end = data.draw(st.sampled_from(places))
    value = data.draw(
        st.sampled_from([b"0", b"-1", b"1", b"99999999", b"1e30", b"nan", b"true", b'"data"', b"{ }"])
    )
    check_outcome(pair[0][:start] + value + pair[0][end:], pair[1])
