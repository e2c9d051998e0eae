"""Reading what somebody hands in, a folder, a zip or one `.py` file, into a `Package`.

Whatever the bytes are, the result is a `Package` or a `PackageError`. Sizes are counted while inflating; what
a header says of them is not believed. Nothing is written, and no link is followed.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from appliance.deeplens.package import (
    MOST_BYTES,
    MOST_FILE_BYTES,
    MOST_FILES,
    Package,
    check_count,
    check_name,
    check_size,
    shown,
)
from appliance.deeplens.package_handler import IMPORTABLE, has_module
from appliance.errors import PackageError

MOST_ZIP_BYTES: Final = 128 << 20
_ENTRY: Final = b"PK\x01\x02"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_CHUNK: Final = 64 << 10
_RATIO: Final = 200
_RATIO_FROM_BYTES: Final = 4 << 20
"""A larger file that is packed tighter than that holds nothing that a function uses."""
_FAULTS: Final = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, LookupError, OverflowError),
)
"""What the library raises over bytes that are no zip, or a damaged one."""
_LEFT_OUT: Final = frozenset(
    {"__MACOSX", ".DS_Store", "__pycache__", ".git", ".hg", ".svn", ".idea", ".vscode", ".venv", "Thumbs.db"}
)
"""What other programs leave in folders and zips."""
_WHAT: Final = "hand in a folder, a zip as Lambda takes them, or a .py file"


def read_path(path: Path, handler: str = "") -> Package:
    """Read a folder, a zip or a `.py` file.

    Args:
        path: Of it.
        handler: What is to be run, if somebody said so: see `_unwrapped`.

    Raises:
        PackageError: It cannot be read, or is no package.
    """
    try:
        if path.is_dir():
            return read_folder(path, handler)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PackageError(f"{shown(path.name)} is no file", hint=_WHAT)
            content = file.read(MOST_ZIP_BYTES + 1)
    except (OSError, ValueError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or "not a path"
        raise PackageError(f"{shown(path.name)} cannot be read: {words}", hint=_WHAT) from error
    return read_bytes(content, path.name, handler)


def read_bytes(content: bytes, name: str, handler: str = "") -> Package:
    """Read a zip or a `.py` file.

    Args:
        content: Of the file.
        name: What it was called: its end says what it is; no more is made of it.
        handler: What is to be run, if somebody said so: see `_unwrapped`.

    Raises:
        PackageError: It is no package.
    """
    if len(content) > MOST_ZIP_BYTES:
        raise PackageError(
            f"{shown(name)} is larger than {MOST_ZIP_BYTES >> 20} MB", hint="leave out what it does not use"
        )
    if content.startswith(_ZIP):
        return _read_zip(content, handler)
    if name.lower().endswith(".py"):
        if b"\0" in content or not content.strip():
            raise PackageError(f"{shown(name)} is no source of Python", hint=_WHAT)
        stem = PurePosixPath(name).stem
        # A name that cannot be imported gets the one that Lambda's own console gives.
        return Package({f"{stem if IMPORTABLE.fullmatch(stem) else 'lambda_function'}.py": content})
    raise PackageError(f"{shown(name)} is neither a zip nor a .py file", hint=_WHAT)


# ---------------------------------------------------------------------- folders


def read_folder(path: Path, handler: str = "") -> Package:
    """Read a folder with all below it; what version control and editors leave there is left out.

    Args:
        path: Of it.
        handler: What is to be run, if somebody said so: see `_unwrapped`.

    Raises:
        PackageError: It holds a link, a device or the like, too much, or cannot be read.
    """
    files: dict[str, bytes] = {}
    try:
        _descend(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "", files)
    except OSError as error:
        raise PackageError(f"{shown(path.name)} cannot be read: {error.strerror}", hint=_WHAT) from error
    return Package(_unwrapped(files, handler))


def _descend(folder: int, prefix: str, files: dict[str, bytes]) -> None:
    """Read what is in a folder, by descriptors, so that nothing exchanged meanwhile leads elsewhere."""
    try:
        for name in sorted(os.listdir(folder)):
            if name in _LEFT_OUT:
                continue
            path = prefix + name
            check_name(path)
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                _descend(os.open(name, flags, dir_fd=folder), path + "/", files)
                continue
            _check_kind(path, mode)
            check_count(len(files) + 1)
            files[path] = _content(folder, name, path, sum(map(len, files.values())))
    finally:
        os.close(folder)


def _content(folder: int, name: str, path: str, before: int) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        _check_kind(path, os.fstat(descriptor).st_mode)
        content = file.read(min(MOST_FILE_BYTES, MOST_BYTES - before) + 1)
    check_size(path, len(content), before + len(content))
    return content


def _check_kind(path: str, mode: int) -> None:
    """Take files only.

    Raises:
        PackageError: It is a link or something that is no file.
    """
    if stat.S_ISLNK(mode):
        raise PackageError(f"{shown(path)} is a link", hint="put the file itself in its place")
    if not stat.S_ISREG(mode):
        raise PackageError(f"{shown(path)} is no file", hint="leave out devices, sockets and pipes")


# ---------------------------------------------------------------------- zips


def _read_zip(content: bytes, handler: str) -> Package:
    # However many entries the zip says it has, each begins with this.
    if content.count(_ENTRY) > 2 * MOST_FILES:
        check_count(content.count(_ENTRY))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return Package(_unwrapped(_entries(archive), handler))
    except _FAULTS as error:
        raise PackageError("the zip is damaged", hint="make it again, or fetch it again") from error


def _entries(archive: zipfile.ZipFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    infos = archive.infolist()
    check_count(len(infos))
    for info in infos:
        # `filename` ends at a NUL; what stands behind it is in the other.
        name = info.orig_filename
        folder = name.endswith("/")
        check_name(name.removesuffix("/"))
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind and not (folder and stat.S_ISDIR(kind)):
            _check_kind(name, kind)
        if folder or _LEFT_OUT.intersection(name.split("/")):
            continue
        if name in files:
            raise PackageError(f"{shown(name)} is in it twice", hint="make the zip again from a plain folder")
        files[name] = _inflated(archive, info, name, total)
        total += len(files[name])
    return files


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, before: int) -> bytes:
    """A file of a zip, inflated no further than it may be large."""
    if info.flag_bits & 0x1:
        raise PackageError(f"{shown(name)} is encrypted", hint="make the zip without a password")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise PackageError(
            f"{shown(name)} is packed in a way Lambda does not take", hint="make the zip with plain `zip -r`"
        )
    got = bytearray()
    with archive.open(info) as file:
        while chunk := file.read(_CHUNK):
            got += chunk
            check_size(name, len(got), before + len(got))
            if len(got) > _RATIO_FROM_BYTES and len(got) > _RATIO * max(info.compress_size, 1):
                raise PackageError(
                    f"{shown(name)} is packed too tightly for anything a function uses",
                    hint="leave it out; a function makes such a file itself",
                )
    return bytes(got)


def _unwrapped(files: dict[str, bytes], handler: str) -> dict[str, bytes]:
    """The files without the one folder that all lie in, unless the handler is named by way of it alone."""
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        return files
    (top,) = tops
    inner = {name[len(top) + 1 :]: content for name, content in files.items()}
    if has_module(inner, handler):
        return inner
    there = any("/" not in name and name.endswith(".py") for name in inner)
    return inner if there and not has_module(files, handler) else files
