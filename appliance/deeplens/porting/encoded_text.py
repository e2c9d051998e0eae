"""`'a' + name.encode('utf-8')`: in Python 2 what was encoded was a text still; here it would be bytes.

Only where the syntax shows that a text is wanted: beside a text in `+` and `%`, in `format`, `join`, `print`,
`str` and `json.dumps`. Elsewhere (files, sockets, hashes) bytes are what is wanted. Python 2 files only.
"""

import ast

from appliance.deeplens.porting.sources import Sources

_TAKES_TEXT = frozenset({"print", "str", "unicode", "repr", "json.dumps", "ujson.dumps"})
_GIVES_TEXT = frozenset({"str", "unicode", "repr", "json.dumps", "time.strftime", "os.path.join"})
_METHODS = frozenset({"format", "join", "strftime"})


def is_wanted_as_text(source: Sources, call: ast.Call) -> bool:
    """Whether what a call of `encode` gives goes straight into a text."""
    inner: ast.AST = call
    outer = source.parents.get(call)
    while isinstance(outer, ast.Tuple | ast.List | ast.Dict | ast.Set):
        inner, outer = outer, source.parents.get(outer)
    match outer:
        case ast.BinOp(op=ast.Mod(), left=left, right=right) if right is inner:
            return _is_text(source, left)
        case ast.BinOp(op=ast.Add(), left=left, right=right) if inner is call:
            return _is_text(source, right if left is call else left) or _sum_has_text(source, outer)
        case ast.Call(func=function) if function is not inner:
            return _takes_text(source, function)
        case ast.keyword():
            above = source.parents.get(outer)
            return isinstance(above, ast.Call) and _takes_text(source, above.func)
        case _:
            return False


def _takes_text(source: Sources, function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and function.attr in {"format", "join"}:
        return isinstance(function.value, ast.Constant) and isinstance(function.value.value, str)
    return _name(source, function) in _TAKES_TEXT


def _sum_has_text(source: Sources, node: ast.BinOp) -> bool:
    """Whether a longer sum, of which this is the beginning, has a text further on."""
    outer = source.parents.get(node)
    if not isinstance(outer, ast.BinOp) or not isinstance(outer.op, ast.Add):
        return False
    other = outer.right if outer.left is node else outer.left
    return _is_text(source, other) or _sum_has_text(source, outer)


def _is_text(source: Sources, node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str()):
            return True
        case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right):
            return _is_text(source, left) or _is_text(source, right)
        case ast.Call(func=ast.Attribute(attr=method)) if method in _METHODS:
            return True
        case ast.Call(func=function):
            return _name(source, function) in _GIVES_TEXT
        case _:
            return False


def _name(source: Sources, function: ast.expr) -> str:
    if isinstance(function, ast.Name) and function.id not in source.bound:
        return function.id
    return source.dotted(function)
