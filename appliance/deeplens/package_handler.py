"""Which module and function of a package are run: named by somebody, or guessed from names and lines.

Sources are searched as text: parsing a stranger's source is done in a view, by porting.
"""

import re
from collections.abc import Collection
from typing import Final

from appliance.deeplens.package import Package, shown
from appliance.deeplens.project import HANDLERS
from appliance.errors import PackageError

IMPORTABLE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,100}")
"""Names of modules that are run: some authors wrote hyphens, which `import` cannot say and Lambda can."""
_NAMED: Final = ("lambda_function", "greengrassHelloWorld", "lambda", "main")
"""What AWS's templates call the module, newest first; then what others do."""
_DEVICE: Final = re.compile(
    rb"^[ \t]*(?:import|from)[ \t]+(?:[\w., \t]*\b)?"
    rb"(?:awscam|awscamdldt|greengrasssdk|DeepLens_Kinesis_Video)\b",
    re.MULTILINE,
)
_DEFINED: Final = re.compile(rb"^def[ \t]+([A-Za-z_]\w{0,100})[ \t]*\(", re.MULTILINE)
_USUAL: Final = dict(each.split(".") for each in HANDLERS)
_MOST_SHOWN: Final = 8


def guess_handler(package: Package) -> str:
    """The handler of a package, as `module.function`.

    The names that AWS's templates have first; then, of the modules at the root, the only one that imports
    what the device had, or the only one of those with a handler; then the only module there is.

    Raises:
        PackageError: There is none, or several would do.
    """
    modules = [each for each in package.modules if IMPORTABLE.fullmatch(each)]
    device = [each for each in modules if _DEVICE.search(_source(package, each))]
    handling = [each for each in device if _like_a_handler(package, each)]
    named = [each for each in _NAMED if each in modules]
    for found in (named[:1], device, handling, modules):
        if len(found) == 1:
            return f"{found[0]}.{_function(package, found[0])}"
    if modules:
        names = ", ".join(shown(each + ".py") for each in (device or modules)[:_MOST_SHOWN])
        raise PackageError(
            f"several modules could be the function: {names}",
            hint="say which, as module.function",
            command="appliance deeplens deploy ... --handler module.function",
        )
    if package.modules:
        raise PackageError(
            f"{shown(package.modules[0] + '.py')} cannot be imported by its name",
            hint="name it with letters, digits and underscores: lambda_function.py",
        )
    raise PackageError(
        "there is no Python module at its root",
        hint="lambda_function.py or the like lies at the top of a package, not in a folder of it",
    )


def check_handler(package: Package, handler: str) -> str:
    """A handler that somebody named, if the package has its module.

    Raises:
        PackageError: It has not.
    """
    if has_module(package.files, handler):
        return handler
    raise PackageError(
        f"there is no {shown(_path(handler) + '.py')} in it",
        hint="name a module of the package, and a function of it",
    )


def has_module(files: Collection[str], handler: str) -> bool:
    """Whether the module of a handler is among the names of a package's files."""
    path = _path(handler)
    return f"{path}.py" in files or f"{path}/__init__.py" in files


def _path(handler: str) -> str:
    return handler.rpartition(".")[0].replace(".", "/")


def _source(package: Package, module: str) -> bytes:
    return package.files[f"{module}.py"]


def _like_a_handler(package: Package, module: str) -> list[str]:
    defined = [each.decode() for each in _DEFINED.findall(_source(package, module))]
    return [each for each in defined if "handler" in each.lower()]


def _function(package: Package, module: str) -> str:
    """The function that messages are handed to: the usual one, or what is called like one."""
    defined = _like_a_handler(package, module)
    usual = _USUAL.get(module, _USUAL["lambda_function"])
    known = [each for each in (usual, *_USUAL.values()) if each in defined]
    return (known or defined or [usual])[0]
