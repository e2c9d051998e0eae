"""A user's own model, from its files on the command line to the boxes a function gets.

ONNX and MXNet are described by what stands in them; an OpenVINO IR, made here by OpenVINO itself of a network
of ours, finds the same boxes as that.
"""

import importlib
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from commands import Ended, call
from hosted_models import CAT, PERSON, boxes_of, laid_out, picture
from onnx import TensorProto, helper
from onnxruntime import InferenceSession

from appliance.app.hosted_models import open_model_store
from appliance.deeplens.guest.descriptors import ModelFaultError, ModelMissingError
from appliance.deeplens.guest.heads import Network, open_network
from appliance.deeplens.model_store import ModelStore, OwnWeights
from appliance.errors import ModelError
from appliance.models.folder import ModelFolder

MXNET = Path(__file__).parents[1] / "models" / "data" / "mxnet"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory of a box."""
    return tmp_path / "state"


@pytest.fixture
def store(state: Path, model_folder: ModelFolder) -> ModelStore:
    """Its models."""
    return open_model_store(state, model_folder)


def models(state: Path, *words: object) -> Ended:
    """`appliance deeplens models …` on that box."""
    return call("--state", state, "deeplens", "models", *words)


def network(store: ModelStore, tmp_path: Path, name: str) -> Network:
    """A model as a function opens it."""
    return open_network(laid_out(store.shown(), tmp_path / "view").find(name))


def as_detection_output(weights: Path) -> onnx.ModelProto:
    """VOC's network with rows, as SSDs of that time gave: the ten most certain cats and persons."""
    model = onnx.load(str(weights))
    nodes = [
        helper.make_node("Gather", ["scores", "wanted"], ["some"], axis=2),
        helper.make_node("ReduceMax", ["some"], ["best"], axes=[2], keepdims=0),
        helper.make_node("ArgMax", ["some"], ["which"], axis=2, keepdims=0),
        helper.make_node("TopK", ["best", "ten"], ["top", "rows"], axis=1),
        helper.make_node("GatherElements", ["which", "rows"], ["chosen"], axis=1),
        helper.make_node("Cast", ["chosen"], ["labels"], to=TensorProto.FLOAT),
        helper.make_node("Squeeze", ["rows", "zero"], ["flat"]),
        helper.make_node("Gather", ["boxes", "flat"], ["places"], axis=1),
        helper.make_node("Unsqueeze", ["labels", "last"], ["label"]),
        helper.make_node("Unsqueeze", ["top", "last"], ["score"]),
        helper.make_node("Mul", ["label", "nothing"], ["image"]),
        helper.make_node("Concat", ["image", "label", "score", "places"], ["table"], axis=2),
        helper.make_node("Unsqueeze", ["table", "zero"], ["detection_out"]),
    ]
    constants = {
        "wanted": np.array([14, 7], np.int64),
        "ten": np.array([10], np.int64),
        "zero": np.array([0], np.int64),
        "last": np.array([2], np.int64),
        "nothing": np.array(0, np.float32),
    }
    graph = model.graph
    graph.node.extend(nodes)
    graph.initializer.extend(onnx.numpy_helper.from_array(v, k) for k, v in constants.items())
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("detection_out", TensorProto.FLOAT, [1, 1, 10, 7]))
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return model


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory, model_folder: ModelFolder) -> Path:
    """A network of rows, as an ONNX file."""
    path = tmp_path_factory.mktemp("rows") / "rows.onnx"
    onnx.save(as_detection_output(model_folder.path("voc-ssd")), str(path))
    return path


@pytest.fixture(scope="session")
def ir(tmp_path_factory: pytest.TempPathFactory, rows: Path) -> Path:
    """The same as an OpenVINO IR: the `.xml`, its `.bin` beside it."""
    openvino = importlib.import_module("openvino")
    path = tmp_path_factory.mktemp("ir") / "rows.xml"
    openvino.save_model(openvino.convert_model(str(rows)), str(path), compress_to_fp16=False)
    return path


def test_an_openvino_ir_finds_the_boxes_of_the_network_it_was_made_of(
    state: Path, store: ModelStore, tmp_path: Path, rows: Path, ir: Path
) -> None:
    """Run as it is by OpenVINO: labels, certainties and places are the same."""
    said = ("--kind", "ssd", "--layout", "nhwc", "--input", "300x300")
    assert models(state, "install", "mine", ir, ir.with_suffix(".bin"), *said).code == 0
    assert models(state, "install", "same", rows, "--kind", "ssd").code == 0
    theirs, ours = network(store, tmp_path / "1", "mine"), network(store, tmp_path / "2", "same")

    assert ("openvino", "onnx") == (theirs.descriptor.engine, ours.descriptor.engine)
    for file, label in ((CAT, 1), (PERSON, 0)):
        expected, found = boxes_of(ours, picture(file)), boxes_of(theirs, picture(file))
        assert label == expected[0][0]
        assert [each[0] for each in expected] == [each[0] for each in found]
        for (_, certainty, box), (_, likewise, place) in zip(expected, found, strict=True):
            assert likewise == pytest.approx(certainty, abs=1e-3)
            assert place == pytest.approx(box, abs=0.5)


