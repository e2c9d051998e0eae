"""Whose module a function gets: the device's before its package's for some, stand-ins for what nobody has.

Authors packed numpy, OpenCV or boto3 beside their function, built for another Python. Everything else is
found as Python finds it, the function's folder first.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Final

OURS: Final = frozenset(
    {
        *("PIL", "boto3", "botocore", "certifi", "charset_normalizer", "cv2", "idna", "jmespath", "numpy"),
        *("onnxruntime", "openvino", "requests", "s3transfer", "scipy", "urllib3"),
    }
)
"""Packages that the appliance has for this Python, which a copy in a function's package must not hide."""


class OursFirst(importlib.abc.MetaPathFinder):
    """Finds some packages outside of the function's folder. To be the first of `sys.meta_path`."""

    def __init__(self, folder: str, names: frozenset[str] = OURS) -> None:
        """Note what is found so.

        Args:
            folder: The function's, as it stands in `sys.path`.
            names: Of the packages.
        """
        self._folder = folder
        self._names = names

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Where such a package is; None for all others, and for what only the function's package may have."""
        if path is not None or fullname not in self._names:
            return None
        outside = [each for each in sys.path if each not in ("", self._folder)]
        return importlib.machinery.PathFinder.find_spec(fullname, outside, target)


class Fallbacks(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives modules that nothing else gives. To be the last of `sys.meta_path`."""

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        """Note them, by name."""
        self._modules = modules

    def find_spec(
        self,
        fullname: str,
        path: object,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a module is that is here."""
        return importlib.machinery.ModuleSpec(fullname, self) if fullname in self._modules else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module."""
        return self._modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it is complete."""
