"""The featurizer: golden values, colours the right way round, any network with features, and no other."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from appliance.errors import ModelError
from appliance.networks import open_session
from appliance.search import FeatureNetwork, Featurizer, featurizer_id
from appliance.search.featurizer import fitted

THINGS = Path(__file__).parents[2] / "data" / "things"


@pytest.fixture(scope="module")
def featurizer(session: Any) -> Featurizer:
    """The appliance's own."""
    return Featurizer(session)


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    """Chelsea."""
    return cv2.imread(str(THINGS / "chelsea.png"))


@pytest.fixture(scope="module")
def cup() -> np.ndarray:
    """The coffee."""
    return cv2.imread(str(THINGS / "coffee.png"))


def test_golden_values(featurizer: Featurizer, cat: np.ndarray, cup: np.ndarray) -> None:
    """A cat is like the same cat, nearer and the other way round; a cup is something else."""
    nearer = cat[30:-30, 40:-40, :][:, ::-1]
    of_cat, of_cup, of_nearer = featurizer.featurize_many([cat, cup, nearer])

    assert featurizer.size == 1280
    assert (of_cat.dtype, of_cat.shape) == (np.float32, (1280,))
    assert {int(each) for each in np.argsort(of_cat)[::-1][:4]} == {112, 254, 287, 301}
    assert of_cat[[112, 254, 287, 301]].tolist() == pytest.approx([0.2656, 0.2108, 0.2642, 0.1936], abs=0.002)
    assert float(of_cat @ of_nearer) > 0.8
    assert float(of_cat @ of_cup) < 0.3


def test_swapped_channels_are_another_picture(featurizer: Featurizer, cup: np.ndarray) -> None:
    """Blue first is what is meant; with red first the cup is less like itself than a turned one is."""
    swapped = np.ascontiguousarray(cup[:, :, ::-1])
    turned = cv2.warpAffine(cup, cv2.getRotationMatrix2D((300, 200), 10, 1), (600, 400))
    as_it_is, of_swapped, of_turned = featurizer.featurize_many([cup, swapped, turned])

    assert float(as_it_is @ of_swapped) < float(as_it_is @ of_turned) - 0.05


def test_many_are_as_one_by_one(featurizer: Featurizer, cat: np.ndarray) -> None:
    """Of any sizes, more than a batch; every vector of length 1."""
    pictures = [cat[: 20 + at * 13, : 300 - at * 12] for at in range(18)]
    many = featurizer.featurize_many(pictures)

    assert many.shape == (18, 1280)
    assert np.allclose(np.linalg.norm(many, axis=1), 1, atol=1e-5)
    assert np.allclose(many, np.stack([featurizer.featurize(each) for each in pictures]), atol=1e-4)
    assert featurizer.featurize_many([]).shape == (0, 1280)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3)),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(featurizer: Featurizer, wrong: np.ndarray) -> None:
    """Gray, with transparency, of floats, empty."""
    with pytest.raises(ValueError, match="expected a picture"):
        featurizer.featurize(wrong)


@pytest.mark.parametrize("fit", ["stretched", "letterboxed", "cropped"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (40, 60), (700, 500)])
def test_every_fit_gives_the_size(fit: Any, shape: tuple[int, int]) -> None:
    """However long the picture is, and the other way round than the network's square."""
    network = FeatureNetwork(width=32, height=48, fit=fit)

    assert fitted(np.full((*shape, 3), 7, np.uint8), network).shape == (48, 32, 3)


def test_letterboxing_keeps_all_and_cropping_the_middle() -> None:
    """In proportion, with gray at both sides; or without the ends."""
    wide = np.zeros((20, 40, 3), np.uint8)
    wide[:, 10:30] = 255

    assert fitted(wide, FeatureNetwork(20, 20, fit="cropped")).min() == 255
    boxed = fitted(wide, FeatureNetwork(20, 20, fit="letterboxed"))
    assert (boxed[:4] == 114).all()
    assert boxed[10, :, 0].tolist()[::19] == [0, 0]
    assert boxed[10, 10, 0] == 255


def made(
    tmp_path: Path,
    *,
    shape: list[Any],
    kind: int = TensorProto.FLOAT,
    pool: bool = True,
    outputs: tuple[str, ...] = ("features",),
    times: float = 1.0,
) -> Any:
    """A small network: the mean of each channel, or, not pooled, the picture."""
    nodes = [
        helper.make_node("Cast", ["x"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["times"], value_float=times),
        helper.make_node("Mul", ["cast", "times"], ["scaled"]),
    ]
    for name in outputs:
        axes = [2, 3] if shape[1] == 3 else [1, 2]
        pooled = helper.make_node("ReduceMean", ["scaled"], [name], axes=axes, keepdims=int(shape[1] == 3))
        nodes.append(pooled if pool else helper.make_node("Identity", ["scaled"], [name]))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
    )
    path = tmp_path / "made.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return open_session(path)


