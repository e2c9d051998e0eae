"""Small frozen TensorFlow SSDs of random weights, written as the object detection API writes its graphs.

OpenCV's own reader runs the part between the picture and the predictors, so it is the reference of that.
"""

from dataclasses import dataclass, field

import numpy as np
from protobuf_writing import field as message
from protobuf_writing import text, varint, whole

TYPES = {"float32": 1, "int32": 3}
SIDE = 32
CLASSES = 3
"""Without the one for nothing at all."""
ANCHORS = 2
"""In a cell."""


def attribute(name: str, value: bytes) -> bytes:
    """An attribute of a node."""
    return message(5, 2, text(1, name) + message(2, 2, value))


def wholes(*values: int) -> bytes:
    """The value of an attribute that is a list."""
    return message(1, 2, message(3, 2, b"".join(map(varint, values))))


def tensor(array: np.ndarray) -> bytes:
    """The value of an attribute that is a tensor."""
    shape = b"".join(message(2, 2, whole(1, size)) for size in array.shape)
    # A single whole number stands in a field of its own, as TensorFlow writes it.
    content = (
        whole(7, int(array))
        if array.dtype == np.int32 and not array.shape
        else message(4, 2, array.tobytes())
    )
    return message(8, 2, whole(1, TYPES[array.dtype.name]) + message(2, 2, shape) + content)


