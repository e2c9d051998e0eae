"""Telling dispatch that there is something to be done, for operations that do not wait for it."""

import contextlib
from pathlib import Path

from appliance.errors import WireError
from appliance.wire import Client
from appliance.wire.messages import Done, WakeDispatch

_PATIENCE_S = 1.0


class Waking:
    """Wakes dispatch.

    Args:
        socket: Where it listens.
    """

    def __init__(self, socket: Path) -> None:
        self._client = Client(socket)

    def wake(self) -> None:
        """Tell it; one that does not hear it looks for itself every two seconds."""
        with contextlib.suppress(WireError):
            self._client.call(WakeDispatch(), Done, timeout_s=_PATIENCE_S)
