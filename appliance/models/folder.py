"""The folder of installed weights: which files are there, and whether they are the right bytes.

Reads and hashes; `install` is what writes. A path is only handed out after the whole file was hashed,
once per process.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.errors import ModelError
from appliance.models.manifest import Manifest, Model, read_manifest

MEND = "appliance models install"
"""The command that fetches what is missing or damaged."""

_CHUNK_BYTES = 1 << 20


def default_directory() -> Path:
    """Where models are kept unless somebody says otherwise: `data/var/models` of the checkout."""
    return Path(__file__).resolve().parents[2] / "data" / "var" / "models"


class State(StrEnum):
    """What a look at one file found."""

    GOOD = "good"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Finding:
    """One model's file.

    Attributes:
        model: Its entry in the manifest.
        state: Good, missing or damaged.
        found: Hash that the file has, or an empty string when it is missing.
    """

    model: Model
    state: State
    found: str = ""

    @property
    def passable(self) -> bool:
        """Whether an installation is complete with it: it is good, or optional and not there."""
        return self.state is State.GOOD or (self.model.optional and self.state is State.MISSING)

    def raise_if_unusable(self, directory: Path) -> None:
        """Do nothing for a good file.

        Raises:
            ModelError: It is missing or damaged; the message names the file and both hashes.
        """
        mend = f"{MEND} {self.model.id}" if self.model.optional else MEND
        match self.state:
            case State.MISSING:
                raise ModelError(
                    f"the model {self.model.id!r} is not installed: no {directory / self.model.file}",
                    command=f"install it with: {mend}",
                )
            case State.DAMAGED:
                raise ModelError(
                    f"{directory / self.model.file} has the wrong bytes: expected sha256 "
                    f"{self.model.sha256}, got {self.found}",
                    command=f"replace it with: {mend}",
                )
            case State.GOOD:
                return


def file_sha256(path: Path) -> str:
    """Hash of a file, read in pieces.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class ModelFolder:
    """Installed models in one directory.

    Args:
        directory: Where the files are; need not exist yet.
        manifest: What they must be; default: the checkout's.
    """

    def __init__(self, directory: Path | None = None, manifest: Manifest | None = None) -> None:
        self.directory = directory or default_directory()
        self._manifest = manifest
        self._verified: set[str] = set()

    @property
    def manifest(self) -> Manifest:
        """What the files must be; read on first use.

        Raises:
            ModelError: The checkout's manifest cannot be read.
        """
        if self._manifest is None:
            self._manifest = read_manifest()
        return self._manifest

    def path(self, name: str) -> Path:
        """The file of a model, hashed the first time it is asked for in this process.

        Args:
            name: The model's id in the manifest.

        Raises:
            ModelError: No such model, its file is missing, or has other bytes than the manifest says.
        """
        model = self.manifest.model(name)
        path = self.directory / model.file
        if name not in self._verified:
            self._look(model).raise_if_unusable(self.directory)
            self._verified.add(name)
        return path

    def verify(self) -> tuple[Finding, ...]:
        """Hash every file again, in the manifest's order.

        Raises:
            ModelError: A file is there and cannot be read.
        """
        self._verified.clear()
        findings = tuple(self._look(model) for model in self.manifest.models)
        self._verified.update(f.model.id for f in findings if f.state is State.GOOD)
        return findings

    def _look(self, model: Model) -> Finding:
        path = self.directory / model.file
        try:
            found = file_sha256(path)
        except FileNotFoundError:
            return Finding(model, State.MISSING)
        except OSError as error:
            raise ModelError(
                f"the model {path} cannot be read: {error.strerror}", hint="check who owns the file"
            ) from error
        return Finding(model, State.GOOD if found == model.sha256 else State.DAMAGED, found)
