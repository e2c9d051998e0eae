"""Names and methods that numpy had when DeepLens was sold and has no more → what they are called now.

Held against the installed numpy by a test. For Python 2 and Python 3 files alike.
"""

import ast

from appliance.deeplens.porting.sources import Sources

MEASURE = "numpy"

RENAMED = {
    "Inf": "inf",
    "Infinity": "inf",
    "MachAr": "finfo",
    "NAN": "nan",
    "NaN": "nan",
    "PINF": "inf",
    "alltrue": "all",
    "bool8": "bool_",
    "cfloat": "complex128",
    "clongfloat": "clongdouble",
    "complex_": "complex128",
    "cumproduct": "cumprod",
    "float_": "float64",
    "infty": "inf",
    "int0": "intp",
    "longcomplex": "clongdouble",
    "longfloat": "longdouble",
    "mat": "asmatrix",
    "object0": "object_",
    "product": "prod",
    "rank": "ndim",
    "round_": "round",
    "row_stack": "vstack",
    "singlecomplex": "complex64",
    "sometrue": "any",
    "string_": "bytes_",
    "bytes0": "bytes_",
    "str0": "str_",
    "trapz": "trapezoid",
    "uint0": "uintp",
    "unicode_": "str_",
    "void0": "void",
}
"""Old name → the name of the same thing."""

BUILTINS = {name: name for name in ("complex", "float", "int", "object", "str")} | {
    "long": "int",
    "unicode": "str",
}
"""Names numpy lent from Python."""

WRITTEN = {
    "NINF": "(-{0}.inf)",
    "NZERO": "(-0.0)",
    "PZERO": "0.0",
    "asfarray": "(lambda a, dtype=float: {0}.asarray(a, dtype=dtype))",
    "alen": "len",
    "msort": "(lambda a: {0}.sort(a, axis=0))",
    "issubclass_": "issubclass",
    "issubsctype": "{0}.issubdtype",
    "sctype2char": "(lambda t: {0}.dtype(t).char)",
    "obj2sctype": "(lambda t: {0}.dtype(t).type)",
    "find_common_type": "(lambda a, s: {0}.result_type(*a, *s))",
    "cast": "(type('cast', (), {{'__getitem__': lambda s, t: lambda a: {0}.asarray(a, dtype=t)}})())",
    "set_numeric_ops": "(lambda **k: {{}})",
    "disp": "print",
    "source": "help",
    "DataSource": "{0}.lib.npyio.DataSource",
    "safe_eval": "__import__('ast').literal_eval",
    "byte_bounds": "{0}.lib.array_utils.byte_bounds",
    "who": "print",
}
"""Old name → an expression, `{0}` being what the file calls numpy."""

METHODS = {"tostring": "tobytes"}
"""Methods of arrays without arguments."""


def rewrite(source: Sources, *, own_methods: frozenset[str] = frozenset()) -> None:
    """Note the changes for every old name.

    Args:
        source: The file.
        own_methods: Methods that classes of the package define: a `tostring` of theirs stays.
    """
    for node in source.of(ast.Attribute, ast.Name, ast.ImportFrom, ast.Call):
        match node:
            case ast.ImportFrom(module="numpy", level=0):
                _import(source, node)
            case ast.Call(func=ast.Attribute(attr=method) as function, args=[], keywords=[]) if (
                method in METHODS and method not in own_methods
            ):
                _attribute(source, function, METHODS[method])
            case ast.Call(func=ast.Attribute() as function):
                _method(source, node, function, own_methods)
            case _:
                pass
        if isinstance(node, ast.Attribute):
            _name(source, node)


def _name(source: Sources, node: ast.Attribute) -> None:
    if source.dotted(node.value) != "numpy":
        return
    name = node.attr
    parent = source.parents[node]
    call = parent if isinstance(parent, ast.Call) and parent.func is node else None
    if name in RENAMED:
        _attribute(source, node, RENAMED[name])
    elif name in BUILTINS and not (name == "long" and call is None):
        _whole(source, node, BUILTINS[name])
    elif name in WRITTEN:
        _whole(source, node, WRITTEN[name].format(source.edits.source(node.value)))
    elif name == "asscalar":
        _around(source, node, call, "asarray", ".item()")
    elif name == "in1d":
        _around(source, node, call, "isin", ".ravel()")
    elif name == "fromstring" and call is not None and _is_binary(call):
        _around(source, node, call, "frombuffer", ".copy()")
        for keyword in call.keywords:
            if keyword.arg == "string":
                start = source.edits.span(keyword)[0]
                source.edits.replace(start, start + len("string"), "buffer", MEASURE)


def _is_binary(call: ast.Call) -> bool:
    """Whether `fromstring` reads bytes: it has no separator (the fourth argument, or `sep`)."""
    separators = [each.value for each in call.keywords if each.arg == "sep"] + call.args[3:4]
    return all(isinstance(each, ast.Constant) and each.value == "" for each in separators)


def _around(source: Sources, node: ast.Attribute, call: ast.Call | None, name: str, behind: str) -> None:
    if call is None:
        numpy = source.edits.source(node.value)
        _whole(source, node, f"(lambda *a, **k: {numpy}.{name}(*a, **k){behind})")
        return
    _attribute(source, node, name)
    start, end = source.edits.span(call)
    source.edits.wrap(start, end, "", behind, MEASURE)


def _method(source: Sources, call: ast.Call, function: ast.Attribute, own: frozenset[str]) -> None:
    """`x.itemset((0, 1), v)`, `x.ptp()`, `x.newbyteorder()`."""
    if function.attr in own or source.dotted(function.value):
        return
    if function.attr == "itemset" and len(call.args) == 2 and not call.keywords:  # noqa: PLR2004 - where and what
        _attribute(source, function, "__setitem__")
    elif function.attr == "ptp" and (numpy := _numpy(source)):
        start, end = source.edits.span(function.value)
        source.edits.wrap(start, start, f"{numpy}.ptp(", "", MEASURE)
        opening = source.text.index("(", source.edits.span(function)[1])
        separator = ", " if call.args or call.keywords else ""
        source.edits.replace(end, opening + 1, separator, MEASURE)


def _numpy(source: Sources) -> str:
    """What the file calls numpy; empty if it does not."""
    for node in source.of(ast.Import):
        for each in node.names if isinstance(node, ast.Import) else ():
            if each.name == "numpy":
                return each.asname or "numpy"
    return ""


def _import(source: Sources, node: ast.ImportFrom) -> None:
    """`from numpy import product` → `from numpy import prod as product`."""
    for each in node.names:
        if each.name in RENAMED:
            start, end = source.edits.span(each)
            source.edits.replace(start, end, f"{RENAMED[each.name]} as {each.asname or each.name}", MEASURE)


def _attribute(source: Sources, node: ast.Attribute, name: str) -> None:
    end = source.edits.span(node)[1]
    source.edits.replace(end - len(node.attr), end, name, MEASURE)


def _whole(source: Sources, node: ast.Attribute, text: str) -> None:
    start, end = source.edits.span(node)
    source.edits.replace(start, end, text, MEASURE)
