"""Pictures decoded no further than asked."""

import struct
from contextlib import suppress

import av
import cv2
import numpy as np
import pytest
from camera_clips import HEIGHT, MIDDLE, WIDTH, jpeg, number_of, numbered_picture
from hypothesis import given
from hypothesis import strategies as st

from appliance.camera.jpeg_header import parse_jpeg
from appliance.camera.pictures import DecodedPicture, JpegPicture, YuyvPicture, reduction
from appliance.values import WHOLE_FRAME, Region


@pytest.mark.parametrize(
    ("width", "by"), [(160, 1), (320, 1), (639, 1), (640, 2), (1279, 2), (1280, 4), (1920, 4), (3840, 8)]
)
def test_reduced_pictures_stay_at_least_320_wide(width: int, by: int) -> None:
    """A half, quarter or eighth, as long as the door's edges stay sharp enough."""
    assert by == reduction(width)


def test_a_large_jpeg_is_decoded_reduced_for_gray() -> None:
    """Gray of a 1280-wide JPEG is a quarter as wide, and shows the same."""
    picture = JpegPicture(jpeg(5, 1280, 720))
    gray = picture.gray(WHOLE_FRAME)

    assert (180, 320) == gray.shape
    assert 5 == number_of(gray[80:100])
    assert (720, 1280, 3) == picture.bgr().shape


@pytest.mark.parametrize("cut", [0, 1, 2, 20, 300, -1, -2, -200])
def test_a_jpeg_that_is_cut_off_is_told_from_its_bytes(cut: int) -> None:
    """Wherever it is cut, nothing has to be decoded to know."""
    with pytest.raises(ValueError, match=r"cut off|begin|picture data|length"):
        JpegPicture(jpeg(1)[:cut])


def test_padding_behind_a_jpeg_does_no_harm() -> None:
    """Some cameras fill up their packets."""
    assert (WIDTH, HEIGHT) == (JpegPicture(jpeg(1) + bytes(1000)).width, HEIGHT)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_jpeg_or_a_value_error(data: bytes) -> None:
    """Nothing a camera sends raises anything else."""
    for candidate in (data, b"\xff\xd8" + data + b"\xff\xd9"):
        with suppress(ValueError):
            parse_jpeg(candidate)


@given(st.integers(2, 2000), st.binary(min_size=1, max_size=4))
def test_a_jpeg_with_changed_bytes_is_a_jpeg_or_a_value_error(at: int, data: bytes) -> None:
    """Nor does a real one with a few bytes overwritten."""
    whole = bytearray(jpeg(3))
    at %= len(whole) - 4
    whole[at : at + len(data)] = data
    with suppress(ValueError):
        header = parse_jpeg(bytes(whole))

        assert min(header.width, header.height) > 0


def test_a_jpeg_without_huffman_tables_is_decoded() -> None:
    """Webcams leave the standard tables out, as Motion JPEG allows."""
    whole = jpeg(4)
    bare = whole
    while (at := bare.find(b"\xff\xc4")) > 0:
        (length,) = struct.unpack_from(">H", bare, at + 2)
        bare = bare[:at] + bare[at + 2 + length :]

    assert len(bare) < len(whole)
    np.testing.assert_array_equal(JpegPicture(whole).bgr(), JpegPicture(bare).bgr())


def exif_jpeg(orientation: int) -> bytes:
    """A numbered JPEG that asks to be turned."""
    tiff = b"MM\x00\x2a" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    whole = jpeg(2)
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + whole[2:]


def test_a_photograph_is_shown_upright() -> None:
    """A photograph taken sideways is turned as its EXIF data asks; a video frame never is."""
    turned = JpegPicture(exif_jpeg(6), upright=True)
    plain = JpegPicture(exif_jpeg(6))

    assert (HEIGHT, WIDTH) == (turned.width, turned.height)
    assert (WIDTH, HEIGHT, 3) == turned.bgr().shape
    assert turned.bgr()[:20, -20:].min() > 200
    assert (HEIGHT, WIDTH, 3) == plain.bgr().shape


def test_yuyv_gray_is_the_luma_of_the_region() -> None:
    """Exactly the Y bytes, nothing converted."""
    packed = np.arange(8 * 6 * 2, dtype=np.uint8).reshape(6, 8, 2)
    picture = YuyvPicture(packed.tobytes(), 8, 6)

    np.testing.assert_array_equal(packed[3:6, 4:8, 0], picture.gray(Region(0.5, 0.5, 1, 1)))


@pytest.mark.parametrize(("size", "width"), [(95, 8), (0, 8), (98, 7)])
def test_a_short_or_odd_yuyv_frame_is_refused(size: int, width: int) -> None:
    """Too few bytes, or a width that cannot be."""
    with pytest.raises(ValueError, match="bytes"):
        YuyvPicture(bytes(size), width, 6)


@pytest.mark.parametrize("kind", ["yuv420p", "yuv422p", "nv12", "yuv420p10le", "rgb24", "gray", "yuvj420p"])
def test_decoded_video_gives_gray_and_colour_in_every_format(kind: str) -> None:
    """Luma is taken as it is where it lies apart, and converted where not."""
    frame = av.VideoFrame.from_ndarray(numbered_picture(6), format="bgr24").reformat(
        format=kind, dst_color_range=2
    )
    picture = DecodedPicture(frame)

    assert 6 == number_of(picture.gray(MIDDLE))
    assert (HEIGHT, WIDTH, 3) == picture.bgr().shape
    assert abs(int(picture.bgr()[100, 160, 0]) - 112) < 26


def test_gray_of_video_is_a_view_of_the_decoders_luma() -> None:
    """Looking at a region of H.264 video copies nothing."""
    frame = av.VideoFrame.from_ndarray(numbered_picture(6), format="bgr24").reformat(format="yuv420p")
    picture = DecodedPicture(frame)

    assert np.shares_memory(picture.gray(MIDDLE), picture.gray(WHOLE_FRAME))


def test_colours_are_blue_first() -> None:
    """A red picture is red in all of them."""
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 2] = 255
    sound, data = cv2.imencode(".jpg", red)
    frame = av.VideoFrame.from_ndarray(red, format="bgr24").reformat(format="yuv420p")
    packed = cv2.cvtColor(red, cv2.COLOR_BGR2YUV_YUY2)
    pictures = (
        JpegPicture(bytes(data)),
        DecodedPicture(frame),
        YuyvPicture(np.ascontiguousarray(packed).tobytes(), WIDTH, HEIGHT),
    )
    colours = [picture.bgr()[HEIGHT // 2, WIDTH // 2] for picture in pictures]

    assert sound
    assert all(red_ > 200 and max(blue, green) < 60 for blue, green, red_ in colours)