def test_a_damaged_ir_is_a_sentence_in_the_function(
    store: ModelStore, state: Path, tmp_path: Path, ir: Path
) -> None:
    """Nothing here has read it, so the view does, and says so."""
    weights = tmp_path / "rows.bin"
    weights.write_bytes(ir.with_suffix(".bin").read_bytes()[:1000])
    assert models(state, "install", "mine", ir, weights, "--kind", "ssd").code == 0

    with pytest.raises(ModelFaultError, match="cannot be read by openvino"):
        network(store, tmp_path, "mine")


def test_an_ir_needs_to_be_told_what_it_is_for(state: Path, ir: Path) -> None:
    """It says nothing about that, and is not read."""
    done = models(state, "install", "mine", ir, ir.with_suffix(".bin"))

    assert done.refusal == (5, "an OpenVINO IR does not say what it is for")
    assert "--kind ssd" in done.hints[0]


def test_an_owners_network_is_not_adapted_to(
    state: Path, store: ModelStore, tmp_path: Path, rows: Path
) -> None:
    """A wrong size is an error with both sizes, as whoever trained it would want to know."""
    models(state, "install", "mine", rows, "--kind", "ssd")
    opened = network(store, tmp_path, "mine")

    with pytest.raises(ModelFaultError, match=r"300x300.*512x512"):
        opened.infer(picture(CAT, 512, 512))


@pytest.mark.parametrize("first", [None, 6])
def test_rows_bring_their_numbers_and_are_shifted_to_what_the_function_counts_from(
    state: Path, store: ModelStore, tmp_path: Path, rows: Path, first: int | None
) -> None:
    """A network of rows counts from 1; for a function that counts otherwise its owner says from what."""
    said = () if first is None else ("--first-label", first)
    models(state, "install", "mine", rows, "--kind", "ssd", *said)

    assert (first or 1) == boxes_of(network(store, tmp_path, "mine"), picture(CAT))[0][0]


def test_sagemakers_classification_is_installed_from_its_two_files(
    state: Path, store: ModelStore, tmp_path: Path
) -> None:
    """Named as the function names it; its answers are MXNet's, most likely first, and there is a report."""
    known = np.load(MXNET / "resnet.npz")
    pair = (MXNET / "resnet-symbol.json", MXNET / "resnet-0000.params")
    done = models(state, "install", "image-classification", *pair, "--input", "32x32")
    opened = network(store, tmp_path, "image-classification-symbol.json")
    frame = known["data"][0].transpose(1, 2, 0).astype(np.float32)
    layers = opened.infer(frame)
    found = opened.parsed("classification", layers)
    expected = known["output0"][0]

    assert (0, "classification") == (done.code, opened.descriptor.kind)
    assert next(iter(layers.values())) == pytest.approx(expected, abs=1e-4)
    assert int(expected.argmax()) == found[0]["label"]
    assert "operations: " in models(state, "show", "image-classification").err


def test_a_folder_of_files_is_a_model(state: Path, tmp_path: Path) -> None:
    """As it came out of the archive that SageMaker wrote, with a list of labels beside it."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("resnet-symbol.json", "resnet-0000.params"):
        (folder / name).write_bytes((MXNET / name).read_bytes())
    (folder / "labels.txt").write_text("\n".join(f"thing {number}" for number in range(100)))
    done = models(state, "install", "things", folder, "--input", "32x32")

    assert (0, "things is installed: classification\n") == (done.code, done.out)


def test_a_network_and_what_was_packed_with_it_lie_where_functions_open_them(
    state: Path, store: ModelStore, tmp_path: Path, rows: Path
) -> None:
    """Under the model's name, for one that runs ONNX by itself; names of classes under theirs."""
    names = tmp_path / "coco.names"
    names.write_text("cat\nperson\n", encoding="utf-8")
    done = models(state, "install", "yolo_Tiny", rows, names)
    view = laid_out(store.shown(), tmp_path / "view")
    view.lay_out()

    assert 0 == done.code
    assert "cat\nperson\n" == (view.root / "coco.names").read_text(encoding="utf-8")
    for name in ("yolo_tiny.onnx", "yolo_Tiny.onnx"):
        assert 1 == len(InferenceSession(view.root / name).get_outputs())


