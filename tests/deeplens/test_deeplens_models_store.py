"""Installed models: whole or not at all, before what is built in; stand-ins that answer with other labels."""

import os
from pathlib import Path

import numpy as np
import pytest
from hosted_models import CAT, PERSON, boxes_of, laid_out, long_ago, picture

from appliance.app.hosted_models import open_model_store
from appliance.deeplens.artifacts import OWN
from appliance.deeplens.descriptor import Descriptor, ModelInput, OutputLayer
from appliance.deeplens.guest.heads import open_network
from appliance.deeplens.model_store import ModelStore
from appliance.errors import ModelError
from appliance.models.folder import ModelFolder


def described(name: str = "fish", **more: object) -> Descriptor:
    """A model of somebody's own."""
    fields = {
        "name": name,
        "kind": "raw",
        "file": f"{name}.model.onnx",
        "head": "raw",
        "input": ModelInput(width=4, height=4),
        "outputs": (OutputLayer(layer="out"),),
        **more,
    }
    return Descriptor(**fields)  # type: ignore[arg-type]


def folders(store: ModelStore) -> list[str]:
    """What lies in the store's folder."""
    return sorted(each.name for each in store.directory.iterdir())


def test_what_is_installed_is_there_and_can_be_removed(model_store: ModelStore) -> None:
    """By any spelling; afterwards nothing of it is left."""
    model_store.install(described(), {"fish.model.onnx": b"weights"}, report="what was done\n")
    found = model_store.model("mxnet_fish_FP16_FUSED.xml")

    assert ("fish", False, "") == (found.descriptor.name, found.built_in, found.fault)
    assert found.files["fish.model.onnx"].read_bytes() == b"weights"
    assert model_store.report("fish") == "what was done\n"
    assert model_store.remove("fish-symbol.json").name == "fish"
    assert [] == folders(model_store)
    with pytest.raises(ModelError, match="no model 'fish'"):
        model_store.model("fish")


def test_another_of_the_same_name_takes_its_place(model_store: ModelStore) -> None:
    """Whole: nothing of the first is left beside it."""
    model_store.install(described(), {"fish.model.onnx": b"first", "fish.model.bin": b"more"})
    model_store.install(described(), {"fish.model.onnx": b"second"})

    assert {"fish.model.onnx": b"second"} == {
        name: path.read_bytes() for name, path in model_store.model("fish").files.items()
    }
    assert ["fish"] == folders(model_store)


def test_a_copy_that_fails_leaves_what_was_there(model_store: ModelStore, tmp_path: Path) -> None:
    """The first stays whole, and no half of the second lies about."""
    model_store.install(described(), {"fish.model.onnx": b"first"})
    with pytest.raises(ModelError, match="cannot be kept"):
        model_store.install(described(), {"a": b"x", "fish.model.onnx": tmp_path / "gone"})

    assert model_store.model("fish").files["fish.model.onnx"].read_bytes() == b"first"
    assert ["fish"] == folders(model_store)


def test_what_a_crash_left_is_swept_away(model_store: ModelStore) -> None:
    """Only when nobody can be writing it any more."""
    model_store.install(described(), {"fish.model.onnx": b"x"})
    (model_store.directory / ".new-old").mkdir()
    (model_store.directory / ".new-now").mkdir()
    os.utime(model_store.directory / ".new-old", (long_ago(), long_ago()))
    model_store.install(described("bird"), {"bird.model.onnx": b"x"})

    assert [".new-now", "bird", "fish"] == folders(model_store)


@pytest.mark.parametrize("damage", ["no descriptor", "noise", "another name", "no weights"])
def test_a_damaged_model_is_in_nobodys_way(model_store: ModelStore, damage: str) -> None:
    """The others are there; it is missing or says what is amiss, and can be installed again."""
    model_store.install(described(), {"fish.model.onnx": b"x"})
    model_store.install(described("bird"), {"bird.model.onnx": b"x"})
    folder = model_store.directory / "fish"
    match damage:
        case "no descriptor":
            (folder / "descriptor.json").unlink()
        case "noise":
            (folder / "descriptor.json").write_bytes(b"\xff{")
        case "another name":
            (folder / "descriptor.json").write_bytes(described("bird").file_bytes())
        case "no weights":
            (folder / "fish.model.onnx").unlink()
    usable = {each.descriptor.name for each in model_store.models() if not each.fault}

    assert "bird" in usable
    assert "fish" not in usable
    model_store.install(described(), {"fish.model.onnx": b"y"})
    assert model_store.model("fish").fault == ""