RED_FIRST = FeatureNetwork(
    *(8, 6, "RGB", "NCHW", "float32"), mean=(10.0, 20.0, 30.0), spread=(2.0, 4.0, 5.0), output=""
)


@pytest.mark.parametrize("count", [1, "n"])
def test_a_network_is_given_what_it_takes(tmp_path: Path, count: int | str) -> None:
    """Red first, channels first, scaled; one at a time or several; with dimensions of one left in place."""
    session = made(tmp_path, shape=[count, 3, 6, 8])
    blue_green_red = np.tile(np.uint8([80, 60, 50]), (30, 40, 1))
    found = Featurizer(session, RED_FIRST).featurize_many([blue_green_red] * 3)
    wanted = np.float32([(50 - 10) / 2, (60 - 20) / 4, (80 - 30) / 5])

    assert np.allclose(found, np.tile(wanted / np.linalg.norm(wanted), (3, 1)), atol=1e-5)


@pytest.mark.parametrize(
    ("network", "made_of", "said"),
    [
        (FeatureNetwork(8, 6), {"shape": ["n", 6, 8, 3]}, "not as described"),
        (FeatureNetwork(8, 8, dtype="float32"), {"shape": ["n", 6, 8, 3]}, "not as described"),
        (FeatureNetwork(8, 6, layout="NCHW", dtype="float32"), {"shape": ["n", 6, 8, 3]}, "not as described"),
        (FeatureNetwork(8, 6, dtype="float32", output="prob"), {"shape": ["n", 6, 8, 3]}, "no output"),
        (
            FeatureNetwork(8, 6, dtype="float32"),
            {"shape": ["n", 6, 8, 3], "outputs": ("a", "b")},
            "no output",
        ),
        (FeatureNetwork(8, 6, dtype="float32"), {"shape": ["n", 6, 8, 3], "pool": False}, "cannot be used"),
        (
            FeatureNetwork(8, 6, dtype="float32"),
            {"shape": ["n", 6, 8, 3], "times": 0.0},
            "other than zeros",
        ),
        (FeatureNetwork(8, 6, dtype="float32"), {"shape": ["n", 6, 8, 3], "times": np.inf}, "finite"),
    ],
)
def test_another_network_is_a_typed_error(
    tmp_path: Path, network: FeatureNetwork, made_of: dict[str, Any], said: str
) -> None:
    """Of bytes, of another size, the channels elsewhere, without such an output, without features."""
    with pytest.raises(ModelError, match=said) as caught:
        Featurizer(made(tmp_path, **made_of), network)

    assert caught.value.hint


def test_the_classes_can_be_told_from_the_features_by_name(session: Any) -> None:
    """Both are numbers for a picture; which is meant is said."""
    assert Featurizer(session, FeatureNetwork(output="probabilities")).size == 1000
    with pytest.raises(ModelError, match="probabilities"):
        Featurizer(session, FeatureNetwork(output="flatten0"))


def test_a_description_that_contradicts_itself_is_refused() -> None:
    """Bytes are not scaled; nothing has no width."""
    for wrong in ({"mean": (1.0, 1.0, 1.0)}, {"width": 0}, {"spread": (1.0, 0.0, 1.0)}):
        with pytest.raises(ValueError, match=r"above|bytes"):
            FeatureNetwork(**wrong)


def test_the_id_on_every_row() -> None:
    """The model and the beginning of its file's hash."""
    assert featurizer_id("efficientnet-lite0", "3679d621c2054b1fffb5") == "efficientnet-lite0:3679d621c205"


def test_what_is_said_of_a_network_is_in_its_id() -> None:
    """Each field of it: features made otherwise cannot be compared. 1 and 1.0 are the same."""
    float32 = {"dtype": "float32"}
    others: list[dict[str, Any]] = [
        {},
        {"width": 192},
        {"height": 192},
        {"colour": "RGB"},
        {"layout": "NCHW"},
        float32,
        {**float32, "mean": (1.0, 2.0, 3.0)},
        {**float32, "spread": (1.0, 2.0, 3.0)},
        {"output": "features"},
        {"fit": "cropped"},
    ]
    ids = [featurizer_id("own", "3679d621c205", FeatureNetwork(**each)) for each in others]
    whole = FeatureNetwork(**float32, mean=(1, 2, 3))

    assert len(ids) == len(set(ids))
    assert featurizer_id("own", "3679d621c205", whole) == ids[6]
    assert featurizer_id("own", "4679d621c205", FeatureNetwork()) != ids[0]
    assert all(re.fullmatch(r"own:[0-9a-f]{12}", each) for each in ids)
