"""Pictures decoded no further than asked."""

import struct
from contextlib import suppress

import av
import cv2
import numpy as np
import pytest
from camera_clips import HEIGHT, MIDDLE, WIDTH, jpeg, number_of, numbered_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.camera.jpeg_header import parse_jpeg, upper_rows
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


_SAMPLINGS = [
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]


def _noisy_jpeg(width: int, height: int, *, seed: int, colours: int, **options: int) -> bytes:
    shape = (height, width, 3)[: 3 if colours > 1 else 2]
    noise = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    flags = [
        n for key, value in options.items() for n in (getattr(cv2, f"IMWRITE_JPEG_{key.upper()}"), value)
    ]
    sound, data = cv2.imencode(".jpg", noise, flags)
    assert sound
    return bytes(data)


@settings(deadline=None)
@given(
    width=st.integers(8, 700),
    height=st.integers(8, 300),
    rows=st.integers(1, 300),
    seed=st.integers(0, 9),
    colours=st.sampled_from([1, 3]),
    sampling=st.sampled_from(_SAMPLINGS),
    restart=st.sampled_from([0, 0, 1, 7, 100]),
    progressive=st.sampled_from([0, 0, 1]),
    by=st.sampled_from([1, 2, 4, 8]),
)
def test_the_upper_rows_of_a_jpeg_are_those_of_the_whole(  # noqa: PLR0917 - named by hypothesis
    width: int,
    height: int,
    rows: int,
    seed: int,
    colours: int,
    sampling: int,
    restart: int,
    progressive: int,
    by: int,
) -> None:
    """Pixel for pixel, whatever the sampling, restart markers or kind, and at every reduction."""
    data = _noisy_jpeg(
        width,
        height,
        seed=seed,
        colours=colours,
        sampling_factor=sampling,
        rst_interval=restart,
        progressive=progressive,
    )
    how = cv2.IMREAD_GRAYSCALE if by == 1 else getattr(cv2, f"IMREAD_REDUCED_GRAYSCALE_{by}")
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), how)

    upper = cv2.imdecode(np.frombuffer(upper_rows(data, parse_jpeg(data), rows), np.uint8), how)

    assert upper.shape[0] >= min(rows, height) // by
    np.testing.assert_array_equal(whole[: upper.shape[0]], upper)


@pytest.mark.parametrize("restart", [0, 80, 7])
def test_a_decoder_is_handed_no_more_than_the_rows_wanted(
    restart: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of a webcam's JPEG the decoder does the rows to the region's end, and does not complain of the rest."""
    data = _noisy_jpeg(1280, 720, seed=1, colours=3, rst_interval=restart)

    upper = cv2.imdecode(np.frombuffer(upper_rows(data, parse_jpeg(data), 216), np.uint8), cv2.IMREAD_COLOR)

    assert (224, 1280, 3) == upper.shape  # whole units of 16 rows
    assert ("", "") == capfd.readouterr()


def test_a_progressive_jpeg_is_decoded_whole() -> None:
    """Its upper rows are spread over the whole file."""
    data = _noisy_jpeg(1280, 720, seed=1, colours=3, progressive=1)

    assert data == upper_rows(data, parse_jpeg(data), 100)


def test_gray_may_be_asked_further_down_later() -> None:
    """Two doors, the second lower in the picture: both get what a decoder of the whole gives."""
    data = _noisy_jpeg(1280, 720, seed=1, colours=3)
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_4)
    picture = JpegPicture(data)

    for region in (Region(0.5, 0, 1, 0.25), Region(0, 0.5, 0.5, 1), Region(0.5, 0, 1, 0.25)):
        left, top, right, bottom = region.pixels(320, 180)
        np.testing.assert_array_equal(whole[top:bottom, left:right], picture.gray(region))


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


@pytest.mark.parametrize("region", [WHOLE_FRAME, Region(0.34, 0.05, 0.66, 0.3)])
def test_gray_of_large_pictures_is_alike_however_they_are_coded(region: Region) -> None:
    """A door calibrated on H.264 is the same as MJPEG or YUYV: as many pixels, nearly the same values."""
    smooth = cv2.resize(numbered_picture(6, 64, 36), (1280, 720), interpolation=cv2.INTER_CUBIC)
    luma = cv2.cvtColor(smooth, cv2.COLOR_BGR2GRAY)
    sound, data = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert sound
    frame = av.VideoFrame.from_ndarray(smooth, format="bgr24").reformat(format="yuv420p", dst_color_range=2)
    packed = np.dstack([luma, np.full_like(luma, 128)])
    left, top, right, bottom = region.pixels(320, 180)
    plain = luma.reshape(180, 4, 320, 4).mean((1, 3))[top:bottom, left:right]

    for picture in (
        JpegPicture(bytes(data)),
        DecodedPicture(frame),
        YuyvPicture(packed.tobytes(), 1280, 720),
    ):
        gray = picture.gray(region)
        assert plain.shape == gray.shape
        assert np.abs(gray - plain).max() <= 4


def test_gray_of_video_is_a_view_of_the_decoders_luma() -> None:
    """Looking at a region of small H.264 video copies nothing."""
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
