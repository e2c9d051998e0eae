"""The models that functions may use: those installed under a name, and those that come with the appliance.

On disk a model is `NAME/descriptor.json` with the file it names beside it, or one of the appliance's own, and
what else its owner put there for functions to open.
It comes whole or not at all. What is installed stands before what is built in. Reads no model: what is in the
files is for whoever runs them inside a view.
"""

import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from appliance.deeplens.artifacts import (
    BUILT_IN,
    LOST,
    OWN,
    BuiltIn,
    OwnFacts,
    own_descriptor,
    own_network,
    why_lost,
)
from appliance.deeplens.descriptor import (
    Descriptor,
    OutputLayer,
    catalogue_bytes,
    faults_told,
    read_descriptor,
)
from appliance.deeplens.guest.artifact_names import base_name, looser_name, stem
from appliance.deeplens.guest.descriptors import CATALOGUE
from appliance.deeplens.plain_file import is_plain, read_plain
from appliance.deeplens.starting import Shown
from appliance.errors import ModelError

_log = structlog.get_logger()

DESCRIPTOR: Final = "descriptor.json"
REPORT: Final = "report.txt"
MAX_BYTES: Final = 1 << 30
"""Of a model's files together; the largest of the field, a VGG-16, has half of it."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
OPENVINO: Final = (
    "it is an OpenVINO model, and openvino is not installed; install it with: "
    "python -m pip install 'office-door-appliance[openvino]'"
)
_MOST_DESCRIPTOR_BYTES: Final = 4 << 20
_MOST_REPORT_BYTES: Final = 1 << 20
_NEW: Final = ".new-"
_STALE_S: Final = 3600


@dataclass(frozen=True, slots=True)
class OwnWeights:
    """A network of the appliance as it is installed.

    Attributes:
        path: Its file, checked.
        facts: What the manifest says of it.
    """

    path: Path
    facts: OwnFacts


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One model as it stands.

    Attributes:
        descriptor: What it is.
        files: Of its own, and of ours: name in the view → file.
        built_in: Whether it came with the appliance.
        fault: Why it cannot be used; empty when it can.
    """

    descriptor: Descriptor
    files: Mapping[str, Path]
    built_in: bool
    fault: str = ""


