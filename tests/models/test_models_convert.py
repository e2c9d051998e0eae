"""The converters: the same bytes everywhere, typed errors for every damaged file.

That the converted networks give the right vectors is shown in `tests/faces`.
"""

import hashlib

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from appliance.errors import ModelError
from appliance.models import convert_dlib, convert_sface, convert_yunet
from appliance.models.dlib_stream import read_network
from appliance.models.folder import ModelFolder


@pytest.fixture(scope="session")
def dat(installed: ModelFolder) -> bytes:
    """The published file of dlib."""
    return installed.path("dlib-resnet-dat").read_bytes()


@pytest.fixture(scope="session")
def sface(installed: ModelFolder) -> bytes:
    """SFace's published file."""
    return installed.path("sface-int8bq").read_bytes()


def test_dlibs_network_converts_to_the_bytes_in_the_manifest(installed: ModelFolder, dat: bytes) -> None:
    """Two boxes that convert have the same file, so that templates need no mark of who converted."""
    assert (
        installed.manifest.model("dlib-resnet").sha256
        == hashlib.sha256(convert_dlib.convert(dat)).hexdigest()
    )


def test_sface_converts_to_the_bytes_in_the_manifest(installed: ModelFolder, sface: bytes) -> None:
    """As for dlib's network."""
    assert (
        installed.manifest.model("sface").sha256 == hashlib.sha256(convert_sface.convert(sface)).hexdigest()
    )


def test_yunet_converts_to_the_bytes_in_the_manifest(installed: ModelFolder) -> None:
    """As for the embedders."""
    made = convert_yunet.convert(installed.path("yunet-int8bq").read_bytes())

    assert installed.manifest.model("yunet").sha256 == hashlib.sha256(made).hexdigest()


@pytest.mark.parametrize("kept", [0, 10, 50_000, 122_488])
def test_a_truncated_yunet_is_a_typed_error(installed: ModelFolder, kept: int) -> None:
    """Wherever a copy stopped."""
    with pytest.raises(ModelError):
        convert_yunet.convert(installed.path("yunet-int8bq").read_bytes()[:kept])


def test_another_onnx_network_is_not_taken_for_yunet(sface: bytes) -> None:
    """A valid file of another kind is refused, not half converted."""
    with pytest.raises(ModelError, match="not the network that was expected"):
        convert_yunet.convert(sface)


def test_the_published_stream_is_read_to_its_end(dat: bytes) -> None:
    """108 layers: 29 convolutions with as many affine layers, 14 additions, 5 averages, one matrix."""
    network = read_network(dat)
    kinds = [layer.kind for layer in network.layers]

    assert 108 == len(kinds)
    assert [29, 29, 14, 5, 1, 1] == [
        kinds.count(kind) for kind in ("con_4", "affine_", "add_prev_", "avg_pool_2", "max_pool_2", "fc_2")
    ]
    assert (150, 150) == (network.height, network.width)
    assert pytest.approx((122.782, 117.001, 104.298), abs=1e-3) == network.means


@pytest.mark.parametrize("kept", [0, 1, 4, 100, 291, 340, 19_379, 56_000, 22_334_910, 22_466_065])
def test_a_truncated_dat_is_a_typed_error(dat: bytes, kept: int) -> None:
    """Wherever a copy stopped: the message says at which byte."""
    with pytest.raises(ModelError, match="at byte"):
        convert_dlib.convert(dat[:kept])


def test_a_stream_with_something_behind_it_is_refused(dat: bytes) -> None:
    """The file is the network and nothing else."""
    with pytest.raises(ModelError):
        convert_dlib.convert(dat + b"\x01\x05hello")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_noise_is_never_more_than_a_typed_error(data: bytes) -> None:
    """Random bytes neither crash the reader nor make it allocate."""
    with pytest.raises(ModelError):
        convert_dlib.convert(data)
    with pytest.raises(ModelError):
        convert_sface.convert(data)
    with pytest.raises(ModelError):
        convert_yunet.convert(data)


@settings(max_examples=80, deadline=None)
@given(
    position=st.integers(0, 420) | st.integers(19_000, 20_500),
    patch=st.binary(min_size=1, max_size=12),
    kept=st.integers(20_000, 57_000),
)
def test_a_garbled_header_is_never_more_than_a_typed_error(
    dat: bytes, position: int, patch: bytes, kept: int
) -> None:
    """Bytes overwritten in the header and in the first records, which steer all allocation."""
    data = dat[:position] + patch + dat[position + len(patch) : kept]

    with pytest.raises(ModelError):
        convert_dlib.convert(data)


@pytest.mark.parametrize("size", [b"\x08\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x04\xff\xff\xff\x7f"])
def test_a_huge_size_is_refused_before_anything_is_allocated(dat: bytes, size: bytes) -> None:
    """The first tensor claims exabytes: an error, at once."""
    start = dat.index(b"con_4") + len(b"con_4") + 2
    with pytest.raises(ModelError):
        read_network(dat[:start] + size * 4 + dat[start:])


def test_a_network_of_another_shape_is_refused(dat: bytes) -> None:
    """A stream that reads well but lacks its last layers would give wrong vectors; it is not converted."""
    last = dat.rindex(b"\x01\x04fc_2")

    with pytest.raises(ModelError, match="not the published face network"):
        convert_dlib.convert(dat[:last])


@pytest.mark.parametrize("kept", [0, 10, 50_000, 10_000_000, 10_667_851])
def test_a_truncated_sface_is_a_typed_error(sface: bytes, kept: int) -> None:
    """Wherever a copy stopped."""
    with pytest.raises(ModelError):
        convert_sface.convert(sface[:kept])


def test_another_onnx_network_is_not_taken_for_sface(installed: ModelFolder) -> None:
    """A valid file of another kind is refused, not half converted."""
    with pytest.raises(ModelError, match="not the network that was expected"):
        convert_sface.convert(installed.path("dlib-resnet").read_bytes())


def test_weights_in_another_file_are_refused() -> None:
    """An ONNX file may name any path of the machine as the place of its weights; ours may not."""
    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1])
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="../../etc/hostname")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "outside",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [outside],
    )

    with pytest.raises(ModelError, match="another file"):
        convert_sface.convert(helper.make_model(graph).SerializeToString())


def test_the_converted_files_are_valid_onnx(installed: ModelFolder) -> None:
    """They follow the standard, so that other runtimes can read them too."""
    onnx.checker.check_model(str(installed.path("dlib-resnet")), full_check=True)
    onnx.checker.check_model(str(installed.path("sface")), full_check=True)
    onnx.checker.check_model(str(installed.path("yunet")), full_check=True)
