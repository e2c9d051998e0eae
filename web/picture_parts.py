"""Pictures one after the other in one answer (`multipart/x-mixed-replace`), as an `<img>` shows them.

What parts them is drawn anew for each answer: a picture may be of somebody's making (a hosted function's, a
camera's) and hold any bytes, and nobody may write a part of another kind into it, which a browser would take
for ours. Nothing of a picture is looked at or changed.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final

_BYTES: Final = 16
"""Of chance in a boundary; twice as many letters, of the 70 that there may be."""


@dataclass(frozen=True, slots=True)
class PictureParts:
    """How the pictures of one answer are parted; one for each answer.

    Attributes:
        boundary: Letters that nobody knows who writes a picture of it.
    """

    boundary: str = field(default_factory=lambda: secrets.token_hex(_BYTES))

    @property
    def kind(self) -> str:
        """The answer's content type."""
        return f"multipart/x-mixed-replace; boundary={self.boundary}"

    @property
    def beginning(self) -> bytes:
        """What goes before the first part."""
        return f"--{self.boundary}\r\n".encode()

    def part(self, jpeg: bytes) -> bytes:
        """A picture, with the line that the next begins with: browsers show a part when it is over."""
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        return head.encode() + jpeg + f"\r\n--{self.boundary}\r\n".encode()
