"""A function's folder → the same folder, ported: every Python file of the author's, everything else as it is.

Vendored copies of the Greengrass SDK and libraries that pip put there are left alone, links are not followed.
A file that cannot be ported is copied, reported, and stops nobody.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path, PurePosixPath

from appliance.deeplens.porting import deciding, porting_file
from appliance.deeplens.porting.report import FileReport, PackageReport, Runtime
from appliance.deeplens.porting.source_text import Decoded, UnreadableError, decode, with_newlines
from appliance.deeplens.porting.syntax import Syntax

VENDORED = ("greengrasssdk", "greengrass_common", "greengrass_ipc_python_sdk", "greengrass_sdk")
"""Folders whose modules the host brings itself."""

BROUGHT = frozenset(
    {"PIL", "boto3", "botocore", "cv2", "jmespath", "numpy", "onnxruntime", "openvino", "s3transfer", "scipy"}
)
"""Libraries that the host brings for its own Python: a copy in the package is not what is imported."""

HANDLERS = ("lambda_function.py", "greengrassHelloWorld.py")
"""Files that hold the handler of nearly every function."""

_METHOD = re.compile(r"\bdef[ \t]+(tostring|itemset|ptp)\b")
_DIFF_LINES = 20_000
_DIFF_CHARACTERS = 500_000
"""Of all files together: whoever reads the report holds it in memory."""


@dataclass
class _File:
    path: PurePosixPath
    source: Decoded | None = None
    found: deciding.Evidence | None = None
    error: UnreadableError | None = None


class Limit:
    """How long one file may take; the one given here has no end."""

    def __call__(self) -> AbstractContextManager[None]:
        """A context in which one file is ported."""
        return nullcontext()


def port_package(
    source: Path,
    target: Path,
    *,
    declared: Runtime | None = None,
    handler: str | None = None,
    diff: bool = False,
    limit: Limit | None = None,
) -> PackageReport:
    """Port a folder into another one, which must not exist or be empty.

    Args:
        source: The function's folder.
        target: Where the ported one goes.
        declared: The runtime that the project declares, if it does.
        handler: The file with the handler, relative, if it is known.
        diff: Whether the report shows what changed.
        limit: How long one file may take; raises `TimeoutError`.

    Raises:
        OSError: A file cannot be read or written.
    """
    packaging = _Packaging(source, target, limit or Limit())
    return packaging.run(declared, handler, diff=diff)


class _Packaging:
    def __init__(self, source: Path, target: Path, limit: Limit) -> None:
        self._source = source
        self._target = target
        self._limit = limit
        self._syntax = Syntax()
        # Anywhere: some put their folders on the path by themselves.
        self._names = frozenset(part for path in _walk(source) for part in path.with_suffix("").parts)
        self._reports: list[FileReport] = []
        self._diffs: list[str] = []
        self._diff_left = _DIFF_CHARACTERS

    def run(self, declared: Runtime | None, handler: str | None, *, diff: bool) -> PackageReport:
        files = []
        libraries = _libraries(self._source)
        for path in _walk(self._source):
            (self._target / path).parent.mkdir(parents=True, exist_ok=True)
            if path.suffix != ".py":
                self._copy(path, FileReport(str(path), "copied"))
            elif path.parts[0] in VENDORED:
                note = ("a copy of the Greengrass SDK: the host's is used instead",)
                self._copy(path, FileReport(str(path), "left alone", notes=note))
            elif len(path.parts) > 1 and path.parts[0] in BROUGHT:
                note = ("a copy of a library: the host's is used instead",)
                self._copy(path, FileReport(str(path), "left alone", notes=note))
            else:
                files.append(self._read(path))
        files.sort(key=lambda file: _importance(file.path, handler))
        own = [each for each in files if not _inside(each.path, libraries)]
        voices = [(str(each.path), each.found) for each in own if each.found is not None]
        runtime, reasons = deciding.decide(declared, voices)
        methods = frozenset(
            name for each in own if each.source is not None for name in _METHOD.findall(each.source.text)
        )
        for each in files:
            if _inside(each.path, libraries) and each.found is not None and each.found.tree is not None:
                note = ("a library that Python 3 takes as it is",)
                self._copy(each.path, FileReport(str(each.path), "left alone", notes=note))
            else:
                self._port(each, runtime, methods, declared=declared is not None, diff=diff)
        ordered = sorted(self._reports, key=lambda report: _importance(PurePosixPath(report.path), handler))
        return PackageReport(runtime, reasons, tuple(ordered), "".join(self._diffs))

    def _read(self, path: PurePosixPath) -> _File:
        try:
            source = decode((self._source / path).read_bytes())
        except UnreadableError as error:
            return _File(path, error=error)
        return _File(path, source, deciding.evidence(source))

    def _port(
        self, file: _File, runtime: Runtime, methods: frozenset[str], *, declared: bool, diff: bool
    ) -> None:
        path = str(file.path)
        if file.source is None or file.found is None:
            error = file.error or UnreadableError("could not be read")
            self._copy(file.path, FileReport(path, "failed", error=str(error), error_line=error.line))
            return
        kind, why = deciding.runtime_of(runtime, file.found)
        if not declared and runtime == "python3" and file.found.python2 and file.found.tree is None:
            kind, why = "python2", file.found.python2
        siblings = self._siblings(file.path) if kind == "python2" else frozenset()
        own = porting_file.Own(siblings, methods, self._names)
        try:
            with self._limit():
                result = porting_file.port(file.source, kind, file.found, self._syntax, own)
        except UnreadableError as error:
            message, line = str(error), error.line
        except (RecursionError, MemoryError):
            message, line = "is nested too deeply", None
        except TimeoutError:
            message, line = "takes too long to port", None
        else:
            self._write(file, result, kind, why, diff=diff)
            return
        self._copy(file.path, FileReport(path, "failed", kind, why, error=message, error_line=line))

    def _write(
        self, file: _File, result: porting_file.Port, kind: Runtime, why: tuple[str, ...], *, diff: bool
    ) -> None:
        path = str(file.path)
        source = file.source or Decoded("", "utf-8")
        notes = (*source.notes, *result.notes)
        if not result.lines:
            self._copy(file.path, FileReport(path, "unchanged", kind, why, notes=notes))
            return
        target = self._target / file.path
        target.write_bytes(result.text.encode())
        shutil.copymode(self._source / file.path, target)
        self._reports.append(FileReport(path, "ported", kind, why, result.changes(), notes))
        if diff and self._diff_left > 0:
            shown = _difference(path, source.text, result.text)
            if len(shown) > self._diff_left:
                shown = f"--- {path}\n+++ {path}\n(what else changed is not shown: it is too much)\n"
                self._diff_left = 0
            self._diff_left -= len(shown)
            self._diffs.append(shown)

    def _copy(self, path: PurePosixPath, report: FileReport) -> None:
        shutil.copy(self._source / path, self._target / path)
        self._reports.append(report)

    def _siblings(self, path: PurePosixPath) -> frozenset[str]:
        """What can be imported from beside a file of a package; nothing for the function's own files."""
        folder = self._source / path.parent
        if path.parent == PurePosixPath() or not (folder / "__init__.py").is_file():
            return frozenset()
        return frozenset(
            each.stem for each in folder.iterdir() if each.suffix == ".py" or (each / "__init__.py").is_file()
        )


