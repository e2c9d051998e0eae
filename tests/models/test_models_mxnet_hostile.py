"""MXNet files that are damaged, cut short or made to hurt: a valid network or a typed error, nothing else."""

import json
import struct
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ModelError
from appliance.models.convert_mxnet import convert
from appliance.models.mxnet_params import read_parameters
from appliance.models.mxnet_symbol import read_symbol

FOLDER = Path(__file__).parent / "data" / "mxnet"
SIDE = 32
TYPES = {"<f4": 0, "<f8": 1, "<f2": 2, "u1": 3, "<i4": 4, "i1": 5, "<i8": 6}
FIRST, SECOND, THIRD = 0xF993FAC8, 0xF993FAC9, 0xF993FACA


def parameters(arrays: dict[str, np.ndarray], magic: int = SECOND) -> bytes:
    """A file as one of MXNet's versions wrote it; 0 for the oldest, which had no header."""
    parts = [struct.pack("<QQQ", 0x112, 0, len(arrays))]
    for array in arrays.values():
        if magic:
            parts.append(struct.pack("<I", magic))
        if magic in {SECOND, THIRD}:
            parts.append(struct.pack("<i", 0))
        form = "q" if magic else "I"
        parts.append(struct.pack(f"<i{array.ndim}{form}", array.ndim, *array.shape))
        parts.append(struct.pack("<iii", 1, 0, TYPES[array.dtype.str.replace("|", "")]))
        parts.append(array.tobytes())
    parts.append(struct.pack("<Q", len(arrays)))
    parts += [struct.pack("<Q", len(name)) + name.encode() for name in arrays]
    return b"".join(parts)


def check_outcome(symbol: bytes, params: bytes) -> None:
    """What converts is a valid network with sound shapes; what does not is a typed error."""
    try:
        made = convert(symbol, params, width=SIDE, height=SIDE)
    except ModelError:
        return
    onnx.checker.check_model(onnx.load_model_from_string(made.onnx), full_check=True)


@pytest.fixture(scope="module")
def zoo() -> tuple[bytes, bytes]:
    """A small network's symbol and parameters."""
    return (FOLDER / "zoo-symbol.json").read_bytes(), (FOLDER / "zoo-0000.params").read_bytes()


@pytest.mark.parametrize("magic", [0, FIRST, SECOND, THIRD])
@pytest.mark.parametrize("kind", TYPES)
def test_every_version_and_type_of_array_is_read(magic: int, kind: str) -> None:
    """Versions 0.8 to 1.9, and all the numbers they stored."""
    array = np.arange(6).reshape(1, 2, 3).astype(kind)
    found = read_parameters(parameters({"arg:a": array, "aux:b": array[0], "c": array[0, 0]}, magic))

    np.testing.assert_array_equal(array, found.arguments["a"])
    np.testing.assert_array_equal(array[0], found.auxiliary["b"])
    np.testing.assert_array_equal(array[0, 0], found.arguments["c"])
    assert array.dtype == found.arguments["a"].dtype


@given(at=st.integers(0, 10_000))
def test_parameters_cut_short_are_a_typed_error(zoo: tuple[bytes, bytes], at: int) -> None:
    """Wherever a copy stopped."""
    with pytest.raises(ModelError):
        read_parameters(zoo[1][: at % len(zoo[1])])


@given(at=st.integers(0, 100_000))
def test_a_symbol_cut_short_is_a_typed_error(zoo: tuple[bytes, bytes], at: int) -> None:
    """Wherever a copy stopped."""
    with pytest.raises(ModelError):
        read_symbol(zoo[0].rstrip()[: at % len(zoo[0].rstrip())])


@given(at=st.integers(0, 100_000), bit=st.integers(0, 7), which=st.integers(0, 1))
def test_a_flipped_bit_is_a_network_or_a_typed_error(
    zoo: tuple[bytes, bytes], at: int, bit: int, which: int
) -> None:
    """In either file."""
    pair = [bytearray(each) for each in zoo]
    place = at % len(pair[which])
    pair[which][place] ^= 1 << bit

    check_outcome(bytes(pair[0]), bytes(pair[1]))