class ModelStore:
    """The models on this box.

    Args:
        directory: Where installed ones are kept; is made when the first comes.
        own: Finds a network of the appliance by its id in the manifest; ModelError where it is not installed.
        openvino: Whether OpenVINO's models can be run; default: whether it is installed.

    Attributes:
        directory: See above.
    """

    def __init__(
        self, directory: Path, own: Callable[[str], OwnWeights], *, openvino: bool | None = None
    ) -> None:
        self.directory = directory
        self._own = own
        self._openvino = openvino

    # ---------------------------------------------------------------- reading

    def models(self) -> tuple[StoredModel, ...]:
        """Every model, installed ones first, each by name. Built-in ones whose name is taken are left out."""
        installed = tuple(self._installed())
        taken = {base_name(each) for one in installed for each in _names(one.descriptor)}
        built_in = (self._built_in(each) for each in BUILT_IN)
        return (
            *installed,
            *(one for one in built_in if not taken & {base_name(each) for each in _names(one.descriptor)}),
        )

    def model(self, name: str) -> StoredModel:
        """The model of a name, however it is spelled.

        Raises:
            ModelError: There is none.
        """
        known = self.models()
        for way in (base_name, looser_name):
            for each in known:
                if way(name) in {way(one) for one in _names(each.descriptor)}:
                    return each
        wanted = base_name(name)
        if wanted in LOST:
            raise ModelError(f"there is no model {wanted!r}: {why_lost(wanted, LOST[wanted])}")
        raise ModelError(
            f"there is no model {wanted[:64]!r}", command="what there is: appliance deeplens models list"
        )

    def shown(self) -> Shown:
        """What of all this lies under /opt/awscam/artifacts in a function's view."""
        models, files = [], dict[str, Path]()
        known = self.models()
        missing = {name: why_lost(name, lost) for name, lost in LOST.items()}
        # `ssd` is somebody's own model, which must not be taken for AWS's `deploy_ssd` when it is not there.
        missing |= {
            looser_name(each.descriptor.name): f"nobody installed it; AWS's own is {each.descriptor.name!r}"
            for each in known
            if each.built_in and looser_name(each.descriptor.name) != each.descriptor.name
        }
        for each in known:
            if each.fault:
                missing |= dict.fromkeys(_names(each.descriptor), each.fault)
                continue
            models.append(each.descriptor)
            files |= each.files
        # A file of somebody's that is called like a network is not taken for it.
        networks = {each.descriptor.file: each for each in known if not each.fault}
        files |= {name: each.files[name] for name, each in networks.items()}
        return Shown(files=files, notes={CATALOGUE: catalogue_bytes(models, missing)})

    def report(self, name: str) -> str:
        """How an installed model's files were converted; empty where they were not.

        Raises:
            ModelError: It cannot be read.
        """
        try:
            return read_plain(self.directory / checked_name(name) / REPORT, _MOST_REPORT_BYTES).decode()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"the report of {name} cannot be read") from error

    # ---------------------------------------------------------------- changing

    def install(
        self, descriptor: Descriptor, files: Mapping[str, Path | bytes], *, report: str = ""
    ) -> StoredModel:
        """Keep a model; one of the same name is replaced.

        Args:
            descriptor: What it is; its `file` is one of `files`, or one of the appliance's own.
            files: Names of its files → where they are, or what is in them.
            report: What was done to make them, for `report.txt`.

        Raises:
            ModelError: The name is none, a file cannot be read or is too large, or the disk cannot take it.
        """
        name = checked_name(descriptor.name)
        new = self.directory / f"{_NEW}{secrets.token_hex(8)}"
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_halves()
            new.mkdir(mode=0o700)
            try:
                left = MAX_BYTES
                for file_name, source in files.items():
                    left -= _copied(source, new / file_name, left)
                _written(new / DESCRIPTOR, descriptor.file_bytes())
                if report:
                    _written(new / REPORT, report.encode())
                self._put(new, self.directory / name)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        except OSError as error:
            raise ModelError(
                f"the model {name} cannot be kept: {error.strerror or type(error).__name__}",
                hint="is there space, and may the folder be written?",
            ) from error
        return self._read(self.directory / name)

    def stand_in(
        self,
        like: str,
        name: str,
        *,
        labels: tuple[str, ...] | None = None,
        first_label: int | None = None,
        outputs: tuple[OutputLayer, ...] = (),
        beside: Mapping[str, Path | bytes] | None = None,
    ) -> StoredModel:
        """Keep a network of the appliance under a name; see `artifacts.own_descriptor` for the options.

        Args:
            like: Which.
            name: What functions call it.
            labels: Those it is to have.
            first_label: Number of the first.
            outputs: The layers a function wants.
            beside: Files that functions open by themselves: names → where they are, or what is in them.

        Raises:
            ModelError: There is no such network, it is not installed, or an option or a file does not fit it.
        """
        weights = self._own(own_network(like).model)
        with faults_told("what is said of the model does not fit"):
            descriptor = own_descriptor(
                like,
                weights.facts,
                checked_name(name),
                spellings=spellings_of(name),
                labels=labels,
                first_label=first_label,
                outputs=outputs,
            )
        if descriptor.file in (beside or {}):
            raise ModelError(
                f"a file {descriptor.file!r} cannot lie beside a model: the network itself is called so",
                hint="call it something else",
            )
        return self.install(descriptor, beside or {})

    def remove(self, name: str) -> Descriptor:
        """Remove an installed model, however its name is spelled.

        Raises:
            ModelError: None is installed by this name, or it cannot be removed.
        """
        found = self.model(name)
        if found.built_in:
            raise ModelError(
                f"{found.descriptor.name} is built in and stays", hint="another may be installed in its place"
            )
        try:
            shutil.rmtree(self.directory / found.descriptor.name)
        except OSError as error:
            raise ModelError(f"{name} cannot be removed: {error.strerror}") from error
        return found.descriptor

    # ---------------------------------------------------------------- inside

    def _folders(self) -> list[Path]:
        with contextlib.suppress(FileNotFoundError):
            return sorted(each for each in self.directory.iterdir() if _NAME.fullmatch(each.name))
        return []

    def _installed(self) -> Iterator[StoredModel]:
        for folder in self._folders():
            try:
                yield self._read(folder)
            except ModelError as error:
                _log.warning("model_damaged", model=folder.name, reason=error.message)

    def _read(self, folder: Path) -> StoredModel:
        try:
            descriptor = read_descriptor(read_plain(folder / DESCRIPTOR, _MOST_DESCRIPTOR_BYTES))
            lying = {each.name: each for each in folder.iterdir() if each.name not in {DESCRIPTOR, REPORT}}
        except OSError as error:
            raise ModelError(f"the model {folder.name} cannot be read: {error.strerror}") from error
        if descriptor.name != folder.name:
            raise ModelError(f"the model {folder.name} is described as another")
        own = {name: path for name, path in lying.items() if is_plain(path)}
        if descriptor.file in own:
            lacking = OPENVINO if descriptor.engine == "openvino" and not self._has_openvino() else ""
            return StoredModel(descriptor, own, built_in=False, fault=lacking)
        found = self._with_weights(descriptor, built_in=False)
        return replace(found, files={**own, **found.files})

    def _has_openvino(self) -> bool:
        if self._openvino is None:
            self._openvino = importlib.util.find_spec("openvino") is not None
        return self._openvino

    def _built_in(self, each: BuiltIn) -> StoredModel:
        try:
            facts = self._own(OWN[each.like].model).facts
        except ModelError as error:
            # Its labels are unknown without the manifest's word; its name and what is amiss are not.
            facts, fault = OwnFacts(f"{OWN[each.like].model}.onnx", (), 0.5), _words(error)
            descriptor = own_descriptor(each.like, facts, each.name, spellings=each.spellings)
            return StoredModel(descriptor, {}, built_in=True, fault=fault)
        descriptor = own_descriptor(each.like, facts, each.name, spellings=each.spellings)
        return self._with_weights(descriptor, built_in=True)

    def _with_weights(self, descriptor: Descriptor, *, built_in: bool) -> StoredModel:
        """A model whose file is one of the appliance's own."""
        for network in OWN.values():
            try:
                weights = self._own(network.model)
            except ModelError as error:
                if descriptor.file.removesuffix(".onnx") == network.model:
                    return StoredModel(descriptor, {}, built_in=built_in, fault=_words(error))
                continue
            if weights.facts.file == descriptor.file:
                return StoredModel(descriptor, {descriptor.file: weights.path}, built_in=built_in)
        return StoredModel(descriptor, {}, built_in=built_in, fault="its file is gone: install it again")

    def _put(self, new: Path, place: Path) -> None:
        old = self.directory / f"{_NEW}{secrets.token_hex(8)}"
        replaced = place.exists()
        if replaced:
            place.rename(old)
        new.rename(place)
        if replaced:
            shutil.rmtree(old, ignore_errors=True)

    def _remove_halves(self) -> None:
        """What a crash left; nobody takes an hour for a copy."""
        for each in self.directory.glob(f"{_NEW}*"):
            if time.time() - each.stat().st_mtime > _STALE_S:
                shutil.rmtree(each, ignore_errors=True)


