"""Looks through every byte of a state directory for what must not stand there in the clear.

Names, templates as numbers of four or two bytes in either order, keys; each of these also in base64 and in
hexadecimal digits, since somebody may have meant well. And pictures: whatever begins as a JPEG or a PNG does
and can be decoded.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from appliance.values import FloatArray

_JPEG = re.compile(rb"\xff\xd8\xff")
_PNG = re.compile(rb"\x89PNG\r\n\x1a\n")
_JPEG_BASE64 = re.compile(rb"/9j/[A-Za-z0-9+/]{200,}={0,2}")
_PNG_BASE64 = re.compile(rb"iVBORw0KGgo[A-Za-z0-9+/]{100,}={0,2}")
_PICTURE_BYTES = 4 * 1024 * 1024
_NUMBERS = 8
"""Numbers of a vector that are looked for: 16 bytes at least, which chance does not make."""


def files(state: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a directory, with what is in it; sockets have nothing, nor what goes meanwhile."""
    for path in sorted(state.rglob("*")):
        if path.is_file() and not path.is_symlink():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            yield str(path.relative_to(state)), content


def of_text(*texts: str) -> dict[str, list[bytes]]:
    """What is looked for of names: as they are, in UTF-16, and wrapped."""
    found: dict[str, list[bytes]] = {}
    for text in texts:
        plain = text.encode()
        assert len(plain) >= 4, "too short not to be found by chance"
        found[text] = [plain, text.encode("utf-16-le"), text.encode("utf-16-be"), *_wrapped(plain)]
    return found


def of_secret(name: str, secret: bytes) -> dict[str, list[bytes]]:
    """What is looked for of a key, or of anything that is bytes."""
    assert len(secret) >= 16
    return {name: [secret, *_wrapped(secret)]}


def of_vectors(name: str, vectors: Iterable[FloatArray]) -> dict[str, list[bytes]]:
    """What is looked for of templates: some numbers from their middle, in every form a program writes."""
    found: dict[str, list[bytes]] = {}
    for number, vector in enumerate(vectors):
        some = np.asarray(vector)[40 : 40 + _NUMBERS]
        forms: list[bytes] = []
        for kind in ("<f4", ">f4", "<f2", ">f2", "<f8", ">f8"):
            plain = some.astype(kind).tobytes()
            forms += [plain, *_wrapped(plain)]
        forms.append(", ".join(repr(float(each)) for each in some[:2]).encode())
        forms.append(",".join(repr(float(each)) for each in some[:2]).encode())
        found[f"{name} {number}"] = forms
    return found


def places(state: Path, wanted: Mapping[str, Iterable[bytes]]) -> list[str]:
    """Where something of what is wanted stands: `file: what`."""
    return [
        f"{name}: {what}"
        for name, content in files(state)
        for what, forms in wanted.items()
        if any(form in content for form in forms)
    ]


def pictures(state: Path) -> list[str]:
    """Where a picture stands that can be decoded: `file: offset`."""
    found = []
    for name, content in files(state):
        for kind in (_JPEG, _PNG):
            found += [
                f"{name}: {match.start()}"
                for match in kind.finditer(content)
                if _is_picture(content[match.start() : match.start() + _PICTURE_BYTES])
            ]
        for kind in (_JPEG_BASE64, _PNG_BASE64):
            for match in kind.finditer(content):
                text = match[0].rstrip(b"=")
                if _is_picture(base64.b64decode(text + b"=" * (-len(text) % 4))):
                    found.append(f"{name}: {match.start()} (base64)")
    return found


def _is_picture(content: bytes) -> bool:
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) is not None
    except cv2.error:
        return False


def _wrapped(plain: bytes) -> list[bytes]:
    """In hexadecimal digits, and in base64 wherever it begins within a longer text."""
    found = [plain.hex().encode(), plain.hex().upper().encode()]
    for lead in range(3):
        # What depends on what stands before or behind is left out at both ends.
        text = base64.b64encode(bytes(lead) + plain)
        first = (0, 2, 3)[lead]
        inner = text[first : len(text) - 4]
        found += [inner, inner.replace(b"+", b"-").replace(b"/", b"_")]
    return found
