"""Writing an ONNX graph of which every value's shape is known: what converters of users' networks share.

As a picture's size is given, all shapes are; so windows that stick out, as Caffe's and MXNet's do, become
ordinary padding. Batches are of one picture. Holds every value against `LARGEST_VALUE`, so that a hostile
file makes no network that asks for the machine's memory. Does not know any network or file format.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from appliance.models.artefact import LARGEST_VALUE, damaged, unsupported
from appliance.models.onnx_graph import GraphWriter

Array = NDArray[Any]
Pair = tuple[int, int]
Shape = tuple[int, ...]

_MOST_NUMBERS = 1 << 28
"""In all constants of a graph: 1 GiB."""
_MAP_AXES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A value in the graph.

    Attributes:
        shape: Numbers along each axis.
        name: In the graph; empty for a constant that is not written yet.
        array: What it is, for a constant.
    """

    shape: Shape
    name: str = ""
    array: Array | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """How a convolution or pooling goes over a map: each as (vertical, horizontal).

    Attributes:
        size: Of the window.
        stride: Cells from one to the next.
        pad: Cells added before the first and after the last.
        dilation: Cells from one of the window's to the next.
        ceil: Whether a last window may stick out.
        clips: Whether one that would begin behind the map is left out.
    """

    size: Pair
    stride: Pair = (1, 1)
    pad: Pair = (0, 0)
    dilation: Pair = (1, 1)
    ceil: bool = False
    clips: bool = False

    def cells(self, before: Pair) -> Pair:
        """How many windows there are in a map.

        Raises:
            ModelError: The window is larger than the map, or none at all.
        """
        numbers = (*self.size, *self.stride, *self.dilation)
        if min(numbers) < 1 or min(self.pad) < 0 or max(*numbers, *self.pad) > LARGEST_VALUE:
            raise damaged(f"a window {self.size} moved by {self.stride}")
        rows, columns = (self._along(axis, before[axis]) for axis in (0, 1))
        return rows, columns

    def _along(self, axis: int, before: int) -> int:
        room = before + 2 * self.pad[axis] - self.span[axis]
        if room < 0:
            raise damaged(f"a window of {self.span[axis]} cells on a map of {before}")
        count = (-(-room // self.stride[axis]) if self.ceil else room // self.stride[axis]) + 1
        beside = self.clips and (count - 1) * self.stride[axis] >= before + self.pad[axis]
        return count - 1 if beside else count

    @property
    def span(self) -> Pair:
        """Cells from the window's first to its last."""
        rows, columns = ((self.size[i] - 1) * self.dilation[i] + 1 for i in (0, 1))
        return rows, columns


class ShapedGraph:
    """Collects nodes with the shapes of their values.

    Args:
        name: Of the graph.
    """

    def __init__(self, name: str) -> None:
        self.writer = GraphWriter(name)
        self._constants: dict[int, tuple[Array, str]] = {}
        self._numbers = 0

    def name(self, value: Value | Array) -> str:
        """The name of a value in the graph; a constant is written when it is first asked for, and once."""
        array = value if isinstance(value, np.ndarray) else value.array
        if array is None:
            return value.name if isinstance(value, Value) else ""
        if id(array) not in self._constants:
            self._numbers += array.size
            if self._numbers > _MOST_NUMBERS:
                raise unsupported(f"a network of more than {_MOST_NUMBERS} weights")
            # Kept with its array, so that no other gets the same id.
            self._constants[id(array)] = array, self.writer.weight(array)
        return self._constants[id(array)][1]

    def node(
        self, operator: str, inputs: Sequence[Value | Array], shape: Sequence[int], **attributes: Any
    ) -> Value:
        """Add an operator.

        Raises:
            ModelError: Its value would be empty or too large.
        """
        count = 1
        for size in shape:
            count *= size
        if not 0 < count <= LARGEST_VALUE:
            raise unsupported(f"a value of the shape {tuple(shape)} in the network")
        names = [self.name(each) for each in inputs]
        return Value(tuple(shape), self.writer.node(operator, names, **attributes))

    def map_size(self, value: Value) -> Pair:
        """Rows and columns of a map, (1, channels, rows, columns).

        Raises:
            ModelError: It is no map.
        """
        if len(value.shape) != _MAP_AXES:
            raise unsupported(f"a value of the shape {value.shape} where a map should be")
        return value.shape[2], value.shape[3]

    def convolved(
        self, value: Value, weight: Value, bias: Value | None, window: Window, group: int = 1
    ) -> Value:
        """A convolution; weight (out, in / group, rows, columns), bias (out).

        Raises:
            ModelError: The weights do not fit the map.
        """
        after = window.cells(self.map_size(value))
        channels = value.shape[1]
        if group < 1 or channels % group or weight.shape[1:] != (channels // group, *window.size):
            raise damaged(f"weights of the shape {weight.shape} for {channels} channels in {group} groups")
        if weight.shape[0] % group or (bias is not None and bias.shape != weight.shape[:1]):
            raise damaged(f"weights of the shape {weight.shape} with another number of offsets")
        return self.node(
            "Conv",
            [value, weight] if bias is None else [value, weight, bias],
            (value.shape[0], weight.shape[0], *after),
            group=group,
            kernel_shape=list(window.size),
            pads=[*window.pad, *window.pad],
            strides=list(window.stride),
            **({} if window.dilation == (1, 1) else {"dilations": list(window.dilation)}),
        )

    def pooled(
        self, value: Value, kind: Literal["max", "avg", "sum"], window: Window, *, counts_pad: bool
    ) -> Value:
        """A pooling; the mean of a window counts padding as zeros if `counts_pad`, but never what sticks out.

        Raises:
            ModelError: A window would lie beside the map.
        """
        before = self.map_size(value)
        after = window.cells(before)
        ends = [
            (after[i] - 1) * window.stride[i] + window.size[i] - before[i] - window.pad[i] for i in (0, 1)
        ]
        if any(max(ends[i], window.pad[i]) >= window.size[i] for i in (0, 1)):
            raise unsupported(f"a pooling of {window.size} that goes over nothing but its padding")
        settings = {
            "kernel_shape": list(window.size),
            "pads": [*window.pad, *(max(0, end) for end in ends)],
            "strides": list(window.stride),
        }
        shape = (*value.shape[:2], *after)
        if kind == "max":
            return self.node("MaxPool", [value], shape, **settings)
        mean = self.node("AveragePool", [value], shape, count_include_pad=1, **settings)
        for axis in (0, 1):
            size = window.size[axis]
            counts = _counted(window, axis, before[axis], after[axis], counts_pad=counts_pad)
            # The operator divided by all of the window.
            factors = size / counts if kind == "avg" else np.full(1, float(size))
            if (factors != 1).any():
                along = (1, 1, -1, 1) if axis == 0 else (1, 1, 1, -1)
                mean = self.node("Mul", [mean, factors.astype(np.float32).reshape(along)], shape)
        return mean

    def reshaped(self, value: Value, shape: Sequence[int]) -> Value:
        """The same numbers in another shape.

        Raises:
            ModelError: They do not fill it.
        """
        if any(size < 1 for size in shape) or np.prod(shape, dtype=object) != np.prod(
            value.shape, dtype=object
        ):
            raise damaged(f"a value of the shape {value.shape} that should become {tuple(shape)}")
        if tuple(shape) == value.shape:
            return value
        return self.node("Reshape", [value, np.array(shape, np.int64)], shape)

    def transposed(self, value: Value, axes: Sequence[int]) -> Value:
        """The same numbers with their axes in another order.

        Raises:
            ModelError: There is no such order.
        """
        if sorted(axes) != list(range(len(value.shape))):
            raise damaged(f"axes in the order {tuple(axes)} for a value of the shape {value.shape}")
        return self.node("Transpose", [value], [value.shape[axis] for axis in axes], perm=list(axes))

    def joined(self, values: Sequence[Value], axis: int) -> Value:
        """Values one after the other along an axis.

        Raises:
            ModelError: They differ in another axis too.
        """
        axes = len(values[0].shape) if values else 0
        place = axis + axes if axis < 0 else axis
        rest = {(*each.shape[:place], *each.shape[place + 1 :]) for each in values}
        if not 0 <= place < axes or len(rest) != 1 or any(len(each.shape) != axes for each in values):
            raise damaged(f"values of the shapes {[each.shape for each in values[:4]]} joined along {axis}")
        shape = list(values[0].shape)
        shape[place] = sum(each.shape[place] for each in values)
        return self.node("Concat", values, shape, axis=place)

    def file(self, source: Value, outputs: Mapping[str, Value]) -> bytes:
        """The finished model; its input is `data`, float32, of the shape of `source`."""
        named = {
            name: (self.node("Identity", [value], value.shape).name, list(value.shape))
            for name, value in outputs.items()
        }
        return self.writer.file(input_shape=list(source.shape), outputs=named, planes=True)


def _counted(window: Window, axis: int, before: int, after: int, *, counts_pad: bool) -> Array:
    """How many cells of a side of each window count."""
    starts = np.arange(after) * window.stride[axis] - window.pad[axis]
    ends = np.minimum(starts + window.size[axis], before + (window.pad[axis] if counts_pad else 0))
    counted: Array = ends - (starts if counts_pad else np.maximum(starts, 0))
    return counted
