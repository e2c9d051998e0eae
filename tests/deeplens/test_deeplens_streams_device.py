"""The device stream: what a function or a player reads at `/opt/awscam/out`."""

import contextlib
import io
import os
import select
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from factories import frame
from pipe_readers import eventually, filmed, probed

from appliance.deeplens.device_stream import PICTURES_NAME, VIDEO_NAME, DeviceStream, ViewStreams
from appliance.deeplens.frame_source import NewestFrames
from appliance.deeplens.jpeg_stream import JpegStream
from appliance.deeplens.stream_units import Encoder, Unit, VideoEncoder
from appliance.values import ImageArray

pytestmark = pytest.mark.filterwarnings("error")
ACCESS_UNIT = b"\x00\x00\x00\x01\x09"
PARAMETERS = (7, 8)


@contextlib.contextmanager
def viewed(folder: Path, camera: NewestFrames, stream: DeviceStream | None = None) -> Iterator[Path]:
    """The folder that a function has as `/opt/awscam/out`."""
    stream = stream or DeviceStream(camera.source())
    stream.open()
    view = ViewStreams(folder / "out", stream)
    view.open()
    try:
        yield folder / "out"
    finally:
        view.close()
        stream.close()


def read(path: Path, enough: int) -> bytes:
    """The first bytes of a pipe, from when a reader came."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    data = b""
    until = time.monotonic() + 20
    while len(data) < enough and time.monotonic() < until:
        select.select([fd], [], [], 0.05)
        with contextlib.suppress(BlockingIOError):
            data += os.read(fd, 1 << 16)
    os.close(fd)
    return data


def kinds(data: bytes) -> list[int]:
    """The kinds of the network abstraction layer units of a stream, in order."""
    return [part[0] & 31 for part in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:] if part]


def decoded(data: bytes) -> list[ImageArray]:
    """The pictures of a stream, by another decoder's eyes."""
    with av.open(io.BytesIO(data), format="h264") as container:
        return [np.asarray(each.to_ndarray(format="bgr24"), np.uint8) for each in container.decode(video=0)]


def test_video_is_h264_at_1080p_from_a_key_frame_on_for_every_reader(tmp_path: Path) -> None:
    """Also for one who comes in the middle: parameter sets and a key frame first."""
    with filmed() as camera:
        stream = DeviceStream(camera.source())
        with viewed(tmp_path, camera, stream) as out:
            streams = [read(out / VIDEO_NAME, 40_000)]
            assert eventually(lambda: not stream._video.reading)
            streams.append(read(out / VIDEO_NAME, 40_000))

    for each in streams:
        assert each.startswith(ACCESS_UNIT)
        assert list(PARAMETERS) == [kind for kind in kinds(each)[:6] if kind in PARAMETERS]
        pictures = decoded(each)
        assert len(pictures) > 2
        assert {(1080, 1920, 3)} == {picture.shape for picture in pictures}


def test_the_video_shows_what_the_camera_saw() -> None:
    """Colours and places survive, black beside another shape, and key frames come by themselves."""
    encoder = VideoEncoder(5)
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :320] = (200, 30, 30)
    picture[:, 320:] = (30, 30, 200)
    units = [encoder.encode(picture, datetime(2026, 3, 1, tzinfo=UTC), key=at == 3) for at in range(15)]
    shown = decoded(b"".join(unit.data for unit in units))[-1].astype(int)

    assert [0, 3, 13] == [at for at, unit in enumerate(units) if unit.key]
    assert abs(shown[500, 500] - (200, 30, 30)).max() < 12
    assert abs(shown[500, 1400] - (30, 30, 200)).max() < 12
    assert shown[500, 60].max() < 12


def test_pictures_are_whole_jpegs_of_the_cameras_own_size(tmp_path: Path) -> None:
    """One after the other, without headers between them, and OpenCV opens the pipe by its path."""
    with (
        filmed(60, noise=True) as camera,
        viewed(tmp_path, camera, DeviceStream(camera.source(), fps=60)) as out,
    ):
        first = JpegStream().feed(read(out / PICTURES_NAME, 1_000_000))
        capture = cv2.VideoCapture(str(out / PICTURES_NAME))
        opened, picture = capture.read()
        capture.release()

    assert first is not None
    assert (640, 360) == (first.width, first.height)
    assert opened
    assert (360, 640, 3) == picture.shape


