"""Files that somebody might send instead of a picture of themselves, and what each must be refused for."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

PORTRAIT = Path(__file__).parents[2] / "data" / "portraits" / "enrol" / "obama.jpg"


def png_bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 2.5 billion points."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + _chunk(b"IEND", b"")
    )


def honest_bomb() -> bytes:
    """A PNG of 49 million points, all of them there and all alike, in a few ten thousand bytes."""
    file = io.BytesIO()
    Image.new("1", (7_000, 7_000)).save(file, "PNG")
    return file.getvalue()


def text_bomb() -> bytes:
    """A small PNG with a compressed comment of 100 MB."""
    good = io.BytesIO()
    Image.new("RGB", (64, 64)).save(good, "PNG")
    comment = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10**8), 9))
    head = good.getvalue()[:33]
    return head + comment + good.getvalue()[33:]


def svg() -> bytes:
    """A drawing with a script in it."""
    return b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def html_behind_gif() -> bytes:
    """A page that begins as a GIF does."""
    return b"GIF89a/*\x01\x00\x01\x00*/=1;<script>alert(1)</script>"


def zip_file() -> bytes:
    """An archive, as a .docx or a .jar is."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "a" * 1000)
    return file.getvalue()


def ghostscript() -> bytes:
    """A program for Ghostscript, which a decoder might start."""
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file\n"


def cut_off() -> bytes:
    """A good portrait of which the second half is missing."""
    whole = PORTRAIT.read_bytes()
    return whole[: len(whole) // 2]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HOSTILE: Mapping[str, tuple[Callable[[], bytes], frozenset[str]]] = {
    "empty": (lambda: b"", frozenset({"not_a_picture"})),
    "one byte": (lambda: b"\xff", frozenset({"not_a_picture"})),
    "noise": (lambda: bytes(range(256)) * 40, frozenset({"not_a_picture"})),
    "png bomb": (png_bomb, frozenset({"too_many_pixels"})),
    "honest bomb": (honest_bomb, frozenset({"too_many_pixels"})),
    "text bomb": (text_bomb, frozenset({"unreadable", "NO_FACE"})),
    "svg": (svg, frozenset({"not_a_picture"})),
    "page behind a gif": (html_behind_gif, frozenset({"unsupported_format", "not_a_picture"})),
    "archive": (zip_file, frozenset({"not_a_picture"})),
    "postscript": (ghostscript, frozenset({"not_a_picture", "unsupported_format"})),
    "cut off": (cut_off, frozenset({"truncated"})),
}
"""Each with the reasons that may be given for it."""


def polyglot() -> bytes:
    """A good portrait that is an archive as well, and has a page behind it."""
    return PORTRAIT.read_bytes() + b"<html><script>alert(1)</script>" + zip_file()


def turned() -> bytes:
    """The portrait lying on its side, with an EXIF that says so and where it was taken."""
    file = io.BytesIO()
    with Image.open(PORTRAIT) as upright:
        exif = Image.Exif()
        exif[0x0112] = 6  # the top is on the right: to be turned clockwise
        exif[0x010F] = "A camera maker"
        exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
        upright.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()
