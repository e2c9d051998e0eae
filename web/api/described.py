"""What the desk's operations are, as `operations.json` tells it: permission, words, arguments. Read once.

The file is made from the desk itself by `tests/support/reference.py`; a test fails when it is stale. So this
process knows the operations without knowing their code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("operations.json")


@dataclass(frozen=True, slots=True)
class Described:
    """An operation.

    Attributes:
        permission: Who may; `public`: everybody.
        words: What it does, as its code says it; may be empty.
        arguments: JSON schema of what it is told, without references.
    """

    permission: str
    words: str
    arguments: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        """Schema of each argument, by name."""
        found: Mapping[str, Any] = self.arguments.get("properties", {})
        return found

    @property
    def required(self) -> frozenset[str]:
        """The arguments that have to be there."""
        return frozenset(self.arguments.get("required", ()))


@cache
def operations() -> Mapping[str, Described]:
    """All of them, by name."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Described(each["permission"], each["words"], each["arguments"]) for name, each in found.items()
    }