@pytest.mark.parametrize(
    "name", ["", ".xml", "../x y", "a b", "-x", "x" * 101, "café", "mxnet__FP16_FUSED.xml", "a\nb", "."]
)
def test_a_name_that_would_be_no_folder_is_refused(model_store: ModelStore, name: str) -> None:
    """Text from outside becomes no path."""
    with pytest.raises(ModelError, match="no name for a model"):
        model_store.stand_in("voc", name)


@pytest.mark.parametrize("name", ["../fish", "a/../../fish", "..\\fish"])
def test_a_path_that_leads_elsewhere_is_no_name(model_store: ModelStore, name: str) -> None:
    """Whoever gives one meant something else than a model's name: nothing is installed."""
    with pytest.raises(ModelError, match="no name for a model"):
        model_store.stand_in("voc", name)
    assert not model_store.directory.exists()


def test_a_path_as_a_name_is_its_last_part(model_store: ModelStore) -> None:
    """Whoever copies it from the function's source need not cut it."""
    found = model_store.stand_in("voc", "/opt/awscam/artifacts/mxnet_Deploy_Fish_FP16_FUSED.xml")

    assert model_store.stand_in("voc", "x" * 100).descriptor.name == "x" * 100
    assert ("deploy_fish", ("mxnet_Deploy_Fish_FP16_FUSED",)) == (
        found.descriptor.name,
        found.descriptor.spellings,
    )


@pytest.mark.parametrize(
    ("installed", "asked"), [("deploy_algo", "algo.xml"), ("algo", "mxnet_deploy_algo_FP32_FUSED.xml")]
)
def test_deploy_before_a_name_is_no_other_model(
    model_store: ModelStore, tmp_path: Path, installed: str, asked: str
) -> None:
    """SageMaker's script put it there, and the optimizers kept it or not; with both, each is itself."""
    model_store.stand_in("voc", installed)

    assert laid_out(model_store.shown(), tmp_path / "one").find(asked).name == installed
    model_store.stand_in("face", "algo")
    model_store.stand_in("face", "deploy_algo")
    both = laid_out(model_store.shown(), tmp_path / "both")
    assert ["algo", "deploy_algo"] == [both.find(name).name for name in ("algo", "deploy_algo.xml")]


def test_an_installed_model_stands_before_the_built_in_one(model_store: ModelStore, tmp_path: Path) -> None:
    """Half of the sample projects' authors trained their own under AWS's name; removed, AWS's is back."""
    model_store.stand_in("voc", "mxnet_deploy_ssd_FP16_FUSED.xml", labels=("fish",))
    models = laid_out(model_store.shown(), tmp_path / "view")

    assert models.find("deploy_ssd").labels == ("fish",)
    assert ["deploy_ssd"] == [
        each.descriptor.name for each in model_store.models() if each.descriptor.name == "deploy_ssd"
    ]
    model_store.remove("deploy_ssd")
    assert model_store.model("deploy_ssd").built_in
    with pytest.raises(ModelError, match="built in and stays"):
        model_store.remove("deploy_ssd")


@pytest.mark.parametrize(
    ("labels", "first", "number"),
    [(("fish",), None, 0), (("fish",), 3, 3), (("dog", "cat"), None, 1), (None, None, 8), (None, 0, 7)],
)
def test_a_stand_in_finds_things_under_the_labels_wanted(
    model_store: ModelStore, tmp_path: Path, labels: tuple[str, ...] | None, first: int | None, number: int
) -> None:
    """A cat is a cat where there is such a label, the only label there is, or VOC's number; where it is."""
    model_store.stand_in("voc", "trained", labels=labels, first_label=first)
    network = open_network(laid_out(model_store.shown(), tmp_path / "view").find("trained"))
    [(label, certainty, box)] = boxes_of(network, picture(CAT))

    assert number == label
    assert certainty > 0.9
    assert box[0] < 10
    assert box[2] > 250


@pytest.mark.parametrize("like", OWN)
def test_every_network_stands_in(model_store: ModelStore, tmp_path: Path, like: str) -> None:
    """And answers as its kind does, with finite numbers."""
    model_store.stand_in(like, "trained")
    network = open_network(laid_out(model_store.shown(), tmp_path / "view").find("trained"))
    layers = network.infer(picture(PERSON, 224, 224))

    assert OWN[like].kind == network.descriptor.kind
    assert [OWN[like].output.layer] == list(layers)
    assert all(value.dtype == np.float32 and value.ndim == 1 for value in layers.values())
    assert all(np.isfinite(value).all() for value in layers.values())
    if network.descriptor.kind != "raw":
        found = network.parsed(network.descriptor.kind, layers)
        assert all(type(each["label"]) is int and type(each["prob"]) is float for each in found)


