"""Calls whose meaning changed, but not their syntax: `cmp`, codecs, `.next()`, `bytearray`, `e.message`.

Rewritten to helpers of `python2.py`, never to guesses: a helper looks at what it is given and does what
Python 2 did. Python 2 files only.
"""

import ast
from collections.abc import Iterator

from appliance.deeplens.porting.encoded_text import is_wanted_as_text
from appliance.deeplens.porting.python2_library import OF_TEXT
from appliance.deeplens.porting.sources import Sources

_METHODS = {
    "decode": "python2_decode",
    "encode": "python2_encode",
    "next": "python2_next",
    "sort": "python2_sort",
}
_ATTRIBUTES = {
    "sys.exc_type": "sys.exc_info()[0]",
    "sys.exc_value": "sys.exc_info()[1]",
    "sys.exc_traceback": "sys.exc_info()[2]",
}
_SEVERAL = 3


def rewrite(source: Sources) -> None:
    """Note the changes for every such call."""
    for node in source.of(
        ast.Call, ast.Import, ast.ImportFrom, ast.ExceptHandler, ast.ClassDef, ast.Attribute
    ):
        match node:
            case ast.Attribute() if source.dotted(node) in _ATTRIBUTES:
                start, end = source.edits.span(node)
                source.edits.replace(start, end, _ATTRIBUTES[source.dotted(node)], node.attr)
            case ast.Call(func=ast.Name(id="isinstance") as function, args=[_, types]):
                _asked_for_int(source, function, types)
            case ast.Call():
                _call(source, node)
            case ast.Import():
                _import(source, node)
            case ast.ImportFrom(module=str() as module, level=0) if module in OF_TEXT:
                at = source.text.index(module, source.edits.span(node)[0])
                source.edits.replace(at, at, "python2_", module)
            case ast.ExceptHandler(name=str() as name):
                _handler(source, node, name)
            case ast.ClassDef():
                _iterator(source, node)
            case _:
                pass


def _call(source: Sources, node: ast.Call) -> None:
    function = node.func
    if isinstance(function, ast.Attribute):
        if function.attr in _METHODS and _is_old_method(source, node, function):
            wanted = function.attr == "encode" and is_wanted_as_text(source, node)
            _to_helper(source, node, function, "python2_text" if wanted else _METHODS[function.attr])
        return
    if source.is_builtin(function, "open"):
        _rename(source, function, "python2_open")
    elif source.is_builtin(function, "bytearray") and len(node.args) == 1 and not node.keywords:
        _rename(source, function, "python2_bytearray")
    elif source.is_builtin(function, "round"):
        _rename(source, function, "python2_round")
    elif source.is_builtin(function, "sorted") and _sorts_by_cmp(node, positional=1):
        _rename(source, function, "python2_sorted")
    elif source.is_builtin(function, "map") and _maps_several(node):
        _rename(source, function, "python2_map")
    elif source.is_builtin(function, "filter"):
        _rename(source, function, "python2_filter")


def _asked_for_int(source: Sources, function: ast.Name, types: ast.expr) -> None:
    """`isinstance(x, (int, str))` → `isinstance(x, (python2_int, str))`."""
    if source.is_builtin(function, "isinstance"):
        for each in ast.walk(types):
            if source.is_builtin(each, "int") and isinstance(each, ast.Name):
                _rename(source, each, "python2_int")


def _is_old_method(source: Sources, node: ast.Call, function: ast.Attribute) -> bool:
    if source.dotted(function.value):  # a module's function, as base64.decode
        return False
    if function.attr == "sort":
        return _sorts_by_cmp(node, positional=0)
    if function.attr == "next":
        return not node.args and not node.keywords
    return not any(isinstance(each, ast.Starred) for each in node.args) and all(
        each.arg is not None for each in node.keywords
    )


def _sorts_by_cmp(node: ast.Call, *, positional: int) -> bool:
    return len(node.args) > positional or any(each.arg == "cmp" for each in node.keywords)


def _maps_several(node: ast.Call) -> bool:
    nothing = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value is None
    return len(node.args) >= _SEVERAL or bool(nothing)


def _to_helper(source: Sources, node: ast.Call, function: ast.Attribute, helper: str) -> None:
    """`a.b(c)` → `helper(a, c)`."""
    start, end = source.edits.span(node)
    dot = source.edits.span(function.value)[1]
    opening = source.text.index("(", source.edits.span(function)[1])
    between = source.text[dot:opening]
    value_end = dot + between.rindex(".")  # behind brackets around the value
    source.edits.wrap(start, end, f"{helper}(", "", function.attr)
    gap = "".join(character for character in source.text[value_end:opening] if character == "\n")
    separator = ", " if node.args or node.keywords else ""
    source.edits.replace(value_end, opening + 1, gap + separator, function.attr)


def _rename(source: Sources, function: ast.expr, name: str) -> None:
    start, end = source.edits.span(function)
    source.edits.replace(start, end, name, source.text[start:end])


def _import(source: Sources, node: ast.Import) -> None:
    """`import base64` → `import python2_base64 as base64`."""
    for each in node.names:
        if each.name in OF_TEXT:
            start, end = source.edits.span(each)
            source.edits.replace(start, end, f"python2_{each.name} as {each.asname or each.name}", each.name)


def _handler(source: Sources, node: ast.ExceptHandler, name: str) -> None:
    """Inside `except … as e:`, `e.message` and `e[0]`."""
    inside = list(_inside(node))
    if any(
        isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store) for each in inside
    ):
        return
    for each in inside:
        match each:
            case ast.Attribute(value=ast.Name(id=found), attr="message", ctx=ast.Load()) if found == name:
                start, end = source.edits.span(each)
                source.edits.replace(start, end, f"python2_message({name})", "exceptions")
            case ast.Subscript(value=ast.Name(id=found) as value, ctx=ast.Load()) if found == name:
                source.edits.insert(source.edits.span(value)[1], ".args", "exceptions")
            case _:
                pass


def _inside(node: ast.ExceptHandler) -> Iterator[ast.AST]:
    for statement in node.body:
        yield from ast.walk(statement)


def _iterator(source: Sources, node: ast.ClassDef) -> None:
    """`def next(self):` of a class that is iterated → `__next__`."""
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    step = methods.get("next")
    if step is None or "__next__" in methods or len(step.args.args) != 1:
        return
    start = source.edits.offset(step.lineno, step.col_offset)
    at = source.text.index("next", start + len("def"))
    source.edits.replace(at, at + len("next"), "__next__", "next")
