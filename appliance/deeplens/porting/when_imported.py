"""Doing something to a library's module once a function imports it: nobody waits for what he does not use.

Imports nothing itself, and knows no library.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

Added = Callable[[Any], None]
"""What is done to a module."""


class _Loader(importlib.abc.Loader):
    """Loads as another does, and adds."""

    def __init__(self, inner: Any, added: Added) -> None:
        self._inner = inner
        self._added = added

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """The module, as the other loader makes it."""
        made: ModuleType | None = self._inner.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run it, then add."""
        self._inner.exec_module(module)
        self._added(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds some modules where they are."""

    def __init__(self, added: Mapping[str, Added]) -> None:
        self.added = added

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification with our loader around its own; None for everything else."""
        if fullname not in self.added:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.added[fullname])
        return spec


def install(added: Mapping[str, Added]) -> None:
    """From now on, and to what is imported already. May be called again.

    Args:
        added: A module's whole name → what is done to it.
    """
    if not any(isinstance(each, _Finder) and each.added is added for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder(added))
    for name, add in added.items():
        if name in sys.modules:
            add(sys.modules[name])
