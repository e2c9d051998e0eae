"""`awscam` and `mo`, call by call: small real networks, read as a function reads them."""

import json
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from function_models import BOX, SIDE, install

from appliance.deeplens.guest import awscam as awscam_modules
from appliance.deeplens.guest import heads
from appliance.deeplens.guest import mo as mo_modules
from appliance.deeplens.guest.descriptors import Models
from appliance.deeplens.guest.messages import GuestSaid, Inferred, ModelLoaded

ARTIFACTS = "/opt/awscam/artifacts"
BLUE, GREEN, RED = (255, 0, 0), (0, 255, 0), (0, 0, 255)


class Noted:
    """Keeps what is said, and has one frame."""

    def __init__(self) -> None:
        self.said: list[GuestSaid] = []
        self.frame = np.zeros((2, 3, 3), np.uint8)
        self.turns = 0

    def put(self, message: GuestSaid) -> None:
        """Note it."""
        self.said.append(message)

    def wait(self, model: object = None) -> None:
        """Count a turn."""
        del model
        self.turns += 1

    def take(self) -> tuple[bool, Any]:
        """The frame."""
        return True, self.frame


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three models."""
    return install(tmp_path_factory.mktemp("models"))


@pytest.fixture
def noted() -> Noted:
    """What the function says."""
    return Noted()


@pytest.fixture
def shelf(root: Path, noted: Noted) -> awscam_modules.Shelf:
    """Where models come from."""
    return awscam_modules.Shelf(Models(root), heads.open_network, noted, noted)


@pytest.fixture
def modules(noted: Noted, shelf: awscam_modules.Shelf) -> dict[str, ModuleType]:
    """The modules a function imports."""
    return awscam_modules.modules(noted, shelf)


@pytest.fixture
def awscam(modules: dict[str, ModuleType]) -> Any:
    """`import awscam`."""
    return modules["awscam"]


@pytest.fixture
def mo(root: Path, shelf: awscam_modules.Shelf) -> Any:
    """`import mo`."""
    return mo_modules.modules(Models(root), shelf.missing)["mo"]


def plain(colour: tuple[int, int, int]) -> Any:
    """A picture of one colour, (4, 4, 3), BGR."""
    return np.full((SIDE, SIDE, 3), colour, np.uint8)


def test_both_spellings_of_last_frame_give_flag_and_frame(awscam: Any, noted: Noted) -> None:
    """`getLastFrame` and `getlastFrame` are one."""
    assert (True, noted.frame) == awscam.getLastFrame()
    assert (True, noted.frame) == awscam.getlastFrame()


def test_last_frame_takes_no_arguments(awscam: Any) -> None:
    """As on the device."""
    with pytest.raises(TypeError):
        awscam.getLastFrame(1)


def test_the_native_module_and_the_inner_one_have_the_same_names(modules: dict[str, ModuleType]) -> None:
    """`import awscamdldt as awscam` and `from awscam.model import Model` find what `awscam` has."""
    names = {
        name: value for name, value in vars(modules["awscam"]).items() if name in modules["awscam"].__all__
    }

    assert {"Model", "Runtime", "getLastFrame", "getlastFrame"} == set(names)
    for each in ("awscam.model", "awscamdldt"):
        assert names.items() <= vars(modules[each]).items()
    assert modules["awscam"].model is modules["awscam.model"]


def test_runtimes_are_the_numbers_the_constructor_takes(awscam: Any) -> None:
    """`DLDT` is 0 and `NEO` is 1."""
    assert (0, 1) == (awscam.Runtime.DLDT, awscam.Runtime.NEO)


@pytest.mark.parametrize(
    "spelling",
    [
        f"{ARTIFACTS}/mxnet_deploy_corner_FP16_FUSED.xml",
        f"{ARTIFACTS}/deploy_corner.xml",
        "deploy_corner",
        "mxnet_deploy_corner_FP32_FUSED.xml",
    ],
)
def test_a_model_is_found_by_any_of_its_spellings(awscam: Any, noted: Noted, spelling: str) -> None:
    """Either optimizer's file name, with folder or without, is the model; the host is told."""
    awscam.Model(spelling, {"GPU": 1})

    assert [ModelLoaded(spelling, "loaded", "")] == noted.said


