"""What a model makes of each form of picture that functions hand over, and what it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hosted_models import CAT, boxes_of, opened, picture, shared
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.descriptor import Descriptor, ModelInput, OutputLayer
from appliance.deeplens.guest import descriptors as guest
from appliance.deeplens.guest.descriptors import ModelFaultError, Models
from appliance.deeplens.guest.heads import Network, open_network
from appliance.deeplens.guest.model_input import prepared
from appliance.models.folder import ModelFolder

ADAPTING = guest.ModelInput(224, 224, "BGR", "NHWC", "uint8", (0.0,) * 3, (1.0,) * 3, adapts=True)
EXACT = guest.ModelInput(4, 2, "BGR", "NCHW", "float32", (0.0,) * 3, (1.0,) * 3, adapts=False)


@pytest.fixture(scope="module")
def objects(built_in: Models) -> Network:
    """AWS's object detection."""
    return open_network(built_in.find("deploy_ssd_resnet50_300"))


def planes(frame: np.ndarray) -> np.ndarray:
    """Channels first."""
    return np.ascontiguousarray(frame.transpose(2, 0, 1))


FORMS: dict[str, Any] = {
    "bytes": lambda frame: frame,
    "bytes, channels first": planes,
    "a batch of one": lambda frame: frame[None],
    "a view": lambda frame: np.asfortranarray(frame)[:, :, :],
    "0 to 255 as numbers": lambda frame: frame.astype(np.float32),
    "0 to 1": lambda frame: frame.astype(np.float32) / 255,
    "0 to 1 in double": lambda frame: frame / 255,
    "0 to 1, channels first": lambda frame: planes(frame.astype(np.float32) / 255),
    "less a half, channels first": lambda frame: planes(frame.astype(np.float32) / 255 - 0.5),
    "-1 to 1": lambda frame: frame.astype(np.float32) / 127.5 - 1,
    "less half a byte": lambda frame: frame.astype(np.float32) - 127.5,
}
"""As the sample projects feed their models, and others."""


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_same_picture_gives_the_same_boxes(objects: Network, form: str) -> None:
    """A network of ours stands for models of many ranges, and tells the range from the numbers."""
    frame = picture(CAT)
    [(label, certainty, box)] = boxes_of(objects, frame)
    found = boxes_of(objects, FORMS[form](frame))

    assert [label] == [each[0] for each in found]
    assert found[0][1] == pytest.approx(certainty, abs=0.01)
    assert shared(box, found[0][2]) > 0.97


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_the_same_bytes(form: str) -> None:
    """To within one of rounding."""
    frame = picture(CAT, 224, 224)
    ready = prepared(FORMS[form](frame), ADAPTING)

    assert (224, 224) == (ready.width, ready.height)
    assert ready.batch.dtype == np.uint8
    assert int(np.abs(ready.batch[0].astype(int) - frame).max()) <= 1


@pytest.mark.parametrize("size", [(84, 84), (150, 150), (224, 224), (512, 512), (480, 300), (1344, 760)])
def test_boxes_are_in_pixels_of_whatever_size_was_handed_over(
    objects: Network, size: tuple[int, int]
) -> None:
    """Functions were written for models of many sizes, and scale boxes from theirs."""
    [(_, _, box)] = boxes_of(objects, picture(CAT))
    found = boxes_of(objects, picture(CAT, *size))
    in_300 = [value * 300 / side for value, side in zip(found[0][2], size * 2, strict=True)]

    assert shared(box, tuple(in_300)) > 0.85


def test_a_network_of_the_colours_swapped_is_less_certain(built_in: Models) -> None:
    """Cameras give blue first; were it read as red first, nobody would notice but by this."""
    network = open_network(built_in.find("squeezenet"))
    cat = picture(CAT, 224, 224)

    def certainty(frame: np.ndarray) -> float:
        found = network.parsed("classification", network.infer(frame))
        return float(next(each["prob"] for each in found if each["label"] == 285))

    assert certainty(cat) > certainty(cat[:, :, ::-1].copy()) + 0.05


@pytest.mark.parametrize("colour", ["BGR", "RGB"])
def test_an_owners_model_gets_its_channels_mean_and_scale_in_its_own_order(colour: Any) -> None:
    """One for each channel, as it was trained; the caller's picture is as the camera gives it."""
    wanted = guest.ModelInput(
        1, 1, colour, "NCHW", "float32", (10.0, 20.0, 30.0), (1.0, 0.5, 0.25), adapts=False
    )
    frame = np.array([[[100, 150, 200]]], np.uint8)
    first, second, third = (100, 150, 200) if colour == "BGR" else (200, 150, 100)

    assert [first - 10.0, (second - 20) / 2, (third - 30) / 4] == prepared(
        frame, wanted
    ).batch.ravel().tolist()
    assert (1, 3, 1, 1) == prepared(frame, wanted).batch.shape


def test_an_owners_model_gets_numbers_as_they_are() -> None:
    """Nothing is guessed for it: the device guessed nothing either."""
    frame = np.linspace(-0.5, 0.5, 24, dtype=np.float32).reshape(2, 4, 3)

    assert frame.transpose(2, 0, 1).tolist() == prepared(frame, EXACT).batch[0].tolist()


def test_a_gray_model_takes_rows_and_columns() -> None:
    """With an axis for its one channel or without."""
    wanted = guest.ModelInput(3, 2, "GRAY", "NCHW", "float32", (0.0,), (1.0,), adapts=False)
    frame = np.arange(6, dtype=np.uint8).reshape(2, 3)

    assert [[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]] == prepared(frame, wanted).batch[0].tolist()
    assert [[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]] == prepared(frame[:, :, None], wanted).batch[0].tolist()
    with pytest.raises(ModelFaultError, match="channel"):
        prepared(np.zeros((2, 3, 3), np.uint8), wanted)


def test_a_wrong_size_is_an_error_that_names_both(tmp_path: Path, model_folder: ModelFolder) -> None:
    """The device resized nothing; who trained with 300 and resizes to 512 is told so."""
    described = Descriptor(
        name="exact",
        kind="ssd",
        file="voc-ssd.onnx",
        head="boxes_scores",
        input=ModelInput(width=300, height=300, layout="NHWC", dtype="uint8"),
        outputs=(OutputLayer(layer="detection_out"),),
    )
    network = opened(described, {"voc-ssd.onnx": model_folder.path("voc-ssd")}, tmp_path)

    with pytest.raises(ModelFaultError, match=r"300x300 .*512x480"):
        network.infer(picture(CAT, 512, 480))


@pytest.mark.parametrize(
    "given",
    [
        None,
        "frame",
        [[1, 2, 3]],
        np.zeros(3, np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((2, 3, 5, 5), np.uint8),
        np.zeros((5, 5, 3), bool),
        np.array(["a"]),
        np.zeros((5000, 2, 3), np.uint8),
        np.zeros((4, 4, 3), np.complex64),
    ],
)
@pytest.mark.parametrize("wanted", [ADAPTING, EXACT])
def test_what_is_no_picture_is_a_sentence(given: Any, wanted: guest.ModelInput) -> None:
    """A function publishes it; a stack trace of ours would help nobody."""
    with pytest.raises(ModelFaultError):
        prepared(given, wanted)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=12, max_size=12),
)
def test_any_numbers_become_bytes(numbers: list[float]) -> None:
    """Neither what is no number nor what is endless reaches a network of ours."""
    ready = prepared(np.array(numbers, np.float32).reshape(2, 2, 3), ADAPTING)

    assert (1, 224, 224, 3) == ready.batch.shape
    assert ready.batch.dtype == np.uint8