def test_of_a_folder_nothing_is_taken_that_a_link_leads_to(
    state: Path, store: ModelStore, tmp_path: Path, rows: Path
) -> None:
    """Functions may read what lies beside a model: what the folder itself holds, settings in JSON as well."""
    secret = tmp_path / "key"
    secret.write_text("hush", encoding="utf-8")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "rows.onnx").write_bytes(rows.read_bytes())
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "coco.names").write_text("cat", encoding="utf-8")
    (folder / "labels.txt").symlink_to(secret)
    done = models(state, "install", "mine", folder)

    assert 0 == done.code
    assert {"config.json", "coco.names", "mine.model.onnx"} <= set(store.shown().files)
    assert "labels.txt" not in store.shown().files


def test_files_lie_beside_a_stand_in_for_functions_that_open_them_themselves(
    state: Path, store: ModelStore, tmp_path: Path
) -> None:
    """A Darknet network that OpenCV reads, whatever its files are called; the stand-in answers as ever."""
    network_of_theirs = "[net]\nwidth=8\nheight=8\nchannels=3\n[maxpool]\nsize=2\nstride=2\n"
    header = bytes(4) + (2).to_bytes(4, "little") + bytes(12)
    for name, content in {
        "yolo.cfg": network_of_theirs.encode(),
        "yolo.weights": header,
        "faces.xml": b"<a/>",
    }.items():
        (tmp_path / name).write_bytes(content)
    files = [tmp_path / name for name in ("yolo.cfg", "yolo.weights", "faces.xml")]
    done = models(state, "install", "yolo", *files, "--like", "voc")
    view = laid_out(store.shown(), tmp_path / "view")
    view.lay_out()
    theirs = cv2.dnn.readNetFromDarknet(str(view.root / "yolo.cfg"), str(view.root / "yolo.weights"))
    theirs.setInput(np.ones((1, 3, 8, 8), np.float32))

    assert (0, "yolo is installed: ssd, 20 labels from 1\n") == (done.code, done.out)
    assert (1, 3, 4, 4) == theirs.forward().shape
    assert b"<a/>" == (view.root / "faces.xml").read_bytes()
    assert 8 == boxes_of(open_network(view.find("yolo.xml")), picture(CAT))[0][0]


def test_no_file_is_taken_for_a_network_of_ours(state: Path, store: ModelStore, tmp_path: Path) -> None:
    """Called like the one that stands in it is refused; like another's, that one stays what it is."""
    mine = store.model("deploy_ssd").descriptor.file
    models(state, "install", "a", "--like", "voc")
    theirs = store.model("a").descriptor.file
    for name in (mine, theirs):
        (tmp_path / name).write_bytes(b"noise")
    refused = models(state, "install", "b", tmp_path / mine, "--like", "face").refusal
    models(state, "install", "b", tmp_path / theirs, "--like", "face")

    assert (5, f"a file {mine!r} cannot lie beside a model: the network itself is called so") == refused
    assert b"noise" != store.shown().files[theirs].read_bytes()


def test_of_a_folder_beside_a_stand_in_all_is_taken(state: Path, store: ModelStore, tmp_path: Path) -> None:
    """Whatever it is called, but for what is hidden and what links lead to."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    names = ("a.weights", "b.ttf", "c")
    for name in (*names, ".hidden"):
        (folder / name).write_text(name, encoding="utf-8")
    (folder / "link").symlink_to(tmp_path / "key")
    done = models(state, "install", "mine", folder, "--like", "voc")
    shown = store.shown().files

    assert 0 == done.code
    assert list(names) == [name for name in ("a.weights", "b.ttf", "c", ".hidden", "link") if name in shown]
    assert {*names} < {*json.loads(models(state, "show", "mine").out)["files"]}


def test_a_network_s_companions_lie_beside_it_too(
    state: Path, store: ModelStore, tmp_path: Path, rows: Path
) -> None:
    """Of a folder with a network: what functions of the field open beside one."""
    names = ("a.weights", "b.dat", "c.h5", "d.pkl", "e.tflite")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "rows.onnx").write_bytes(rows.read_bytes())
    for name in (*names, "f.exe"):
        (folder / name).write_text(name, encoding="utf-8")
    models(state, "install", "mine", folder)

    assert {*names} <= set(store.shown().files)
    assert "f.exe" not in store.shown().files


def test_what_is_no_file_is_not_waited_for(state: Path, tmp_path: Path) -> None:
    """A pipe, which would never end; a folder with nothing in it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()

    for words in ((), ("--like", "voc")):
        assert (5, "pipe is no file") == models(state, "install", "m", tmp_path / "pipe", *words).refusal
    assert (5, "there is no file in this folder") == models(
        state, "install", "m", tmp_path / "empty", "--like", "voc"
    ).refusal


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("models.json", ""),
        ("descriptor.json", ""),
        ("report.txt", ""),
        ("models.json", "face"),
        ("fish.model.bin", "face"),
    ],
)
def test_nothing_beside_a_model_takes_a_name_of_ours(
    state: Path, tmp_path: Path, rows: Path, name: str, like: str
) -> None:
    """A file is refused whose name says something else there, or is an installed network's."""
    (tmp_path / name).write_text("[]", encoding="utf-8")
    words = ("--like", like) if like else (rows,)

    assert (5, f"a file '{name}' cannot lie beside a model") == models(
        state, "install", "mine", tmp_path / name, *words
    ).refusal


