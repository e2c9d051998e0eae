"""A glance at a webcam: who stands there and how; nothing waits for it, and nothing large is decoded."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from portrait_clip import ENROL, OTHER_DAY, webcam_picture

from appliance.app.glancing import MOST_BYTES, GlanceHandlers
from appliance.errors import PhotoError
from appliance.faces import FaceReader
from appliance.models.folder import ModelFolder
from appliance.settings.model import FaceSettings
from appliance.values import ImageArray
from appliance.wire import Request
from appliance.wire.address import Peer
from appliance.wire.messages import FacesGlanced, GlanceAtFaces


@pytest.fixture(scope="module")
def reader() -> Iterator[FaceReader]:
    """A detector, and nothing that makes templates: a glance needs none."""
    with FaceReader.open(ModelFolder(), FaceSettings(), []) as opened:
        yield opened


@pytest.fixture
def lock() -> threading.Lock:
    """Held by whoever enrols."""
    return threading.Lock()


@pytest.fixture
def handlers(reader: FaceReader, lock: threading.Lock) -> GlanceHandlers:
    """What answers."""
    return GlanceHandlers(reader, lock)


def glance(handlers: GlanceHandlers, content: bytes) -> FacesGlanced:
    """Have a picture file looked at."""
    return handlers.glance(Request(GlanceAtFaces(), content, (), Peer(os.getpid(), os.geteuid()))).message


def small(picture: ImageArray) -> bytes:
    """As the page sends it."""
    copy = cv2.resize(picture, (480, 360), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()


@pytest.mark.parametrize(("portrait", "side"), [(ENROL, 0), (OTHER_DAY, 1), (OTHER_DAY, -1)])
def test_who_stands_there_is_found(handlers: GlanceHandlers, portrait: Path, side: int) -> None:
    """Where, how large, turned to which side (in the mirror to the other), and that nothing is wrong."""
    picture = webcam_picture(portrait)
    seen = glance(handlers, small(picture if side >= 0 else picture[:, ::-1]))

    assert seen.largest is not None
    x, _, width, _ = seen.largest.box
    turn = seen.largest.turn
    assert (1, (480, 360), ()) == (seen.faces, (seen.width, seen.height), seen.largest.reasons)
    assert 0.22 < width / 480 < 0.34
    assert 0.45 < (x + width / 2) / 480 < 0.55
    assert side == (0 if abs(turn) < 0.13 else 1 if turn > 0 else -1)


def test_nobody_and_two(handlers: GlanceHandlers) -> None:
    """An empty room is one, and so is who stands beside somebody; who is far behind them is not counted."""
    one = webcam_picture(ENROL)
    pair = np.hstack([one[:, 240:720], webcam_picture(OTHER_DAY)[:, 240:720]])
    behind = one.copy()
    behind[40:310, 20:260] = cv2.resize(webcam_picture(OTHER_DAY, face_px=90), (960, 720))[190:460, 360:600]

    nobody = glance(handlers, small(np.full((360, 480, 3), 127, np.uint8)))

    assert (0, None) == (nobody.faces, nobody.largest)
    assert 2 == glance(handlers, small(pair)).faces
    assert 1 == glance(handlers, small(behind)).faces


def test_blur_is_named(handlers: GlanceHandlers) -> None:
    """So that the hint is true of the face, not of the wall behind it."""
    seen = glance(handlers, small(webcam_picture(ENROL, blur=24)))

    assert seen.largest is not None
    assert "LOW_SHARPNESS" in seen.largest.reasons


def test_who_enrols_is_not_kept_waiting(handlers: GlanceHandlers, lock: threading.Lock) -> None:
    """While a picture is looked at a glance is answered at once, with `busy`; afterwards it is one again."""
    picture = small(webcam_picture(ENROL))
    with lock:
        seen = glance(handlers, picture)

    assert FacesGlanced(busy=True) == seen
    assert 1 == glance(handlers, picture).faces


def test_what_is_no_small_picture_is_refused(handlers: GlanceHandlers, lock: threading.Lock) -> None:
    """By its bytes, by its pixels, and what is no picture at all; the next glance is answered as ever."""
    large = io.BytesIO()
    Image.new("RGB", (2000, 2000)).save(large, "PNG")
    for content, reason in (
        (b"x" * (MOST_BYTES + 1), "too_many_bytes"),
        (large.getvalue(), "too_many_pixels"),
        (b"x", "not_a_picture"),
    ):
        with pytest.raises(PhotoError) as caught:
            glance(handlers, content)

        assert reason == caught.value.reason
    assert not lock.locked()
