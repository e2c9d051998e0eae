"""A models process that is replaced when it dies of a picture, so that the next one is still looked at."""

import contextlib
from collections.abc import Callable
from typing import Self

from appliance.errors import PeerGoneError, PhotoError
from appliance.picture_files import Embeds
from appliance.values import EmbeddedPhoto


class Reopening:
    """Embeds pictures; should the models process die of one, another goes on with the next.

    Args:
        opened: Opens a models process.
    """

    def __init__(self, opened: Callable[[], contextlib.AbstractContextManager[Embeds]]) -> None:
        self._open = opened
        self._stack = contextlib.ExitStack()
        self._models: Embeds | None = None

    def __enter__(self) -> Self:
        """Open."""
        self._models = self._stack.enter_context(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self._stack.close()

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Find and embed the faces of a picture file.

        Raises:
            PhotoError: It cannot be used as a picture, or the process died of it twice.
        """
        for _ in range(2):
            if self._models is None:
                self._models = self._stack.enter_context(self._open())
            try:
                return self._models.embed(content)
            except PeerGoneError:
                self._models = None
                self._stack.close()
        raise PhotoError("the models process died of it", reason="unreadable")
