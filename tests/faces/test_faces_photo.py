"""Pictures from outside: whole and upright, or refused with a stable reason."""

import contextlib
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from appliance.errors import PhotoError
from appliance.faces.photo import assess_photo, decode_photo
from appliance.faces.quality import Reason
from appliance.faces.reader import FaceReader
from appliance.values import MAX_PHOTO_BYTES, ImageArray

# One colour a quarter, so that every turn and mirroring can be told apart: BGR of each corner.
CORNERS = {
    "top left": (0, 0, 200),
    "top right": (0, 200, 0),
    "bottom left": (200, 0, 0),
    "bottom right": (200, 200, 0),
}


def quarters() -> Image.Image:
    """64 by 48 pixels: red, green above; blue, cyan below."""
    rgb = np.zeros((48, 64, 3), np.uint8)
    for (y, x), colour in zip(((0, 0), (0, 32), (24, 0), (24, 32)), CORNERS.values(), strict=True):
        rgb[y : y + 24, x : x + 32] = colour[::-1]
    return Image.fromarray(rgb)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def corners(bgr: ImageArray) -> dict[str, tuple[int, int, int]]:
    """The colour near each corner, rounded to hundreds for lossy formats."""
    height, width = bgr.shape[:2]
    places = {
        "top left": (8, 8),
        "top right": (8, width - 8),
        "bottom left": (height - 8, 8),
        "bottom right": (height - 8, width - 8),
    }
    return {name: tuple((bgr[place] / 100).round().astype(int) * 100) for name, place in places.items()}


def noisy(size: int = 300) -> Image.Image:
    """A picture that does not compress, so that cutting its file cuts its pixels."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8))


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is that large and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        saved(quarters(), "PNG"),
        saved(quarters(), "JPEG", quality=95, subsampling=0),
        saved(quarters(), "JPEG", quality=95, subsampling=0, progressive=True),
        saved(quarters(), "WEBP", lossless=True),
        saved(quarters().convert("RGBA"), "PNG"),
        saved(quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
        saved(quarters().convert("CMYK"), "JPEG", quality=95),
    ],
    ids=["png", "jpeg", "progressive", "webp", "alpha", "palette", "cmyk"],
)
def test_every_format_comes_out_as_the_same_bgr(data: bytes) -> None:
    """uint8, contiguous, blue first, whatever the file stored."""
    bgr = decode_photo(data)

    assert (48, 64, 3) == bgr.shape
    assert np.uint8 == bgr.dtype
    assert bgr.flags.c_contiguous
    assert CORNERS == corners(bgr)


@pytest.mark.parametrize(
    ("orientation", "first_row"),
    [
        (1, ("top left", "top right")),
        (2, ("top right", "top left")),
        (3, ("bottom right", "bottom left")),
        (4, ("bottom left", "bottom right")),
        (5, ("top left", "bottom left")),
        (6, ("bottom left", "top left")),
        (7, ("bottom right", "top right")),
        (8, ("top right", "bottom right")),
        (99, ("top left", "top right")),
    ],
)
def test_a_phone_held_any_way_gives_an_upright_picture(orientation: int, first_row: tuple[str, str]) -> None:
    """Each of the eight orientations is undone; an unknown one is left alone."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = corners(decode_photo(saved(quarters(), "JPEG", quality=95, subsampling=0, exif=exif)))

    assert tuple(CORNERS[name] for name in first_row) == (found["top left"], found["top right"])


def test_damaged_exif_leaves_the_picture_as_it_is() -> None:
    """Metadata is not worth losing a good picture for."""
    data = saved(quarters(), "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")

    assert CORNERS == corners(decode_photo(data))


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    """A 16-bit gray of one half is a middle gray."""
    deep = Image.fromarray(np.full((20, 30), 32768, np.uint16))

    assert [128, 128, 128] == decode_photo(saved(deep, "PNG"))[10, 10].tolist()


def test_what_is_transparent_becomes_white() -> None:
    """Also where the hidden pixels hold another colour."""
    clear = Image.new("RGBA", (20, 20), (10, 20, 30, 0))

    assert [255, 255, 255] == decode_photo(saved(clear, "PNG"))[5, 5].tolist()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_picture_is_refused_and_never_half_grey(kind: str, share: float) -> None:
    """Also when another library has told Pillow to make up the missing part."""
    data = saved(noisy(), kind, quality=90)
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with pytest.raises(PhotoError) as caught:
            decode_photo(data[: int(len(data) * share)])
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before

    assert "truncated" == caught.value.reason
    assert caught.value.hint


