"""`<`, `<=`, `>` and `>=` → a helper that compares by Python 2's rules, where a side may be None.

Python 2 compared everything with everything, and None was less than all: a time or a score that is None at
first and is compared before it is set goes on there, and is a `TypeError` here. Rewritten are comparisons of
two, of a name to which the file gives None somewhere, or of what `.get(key)` finds. Python 2 files only.
"""

import ast
from collections.abc import Iterator

from appliance.deeplens.porting.sources import Sources

MEASURE = "comparison"

_GIVING = (ast.Assign, ast.arguments)
_SIGNS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def rewrite(source: Sources) -> None:
    """Note the changes for every comparison with what may be None. Comes before what rewrites operands."""
    without = {name for node in source.of(*_GIVING) for name in _given_none(node)}
    for node in source.of(ast.Compare):
        match node:
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _SIGNS:
                if _may_be_none(left, without) or _may_be_none(right, without):
                    _to_helper(source, node, _SIGNS[type(sign)])
            case _:
                pass


def _given_none(node: ast.AST) -> Iterator[str]:
    """Names, and attributes with a dot, that are None after this."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _assigned_none(target, value)
        case ast.arguments(args=args, defaults=defaults) if defaults:
            for each, default in zip(args[-len(defaults) :], defaults, strict=True):
                if _is_none(default):
                    yield each.arg
        case _:
            pass


def _assigned_none(target: ast.expr, value: ast.expr) -> Iterator[str]:
    match target, value:
        case ast.Tuple(elts=targets) | ast.List(elts=targets), ast.Tuple(elts=values) | ast.List(elts=values):
            for each, its in zip(targets, values, strict=False):
                yield from _assigned_none(each, its)
        case _, ast.IfExp(body=one, orelse=other):
            yield from _assigned_none(target, one)
            yield from _assigned_none(target, other)
        case _ if _is_none(value):
            yield from _called(target)


def _called(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Attribute(attr=name):
            yield f".{name}"
        case _:
            pass


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _may_be_none(node: ast.expr, without: set[str]) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="get"), args=[_], keywords=[]):
            return True
        case _:
            return _is_none(node) or any(name in without for name in _called(node))


def _to_helper(source: Sources, node: ast.Compare, sign: str) -> None:
    """`a < b` → `python2_compare(a, "<", b)`."""
    at = source.operator(source.edits.span(node.left)[1], sign[0])
    start = at - 1 if source.text[at - 1] == " " else at
    source.edits.replace(start, at + len(sign), f', "{sign}",', MEASURE)
    source.edits.wrap(*source.edits.span(node), "python2_compare(", ")", MEASURE)