@pytest.mark.parametrize(
    "arguments", [({"GPU": 1},), ({"GPU": 0},), ({"GPU": 1}, 0), ({"GPU": 1, "CPU": 1},)]
)
def test_the_constructors_of_the_device_are_accepted(awscam: Any, arguments: tuple[Any, ...]) -> None:
    """With or without graphics, with or without the runtime."""
    model = awscam.Model("deploy_corner", *arguments)

    assert isinstance(model, awscam.Model)


@pytest.mark.parametrize("arguments", [(), (1,), ({},), ({"GPU": 2},), ({"GPU": 1}, 2), ({"GPU": 0}, 1)])
def test_other_constructors_are_refused(awscam: Any, arguments: tuple[Any, ...]) -> None:
    """A missing dictionary, another graphics number, another runtime, Neo without graphics."""
    with pytest.raises((TypeError, ValueError)):
        awscam.Model("deploy_corner", *arguments)


def test_a_missing_model_is_told_by_name(awscam: Any, noted: Noted) -> None:
    """The function publishes the text, and the host has it as well."""
    with pytest.raises(Exception, match=r"golfball.*nobody has its weights"):
        awscam.Model(f"{ARTIFACTS}/mxnet_golfball_FP16_FUSED.xml", {"GPU": 1})

    (told,) = noted.said
    assert isinstance(told, ModelLoaded)
    assert ("missing", True) == (told.state, "golfball" in told.reason)


@pytest.mark.parametrize(("colour", "label"), [(BLUE, 0), (GREEN, 1), (RED, 2)])
def test_a_classification_is_sorted_with_whole_labels_and_plain_numbers(
    awscam: Any, colour: tuple[int, int, int], label: int
) -> None:
    """Most probable first, one entry for each class, an `int` and a `float` that JSON takes."""
    model = awscam.Model("colours", {"GPU": 1})
    parsed = model.parseResult("classification", model.doInference(plain(colour)))
    entries = parsed["classification"]

    assert ["classification"] == list(parsed)
    assert {"label": label, "prob": 1.0} == entries[0]
    assert [0, 1, 2] == sorted(each["label"] for each in entries)
    assert all((int, float) == (type(each["label"]), type(each["prob"])) for each in entries)
    assert entries == json.loads(json.dumps(entries))


def test_boxes_are_in_pixels_of_the_models_input_and_labels_begin_where_the_model_says(awscam: Any) -> None:
    """`ssd` entries hold what templates read, and the most certain comes first."""
    model = awscam.Model("deploy_corner", {"GPU": 1})
    boxes = model.parseResult("ssd", model.doInference(plain((128, 255, 0))))["ssd"]
    place = dict(zip(("xmin", "ymin", "xmax", "ymax"), (each * SIDE for each in BOX), strict=True))

    assert [2, 1] == [each["label"] for each in boxes]
    assert {"label": 2, "prob": 1.0, **place} == boxes[0]
    assert pytest.approx(128 / 255, abs=1e-6) == boxes[1]["prob"]
    assert boxes == json.loads(json.dumps(boxes))


def test_what_is_parsed_may_be_changed(awscam: Any) -> None:
    """`obj['prob'] *= 3` changes nothing of what is parsed next."""
    model = awscam.Model("deploy_corner", {"GPU": 1})
    raw = model.doInference(plain(GREEN))
    first = model.parseResult("ssd", raw)["ssd"]
    first[0]["prob"] *= 3
    again = model.parseResult("ssd", raw)["ssd"]

    assert 1.0 == again[0]["prob"]


def test_every_layer_is_one_row_of_float32(awscam: Any) -> None:
    """Functions reshape layers themselves: by name, flat."""
    model = awscam.Model("style", {"GPU": 1})
    layers = model.doInference(plain((255, 51, 0)))

    assert ["Convolution_last_conv", "mean"] == list(layers)
    assert all((np.float32, 1) == (each.dtype, each.ndim) for each in layers.values())
    assert (3 * SIDE * SIDE,) == layers["Convolution_last_conv"].shape
    np.testing.assert_allclose([1.0, 0.2, 0.0], layers["mean"], atol=1e-6)


