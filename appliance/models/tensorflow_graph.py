"""Reading a frozen TensorFlow graph: its nodes by name, and the values of those that are constant.

Works out what depends on constants alone, such as a normalisation's factor, with the few operations
that take part in that. Knows no network, runs nothing else, and needs no TensorFlow.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.models.onnx_weights import refusal
from appliance.models.protobuf_fields import Fields

Array = NDArray[Any]

# Numbers of the fields in TensorFlow's schema (GraphDef, NodeDef, AttrValue, TensorProto).
_NODE = 1
_NAME, _OPERATION, _INPUT, _ATTRIBUTE = 1, 2, 3, 5
_KEY, _VALUE = 1, 2
_LIST, _TEXT, _WHOLE, _REAL, _TRUTH, _KIND, _TENSOR = 1, 2, 3, 4, 5, 6, 8
_DTYPE, _SHAPE, _CONTENT, _FLOATS = 1, 2, 4, 5
_TYPES = {1: "<f4", 3: "<i4", 9: "<i8", 10: "?"}
_WHOLES = {3: 7, 9: 10, 10: 11}
"""Types of whole numbers and truths, and the fields that have them one by one."""
_MOST_REPEATED = 1 << 20
"""Numbers that a tensor may have beyond those that are there: one that is repeated."""
_LARGEST = 1 << 24
"""Numbers in a value that is worked out."""
_LONGEST_CHAIN = 100


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        name: Its name.
        operation: What it computes.
        inputs: Names of the nodes it takes, in order.
    """

    name: str
    operation: str
    inputs: tuple[str, ...]
    _attributes: dict[str, Fields]

    def text(self, attribute: str, otherwise: str = "") -> str:
        """An attribute that is a word."""
        given = self._attributes.get(attribute)
        return (given.text(_TEXT) if given else "") or otherwise

    def wholes(self, attribute: str) -> tuple[int, ...]:
        """An attribute that is a list of whole numbers; empty where it is not there."""
        given = self._attributes.get(attribute)
        return tuple(given.message(_LIST).wholes(3)) if given else ()

    def tensor(self) -> Array:
        """The value of a constant: float32, whole numbers or truths.

        Raises:
            ModelError: It is of another type, or has fewer numbers than its shape says.
        """
        tensor = self._attributes["value"].message(_TENSOR)
        kind = tensor.whole(_DTYPE)
        if kind not in _TYPES:
            raise refusal(f"{self.name} is of a type ({kind}) that is not supported")
        shape = [size.whole(1) for size in tensor.message(_SHAPE).messages(2)]
        content: Array = np.frombuffer(b"".join(tensor.views(_CONTENT)), _TYPES[kind])
        if not content.size:
            one_by_one = tensor.wholes(_WHOLES[kind]) if kind in _WHOLES else tensor.floats(_FLOATS)
            content = np.asarray(one_by_one, _TYPES[kind])
        # A tensor of one number repeated may be written as that number.
        if content.size == 1 and 0 < math.prod(shape) <= _MOST_REPEATED:
            return np.full(shape, content[0])
        return content.reshape(shape)

    def whole(self, attribute: str, otherwise: int = 0) -> int:
        """An attribute that is a whole number or a truth."""
        given = self._attributes.get(attribute)
        return otherwise if given is None else given.whole(_WHOLE, given.whole(_TRUTH, otherwise))

    def kind(self, attribute: str) -> int:
        """An attribute that is a type of numbers, as TensorFlow numbers them."""
        return self._attributes[attribute].whole(_KIND)

    def real(self, attribute: str, otherwise: float) -> float:
        """An attribute that is a 32-bit number."""
        given = self._attributes.get(attribute)
        return otherwise if given is None else given.real(_REAL, otherwise)


class FrozenGraph:
    """A graph whose weights are constants.

    Args:
        data: The bytes of the file.

    Raises:
        ModelError: They are no such file.
    """

    def __init__(self, data: bytes) -> None:
        self._nodes: dict[str, Node] = {}
        for fields in Fields(data).messages(_NODE):
            attributes = {entry.text(_KEY): entry.message(_VALUE) for entry in fields.messages(_ATTRIBUTE)}
            name = fields.text(_NAME)
            inputs = tuple(fields.texts(_INPUT))
            self._nodes[name] = Node(name, fields.text(_OPERATION), inputs, attributes)
        self._constants: dict[str, Array | None] = {}

    def node(self, name: str) -> Node:
        """The node of this name; of several in a row that only hand on, the one that computes.

        Raises:
            KeyError: There is none.
        """
        node = self._nodes[name]
        for _ in range(_LONGEST_CHAIN):
            if node.operation != "Identity":
                return node
            node = self._nodes[node.inputs[0]]
        raise refusal(f"{name} hands on without an end")

    def __getitem__(self, name: str) -> Node:
        """The node of this name itself.

        Raises:
            KeyError: There is none.
        """
        return self._nodes[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a node of this name."""
        return name in self._nodes

    @property
    def nodes(self) -> Collection[Node]:
        """All of them, in the file's order."""
        return self._nodes.values()

    def constant(self, name: str) -> Array | None:
        """The value of a node that depends on constants alone, float64; None for any other."""
        if name not in self._constants:
            self._constants[name] = self._computed(self._nodes[name])
        return self._constants[name]

    def _computed(self, node: Node) -> Array | None:
        match node.operation:
            case "Const":
                return node.tensor().astype(np.float64)
            case "Identity":
                return self.constant(node.inputs[0])
            case "Rsqrt" | "Add" | "AddV2" | "Sub" | "Mul":
                values = [self.constant(name) for name in node.inputs]
                known = [value for value in values if value is not None]
                if len(known) != len(values):
                    return None
                if math.prod(np.broadcast_shapes(*(value.shape for value in known))) > _LARGEST:
                    raise refusal(f"{node.name} has more than {_LARGEST} numbers")
                return _OPERATIONS[node.operation](*known)  # type: ignore[no-any-return]
            case _:
                return None


_OPERATIONS: dict[str, Any] = {
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
}
