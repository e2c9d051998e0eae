"""What a camera's ring holds of each kind of source: its packets, or its pictures: any can be recorded."""

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_clips import HEIGHT, MIDDLE, WIDTH, number_of, numbered_picture, write_clip, write_pictures
from camera_sources import settings_for
from factories import stamp

from appliance.camera import Camera, PacketRing, RingPacket
from appliance.camera.pictures import JpegPicture, MadePicture, YuyvPicture
from appliance.camera.stills import RingFeed
from appliance.clock import SystemClock
from appliance.errors import CameraLostError
from appliance.values import WHOLE_FRAME, ImageArray


def kept(source: object, *, followed: bool, **more: object) -> tuple[RingPacket, ...]:
    """What the ring of a camera holds once a recording is over."""
    camera = Camera(settings_for(source, fps=60, ring_s=60, **more), SystemClock())
    if followed:
        with camera.ring.follow(0.0) as follower:
            for _ in camera.frames(threading.Event()):
                pass
            return follower.take(0).packets
    for _ in camera.frames(threading.Event()):
        pass
    return camera.ring.snapshot()


def numbers(packets: tuple[RingPacket, ...]) -> list[int]:
    """Which numbered picture each JPEG shows."""
    return [number_of(JpegPicture(packet.data).gray(MIDDLE)) for packet in packets]


def clip(folder: Path, kind: str) -> Path:
    """Twelve numbered pictures, sixty a second, which is how long these tests take."""
    match kind:
        case "yuyv":
            return write_clip(folder / "clip.nut", fps=60, codec="rawvideo", pixel_format="yuyv422")
        case "rgb":
            return write_clip(folder / "clip.nut", fps=60, codec="rawvideo", pixel_format="rgb24")
        case "png":
            return write_pictures(folder / "pictures", suffix=".png")
        case "jpeg":
            return write_pictures(folder / "pictures")
        case "mjpeg":
            return write_clip(folder / "clip.avi", fps=60, codec="mjpeg", pixel_format="yuvj420p")
        case _:
            return write_clip(folder / "clip.mp4", fps=60)


def test_raw_pictures_are_kept_as_they_are(tmp_path: Path) -> None:
    """Two a second while nobody follows, which costs a copy each, and all of them while somebody does."""
    raw = clip(tmp_path, "yuyv")
    followed, unfollowed = kept(raw, followed=True), kept(raw, followed=False)
    pictures = [YuyvPicture(packet.data, WIDTH, HEIGHT) for packet in followed]

    assert {("rawvideo", b"YUY2")} == {(p.parameters.codec, p.parameters.extradata) for p in followed}
    assert list(range(12)) == [number_of(each.gray(MIDDLE)) for each in pictures]
    assert [followed[0].data] == [packet.data for packet in unfollowed]


@pytest.mark.parametrize("kind", ["rgb", "png", "jpeg"])
def test_a_source_without_packets_gives_its_pictures_while_it_is_followed(kind: str, tmp_path: Path) -> None:
    """Every picture that the loop looks at, whole, as a JPEG."""
    packets = kept(clip(tmp_path, kind), followed=True)

    assert {"mjpeg"} == {packet.parameters.codec for packet in packets}
    assert 12 == len(packets)
    assert all(abs(number - index) <= 1 for index, number in enumerate(numbers(packets)))
    assert all(packet.keyframe for packet in packets)


@pytest.mark.parametrize("kind", ["h264", "mjpeg"])
def test_a_source_with_packets_gives_these_and_nothing_else(kind: str, tmp_path: Path) -> None:
    """As they are; no picture is encoded beside them."""
    packets = kept(clip(tmp_path, kind), followed=True)

    assert 12 == len(packets)
    assert {kind} == {packet.parameters.codec for packet in packets}


def test_while_nobody_follows_few_and_small_pictures_are_kept() -> None:
    """Five a second at most and half as wide, for it is paid day and night; they say how large they were."""
    ring = PacketRing(60, 1 << 22)
    feed = RingFeed(ring)
    for index in range(30):
        shown = MadePicture(1280, 720, lambda: np.zeros((720, 1280, 3), np.uint8))
        feed.picture(shown, stamp(index, index / 30))
    packets = ring.snapshot()
    small = JpegPicture(packets[0].data)

    assert 5 == len(packets)
    assert (640, 360) == (small.width, small.height)
    assert (1280, 720) == (packets[0].parameters.width, packets[0].parameters.height)


def test_a_scene_can_be_recorded() -> None:
    """The demonstration without a camera has a ring, too."""
    camera = Camera(settings_for("scene:door", width_px=320, height_px=192), SystemClock())
    stop = threading.Event()
    for frame in camera.frames(stop):
        if frame.stamp.sequence >= 0:
            stop.set()
    first = JpegPicture(camera.ring.snapshot()[0].data)

    assert (320, 192) == (first.width, first.height)


def test_pictures_are_not_kept_where_nothing_is_recorded(tmp_path: Path) -> None:
    """With the recording of video switched off it costs nothing; packets are kept as ever."""
    camera = Camera(
        settings_for(write_pictures(tmp_path / "pictures"), fps=60), SystemClock(), keep_pictures=False
    )
    for _ in camera.frames(threading.Event()):
        pass

    assert 0 == len(camera.ring)


def test_a_picture_that_cannot_be_decoded_is_left_out() -> None:
    """The loop will say so; the ring goes on."""
    ring = PacketRing(60, 1 << 20)
    feed = RingFeed(ring)
    whole = cv2.imencode(".jpg", numbered_picture(3))[1].tobytes()
    damaged = MadePicture(320, 192, _no_picture)
    feed.picture(damaged, stamp(0, 0.0))
    feed.picture(JpegPicture(whole), stamp(1, 1.0))

    assert [whole] == [packet.data for packet in ring.snapshot()]


def _no_picture() -> ImageArray:
    raise CameraLostError("a frame could not be decoded; the next may be sound")


def test_a_picture_is_shown_to_the_loop_unchanged() -> None:
    """What goes into the ring leaves the picture as it was."""
    made = MadePicture(320, 192, lambda: np.array(numbered_picture(5)))
    RingFeed(PacketRing(60, 1 << 20)).picture(made, stamp(0))

    assert np.array_equal(numbered_picture(5), made.bgr())
    assert 5 == number_of(made.gray(MIDDLE))
    assert (192, 320) == made.gray(WHOLE_FRAME).shape