def checked_name(name: str) -> str:
    """The name a model is kept under, whatever spelling was given: lower case, without folder and ending.

    Raises:
        ModelError: It is none.
    """
    found = base_name(name)
    leads_up = ".." in name.replace("\\", "/").split("/")
    if leads_up or _NAME.fullmatch(found) is None:
        raise ModelError(
            f"{name[:64]!r} is no name for a model",
            hint="letters, digits, dots, dashes and underscores, 100 at most, as mo.optimize is given it",
        )
    return found


def spellings_of(name: str) -> tuple[str, ...]:
    """What was given as a name, where it is kept under another spelling."""
    given = stem(name)
    return () if given == checked_name(name) else (given,)


def _names(descriptor: Descriptor) -> tuple[str, ...]:
    return (descriptor.name, *descriptor.spellings)


def _words(error: ModelError) -> str:
    return f"{error.message}; {error.advice}" if error.advice else error.message


def _copied(source: Path | bytes, target: Path, most: int) -> int:
    """Copy a file, readable for the account a function runs as; how many bytes it had."""
    if isinstance(source, bytes):
        size = len(source)
        if size <= most:
            _written(target, source)
    else:
        size = source.stat().st_size
        if size <= most:
            shutil.copyfile(source, target)
            target.chmod(0o644)
    if size > most:
        raise ModelError("the model's files are too large", hint=f"{MAX_BYTES >> 20} MiB together at most")
    return size


def _written(target: Path, content: bytes) -> None:
    with target.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    target.chmod(0o644)