@dataclass
class TensorflowNet:
    """Collects nodes; the methods give the name of what they added."""

    _nodes: dict[str, bytes] = field(default_factory=dict)
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(11))

    def node(self, operation: str, name: str, *inputs: str, **attributes: bytes) -> str:
        """A node."""
        written = "".join(each + "\n" for each in inputs)
        given = b"".join(text(3, each) for each in written.split())
        given += b"".join(attribute(key, value) for key, value in attributes.items())
        self._nodes[name] = message(1, 2, text(1, name) + text(2, operation) + given)
        return name

    def constant(self, name: str, value: np.ndarray) -> str:
        """A constant, and what reads it."""
        kind = whole(6, TYPES[value.dtype.name])
        self.node("Const", name, dtype=kind, value=tensor(value))
        return self.node("Identity", f"{name}/read", name, T=kind)

    def number(self, name: str, value: float) -> str:
        """A single number."""
        return self.node("Const", name, dtype=whole(6, 1), value=tensor(np.array(value, np.float32)))

    def random(self, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
        """Weights."""
        return self._rng.uniform(low, high, shape).astype(np.float32)

    def conv(
        self, name: str, source: str, shape: tuple[int, int, int, int], stride: int, *, single: bool
    ) -> str:
        """A convolution without offsets."""
        scale = np.float32((shape[0] * shape[1] * (1 if single else shape[2])) ** -0.5 * 2)
        weights = self.constant(f"{name}/weights", self.random(*shape) * scale)
        operation = "DepthwiseConv2dNative" if single else "Conv2D"
        window = {
            "strides": wholes(1, stride, stride, 1),
            "padding": text(2, "SAME"),
            "data_format": text(2, "NHWC"),
        }
        return self.node(operation, f"{name}/{operation}", source, weights, T=whole(6, 1), **window)

    def norm(self, name: str, source: str, channels: int) -> str:
        """A normalisation as graphs of 2018 have it: a factor and an offset that are worked out."""
        variance = self.constant(f"{name}/variance", self.random(channels, low=0.5, high=2))
        grown = self.node("Add", f"{name}/add", variance, self.number(f"{name}/add/y", 0.001))
        root = self.node("Rsqrt", f"{name}/Rsqrt", grown)
        gamma = self.constant(f"{name}/gamma", self.random(channels, low=0.5, high=2))
        factor = self.node("Mul", f"{name}/mul", root, gamma)
        product = self.node("Mul", f"{name}/mul_1", source, factor)
        mean = self.constant(f"{name}/mean", self.random(channels))
        moved = self.node("Mul", f"{name}/mul_2", mean, factor)
        beta = self.constant(f"{name}/beta", self.random(channels))
        return self.node("Add", f"{name}/add_1", product, self.node("Sub", f"{name}/sub", beta, moved))

    def fused_norm(self, name: str, source: str, channels: int) -> str:
        """A normalisation as later graphs have it."""
        names = [
            self.constant(f"{name}/{each}", self.random(channels, low=0.5, high=2))
            for each in ("gamma", "beta", "mean", "variance")
        ]
        settings = {"is_training": whole(5, 0), "epsilon": message(4, 5, np.float32(0.001).tobytes())}
        return self.node("FusedBatchNorm", f"{name}/fused", source, *names, T=whole(6, 1), **settings)

    def relu(self, name: str, source: str, operation: str = "Relu6") -> str:
        """An activation."""
        return self.node(operation, name, source, T=whole(6, 1))

    def pool(self, operation: str, name: str, source: str, size: int, stride: int) -> str:
        """A pooling."""
        window = {"ksize": wholes(1, size, size, 1), "strides": wholes(1, stride, stride, 1)}
        return self.node(operation, name, source, T=whole(6, 1), padding=text(2, "SAME"), **window)

    def predict(self, at: int, source: str, channels: int) -> None:
        """Answers and scores of a map."""
        for kind, width in (("BoxEncodingPredictor", 4), ("ClassPredictor", CLASSES + 1)):
            name = f"BoxPredictor_{at}/{kind}"
            made = self.conv(name, source, (3, 3, channels, width * ANCHORS), 1, single=False)
            biases = self.constant(f"{name}/biases", self.random(width * ANCHORS))
            self.node("BiasAdd", f"{name}/BiasAdd", made, biases, T=whole(6, 1), data_format=text(2, "NHWC"))

    def network(self) -> None:
        """From the prepared picture to two maps of 8 and 4 cells."""
        root = "FeatureExtractor/"
        x = self.conv(f"{root}first", "Preprocessor/sub", (5, 5, 3, 2), 2, single=True)
        x = self.conv(f"{root}point", x, (1, 1, 6, 8), 1, single=False)
        x = self.relu(f"{root}relu0", self.norm(f"{root}norm0", x, 8))
        y = self.conv(f"{root}deep", x, (3, 3, 8, 1), 1, single=True)
        y = self.relu(f"{root}relu1", self.norm(f"{root}norm1", y, 8), "Relu")
        z = self.conv(f"{root}wide", x, (3, 3, 8, 8), 1, single=False)
        z = self.relu(f"{root}relu2", self.fused_norm(f"{root}norm2", z, 8))
        total = self.node("Add", f"{root}total", y, z, T=whole(6, 1))
        parts = [self.pool(kind, f"{root}{kind}", total, 3, 2) for kind in ("MaxPool", "AvgPool")]
        axis = self.node("Const", f"{root}axis", dtype=whole(6, 3), value=tensor(np.array(3, np.int32)))
        both = self.node("ConcatV2", f"{root}both", *parts, axis, N=whole(3, 2), T=whole(6, 1))
        self.predict(0, both, 16)
        small = self.conv(f"{root}small", both, (3, 3, 16, 12), 2, single=False)
        self.predict(1, self.relu(f"{root}relu3", self.norm(f"{root}norm3", small, 12)), 12)

    def anchors(self) -> np.ndarray:
        """Top, left, bottom, right of every anchor, as fractions."""
        rows = []
        for cells in (8, 4):
            for row, column in np.ndindex(cells, cells):
                for high, wide in ((1.0, 1.0), (0.5, 1.5)):
                    y, x = (row + 0.5) / cells, (column + 0.5) / cells
                    rows.append((y - high / cells, x - wide / cells, y + high / cells, x + wide / cells))
        return np.array(rows, np.float32)

    def around(self, likely: str = "Sigmoid") -> None:
        """What the API has before and after the network."""
        self.node("Placeholder", "image_tensor", dtype=whole(6, 4))
        size = self.node(
            "Const", "Preprocessor/map/size", dtype=whole(6, 3), value=tensor(np.array([SIDE] * 2, np.int32))
        )
        self.node("ResizeBilinear", "Preprocessor/map/ResizeBilinear", "image_tensor", size)
        factor = self.number("Preprocessor/mul/x", 2 / 255)
        self.node("Mul", "Preprocessor/mul", factor, "Preprocessor/map/ResizeBilinear")
        self.node("Sub", "Preprocessor/sub", "Preprocessor/mul", self.number("Preprocessor/sub/y", 1.0))
        places = self.anchors()
        halves = [
            self.constant(f"Anchors/{at}", part) for at, part in enumerate((places[:128], places[128:]))
        ]
        axis = self.node("Const", "Anchors/axis", dtype=whole(6, 3), value=tensor(np.array(0, np.int32)))
        self.node("ConcatV2", "Concatenate/concat", *halves, axis)
        self.node("ExpandDims", "Postprocessor/ExpandDims", "Concatenate/concat", "Anchors/axis")
        for name, value in (("div", 10.0), ("div_1", 10.0), ("div_2", 5.0), ("div_3", 5.0)):
            self.number(f"Postprocessor/Decode/{name}/y", value)
        self.number("Postprocessor/scale_logits/y", 2.0)
        self.node(likely, "Postprocessor/convert_scores", "Postprocessor/scale_logits")

    @property
    def data(self) -> bytes:
        """The graph."""
        return b"".join(self._nodes.values())


def frozen(likely: str = "Sigmoid") -> bytes:
    """A whole graph, as it is exported."""
    net = TensorflowNet()
    net.around(likely)
    net.network()
    return net.data


def bare() -> bytes:
    """The same network without what is around it, for OpenCV."""
    net = TensorflowNet()
    net.node("Placeholder", "Preprocessor/sub", dtype=whole(6, 1))
    net.network()
    return net.data
