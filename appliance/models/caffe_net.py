"""Reading Caffe's networks: layers from a `.prototxt` or out of a `.caffemodel`, and weights from the latter.

Both give the same `Layer`; a text has all settings by name, a binary file those of `_SCHEMA`. Reads the form
that Caffe has had since 2014 (`layer`). Texts are read by a pattern, with limits; nothing is evaluated. Knows
what no layer does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.models.artefact import damaged
from appliance.models.protobuf_fields import Fields

Array = NDArray[Any]

_LAYER, _NAME, _KIND, _FROM, _TO, _BLOBS = 100, 1, 2, 3, 4, 7
_BLOB_DATA, _BLOB_SHAPE, _BLOB_DOUBLES, _BLOB_KIND, _BLOB_RAW = 5, 7, 8, 10, 12
_RAW_KINDS = {0: "<f8", 1: "<f4", 2: "<f2"}
"""Numbers of networks that were made smaller, as OpenCV's ResNet-10 for faces was."""
_LONGEST_TEXT = 1 << 24
_MOST_TOKENS = 1_000_000
_MOST_DEPTH = 20
_MOST_LAYERS = 5_000

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"[^"\n]*"|'[^'\n]*')|(?P<word>[A-Za-z0-9_.+-]+)|(?P<sign>[{}:,;\[\]<>])"""
)

_SCHEMA: Mapping[str, tuple[int, Mapping[str, tuple[int, str]]]] = {
    "convolution_param": (
        106,
        {
            "num_output": (1, "whole"),
            "bias_term": (2, "whole"),
            "pad": (3, "whole"),
            "kernel_size": (4, "whole"),
            "group": (5, "whole"),
            "stride": (6, "whole"),
            "dilation": (18, "whole"),
        },
    ),
    "detection_output_param": (
        204,
        {
            "num_classes": (1, "whole"),
            "share_location": (2, "whole"),
            "background_label_id": (3, "whole"),
            "code_type": (6, "whole"),
            "variance_encoded_in_target": (8, "whole"),
        },
    ),
    "prior_box_param": (
        203,
        {
            "min_size": (1, "real"),
            "max_size": (2, "real"),
            "aspect_ratio": (3, "real"),
            "flip": (4, "whole"),
            "clip": (5, "whole"),
            "variance": (6, "real"),
            "step": (10, "real"),
            "offset": (13, "real"),
        },
    ),
    "relu_param": (123, {"negative_slope": (1, "real")}),
    "softmax_param": (125, {"axis": (2, "whole")}),
}
"""The settings that networks are read from a binary file with: field, and its settings with theirs."""


@dataclass(slots=True)
class Settings:
    """What a layer was given: values by name, each as often as it was said.

    Attributes:
        given: Texts and numbers as they stood there, and settings of settings.
    """

    given: dict[str, list[Any]] = field(default_factory=dict)

    def part(self, name: str) -> "Settings":
        """Settings of settings; none where there are none."""
        found = self.given.get(name, [])
        if found and not isinstance(found[-1], Settings):
            raise damaged(f"{name} is no group of settings")
        return found[-1] if found else Settings()

    def parts(self, name: str) -> "list[Settings]":
        """All of a group that may be there several times."""
        return [each for each in self.given.get(name, []) if isinstance(each, Settings)]

    def texts(self, name: str) -> list[str]:
        """Every value, as a text."""
        return [str(each) for each in self.given.get(name, []) if not isinstance(each, Settings)]

    def text(self, name: str, otherwise: str = "") -> str:
        """A value, as a text; the last counts."""
        return (self.texts(name) or [otherwise])[-1]

    def wholes(self, name: str) -> list[int]:
        """Every value, as a whole number.

        Raises:
            ModelError: One is none.
        """
        return [int(value) for value in self._numbers(name, whole=True)]

    def whole(self, name: str, otherwise: int) -> int:
        """A value, as a whole number; the last counts."""
        return (self.wholes(name) or [otherwise])[-1]

    def reals(self, name: str) -> list[float]:
        """Every value, as a number.

        Raises:
            ModelError: One is none, or none that is finite.
        """
        return self._numbers(name, whole=False)

    def real(self, name: str, otherwise: float) -> float:
        """A value, as a number; the last counts."""
        return (self.reals(name) or [otherwise])[-1]

    def truth(self, name: str, *, otherwise: bool) -> bool:
        """A value that is yes or no."""
        given = self.text(name, str(otherwise)).lower()
        if given not in {"true", "false", "0", "1"}:
            raise damaged(f"{name} is {given[:40]!r}")
        return given in {"true", "1"}

    def choice(self, name: str, options: Sequence[str], otherwise: str) -> str:
        """A value that is one of some; a binary file has its place among them.

        Raises:
            ModelError: It is none of them.
        """
        given = self.text(name, otherwise)
        if given.isdecimal() and int(given[:4]) < len(options):
            return options[int(given[:4])]
        if given not in options:
            raise damaged(f"{name} is {given[:40]!r}")
        return given

    def _numbers(self, name: str, *, whole: bool) -> list[float]:
        found: list[float] = []
        for each in self.texts(name):
            try:
                value = int(each[:20]) if whole else float(each[:40])
            except ValueError as error:
                raise damaged(f"{name} is {each[:40]!r}") from error
            if not abs(value) < 1e12:  # noqa: PLR2004 - neither infinite nor no number
                raise damaged(f"{name} is {each[:40]!r}")
            found.append(value)
        return found


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    Attributes:
        name: Its name.
        kind: What it computes.
        sources: Names of the values it takes.
        targets: Names of those it gives.
        settings: What it was given, in groups such as `convolution_param`.
        blobs: Its weights, float32, as Caffe shaped them: views of the file.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    settings: Settings
    blobs: tuple[Array, ...] = ()


