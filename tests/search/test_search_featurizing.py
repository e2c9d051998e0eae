"""What the models process answers for visual search: described, made small, or refused in words."""

import io
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from factories import stamp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from search_box import png
from search_items import photographs

from appliance.app.featurizing import SIDE_PX, FeatureHandlers
from appliance.errors import CameraLostError, ModelError, PhotoError
from appliance.frames import FrameWriter
from appliance.models.folder import ModelFolder
from appliance.settings import SearchSettings
from appliance.values import FloatArray, ImageArray
from appliance.wire import Request
from appliance.wire.address import Peer
from appliance.wire.messages import (
    AskFeaturizer,
    FeaturizeFrame,
    FeaturizePicture,
    FrameFeaturized,
    Message,
    PictureFeaturized,
)

MODEL = "efficientnet-lite0"
PEER = Peer(os.getpid(), os.getuid())
CUP = next(each.bgr for each in photographs() if each.id == "coffee")


@pytest.fixture(scope="module")
def handlers(session: object) -> FeatureHandlers:
    """With the network installed."""
    del session
    return FeatureHandlers(SearchSettings(), ModelFolder())


def request(message: Message, blob: bytes = b"", fds: tuple[int, ...] = ()) -> Request[Message]:
    """As the server hands it over."""
    return Request(message, blob, fds, PEER)


def described(told: PictureFeaturized | FrameFeaturized) -> FloatArray:
    """The features."""
    (found,) = told.features.values()
    return np.asarray(found, np.float32)


