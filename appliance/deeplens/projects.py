"""The functions that are deployed, as folders on disk: `NAME/{project.json, source/, ported/, log}`.

A function comes whole or not at all: it is laid out beside the others under a name that begins with a dot and
put in its place by a rename; the one it replaces stays until then. Whatever a crash leaves between is put
right by `tidy`. Nothing of a function's own is read here, let alone run.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from appliance import private_files
from appliance.deeplens.plain_file import read_plain
from appliance.deeplens.project import NAME_PATTERN, Project
from appliance.deeplens.project_fault import fault_of
from appliance.errors import FunctionError, UnknownFunctionError

_log = structlog.get_logger()

_MOST_BYTES: Final = 64 << 10
"""Of a project.json; ours are a tenth of a per cent of it."""
_NEW, _OLD = ".new-", ".old-"


@dataclass(frozen=True, slots=True)
class FunctionFolder:
    """Where one function lies.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def project_file(self) -> Path:
        """What it is and may; see `project.Project`."""
        return self.path / "project.json"

    @property
    def source(self) -> Path:
        """Its files as they were deployed."""
        return self.path / "source"

    @property
    def ported(self) -> Path:
        """Its files as they are run."""
        return self.path / "ported"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.path / "log"

    @property
    def report(self) -> Path:
        """What porting changed, as JSON."""
        return self.path / "porting.json"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A function whose description cannot be read.

    Attributes:
        name: Of its folder.
        reason: What is wrong with it, in words.
    """

    name: str
    reason: str


class Projects:
    """The deployed functions below one folder.

    Args:
        root: The folder; made, mode 0700, when something is first deployed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """The folder they lie in: `deeplens/functions` of the state."""
        return self._root

    def folder(self, name: str) -> FunctionFolder:
        """Where a function lies, or would.

        Raises:
            FunctionError: That is no name for one.
        """
        if not re.fullmatch(NAME_PATTERN, name):
            raise FunctionError(
                f"{name[:80]!r} is no name for a function",
                hint="letters, digits, - and _, 64 at most, a letter or digit first",
            )
        return FunctionFolder(self._root / name)

    def get(self, name: str) -> Project:
        """A deployed function.

        Raises:
            UnknownFunctionError: There is none of that name.
            FunctionError: Its project.json is damaged; the message names the file.
        """
        folder = self.folder(name)
        if not folder.path.is_dir():
            raise UnknownFunctionError(
                f"no function {name} is deployed", command="see what is: appliance deeplens list"
            )
        return _read(folder, name)

    def all(self) -> Sequence[Project]:
        """Every deployed function, by name; a damaged one is left out and said in the diagnostics."""
        found, damaged = self.look()
        for each in damaged:
            _log.error("function_damaged", function=each.name, reason=each.reason)
        return found

    def look(self) -> tuple[Sequence[Project], Sequence[Damaged]]:
        """Every deployed function, by name, and those whose description cannot be read."""
        found: list[Project] = []
        damaged: list[Damaged] = []
        for name in self._names():
            try:
                found.append(_read(FunctionFolder(self._root / name), name))
            except FunctionError as error:
                damaged.append(Damaged(name, error.message))
        return found, damaged

    @contextlib.contextmanager
    def laying_out(self, name: str) -> Iterator[FunctionFolder]:
        """An empty folder to lay a function out in, beside the others; gone at the end unless it was `put`.

        Raises:
            FunctionError: The disk takes no folder, or that is no name for one.
        """
        self.folder(name)
        path = self._root / f"{_NEW}{secrets.token_hex(4)}-{name}"
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        except OSError as error:
            raise FunctionError(f"{self._root} takes no new function: {error.strerror}") from error
        try:
            yield FunctionFolder(path)
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def put(self, new: FunctionFolder, project: Project) -> FunctionFolder:
        """Put what was laid out in its place; one of the same name goes, its log stays.

        Raises:
            FunctionError: The disk is full, or not writable.
        """
        folder = self.folder(project.name)
        try:
            private_files.replace(new.project_file, _written(project))
            with self._alone():
                old = self._root / f"{_OLD}{secrets.token_hex(4)}-{project.name}"
                replacing = folder.path.exists()
                if replacing:
                    for each in (folder.log, folder.log.with_name("log.1")):
                        with contextlib.suppress(FileNotFoundError):
                            os.link(each, new.path / each.name)
                    folder.path.rename(old)
                new.path.rename(folder.path)
                _settle(self._root)
                if replacing:
                    shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise FunctionError(f"{project.name} cannot be deployed: {error.strerror}") from error
        return folder

    def save(self, project: Project) -> None:
        """Write a function's description anew.

        Raises:
            UnknownFunctionError: It is not deployed any more.
            FunctionError: The disk is full, or not writable.
        """
        self.get(project.name)
        try:
            private_files.replace(self.folder(project.name).project_file, _written(project))
        except OSError as error:
            raise FunctionError(f"{project.name} cannot be written: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Delete a function with all that belongs to it, also one whose description is damaged.

        Raises:
            UnknownFunctionError: There is none of that name.
            FunctionError: It cannot be deleted.
        """
        folder = self.folder(name)
        gone = self._root / f"{_NEW}{secrets.token_hex(4)}-{name}"
        try:
            with self._alone():
                folder.path.rename(gone)
                _settle(self._root)
        except FileNotFoundError as error:
            raise UnknownFunctionError(f"no function {name} is deployed") from error
        except OSError as error:
            raise FunctionError(f"{name} cannot be removed: {error.strerror}") from error
        shutil.rmtree(gone, ignore_errors=True)

    def tidy(self) -> None:
        """Put right what a crash left between; only while nothing is being deployed.

        Raises:
            FunctionError: The disk cannot be written.
        """
        if not self._root.is_dir():
            return
        try:
            with self._alone():
                for path in sorted(self._root.iterdir()):
                    if path.name.startswith(_OLD):
                        # `.old-01234567-NAME`: where the new one never came, the old one is still the one.
                        name = path.name[len(_OLD) :].partition("-")[2]
                        if (self._root / name).exists():
                            shutil.rmtree(path, ignore_errors=True)
                        else:
                            path.rename(self._root / name)
                    elif path.name.startswith(_NEW):
                        shutil.rmtree(path, ignore_errors=True)
        except OSError as error:
            raise FunctionError(f"{self._root} cannot be tidied: {error.strerror}") from error

    def _names(self) -> Sequence[str]:
        try:
            found = [each.name for each in self._root.iterdir() if each.is_dir() and not each.is_symlink()]
        except FileNotFoundError:
            return []
        return sorted(each for each in found if re.fullmatch(NAME_PATTERN, each))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else renames below the folder meanwhile."""
        descriptor = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _read(folder: FunctionFolder, name: str) -> Project:
    """A description, checked; it is small, and not where a link leads.

    Raises:
        FunctionError: It is missing, damaged, or another function's.
    """
    path = folder.project_file
    hint = "deploy it again, or remove it"
    try:
        content = read_plain(path, _MOST_BYTES)
    except OSError as error:
        raise FunctionError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    try:
        project = Project.model_validate_json(content)
    except ValidationError as error:
        where, words = fault_of(error)
        told = ": ".join(filter(None, (f"{path} is damaged", where, words)))
        raise FunctionError(told[:500], hint=hint) from None
    if project.name != name:
        raise FunctionError(f"{path} describes a function of another name", hint=hint)
    return project


def _written(project: Project) -> bytes:
    return (project.model_dump_json(indent=2) + "\n").encode()


def _settle(directory: Path) -> None:
    """Make renames survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