def test_a_classifier_of_fewer_classes_still_adds_up_to_one(model_store: ModelStore, tmp_path: Path) -> None:
    """A thousand classes are dealt to nine, and a name that is a class of its own keeps it."""
    labels = ("Egyptian cat", *(f"label {number}" for number in range(8)))
    model_store.stand_in("classifier", "poses", labels=labels)
    network = open_network(laid_out(model_store.shown(), tmp_path / "view").find("poses"))
    found = network.parsed("classification", network.infer(picture(CAT, 84, 84)))

    assert list(range(9)) == sorted(each["label"] for each in found)
    assert sum(each["prob"] for each in found) == pytest.approx(1, abs=1e-5)
    assert found[0]["label"] == 0


def test_a_classifier_of_more_classes_than_ours_has_them_all(model_store: ModelStore, tmp_path: Path) -> None:
    """A function may look up each of its labels; those that no class of ours counts for have nothing."""
    model_store.stand_in("cats-and-dogs", "breeds", labels=("dog", "cat", "fish", "bird"))
    network = open_network(laid_out(model_store.shown(), tmp_path / "view").find("breeds"))
    found = network.parsed("classification", network.infer(picture(CAT, 224, 224)))

    assert [1, 0, 2, 3] == [each["label"] for each in found]
    assert [0.0, 0.0] == [each["prob"] for each in found[2:]]


def test_a_stand_in_gives_the_layers_a_function_reads(model_store: ModelStore, tmp_path: Path) -> None:
    """By their names, and of their sizes, for a function that shapes them."""
    outputs = (OutputLayer(layer="heat", size=16 * 23 * 23), OutputLayer(layer="parts"))
    model_store.stand_in("featurizer", "pose", outputs=outputs)
    network = open_network(laid_out(model_store.shown(), tmp_path / "view").find("pose"))
    layers = network.infer(picture(PERSON, 368, 368).astype(np.float32).transpose(2, 0, 1) / 255 - 0.5)

    assert {"heat": (8464,), "parts": (1280,)} == {name: value.shape for name, value in layers.items()}
    assert layers["heat"].reshape(16, 23, 23)[0, 0, :5].tolist() == layers["parts"][:5].tolist()


@pytest.mark.parametrize(
    ("like", "options"),
    [
        ("nothing", {}),
        ("featurizer", {"labels": ("a",)}),
        ("voc", {"outputs": (OutputLayer(layer="x", size=4),)}),
        ("classifier", {"outputs": (OutputLayer(layer="x"), OutputLayer(layer="y"))}),
        ("voc", {"labels": ("a\nb",)}),
        ("voc", {"first_label": -1}),
    ],
)
def test_options_that_do_not_fit_are_refused(
    model_store: ModelStore, like: str, options: dict[str, object]
) -> None:
    """Nothing is installed then."""
    with pytest.raises(ModelError):
        model_store.stand_in(like, "trained", **options)  # type: ignore[arg-type]

    assert not model_store.directory.exists()


def test_where_a_network_is_not_installed_the_function_is_told_what_to_do(tmp_path: Path) -> None:
    """The others are there; this one's reason is in the text that the function publishes."""
    folder = ModelFolder(tmp_path / "none")
    models = laid_out(open_model_store(tmp_path, folder).shown(), tmp_path / "view")

    with pytest.raises(Exception, match="appliance models install"):
        models.find("mxnet_deploy_ssd_FP16_FUSED.xml")
    with pytest.raises(ModelError, match="not installed"):
        open_model_store(tmp_path, folder).stand_in("voc", "trained")


def test_a_pipe_in_the_place_of_a_models_file_is_not_waited_for(model_store: ModelStore) -> None:
    """One for a descriptor makes the model damaged, one for weights makes it lack them; the others stand."""
    for name in ("fish", "bird", "ant"):
        model_store.install(described(name), {f"{name}.model.onnx": b"x"}, report="done\n")
    for path in ("fish/descriptor.json", "bird/bird.model.onnx", "ant/report.txt"):
        (model_store.directory / path).unlink()
        os.mkfifo(model_store.directory / path)
    found = {each.descriptor.name: each.fault for each in model_store.models() if not each.built_in}

    assert {"ant": "", "bird": "its file is gone: install it again"} == found
    assert {} == model_store.model("bird").files
    with pytest.raises(ModelError, match="report of ant cannot be read"):
        model_store.report("ant")
