"""Functions in the ways of published ones, written for these tests: `tests/deeplens/functions`.

Python 2 does not parse here, so their files end in `.py.txt`. What AWS's templates gave every author stands
once in `parts`, and goes where a file says `@@its_name@@`.
"""

import io
import re
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "deeplens" / "functions"
_PART = re.compile(r"@@(\w+)@@")


def files(name: str) -> dict[str, str]:
    """A function's files by the names that their author gave them."""
    root = FOLDER / name
    return {
        str(path.relative_to(root)).removesuffix(".txt" if path.name.endswith(".py.txt") else ""): _PART.sub(
            lambda found: _part(found[1]), path.read_text(encoding="utf-8")
        )
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def zipped(path: Path, name: str) -> Path:
    """A function as a zip for Lambda, at a path; the path."""
    path.write_bytes(zip_bytes(name))
    return path


def zip_bytes(name: str) -> bytes:
    """A function as a zip for Lambda."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each, text in files(name).items():
            archive.writestr(each, text)
    return file.getvalue()


def _part(name: str) -> str:
    return (FOLDER / "parts" / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")
