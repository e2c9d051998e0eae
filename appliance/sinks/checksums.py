"""SHA-256 as S3 has it: of an object sent at once, and of one sent in parts. Pure.

Sent at once, the checksum is the digest of the content. Sent in parts, it is the digest of the parts'
digests in their order, which services write with the number of parts behind it (`…=-3`) or without.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Self

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Digests:
    """What a content is, without the content.

    Attributes:
        size_bytes: Its length.
        sha256: Digest of the whole, 32 bytes.
        parts: Digests of its parts, each of the same length but for the last; one for a small content.
        part_bytes: Length of a part.
    """

    size_bytes: int
    sha256: bytes
    parts: tuple[bytes, ...]
    part_bytes: int

    @classmethod
    def of(cls, file: BinaryIO, part_bytes: int) -> Self:
        """Read a file from its beginning to its end, a little at a time.

        Raises:
            OSError: It cannot be read.
        """
        whole, size = hashlib.sha256(), 0
        parts: list[bytes] = []
        file.seek(0)
        while True:
            part, left = hashlib.sha256(), part_bytes
            while left and (chunk := file.read(min(_CHUNK, left))):
                part.update(chunk)
                whole.update(chunk)
                left -= len(chunk)
            size += part_bytes - left
            if left == part_bytes and parts:
                break
            parts.append(part.digest())
            if left:
                break
        return cls(size, whole.digest(), tuple(parts), part_bytes)

    @property
    def in_parts(self) -> bool:
        """Whether it is sent in parts."""
        return len(self.parts) > 1

    def fits(self, checksum: str, size_bytes: int) -> bool:
        """Whether what a service says of an object is said of this content, however that was sent."""
        if size_bytes != self.size_bytes:
            return False
        together = encoded(hashlib.sha256(b"".join(self.parts)).digest())
        return checksum in {encoded(self.sha256), together, f"{together}-{len(self.parts)}"}


def encoded(digest: bytes) -> str:
    """A digest as headers have it."""
    return base64.b64encode(digest).decode()


def offsets(digests: Digests) -> Sequence[tuple[int, int, int]]:
    """Number (from 1), first byte and length of each part."""
    step = digests.part_bytes
    return [
        (number + 1, number * step, min(step, digests.size_bytes - number * step))
        for number in range(len(digests.parts))
    ]
