"""EfficientNet-Lite0 without PyTorch: the same bytes everywhere, the right classes, telling features.

The reader of PyTorch's file imports and calls nothing, whatever the file says.
"""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ModelError
from appliance.models.convert_efficientnet import convert
from appliance.models.folder import ModelFolder
from appliance.models.torch_file import tensors
from appliance.networks import open_session

ROOT = Path(__file__).parents[2]
PICTURES = {
    "cat": ROOT / "data" / "things" / "chelsea.png",
    "cup": ROOT / "data" / "things" / "coffee.png",
    "person": ROOT / "data" / "portraits" / "enrol" / "astronaut.jpg",
}


@pytest.fixture(scope="module")
def published(installed: ModelFolder) -> bytes:
    """The file as PyTorch wrote it."""
    return installed.path("efficientnet-lite0-torch").read_bytes()


@pytest.fixture(scope="module")
def session(installed: ModelFolder) -> Any:
    """The converted network."""
    return open_session(installed.path("efficientnet-lite0"))


def looked_at(session: Any, name: str, *, swapped: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Features of unit length and probabilities of a picture, BGR or with its channels swapped."""
    chip = cv2.resize(cv2.imread(str(PICTURES[name])), (224, 224))
    chip = np.ascontiguousarray(chip[:, :, ::-1] if swapped else chip)
    features, likely = (each[0] for each in session.run(None, {"chips": chip[None]}))
    return features / np.linalg.norm(features), likely


def test_the_published_file_converts_to_the_bytes_in_the_manifest(
    installed: ModelFolder, published: bytes
) -> None:
    """Two boxes that convert have the same file, so that their features can be compared."""
    made = convert(published)

    assert installed.manifest.model("efficientnet-lite0").sha256 == hashlib.sha256(made).hexdigest()


def test_the_converted_file_is_valid_onnx(installed: ModelFolder) -> None:
    """It follows the standard, so that other runtimes can read it too."""
    onnx.checker.check_model(str(installed.path("efficientnet-lite0")), full_check=True)


@pytest.mark.parametrize(
    ("name", "label", "certainty"), [("cat", "Egyptian cat", 0.785), ("cup", "espresso", 0.917)]
)
def test_known_pictures_are_what_they_are(
    installed: ModelFolder, session: Any, name: str, label: str, certainty: float
) -> None:
    """Golden values; with the channels swapped it is less certain, which nothing else would show."""
    labels = installed.manifest.model("efficientnet-lite0").output.labels
    _, likely = looked_at(session, name)
    _, swapped = looked_at(session, name, swapped=True)
    best = int(likely.argmax())

    assert label == labels[best]
    assert float(likely[best]) == pytest.approx(certainty, abs=0.02)
    assert float(likely.sum()) == pytest.approx(1, abs=1e-5)
    assert float(swapped[best]) < certainty - 0.1


def test_the_labels_are_imagenets_thousand(installed: ModelFolder) -> None:
    """In the order that everybody counts by: dogs from 151 to 268, cats from 281 to 285, a hot dog at 934."""
    labels = installed.manifest.model("efficientnet-lite0").output.labels

    assert 1000 == len(labels) == len(set(labels))
    assert ("tench", "toilet tissue") == (labels[0], labels[999])
    assert ("Chihuahua", "Mexican hairless") == (labels[151], labels[268])
    assert ("tabby", "Egyptian cat", "hotdog") == (labels[281], labels[285], labels[934])


def test_features_of_other_things_are_other_features(session: Any) -> None:
    """A cat is like the same cat the other way round, and like no cup and no astronaut."""
    cat, cup, person = (looked_at(session, name)[0] for name in ("cat", "cup", "person"))
    mirrored = cv2.resize(cv2.imread(str(PICTURES["cat"])), (224, 224))[:, ::-1]
    (features,) = session.run(["features"], {"chips": np.ascontiguousarray(mirrored)[None]})
    same = features[0] / np.linalg.norm(features[0])

    assert cat.shape == (1280,)
    assert float(cat @ same) > 0.85
    assert max(float(cat @ cup), float(cat @ person), float(cup @ person)) < 0.3


@pytest.mark.parametrize("kept", [0, 1, 14, 100, 5_000, 42_400, 60_000, -1])
def test_a_truncated_file_is_a_typed_error(published: bytes, kept: int) -> None:
    """Wherever a copy stopped."""
    with pytest.raises(ModelError):
        convert(published[:kept])


@pytest.mark.parametrize("other", ["voc-ssd-caffe", "coco-ssd-pbtxt", "yunet-int8bq", "efficientnet-lite0"])
def test_another_file_is_not_taken_for_it(installed: ModelFolder, other: str) -> None:
    """A valid file of another kind is refused."""
    with pytest.raises(ModelError):
        convert(installed.path(other).read_bytes())


@pytest.fixture(scope="module")
def beginning(published: bytes) -> bytes:
    """Of the published file: small enough to be shown where it matters."""
    return published[:60_000]


@given(st.binary(max_size=300))
def test_noise_is_never_more_than_a_typed_error(data: bytes) -> None:
    """Also where it begins as such a file does."""
    for start in (b"", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)):
        with pytest.raises(ModelError):
            tensors(start + data)


@given(position=st.integers(0, 47_000), patch=st.binary(min_size=1, max_size=8))
def test_a_garbled_beginning_is_never_more_than_a_typed_error(
    beginning: bytes, position: int, patch: bytes
) -> None:
    """Bytes overwritten in what describes the tensors, of a file that also stops short."""
    with pytest.raises(ModelError):
        convert(beginning[:position] + patch + beginning[position + len(patch) :])


class Hostile:
    """What a pickle can do to who loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Make a folder."""
        return Path.mkdir, (Path(self.path),)

    def __init__(self, path: Path) -> None:
        self.path = str(path)


def test_a_file_that_would_run_something_runs_nothing(tmp_path: Path) -> None:
    """Loading it the ordinary way would have made the folder."""
    beginning = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    with pytest.raises(ModelError):
        tensors(beginning + pickle.dumps(Hostile(tmp_path / "made"), 2) + pickle.dumps([], 2))

    assert not (tmp_path / "made").exists()


def test_a_pickle_of_endless_tuples_ends(published: bytes) -> None:
    """Each holds the one before it twice; walking through all of them would take for ever."""
    growing = b"\x80\x02)" + b"".join(b"q%c" % at + b"h%c" % at + b"\x86" for at in range(60)) + b"."
    beginning = published[:137]
    with pytest.raises(ModelError):
        tensors(beginning + growing)
