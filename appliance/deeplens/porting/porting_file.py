"""One file's port: every measure in order, and the proof that the result compiles and kept its lines.

Reads and writes nothing.
"""

import ast
import warnings
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from appliance.deeplens.porting import (
    calls,
    division,
    numpy_names,
    opencv_names,
    ordering,
    relative_imports,
    stricter,
    unused_imports,
)
from appliance.deeplens.porting.deciding import Evidence, parsed
from appliance.deeplens.porting.report import Change, Runtime
from appliance.deeplens.porting.source_text import Decoded, UnreadableError, as_utf8, lines_of, with_newlines
from appliance.deeplens.porting.sources import Sources
from appliance.deeplens.porting.syntax import Ported, Syntax
from appliance.deeplens.porting.tabs import COLUMNS_OF_EDITORS, expand_tabs


@dataclass
class Port:
    """What became of a file's text, and what was done to it."""

    text: str
    lines: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def did(self, measure: str, lines: list[int]) -> None:
        """Note that a measure changed lines."""
        if lines:
            self.lines[measure] = sorted({*self.lines.get(measure, []), *lines})

    def changes(self) -> tuple[Change, ...]:
        """Everything that was done."""
        return tuple(Change(measure, tuple(lines)) for measure, lines in self.lines.items())


@dataclass(frozen=True)
class Own:
    """What a file's package has of its own.

    Attributes:
        siblings: Names beside the file, inside a package.
        methods: Methods its classes define, of those that numpy's arrays had.
        names: Of its modules and folders, wherever they are.
    """

    siblings: AbstractSet[str] = frozenset()
    methods: frozenset[str] = frozenset()
    names: AbstractSet[str] = frozenset()


NOTHING_OWN = Own()


def port(source: Decoded, runtime: Runtime, found: Evidence, syntax: Syntax, own: Own = NOTHING_OWN) -> Port:
    """Port one file.

    Args:
        source: Its text.
        runtime: What it is.
        found: What was seen when that was decided.
        syntax: The fixers.
        own: What its package has.

    Raises:
        UnreadableError: It is not Python of that runtime; says the line.
        RecursionError, MemoryError: It is nested too deeply.
    """
    if runtime == "python2":
        return _python2(source, syntax, own)
    if found.tree is None:
        fault = found.fault or SyntaxError()
        raise UnreadableError(f"is not Python 3 ({fault.msg})", fault.lineno)
    result = Port(source.text)
    edited = Sources(source.text, found.tree)
    unused_imports.rewrite(edited, own.names)
    numpy_names.rewrite(edited, own_methods=own.methods)
    opencv_names.rewrite(edited)
    stricter.identities(edited)
    stricter.modes(edited)
    stricter.texts(edited)
    _apply(edited, result)
    if result.text != source.text:
        result.text = as_utf8(result.text)
    _compile(result.text)
    return result


def _python2(source: Decoded, syntax: Syntax, own: Own) -> Port:
    result = Port(with_newlines(source.text))
    if result.text != source.text:
        result.did("line ends", [1])
    text = as_utf8(result.text)
    if text != result.text:
        result.did("encoding", [1 if text.split("\n", 1)[0] != result.text.split("\n", 1)[0] else 2])
    ported = _in_columns(text, result, syntax)
    before = len(lines_of(result.text))
    for measure, lines in ported.lines.items():
        result.did(measure, lines)
    result.notes += ported.notes
    result.text = ported.text
    moved = len(lines_of(result.text)) != before
    if moved and not any("tracebacks" in note for note in result.notes):
        result.notes.append("lines were added or removed: tracebacks name other lines than the author's")
    edited = Sources(result.text, _parsed(result.text))
    relative_imports.rewrite(edited, own.siblings)
    unused_imports.rewrite(edited, own.names | own.siblings)
    stricter.late_globals(edited)  # stands before what it shares a first line with
    ordering.rewrite(edited)
    division.rewrite(edited)
    calls.rewrite(edited)
    numpy_names.rewrite(edited, own_methods=own.methods)
    opencv_names.rewrite(edited)
    stricter.identities(edited)
    _apply(edited, result)
    _compile(result.text)
    return result


def _in_columns(text: str, result: Port, syntax: Syntax) -> Ported:
    """The text with tabs that go to columns of 8; of 4, if its blocks are to be seen only so."""
    result.text, expanded = expand_tabs(text)
    result.did("tabs", expanded)
    try:
        return syntax.ported(result.text)
    except UnreadableError:
        narrow, _ = expand_tabs(text, COLUMNS_OF_EDITORS)
        if not expanded or narrow == result.text:
            raise
        try:
            ported = syntax.ported(narrow)
        except UnreadableError:
            ported = None
        if ported is None:
            raise
        result.text = narrow
        result.notes.append("its blocks are to be seen only where a tab is 4 columns: Python 2 refused it")
        return ported


def _apply(edited: Sources, result: Port) -> None:
    try:
        result.text = edited.edits.applied()
    except ValueError as error:
        raise UnreadableError(f"could not be rewritten ({error})") from error
    for measure, lines in edited.edits.lines().items():
        result.did(measure, lines)


def _parsed(text: str) -> ast.Module:
    try:
        return parsed(text)
    except (SyntaxError, ValueError) as error:
        raise _unreadable(error) from error


def _compile(text: str) -> None:
    """Compile the result, so that what only the compiler refuses is said now.

    Raises:
        UnreadableError: It is refused.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<ported>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise _unreadable(error) from error


def _unreadable(error: SyntaxError | ValueError) -> UnreadableError:
    if isinstance(error, SyntaxError):
        return UnreadableError(f"is not valid Python ({error.msg})", error.lineno)
    return UnreadableError(f"is not valid Python ({error})")