def test_an_inference_waits_for_its_turn(awscam: Any, noted: Noted) -> None:
    """Whose that is, and whether there is anything to wait for, is the pace's."""
    model = awscam.Model("style", {"GPU": 1})
    for turn in range(1, 4):
        model.doInference(plain((255, 51, 0)))

        assert turn == noted.turns


@pytest.mark.parametrize(
    "form",
    [
        plain((255, 51, 0)),
        plain((255, 51, 0)).astype(np.float32),
        plain((255, 51, 0)).transpose(2, 0, 1).astype(np.float32),
    ],
    ids=["HWC uint8", "HWC float32", "CHW float32"],
)
def test_pictures_are_taken_in_the_forms_that_functions_use(awscam: Any, form: Any) -> None:
    """Rows of pixels as bytes or as numbers, and channels first, give the same."""
    model = awscam.Model("style", {"GPU": 1})

    np.testing.assert_allclose([1.0, 0.2, 0.0], model.doInference(form)["mean"], atol=1e-6)


@pytest.mark.parametrize("form", [None, "frame", np.zeros((5, 4, 3), np.uint8), np.zeros(7)])
def test_what_is_no_picture_of_the_models_size_is_refused(awscam: Any, form: Any) -> None:
    """Nothing is resized for the caller, as on the device; the error names what was given."""
    model = awscam.Model("colours", {"GPU": 1})

    with pytest.raises(Exception, match=r"colours|picture|size|array"):
        model.doInference(form)


@pytest.mark.parametrize("kind", ["classification", "segmentation", "yolo", "", None, 3])
def test_parsing_as_another_type_raises(awscam: Any, kind: Any) -> None:
    """A wrong or unknown type is an error that says so, never an empty answer."""
    model = awscam.Model("deploy_corner", {"GPU": 1})
    raw = model.doInference(plain(GREEN))

    with pytest.raises(Exception, match="parseResult"):
        model.parseResult(kind, raw)


@pytest.mark.parametrize("raw", [None, [], {}, {"prob": np.zeros(3, np.float32)}])
def test_parsing_something_else_than_an_inference_raises(awscam: Any, raw: Any) -> None:
    """What another model gave, or nothing, is an error."""
    model = awscam.Model("deploy_corner", {"GPU": 1})

    with pytest.raises(Exception, match="parseResult"):
        model.parseResult("ssd", raw)


def test_a_plain_copy_of_an_inference_is_parsed_too(awscam: Any) -> None:
    """Functions that copy the dictionary get the same boxes."""
    model = awscam.Model("deploy_corner", {"GPU": 1})
    raw = model.doInference(plain(GREEN))

    assert model.parseResult("ssd", raw) == model.parseResult("ssd", dict(raw))


def test_neo_gives_layers_by_number_and_parses_nothing(awscam: Any) -> None:
    """With the third argument 1, keys are 0, 1, … and `parseResult` hands back what it got."""
    model = awscam.Model("style", {"GPU": 1}, awscam.Runtime.NEO)
    raw = model.doInference(plain(BLUE))

    assert [0, 1] == list(raw)
    assert raw is model.parseResult("classification", raw)