@given(
    at=st.integers(0, 3000),
    patch=st.sampled_from([0, 1, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 1 << 40]),
)
def test_a_length_that_promises_too_much_takes_no_memory(
    zoo: tuple[bytes, bytes], at: int, patch: int
) -> None:
    """Any eight bytes may be the length that matters."""
    data = bytearray(zoo[1])
    struct.pack_into("<Q", data, at % (len(data) - 8), patch)

    check_outcome(zoo[0], bytes(data))


VALUES = st.sampled_from(
    [
        "",
        "None",
        "0",
        "-1",
        "(0, 0)",
        "(1, 1)",
        "(99999999, 99999999)",
        "(-1, 3)",
        "1e308",
        "nan",
        "True",
        "x",
        "(",
    ]
)


@given(st.data())
def test_any_setting_may_say_anything(data: st.DataObject) -> None:
    """Zero strides, windows as large as the world, words where numbers should be."""
    name = data.draw(st.sampled_from(["zoo", "windows", "shapes", "activations"]))
    tree = json.loads((FOLDER / f"{name}-symbol.json").read_bytes())
    node = data.draw(st.sampled_from([each for each in tree["nodes"] if each.get("attrs")]))
    key = data.draw(st.sampled_from(sorted(node["attrs"])))
    node["attrs"][key] = data.draw(VALUES)
    params = (FOLDER / f"{name}-0000.params").read_bytes()

    check_outcome(json.dumps(tree).encode(), params)


@given(st.data())
def test_nodes_may_be_joined_in_any_way(data: st.DataObject) -> None:
    """To themselves, to later ones, to outputs that are not there, to nothing."""
    tree = json.loads((FOLDER / "zoo-symbol.json").read_bytes())
    node = data.draw(st.sampled_from(tree["nodes"]))
    entry = st.lists(st.integers(-2, 60), max_size=3)
    node["inputs"] = data.draw(st.lists(entry, max_size=6))

    check_outcome(json.dumps(tree).encode(), (FOLDER / "zoo-0000.params").read_bytes())


@pytest.mark.parametrize(
    "symbol",
    [
        b"",
        b"[]",
        b"{}",
        b'{"nodes": [], "heads": []}',
        b'{"nodes": 5, "heads": [[0]]}',
        b"[" * 100_000,
        b'{"nodes": [{"op": "null", "name": "data", "inputs": []}], "heads": [[3, 0, 0]]}',
    ],
)
def test_what_is_no_symbol_is_a_typed_error(symbol: bytes) -> None:
    """Empty, of another shape, nested without end."""
    with pytest.raises(ModelError):
        read_symbol(symbol)


def test_a_chain_that_doubles_a_map_again_and_again_is_refused() -> None:
    """Forty nodes of a hundred bytes would ask for more memory than there is."""
    nodes: list[dict[str, object]] = [{"op": "null", "name": "data", "inputs": []}]
    nodes += [
        {
            "op": "UpSampling",
            "name": f"u{at}",
            "attrs": {"scale": "2", "sample_type": "nearest"},
            "inputs": [[at, 0, 0]],
        }
        for at in range(40)
    ]
    symbol = json.dumps({"nodes": nodes, "heads": [[40, 0, 0]]}).encode()

    with pytest.raises(ModelError, match="a value of the shape"):
        convert(symbol, parameters({}), width=SIDE, height=SIDE)


def test_sparse_and_unknown_arrays_are_refused_by_name() -> None:
    """With what to do."""
    array = np.zeros(2, "<f4")
    data = bytearray(parameters({"a": array}))
    struct.pack_into("<i", data, 28, 1)
    with pytest.raises(ModelError, match="sparsely"):
        read_parameters(bytes(data))
    data = bytearray(parameters({"a": array}))
    struct.pack_into("<i", data, 52, 12)
    with pytest.raises(ModelError, match="kind"):
        read_parameters(bytes(data))
