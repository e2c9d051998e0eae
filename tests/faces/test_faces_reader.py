"""The room as one object: what it is opened for, what it makes, how it fails."""

import threading
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import ModelError
from appliance.faces.reader import FaceReader
from appliance.models.folder import ModelFolder
from appliance.settings.model import FaceSettings
from appliance.values import DLIB, DLIB_MIRROR, SFACE, ImageArray, ModelId


@pytest.mark.parametrize(
    "models",
    [(), (DLIB,), (DLIB_MIRROR,), (SFACE,), (DLIB, SFACE), (DLIB, DLIB_MIRROR, SFACE)],
    ids=lambda models: "+".join(models) or "none",
)
def test_a_reader_makes_the_templates_it_was_opened_for(
    model_folder: ModelFolder, obama: ImageArray, models: tuple[ModelId, ...]
) -> None:
    """One of each, and no other network is loaded or run."""
    with FaceReader.open(model_folder, FaceSettings(), models) as reader:
        made = reader.templates(reader.sample(obama, reader.detect(obama)[0]))

    assert set(models) == set(made)
    assert all(model == template.model for model, template in made.items())


def test_a_frame_gives_the_same_templates_every_time(reader: FaceReader, obama: ImageArray) -> None:
    """A replay of a recording comes to the same scores, bit by bit."""
    face = reader.detect(obama)[0]
    first, second = (reader.templates(reader.sample(obama, face)) for _ in range(2))

    assert all((first[model].embedding == second[model].embedding).all() for model in first)


def test_a_frame_is_read_and_not_changed(reader: FaceReader, obama: ImageArray) -> None:
    """Frames may be evidence, and they are shared: read-only ones serve."""
    frame = obama.copy()
    frame.flags.writeable = False
    reader.templates(reader.sample(frame, reader.detect(frame)[0]))

    assert (obama == frame).all()


def test_a_sample_holds_what_the_values_promise(reader: FaceReader, obama: ImageArray) -> None:
    """Both chips in their sizes, uint8; the SFace chip is BGR, the dlib chip RGB."""
    sample = reader.sample(obama, reader.detect(obama)[0])
    skin_dlib, skin_sface = sample.dlib_chip[60:90, 60:90], sample.sface_chip[45:67, 45:67]

    assert [(150, 150, 3), (112, 112, 3)] == [sample.dlib_chip.shape, sample.sface_chip.shape]
    assert {np.dtype(np.uint8)} == {sample.dlib_chip.dtype, sample.sface_chip.dtype}
    # Skin of any colour holds more red than blue.
    assert skin_dlib[..., 0].mean() > skin_dlib[..., 2].mean()
    assert skin_sface[..., 2].mean() > skin_sface[..., 0].mean()


def test_the_hog_detector_can_be_selected(model_folder: ModelFolder, obama: ImageArray) -> None:
    """By the setting alone; templates come from the same embedders."""
    with FaceReader.open(model_folder, FaceSettings(detector="hog"), [DLIB, SFACE]) as reader:
        made = reader.templates(reader.sample(obama, reader.detect(obama)[0]))

    assert {DLIB, SFACE} == set(made)


def test_missing_models_are_one_typed_error_with_the_cure(tmp_path: Path) -> None:
    """The first run without set-up."""
    with pytest.raises(ModelError) as caught:
        FaceReader.open(ModelFolder(tmp_path), FaceSettings(), [SFACE])

    assert "appliance models install" in caught.value.advice


def test_an_unknown_model_is_a_typed_error(model_folder: ModelFolder) -> None:
    """A composition that nobody can compute is noticed at the start."""
    with pytest.raises(ModelError, match="arcface"):
        FaceReader.open(model_folder, FaceSettings(), [ModelId("arcface")])


class Paths:
    """A folder that hands out whatever path it was made with."""

    def __init__(self, folder: ModelFolder, instead: Path) -> None:
        self._folder = folder
        self._instead = instead

    def path(self, name: str) -> Path:
        """The wrong file for SFace, the right one for the rest."""
        return self._instead if name == "sface" else self._folder.path(name)


def test_another_network_under_the_name_is_a_typed_error(model_folder: ModelFolder) -> None:
    """Dlib's network in SFace's place would run, and mean nothing."""
    with pytest.raises(ModelError, match="another network"):
        FaceReader.open(Paths(model_folder, model_folder.path("dlib-resnet")), FaceSettings(), [SFACE])


def test_a_file_that_is_no_network_is_a_typed_error(model_folder: ModelFolder, tmp_path: Path) -> None:
    """Onnxruntime's own exceptions do not leave the room."""
    wrong = tmp_path / "sface.onnx"
    wrong.write_bytes(b"nothing of the kind")

    with pytest.raises(ModelError, match="cannot be read"):
        FaceReader.open(Paths(model_folder, wrong), FaceSettings(), [SFACE])


def test_embedding_lets_other_threads_run(reader: FaceReader, obama: ImageArray) -> None:
    """A capture thread beside the embedders is never held up for a whole network, as dlib's own would."""
    sample = reader.sample(obama, reader.detect(obama)[0])
    stop = threading.Event()
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while not stop.wait(0.001):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    for _ in range(10):
        reader.templates(sample)
    stop.set()
    thread.join()

    assert 20 < ticks
