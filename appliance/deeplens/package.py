"""What somebody hands in to be hosted: the files of one function, as bytes under names that stay inside.

A `Package` is bounded and checked when it is made, so that whoever has one may write it. Where it comes from
is `package_reading`'s. Nothing of a function is run or parsed here.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from appliance.errors import FunctionError, PackageError

MOST_FILES: Final = 10_000
MOST_FILE_BYTES: Final = 128 << 20
MOST_BYTES: Final = 256 << 20
"""AWS took 250 MB of a function, unpacked."""
_MOST_NAME_BYTES: Final = 255
_MOST_PATH_BYTES: Final = 1024
_DEEPEST: Final = 32
_SHOWN: Final = 80
_ANEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_AGAIN: Final = "make the package again from a plain folder"


@dataclass(frozen=True, slots=True)
class Package:
    """The files of one function.

    Attributes:
        files: Relative name, with `/` → content, in the order of the names.
    """

    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        """Check names and sizes.

        Raises:
            PackageError: There is no file, there are too many or too much, or a name leads outside, says
                nothing definite or is a file's and a folder's at once.
        """
        check_count(len(self.files))
        if not self.files:
            raise PackageError("there is no file in it", hint="hand in a folder, a zip or a .py file")
        total = 0
        for name, content in self.files.items():
            check_name(name)
            total += len(content)
            check_size(name, len(content), total)
        for name in self.files:
            for folder in PurePosixPath(name).parents:
                if str(folder) in self.files:
                    raise PackageError(f"{shown(str(folder))} is both a file and a folder", hint=_AGAIN)
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(len(each) for each in self.files.values())

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the Python modules at its root, which can be imported by them."""
        return tuple(
            name.removesuffix(".py") for name in self.files if "/" not in name and name.endswith(".py")
        )

    @property
    def sha256(self) -> str:
        """Of all names and contents: the same for the same files, whatever they came in."""
        digest = hashlib.sha256()
        for name, content in self.files.items():
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big"))
                digest.update(part)
        return digest.hexdigest()


def shown(name: str) -> str:
    """A name from outside for a message: short, and without signs that do something."""
    text = "".join(each if each.isprintable() else "?" for each in name)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def check_name(name: str) -> None:
    """Take a name of a file only if it stays below the folder it is put in, and means one thing.

    Raises:
        PackageError: It does not.
    """
    parts = name.split("/")
    wrong = None
    if name.startswith("/"):
        wrong = "an absolute path"
    elif "\\" in name:
        wrong = "a path with backslashes"
    elif ".." in parts:
        wrong = "a path that leads out of the package"
    elif not all(parts) or "." in parts:
        wrong = "no plain path"
    elif not name.isprintable():
        wrong = "a name with control characters"
    elif (
        len(parts) > _DEEPEST
        or len(name.encode()) > _MOST_PATH_BYTES
        or any(len(each.encode()) > _MOST_NAME_BYTES for each in parts)
    ):
        wrong = "too long or too deep a path"
    if wrong is not None:
        raise PackageError(f"{shown(name)} is {wrong}", hint=_AGAIN)


def check_count(count: int) -> None:
    """Take only so many files.

    Raises:
        PackageError: There are more.
    """
    if count > MOST_FILES:
        raise PackageError(
            f"there are more than {MOST_FILES:,} files in it", hint="leave out what it does not use"
        )


def check_size(name: str, size: int, total: int) -> None:
    """Take only files and packages of a size that a function may have.

    Args:
        name: Of the file.
        size: Bytes of it.
        total: Bytes of all so far.

    Raises:
        PackageError: It is larger.
    """
    if size > MOST_FILE_BYTES:
        raise PackageError(
            f"{shown(name)} is larger than {MOST_FILE_BYTES >> 20} MB",
            hint="models are installed apart from functions",
            command="appliance deeplens models",
        )
    if total > MOST_BYTES:
        raise PackageError(
            f"its files are larger than {MOST_BYTES >> 20} MB together", hint="leave out what it does not use"
        )


def write_package(package: Package, folder: Path) -> None:
    """Write the files of a package into a folder, which any account may read then.

    Args:
        package: To be written.
        folder: Empty, or made by this; its parent is there.

    Raises:
        FunctionError: Something is there already, or the disk is full or not writable; what was written
            is left.
    """
    try:
        _make(folder, exist_ok=True)
        made = {PurePosixPath()}
        for name, content in package.files.items():
            for parent in reversed(PurePosixPath(name).parents):
                if parent not in made:
                    _make(folder / parent)
                    made.add(parent)
            descriptor = os.open(folder / name, _ANEW, 0o644)
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o644)
                file.write(content)
    except OSError as error:
        raise FunctionError(
            f"its files cannot be written: {error.strerror}",
            hint="look at the disk, and whose the folder is",
        ) from error


def _make(folder: Path, *, exist_ok: bool = False) -> None:
    folder.mkdir(exist_ok=exist_ok)
    folder.chmod(0o755)  # whatever our own mask is: another account runs it