def test_inferences_are_counted_for_the_host(awscam: Any, noted: Noted) -> None:
    """Each model's pictures are counted by the model's name."""
    model = awscam.Model("deploy_corner", {"GPU": 1})
    for _ in range(2):
        model.doInference(plain(GREEN))

    assert [Inferred("deploy_corner", 1), Inferred("deploy_corner", 2)] == noted.said[1:]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("deploy_corner", f"{ARTIFACTS}/deploy_corner.xml"),
        ("corner", f"{ARTIFACTS}/corner.xml"),
        (f"{ARTIFACTS}/deploy_corner-symbol.json", f"{ARTIFACTS}/deploy_corner.xml"),
        ("mxnet_deploy_corner_FP16_FUSED.xml", f"{ARTIFACTS}/mxnet_deploy_corner_FP16_FUSED.xml"),
    ],
)
def test_optimize_gives_status_and_a_path_that_the_model_opens(
    mo: Any, awscam: Any, name: str, path: str
) -> None:
    """Status first, the integer 0; the path leads to the model, at once, as often as it is asked."""
    assert (0, path) == mo.optimize(name, 300, 300)
    assert (0, path) == mo.optimize(name, 300, 300)
    assert type(mo.optimize(name, 300, 300)[0]) is int
    assert isinstance(awscam.Model(path, {"GPU": 1}), awscam.Model)


@pytest.mark.parametrize(
    "platform", ["mx", "mxnet", "MXNet", "tf", "tensorflow", "TensorFlow", "Caffe", "caffe"]
)
def test_every_platform_is_accepted(mo: Any, platform: str) -> None:
    """By place or by keyword, in any case."""
    assert 0 == mo.optimize("deploy_corner", 84, 84, platform)[0]
    assert 0 == mo.optimize("deploy_corner", 84, 84, platform=platform)[0]


@pytest.mark.parametrize(
    "options",
    [
        None,
        {"--epoch": 30},
        {"--precision": "FP32"},
        {
            "--img-format": "BGR",
            "--img-channels": 3,
            "--precision": "FP16",
            "--fuse": "ON",
            "--models-dir": ARTIFACTS,
            "--output-dir": ARTIFACTS,
            "--input_proto": "deploy.prototxt",
            "--epoch": 0,
            "--input_model_is_text": True,
        },
        {"--unheard-of": 1},
    ],
)
def test_every_option_is_accepted(mo: Any, options: Any) -> None:
    """The optimizer's options, and unknown ones, change nothing."""
    assert 0 == mo.optimize("deploy_corner", 512, 300, aux_inputs=options)[0]


def test_keywords_carry_the_documented_names(mo: Any) -> None:
    """All five by keyword, and one that does not exist."""
    status, _ = mo.optimize(
        model_name="deploy_corner", input_width=300, input_height=300, platform="mx", aux_inputs={}, verbose=1
    )

    assert 0 == status


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("golfball", 300, 300), "golfball"),
        (("deploy_corner", 0, 300), "input_width"),
        (("deploy_corner", 300, 1025), "input_height"),
        (("deploy_corner", "wide", 300), "input_width"),
        (("deploy_corner", 300, 300, "torch"), "torch"),
        (("deploy_corner", 300, 300, "mx", "--epoch"), "aux_inputs"),
    ],
)
def test_what_cannot_be_optimized_has_a_status_and_a_line_in_the_log(
    mo: Any, caplog: pytest.LogCaptureFixture, arguments: tuple[Any, ...], words: str
) -> None:
    """Not zero, the path it would have, and an error that says what is wrong."""
    status, path = mo.optimize(*arguments)
    (line,) = [each for each in caplog.records if each.name == "mo"]

    assert (True, f"{ARTIFACTS}/{arguments[0]}.xml") == (status != 0, path)
    assert (logging.ERROR, True) == (line.levelno, words in line.getMessage())


def test_a_function_that_goes_on_after_a_failed_optimization_is_told_the_models_name(
    mo: Any, awscam: Any, noted: Noted
) -> None:
    """AWS's bird sample looks at no status: the host hears once by name what is missing, its author too."""
    _, path = mo.optimize("hockeypuck", 224, 224, aux_inputs={"--epoch": 40})
    (told,) = [each for each in noted.said if isinstance(each, ModelLoaded)]
    with pytest.raises(Exception, match="hockeypuck"):
        awscam.Model(path, {"GPU": 1})
    again: Any = noted.said[-1]

    assert (f"{ARTIFACTS}/hockeypuck.xml", "missing") == (told.name, told.state)
    assert "appliance deeplens models install hockeypuck" in told.reason
    assert (told.name, told.state) == (again.name, again.state)