@pytest.mark.parametrize(
    ("labels", "expected"), [("3", ["label 0", "label 1", "label 2"]), ("dog, cat", ["dog", "cat"])]
)
def test_labels_are_counted_or_listed(state: Path, labels: str, expected: list[str]) -> None:
    """How many, or which."""
    assert models(state, "install", "mine", "--like", "voc", "--labels", labels).code == 0
    assert expected == json.loads(models(state, "show", "mine").out)["descriptor"]["labels"]


def test_labels_come_from_a_file(state: Path, tmp_path: Path) -> None:
    """One a line; empty lines at its end are none."""
    (tmp_path / "labels.txt").write_text("fish\r\nbird\n\n", encoding="utf-8")
    done = models(state, "install", "mine", "--like", "classifier", "--labels", tmp_path / "labels.txt")

    assert done.out == "mine is installed: classification, 2 labels from 0\n"


def test_models_are_listed_shown_and_removed(state: Path) -> None:
    """Installed ones first; what is built in stays."""
    models(state, "install", "mine", "--like", "face")
    listed = json.loads(models(state, "list", "--json").out)
    plain = models(state, "list").out.splitlines()

    assert ("mine", False) == (listed[0]["name"], listed[0]["built_in"])
    assert [each["name"] for each in listed] == [line.split()[0] for line in plain]
    assert {"deploy_ssd", "deploy_ssd_resnet50_300", "featurizer-v1"} <= {each["name"] for each in listed}
    assert models(state, "remove", "mine").out == "mine is removed\n"
    assert models(state, "remove", "mine").refusal == (5, "there is no model 'mine'")
    assert models(state, "remove", "deploy_ssd").refusal[0] == 5


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "give the model's files or --like"),
        (("--like", "voc", "--mean", "1"), "cannot be said of a stand-in"),
        (("--like", "nothing"), "there is no network 'nothing'"),
        (("--like", "voc", "--labels", "0"), "from 1 to"),
        (("--like", "voc", "--labels", ""), "names none"),
        (("--like", "voc", "--labels", ", ,"), "names none"),
        (("--like", "featurizer", "--output", "x:y"), "is no layer"),
        (("--like", "voc", "--output", "x:9"), "has one layer"),
        (("FILE",), "artefact"),
        (("FILE", "--input", "big"), "is no size"),
        (("FILE", "--mean", "a"), "is no number"),
        (("ROWS", "--input", "224x224"), "300, not 224"),
        (("ROWS", "--mean", "1,2"), "2 numbers for 3 channels"),
        (("ROWS", "--scale", "nan"), "does not fit"),
        (("ROWS", "--output", "other"), "gives no layer"),
    ],
)
def test_what_cannot_be_installed_is_one_sentence(
    state: Path, tmp_path: Path, rows: Path, words: tuple[str, ...], sentence: str
) -> None:
    """With what to do about it; nothing is installed."""
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(bytes(range(256)) * 4)
    given: list[Any] = [{"FILE": noise, "ROWS": rows}.get(each, each) for each in words]
    done = models(state, "install", "mine", *given)

    assert sentence in done.refusal[1]
    assert not (state / "deeplens" / "models" / "mine").exists()


def test_without_openvino_the_function_is_told(state: Path, tmp_path: Path, ir: Path) -> None:
    """It asks by name, and the answer says what to install; the other models are there all the same."""
    models(state, "install", "mine", ir, ir.with_suffix(".bin"), "--kind", "ssd")

    def nothing(model: str) -> OwnWeights:
        raise ModelError(f"{model} is not installed")

    store = ModelStore(state / "deeplens" / "models", nothing, openvino=False)
    view = laid_out(store.shown(), tmp_path / "view")

    with pytest.raises(
        ModelMissingError, match=r"openvino is not installed; install it with: .*\[openvino\]"
    ):
        view.find("mine")
