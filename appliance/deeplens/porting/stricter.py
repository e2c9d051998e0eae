"""What later Pythons refuse or warn of when they compile: `is 0`, `global` too late, files opened with "rU".

`porting_file.py` says which of it is for which Python.
"""

import ast
import io
import tokenize

from appliance.deeplens.porting.sources import Sources
from appliance.deeplens.porting.string_escapes import mended

_MODE = 2


def identities(source: Sources) -> None:
    """Note the changes for comparisons with `is`."""
    for node in source.of(ast.Compare):
        if isinstance(node, ast.Compare):
            _identity(source, node)


def modes(source: Sources) -> None:
    """Note the changes for modes of files; Python 2's are seen to by `python2_open`."""
    for node in source.of(ast.Call):
        if isinstance(node, ast.Call):
            _mode(source, node)


def _identity(source: Sources, node: ast.Compare) -> None:
    """`x is not 0` → `x is not int(0)`: the same object, and no SyntaxWarning."""
    operands = [node.left, *node.comparators]
    for index, operator in enumerate(node.ops):
        if not isinstance(operator, ast.Is | ast.IsNot):
            continue
        for each in operands[index : index + 2]:
            literal = each.operand if isinstance(each, ast.UnaryOp) else each
            kind = type(literal.value).__name__ if isinstance(literal, ast.Constant) else ""
            if kind in {"int", "str", "bytes", "float"}:
                source.edits.wrap(*source.edits.span(each), f"{kind}(", ")", "is")


def _mode(source: Sources, node: ast.Call) -> None:
    """`open(path, "rU")` → `open(path, "r")`: "U" is refused since 3.11 and was the default since 3.0."""
    if not source.is_builtin(node.func, "open"):
        return
    modes = node.args[1:_MODE] + [each.value for each in node.keywords if each.arg == "mode"]
    for each in modes:
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and "U" in each.value:
            start, end = source.edits.span(each)
            mode = each.value.replace("U", "")
            source.edits.replace(start, end, repr(mode if mode.strip("bt+") else f"r{mode}"), "open")


def late_globals(source: Sources) -> None:
    """Note the changes for `global x` behind a use of `x`: allowed in Python 2, refused by Python 3."""
    for node in source.of(ast.Global):
        if not isinstance(node, ast.Global):
            continue
        function: ast.AST | None = node
        while function is not None and not isinstance(function, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            function = source.parents.get(function)
        if function is None:  # in a module it never did anything
            source.edits.replace(*source.edits.span(node), "pass", "global")
        elif isinstance(function, ast.FunctionDef) and _used_before(function, node):
            first = _first_simple(function.body, docstring=True)
            if first is not None:
                written = source.edits.source(node)
                source.edits.replace(*source.edits.span(node), "pass", "global")
                source.edits.insert(source.edits.span(first)[0], f"{written}; ", "global")


def _used_before(function: ast.FunctionDef, node: ast.Global) -> bool:
    return any(
        isinstance(each, ast.Name)
        and each.id in node.names
        and (each.lineno, each.col_offset) < (node.lineno, node.col_offset)
        for statement in function.body
        for each in ast.walk(statement)
    )


def _first_simple(body: list[ast.stmt], *, docstring: bool = False) -> ast.stmt | None:
    """The first simple statement, going into blocks; None where a block's first line might use a name."""
    first = body[0]
    if docstring and len(body) > 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        first = body[1]
    match first:
        case ast.Try(body=inner) | ast.While(test=ast.Constant() | ast.Name(), body=inner):
            return _first_simple(inner)
        case (
            ast.If() | ast.For() | ast.With() | ast.While() | ast.FunctionDef() | ast.ClassDef() | ast.Match()
        ):
            return None
        case _:
            return first


def texts(source: Sources) -> None:
    """Note the changes for backslashes in a Python 3 file's texts that mean nothing: warned of since 3.12."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source.text).readline))
    except (tokenize.TokenError, SyntaxError):  # pragma: no cover - it was parsed before
        return
    for each in tokens:
        if each.type == tokenize.STRING and "\\" in each.string:
            written = mended(each.string, python2=False)
            if written != each.string:
                line = each.start[0]
                start = source.edits.offset(line, 0) + each.start[1]
                end = source.edits.offset(each.end[0], 0) + each.end[1]
                source.edits.replace(start, end, written, "escapes")
