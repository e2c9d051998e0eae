"""The processes of an appliance, as people call them."""

from collections.abc import Mapping
from typing import Final

PARTS: Final[Mapping[str, str]] = {
    "loop": "the part that watches the door",
    "models": "the part that looks at photos",
    "dispatch": "the part that carries out actions",
    "functions": "the part that hosts functions",
    "video": "the part that records video",
    "search": "the part that searches for alike pictures",
    "desk": "the part that keeps people and log",
    "web": "the part that shows these pages",
}
"""The processes of an appliance, in words for whoever runs an office."""
