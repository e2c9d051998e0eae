"""Whole JPEGs out of a stream, whatever else is in it."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from appliance.deeplens.jpeg_stream import JpegStream


def jpeg(level: int, size: tuple[int, int] = (24, 16), **options: object) -> bytes:
    """A noisy picture as JPEG, with stuffed bytes in it; another for each level."""
    noise = np.random.default_rng(level).integers(0, 255, (size[1], size[0], 3), np.uint8)
    with io.BytesIO() as file:
        Image.fromarray(noise).save(file, "JPEG", quality=95, **options)
        return file.getvalue()


def with_thumbnail() -> bytes:
    """A JPEG with a whole other JPEG in its first segment, as cameras write them."""
    whole, small = jpeg(1), jpeg(2, (8, 8))
    body = b"Exif\0\0" + small
    return whole[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + whole[2:]


PICTURES = [
    jpeg(10),
    jpeg(11, (64, 40)),
    jpeg(12, progressive=True),
    jpeg(13, restart_marker_blocks=1),
    with_thumbnail(),
    bytes(cv2.imencode(".jpg", np.full((480, 640, 3), 255, np.float32))[1]),
]
NOISE = st.binary(max_size=80).filter(lambda data: b"\xff\xd8" not in data and not data.endswith(b"\xff"))


def found(stream: JpegStream, data: bytes, size: int = 1) -> list[bytes]:
    """The pictures that come out when the stream comes in pieces of that size."""
    pieces = (stream.feed(data[at : at + size]) for at in range(0, len(data), size))
    return [each.data for each in pieces if each]


@given(st.lists(st.tuples(NOISE, st.sampled_from(PICTURES)), max_size=4), NOISE, st.integers(1, 40))
def test_every_whole_picture_comes_out_of_noise_in_any_pieces(
    parts: list[tuple[bytes, bytes]], tail: bytes, size: int
) -> None:
    """Nothing that stands between pictures costs one, and a piece's last picture is the one given."""
    data = b"".join(noise + picture for noise, picture in parts) + tail

    assert [picture for _, picture in parts] == found(JpegStream(), data, size)
    assert [picture for _, picture in parts][-1:] == found(JpegStream(), data, len(data) + 1)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(PICTURES),
            st.tuples(st.sampled_from(PICTURES), st.integers(0, 900), st.integers(0, 900)).map(
                lambda cut: cut[0][cut[1] : cut[1] + cut[2]]
            ),
            st.sampled_from([b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xda", b"\xff\xff", b"\xff\xe1\xff\xff"]),
        ),
        max_size=10,
    ),
    st.integers(1, 3000),
)
def test_any_stream_in_any_pieces_gives_only_whole_pictures_that_are_in_it(
    parts: list[bytes], size: int
) -> None:
    """Cut off, mixed up or made up: what comes out stands in the stream, in order, and walks by itself."""
    data = b"".join(parts)
    at = 0
    for picture in found(JpegStream(), data, size):
        at = data.index(picture, at) + len(picture)

        assert picture.startswith(b"\xff\xd8\xff")
        assert picture.endswith(b"\xff\xd9")
        assert [picture] == found(JpegStream(), picture, len(picture))


@given(st.sampled_from(PICTURES), st.data())
def test_a_picture_that_was_cut_off_does_not_end_the_stream(picture: bytes, data: st.DataObject) -> None:
    """Also when the cut goes through a header, whose length is then taken from the next picture: 64 KiB."""
    cut = picture[: data.draw(st.integers(0, len(picture) - 1))]
    whole = jpeg(77)

    assert whole in found(JpegStream(), cut + whole * (70_000 // len(whole)), 4096)


def test_the_size_is_told() -> None:
    """Width and height in pixels, as the header says."""
    size = JpegStream().feed(jpeg(1, (64, 40)))

    assert size is not None
    assert (64, 40) == (size.width, size.height)


@pytest.mark.parametrize("sides", [(0, 16), (16, 0), (20_000, 16), (16_000, 16_000)])
def test_a_picture_of_no_or_monstrous_size_is_skipped(sides: tuple[int, int]) -> None:
    """A viewer that decoded it would spend its memory; the next one is found."""
    whole = jpeg(1)
    at = whole.index(b"\xff\xc0") + 5
    monster = whole[:at] + sides[1].to_bytes(2, "big") + sides[0].to_bytes(2, "big") + whole[at + 4 :]

    assert [whole] == found(JpegStream(), monster + whole, 100)


def test_a_picture_larger_than_allowed_is_skipped_and_not_kept() -> None:
    """What never ends fills no memory: the beginning is given up once it is too long."""
    stream = JpegStream(max_bytes=2000)
    beginning = jpeg(1)[:-2]
    for _ in range(100):
        assert stream.feed(b"\x55" * 1000 if stream.is_inside else beginning) is None
        assert len(stream._buffer) <= 4000

    whole = jpeg(3)

    assert [whole] == found(stream, b"\0" * 5000 + whole, 500)


def test_beginnings_inside_of_each_other_are_not_walked_again_and_again() -> None:
    """A stream made to be looked at a thousand times over is looked at twice at most."""
    nest = (b"\xff\xd8\xff\xe1\x00\x06\xff\xd8" * 3).ljust(30, b"\0")
    evil = (b"\xff\xd8\xff\xe0\xff\xf0" + nest * 2000) * 40
    stream = JpegStream()
    found(stream, evil, 65536)
    begun = stream.broken

    assert begun < len(evil)
    assert [jpeg(1)] == found(stream, b"\0" * 200_000 + jpeg(1), 65536)
