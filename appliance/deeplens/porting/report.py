"""What porting a package did, as values: written to standard output as JSON, read again by whoever asked.

Decides nothing and prints nothing.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

_WRONG = "a report of porting is not what it should be"

Runtime = Literal["python2", "python3"]
Outcome = Literal["ported", "unchanged", "left alone", "copied", "failed"]


@dataclass(frozen=True)
class Change:
    """One measure that changed a file, and the author's lines (from 1) it touched."""

    measure: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        path: Relative to the package, with `/`.
        outcome: `ported`; `unchanged`: Python that needed nothing; `left alone`: Python that is not the
            author's; `copied`: not Python; `failed`: could not be ported and was copied as it is.
        runtime: What it was taken for; None if it was not looked at.
        reasons: Why it was taken for that, in words.
        changes: What was done, by measure.
        notes: What somebody may want to know and no measure could mend.
        error: Why it failed.
        error_line: The author's line (from 1) of the fault, where one is known.
    """

    path: str
    outcome: Outcome
    runtime: Runtime | None = None
    reasons: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None
    error_line: int | None = None

    @property
    def fault(self) -> str:
        """Why it failed, with the line; empty if it did not."""
        return f"line {self.error_line} {self.error}" if self.error and self.error_line else self.error or ""


@dataclass(frozen=True)
class PackageReport:
    """What became of a package: its runtime, why, every file, and the difference where it was asked for."""

    runtime: Runtime
    reasons: tuple[str, ...]
    files: tuple[FileReport, ...]
    diff: str = ""

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """The files that could not be ported."""
        return tuple(each for each in self.files if each.outcome == "failed")


def to_json(report: PackageReport) -> str:
    """The report as one line of JSON."""
    return json.dumps(asdict(report), separators=(",", ":"))


def from_json(text: str | bytes) -> PackageReport:
    """The report that `to_json` wrote.

    The text comes from a contained child and is not trusted: types are checked.

    Raises:
        ValueError: It is not such a report.
    """
    try:
        raw = json.loads(text)
        return PackageReport(
            runtime=_one_of(raw["runtime"], get_args(Runtime)),
            reasons=_strings(raw["reasons"]),
            files=tuple(_file(each) for each in _list(raw["files"])),
            diff=_string(raw["diff"]),
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(_WRONG) from error


def _file(raw: Any) -> FileReport:
    return FileReport(
        path=_string(raw["path"]),
        outcome=_one_of(raw["outcome"], get_args(Outcome)),
        runtime=None if raw["runtime"] is None else _one_of(raw["runtime"], get_args(Runtime)),
        reasons=_strings(raw["reasons"]),
        changes=tuple(
            Change(_string(each["measure"]), tuple(_number(line) for line in _list(each["lines"])))
            for each in _list(raw["changes"])
        ),
        notes=_strings(raw["notes"]),
        error=None if raw["error"] is None else _string(raw["error"]),
        error_line=None if raw["error_line"] is None else _number(raw["error_line"]),
    )


def _one_of(raw: Any, allowed: tuple[Any, ...]) -> Any:
    if raw not in allowed:
        raise ValueError(_WRONG)
    return raw


def _string(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError(_WRONG)  # noqa: TRY004 - one kind of error for whatever is wrong with it
    return raw


def _number(raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise ValueError(_WRONG)  # noqa: TRY004 - as above
    return raw


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise ValueError(_WRONG)  # noqa: TRY004 - as above
    return raw


def _strings(raw: Any) -> tuple[str, ...]:
    return tuple(_string(each) for each in _list(raw))