def test_a_truncated_progressive_jpeg_is_refused() -> None:
    """Its first scans would give a whole, blurred face."""
    data = saved(noisy(), "JPEG", quality=90, progressive=True)

    with pytest.raises(PhotoError) as caught:
        decode_photo(data[: len(data) * 2 // 3])

    assert "truncated" == caught.value.reason


@pytest.mark.parametrize("size", [(10_000, 10_000), (40_001, 1_000), (100_000, 100_000)])
def test_a_hundred_megapixels_are_refused_by_the_header(size: tuple[int, int]) -> None:
    """A file of 100 bytes cannot make the box reserve 300 MB."""
    with pytest.raises(PhotoError) as caught:
        decode_photo(png_header(*size))

    assert "too_many_pixels" == caught.value.reason


def test_a_huge_file_is_not_looked_at() -> None:
    """More bytes than any portrait has."""
    with pytest.raises(PhotoError) as caught:
        decode_photo(b"\xff\xd8\xff" + bytes(MAX_PHOTO_BYTES))

    assert "too_many_bytes" == caught.value.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_a_picture"),
        (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not_a_picture"),
        (b"\x7fELF\x02\x01\x01", "not_a_picture"),
        (saved(quarters(), "GIF"), "unsupported_format"),
        (saved(quarters(), "BMP"), "unsupported_format"),
        (saved(quarters(), "TIFF"), "unsupported_format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported_format"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
    ],
    ids=["empty", "pdf", "svg", "eps", "elf", "gif", "bmp", "tiff", "heic", "jpeg start", "png start"],
)
def test_what_is_no_jpeg_png_or_webp_is_refused_by_its_content(data: bytes, reason: str) -> None:
    """A PDF named holiday.jpg, a phone's HEIC: each is told what it is, and no other decoder is tried."""
    with pytest.raises(PhotoError) as caught:
        decode_photo(data)

    assert reason == caught.value.reason


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "WEBP"]),
    position=st.floats(0, 1),
    patch=st.binary(min_size=1, max_size=30),
)
def test_a_damaged_file_is_a_picture_or_a_typed_error(kind: str, position: float, patch: bytes) -> None:
    """Bytes overwritten anywhere never raise anything but `PhotoError`."""
    data = bytearray(saved(quarters(), kind))
    start = int(position * (len(data) - 1))
    data[start : start + len(patch)] = patch
    with contextlib.suppress(PhotoError):
        assert 3 == decode_photo(bytes(data)).shape[2]


@settings(max_examples=100, deadline=None)
@given(
    data=st.binary(max_size=300),
    start=st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 "]),
)
def test_noise_is_a_typed_error(data: bytes, start: bytes) -> None:
    """Also behind the first bytes of a real format."""
    with pytest.raises(PhotoError):
        decode_photo(start + data)


def test_a_good_portrait_is_assessed_as_usable(reader: FaceReader, obama: ImageArray) -> None:
    """What an enrolment page shows: one face, nothing to complain about."""
    (found,) = assess_photo(reader, obama)

    assert found.usable
    assert () == found.reasons


def test_every_face_of_a_group_is_assessed(
    reader: FaceReader, portraits: dict[str, ImageArray], obama: ImageArray
) -> None:
    """Largest first; who stands too far away is told so."""
    frame = np.full((720, 1280, 3), 127, np.uint8)
    biden = Image.fromarray(portraits["scene/biden"]).resize((150, 297))
    small = Image.fromarray(obama).resize((576, 720))
    frame[:, 600:1176] = np.asarray(small)
    frame[200:497, 200:350] = np.asarray(biden)
    large, far = assess_photo(reader, frame, min_quality=50)

    assert large.usable
    assert not far.usable
    assert large.sample.face.box.area > far.sample.face.box.area
    assert far.sample.quality.measures["size"] < 50


def test_a_picture_without_a_face_has_no_faces(reader: FaceReader) -> None:
    """A coffee cup is no error."""
    assert () == assess_photo(reader, np.full((200, 200, 3), 60, np.uint8))


def test_a_blurred_portrait_says_why_it_is_of_no_use(reader: FaceReader, obama: ImageArray) -> None:
    """The reason code names what to do better."""
    (found,) = assess_photo(reader, cv2.GaussianBlur(obama, (0, 0), 14))

    assert not found.usable
    assert (Reason.LOW_SHARPNESS,) == found.reasons
