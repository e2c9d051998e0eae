"""`import x` of a module that is not here, where the file uses nothing of it → a line in the log.

Templates were passed on with imports that nobody needed (`boto`, `onnx`, `mxnet`): there they were found.
Only at the top of a file, one module on one line, outside of `try`. For Python 2 and Python 3 files alike.
"""

import ast
import importlib.util
from collections.abc import Set as AbstractSet

from appliance.deeplens.porting.python2_library import brings
from appliance.deeplens.porting.sources import Sources

MEASURE = "unused imports"

_OF_THE_HOST = {
    *("DeepLens_Kinesis_Video", "awscam", "awscamdldt", "display", "greengrass_common"),
    *("greengrass_ipc_python_sdk", "greengrasssdk", "local_display", "mo", "utils"),
}
"""What is there only while a function runs."""


def rewrite(source: Sources, packaged: AbstractSet[str]) -> None:
    """Note the changes for every such import.

    Args:
        source: The file.
        packaged: Names of the package's own modules and folders, wherever they are.
    """
    used = {each.id for each in source.of(ast.Name) if isinstance(each, ast.Name)}
    for node in source.tree.body:
        match node:
            case ast.Import(names=[ast.alias(name=module, asname=name)]):
                bound = [name or module.split(".", 1)[0]]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                bound = [each.asname or each.name for each in names]
            case _:
                continue
        first = module.split(".", 1)[0]
        plain = "*" not in bound and node.lineno == node.end_lineno
        if plain and used.isdisjoint(bound) and first not in packaged and not _is_here(first):
            start, end = source.edits.span(node)
            source.edits.replace(start, end, f'unused_import("{source.text[start:end]}", globals())', MEASURE)


def _is_here(name: str) -> bool:
    if name in _OF_THE_HOST or brings(name):
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return True
