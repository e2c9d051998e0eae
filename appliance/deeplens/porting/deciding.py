"""Python 2 or Python 3? What a package declares wins; otherwise what its files say; in doubt Python 2.

Ninety-five of a hundred published functions parse as both, and were written for 2.7. Changes nothing.
"""

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.deeplens.porting.report import Runtime
from appliance.deeplens.porting.source_text import Decoded

_PYTHON2_MODULES = frozenset(
    [
        "BaseHTTPServer",
        "ConfigParser",
        "HTMLParser",
        "Queue",
        "SocketServer",
        "StringIO",
        "Tkinter",
        "__builtin__",
        "cPickle",
        "cStringIO",
        "commands",
        "cookielib",
        "httplib",
        "md5",
        "sets",
        "thread",
        "urllib2",
        "urlparse",
        "xmlrpclib",
    ]
)
_PYTHON3_MODULES = frozenset(
    (
        *("asyncio", "builtins", "concurrent", "dataclasses", "enum", "http", "pathlib", "queue", "secrets"),
        *(
            "socketserver",
            "statistics",
            "tkinter",
            "typing",
            "urllib.error",
            "urllib.parse",
            "urllib.request",
        ),
        "collections.abc",
    )
)
_PYTHON3_NAMES = frozenset(
    (
        *(
            "BlockingIOError",
            "BrokenPipeError",
            "ConnectionError",
            "ConnectionRefusedError",
            "FileExistsError",
        ),
        *(
            "ConnectionResetError",
            "FileNotFoundError",
            "ModuleNotFoundError",
            "PermissionError",
            "TimeoutError",
        ),
    )
)
_PYTHON3_ATTRIBUTES = {
    "datetime": {"timezone"},
    "functools": {"lru_cache"},
    "importlib": {"reload"},
    "int": {"from_bytes"},
    "json": {"JSONDecodeError"},
    "math": {"inf", "isclose", "nan"},
    "os": {"cpu_count", "scandir"},
    "shutil": {"which"},
    "subprocess": {"DEVNULL", "TimeoutExpired", "run"},
    "time": {"monotonic", "perf_counter", "process_time", "time_ns"},
}
"""What Python 2's library had not."""

_PYTHON2_NAMES = frozenset(["basestring", "execfile", "long", "raw_input", "unichr", "unicode", "xrange"])
_PYTHON2_METHODS = frozenset(
    ["has_key", "iteritems", "iterkeys", "itervalues", "viewitems", "viewkeys", "viewvalues"]
)
_PRINT_STATEMENT = re.compile(r"^[ \t]*print[ \t]+(?![=.(,\[)])|^[ \t]*print[ \t]*>>", re.MULTILINE)
_OLD_EXCEPT = re.compile(r"^[ \t]*except\b[^:#\n]*,[ \t]*\w+[ \t]*:", re.MULTILINE)


@dataclass(frozen=True)
class Evidence:
    """What one file says.

    Attributes:
        python2: Reasons for Python 2, in words with lines.
        python3: Reasons for Python 3: Python 2 could not have loaded the file.
        tree: The file as Python 3 parses it; None if it does not.
        fault: Why it does not.
    """

    python2: tuple[str, ...]
    python3: tuple[str, ...]
    tree: ast.Module | None
    fault: SyntaxError | None = None


