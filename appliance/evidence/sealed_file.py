"""Whether a file looks sealed, by its header. It opens nothing, and proves nothing of what is inside."""

import re
from typing import Final

HEADER_BYTES: Final = 64 * 1024
"""A header of 20 recipients takes some 13 kB; one that is longer is not ours."""

_VERSION: Final = b"age-encryption.org/v1\n"
_STANZA: Final = rb"-> [!-~]+(?: [!-~]+)*\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n"
_HEADER: Final = re.compile(re.escape(_VERSION) + rb"(?:" + _STANZA + rb")+--- [A-Za-z0-9+/]{43}\n")
_LEAST_PAYLOAD: Final = 16 + 16
"""The payload's nonce, and the tag of a chunk."""


def looks_sealed(beginning: bytes) -> bool:
    """Whether a file that begins so is in the age v1 format, sealed to one recipient at least.

    Args:
        beginning: Its first `HEADER_BYTES` bytes, or all of a shorter file.
    """
    header = _HEADER.match(beginning)
    return header is not None and len(beginning) - header.end() >= _LEAST_PAYLOAD
