"""A path to weights is handed out only after the whole file was hashed."""

from pathlib import Path

import pytest
from weights import World

from appliance.errors import ModelError
from appliance.models.folder import MEND, ModelFolder, State
from appliance.models.install import install


@pytest.fixture
def folder(world: World) -> ModelFolder:
    """A folder in which `alpha` is installed and `beta` is not; nothing was verified by it yet."""
    install(world.target, take_from=world.stick, only=["alpha"], offline=True)
    return ModelFolder(world.target.directory, world.manifest)


def flip(path: Path, position: int) -> None:
    """Turn over one bit of a file."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("position", [0, 650, -1])
def test_one_flipped_bit_is_named_with_both_hashes_and_the_cure(folder: ModelFolder, position: int) -> None:
    """The error says which file, what was expected, what is there, and what to type."""
    path = folder.directory / "alpha.bin"
    flip(path, position)

    with pytest.raises(ModelError) as caught:
        folder.path("alpha")

    finding = folder.verify()[0]
    assert State.DAMAGED == finding.state
    assert all(part in caught.value.message for part in (str(path), finding.model.sha256, finding.found))
    assert MEND in caught.value.advice


def test_a_missing_model_is_named_with_the_cure(folder: ModelFolder) -> None:
    """The first run without set-up says what to type."""
    with pytest.raises(ModelError, match="beta") as caught:
        folder.path("beta")

    assert MEND in caught.value.advice


def test_a_file_is_hashed_once_per_process(folder: ModelFolder) -> None:
    """Asking again is free: a later change is not noticed by `path`, which is what `verify` is for."""
    folder.path("alpha")
    flip(folder.directory / "alpha.bin", 0)
    folder.path("alpha")

    assert [State.DAMAGED, State.MISSING] == [finding.state for finding in folder.verify()]
    with pytest.raises(ModelError):
        folder.path("alpha")


def test_an_unreadable_file_is_a_typed_error(folder: ModelFolder) -> None:
    """A directory in the place of a file does not end in a stack trace."""
    (folder.directory / "beta.bin").mkdir()

    with pytest.raises(ModelError, match=r"beta\.bin"):
        folder.verify()


def test_the_checkout_has_all_models_in_order(installed: ModelFolder) -> None:
    """After set-up everything that is installed without being asked for is there and right."""
    states = {finding.state for finding in installed.verify() if not finding.model.optional}

    assert {State.GOOD} == states