def _walk(folder: Path) -> Iterator[PurePosixPath]:
    """Regular files below a folder, relative to it, in order; links and what is no file are passed over."""
    waiting = [folder]
    while waiting:
        for each in sorted(waiting.pop().iterdir()):
            if each.is_symlink():
                continue
            if each.is_dir():
                waiting.append(each)
            elif each.is_file():
                yield PurePosixPath(each.relative_to(folder).as_posix())


def _libraries(folder: Path) -> frozenset[str]:
    """Top-level names that pip installed into the folder, by what it left beside them."""
    names: set[str] = set()
    for each in sorted(folder.glob("*.dist-info")) + sorted(folder.glob("*.egg-info")):
        listed = each / "top_level.txt"
        if listed.is_file() and not listed.is_symlink():
            names.update(listed.read_text("utf-8", "replace").split())
        else:
            names.add(each.name.split("-")[0].lower())
    return frozenset(names)


def _inside(path: PurePosixPath, libraries: frozenset[str]) -> bool:
    return path.parts[0].removesuffix(".py") in libraries


def _importance(path: PurePosixPath, handler: str | None) -> tuple[int, int, str]:
    named = str(path) == handler
    return (0 if named else 1 if str(path) in HANDLERS else 2, len(path.parts), str(path))


def _difference(path: str, before: str, after: str) -> str:
    old, new = with_newlines(before).split("\n"), after.split("\n")
    if max(len(old), len(new)) > _DIFF_LINES:
        return f"--- {path}\n+++ {path}\n(too long to be compared)\n"
    return "\n".join(unified_diff(old, new, path, path, lineterm="")) + "\n"
