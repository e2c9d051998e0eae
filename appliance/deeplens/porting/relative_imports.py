"""`import sibling` inside a package → `from . import sibling`, where the sibling is there.

Python 2 looked beside the file first. Only inside packages: beside the function's own file stands what is
found anyway.
"""

import ast
from collections.abc import Set as AbstractSet

from appliance.deeplens.porting.sources import Sources

MEASURE = "relative import"


def rewrite(source: Sources, siblings: AbstractSet[str]) -> None:
    """Note the changes for every import of a sibling.

    Args:
        source: The file.
        siblings: Names of modules and packages in the file's folder; empty outside packages.
    """
    if "absolute_import" in source.future or not siblings:
        return
    for node in source.of(ast.Import, ast.ImportFrom):
        match node:
            case ast.ImportFrom(module=str() as module, level=0) if module.split(".")[0] in siblings:
                at = source.text.index(module, source.edits.span(node)[0] + len("from"))
                source.edits.replace(at, at, ".", MEASURE)
            case ast.Import(names=names) if any(each.name.split(".")[0] in siblings for each in names):
                start, end = source.edits.span(node)
                statements = "; ".join(_statement(each, siblings) for each in names)
                kept = "\\\n" * source.text.count("\n", start, end)
                source.edits.replace(start, end, statements + kept, MEASURE)
            case _:
                pass


def _statement(each: ast.alias, siblings: AbstractSet[str]) -> str:
    first, _, rest = each.name.partition(".")
    renamed = f" as {each.asname}" if each.asname else ""
    if first not in siblings:
        return f"import {each.name}{renamed}"
    if not rest:
        return f"from . import {first}{renamed}"
    inner, _, last = each.name.rpartition(".")
    if renamed:
        return f"from .{inner} import {last}{renamed}"
    return f"from . import {first}; from .{inner} import {last} as python2_loaded"