def parsed(text: str) -> ast.Module:
    """The syntax tree, without the parser's warnings.

    Raises:
        SyntaxError, RecursionError, MemoryError, ValueError: It cannot be parsed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def evidence(source: Decoded) -> Evidence:
    """What a file says about which Python it is for."""
    try:
        tree = parsed(source.text)
    except SyntaxError as error:
        return Evidence(_old_syntax(source.text, error), (), None, error)
    except (RecursionError, MemoryError, ValueError) as error:
        return Evidence((), (), None, SyntaxError(str(error) or type(error).__name__))
    try:
        python2, python3 = _Looking.at(tree)
    except RecursionError:
        return Evidence((), (), tree)  # a sum of thousands, say: it tells nothing, and is ported all the same
    return Evidence(tuple(python2), tuple(python3), tree)


def decide(
    declared: Runtime | None, by_importance: Sequence[tuple[str, Evidence]]
) -> tuple[Runtime, tuple[str, ...]]:
    """The runtime of a package, and why.

    Args:
        declared: What the project says.
        by_importance: Its own files, the one with the handler first.
    """
    if declared is not None:
        return declared, ("declared by the project",)
    for path, found in by_importance:
        if found.python3:
            return "python3", tuple(f"{path}: {reason}" for reason in found.python3[:3])
        if found.python2:
            return "python2", tuple(f"{path}: {reason}" for reason in found.python2[:3])
    return "python2", ("nothing says which Python it is for: taken for 2.7, as nearly all functions were",)


def runtime_of(runtime: Runtime, found: Evidence) -> tuple[Runtime, tuple[str, ...]]:
    """The runtime of one file in a package: what Python 2 could not load is Python 3 wherever it stands."""
    if found.python3 and runtime == "python2":
        return "python3", found.python3[:3]
    if runtime == "python2":
        return "python2", found.python2[:3] or ("as its package",)
    return "python3", found.python3[:3] or ("as its package",)


def _old_syntax(text: str, error: SyntaxError) -> tuple[str, ...]:
    reasons = []
    for pattern, what in ((_PRINT_STATEMENT, "print as a statement"), (_OLD_EXCEPT, "except E, e")):
        found = pattern.search(text)
        if found:
            reasons.append(f"line {text.count(chr(10), 0, found.start()) + 1}: {what}")
    if isinstance(error, TabError):
        reasons.append(f"line {error.lineno}: tabs and spaces mixed")
    return tuple(reasons) or (f"line {error.lineno}: Python 3 does not parse it ({error.msg})",)


class _Looking(ast.NodeVisitor):
    def __init__(self, *, print_function: bool) -> None:
        self.python2: list[str] = []
        self.python3: list[str] = []
        self.library: list[str] = []
        self._print_function = print_function
        self._trying = 0

    @classmethod
    def at(cls, tree: ast.Module) -> tuple[list[str], list[str]]:
        """Reasons for Python 2 and for Python 3."""
        future = {
            name.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module == "__future__"
            for name in node.names
        }
        looking = cls(print_function="print_function" in future)
        looking.visit(tree)
        if "annotations" in future:
            looking.python3.append("line 1: from __future__ import annotations")
        # What only calls for a newer library says less than what 2.7 alone had.
        newer = [] if looking.python2 else looking.library
        return looking.python2, looking.python3 + newer

    def _old(self, node: ast.AST, what: str) -> None:
        self.python2.append(f"line {getattr(node, 'lineno', 1)}: {what}")

    def _new(self, node: ast.AST, what: str) -> None:
        self.python3.append(f"line {getattr(node, 'lineno', 1)}: {what}")

    def _newer(self, node: ast.AST, what: str) -> None:
        self.library.append(f"line {getattr(node, 'lineno', 1)}: {what}")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._new(node, "an f-string")

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._new(node, "async")
        self.generic_visit(node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._new(node, "nonlocal")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._new(node, "an annotation")

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._new(node, ":=")
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self._new(node, "yield from")
        self.generic_visit(node)

    def visit_Match(self, node: ast.Match) -> None:
        self._new(node, "match")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if node.returns is not None or any(each.annotation is not None for each in every):
            self._new(node, "an annotation")
        if node.args.kwonlyargs or node.args.posonlyargs:
            self._new(node, "a parameter by keyword or by position only")
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if node.keywords:
            self._new(node, "a keyword in a class's first line")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.RShift) and isinstance(node.left, ast.Name) and node.left.id == "print":
            self._old(node, "print as a statement")
        if isinstance(node.op, ast.MatMult):
            self._new(node, "@ between values")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.cause is not None:
            self._new(node, "raise … from")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(each, ast.Starred) for target in node.targets for each in ast.walk(target)):
            self._new(node, "a starred target")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            if node.func.id == "print" and node.keywords and not self._print_function:
                self._new(node, f"print({node.keywords[0].arg}=…)")
            if node.func.id == "super" and not node.args:
                self._new(node, "super()")
            if node.func.id == "open" and any(each.arg == "encoding" for each in node.keywords):
                self._newer(node, "open(encoding=…)")
        if any(each.arg == "exist_ok" for each in node.keywords):
            self._newer(node, "exist_ok=…")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _PYTHON3_NAMES:
            self._newer(node, node.id)
        if node.id in _PYTHON2_NAMES and isinstance(node.ctx, ast.Load) and not self._trying:
            self._old(node, node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in _PYTHON2_METHODS:
            self._old(node, f".{node.attr}")
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if node.attr in _PYTHON3_ATTRIBUTES.get(owner, ()) and not self._trying:
            self._newer(node, f"{owner}.{node.attr}")
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        self._trying += 1
        self.generic_visit(node)
        self._trying -= 1

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            self._module(node, each.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level == 0 and node.module is not None:
            self._module(node, node.module)

    def _module(self, node: ast.AST, name: str) -> None:
        if self._trying:
            return  # made for both
        if name in _PYTHON2_MODULES:
            self._old(node, f"import {name}")
        elif name in _PYTHON3_MODULES or name.split(".", maxsplit=1)[0] in _PYTHON3_MODULES - {"urllib"}:
            self._newer(node, f"import {name}")
