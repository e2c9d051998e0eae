"""`<`, `<=`, `>` and `>=` → a helper that compares by Python 2's rules, where a side may be None.

Python 2 compared nearly everything with everything, and None was less than all: a time or a score that is
None at first and is compared before it is set goes on there, and is a `TypeError` here. Rewritten are
comparisons of two, of which one may be None by what the file itself says: a name, an attribute or an item
that it gives None somewhere, what one of its functions may give, or what `.get(key)` finds. Python 2 files
only.
"""

import ast
from collections.abc import Iterator

from appliance.deeplens.porting.sources import Sources

MEASURE = "comparison"

_NONE = ast.Constant(None)
_SIGNS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def rewrite(source: Sources) -> None:
    """Note the changes for every comparison with what may be None. Comes before what rewrites operands."""
    without = _none_at_times(source)
    for node in source.of(ast.Compare):
        match node:
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _SIGNS:
                if _may_be_none(left, without) or _may_be_none(right, without):
                    _to_helper(source, node, _SIGNS[type(sign)])
            case _:
                pass


def _none_at_times(source: Sources) -> set[str]:
    """Names that are None at some time; attributes as `.name`, items as `['key']`, calls as `name()`."""
    kinds = (ast.Assign, ast.arguments, ast.Dict, ast.FunctionDef)
    given = [each for node in source.of(*kinds) for each in _given(source, node)]
    found: set[str] = set()
    while new := {name for name, value in given if name not in found and _may_be_none(value, found)}:
        found |= new
    return found


def _given(source: Sources, node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """What is given a value here, and the value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            of_class = isinstance(source.parents[node], ast.ClassDef)
            for target in targets:
                for name, its in _assigned(target, value):
                    yield name, its
                    if of_class:
                        yield f".{name}", its
        case ast.arguments(args=args, defaults=defaults) if defaults:
            yield from ((each.arg, its) for each, its in zip(args[-len(defaults) :], defaults, strict=True))
        case ast.Dict(keys=keys, values=values):
            for key, its in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant):
                    yield f"[{key.value!r}]", its
        case ast.FunctionDef(name=name):
            yield from ((f"{name}()", its) for its in _returned(node))
        case _:
            pass


def _returned(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """What a function may give; None as well, where it gives something and may come to its end without."""
    waiting: list[ast.AST] = list(function.body)
    given = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            given.append(node.value or _NONE)
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    yield from given
    match function.body[-1]:
        case ast.For() | ast.If(orelse=[]) | ast.Expr() | ast.Assign() | ast.AugAssign() if given:
            yield _NONE
        case _:
            pass


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target, value:
        case ast.Tuple(elts=targets) | ast.List(elts=targets), ast.Tuple(elts=values) | ast.List(elts=values):
            for each, its in zip(targets, values, strict=False):
                yield from _assigned(each, its)
        case _ if name := _called(target):
            yield name, value


def _called(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return f".{name}"
        case ast.Subscript(slice=ast.Constant(value=key)):
            return f"[{key!r}]"
        case _:
            return ""


def _may_be_none(node: ast.expr, without: set[str]) -> bool:
    match node:
        case ast.Constant(value=value):
            return value is None
        case ast.IfExp(body=one, orelse=other):
            return _may_be_none(one, without) or _may_be_none(other, without)
        case ast.Call(func=ast.Attribute(attr="get"), args=[_, *otherwise], keywords=[]):
            return not otherwise or (len(otherwise) == 1 and _may_be_none(otherwise[0], without))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return f"{name}()" in without
        case _:
            return _called(node) in without


def _to_helper(source: Sources, node: ast.Compare, sign: str) -> None:
    """`a < b` → `python2_compare(a, "<", b)`."""
    at = source.operator(source.edits.span(node.left)[1], sign[0])
    start = at - 1 if source.text[at - 1] == " " else at
    source.edits.replace(start, at + len(sign), f', "{sign}",', MEASURE)
    source.edits.wrap(*source.edits.span(node), "python2_compare(", ")", MEASURE)
