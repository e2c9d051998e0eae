"""The proxies of all functions that were granted hosts: one each, made when first asked for.

Each listens under a name of its own that is drawn at random and never one that is there: a function reaches
what it was granted itself, whatever it and the others are called. What a proxy does is `proxy`'s; which
hosts, `grants`'.
"""

import contextlib
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.deeplens.grants import Grants
from appliance.deeplens.project import Project
from appliance.deeplens.proxy import GrantProxy
from appliance.errors import FunctionError

Told = Callable[[str, str], None]
"""Takes the name of a function and a line for its log."""

_FOLDER: Final = ".ways"
"""No function has a name with a dot: beside it lie folders of functions' names, shown in their views."""
_NAME_BYTES: Final = 8
"""So few, as the path of a socket may not be long."""


class WaysOut:
    """Proxies by the name of their function.

    Args:
        folder: Private, of this process alone, or not there yet: it is made with the first proxy, and what a
            killed process left of its own goes then.
        told: Takes what a function asked for and did not get.
    """

    def __init__(self, folder: Path, told: Told) -> None:
        self._folder = folder / _FOLDER
        self._told = told
        self._lock = threading.Lock()
        self._open: dict[str, GrantProxy] = {}
        self._made = False

    def path(self, project: Project) -> Path | None:
        """The socket for a function's view; None: it was granted nothing.

        Raises:
            FunctionError: A grant is no host, or the socket cannot be made.
        """
        if not project.network:
            return None
        with self._lock:
            if project.name not in self._open:
                if not self._made:
                    self._make()
                path = self._folder / secrets.token_hex(_NAME_BYTES)
                name = project.name
                proxy = GrantProxy(path, Grants(project.network), told=lambda line: self._told(name, line))
                proxy.open()
                self._open[name] = proxy
            return self._open[project.name].path

    def forget(self, name: str) -> None:
        """A function was removed, or another version of it comes."""
        with self._lock:
            proxy = self._open.pop(name, None)
        if proxy is not None:
            proxy.close()

    def close(self) -> None:
        """No function runs any more."""
        for name in list(self._open):
            self.forget(name)

    def _make(self) -> None:
        """Make the folder, without the sockets of a process that was killed.

        Raises:
            FunctionError: It cannot be made.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self._folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    left.unlink()
        except OSError as error:
            raise FunctionError(
                f"the way to the granted hosts cannot be opened: {error.strerror or error}",
                hint="look at the folder of the state",
            ) from error
        self._made = True