def test_a_picture_is_described_and_made_small(handlers: FeatureHandlers) -> None:
    """512 pixels at most; what is kept of it gives the same features again, as far as a JPEG goes."""
    asked = FeaturizePicture(models=(MODEL,), jpeg=True)
    reply = handlers.picture(request(asked, png(CUP)))
    again = handlers.picture(request(FeaturizePicture(models=(MODEL,)), reply.blob))

    told = reply.message
    assert (600, 400) == (told.width, told.height)
    assert (SIDE_PX, 341) == (told.width_px, told.height_px)
    assert (341, SIDE_PX) == cv2.imdecode(np.frombuffer(reply.blob, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    assert pytest.approx(1, abs=1e-4) == float(np.linalg.norm(described(told)))
    assert float(described(told) @ described(again.message)) > 0.98
    assert b"" == again.blob
    assert (0, 0) == (again.message.width_px, again.message.height_px)


def test_a_network_is_called_as_its_pictures_are(handlers: FeatureHandlers) -> None:
    """Model and the beginning of its file's hash."""
    told = handlers.featurizer(request(AskFeaturizer(model=MODEL))).message
    made = handlers.picture(request(FeaturizePicture(models=(MODEL,)), png(CUP))).message

    assert 1280 == told.numbers
    assert [told.featurizer] == list(made.features)
    assert told.featurizer.startswith(f"{MODEL}:")


def test_a_network_described_otherwise_is_another_featurizer(session: object) -> None:
    """Its features are: of the same file, with blue and red the other way round."""
    del session
    said = {
        "file": str(ModelFolder().path(MODEL)),
        "layout": "NHWC",
        "dtype": "uint8",
        "output": "features",
        "mean": [0, 0, 0],
        "spread": [1, 1, 1],
    }
    names = set()
    for colour in ("BGR", "RGB", "BGR"):
        own = SearchSettings.model_validate({"networks": [{"id": "own", "colour": colour, **said}]})
        handlers = FeatureHandlers(own, ModelFolder())
        names.add(handlers.featurizer(request(AskFeaturizer(model="own"))).message.featurizer)

    assert 2 == len(names)


def test_variations_are_described_too(handlers: FeatureHandlers) -> None:
    """Four of them, each like the picture and not the same."""
    told = handlers.picture(request(FeaturizePicture(models=(MODEL,), variations=True), png(CUP))).message
    likeness = [float(np.asarray(each, np.float32) @ described(told)) for each in told.variations]

    assert 4 == len(likeness)
    assert all(0.2 < each < 0.999 for each in likeness)


@pytest.mark.parametrize("view", ["all", "centre"])
def test_what_counts_is_told(handlers: FeatureHandlers, view: str) -> None:
    """The square in the middle, or all of it."""
    asked = FeaturizePicture.model_validate({"models": [MODEL], "view": view})
    told = handlers.picture(request(asked, png(CUP))).message

    assert {"all": (0, 0, 600, 400), "centre": (160, 60, 440, 340)}[view] == told.box


def test_the_largest_thing_counts(handlers: FeatureHandlers) -> None:
    """Where a detector finds it: a motorcycle in the corner of a wall, and not the middle of the wall."""
    motorcycle = next(each.bgr for each in photographs() if each.id == "motorcycle_left")
    wall: ImageArray = np.full((900, 1200, 3), 190, np.uint8)
    high, wide = 300, round(300 * motorcycle.shape[1] / motorcycle.shape[0])
    wall[560 : 560 + high, 40 : 40 + wide] = cv2.resize(motorcycle, (wide, high))
    asked = FeaturizePicture(models=(MODEL,), view="largest")
    left, top, right, bottom = handlers.picture(request(asked, png(wall))).message.box

    assert 0 <= left < right <= 40 + wide + 60
    assert 500 <= top < bottom <= 900


def test_a_picture_of_a_hundred_megapixels_is_refused(handlers: FeatureHandlers) -> None:
    """By its header: it is not decoded."""
    large = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(large, "PNG")
    with pytest.raises(PhotoError) as refused:
        handlers.picture(request(FeaturizePicture(models=(MODEL,)), large.getvalue()))

    assert "too_many_pixels" == refused.value.reason
    assert "40 megapixels" in refused.value.message
    assert refused.value.hint


@given(st.binary(max_size=400))
@settings(max_examples=50, deadline=None)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    """Whatever bytes come: in words, and never with anything else."""
    with pytest.raises(PhotoError):
        _Kept.handlers.picture(request(FeaturizePicture(models=(MODEL,)), content))


class _Kept:
    """One for all examples."""

    handlers = FeatureHandlers(SearchSettings(), ModelFolder())


def test_a_picture_of_one_pixel_is_described(handlers: FeatureHandlers) -> None:
    """And one that is a line."""
    for shape in ((1, 1, 3), (1, 3000, 3), (3000, 1, 3)):
        reply = handlers.picture(
            request(
                FeaturizePicture(models=(MODEL,), view="centre", jpeg=True), png(np.zeros(shape, np.uint8))
            )
        )
        assert min(reply.message.width_px, reply.message.height_px) >= 1


def test_a_frame_is_described_as_a_picture_is(handlers: FeatureHandlers) -> None:
    """The newest one of the shared memory; none in time is an error."""
    frame: ImageArray = np.ascontiguousarray(CUP)
    with FrameWriter(600, 400) as writer:
        writer.write(stamp(7), frame)
        asked = FeaturizeFrame(models=(MODEL,), view="all", jpeg=True)
        reply = handlers.frame(request(asked, fds=(writer.fd,)))
        late = FeaturizeFrame(models=(MODEL,), after=7, wait_s=0.05)
        with pytest.raises(CameraLostError):
            handlers.frame(request(late, fds=(writer.fd,)))
    picture = handlers.picture(request(FeaturizePicture(models=(MODEL,), jpeg=True), png(CUP)))

    assert 7 == reply.message.sequence
    assert picture.blob == reply.blob
    assert picture.message.features == reply.message.features


def test_a_network_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    """One that nobody knows, one that is not installed, one of the settings without its file."""
    own = {"id": "own", "file": str(tmp_path / "none.onnx")}
    handlers = FeatureHandlers(SearchSettings.model_validate({"networks": [own]}), ModelFolder(tmp_path))
    for model, words in (
        ("another", "no network 'another'"),
        (MODEL, "not installed"),
        ("own", "cannot be read"),
        ("yunet", "no network 'yunet'"),
    ):
        with pytest.raises(ModelError, match=words):
            handlers.featurizer(request(AskFeaturizer(model=model)))


def test_a_box_without_visual_search_loads_nothing_of_it() -> None:
    """The models process, the loop and dispatch start without the room."""
    code = (
        "import sys, appliance.app.embedding, appliance.app.loop, appliance.app.dispatching, "
        "appliance.app.hosting_process\n"
        "print([each for each in sys.modules if each.startswith('appliance.search') or each == 'numkong'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()
