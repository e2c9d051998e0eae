"""`/` and `/=` → helpers that divide by Python 2's rules.

`float(frame.shape[1] / width)` is 8.0 there and 8.96 here; boxes drawn with the one are wrong with the other.
Not touched where the file asked for true division, or where one side is plainly a float. Python 2 files only.
"""

import ast

from appliance.deeplens.porting.source_text import line_end
from appliance.deeplens.porting.sources import Sources

MEASURE = "division"


def rewrite(source: Sources) -> None:
    """Note the changes for every division of the file."""
    if "division" in source.future:
        return
    for node in source.of(ast.BinOp, ast.AugAssign):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            _binary(source, node)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
            _augmented(source, node)


def _binary(source: Sources, node: ast.BinOp) -> None:
    if _surely_float(source, node.left) or _surely_float(source, node.right):
        return
    at = source.operator(source.edits.span(node.left)[1], "/")
    source.edits.replace(at, at + 1, ",", MEASURE)
    if at and source.text[at - 1] == " ":
        source.edits.replace(at - 1, at, "", MEASURE)
    source.edits.wrap(*source.edits.span(node), "python2_divide(", ")", MEASURE)


def _augmented(source: Sources, node: ast.AugAssign) -> None:
    if _surely_float(source, node.value):
        return
    at = source.operator(source.edits.span(node.target)[1], "/")
    end = source.edits.span(node)[1]
    value_start = _behind_space(source.text, at + 2)
    if _plain(node.target):
        target = source.edits.source(node.target)
        source.edits.replace(at, at + 2, "=", MEASURE)
        source.edits.wrap(value_start, end, f"python2_divide_in_place({target}, ", ")", MEASURE)
    else:
        source.edits.wrap(value_start, end, "python2_divisor(", ")", MEASURE)


def _plain(target: ast.expr) -> bool:
    """Whether looking at the target twice is the same as once; it stands on one line, without a division."""
    if target.lineno != target.end_lineno:
        return False
    return all(
        isinstance(
            node,
            ast.Name | ast.Attribute | ast.Subscript | ast.Constant | ast.Slice | ast.Tuple | ast.UnaryOp
            | ast.expr_context | ast.unaryop,
        )
        for node in ast.walk(target)
    )  # fmt: skip


def _behind_space(text: str, start: int) -> int:
    while text[start] in " \t":
        start += 1
    if text[start] == "\\":
        return _behind_space(text, line_end(text, start) + 1)
    return start


def _surely_float(source: Sources, node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _surely_float(source, operand)
        case ast.Call(func=function):
            return source.is_builtin(function, "float")
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), left=left, right=right):
            return _number_with_float(source, left, right)
        case _:
            return False


def _number_with_float(source: Sources, left: ast.expr, right: ast.expr) -> bool:
    """A float with anything gives a float, unless the other is an array; that is one of floats then."""
    return _surely_float(source, left) or _surely_float(source, right)
