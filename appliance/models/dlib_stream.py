"""Reader of the stream in which dlib stores its face recognition network.

Follows `dlib/dnn/core.h`, `layers.h` and `tensor.h` of dlib 19.x and 20.x as far as the published
`dlib_face_recognition_resnet_model_v1.dat` uses them. The file is untrusted until its hash was
checked, and this reader does not rely on that: every length is compared with what is left before
anything is allocated. It knows records, not what they compute; `convert_dlib` does.

The stream: an integer is one control byte (low four bits: how many bytes follow; 0x80: negative) and that
many bytes, least significant first. A float is two integers, mantissa and power of two. A bool is the
character `0` or `1`. A string is its length and its bytes. A tensor is version 2, four dimensions, and raw
little-endian float32. Layers are nested, outermost header first, so their bodies follow each other from the
input to the output.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from appliance.errors import ModelError
from appliance.values import FloatArray

MAX_LAYERS = 1000
"""More layers than any network we convert has (the published one: 108); bounds the header."""
MAX_SIZE = 1 << 24
"""Larger than any dimension of a layer of ours (the largest: 589,824 numbers in one tensor)."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as stored.

    Attributes:
        kind: dlib's name of the record: `con_4`, `affine_`, `relu_`, `add_prev_`, `max_pool_2`,
            `avg_pool_2`, `fc_2`.
        shape: `con_4`: filters, rows, columns, stride y, stride x, padding y, padding x. Pools: the same
            without filters. `fc_2`: outputs, inputs. Otherwise empty.
        weight: `con_4`: float32 (filters, channels, rows, columns). `affine_`: the factor, (channels,).
            `fc_2`: (inputs, outputs), to be multiplied from the right. Otherwise None.
        bias: float32, one a filter or channel, or None.
    """

    kind: str
    shape: tuple[int, ...] = ()
    weight: FloatArray | None = field(default=None, repr=False)
    bias: FloatArray | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Network:
    """A stored network.

    Attributes:
        means: Average red, green and blue that are subtracted from the input before it is divided by 256.
        height: Rows of the input picture.
        width: Columns of the input picture.
        layers: From the input to the output.
    """

    means: tuple[float, float, float]
    height: int
    width: int
    layers: tuple[Layer, ...]


class _Reader:
    """Reads the elements of the stream, and knows where it is."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def fail(self, what: str) -> ModelError:
        """The error for a fault at the present position."""
        return ModelError(
            f"dlib weights: {what} at byte {self.position} of {len(self._data)}",
            hint="the file is damaged or of another kind",
            command="fetch it again with: appliance models install",
        )

    @property
    def at_end(self) -> bool:
        """Everything was read."""
        return self.position == len(self._data)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count < 0 or count > len(self._data) - self.position:
            raise self.fail(f"{count} more bytes expected, the file ends")
        start = self.position
        self.position += count
        return self._data[start : self.position]

    def integer(self) -> int:
        """A whole number of at most eight bytes."""
        control = self.take(1)[0]
        length = control & 0x0F
        if control & 0x70 or not 1 <= length <= 8:  # noqa: PLR2004 - the format's own limits
            self.position -= 1
            raise self.fail(f"no integer (control byte {control:#04x})")
        value = int.from_bytes(self.take(length), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        """A finite floating-point number of moderate size."""
        mantissa, exponent = self.integer(), self.integer()
        try:
            value = math.ldexp(mantissa, exponent)
        except OverflowError as error:
            raise self.fail("number too large") from error
        return value

    def flag(self) -> bool:
        """A truth value."""
        byte = self.take(1)
        if byte not in {b"0", b"1"}:
            self.position -= 1
            raise self.fail("neither true nor false")
        return byte == b"1"

    def name(self) -> str:
        """The name of a record: short, ASCII."""
        length = self.integer()
        if not 1 <= length <= 64:  # noqa: PLR2004 - dlib's names have at most 21 characters
            raise self.fail("no name of a record")
        try:
            return self.take(length).decode("ascii")
        except UnicodeDecodeError as error:
            raise self.fail("no name of a record") from error

    def expect(self, value: int, what: str) -> None:
        """The next integer must be `value`."""
        found = self.integer()
        if found != value:
            raise self.fail(f"{what}: expected {value}, got {found}")

    def sizes(self, count: int) -> tuple[int, ...]:
        """`count` integers from 0 to `MAX_SIZE`."""
        found = tuple(self.integer() for _ in range(count))
        if min(found) < 0 or max(found) > MAX_SIZE:
            raise self.fail("a size out of range")
        return found

    def tensor(self) -> FloatArray:
        """A tensor, float32, four-dimensional; its size is checked against what is left."""
        self.expect(2, "version of a tensor")
        shape = self.sizes(4)
        if 0 in shape:
            return np.empty((0, 0, 0, 0), dtype=np.float32)
        values = np.frombuffer(self.take(4 * math.prod(shape)), dtype="<f4")
        if not np.isfinite(values).all():
            raise self.fail("a weight that is not finite")
        return values.reshape(shape).astype(np.float32, copy=False)

    def view(self) -> tuple[int, ...]:
        """The shape of an alias into a tensor."""
        self.expect(1, "version of a view")
        return self.sizes(4)


def read_network(data: bytes) -> Network:
    """Read a whole `.dat` stream.

    Args:
        data: The file's bytes.

    Raises:
        ModelError: The stream is truncated, garbled, of another version, or holds a layer of a kind
            that the face network does not have; the message gives the byte.
    """
    reader = _Reader(data)
    reader.expect(1, "version of the loss layer")
    if (loss := reader.name()) != "loss_metric_2":
        raise reader.fail(f"a face network ends in loss_metric_2, not {loss!r}")
    reader.number()  # margin
    reader.number()  # distance threshold used in training
    # One version per layer or tag, outermost first; the layer on top of the input has version 3.
    for _ in range(MAX_LAYERS):
        version = reader.integer()
        if version == 3:  # noqa: PLR2004 - see above
            break
        if version not in {1, 2}:
            raise reader.fail(f"unknown layer version {version}")
    else:
        raise reader.fail("too many layers")
    if (source := reader.name()) != "input_rgb_image_sized":
        raise reader.fail(f"expected input_rgb_image_sized, got {source!r}")
    means = (reader.number(), reader.number(), reader.number())
    height, width = reader.sizes(2)
    layers: list[Layer] = []
    while not reader.at_end:
        if len(layers) == MAX_LAYERS:
            raise reader.fail("too many layers")
        layers.append(_layer(reader))
        if len(layers) == 1:
            reader.expect(1, "expansion of the input")
    return Network(means, height, width, tuple(layers))


def _layer(reader: _Reader) -> Layer:
    """Read one layer and the training state that follows it, which must be empty."""
    kind = reader.name()
    match kind:
        case "con_4":
            layer = _convolution(reader)
        case "affine_":
            layer = _affine(reader)
        case "fc_2":
            layer = _fully_connected(reader)
        case "max_pool_2" | "avg_pool_2":
            layer = Layer(kind, reader.sizes(6))
        case "relu_" | "add_prev_":
            layer = Layer(kind)
        case _:
            raise reader.fail(f"unknown layer {kind!r}")
    for _ in range(3):  # set up, gradient stale, output disabled
        reader.flag()
    for _ in range(3):  # gradient, output and parameter gradient: training's, not stored when published
        if reader.tensor().size:
            raise reader.fail("training state in a published network")
    return layer


def _multipliers(reader: _Reader) -> None:
    """Skip learning rate and weight decay factors, which only training uses."""
    for _ in range(4):
        reader.number()


def _convolution(reader: _Reader) -> Layer:
    values = reader.tensor().reshape(-1)
    shape = reader.sizes(7)
    filters, biases = reader.view(), reader.view()
    _multipliers(reader)
    count = math.prod(filters)
    if biases != (1, filters[0], 1, 1) or (filters[0], *filters[2:]) != shape[:3]:
        raise reader.fail("filters and biases of a convolution do not fit together")
    if count + filters[0] != values.size:
        raise reader.fail("a convolution with another number of weights than it says")
    return Layer("con_4", shape, values[:count].reshape(filters), values[count:])


def _affine(reader: _Reader) -> Layer:
    values = reader.tensor().reshape(-1)
    factor, offset = reader.view(), reader.view()
    reader.expect(0, "mode of an affine layer (0: after a convolution)")
    channels = factor[1]
    if factor != (1, channels, 1, 1) or offset != factor or 2 * channels != values.size:
        raise reader.fail("an affine layer with another number of weights than it says")
    return Layer("affine_", (), values[:channels], values[channels:])


def _fully_connected(reader: _Reader) -> Layer:
    outputs, inputs = reader.sizes(2)
    weight = reader.tensor()
    view, empty = reader.view(), reader.view()
    reader.integer()  # with or without bias; decided by the views
    _multipliers(reader)
    if weight.shape != (inputs, outputs, 1, 1) or view != weight.shape or math.prod(empty) != 0:
        raise reader.fail("a fully connected layer with another number of weights than it says")
    return Layer("fc_2", (outputs, inputs), weight.reshape(inputs, outputs))
