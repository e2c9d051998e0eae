"""MXNet networks, saved by MXNet itself: converted, they answer what MXNet answered.

`tests/models/data/mxnet` is made by `tests/support/make_mxnet_fixtures.py`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from appliance.errors import ModelError
from appliance.models.artefact import Converted, Kind
from appliance.models.convert_artefact import convert_artefact

FOLDER = Path(__file__).parent / "data" / "mxnet"
NETWORKS = ("activations", "arithmetic", "features", "resnet", "shapes", "windows", "zoo")
SIDE = 32


def files(name: str) -> dict[str, bytes]:
    """A network's two files."""
    return {each: (FOLDER / each).read_bytes() for each in (f"{name}-symbol.json", f"{name}-0000.params")}


def converted(given: dict[str, bytes], side: int = SIDE) -> Converted:
    """A network for square pictures."""
    return convert_artefact(given, width=side, height=side)


def answers(made: Converted, data: Any) -> list[Any]:
    """What a converted network answers to a picture."""
    session = onnxruntime.InferenceSession(made.onnx, providers=["CPUExecutionProvider"])
    return list(session.run(None, {made.head.input.name: data.astype(np.float32)}))


def edited(name: str, edit: Any) -> dict[str, bytes]:
    """A network with its symbol changed."""
    given = files(name)
    tree = json.loads(given[f"{name}-symbol.json"])
    edit(tree)
    given[f"{name}-symbol.json"] = json.dumps(tree).encode()
    return given


@pytest.mark.parametrize("name", NETWORKS)
def test_a_converted_network_answers_what_mxnet_answered(name: str) -> None:
    """Every operation and setting, to the precision of float32."""
    known = np.load(FOLDER / f"{name}.npz")
    made = converted(files(name))
    found = answers(made, known["data"])

    assert len(known.files) - 1 == len(found) == len(made.head.outputs)
    for at, value in enumerate(found):
        expected = known[f"output{at}"]
        scale = max(1e-3, float(np.abs(expected).max()))
        assert expected.shape == value.shape == made.head.outputs[at].shape
        np.testing.assert_allclose(expected / scale, value / scale, atol=2e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_converted_file_is_valid_and_its_shapes_are_those_the_standard_gives(name: str) -> None:
    """Our own account of the shapes agrees with the checker's, and twice converted is the same file."""
    made = converted(files(name))

    onnx.checker.check_model(onnx.load_model_from_string(made.onnx), full_check=True)
    assert made.onnx == converted(files(name)).onnx


def test_a_classifier_says_its_classes_and_its_layer() -> None:
    """What a descriptor is made of: SageMaker's image classification ends in softmax."""
    made = converted(files("resnet"))

    assert (Kind.MXNET, "classification", 5, 0, True) == (
        made.kind,
        made.head.kind,
        made.head.classes,
        made.head.first_label,
        made.head.softmax,
    )
    assert "softmax" == made.head.outputs[0].layer
    assert ("data", SIDE, SIDE, "NCHW", "float32") == (
        made.head.input.name,
        made.head.input.width,
        made.head.input.height,
        made.head.input.layout,
        made.head.input.dtype,
    )


def test_a_classifier_without_softmax_says_so() -> None:
    """The model zoo's networks end before it."""
    head = converted(files("zoo")).head

    assert ("classification", 4, False) == (head.kind, head.classes, head.softmax)


def test_a_network_that_was_cut_off_is_raw_under_its_layers_name() -> None:
    """As a featurizer is, at `flatten0`."""
    head = converted(files("features")).head

    assert ("raw", 0, "flatten0") == (head.kind, head.classes, head.outputs[0].layer)


def test_the_report_says_what_was_met_and_what_was_left_out() -> None:
    """Counts, the label of the training, parameters nobody asks for, the epoch and the version."""
    given = files("zoo")
    report = converted(given).report

    assert tuple(given) == report.files
    assert (2, 1) == (report.operations["Convolution"], report.operations["Dropout"])
    assert {"Dropout": 1} == report.folded
    assert 0 == report.epoch
    assert "written by MXNet 1.9.1" in report.notes
    assert ("softmax_label",) == converted(files("resnet")).report.ignored


def test_parameters_nobody_asks_for_are_named() -> None:
    """A featurizer is often shipped with the whole classifier's parameters."""
    given = files("features") | {"features-0000.params": (FOLDER / "resnet-0000.params").read_bytes()}

    assert {"fc1_weight", "fc1_bias"} == set(converted(given).report.unused)


def test_an_object_detector_of_mxnet_is_refused_by_name_with_all_it_has() -> None:
    """Both operations at once, each with its node, and what to do instead."""
    with pytest.raises(ModelError, match="not supported yet") as caught:
        converted(files("detector"))

    assert "_contrib_MultiBoxPrior (anchors)" in caught.value.message
    assert "_contrib_MultiBoxDetection (detection)" in caught.value.message
    assert "ONNX" in caught.value.hint


def test_all_settings_that_are_not_supported_are_told_at_once() -> None:
    """An admin does not want to find them one by one."""

    def edit(tree: dict[str, Any]) -> None:
        settings = {node["name"]: node.get("attrs") for node in tree["nodes"]}
        settings["p1"]["pool_type"] = "lp"
        settings["p2"]["pooling_convention"] = "same"

    with pytest.raises(ModelError) as caught:
        converted(edited("windows", edit))
    assert "Pooling with pool_type = 'lp'; Pooling with pooling_convention = 'same'" in caught.value.message


def test_missing_parameters_are_named() -> None:
    """Symbol and parameters of two trainings."""
    given = files("resnet") | {"resnet-0000.params": (FOLDER / "features-0000.params").read_bytes()}
    with pytest.raises(ModelError, match="lacks 2 of the network's parameters: fc1_weight, fc1_bias"):
        converted(given)


def test_the_size_of_the_picture_must_be_given() -> None:
    """MXNet's files do not say it."""
    with pytest.raises(ModelError, match="whose size was not given") as caught:
        convert_artefact(files("resnet"))

    assert "width" in caught.value.hint


def test_a_picture_of_another_size_that_does_not_fit_is_refused() -> None:
    """The last layer has weights for one size."""
    with pytest.raises(ModelError, match="'fc'"):
        converted(files("shapes"), side=64)


@pytest.mark.parametrize("spelling", ["param", "attr"])
def test_the_spellings_of_older_versions_are_read(spelling: str) -> None:
    """0.8 wrote `param`, 0.9 `attr`, and neither a version nor a third number in what joins nodes."""

    def edit(tree: dict[str, Any]) -> None:
        del tree["attrs"]
        tree["heads"] = [each[:2] for each in tree["heads"]]
        for node in tree["nodes"]:
            node[spelling] = node.pop("attrs", {})
            node["inputs"] = [each[:2] for each in node["inputs"]]

    made = converted(edited("windows", edit))

    assert converted(files("windows")).onnx == made.onnx
    assert "written by an MXNet that does not say its version" in made.report.notes


def test_the_epoch_asked_for_is_taken_and_otherwise_the_last() -> None:
    """`mo.optimize(…, aux_inputs={"--epoch": n})` names one."""
    given = files("resnet")
    first = given["resnet-0000.params"]
    given["resnet-0007.params"] = first
    given["other-0009.params"] = first

    assert 7 == converted(given).report.epoch
    assert 0 == convert_artefact(given, width=SIDE, height=SIDE, epoch=0).report.epoch
    with pytest.raises(ModelError, match="no parameters of epoch 3"):
        convert_artefact(given, width=SIDE, height=SIDE, epoch=3)
