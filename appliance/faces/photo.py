"""Pictures from outside: uploads and files, decoded only after their header was found harmless.

Nothing is written, nothing is guessed: a picture that is cut short is refused and never half grey. Only
this module decodes bytes that somebody sent; it runs in the process that has limits on memory and time.
Camera frames do not pass here.
"""

import contextlib
import io
import struct
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from appliance.errors import PhotoError
from appliance.faces.quality import Reason
from appliance.faces.reader import FaceReader
from appliance.values import MAX_PHOTO_BYTES, MAX_PIXELS, FaceSample, ImageArray

FORMATS = ("JPEG", "PNG", "WEBP")
"""What is decoded; each by Pillow's own decoder of that name."""

_ACCEPTED = "use a JPEG, PNG or WebP picture"
_OTHER_PICTURES = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x0a": "JPEG XL",
}
_BOX_FORMATS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF"}
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each value of the EXIF orientation (Exif 2.32, table 6)."""


@dataclass(frozen=True, slots=True)
class AssessedFace:
    """A face of a picture and whether it may be enrolled from.

    Attributes:
        sample: The face cut out, with its quality.
        reasons: What is wrong with it, in codes; empty for a good one.
        usable: Its quality reaches what was asked.
    """

    sample: FaceSample
    reasons: tuple[Reason, ...]
    usable: bool


def decode_photo(data: bytes) -> ImageArray:
    """Decode a picture somebody sent.

    Args:
        data: The file's bytes.

    Returns:
        uint8, (height, width, 3), blue first, contiguous; upright as its EXIF says; transparent parts white.

    Raises:
        PhotoError: With `reason` `too_many_bytes`, `not_a_picture`, `unsupported_format`, `too_many_pixels`,
            `truncated` or `unreadable`.
    """
    if len(data) > MAX_PHOTO_BYTES:
        raise PhotoError(
            f"the picture has {len(data) / 1e6:.0f} MB, more than the {MAX_PHOTO_BYTES / 1e6:.0f} allowed",
            reason="too_many_bytes",
            hint="send a smaller copy; 2,000 pixels along the longer side are plenty",
        )
    with warnings.catch_warnings():
        # Pillow warns of oversized pictures, which have their own check, and of odd metadata.
        warnings.simplefilter("ignore")
        picture = _opened(data)
        with picture:
            _load(picture)
            upright = _upright(picture)
            rgb = np.asarray(_in_rgb(upright))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def assess_photo(
    reader: FaceReader, bgr: ImageArray, *, min_quality: float = 30.0
) -> tuple[AssessedFace, ...]:
    """Find and judge every face of a picture, largest first.

    Args:
        reader: Opened.
        bgr: uint8, (height, width, 3), blue first.
        min_quality: Least total quality, 0 to 100, of a usable face.
    """
    assessed: list[AssessedFace] = []
    for face in reader.detect(bgr):
        sample, judgement = reader.assess(bgr, face)
        usable = sample.quality.total >= min_quality
        assessed.append(AssessedFace(sample, judgement.reasons, usable))
    return tuple(assessed)


def _opened(data: bytes) -> Image.Image:
    """Read the header only, and check kind and size."""
    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except (OSError, SyntaxError, ValueError, struct.error, EOFError) as error:
        if data[8:12] == b"WEBP" and int.from_bytes(data[4:8], "little") + 8 > len(data):
            raise _cut_short() from error
        raise PhotoError(
            "the picture's header cannot be read",
            reason="unreadable",
            hint="export it once more as JPEG or PNG",
        ) from error
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_many_pixels()
    return picture


def _cut_short() -> PhotoError:
    return PhotoError(
        "the picture is cut short or damaged",
        reason="truncated",
        hint="copy the file again, it is incomplete",
    )


def _too_many_pixels() -> PhotoError:
    return PhotoError(
        f"the picture has more than {MAX_PIXELS // 1_000_000} megapixels",
        reason="too_many_pixels",
        hint="send a smaller copy; 2,000 pixels along the longer side are plenty",
    )


def _unidentified(data: bytes) -> PhotoError:
    """Tell a picture of another kind from something that is none."""
    kind = next((name for magic, name in _OTHER_PICTURES.items() if data.startswith(magic)), None)
    if kind is None and data[4:8] == b"ftyp":
        kind = _BOX_FORMATS.get(data[8:12])
    if kind is not None:
        return PhotoError(f"{kind} pictures are not read", reason="unsupported_format", hint=_ACCEPTED)
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or data[8:12] == b"WEBP":
        return _cut_short()
    return PhotoError("the file is not a picture", reason="not_a_picture", hint=_ACCEPTED)


def _load(picture: Image.Image) -> None:
    """Decode the pixels, whole or not at all."""
    # A library in this process may have asked Pillow to make up for missing data (face_recognition does).
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError, struct.error, EOFError, IndexError) as error:
        raise _cut_short() from error
    except MemoryError as error:
        raise PhotoError("no memory for a picture of this size", reason="too_many_pixels") from error


def _upright(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; damaged metadata leaves the picture as it is."""
    orientation: object = 1
    with contextlib.suppress(OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error, EOFError):
        orientation = picture.getexif().get(_ORIENTATION_TAG, 1)
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _in_rgb(picture: Image.Image) -> Image.Image:
    """Eight bits of red, green and blue, whatever it was."""
    if picture.mode.startswith("I"):
        # 16-bit gray: Pillow's own conversion would clip at 255 instead of scaling.
        deep = np.asarray(picture.convert("I")).clip(0, 65535)
        return Image.fromarray((deep / 257).round().astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return picture.convert("RGB")
