"""Which kind an artefact is, ONNX as it is, and the process of its own that conversions run in."""

from pathlib import Path

import numpy as np
import pytest
from caffe_nets import face_like
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tensorflow_nets import frozen

from appliance.errors import ModelError
from appliance.models.artefact import Kind
from appliance.models.convert_artefact import convert_artefact
from appliance.models.converting_apart import convert_apart, read_answer
from appliance.models.recognising import Part, recognise

MXNET = Path(__file__).parent / "data" / "mxnet"
IR = b'<?xml version="1.0"?>\n<net name="m" version="%d">\n<layers/></net>'


def classifier(shape: tuple[str | int, ...] = (1, 3, 8, 8), *, softmax: bool = True) -> bytes:
    """A small ONNX network of four classes."""
    weight = numpy_helper.from_array(np.ones((4, 3), np.float32), "w")
    nodes = [
        helper.make_node("GlobalAveragePool", ["in"], ["a"]),
        helper.make_node("Flatten", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "w"], ["c" if softmax else "out"], transB=1),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["c"], ["out"], axis=1))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4])],
        [weight],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(made.SerializeToString())


def mxnet(name: str = "resnet") -> dict[str, bytes]:
    """A network's two files."""
    return {each: (MXNET / each).read_bytes() for each in (f"{name}-symbol.json", f"{name}-0000.params")}


ARTEFACTS = {
    Kind.ONNX: {"a.onnx": classifier()},
    Kind.OPENVINO: {"a.xml": IR % 11, "a.bin": b"\1\2\3"},
    Kind.CAFFE: {"a.prototxt": face_like().prototxt, "a.caffemodel": face_like().caffemodel},
    Kind.TENSORFLOW: {"frozen_inference_graph.pb": frozen()},
    Kind.MXNET: mxnet(),
}


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_told_by_what_files_hold(kind: Kind) -> None:
    """Whatever they are called: people rename files, and browsers too."""
    found = recognise(ARTEFACTS[kind])
    renamed = {f"file{at}.bin": data for at, data in enumerate(ARTEFACTS[kind].values())}

    assert (kind, ()) == (found.kind, found.others)
    assert set(ARTEFACTS[kind]) == set(found.parts.values())
    if kind is not Kind.OPENVINO:  # whose weights have nothing of their own to be told by
        assert kind is recognise(renamed).kind


def test_files_that_play_no_part_are_named() -> None:
    """A folder of a training has more than the network."""
    found = recognise({**ARTEFACTS[Kind.MXNET], "labels.txt": b"dog\ncat\n", "model-shapes.json": b"[]"})

    assert ("labels.txt", "model-shapes.json") == found.others
    assert "resnet-symbol.json" == found.parts[Part.MXNET_SYMBOL]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no files"),
        ({"a.bin": b"\x93\x11\x00\xff" * 50}, "nothing known"),
        ({"a.bin": bytes(5_000)}, "nothing known"),
        ({"a.txt": b"dog\ncat\n"}, "a text that describes no network"),
        ({"a.onnx": b""}, "an empty file"),
        ({"a.zip": b"PK\x03\x04rest"}, "a zip archive"),
        ({"model.tar.gz": b"\x1f\x8brest"}, "unpack it"),
        ({"a.tflite": b"\x1c\0\0\0TFL3rest"}, "TensorFlow Lite"),
        ({"saved_model.pb": b"\x08\x01\x12\x04\x0a\x02\x0a\x00"}, "SavedModel: freeze it"),
        ({"a.h5": b"\x89HDF\r\n"}, "Keras"),
        ({"a.jpg": b"\xff\xd8\xff\xe0"}, "a picture"),
        ({"a.xml": IR % 2, "a.bin": b"\1"}, "version 2, which no OpenVINO of today reads"),
        ({"a.xml": IR % 11}, "without weights of an OpenVINO IR"),
        ({"a.prototxt": face_like().prototxt}, "without weights of a Caffe network"),
        ({"a.caffemodel": face_like().caffemodel}, "without layers of a Caffe network"),
        ({"a-0000.params": mxnet()["resnet-0000.params"]}, "without an MXNet network"),
        ({"a-symbol.json": mxnet()["resnet-symbol.json"]}, "without parameters of an MXNet network"),
        ({"a.onnx": classifier(), "b.pb": frozen()}, "several networks at once"),
        ({"m.so": b"\x7fELF", "m.json": b"{}", "m.params": b"?"}, "SageMaker Neo"),
    ],
)
def test_what_is_no_artefact_is_told_by_what_it_looks_like(files: dict[str, bytes], said: str) -> None:
    """With what is accepted, or what to do."""
    with pytest.raises(ModelError, match=said) as caught:
        recognise(files)

    assert caught.value.hint


