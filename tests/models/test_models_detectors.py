"""The converters of object networks: the same bytes everywhere, typed errors for every damaged file.

That the converted networks find the right things is shown in `tests/objects`.
"""

import hashlib
import struct

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from protobuf_writing import field, varint

from appliance.errors import ModelError
from appliance.models.folder import ModelFolder
from appliance.models.install import CONVERTERS
from appliance.models.protobuf_fields import Fields

INSTALLED = {"voc-ssd": "voc-ssd-caffe", "coco-ssd": "coco-ssd-graph"}
"""Converted models, and what they are made from."""


@pytest.fixture(scope="session")
def published(installed: ModelFolder) -> dict[str, bytes]:
    """The published files, by the model that is made of each."""
    return {name: installed.path(origin).read_bytes() for name, origin in INSTALLED.items()}


@pytest.mark.parametrize("name", INSTALLED)
def test_a_published_file_converts_to_the_bytes_in_the_manifest(
    installed: ModelFolder, published: dict[str, bytes], name: str
) -> None:
    """Two boxes that convert have the same file, so that they see the same."""
    made = CONVERTERS[name](published[name])

    assert installed.manifest.model(name).sha256 == hashlib.sha256(made).hexdigest()


@pytest.mark.parametrize("name", INSTALLED)
def test_the_converted_files_are_valid_onnx(installed: ModelFolder, name: str) -> None:
    """They follow the standard, so that other runtimes can read them too."""
    onnx.checker.check_model(str(installed.path(name)), full_check=True)


@pytest.mark.parametrize("kept", [0, 1, 13, 200, 5_000, 1_000_000, -1])
@pytest.mark.parametrize("name", INSTALLED)
def test_a_truncated_file_is_a_typed_error(published: dict[str, bytes], name: str, kept: int) -> None:
    """Wherever a copy stopped."""
    with pytest.raises(ModelError):
        CONVERTERS[name](published[name][:kept])


@pytest.mark.parametrize("name", ["voc-ssd", "coco-ssd", "yolox"])
@pytest.mark.parametrize("other", ["voc-ssd-caffe", "coco-ssd-graph", "yunet-int8bq", "dlib-resnet"])
def test_another_network_is_not_taken_for_it(installed: ModelFolder, name: str, other: str) -> None:
    """A valid file of another kind is refused, not half converted."""
    if INSTALLED.get(name) == other:
        return
    with pytest.raises(ModelError):
        CONVERTERS[name](installed.path(other).read_bytes())


@given(st.binary(max_size=400))
def test_noise_is_never_more_than_a_typed_error(data: bytes) -> None:
    """Random bytes neither crash a reader nor make it allocate."""
    for name in ("voc-ssd", "coco-ssd", "yolox"):
        with pytest.raises(ModelError):
            CONVERTERS[name](data)


@given(position=st.integers(0, 3000), patch=st.binary(min_size=1, max_size=8))
def test_a_garbled_beginning_is_never_more_than_a_typed_error(
    published: dict[str, bytes], position: int, patch: bytes
) -> None:
    """Bytes overwritten in the first layers, of a file that also stops short."""
    data = published["voc-ssd"][:60_000]
    with pytest.raises(ModelError):
        CONVERTERS["voc-ssd"](data[:position] + patch + data[position + len(patch) :])


# ---------------------------------------------------------------- protobuf


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.booleans())
def test_whole_numbers_come_back_packed_or_one_by_one(numbers: list[int], packed: bool) -> None:  # noqa: FBT001
    """Both ways are allowed, and writers use both."""
    data = (
        field(5, 2, b"".join(map(varint, numbers)))
        if packed
        else b"".join(field(5, 0, varint(each)) for each in numbers)
    )

    assert numbers == Fields(data).wholes(5)


@given(st.lists(st.floats(width=32, allow_nan=False)), st.text())
def test_numbers_and_text_come_back(numbers: list[float], text: str) -> None:
    """As their writer meant them, whatever else is in the message."""
    inner = field(1, 2, text.encode()) + field(2, 2, struct.pack(f"<{len(numbers)}f", *numbers))
    data = field(9, 1, b"12345678") + field(3, 2, inner) + field(4, 5, struct.pack("<f", 1.5))
    message = Fields(data)

    assert text == message.message(3).text(1)
    assert numbers == message.message(3).floats(2).tolist()
    assert (1.5, 0.0) == (message.real(4), message.real(8))
    assert ("", 7, []) == (message.text(8), message.whole(8, 7), message.messages(8))


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x05abc",  # five bytes are promised, three are there
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # exabytes are promised
        b"\xff" * 12,  # a number without an end
        b"\x0b",  # a group, which nobody writes any more
        b"\x0d\x00\x00",  # half a number
        b"\x08",  # a key without its value
    ],
)
def test_what_is_no_message_is_refused_before_anything_is_allocated(data: bytes) -> None:
    """A typed error that says where."""
    with pytest.raises(ModelError, match="published weights"):
        Fields(data)


@pytest.mark.parametrize("read", ["floats", "texts", "messages"])
def test_a_field_of_another_type_is_a_typed_error(read: str) -> None:
    """A number where weights should be."""
    with pytest.raises(ModelError):
        getattr(Fields(b"\x08\x05"), read)(1)
    with pytest.raises(ModelError):
        Fields(field(1, 2, b"\xff\xfe\x00")).texts(1)
    with pytest.raises(ModelError):
        Fields(field(1, 2, b"abc")).floats(1)
