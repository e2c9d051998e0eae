"""A small world of made-up weights to install: a manifest, a wheel, files on a stick."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from appliance.models.folder import ModelFolder
from appliance.models.manifest import Manifest


def entry(name: str, data: bytes, **more: object) -> dict[str, object]:
    """A manifest entry for made-up bytes."""
    return {
        "id": name,
        "file": f"{name}.bin",
        "purpose": "a test",
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "MIT",
        "input": {
            "width_px": 1,
            "height_px": 1,
            "colour": "RGB",
            "layout": "NHWC",
            "dtype": "uint8",
            "scale": "none",
        },
        "output": {"shape": [1], "meaning": "nothing"},
        **more,
    }


def wheel(folder: Path, members: Mapping[str, bytes]) -> Path:
    """A wheel `tiny-1.0` that holds the members."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


class World:
    """A stick with files, a manifest of two models, and an empty folder to install into.

    Attributes:
        stick: The local folder files are taken from.
        alpha: Bytes of the model `alpha`, which comes from a wheel.
        beta: Bytes of the model `beta`, which comes from an address nobody serves.
        target: Where models go.
    """

    alpha = b"alpha weights" * 100
    beta = b"beta weights" * 50

    def __init__(self, root: Path) -> None:
        self.stick = root / "stick"
        self.stick.mkdir()
        self.wheel = wheel(self.stick, {"tiny/alpha.bin": self.alpha})
        sha256 = hashlib.sha256(self.wheel.read_bytes()).hexdigest()
        source = {"kind": "wheel", "requirement": "tiny==1.0", "sha256": sha256, "member": "tiny/alpha.bin"}
        address = {"kind": "address", "url": "https://127.0.0.1:1/beta.bin"}
        self.manifest = Manifest.model_validate(
            {
                "models": [
                    entry("alpha", self.alpha, sources=[source]),
                    entry("beta", self.beta, sources=[address]),
                ]
            }
        )
        self.target = ModelFolder(root / "models", self.manifest)