@given(st.dictionaries(st.text(min_size=1), st.binary(max_size=300), max_size=4))
def test_noise_is_never_more_than_a_typed_error(files: dict[str, bytes]) -> None:
    """Random bytes under random names neither crash the reader nor make it allocate."""
    with pytest.raises(ModelError):
        convert_artefact(files)


def test_an_openvino_ir_is_not_converted() -> None:
    """It is run as it is, elsewhere."""
    with pytest.raises(ModelError, match="run as it is"):
        convert_artefact(ARTEFACTS[Kind.OPENVINO])


@pytest.mark.parametrize("softmax", [True, False])
def test_an_onnx_network_is_taken_as_it_is_and_described(softmax: bool) -> None:  # noqa: FBT001
    """No byte of it changes."""
    data = classifier(softmax=softmax)
    made = convert_artefact({"a.onnx": data})

    assert data == made.onnx
    assert ("classification", 4, softmax) == (made.head.kind, made.head.classes, made.head.softmax)
    assert ("in", 8, 8, "NCHW", "float32") == (
        made.head.input.name,
        made.head.input.width,
        made.head.input.height,
        made.head.input.layout,
        made.head.input.dtype,
    )


def test_a_size_that_an_onnx_network_leaves_open_must_be_given() -> None:
    """And one that it says cannot be another."""
    data = classifier(("n", 3, "h", "w"))
    with pytest.raises(ModelError, match="leaves its width open"):
        convert_artefact({"a.onnx": data})
    with pytest.raises(ModelError, match="of the width 8, not 9"):
        convert_artefact({"a.onnx": classifier()}, width=9)

    source = convert_artefact({"a.onnx": data}, width=20, height=10).head.input

    assert (20, 10) == (source.width, source.height)


def test_an_onnx_network_with_weights_elsewhere_is_refused() -> None:
    """Such a file may name any path of the machine."""
    data = classifier()
    model = helper.make_model(helper.make_graph([], "g", [], []))
    model.ParseFromString(data)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    with pytest.raises(ModelError, match="weights in another file"):
        convert_artefact({"a.onnx": bytes(model.SerializeToString())})


def test_apart_an_artefact_becomes_the_same() -> None:
    """The other process gives the same file, head and report, or the same refusal."""
    for kind in (Kind.MXNET, Kind.CAFFE):
        files = ARTEFACTS[kind]

        assert convert_artefact(files, width=32, height=32) == convert_apart(files, width=32, height=32)
    with pytest.raises(ModelError) as here:
        convert_artefact(mxnet())
    with pytest.raises(ModelError) as apart:
        convert_apart(mxnet())
    assert (here.value.message, here.value.hint) == (apart.value.message, apart.value.hint)


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        (-9, b"", "killed by SIGKILL"),
        (1, b"", "exit 1"),
        (0, b"not json\n", "an answer that is none"),
        (0, b'{"kind": "onnx"}\n', "an answer that is none"),
        (3, b"{}\n", "an answer that is none"),
    ],
)
def test_apart_a_conversion_that_ends_otherwise_is_a_typed_error(code: int, line: bytes, said: str) -> None:
    """Killed for what it took, broken, or answering nonsense."""
    with pytest.raises(ModelError, match=said):
        read_answer(code, line, b"")