class _Counting:
    """An encoder that tells how much it was asked for."""

    def __init__(self) -> None:
        self.encoded = 0
        self.keys: list[int] = []

    def encode(self, picture: ImageArray, at: datetime, *, key: bool = False) -> Unit:
        """A unit of text."""
        self.encoded += 1
        if key:
            self.keys.append(self.encoded)
        return Unit(b"%06d%s" % (self.encoded, b"k" if key else b"p"), key, at)


def test_nothing_is_encoded_while_nobody_reads(tmp_path: Path) -> None:
    """Not before the first reader, not after the last, and once for two who read at the same time."""
    encoder = _Counting()

    def made(_fps: float) -> Encoder:
        return encoder

    with filmed() as camera:
        stream = DeviceStream(camera.source(), make_encoder=made)
        with viewed(tmp_path / "a", camera, stream) as out:
            other = ViewStreams(tmp_path / "b" / "out", stream)
            other.open()
            time.sleep(0.3)
            before = encoder.encoded
            one = read(out / VIDEO_NAME, 21)
            first = os.open(out / VIDEO_NAME, os.O_RDONLY | os.O_NONBLOCK)
            two = read(tmp_path / "b" / "out" / VIDEO_NAME, 21)
            os.close(first)

            def is_quiet() -> bool:
                done = encoder.encoded
                time.sleep(0.3)
                return done == encoder.encoded

            assert eventually(is_quiet)
            other.close()

    assert 0 == before
    assert one[:7].endswith(b"k")
    assert two[:7].endswith(b"k")
    assert len(encoder.keys) <= 3


def test_a_reader_that_stands_still_slows_nobody(tmp_path: Path) -> None:
    """It misses units; whoever else reads the camera misses none."""
    with filmed() as camera:
        stream = DeviceStream(camera.source(), make_encoder=lambda _fps: _Large())
        with viewed(tmp_path / "a", camera, stream) as out:
            other = ViewStreams(tmp_path / "b" / "out", stream)
            other.open()
            still = os.open(out / VIDEO_NAME, os.O_RDONLY | os.O_NONBLOCK)
            lively = read(tmp_path / "b" / "out" / VIDEO_NAME, 12 * _Large.SIZE)
            os.close(still)
            other.close()
    numbers = [int(lively[at : at + 6]) for at in range(0, 12 * _Large.SIZE, _Large.SIZE)]

    assert list(range(numbers[0], numbers[0] + 12)) == numbers


class _Large(_Counting):
    """Units of which a pipe holds three."""

    SIZE = 300_000

    def encode(self, picture: ImageArray, at: datetime, *, key: bool = False) -> Unit:
        """A numbered unit."""
        unit = super().encode(picture, at, key=key)
        return Unit(unit.data.ljust(self.SIZE, b"."), unit.key, at)


def test_the_stream_keeps_its_pace_over_a_short_gap_and_pauses_in_a_long_one(tmp_path: Path) -> None:
    """A camera that gives nothing for a moment is shown again; one that is away is not."""
    encoder = _Counting()
    camera = NewestFrames()
    camera.offer(frame(0))
    stream = DeviceStream(camera.source(), fps=50, make_encoder=lambda _fps: encoder)
    with viewed(tmp_path, camera, stream) as out:
        reader = os.open(out / VIDEO_NAME, os.O_RDONLY | os.O_NONBLOCK)

        def is_paused() -> bool:
            done = encoder.encoded
            time.sleep(0.3)
            return 1 < done == encoder.encoded

        assert eventually(is_paused)
        paused = encoder.encoded
        camera.offer(frame(1))
        assert eventually(lambda: encoder.encoded > paused)
        os.close(reader)

    assert paused <= 52


def test_the_pipes_of_a_view_are_for_reading_and_go_with_it(tmp_path: Path) -> None:
    """Whoever the function runs as may read and not write; afterwards not even their folder is left."""
    with filmed() as camera, viewed(tmp_path, camera) as out:
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}

    assert {VIDEO_NAME: 0o644, PICTURES_NAME: 0o644} == modes
    assert [] == list(tmp_path.iterdir())


@pytest.mark.debian(reason="ffmpeg")
def test_ffprobe_plays_the_video_pipe(tmp_path: Path) -> None:
    """By its path, as it stands there."""
    with filmed() as camera, viewed(tmp_path, camera) as out:
        said = probed(out / VIDEO_NAME, "-probesize", "20000", frames=5)

    assert ("h264", "1920", "1080") == (said["codec_name"], said["width"], said["height"])
    assert int(said["nb_read_frames"]) >= 5
