"""Python 2 sources, ported by the real command and run by a real Python 3, in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.deeplens.porting.package import port_package
from appliance.deeplens.porting.report import FileReport, PackageReport, Runtime, from_json

ROOT = Path(__file__).parents[2]
RUN = """
import contextlib, io, json, runpy, sys, traceback, warnings
warnings.simplefilter("error")
from appliance.deeplens.porting import python2, since37
{"python2": python2, "python3": since37}[sys.argv[1]].install()
sys.path.insert(0, ".")
printed = {}
for name in sys.argv[2:]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            runpy.run_path(name, run_name="function")
        except Exception:
            traceback.print_exc(file=out)
    printed[name] = out.getvalue()
print(json.dumps(printed))
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def port(source: Path, target: Path, runtime: Runtime | None = None, **more: Any) -> PackageReport:
    """What porting in this process says it did."""
    target.mkdir(exist_ok=True)
    return port_package(source, target, declared=runtime, **more)


def commanded(source: Path, target: Path, *options: str) -> PackageReport:
    """What `python -m appliance.deeplens.porting` says it did."""
    target.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "appliance.deeplens.porting", *options, str(source), str(target)],
        check=True,
        capture_output=True,
        env=_environment(),
        timeout=120,
    )
    return from_json(done.stdout)


def run(folder: Path, names: list[str], runtime: str = "python2") -> dict[str, str]:
    """What each file prints, all in one process; with the traceback, if it ends with one."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, runtime, *names],
        check=True,
        capture_output=True,
        cwd=folder,
        env=_environment(),
        timeout=120,
    )
    printed: dict[str, str] = json.loads(done.stdout)
    return printed


def ported(
    folder: Path, files: Mapping[str, str | bytes], runtime: Runtime | None = None, **more: Any
) -> tuple[Path, PackageReport]:
    """The files, written and ported: where they are, and the report."""
    target = folder / "ported"
    return target, port(write(folder / "source", files), target, runtime, **more)


def of(report: PackageReport, path: str) -> FileReport:
    """What became of one file."""
    return next(each for each in report.files if each.path == path)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def rows(table: Path) -> dict[str, tuple[str, str]]:
    """A table of sources and what they print: `==== name`, the source, `---- prints`, the output."""
    found = {}
    for section in table.read_text("utf-8").split("\n==== ")[1:]:
        name, _, rest = section.partition("\n")
        source, _, output = rest.partition("\n---- prints\n")
        found[name] = (source, output + "\n")
    *_, last = found
    source, output = found[last]
    found[last] = (source, output.removesuffix("\n"))
    return found