def layers_of_weights(data: bytes) -> list[Layer]:
    """The layers in a `.caffemodel`, with their weights, in the order they are computed in.

    Raises:
        ModelError: It is no such file, or a layer's numbers do not fill their shape.
    """
    found = [
        Layer(
            each.text(_NAME),
            each.text(_KIND),
            tuple(each.texts(_FROM)),
            tuple(each.texts(_TO)),
            _binary_settings(each),
            tuple(_blob(blob) for blob in each.messages(_BLOBS)),
        )
        for each in Fields(data).messages(_LAYER)
    ]
    if not 0 < len(found) <= _MOST_LAYERS:
        raise damaged(f"the .caffemodel has {len(found)} layers of today's form")
    return found


def read_prototxt(data: bytes) -> Settings:
    """All settings of a `.prototxt`; its layers are the groups `layer`.

    Raises:
        ModelError: It is no such text.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged("the .prototxt is no text") from error
    if len(data) > _LONGEST_TEXT:
        raise damaged(f"the .prototxt has {len(data)} bytes")
    reader = _Reader()
    for sort, word in _tokens(text):
        reader.take(sort, word)
    return reader.end()


class _Reader:
    """Puts words where they belong: a name, then its value, its values in brackets, or a group."""

    def __init__(self) -> None:
        self._open = [Settings()]
        self._name = ""
        self._listed = False

    def take(self, sort: str, word: str) -> None:
        if sort == "sign":
            self._take_sign(word)
        elif self._name:
            self._open[-1].given.setdefault(self._name, []).append(word)
            self._name = self._name if self._listed else ""
        else:
            self._name = word

    def _take_sign(self, word: str) -> None:
        if word in "{<":
            if not self._name or len(self._open) > _MOST_DEPTH:
                raise damaged(
                    f"the .prototxt opens a group without a name, or below {len(self._open)} others"
                )
            inner = Settings()
            self._open[-1].given.setdefault(self._name, []).append(inner)
            self._open.append(inner)
            self._name = ""
        elif word in "}>":
            if len(self._open) == 1 or self._name:
                raise damaged("the .prototxt closes a group that is not open, or within a setting")
            self._open.pop()
        elif word == "[":
            self._listed = True
        elif word == "]":
            self._listed, self._name = False, ""

    def end(self) -> Settings:
        if len(self._open) != 1 or self._name:
            raise damaged("the .prototxt ends within a group")
        return self._open[0]


def layers_of_text(net: Settings, weights: Sequence[Layer]) -> list[Layer]:
    """The layers of a `.prototxt` that take part in inference, with the weights of those of the same name."""
    blobs = {each.name: each.blobs for each in weights if each.blobs}
    found = []
    for each in net.parts("layer"):
        phases = {phase for include in each.parts("include") for phase in include.texts("phase")}
        if phases and "TEST" not in phases:
            continue
        name = each.text("name")
        sources, targets = tuple(each.texts("bottom")), tuple(each.texts("top"))
        found.append(Layer(name, each.text("type"), sources, targets, each, blobs.get(name, ())))
    if not 0 < len(found) <= _MOST_LAYERS:
        raise damaged(f"the .prototxt has {len(found)} layers of today's form")
    return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = count = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        count += 1
        if match is None or count > _MOST_TOKENS:
            raise damaged(f"the .prototxt is no text of Caffe's at character {at}")
        at = match.end()
        if match.lastgroup:
            word = match[match.lastgroup]
            yield match.lastgroup, word[1:-1] if match.lastgroup == "text" else word


def _binary_settings(fields: Fields) -> Settings:
    given: dict[str, list[Any]] = {}
    for name, (number, settings) in _SCHEMA.items():
        if fields.views(number):
            inner = fields.message(number)
            given[name] = [
                Settings(
                    {
                        key: list(inner.wholes(at)) if kind == "whole" else inner.floats(at).tolist()
                        for key, (at, kind) in settings.items()
                    }
                )
            ]
    return Settings(given)


def _blob(fields: Fields) -> Array:
    """Weights of a layer, as Caffe shaped them; older files have four sizes instead of a shape."""
    numbers = _numbers(fields)
    if fields.views(_BLOB_SHAPE):
        shape = fields.message(_BLOB_SHAPE).wholes(1)
    else:
        shape = [fields.whole(axis, 1) for axis in (1, 2, 3, 4)]
    count = 1
    for size in shape:
        count *= size
    if any(size < 0 for size in shape) or len(shape) > 8 or count != numbers.size:  # noqa: PLR2004 - axes
        raise damaged(f"weights of the shape {shape[:8]} with {numbers.size} numbers")
    return numbers.reshape(shape)


def _numbers(fields: Fields) -> Array:
    """The numbers of a blob, float32: a view of the file, unless it has them in another precision."""
    if raw := b"".join(fields.views(_BLOB_RAW)):
        kind = _RAW_KINDS.get(fields.whole(_BLOB_KIND, -1), "")
    elif raw := b"".join(fields.views(_BLOB_DOUBLES)):
        kind = _RAW_KINDS[0]
    else:
        return fields.floats(_BLOB_DATA)
    if not kind or len(raw) % np.dtype(kind).itemsize:
        raise damaged("weights in a precision that is not supported, or cut in two")
    return np.frombuffer(raw, kind).astype(np.float32)
