"""Python 2's syntax → Python 3's, with fissix (the fork of lib2to3, which Python 3.13 has no more).

Only fixers that keep every statement on its line are used; what the others would do is done in
`line_keeping.py`, by the helpers of `python2.py`, or not needed. Does not judge the result: `porting_file.py`
compiles it.
"""

import logging
from dataclasses import dataclass
from typing import Any

from fissix import pygram
from fissix.pgen2.parse import ParseError
from fissix.pgen2.tokenize import TokenError
from fissix.refactor import RefactoringTool

from appliance.deeplens.porting import line_keeping
from appliance.deeplens.porting.source_text import UnreadableError, lines_of

FIXERS = (
    *("dict", "exec", "funcattrs", "has_key", "input", "isinstance", "map", "methodattrs", "ne"),
    *("nonzero", "numliterals", "paren", "print", "raise", "raw_input", "repr", "throw", "xrange"),
    *("xreadlines", "zip"),
)
"""fissix's fixers in use. Not `except`, `tuple_params`, `metaclass`, `import`, `urllib`, `imports`, `reduce`,
`intern`, `reload`, `operator`, `itertools_imports`, `next`: they add or remove lines, or rename too much."""


def _old(grammar: Any) -> Any:
    """A grammar without the statement that Python 2 had not: `nonlocal` was a name."""
    grammar = grammar.copy()
    grammar.keywords.pop("nonlocal", None)
    return grammar


_GRAMMARS = (
    _old(pygram.python_grammar),
    _old(pygram.python_grammar_no_print_statement),
    _old(pygram.python_grammar_no_print_and_exec_statement),
)


@dataclass(frozen=True)
class Ported:
    """Text in Python 3's syntax; for each measure the lines it changed; what no fixer could do, in words."""

    text: str
    lines: dict[str, list[int]]
    notes: tuple[str, ...]


class Syntax:
    """The fixers, loaded once for all files of a package."""

    def __init__(self) -> None:
        self._tool: _Tool | None = None

    def ported(self, text: str) -> Ported:
        """The text with Python 2's syntax replaced.

        Raises:
            UnreadableError: It is not Python 2 either.
        """
        if self._tool is None:
            self._tool = _Tool()
        return self._tool.ported(text)


class _Tool(RefactoringTool):  # type: ignore[misc]
    def __init__(self) -> None:
        logging.getLogger("RefactoringTool").disabled = True
        self._matched: dict[str, set[int]] = {}
        super().__init__([f"fissix.fixes.fix_{name}" for name in FIXERS])

    def get_fixers(self) -> tuple[list[Any], list[Any]]:
        """Fissix's fixers and ours, each telling what it changed."""
        before, after = super().get_fixers()
        after += [each(self.options, self.fixer_log) for each in line_keeping.FIXERS]
        after.sort(key=lambda fixer: fixer.run_order)
        for fixer in (*before, *after):
            self._watch(fixer)
        return before, after

    def ported(self, text: str) -> Ported:
        self._matched.clear()
        self.fixer_log.clear()
        tree = self._parsed(text + "\n")
        self.refactor_tree(tree, "")
        line_keeping.rename_keywords(tree)
        line_keeping.mend_literals(tree, unicode_literals="unicode_literals" in tree.future_features)
        ported = str(tree)[:-1]
        return Ported(ported, self._changed(text, ported), tuple(self._said()))

    def _parsed(self, text: str) -> Any:
        """The tree by the first grammar that takes the text."""
        grammars = list(_GRAMMARS)
        features = _future(text)
        if "print_function" in features:
            del grammars[0]
        fault: Exception | None = None
        for grammar in grammars:
            self.driver.grammar = grammar
            try:
                tree = self.driver.parse_string(text)
            except (ParseError, TokenError, IndentationError) as error:
                fault = fault or error
            else:
                tree.future_features = features
                return tree
        raise UnreadableError("is neither Python 2 nor Python 3", _line(fault)) from fault

    def _watch(self, fixer: Any) -> None:
        transform = fixer.transform
        name = type(fixer).__module__.rsplit(".", 1)[-1].removeprefix("fix_")
        if name == "line_keeping":
            name = fixer.measure

        def watched(node: Any, results: Any) -> Any:
            self._matched.setdefault(name, set()).add(node.get_lineno())
            lines = str(node).count("\n")
            new = transform(node, results)
            line_keeping.fill(node if new is None else new, lines)
            return new

        fixer.transform = watched

    def _said(self) -> list[str]:
        """What fixers could not do; not what they would rather have seen written."""
        return [str(each) for each in self.fixer_log if "could not convert" in each or "tracebacks" in each]

    def _changed(self, before: str, after: str) -> dict[str, list[int]]:
        old, new = lines_of(before), lines_of(after)
        changed = {
            number for number, line in enumerate(old, 1) if number > len(new) or line != new[number - 1]
        }
        named = {name: sorted(lines & changed) for name, lines in self._matched.items()}
        rest = sorted(changed.difference(*named.values())) if named else sorted(changed)
        return {name: lines for name, lines in {**named, "syntax": rest}.items() if lines}


def _future(text: str) -> frozenset[str]:
    from fissix.refactor import _detect_future_features  # noqa: PLC0415 - beside its only use

    try:
        return frozenset(_detect_future_features(text))
    except (TokenError, IndentationError):
        return frozenset()


def _line(error: Exception | None) -> int | None:
    """The line a parser's error names, wherever it keeps it."""
    if isinstance(error, ParseError):
        return int(error.context[1][0])
    if isinstance(error, IndentationError):
        return error.lineno
    if isinstance(error, TokenError):
        return int(error.args[1][0])
    return None
