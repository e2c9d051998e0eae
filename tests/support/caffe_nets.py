"""Small Caffe SSDs of random weights, written as their authors' files are: a `.prototxt` and a `.caffemodel`.

OpenCV's own reader runs them too, so it is the reference of what they answer.
"""

from dataclasses import dataclass, field

import numpy as np
from protobuf_writing import field as message
from protobuf_writing import floats, text, varint, whole


@dataclass
class CaffeNet:
    """Collects layers.

    Attributes:
        width: Of the picture, in pixels.
        height: Likewise.
        classes: With the one for nothing at all.
    """

    width: int
    height: int
    classes: int
    head: str = 'input: "data"\ninput_shape { dim: 1 dim: 3 dim: %d dim: %d }\n'
    _text: list[str] = field(default_factory=list)
    _weights: list[bytes] = field(default_factory=list)
    _heads: list[str] = field(default_factory=list)
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def layer(
        self, kind: str, name: str, sources: str, settings: str = "", *blobs: np.ndarray, to: str = ""
    ) -> str:
        """Add a layer; gives the name of its value."""
        bottoms = " ".join(f'bottom: "{each}"' for each in sources.split())
        target = to or name
        self._text.append(f'layer {{ name: "{name}" type: "{kind}" {bottoms} top: "{target}" {settings} }}')
        if blobs:
            written = b"".join(
                message(
                    7, 2, floats(5, blob) + message(7, 2, message(1, 2, b"".join(map(varint, blob.shape))))
                )
                for blob in blobs
            )
            self._weights.append(message(100, 2, text(1, name) + text(2, kind) + written))
        return target

    def random(self, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
        """Weights."""
        return self._rng.uniform(low, high, shape).astype(np.float32)

    def conv(self, name: str, source: str, channels: tuple[int, int], size: int, settings: str = "") -> str:
        """A convolution."""
        before, after = channels
        scale = (before * size * size) ** -0.5
        weight = self.random(after, before, size, size) * np.float32(scale * 1.7)
        shape = f"convolution_param {{ num_output: {after} kernel_size: {size} {settings} }}"
        return self.layer("Convolution", name, source, shape, weight, self.random(after, high=0.5))

    def norm(self, name: str, source: str, channels: int) -> str:
        """A normalisation and its factors, in place as Caffe's networks have them."""
        mean, variance = self.random(channels), self.random(channels, low=0.5, high=2)
        count = np.array([2.0], np.float32)
        self.layer("BatchNorm", f"{name}_bn", source, "", mean, variance, count, to=source)
        gamma, beta = self.random(channels, low=0.5, high=2), self.random(channels)
        return self.layer(
            "Scale", f"{name}_scale", source, "scale_param { bias_term: true }", gamma, beta, to=source
        )

    def relu(self, source: str, settings: str = "") -> str:
        """In place."""
        return self.layer("ReLU", f"{source}_relu", source, settings, to=source)

    def predict(self, source: str, channels: int, anchors: int, prior: str) -> None:
        """Answers, scores and anchors of a map."""
        for kind, width in (("loc", 4), ("conf", self.classes)):
            name = f"{source}_{kind}"
            self.conv(name, source, (channels, anchors * width), 3, "pad: 1")
            order = "permute_param { order: 0 order: 2 order: 3 order: 1 }"
            self.layer("Permute", f"{name}_perm", name, order)
            self.layer("Flatten", f"{name}_flat", f"{name}_perm", "flatten_param { axis: 1 }")
        self.layer("PriorBox", f"{source}_prior", f"{source} data", f"prior_box_param {{ {prior} }}")
        self._heads.append(source)

    def end(self) -> None:
        """The layers that make boxes of all that was predicted."""
        for kind, axis in (("loc_flat", 1), ("conf_flat", 1), ("prior", 2)):
            names = " ".join(f"{each}_{kind}" for each in self._heads)
            self.layer("Concat", f"mbox_{kind}", names, f"concat_param {{ axis: {axis} }}")
        shape = f"reshape_param {{ shape {{ dim: 0 dim: -1 dim: {self.classes} }} }}"
        self.layer("Reshape", "conf_rows", "mbox_conf_flat", shape)
        self.layer("Softmax", "conf_softmax", "conf_rows", "softmax_param { axis: 2 }")
        self.layer("Flatten", "conf_flat", "conf_softmax", "flatten_param { axis: 1 }")
        self.layer(
            "DetectionOutput",
            "detection_out",
            "mbox_loc_flat conf_flat mbox_prior",
            f"include {{ phase: TEST }} detection_output_param {{ num_classes: {self.classes}"
            f" share_location: true background_label_id: 0 nms_param {{ nms_threshold: 0.45 top_k: 100 }}"
            f" keep_top_k: 50 confidence_threshold: 0.01 code_type: CENTER_SIZE }}",
        )

    @property
    def prototxt(self) -> bytes:
        """The layers."""
        head = self.head % (self.height, self.width)
        return ('name: "small"  # a comment\n' + head + "\n".join(self._text) + "\n").encode()

    @property
    def caffemodel(self) -> bytes:
        """The weights."""
        return text(1, "small") + b"".join(self._weights) + whole(5, 0)


def face_like() -> CaffeNet:
    """As the ResNet-10 for faces that came with OpenCV: normalised input, residuals, a map of unit length."""
    net = CaffeNet(64, 64, 2)
    net.norm("data", "data", 3)
    net.conv("conv1", "data", (3, 8), 7, "pad: 3 stride: 2")
    net.norm("conv1", "conv1", 8)
    net.relu("conv1")
    net.layer("Pooling", "pool1", "conv1", "pooling_param { pool: MAX kernel_size: 3 stride: 2 }")
    net.conv("res1", "pool1", (8, 8), 3, "pad: 1")
    net.layer("Eltwise", "sum1", "pool1 res1", "eltwise_param { operation: SUM }")
    net.relu("sum1")
    factor = net.random(8, low=5, high=15)
    net.layer(
        "Normalize", "unit", "sum1", "norm_param { across_spatial: false channel_shared: false }", factor
    )
    net.conv("conv2", "sum1", (8, 12), 3, "pad: 1 stride: 2")
    net.relu("conv2", "relu_param { negative_slope: 0.1 }")
    common = "flip: true clip: false variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 offset: 0.5"
    net.predict("unit", 8, 4, f"min_size: 10 max_size: 20 aspect_ratio: 2 step: 4 {common}")
    net.predict("conv2", 12, 6, f"min_size: 20 max_size: 40 aspect_ratio: 2 aspect_ratio: 3 step: 8 {common}")
    net.end()
    return net


def vgg_like() -> CaffeNet:
    """As VGG-SSD: dilated and grouped convolutions, pooled means, clipped anchors of several sizes."""
    net = CaffeNet(72, 48, 4)
    net.head = (
        'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: [1, 3, %d, %d] } } }\n'
    )
    net.conv("conv1", "data", (3, 8), 3, "pad: 1")
    net.relu("conv1")
    net.layer("LRN", "lrn", "conv1", "lrn_param { local_size: 3 alpha: 0.1 beta: 0.6 }")
    net.layer("Pooling", "pool1", "lrn", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }")
    net.conv("conv2", "pool1", (8, 8), 3, "pad: 3 dilation: 3")
    net.layer("Sigmoid", "sig", "conv2")
    net.layer("Power", "power", "sig", "power_param { scale: 2 shift: -0.5 }")
    net.layer("Concat", "both", "power pool1", "concat_param { axis: 1 }")
    weight = net.random(16, 1, 3, 3)
    grouped = (
        "convolution_param { num_output: 16 kernel_size: 3 stride: 2 pad: 1 group: 16 bias_term: false }"
    )
    net.layer("Convolution", "dw", "both", grouped, weight)
    net.layer("PReLU", "dw_prelu", "dw", "", net.random(16), to="dw")
    net.layer("Dropout", "drop", "dw")
    net.layer("Pooling", "pool2", "drop", "pooling_param { pool: MAX kernel_size: 2 stride: 2 }")
    net.layer("Split", "split", "pool2")
    net.predict(
        "drop", 16, 4, "min_size: 8 min_size: 16 aspect_ratio: 2 flip: false clip: true variance: 0.2"
    )
    net.predict(
        "split", 16, 4, "min_size: 24 max_size: 40 aspect_ratio: 2 flip: true clip: true variance: 0.2"
    )
    net.end()
    return net
