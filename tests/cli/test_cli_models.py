"""`appliance models …`: the weights are what the manifest says, or it says which file is not."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance.models.folder import ModelFolder

MANIFEST = Path(__file__).parents[2] / "data" / "models.toml"


@pytest.fixture
def named() -> list[str]:
    """Ids in the manifest, read as plain TOML."""
    return [model["id"] for model in tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["models"]]


@pytest.fixture
def everywhere() -> list[str]:
    """Ids of those that are installed unless somebody says otherwise."""
    models = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["models"]
    return [model["id"] for model in models if not model.get("optional")]


def test_the_manifest_is_listed(box: Any, named: list[str]) -> None:
    """Every model with licence, size and digest, in the manifest's order."""
    listed = json.loads(box.call("models", "list", "--json").out)
    plain = box.call("models", "list").out

    assert named == [model["id"] for model in listed]
    assert all(model["licence"] and len(model["sha256"]) == 64 and model["size_bytes"] for model in listed)
    assert named == [line.split()[0] for line in plain.splitlines()]


def test_installed_models_verify(box: Any, everywhere: list[str]) -> None:
    """Each file is hashed again."""
    done = box.call("models", "verify", "--json")
    states = {row["model"]: row["state"] for row in json.loads(done.out)}

    assert 0 == done.code
    assert dict.fromkeys(everywhere, "good") == {name: states[name] for name in everywhere}


def test_one_flipped_byte_is_found(box: Any, one_wrong_byte: Path) -> None:
    """Exit code 5, the file's name, and the command that mends it."""
    box.settings(f'[models]\ndirectory = "{one_wrong_byte}"\n')
    (damaged,) = (path for path in one_wrong_byte.iterdir() if not path.is_symlink())
    done = box.call("models", "verify")

    assert 5 == done.code
    assert 1 == len(done.errors)
    assert f"{damaged} has the wrong bytes" in done.errors[0]
    assert ["replace it with: appliance models install"] == done.hints
    assert 1 == done.out.count(" damaged")


def test_a_missing_model_is_named(box: Any, tmp_path: Path, named: list[str]) -> None:
    """An empty folder: every row says so, and the first is the error."""
    box.settings(f'[models]\ndirectory = "{tmp_path / "none"}"\n')
    done = box.call("models", "verify")

    assert 5 == done.code
    assert f"the model {named[0]!r} is not installed" in done.errors[0]
    assert ["install it with: appliance models install"] == done.hints
    assert len(named) == done.out.count(" missing")


def test_published_weights_are_converted(box: Any, tmp_path: Path) -> None:
    """The network of dlib becomes the very bytes that are installed."""
    folder = ModelFolder()
    source, wanted = folder.path("dlib-resnet-dat"), folder.path("dlib-resnet")
    done = box.call("models", "convert", source, tmp_path / "out.onnx", "--kind", "dlib")

    assert (0, "") == (done.code, done.err)
    assert wanted.read_bytes() == (tmp_path / "out.onnx").read_bytes()


@pytest.mark.parametrize("kind", ["dlib", "sface", "yunet"])
def test_what_is_no_network_is_not_converted(box: Any, tmp_path: Path, kind: str) -> None:
    """One sentence, and no file."""
    (tmp_path / "junk").write_bytes(bytes(range(256)))

    assert 5 == box.call("models", "convert", tmp_path / "junk", tmp_path / "out", "--kind", kind).refusal[0]
    assert not (tmp_path / "out").exists()


def test_a_conversion_goes_nowhere_but_to_a_new_file(box: Any, tmp_path: Path) -> None:
    """Not over one that is there, and not into a folder that is not."""
    source = ModelFolder().path("dlib-resnet-dat")
    (tmp_path / "there").write_bytes(b"mine")
    over = box.call("models", "convert", source, tmp_path / "there", "--kind", "dlib")
    nowhere = box.call("models", "convert", source, tmp_path / "none" / "out", "--kind", "dlib")

    assert (5, f"{tmp_path / 'there'} exists already") == over.refusal
    assert b"mine" == (tmp_path / "there").read_bytes()
    assert 3 == nowhere.refusal[0]
