"""Reading MXNet's `symbol.json`: a network's nodes in the order they are computed in.

The spellings of versions 0.8 to 1.9: a node's settings are under `param`, `attr` or `attrs`, and all of them
are texts. They are read by patterns, never evaluated. Knows no operation.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.errors import ModelError
from appliance.models.artefact import damaged

LARGEST_FILE = 1 << 23
"""Bytes; that of a ResNet-152 has half a million. What JSON becomes in memory is many times as much."""
_MOST_NODES = 20_000
_MOST_INPUTS = 2_000
_LONGEST_TEXT = 1_000
_WHOLE = re.compile(r"-?[0-9]{1,12}L?")
_NONE = {"None", "null", ""}


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    Attributes:
        number: Its place in the file.
        name: Its name.
        operation: What it computes; "null" for what is given to the network.
        settings: By name, as texts.
        inputs: The place of each node it takes, and which of that one's outputs.
    """

    number: int
    name: str
    operation: str
    settings: Mapping[str, str]
    inputs: tuple[tuple[int, int], ...]

    def text(self, name: str, otherwise: str = "") -> str:
        """A setting that is a word."""
        return self.settings.get(name, otherwise)

    def truth(self, name: str, *, otherwise: bool = False) -> bool:
        """A setting that is yes or no.

        Raises:
            ModelError: It is neither.
        """
        given = self.settings.get(name)
        if given is None:
            return otherwise
        if given not in {"True", "true", "1", "False", "false", "0"}:
            raise self.wrong(name)
        return given in {"True", "true", "1"}

    def real(self, name: str, otherwise: float) -> float:
        """A setting that is a number.

        Raises:
            ModelError: It is none, or none that is finite.
        """
        given = self.settings.get(name)
        if given is None:
            return otherwise
        try:
            value = float(given[:_LONGEST_TEXT])
        except ValueError as error:
            raise self.wrong(name) from error
        if not abs(value) < 1e30:  # noqa: PLR2004 - neither infinite nor no number
            raise self.wrong(name)
        return value

    def whole(self, name: str, otherwise: int | None = None) -> int:
        """A setting that is a whole number.

        Raises:
            ModelError: It is none, or not there and has to be.
        """
        given = self.settings.get(name)
        if given is None and otherwise is not None:
            return otherwise
        if given is None or not _WHOLE.fullmatch(given.strip()):
            raise self.wrong(name)
        return int(given.strip().rstrip("L"))

    def maybe_whole(self, name: str) -> int | None:
        """A setting that is a whole number or None, which it also is where it is not there."""
        return None if self.settings.get(name, "None").strip() in _NONE else self.whole(name)

    def wholes(self, name: str) -> tuple[int, ...]:
        """A setting that is a list of whole numbers, or a single one; empty where it is not there.

        Raises:
            ModelError: It is no such list.
        """
        found = self.maybe_wholes(name)
        if any(value is None for value in found):
            raise self.wrong(name)
        return tuple(value for value in found if value is not None)

    def maybe_wholes(self, name: str) -> tuple[int | None, ...]:
        """A setting that is a list of whole numbers in which some are None."""
        given = self.settings.get(name, "").strip()
        if given in _NONE:
            return ()
        if len(given) > _LONGEST_TEXT:
            raise self.wrong(name)
        inner = given[1:-1] if given[0] in "([" and given[-1] in ")]" else given
        parts = [part.strip() for part in inner.split(",") if part.strip()]
        if not all(part in _NONE or _WHOLE.fullmatch(part) for part in parts):
            raise self.wrong(name)
        return tuple(None if part in _NONE else int(part.rstrip("L")) for part in parts)

    def wrong(self, name: str) -> ModelError:
        """The error for a setting that cannot be."""
        given = self.settings.get(name)
        what = f"no {name}" if given is None else f"{name} = {given[:40]!r}"
        return damaged(f"{self.operation} {self.name!r} has {what}")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A network.

    Attributes:
        nodes: In the order they are computed in.
        heads: The nodes whose values are its answers, and which of their outputs.
        version: MXNet's, times 10,000 and so on (1.9.1 is 10901); 0 where the file does not say.
    """

    nodes: tuple[Node, ...]
    heads: tuple[tuple[int, int], ...]
    version: int = 0


def read_symbol(data: bytes) -> Symbol:
    """The network in a file.

    Raises:
        ModelError: It is no such file, or its nodes do not follow one another.
    """
    if len(data) > LARGEST_FILE:
        raise damaged(f"the symbol file has {len(data)} bytes")
    try:
        tree = json.loads(data)
        found = tuple(_node(number, each) for number, each in enumerate(tree["nodes"][: _MOST_NODES + 1]))
        heads = tuple(_entry(each) for each in tree["heads"][:_MOST_INPUTS])
        version = _version(tree.get("attrs"))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise damaged(f"the symbol file is not MXNet's ({type(error).__name__})") from error
    if len(found) > _MOST_NODES:
        raise damaged(f"the symbol file has more than {_MOST_NODES} nodes")
    if not heads or any(not 0 <= number < len(found) or output < 0 for number, output in heads):
        raise damaged("the symbol file names no answer, or one that is not there")
    return Symbol(found, heads, version)


def _node(number: int, given: Any) -> Node:
    settings: dict[str, str] = {}
    for spelling in ("param", "attr", "attrs"):
        for key, value in (given.get(spelling) or {}).items():
            settings[key] = value if isinstance(value, str) else str(value)
    inputs = tuple(_entry(each) for each in given["inputs"][:_MOST_INPUTS])
    if any(not 0 <= source < number or output < 0 for source, output in inputs):
        raise damaged(f"node {number} of the symbol file takes what is not there yet")
    name, operation = given["name"], given["op"]
    if not isinstance(name, str) or not isinstance(operation, str) or len(name) > _LONGEST_TEXT:
        raise damaged(f"node {number} of the symbol file has no name")
    return Node(number, name, operation[:_LONGEST_TEXT], settings, inputs)


def _entry(given: Any) -> tuple[int, int]:
    number, output = given[0], given[1] if len(given) > 1 else 0
    if not isinstance(number, int) or not isinstance(output, int):
        raise damaged("the symbol file joins nodes by something else than numbers")
    return number, output


def _version(given: Any) -> int:
    said = given.get("mxnet_version") if isinstance(given, dict) else None
    value = said[1] if isinstance(said, list) and len(said) > 1 else 0
    return value if isinstance(value, int) else 0
